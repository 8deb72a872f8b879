package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"npsetup/client/trust"
	"npsetup/steps/problem"
)

// trustOptions are the flags of the commands under trust.
type trustOptions struct {
	*options
	c       *cobra.Command
	sha256  string // as typed
	notOurs bool
}

func newTrust(shared *options) *cobra.Command {
	c := &cobra.Command{
		Use: "trust", Short: "Show a server's certificate, pin it, or make this machine trust it",
		Long: "trust works without an answers file. show and pin concern npsetup alone; install and remove change what every program of this machine trusts.",
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return notACommand(append([]string{"trust"}, args...))
			}
			return problem.New("it is not said what to do").Try("npsetup trust show URL shows a certificate", "npsetup help trust lists the rest").Of(problem.Usage)
		},
	}
	c.AddCommand(newTrustShow(shared), newTrustPin(shared), newTrustInstall(shared), newTrustRemove(shared), newTrustScript(shared))
	return c
}

// trustCommand makes one of them, with what they share.
func trustCommand(shared *options, c *cobra.Command, what string, run func(ctx context.Context, o *trustOptions, arg string) error) (*cobra.Command, *trustOptions) {
	mine := *shared
	o := &trustOptions{options: &mine, c: c}
	c.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return problem.New("npsetup trust " + c.Name() + " wants one " + what).Try("npsetup trust " + c.Use).Of(problem.Usage)
		}
		return nil
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		o.app, o.state = shared.app, shared.state
		if err := o.checkFormat(); err != nil {
			return err
		}
		return run(c.Context(), o, args[0])
	}
	o.formatFlag(c)
	return c, o
}

func (o *trustOptions) sha256Flag(whose string) {
	o.c.Flags().StringVar(&o.sha256, "sha256", "", "go on only if the SHA-256 of "+whose+" is `HEX`")
}

// sha reads --sha256; empty when it was not given.
func (o *trustOptions) sha() (string, error) {
	if o.sha256 == "" {
		return "", nil
	}
	digits, ok := trust.Thumbprint(o.sha256)
	if !ok || len(digits) != 64 {
		return "", problem.New("--sha256 is no SHA-256").Because("that has 64 hex digits").Try("npsetup trust show URL prints it; compare it on the server itself").Of(problem.Usage)
	}
	return digits, nil
}

// isSHA refuses a certificate that is not the one which was named. An empty want names none.
func isSHA(want string, c trust.Cert) error {
	if want == "" || want == c.SHA256 {
		return nil
	}
	return problem.New("the certificate is not the one that --sha256 names").Because(fmt.Sprintf("named is %s, and %s has %s", want, c.Subject, c.SHA256)).
		Try("compare the SHA-256 on the server itself; npsetup trust show URL prints what it presents now", "if nobody changed the certificate, have the network between here and the server looked at")
}

func (o *trustOptions) talkf(format string, args ...any) {
	_, _ = fmt.Fprintf(o.c.ErrOrStderr(), format, args...)
}

func isURL(arg string) bool { return strings.Contains(arg, "://") }

func (o *trustOptions) probe(ctx context.Context, address string) (trust.Presented, error) {
	if !isURL(address) {
		return trust.Presented{}, problem.New(problem.Plain(address) + " is no address of a server").Try("write it as https://nps.contoso.com:6500/").Of(problem.Usage)
	}
	defer o.app.waiting(o.c.ErrOrStderr(), "the certificate of "+address, longestHandshake)()
	return trust.Prober{Now: o.app.now, HandshakeLimit: o.app.patience}.Probe(ctx, address)
}

// sighting is how a presented certificate relates to what was seen before.
type sighting struct {
	list   *trust.Seen
	sight  trust.Sight
	before trust.Sighting
}

func (o *trustOptions) seen(p trust.Presented) (sighting, error) {
	state, err := o.safeState()
	if err != nil {
		return sighting{}, err
	}
	s := sighting{}
	if s.list, err = trust.LoadSeen(state); err != nil {
		return s, err
	}
	s.sight, s.before = s.list.Look(p.Host, p.Port, p.Chain[0].SHA256)
	return s, nil
}

// again is the command line of this very command, for a person who has to run it otherwise.
func (o *trustOptions) again(args ...string) []string {
	self, err := os.Executable()
	if err != nil {
		self = "npsetup"
	}
	line := []string{self}
	if o.state != "" {
		line = append(line, "--state", absolute(o.state))
	}
	line = append(line, append([]string{"trust", o.c.Name()}, args...)...)
	for i, word := range line {
		line[i] = quoted(word, runtime.GOOS)
	}
	return line
}

// quoted is a word for the shells of an operating system. Windows' names cannot hold the quotes that its shells use.
func quoted(word, goos string) string {
	plain := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@+=,-"
	switch {
	case word != "" && strings.Trim(word, plain) == "", word != "" && goos == "windows" && strings.Trim(word, plain+`\~`) == "":
		return word
	case goos == "windows":
		return `"` + word + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
