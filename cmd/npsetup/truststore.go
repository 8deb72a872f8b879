package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"npsetup/client/pki"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func newTrustInstall(shared *options) *cobra.Command {
	c := &cobra.Command{
		Use: "install URL|FILE", Short: "Make this machine trust an authority, or a server's self-signed certificate",
		Long: "install shows the certificate and what it would do, asks, puts it into the operating system's store of trusted roots, and reads back.\n" +
			"Of a URL it takes the topmost self-signed certificate that the server presents; without a question that needs its --sha256 beside --yes.\n" +
			"It needs root or Administrator, and says so; it does not raise its own rights. npsetup trust remove takes it out again.",
	}
	c, o := trustCommand(shared, c, "URL or FILE", runTrustInstall)
	o.storeFlags()
	return c
}

func newTrustRemove(shared *options) *cobra.Command {
	c := &cobra.Command{
		Use: "remove URL|FILE|THUMBPRINT", Short: "Take a certificate out again that npsetup made this machine trust",
		Long: "remove shows what it would do, asks, takes the certificate out of the operating system's store of trusted roots, and reads back.\n" +
			"It takes out only what npsetup put in. A THUMBPRINT is a SHA-1 or a SHA-256.",
	}
	c, o := trustCommand(shared, c, "URL, FILE or THUMBPRINT", runTrustRemove)
	o.storeFlags()
	c.Flags().BoolVar(&o.notOurs, "not-ours", false, "also what npsetup did not put in, where the store is not made of files (Windows, macOS)")
	return c
}

func (o *trustOptions) storeFlags() {
	o.sha256Flag("the certificate")
	o.c.Flags().BoolVar(&o.yes, "yes", false, "carry the shown plan out without asking")
	o.c.Flags().BoolVar(&o.dryRun, "dry-run", false, "read only, and end with the plan")
}

// storeJob is one certificate on its way into or out of the machine's store.
type storeJob struct {
	*trustOptions
	store   *trust.Store
	journal *run.Dir
	cert    *x509.Certificate
	about   trust.Cert
	notes   []string
	remove  bool
	begun   bool // an earlier removal was cut off
	is      trust.Standing
}

func runTrustInstall(ctx context.Context, o *trustOptions, arg string) error {
	want, err := o.beforehand(arg)
	if err != nil {
		return err
	}
	if isURL(arg) && want == "" && !o.dryRun && (o.yes || !o.app.terminal) {
		return problem.New("nobody compared the certificate").Because("what a server presents is trusted by the whole machine only after its SHA-256 was compared").
			Try("npsetup trust show URL shows it; compare it on the server itself, then add --sha256 HEX").Of(problem.Usage)
	}
	a, err := o.anchor(ctx, arg)
	if err != nil {
		return err
	}
	if err := a.Check(o.app.now()); err != nil {
		return err
	}
	j, err := o.storeJob(a.X509)
	if err != nil {
		return err
	}
	defer j.close()
	j.notes = a.Notes
	return j.run(ctx, want, arg)
}

func runTrustRemove(ctx context.Context, o *trustOptions, arg string) error {
	want, err := o.beforehand(arg)
	if err != nil {
		return err
	}
	c, err := o.toRemove(ctx, arg)
	if err != nil {
		return err
	}
	if c == nil {
		o.talkf("no certificate that this machine trusts has that thumbprint: nothing to change\n")
		return nil
	}
	j, err := o.storeJob(c)
	if err != nil {
		return err
	}
	defer j.close()
	j.remove = true
	return j.run(ctx, want, arg)
}

// beforehand refuses what lacks consent before anything is looked at.
func (o *trustOptions) beforehand(arg string) (sha256 string, err error) {
	if !o.app.terminal && !o.yes && !o.dryRun {
		return "", problem.New("nobody agreed to the change").Because("there is no terminal to ask on, and --yes was not given").
			Try("look at it with --dry-run, then add --yes").Of(problem.Usage)
	}
	if arg == "" {
		return "", problem.New("the argument is empty").Try("npsetup trust " + o.c.Use).Of(problem.Usage)
	}
	return o.sha()
}

// anchor finds the certificate that belongs into the store, on a server or in a file.
func (o *trustOptions) anchor(ctx context.Context, arg string) (trust.Anchor, error) {
	if !isURL(arg) {
		return anchorIn(arg)
	}
	p, err := o.probe(ctx, arg)
	if err != nil {
		return trust.Anchor{}, err
	}
	s, err := o.seen(p)
	if err != nil {
		return trust.Anchor{}, err
	}
	if err := writePresented(o.c.ErrOrStderr(), p, s); err != nil {
		return trust.Anchor{}, err
	}
	o.talkf("\n")
	return trust.AnchorOf(p.Raw)
}

// anchorIn finds the root in a file. What is in a .p7b or in another form of an authority's answer is taken out of it; a PFX is not
// opened.
func anchorIn(path string) (trust.Anchor, error) {
	a, err := trust.ReadAnchor(path)
	if err == nil {
		return a, nil
	}
	content, badContent := pki.Inspect(path, nil)
	if content.Kind == "PFX" {
		return a, problem.New(problem.Plain(path)+" is a PFX").Because("it holds a private key, and trust needs the certificate of the root alone").
			Try("name the file with the root: npsetup cert bundle and the set-up write it as NAME.root.cer", "or export the root without a private key, as DER or Base64 (.cer)").Of(problem.Usage)
	}
	if badContent != nil || content.Key != nil {
		return a, err
	}
	var certs []*x509.Certificate
	for _, c := range content.Certificates {
		x, bad := x509.ParseCertificate(c.X509.Raw) // what only client/pki reads, the stores would not
		if bad != nil {
			return a, err
		}
		certs = append(certs, x)
	}
	if len(certs) == 0 { // a request
		return a, err
	}
	return trust.AnchorAmong(path, certs)
}

