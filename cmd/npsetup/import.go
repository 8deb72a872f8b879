package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// importOptions are what import is told besides the sign-in.
type importOptions struct {
	guide, out string
	signIn     map[string]*string // answer key → flag
	names      map[string]*string // flag of a guide → value
}

func newImport(shared *options) *cobra.Command {
	o := *shared
	i := importOptions{signIn: map[string]*string{}, names: map[string]*string{}}
	c := &cobra.Command{
		Use: "import --url URL --user USER --out FILE", Short: "Read an integration that somebody set up by hand, and write the answers file that describes it", Args: cobra.NoArgs,
		Long: "import signs in, reads, changes nothing on the server, and writes a new answers file. What differs from the guide, and what could not be read, stands in it as comments; npsetup verify -f FILE then tells what differs. When several objects fit, it lists them and asks for the flag that names the one that is meant. Secrets are written as references, never as values.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if err := o.checkFormat(); err != nil {
				return err
			}
			return runImport(c.Context(), c, &o, i)
		},
	}
	o.answerFlags(c)
	o.formatFlag(c)
	c.Flags().StringVar(&i.guide, "guide", "auditor", "`GUIDE` whose set-up is read")
	c.Flags().StringVar(&i.out, "out", "", "write the answers to the new `FILE`")
	for _, f := range [][3]string{
		{"url", "nps.url", "`URL` of the NPS server"},
		{"trust", "nps.trust", "trust its certificate by `TRUST`: system, ca:FILE or pin:sha256:HEX"},
		{"user", "nps.signIn.user", "sign in as `USER`"},
		{"password", "nps.signIn.password", "`REFERENCE` of the password: env:NAME, file:PATH, keyring:NAME or prompt"},
		{"mfa", "nps.signIn.mfa", "`MFA`: prompt, totp:REFERENCE, push:WORD or none"},
	} {
		i.signIn[f[1]] = c.Flags().String(f[0], "", f[2])
	}
	for _, g := range (&link{app: &app{}}).guides() {
		if g.Import == nil {
			continue
		}
		for _, f := range g.Import.Flags {
			if i.names[f.Name] == nil {
				i.names[f.Name] = c.Flags().String(f.Name, "", "`"+f.Value+"`: "+f.Help)
			}
		}
	}
	return c
}

func runImport(ctx context.Context, c *cobra.Command, o *options, i importOptions) error {
	if i.out == "" {
		return problem.New("it is not said where the answers go").Try("--out FILE writes them to a new file").Of(problem.Usage)
	}
	if _, err := os.Lstat(i.out); !errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.Plain(i.out) + " exists already and is left as it is").Try("name a file that does not exist yet: --out FILE").Of(problem.Usage)
	}
	j, err := importJob(c, o, i)
	if err != nil {
		return err
	}
	if err := o.app.checkSources(j.answers, j.guide, o.needs(j.answers)); err != nil {
		return err
	}
	j.scene = steps.NewScene(j.answers, steps.Memory{})
	var l problem.List
	for _, seen := range steps.Inspect(ctx, signInOf(j.guide), j.scene, "") {
		l.Add(seen.Err)
	}
	if err := l.Err(); err != nil {
		return err
	}
	in, err := j.guide.Import.Read(ctx, j.scene, i.named(j.guide.Import, j.answers.Dir()))
	if err != nil {
		return err
	}
	j.describe(&in)
	differs := j.differences(ctx, &in)
	if err := j.writeImported(i.out, in, differs); err != nil {
		return err
	}
	return j.tellImported(i.out, in, differs)
}

// named gives the values of a guide's flags. A path is named from where the command is run, and in answers from their own folder.
func (i importOptions) named(by *steps.Importer, dir string) func(string) string {
	return func(flag string) string {
		v := ""
		for _, f := range by.Flags {
			if f.Name != flag {
				continue
			}
			if v = strings.TrimSpace(*i.names[flag]); v == "" || !f.File || strings.HasPrefix(v, "store:") {
				return v
			}
			path := absolute(strings.TrimPrefix(v, "file:"))
			if within, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(within) {
				path = within
			}
			v = "file:" + path
		}
		return v
	}
}

// importJob reads what there is of answers: how to sign in.
func importJob(c *cobra.Command, o *options, i importOptions) (*job, error) {
	state, err := o.safeState()
	if err != nil {
		return nil, err
	}
	o.begun, o.dryRun = true, true
	j := &job{options: o, c: c, link: &link{app: o.app, talk: c.ErrOrStderr(), dry: true, state: state, life: c.Context()}}
	overrides, err := j.overrides()
	if err != nil {
		return nil, err
	}
	for key, v := range i.signIn {
		if *v != "" {
			overrides.Set[key] = *v
		}
	}
	g, ok := j.link.guide(i.guide)
	if !ok || g.Import == nil {
		return nil, problem.New("the guide "+problem.Plain(i.guide)+" has nothing that reads a set-up").Try("--guide auditor", "--guide password-secure").Of(problem.Usage)
	}
	drafts := map[string]string{}
	dir, _ := os.Getwd() // without it, relative paths stay as they are
	if o.file != "" {
		file, err := j.fromFile(overrides)
		if err != nil {
			return nil, err
		}
		dir = file.Answers.Dir()
		for key, draft := range file.Answers.Drafts() { // of a file, only how to sign in and what nobody can read: the rest is read
			if strings.HasPrefix(key, "nps.") || slices.Contains(g.Import.Given, key) {
				drafts[key] = draft
			}
		}
	}
	parsed, err := steps.FromDrafts(g, "import", drafts, dir, overrides)
	if err != nil {
		return nil, err
	}
	j.guide, j.answers = g, parsed.Answers.Anchored(filepath.Dir(absolute(i.out)))
	if !j.answers.Has("nps.signIn.password") && !j.answers.Has("nps.signIn.token") {
		j.answers = j.answers.With("nps.signIn.password", "prompt")
	}
	var l problem.List
	for _, f := range j.answers.Check(signInOf(g)) {
		l.Add(problem.New(f.Why).At(f.Key).Try("--set "+f.Key+"=VALUE, or the environment variable "+steps.EnvName(f.Key), f.Try).Of(problem.Usage))
	}
	return j, l.Err()
}

