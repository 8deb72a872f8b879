package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// options are the flags that several commands share.
type options struct {
	app       *app
	state     string
	file      string
	set       []string
	accept    []string
	yes       bool
	done      []string
	dryRun    bool
	output    string
	format    string // text, json; for a plan also markdown, curl
	approve   string
	plan      string
	calls     bool
	riskNames []string // risks that this command alone knows
	repeated  []string // flags of this command alone that the same look takes again
	begun     bool     // answers may be missing: a wizard asks for them
	carries   bool     // what is planned may be carried out; verify and plan only look
	reads     bool     // nothing but a proof is wanted: what it can do without stops nothing
	looks     bool     // nothing is carried out: what only pages by hand show may be missing
	resumes   bool     // a run is continued, and not set up anew
	plans     bool     // the guide's changes are planned: their risks are to be accepted
}

func (o *options) answerFlags(c *cobra.Command) {
	c.Flags().StringVarP(&o.file, "file", "f", "", "answers file")
	c.Flags().StringArrayVar(&o.set, "set", nil, "answer `KEY=VALUE`, over the file; may be repeated")
	c.Flags().StringSliceVar(&o.accept, "accept-risk", nil, "accept the named risk `NAME`; may be repeated")
}

// formatFlag adds --output, with the formats that a command has besides text and json.
func (o *options) formatFlag(c *cobra.Command, more ...string) {
	c.Flags().StringVar(&o.format, "output", "text", "`FORMAT`: "+strings.Join(formats(more), ", "))
}

func formats(more []string) []string { return append([]string{"text", "json"}, more...) }

func (o *options) runFlags(c *cobra.Command) {
	c.Flags().BoolVar(&o.yes, "yes", false, "carry the shown plan out without asking")
	c.Flags().StringSliceVar(&o.done, "done", nil, "manual `STEP`s that were done, with commas between them")
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "read only, and end with the plan")
}

func (o *options) checkFormat(more ...string) error {
	if known := formats(more); !slices.Contains(known, o.format) {
		return problem.New("--output " + problem.Plain(o.format) + " is not known").Try("give one of --output " + strings.Join(known, ", --output ")).Of(problem.Usage)
	}
	return nil
}

// job is one walk through a guide: answers, connection, record.
type job struct {
	*options
	c       *cobra.Command
	link    *link
	guide   steps.Guide
	answers steps.Answers
	store   *run.Dir
	scene   *steps.Scene
	words   map[string][]string // of an undo: run.Undone.Words
}

func (j *job) out() io.Writer  { return j.c.OutOrStdout() }
func (j *job) talk() io.Writer { return j.c.ErrOrStderr() }

func (j *job) identity() string { return j.answers.Text(j.guide.Identity) }

// newJob reads the answers and opens the record. Nothing is sent.
func newJob(c *cobra.Command, o *options) (*job, error) {
	j, err := offline(c, o)
	if err != nil {
		return nil, err
	}
	if err := o.app.checkSources(j.answers, j.guide, o.needs(j.answers)); err != nil {
		return nil, err
	}
	return j, j.open()
}

// needs says which secrets have to be at hand from the start.
func (o *options) needs(a steps.Answers) func(key string, r secret.Reference) bool {
	return func(key string, r secret.Reference) bool {
		switch key {
		case passphraseKey:
			return o.carries && passphraseNeeded(a, r)
		case sshPasswordKey:
			return !o.reads
		}
		return true
	}
}

// offline reads the answers: from the file, from a saved plan, or from the one open run.
func offline(c *cobra.Command, o *options) (*job, error) {
	where := o.safeState
	if o.carries {
		where = o.writableState
	}
	state, err := where()
	if err != nil {
		return nil, err
	}
	j := &job{options: o, c: c, link: &link{app: o.app, talk: c.ErrOrStderr(), dry: o.dryRun, yes: o.yes || o.approve != "", state: state, life: c.Context()}}
	o.app.guided = j.guided
	overrides, err := j.overrides()
	if err != nil {
		return nil, err
	}
	var parsed steps.Parsed
	switch {
	case o.plan != "":
		parsed, err = j.fromPlan(overrides)
	case o.file != "":
		parsed, err = j.fromFile(overrides)
	default:
		parsed, err = j.fromRecord(state, overrides)
	}
	if err != nil {
		return nil, err
	}
	for _, said := range parsed.Said {
		_, _ = fmt.Fprintln(c.ErrOrStderr(), problem.Plain(said))
	}
	j.guide, j.answers = parsed.Guide, parsed.Answers
	return j, j.checkDone()
}