// toRemove is nil when the store has nothing by that thumbprint. A file with that name comes first.
func (o *trustOptions) toRemove(ctx context.Context, arg string) (*x509.Certificate, error) {
	digits, is := trust.Thumbprint(arg)
	if is && !isURL(arg) && !exists(arg) {
		store, err := trust.OpenStore(o.app.machine)
		if err != nil {
			return nil, err
		}
		return store.ByThumbprint(ctx, digits)
	}
	if !isURL(arg) && !exists(arg) {
		return nil, problem.New(problem.Plain(arg)+" is no URL, no file that is there, and no thumbprint").
			Because("a thumbprint is a SHA-1 with 40 hex digits, as Windows shows it, or a SHA-256 with 64; blanks and colons between them do not count").
			Try("npsetup trust install printed the thumbprint; the same FILE or URL does as well", "npsetup trust remove --dry-run FILE shows what would go").Of(problem.Usage)
	}
	a, err := o.anchor(ctx, arg)
	return a.X509, err
}

func (o *trustOptions) storeJob(c *x509.Certificate) (*storeJob, error) {
	store, err := trust.OpenStore(o.app.machine)
	if err != nil {
		return nil, err
	}
	state, err := o.safeState()
	if err != nil {
		return nil, err
	}
	j := &storeJob{trustOptions: o, store: store, cert: c, about: trust.Describe(c)}
	// Beside the runs of guides, which resume and verify look through.
	j.journal, err = run.Open(filepath.Join(state, "machine"), run.ID{Server: store.Name(), Guide: "trust", Application: j.about.SHA256}, o.app.now)
	if err != nil {
		return nil, err
	}
	for _, e := range j.journal.Lost() {
		j.begun = j.begun || e.Effect == plan.Delete.String()
	}
	return j, nil
}

func (j *storeJob) close() { _ = j.journal.Close() } // releases a lock; what matters is synced already

// run shows the plan, asks, carries out, and tells.
func (j *storeJob) run(ctx context.Context, want, arg string) error {
	if err := isSHA(want, j.about); err != nil {
		return err
	}
	p, err := j.draft(ctx)
	if err != nil {
		return err
	}
	pending := len(p.Pending()) > 0
	if j.dryRun {
		return j.printPlan(p)
	}
	j.talkf("%s", p.Text(plan.TextOptions{}))
	if pending {
		if err := j.store.Allowed(j.again(j.sameArgs(arg)...)); err != nil {
			return err
		}
		if err := j.agree(ctx); err != nil {
			return err
		}
	}
	if pending || len(j.journal.Lost()) > 0 { // what an earlier run left open is concluded by this look
		if err := j.begin(p); err != nil {
			return err
		}
		return j.carryOut(ctx, p)
	}
	return j.report(steps.Unchanged, j.is)
}

// sameArgs repeats what was asked for, bound to this very certificate.
func (j *storeJob) sameArgs(arg string) []string {
	if !isURL(arg) && exists(arg) {
		arg = absolute(arg)
	}
	args := []string{arg, "--sha256", j.about.SHA256}
	if j.yes {
		args = append(args, "--yes")
	}
	if j.notOurs {
		args = append(args, "--not-ours")
	}
	return args
}

func (j *storeJob) agree(ctx context.Context) error {
	if j.yes {
		return nil
	}
	question := "Take it out?"
	if !j.remove {
		question = "Did you compare the SHA-256 on the server itself, and shall this machine trust it?"
	}
	ok, err := j.app.confirm(ctx, j.c.ErrOrStderr(), question)
	if err == nil && !ok {
		err = problem.New("stopped before any change").Of(problem.Cancelled)
	}
	return err
}

func (j *storeJob) begin(p plan.Plan) error {
	return j.journal.Begin(run.Start{Guide: p.Guide, Server: j.store.Name(), Application: j.about.SHA256, Answers: map[string]string{}, Command: "npsetup trust"})
}

func (j *storeJob) printPlan(p plan.Plan) error {
	if j.format == "json" {
		raw, err := p.Document()
		if err != nil {
			return err
		}
		if _, err := j.c.OutOrStdout().Write(raw); err != nil {
			return err
		}
	} else if _, err := fmt.Fprint(j.c.OutOrStdout(), p.Text(plan.TextOptions{})); err != nil {
		return err
	}
	switch {
	case len(p.Pending()) == 0:
		j.talkf("dry run: nothing was changed, and without --dry-run nothing would be\n")
	case j.remove:
		j.talkf("dry run: nothing was changed; without --dry-run this machine would no longer trust %s\n", j.about.Subject)
	default:
		j.talkf("dry run: nothing was changed; without --dry-run this machine would trust %s\n", j.about.Subject)
	}
	return ending(planCode(p))
}

// report is one line, as that of a guide's step.
func (j *storeJob) report(o steps.Outcome, is trust.Standing) error {
	return (&job{options: j.options, c: j.c}).report([]run.Line{{Step: trustStep, Outcome: o.String(), Proof: j.proof(is)}})
}

// proof is what is seen after the change.
func (j *storeJob) proof(is trust.Standing) string {
	who := j.about.Subject + " (SHA-256 " + j.about.SHA256 + ")"
	switch {
	case !j.remove && is.Trusted:
		return "read back: this machine trusts " + who
	case j.remove && !is.Trusted:
		return "read back: this machine does not trust " + who
	case j.remove && is.Ours:
		return "read back: this machine still trusts " + who
	case j.remove:
		return "read back: what npsetup put in is out, and this machine still trusts " + who + ": it is also held by " + is.Holder
	}
	return "read back: this machine does not trust " + who + " yet"
}