// describe makes answers of what was read, with what was told on the command line over it. A risk that the set-up takes is in force
// already.
func (j *job) describe(in *steps.Imported) {
	a := j.answers
	for key, draft := range in.Drafts {
		if a.Has(key) {
			delete(in.Notes, key) // they are about what was read
			continue
		}
		a = a.With(key, draft)
	}
	for _, r := range j.guide.Risks {
		if why, rests := in.Resting[r.Name]; rests && r.When(a) {
			in.Leave("the risk " + r.Name + " is not accepted here: " + why)
			continue
		}
		if r.When(a) && !a.Accepts(r.Name) {
			a = a.With(steps.RiskKey, strings.TrimSpace(a.Text(steps.RiskKey)+"\n"+r.Name))
			in.Take(steps.RiskKey, "", r.Name+": "+r.Text, "it is in force on the server already, and stands here so that the file describes it; take it out if nobody agreed to it")
		}
	}
	j.answers = a
}

// differences tells what the plan of the described set-up would change, which is what differs from the guide.
func (j *job) differences(ctx context.Context, in *steps.Imported) []string {
	faults := j.answers.Check(j.guide)
	for _, f := range faults {
		in.Leave(f.Key + ": " + f.Why)
	}
	if len(faults) > 0 {
		in.Leave("what differs from the guide was not compared, since answers are missing: npsetup verify -f FILE does, once they are there")
		return nil
	}
	j.scene = steps.NewScene(j.answers, steps.Memory{})
	stopped := false
	for _, seen := range steps.Inspect(ctx, j.guide, j.scene, "") {
		for _, p := range problem.All(seen.Err) {
			in.Leave(p.Error() + " (code: " + string(p.Named()) + ")")
		}
		stopped = stopped || seen.Err != nil
	}
	if stopped {
		in.Leave("what differs from the guide was not compared: npsetup verify -f FILE does, once that is mended")
		return nil
	}
	p, err := steps.Draft(j.guide, j.scene, j.identity())
	if err != nil {
		in.Leave(err.Error())
		return nil
	}
	differs, unseen := differing(p)
	if len(differs) == 0 { // else a person has to do it again after the change, whatever was seen
		for _, step := range unseen {
			in.Leave("nothing shows that the step " + step + " was done by hand; if it was, say so with --done " + step)
		}
	}
	return differs
}

// differing lists what a plan would change, and the steps by hand of which nothing shows that they were done.
func differing(p plan.Plan) (differs, unseen []string) {
	for _, a := range p.Actions {
		if !a.Changing() {
			continue
		}
		if a.Effect == plan.ByHand && len(a.Difference) == 0 {
			unseen = append(unseen, a.Step)
			continue
		}
		name := fmt.Sprintf("%s %q", a.Object, a.Name)
		for _, d := range a.Difference {
			if d.From != "" {
				differs = append(differs, fmt.Sprintf("%s: %s is %s, the guide wants %s", name, d.Label, d.From, d.To))
			}
		}
		if len(a.Difference) == 0 || a.Difference[0].From == "" {
			differs = append(differs, name+" is not there as the guide wants it")
		}
	}
	return differs, unseen
}

func (j *job) writeImported(path string, in steps.Imported, differs []string) error {
	top := []string{"what npsetup import read at " + j.answers.Text("nps.url") + " on " + j.app.now().UTC().Format("2006-01-02") + "; npsetup verify -f FILE compares it with the guide"}
	for _, d := range differs {
		top = append(top, "differs: "+d)
	}
	for _, open := range in.Open {
		top = append(top, "open: "+open)
	}
	if err := run.Create(path, steps.WriteNotedAnswers(j.guide, j.answers, top, in.Notes), 0o600); err != nil {
		return problem.New("the answers were not written to "+problem.Plain(path)).Unwritten(err, elsewhere+": --out FILE")
	}
	return nil
}

func (j *job) tellImported(path string, in steps.Imported, differs []string) error {
	if j.format == "json" {
		list := func(l []string) []string { return append([]string{}, l...) }
		return asJSON(j.out(), map[string]any{"file": path, "found": list(in.Found), "differs": list(differs), "open": list(in.Open)})
	}
	var b strings.Builder
	for _, part := range []struct {
		word  string
		lines []string
	}{{"found", in.Found}, {"differs", differs}, {"open", in.Open}} {
		for _, l := range part.lines {
			fmt.Fprintf(&b, "%-8s %s\n", part.word, problem.Plain(l))
		}
	}
	if _, err := fmt.Fprintf(j.out(), "%swritten to %s\n", b.String(), problem.Plain(path)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(j.talk(), "look it through, then npsetup verify -f %s\n", problem.Plain(path))
	return err
}
