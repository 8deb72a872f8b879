package main

import (
	"context"
	"crypto/tls"
	"net/url"
	"slices"
	"strings"

	"npsetup/client/passwordsecure"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/doctor"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const (
	vaultGroup      = "Password Secure"
	vaultServerStep = "vault-server"
	vaultKeyStep    = "vault-key"
	keyThere        = "API key at the server"
	vaultRenewal    = "renew it on the Password Secure server, tell those who pinned it, and let every NPS node trust the new one"
)

// keyWays are the ways to give doctor an API key: it asks nothing, and a command line is no place for a secret.
func keyWays() []string {
	return []string{
		"--api-key env:NAME with the key in the environment variable NAME",
		"--api-key file:PATH with nothing but the key in a file that only you may read (chmod 600)",
		"--api-key keyring:NAME with the key in the operating system's keyring, service npsetup",
	}
}

// checkKey refuses what is no reference, and what would have to be asked for.
func (d *doctorOptions) checkKey() error {
	if d.key == "" {
		return nil
	}
	r, err := secret.ParseReference(d.key)
	switch {
	case err != nil:
		return problem.New("--api-key does not say where the API key is").Because("it takes a reference, never the key itself: others can read a command line, and the shell keeps it").
			Try(keyWays()...).Try("if that was the key itself, make a new one in Password Secure and delete this one").Of(problem.Usage)
	case r.Source == secret.Prompt:
		return problem.New("doctor asks nothing, so that --api-key prompt gives no key").Try(keyWays()...).Of(problem.Usage)
	case r.Source == secret.File:
		d.key = "file:" + absolute(r.Name)
	}
	return nil
}

// lookVault looks at a Password Secure server, and reads a key.
func (x *examination) lookVault(ctx context.Context) {
	const group = vaultGroup
	address := x.vaultAddress()
	_, told := x.saw[vaultServerStep] // by the guide: what it saw is not told twice
	told = told && x.vault == ""
	switch {
	case address == "" && x.key != "":
		x.sheet.Add(group, doctor.Skipped("API key", "no server was named: --password-secure URL"))
		return
	case address == "" || told && (x.key == "" || x.saw[vaultServerStep].Stopped):
		return
	}
	forms, err := passwordsecure.Forms(address)
	if err != nil {
		x.sheet.Add(group, doctor.Failures("address", err)...)
		return
	}
	o := passwordsecure.Options{Now: x.options.app.now, Timeout: x.options.app.patience, Scrub: x.options.app.scrub, UserAgent: "npsetup/" + version}
	if x.vault != "" {
		o.Setting = "--password-secure-trust"
	}
	if o.TLS, err = x.vaultTLS(forms[0].URL); err != nil {
		x.sheet.Add(group, doctor.Failures("trust", err)...)
		return
	}
	c := passwordsecure.New(o)
	var best passwordsecure.Report
	if told {
		best = x.link.vaultSeen
	} else {
		x.saying("looking at " + forms[0].URL)
		end := x.options.app.waiting(x.talk(), "Password Secure at "+forms[0].URL, longestVault)
		best, _ = passwordsecure.Best(c.Probe(ctx, forms))
		end()
		x.sheet.Add(group, vaultChecks(best)...)
		if best.Certificate != nil {
			x.sheet.Add(group, x.end(best.Until(), vaultRenewal))
		}
	}
	x.lookKey(ctx, c, best)
}

// vaultPresented judges the end of the certificate that the guide's look was shown.
func (x *examination) vaultPresented() []doctor.Check {
	if x.link.vaultLeaf == nil {
		return nil
	}
	return []doctor.Check{x.end(x.link.vaultLeaf.NotAfter, vaultRenewal)}
}