func (j *job) overrides() (steps.Overrides, error) {
	set := map[string]string{}
	for _, s := range j.set {
		key, value, found := strings.Cut(s, "=")
		if !found || key == "" {
			return steps.Overrides{}, problem.New("--set wants KEY=VALUE").Try("for example --set nps.url=https://nps.contoso.com:6500/").Of(problem.Usage)
		}
		set[key] = value
	}
	return steps.Overrides{Set: set, Env: j.app.env, Accept: j.accept, Others: j.riskNames, Begun: j.begun, Looks: j.looks, Waive: j.waives}, nil
}

// waives says whether the answers may lack a consent: where nothing of that kind is planned, and where the run's record tells that
// it was done already. What a plan would do again it asks for itself (draft).
func (j *job) waives(g steps.Guide, a steps.Answers, r steps.Risk) bool {
	switch {
	case r.Had == nil:
		return false
	case !j.plans:
		return true
	}
	d, err := run.Open(j.link.state, run.ID{Server: a.Text("nps.url"), Guide: g.ID, Application: a.Text(g.Identity)}, j.app.now)
	return err == nil && r.Had(a, d.Memory())
}

func (j *job) fromFile(o steps.Overrides) (steps.Parsed, error) {
	raw, err := readLimited(j.file)
	if err != nil {
		return steps.Parsed{}, problem.New("the answers file " + problem.Plain(j.file) + " cannot be read").Because(problem.Plain(err.Error())).Try("name it with -f FILE").Of(problem.Usage)
	}
	return steps.ReadAnswers(j.link.guide, j.file, raw, o)
}

// answersLimit is the largest file of answers or plan that is read.
const answersLimit = 16 << 20

func readLimited(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, answersLimit+1))
	if len(raw) > answersLimit {
		return nil, fmt.Errorf("it is larger than %d MiB", answersLimit>>20)
	}
	return raw, err
}

// fromDrafts takes answers that were checked when they were saved, and checks them again: flags may have changed them.
func (j *job) fromDrafts(guide string, drafts map[string]string, dir, where string, o steps.Overrides) (steps.Parsed, error) {
	g, ok := j.link.guide(guide)
	if !ok {
		return steps.Parsed{}, problem.New("there is no guide " + problem.Plain(guide)).At(where).Of(problem.Usage)
	}
	return steps.FromDrafts(g, where, drafts, dir, o)
}

func (j *job) fromPlan(o steps.Overrides) (steps.Parsed, error) {
	raw, err := readLimited(j.plan)
	if err != nil {
		return steps.Parsed{}, problem.New("the plan file " + problem.Plain(j.plan) + " cannot be read").Because(problem.Plain(err.Error())).Try("write one with npsetup plan -f ANSWERS --out FILE").Of(problem.Usage)
	}
	saved, err := plan.ReadSaved(raw)
	var newer plan.NewerPlan
	if errors.As(err, &newer) {
		return steps.Parsed{}, problem.New("the plan file " + problem.Plain(j.plan) + " is of a newer version").Coded(problem.NewerVersion).Because(newer.Error()).
			Try("use the npsetup that wrote it, or a newer one").Of(problem.Usage)
	}
	if err != nil {
		return steps.Parsed{}, problem.New("the plan file " + problem.Plain(j.plan) + " cannot be used").Because(problem.Plain(err.Error())).Try("write one with npsetup plan -f ANSWERS --out FILE").Of(problem.Usage)
	}
	if saved.Digest != saved.Claimed {
		return steps.Parsed{}, problem.New("the plan file " + problem.Plain(j.plan) + " was edited").Because("its content does not have the digest that it carries").
			Try("write it anew with npsetup plan -f ANSWERS --out FILE, and have that approved").Of(problem.Stale)
	}
	if saved.Digest != j.approve {
		return steps.Parsed{}, problem.New("the approved digest is not the plan's").Because("approved " + problem.Plain(j.approve) + ", the file has " + saved.Digest).
			Try("give --approve the digest that npsetup plan --out printed for this file").Of(problem.Usage)
	}
	return j.fromDrafts(saved.Guide, saved.Answers, saved.AnswersDir, j.plan, o)
}

