package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/machine"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/doctor"
	shared "npsetup/steps/nps"
	"npsetup/steps/problem"
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
	saw    map[string]steps.Seen // what the looks of the steps brought, by step
}

func runDoctor(ctx context.Context, c *cobra.Command, o *options, d doctorOptions) error {
	if err := d.checkKey(); err != nil {
		return err
	}
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
	x.sheet.Ports = x.ports()
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
	if _, asks := j.guide.Asking(vaultAPIKey); asks && x.key != "" {
		j.answers = j.answers.With(vaultAPIKey, x.key)
	}
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
	if last == "" && why != "" {
		x.sheet.Add("set-up", doctor.Skipped("the rest", why))
		return
	}
	memory := steps.Memory{}
	if x.store != nil {
		memory = x.store.Memory()
	}
	x.scene = steps.NewScene(x.answers, memory)
	x.saying("looking at " + x.answers.Text("nps.url"))
	seen := steps.Inspect(ctx, x.guide, x.scene, last)
	x.saw = map[string]steps.Seen{}
	stopped := false
	for _, s := range seen {
		x.saw[s.Step] = s
		group := groupOf(s.Step)
		x.sheet.Add(group, doctor.OfLook(s)...)
		if s.Step == vaultServerStep {
			x.sheet.Add(group, x.vaultPresented()...)
		}
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

// groupOf is the group in which a step is told.
func groupOf(step string) string {
	switch step {
	case "server", "trust", "signin":
		return "NPS"
	case vaultServerStep, vaultKeyStep:
		return vaultGroup
	}
	return "set-up"
}

// reach is the last step that can look without asking anybody, and why the next cannot; empty: all can.
func (x *examination) reach() (last, why string) {
	missing := map[string]string{}
	for _, f := range x.answers.Check(x.guide) {
		if s, ok := x.guide.Asking(f.Key); ok && missing[s.ID] == "" {
			missing[s.ID] = f.Key
		}
	}
	for _, s := range x.guide.Applying(x.answers) {
		if key := missing[s.ID]; key != "" {
			return last, "the answer " + key + " is missing: name it in the file, or --set " + key + "=VALUE"
		}
		secrets := x.link.app.checkSource(x.answers, s, x.options.needs(x.answers))
		if s.ID == "signin" {
			secrets = errors.Join(secrets, x.link.app.checkCode(x.answers))
		}
		switch {
		case secrets != nil:
			p := problem.All(secrets)[0]
			return last, "nobody is asked here, and " + strings.TrimSuffix(p.Error(), ": ") + "; " + p.Next[0]
		case s.ID == "signin" && x.person && !x.known():
			return last, "this server was not signed in to from here before: npsetup plan -f FILE asks first"
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
	return append(checks, x.end(p.Chain[0].NotAfter, "renew it on the NPS server, and tell those who pinned it"))
}

// end judges the end of a certificate. That it is over is told where it was refused.
func (x *examination) end(at time.Time, remedy string) doctor.Check {
	const name = "end of the certificate"
	until := at.UTC().Format("2006-01-02")
	if left := at.Sub(x.options.app.now()); left > 0 && left < 30*24*time.Hour {
		return doctor.Doubt(name, problem.CertificateEndsSoon, "it ends on "+until, remedy)
	}
	return doctor.Good(name, until)
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
	var last doctor.Check // of the step that proves the whole by a session
	for _, p := range steps.Prove(ctx, x.guide, x.scene) {
		switch groupOf(p.Step.ID) {
		case "set-up":
			last = doctor.OfProof(p, x.scene.Memory.Begun(), x.scene.Memory.Back())
			x.sheet.Add("set-up", last)
		case vaultGroup:
			x.vaultProven(p)
		}
	}
	if x.guide.Trouble == nil {
		return
	}
	err := x.guide.Trouble(ctx, x.scene)
	for _, c := range doctor.Failures("last session", err) {
		if c.Code != last.Code || c.Code.Bare() { // or it is told already, with that session
			x.sheet.Add("set-up", c)
		}
	}
	if err == nil && last.Outcome != doctor.Fault {
		x.sheet.Add("set-up", doctor.Good("last session", "NPS lists none that failed"))
	}
}

// ports are those of the guide in question: of the answers, or where there are none those of the guide for Auditor.
func (x *examination) ports() []steps.Port {
	var list []steps.Port
	guide, answers := x.guide, x.answers
	guides := (&link{app: x.options.app}).guides()
	if guide.Ports == nil {
		guide = guides[0]
	}
	list = append(list, guide.Ports(answers)...)
	if _, asks := guide.Asking(vaultURLKey); asks || x.vault == "" {
		return list
	}
	for _, g := range guides {
		if _, asks := g.Asking(vaultURLKey); asks {
			for _, p := range g.Ports(steps.Answers{}.With(vaultURLKey, x.vault)) {
				if p.To == vaultGroup {
					list = append(list, p)
				}
			}
		}
	}
	return list
}

func (x *examination) vaultAddress() string {
	if x.vault != "" {
		return x.vault
	}
	return x.answers.Text(vaultURLKey)
}
