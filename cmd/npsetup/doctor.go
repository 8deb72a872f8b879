package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/machine"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/doctor"
	shared "npsetup/steps/nps"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// doctorOptions are what doctor is told besides the answers.
type doctorOptions struct {
	url, vault, trust, key string
}

func newDoctor(shared *options) *cobra.Command {
	o := *shared
	var d doctorOptions
	c := &cobra.Command{
		Use: "doctor [-f FILE | --url URL]", Short: "Check this machine, the network, NPS and the set-up, and say what is wrong", Args: cobra.NoArgs,
		Long: "doctor reads, changes nothing anywhere, asks nothing, and notes nothing down. Without flags it looks at this machine and lists what must be open. With --url it also looks at an NPS server: name, port, TLS, certificate, health, clocks. With -f it makes every check that the answers allow: it signs in where the secrets can be had without asking, and compares what is there with what the answers want. --password-secure looks at a Password Secure server, with --api-key at a key too.\n\n" +
			"Each check is ok, warning, fault or not checked, with a code that npsetup explain tells more of. It ends with 0 when there is no fault, 1 when there is one.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if err := o.checkFormat(); err != nil {
				return err
			}
			return runDoctor(c.Context(), c, &o, d)
		},
	}
	o.answerFlags(c)
	o.formatFlag(c)
	c.Flags().StringVar(&d.url, "url", "", "look at the NPS server at `URL`, over the answer nps.url")
	c.Flags().StringVar(&d.vault, "password-secure", "", "look at the Password Secure server at `URL` too")
	c.Flags().StringVar(&d.trust, "password-secure-trust", "system", "trust its certificate by `TRUST`: system, ca:FILE or pin:sha256:HEX")
	c.Flags().StringVar(&d.key, "api-key", "", "`REFERENCE` of an API key of Password Secure: env:NAME, file:PATH or keyring:NAME; it is read here, and its token is sent there once, which leaves a log entry")
	return c
}

// examination is one run of doctor.
type examination struct {
	*job
	doctorOptions
	person bool // there is a terminal; nobody is asked all the same
	sheet  doctor.Sheet
	facts  machine.Facts
}

func runDoctor(ctx context.Context, c *cobra.Command, o *options, d doctorOptions) error {
	x := &examination{job: &job{options: o, c: c}, doctorOptions: d, person: o.app.terminal}
	x.lookHere(ctx)
	answered := o.file != "" || d.url != ""
	if answered {
		answered = x.readAnswers()
	} else {
		x.sheet.Add("NPS", doctor.Skipped("server", "no server was named: -f FILE or --url URL"))
	}
	if answered {
		x.lookServer(ctx)
		x.lookNetwork(ctx)
	}
	x.lookVault(ctx)
	if err := ctx.Err(); err != nil {
		return problem.New("stopped while looking").Of(problem.Cancelled).From(err)
	}
	x.sheet.Ports = doctor.Ports(x.port(), x.vaultAddress() != "")
	known, err := codes()
	if err != nil {
		return err
	}
	x.sheet.Complete(func(c problem.Code) []string { return known[c].Remedy })
	if o.format == "json" {
		if err := asJSON(x.out(), &x.sheet); err != nil {
			return err
		}
	} else if err := x.sheet.Text(x.out()); err != nil {
		return err
	}
	if x.sheet.Count(doctor.Fault) > 0 {
		return ending(exitFailed)
	}
	return nil
}

// saying tells a person what takes its time.
func (x *examination) saying(what string) {
	if x.person {
		_, _ = fmt.Fprintln(x.talk(), problem.Plain(what)+" …")
	}
}