func (j *job) fromRecord(state string, o steps.Overrides) (steps.Parsed, error) {
	records, err := run.List(state)
	if err != nil {
		return steps.Parsed{}, err
	}
	var open []run.Record
	var names []string
	for _, r := range records {
		if r.Open {
			open = append(open, r)
			names = append(names, r.Guide+" for "+r.Application+" on "+r.Server)
		}
	}
	switch len(open) {
	case 0:
		return steps.Parsed{}, problem.New("there are no answers").Because("no answers file was named and no run is open").Try("name the answers file with -f FILE").Of(problem.Usage)
	case 1:
		return j.fromDrafts(open[0].Guide, open[0].Answers, open[0].AnswersDir, "the open run", o)
	}
	return steps.Parsed{}, problem.New(fmt.Sprintf("%d runs are open", len(open))).Because(problem.Plain(strings.Join(names, "; "))).Try("name the answers file of the one that is meant with -f FILE").Of(problem.Usage)
}

// checkDone refuses --done for steps that nobody does by hand.
func (j *job) checkDone() error {
	for _, id := range j.done {
		if s, ok := j.guide.Step(id); ok && s.Plan != nil {
			continue
		}
		var ids []string
		for _, s := range j.guide.Applying(j.answers) {
			if s.Plan != nil {
				ids = append(ids, s.ID)
			}
		}
		return problem.New("--done names no step that is done by hand: " + problem.Plain(id)).Try("npsetup plan shows which steps are; at most they are " + strings.Join(ids, ", ")).Of(problem.Usage)
	}
	return nil
}

// answersFile is what -f names, for a command to type.
func (j *job) answersFile() string {
	if j.file == "" {
		return "FILE"
	}
	return plan.ShellWord(j.file)
}

func (j *job) open() error {
	var err error
	j.store, err = run.Open(j.link.state, run.ID{Server: j.answers.Text("nps.url"), Guide: j.guide.ID, Application: j.identity()}, j.app.now)
	if err == nil {
		tellTorn(j.talk(), j.store)
	}
	return err
}

// tellTorn says what a kill or a power cut has left of a journal's end.
func tellTorn(w io.Writer, d *run.Dir) {
	if said := d.Torn(); said != "" {
		_, _ = fmt.Fprintln(w, "note: "+said)
	}
}

func (j *job) close() {
	if j.store != nil {
		_ = j.store.Close() // releases a lock; what matters is synced already
	}
}

// survey looks at everything. Problems come back together.
func (j *job) survey(ctx context.Context) error {
	memory := steps.Memory{}
	if j.store != nil {
		memory = j.store.Memory()
	}
	memory.Reads = j.reads
	j.scene = steps.NewScene(j.answers, memory)
	return steps.Survey(ctx, j.guide, j.scene)
}

func (j *job) draft(ctx context.Context) (plan.Plan, error) {
	p, err := j.planned(ctx)
	j.tellDoubts(err == nil && j.format != "curl") // a script has no place for the warnings of its plan
	return p, err
}

func (j *job) planned(ctx context.Context) (plan.Plan, error) {
	if err := j.survey(ctx); err != nil {
		return plan.Plan{}, err
	}
	p, err := steps.Draft(j.guide, j.scene, j.identity())
	if err != nil {
		return p, err
	}
	return p, steps.Unaccepted(j.guide, j.answers, p)
}

// tellDoubts says what was seen and is no part of the plan, since it may be otherwise at the next look: clocks, DNS. What stands above the
// plan is told here only when no plan will show it.
func (j *job) tellDoubts(shown bool) {
	for _, s := range j.guide.Steps {
		for _, f := range j.scene.Findings(s.ID) {
			if f.Kind == steps.TextFinding && f.State == steps.Doubtful && !(shown && f.Warned) {
				_, _ = fmt.Fprintf(j.talk(), "note: %s: %s\n", problem.Plain(f.Title), problem.Plain(steps.Warning{Text: f.Words(), Code: cmp.Or(f.Code, problem.WarningCode)}.String()))
			}
		}
	}
}

// absolute makes a path independent of where the next command is run.
func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
