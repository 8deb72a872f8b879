package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/sandbox"
	"npsetup/steps/auditor"
	"npsetup/steps/problem"
)

func newDemo(shared *options) *cobra.Command {
	var plain bool
	c := &cobra.Command{
		Use: "demo", Short: "Show the whole set-up on a sandbox of its own", Args: cobra.NoArgs,
		Long: "demo starts a sandbox and a state folder of its own. On a terminal it opens the wizard on it; without one it sets it up with a resource-based and with a credential-based policy, and Password Secure as a vault, does the person's part, and prints the reports. It touches nothing else.",
		RunE: func(c *cobra.Command, _ []string) error { return runDemo(c.Context(), c, shared.app, plain) },
	}
	c.Flags().BoolVar(&plain, "plain", false, "open the wizard line by line, with or without a terminal")
	return c
}

func runDemo(ctx context.Context, c *cobra.Command, a *app, plain bool) error {
	if a.terminal || plain {
		return onStand(ctx, a, "answers-auditor.yaml", func(demo app, o options, s *sandbox.Server) error {
			return demoWizard(ctx, c, a, demo, o, s, plain)
		})
	}
	for i, file := range []string{"answers-auditor.yaml", "answers-auditor-credential.yaml", demoVault} {
		if i > 0 {
			_, _ = fmt.Fprintln(c.OutOrStdout())
		}
		if err := onStand(ctx, a, file, func(_ app, o options, s *sandbox.Server) error { return demoApply(ctx, c, o, s) }); err != nil {
			return err
		}
	}
	return nil
}

// demoVault are the sandbox's answers for Password Secure.
const demoVault = "answers-password-secure.yaml"

// onStand does something on a sandbox of its own, with one of its answers files.
func onStand(ctx context.Context, a *app, file string, do func(app, options, *sandbox.Server) error) (err error) {
	dir, err := os.MkdirTemp("", "npsetup-demo-")
	if err != nil {
		return problem.New("there is no place for the demonstration").Unwritten(err, "name another folder for temporary files with TMPDIR")
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := sandbox.Start(ctx, sandbox.Options{Dir: dir, Now: a.now})
	if err != nil {
		return problem.New("the sandbox does not start").Because(problem.Plain(err.Error()))
	}
	defer func() { err = errors.Join(err, s.Close()) }()

	demo := *a
	demo.terminal = false
	demo.pdc = nil // contoso.com is the sandbox's; DNS knows another one
	cr := s.Credentials()
	demo.env = func(name string) (string, bool) {
		if name == "TERM" || name == "ACCESSIBLE" {
			return a.env(name)
		}
		v, ok := map[string]string{"NPS_PASSWORD": cr.Password, "NPS_TOTP_SECRET": cr.TOTPSecret, "PASSWORD_SECURE_API_KEY": s.VaultKeyMade()}[name]
		return v, ok
	}
	o := options{app: &demo, state: filepath.Join(dir, "state"), file: filepath.Join(dir, file), yes: true, format: "text"}
	if file != demoVault { // the accounts are the sandbox's: nothing else uses their passwords
		o.accept = []string{auditor.RiskRotatePassword}
	}
	return do(demo, o, s)
}

// demoApply is the unattended run, with the person's part in between.
func demoApply(ctx context.Context, c *cobra.Command, o options, s *sandbox.Server) error {
	talk := c.ErrOrStderr()
	_, _ = fmt.Fprintf(talk, "a sandbox answers at %s\n\n", s.URL())
	first := o
	quiet := &cobra.Command{}
	quiet.SetContext(ctx)
	quiet.SetErr(talk)
	quiet.SetOut(talk) // the first report is not the result yet
	if err := runApply(ctx, quiet, &first); err != nil && !errors.Is(err, exitError(exitPerson)) {
		return err
	}
	for _, d := range through(ctx, s) {
		o.done = append(o.done, d.Step)
	}
	_, _ = fmt.Fprintf(talk, "\nthe person has done %s\n\n", strings.Join(o.done, ", "))
	err := runApply(ctx, c, &o)
	_, _ = fmt.Fprintln(talk)
	return err
}

// through does the person's part, and gives Auditor a while to collect for the first time.
func through(ctx context.Context, s *sandbox.Server) []sandbox.Did {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return s.PersonThrough(ctx)
}

// demoWizard opens the wizard on the sandbox; the person's part can be left to it.
func demoWizard(ctx context.Context, c *cobra.Command, a *app, demo app, o options, s *sandbox.Server, plain bool) error {
	demo.terminal = a.terminal
	o.app, o.yes, o.accept = &demo, false, nil
	hints := []string{
		"address " + s.URL() + ", trusted by pin:" + s.Pin(), "user " + s.Credentials().User + ", password env:NPS_PASSWORD, MFA totp:env:NPS_TOTP_SECRET",
		"certificate " + filepath.Join(filepath.Dir(o.file), "auditor-client.cer") + ", key auditor-client.key beside it", "resource dc01.contoso.com, service account svc-nps", `account CONTOSO\svc-auditor, for a credential-based policy`,
		"Password Secure " + s.VaultURL() + ", trusted by pin:" + s.VaultPin() + ", version 9.2, API key env:PASSWORD_SECURE_API_KEY, entry CONTOSO and app-admin",
		"user " + s.Credentials().User + " and resource app01.contoso.com in its policy",
	}
	return runWizard(ctx, c, &o, wizardOptions{plain: plain, hints: hints, files: []string{filepath.Join(filepath.Dir(o.file), demoVault)}, person: func(ctx context.Context) ([]string, error) {
		var did []string
		for _, d := range through(ctx, s) {
			did = append(did, d.Step)
		}
		return did, nil
	}})
}