// vaultProven tells of a step's proof what its look did not: that NPS came further than this machine, or that the server takes the key.
func (x *examination) vaultProven(p steps.StepProof) {
	seen := x.saw[p.Step.ID]
	doubted := slices.ContainsFunc(x.saw[vaultServerStep].Findings, func(f steps.Finding) bool {
		return f.Kind == steps.TextFinding && f.State == steps.Doubtful
	})
	switch c := doctor.OfProof(p, true, x.scene.Memory.Back()); {
	case seen.Err != nil:
	case p.Step.ID == vaultServerStep && doubted && p.Proof.State == steps.Proven:
		x.sheet.Add(vaultGroup, c)
	case p.Step.ID != vaultKeyStep || x.key != "":
	case p.Proof.State == steps.Proven:
		c.Name = keyThere
		x.sheet.Add(vaultGroup, c)
	case doubted:
		x.sheet.Add(vaultGroup, doctor.Skipped(keyThere, "not looked at, since Password Secure does not answer here as it should"))
	default:
		x.sheet.Add(vaultGroup, doctor.Skipped(keyThere, "whether Password Secure takes it is asked with --api-key only, since that leaves an entry in its log"))
	}
}

// vaultTLS is by what the certificate of Password Secure is trusted.
func (x *examination) vaultTLS(address string) (*tls.Config, error) {
	text := x.doctorOptions.trust
	if t := x.answers.Text(vaultTrustKey); t != "" && x.vault == "" {
		text = t
	}
	choice, err := trust.ParseTrust(text)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	choice.File = x.answers.Path(choice.File)
	return trust.Config(choice, u.Hostname(), x.options.app.now)
}

func vaultChecks(r passwordsecure.Report) []doctor.Check {
	var checks []doctor.Check
	for _, f := range r.Findings {
		name := f.Stage.String()
		if f.Err == nil {
			checks = append(checks, doctor.Good(name, "answers at "+r.Form.URL))
			continue
		}
		checks = append(checks, doctor.Failures(name, f.Err)...)
	}
	if needed, known := r.Needed(); known && !needed {
		checks = append(checks, doctor.Good("certificate", "a machine with the usual authorities trusts it: Skip Certificate Check is not needed"))
	}
	for _, note := range r.Form.Notes {
		checks = append(checks, doctor.Good("address", note))
	}
	return checks
}

// lookKey reads a key offline, and asks the server once whether it takes it. What the guide's look at the key said is not said again.
func (x *examination) lookKey(ctx context.Context, c *passwordsecure.Client, r passwordsecure.Report) {
	const group, name = vaultGroup, "API key"
	step, told := x.saw[vaultKeyStep]
	if told && step.Err != nil {
		return
	}
	text := x.key
	if text == "" {
		text = x.answers.Text(vaultAPIKey)
	}
	ref, err := secret.ParseReference(text)
	if err != nil || ref.Source == secret.Prompt {
		x.sheet.Add(group, doctor.Skipped(name, "none is named that can be had without asking: "+strings.Join(keyWays(), ", or ")))
		return
	}
	pasted, err := x.options.app.fetch(ctx, vaultAPIKey, ref, "API key")
	if err != nil {
		x.sheet.Add(group, doctor.Failures(name, err)...)
		return
	}
	key, err := passwordsecure.ParseKey(pasted)
	if err == nil {
		x.options.app.scrub.Add(key.Secret())
		err = key.Check(x.options.app.now())
	}
	if err != nil {
		x.sheet.Add(group, doctor.Failures(name, err)...)
		return
	}
	if !told && key.Expiry(x.options.app.now()) == passwordsecure.ExpiryNear {
		x.sheet.Add(group, doctor.Doubt(name, problem.VaultKeyEndsSoon, "it ends on "+key.Expires.Format("2006-01-02"), "make a new one before, put it into the service account in NPS, then delete this one"))
	}
	if x.key == "" { // it would leave a log entry, which nobody asked for
		x.sheet.Add(group, doctor.Good(name, "it is whole; whether the server takes it is asked with --api-key only"))
		return
	}
	if r.Verdict == passwordsecure.Silent {
		x.sheet.Add(group, doctor.Skipped(name, "it is whole; whether the server takes it was not asked, since nothing answers that may be spoken to"))
		return
	}
	said := c.SignIn(ctx, r.Form, key)
	switch problems := said.Problem(key); {
	case problems != nil:
		x.sheet.Add(group, doctor.Failures(name, problems)...)
	case said.Proof == passwordsecure.Accepted:
		x.sheet.Add(group, doctor.Good(name, "whole, and taken: "+said.Why))
	default:
		x.sheet.Add(group, doctor.Skipped(name, "it is whole; whether the server takes it is open: "+said.Why))
	}
}