// readAnswers reads what there is of answers; some may be missing. Faults in them are checks, and nothing is sent then.
func (x *examination) readAnswers() bool {
	silent := *x.app
	silent.terminal, silent.screen = false, false // nobody is asked anything
	o := *x.options
	o.app, o.begun, o.dryRun, o.yes = &silent, true, true, true
	state, err := o.stateDir()
	if err != nil {
		return false // that is told among the checks of this machine
	}
	j := &job{options: &o, c: x.c, link: &link{app: &silent, talk: x.talk(), dry: true, yes: true, mute: true, state: state, life: x.c.Context()}}
	overrides, err := j.overrides()
	if err == nil {
		if x.url != "" {
			overrides.Set["nps.url"] = x.url
		}
		var parsed steps.Parsed
		if o.file != "" {
			parsed, err = j.fromFile(overrides)
		} else {
			guides := j.link.guides()
			parsed, err = steps.FromDrafts(guides[0], "--url", nil, "", overrides)
		}
		j.guide, j.answers = parsed.Guide, parsed.Answers
	}
	if err != nil {
		x.sheet.Add("answers", doctor.Failures("answers", err)...)
		return false
	}
	if o.file != "" {
		x.sheet.Add("answers", doctor.Good("answers", "the file "+o.file+" can be read"))
	}
	x.job = j
	if !j.answers.Has("nps.trust") {
		x.trustAsRemembered()
	}
	if err := j.open(); err != nil {
		x.sheet.Add("answers", doctor.Failures("run record", err)...)
	}
	return true
}

// trustAsRemembered takes the certificate that npsetup trust pin has remembered for the host, where the answers say nothing.
func (x *examination) trustAsRemembered() {
	u, err := url.Parse(x.answers.Text("nps.url"))
	if err != nil {
		return
	}
	seen, err := trust.LoadSeen(x.link.state)
	if err != nil {
		return
	}
	if _, before := seen.Look(u.Hostname(), u.Port(), ""); before.SHA256 != "" {
		x.answers = x.answers.With("nps.trust", "pin:sha256:"+before.SHA256)
	}
}

// lookServer goes through the steps as far as the answers reach, and proves each when all could look.
func (x *examination) lookServer(ctx context.Context) {
	last, why := x.reach()
	memory := steps.Memory{}
	if x.store != nil {
		memory = x.store.Memory()
	}
	x.scene = steps.NewScene(x.answers, memory)
	x.saying("looking at " + x.answers.Text("nps.url"))
	seen := steps.Inspect(ctx, x.guide, x.scene, last)
	groups := map[string]string{"server": "NPS", "trust": "NPS", "signin": "NPS"}
	stopped := false
	for _, s := range seen {
		group := groups[s.Step]
		if group == "" {
			group = "set-up"
		}
		x.sheet.Add(group, doctor.OfLook(s)...)
		if s.Step == "server" {
			x.sheet.Add(group, x.presented()...)
		}
		if s.Step == "trust" && !s.Stopped {
			x.sheet.Add(group, x.clock()...)
		}
		stopped = stopped || s.Stopped
	}
	switch {
	case stopped:
		x.sheet.Add("set-up", doctor.Skipped("the rest", "the look ended at the step "+seen[len(seen)-1].Step))
		return
	case why != "":
		x.sheet.Add("set-up", doctor.Skipped("the rest", why))
		return
	}
	x.prove(ctx)
}

// reach is the last step that can look without asking anybody, and why the next cannot; empty: all can.
func (x *examination) reach() (last, why string) {
	missing := map[string]string{}
	for _, f := range x.answers.Check(x.guide) {
		if s, ok := x.guide.Asking(f.Key); ok && missing[s.ID] == "" {
			missing[s.ID] = f.Key
		}
	}
	secrets := x.link.app.checkSources(x.answers, x.guide, x.options.needs(x.answers))
	for _, s := range x.guide.Applying(x.answers) {
		if key := missing[s.ID]; key != "" {
			return last, "the answer " + key + " is missing: name it in the file, or --set " + key + "=VALUE"
		}
		if s.ID == "signin" {
			switch {
			case secrets != nil:
				p := problem.All(secrets)[0]
				return last, "nobody is asked here, and " + p.What + ": " + p.Why
			case x.person && !x.known():
				return last, "this server was not signed in to from here before: npsetup plan -f FILE asks first"
			}
		}
		last = s.ID
	}
	return "", ""
}

// known says whether the host of the answers was used from here before.
func (x *examination) known() bool {
	u, err := url.Parse(x.answers.Text("nps.url"))
	if err != nil {
		return false
	}
	seen, err := trust.LoadSeen(x.link.state)
	if err != nil {
		return false
	}
	sight, _ := seen.Look(u.Hostname(), u.Port(), "")
	return sight != trust.New
}

// presented judges what the server showed beyond whether it may be trusted: its names and its end.
func (x *examination) presented() []doctor.Check {
	p, ok := steps.Get(x.scene, shared.PresentedKey)
	if !ok || len(p.Chain) == 0 {
		return nil
	}
	checks := []doctor.Check{doctor.Good("connection", "DNS, port and TLS of "+p.Host+" answer in "+p.Took.Round(time.Millisecond).String())}
	if p.Misnamed {
		checks = append(checks, doctor.Doubt("name in the certificate", problem.CertificateNameDiffers, p.Host+" is not among the names in the certificate: "+p.Reason,
			"take a name that is in it for nps.url, or have a certificate issued with this one; NPS Rest URL, IIS binding and certificate have to name the same host"))
	} else {
		checks = append(checks, doctor.Good("name in the certificate", p.Host+" is among its names"))
	}
	left := p.Chain[0].NotAfter.Sub(x.options.app.now())
	until := p.Chain[0].NotAfter.UTC().Format("2006-01-02")
	if left > 0 && left < 30*24*time.Hour {
		return append(checks, doctor.Doubt("end of the certificate", problem.CertificateEndsSoon, "it ends on "+until, "renew it on the NPS server, and tell those who pinned it"))
	}
	return append(checks, doctor.Good("end of the certificate", until))
}

// clock tells the difference of clocks when it is small; a large one is a finding of the step.
func (x *examination) clock() []doctor.Check {
	skew, known := steps.Get(x.scene, shared.SkewKey)
	if !known || skew.Abs() > shared.SkewLimit {
		return nil
	}
	return []doctor.Check{doctor.Good("clocks", "this machine's clock minus the server's is "+skew.Round(time.Second).String())}
}

// prove compares what is there with the answers, and reads what went wrong lately.
func (x *examination) prove(ctx context.Context) {
	if err := x.scene.Problems(); err != nil {
		x.sheet.Add("set-up", doctor.Skipped("the rest", "what is there is compared with the answers once the faults above are mended"))
		return
	}
	if _, err := steps.Draft(x.guide, x.scene, x.identity()); err != nil {
		x.sheet.Add("set-up", doctor.Failures("plan", err)...)
		return
	}
	for _, p := range steps.Prove(ctx, x.guide, x.scene) {
		if p.Step.ID != "server" && p.Step.ID != "trust" && p.Step.ID != "signin" {
			x.sheet.Add("set-up", doctor.OfProof(p))
		}
	}
	if x.guide.Trouble == nil {
		return
	}
	if err := x.guide.Trouble(ctx, x.scene); err != nil {
		x.sheet.Add("set-up", doctor.Failures("last session", err)...)
		return
	}
	x.sheet.Add("set-up", doctor.Good("last session", "none that failed"))
}

// port is the port of NPS by the answers.
func (x *examination) port() string {
	u, err := url.Parse(x.answers.Text("nps.url"))
	if err != nil {
		return ""
	}
	return u.Port()
}

func (x *examination) vaultAddress() string {
	if x.vault != "" {
		return x.vault
	}
	return x.answers.Text("passwordSecure.url")
}

// unasked is where a secret is that nobody has to be asked for.
func unasked(text string) (secret.Reference, bool) {
	r, err := secret.ParseReference(text)
	return r, err == nil && r.Source != secret.Prompt
}
