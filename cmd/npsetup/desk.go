package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// desk does for a face what the commands do for a script: it looks, plans, applies and keeps.
type desk struct {
	o     *options
	c     *cobra.Command
	link  *link
	state string
	start []started // answers of files, offered first

	turn     sync.Mutex // one piece of work at a time: one that was given up may not have ended yet
	mu       sync.Mutex
	sight    *steps.Sight
	held     map[string]secret.Secret
	typedFor string                   // to whom what is held goes
	m        steps.Machine            // the last one that was worked with
	did      map[string]steps.Outcome // what earlier runs of this sitting came to, by step
	back     []undone                 // what earlier runs of this sitting have taken back
	undoes   bool                     // the run is taken back
	words    map[string][]string      // of a taking back: run.Undone.Words
	told     map[string]word          // what was said to be done by hand, by step
	hold     *run.Hold                // of the run that is worked on; nil: none
	holdsOf  run.ID
}

var _ face.Work = (*desk)(nil)

// newDesk is a desk that no face sits at yet; start are answers to begin with, at most one for each guide.
func newDesk(o *options, start []started) (*desk, error) {
	where := o.writableState
	if o.dryRun {
		where = o.safeState
	}
	state, err := where()
	return &desk{o: o, state: state, start: start, held: map[string]secret.Secret{}}, err
}

// meet joins a desk with its face: asks is asked for what was not typed into a field, talk is told what is said.
func (d *desk) meet(ctx context.Context, asks asker, talk io.Writer) {
	app := *d.o.app
	app.terminal, app.face = true, typedFirst{d, asks}
	d.link = &link{app: &app, talk: talk, dry: d.o.dryRun, state: d.state, life: ctx}
	d.c = &cobra.Command{}
	d.c.SetContext(ctx)
	d.c.SetOut(talk)
	d.c.SetErr(talk)
}

// lone waits for the turn, and gives back how to end it.
func (d *desk) lone() func() {
	d.turn.Lock()
	return d.turn.Unlock
}

// Offers implements face.Work.
func (d *desk) Offers() ([]face.Offer, error) {
	defer d.lone()()
	d.letGo() // on the first page nothing is worked on
	records, err := run.List(d.state)
	if err != nil {
		return nil, err
	}
	var list, underWay []face.Offer // a taking back that was begun comes first
	for _, g := range d.link.guides() {
		if s, is := d.startOf(g.ID); is {
			list = append(list, face.Offer{Guide: g.ID, Title: "Go through the answers of " + filepath.Base(s.file), Detail: g.Title, Continue: "file"})
		}
		if _, err := os.Stat(d.savedPath(g.ID)); err == nil {
			list = append(list, face.Offer{Guide: g.ID, Title: "Continue where you were", Detail: g.Title, Continue: "saved"})
		}
		for _, r := range records {
			if r.Guide != g.ID {
				continue
			}
			detail := r.Application + " on " + r.Server + ", since " + r.Started.Format("2006-01-02 15:04")
			if r.Open {
				list = append(list, face.Offer{Guide: g.ID, Title: goingOn(r), Detail: detail, Continue: recordKey(r)})
			}
			list = append(list, face.Offer{Guide: g.ID, Title: "Verify a set-up", Detail: detail, Continue: recordKey(r), Verify: true})
			if d.undoable(r) {
				back := face.Offer{Guide: g.ID, Title: "Take back what was set up", Detail: detail, Continue: recordKey(r), Undo: true}
				if r.Undoing {
					underWay = append(underWay, back)
				} else {
					list = append(list, back)
				}
			}
		}
		list = append(list, face.Offer{Guide: g.ID, Title: "Set up: " + g.Title})
	}
	list = append(underWay, list...)                                                              // what was begun last is gone on with
	slices.SortStableFunc(list, func(a, b face.Offer) int { return fileFirst(a) - fileFirst(b) }) // the first one is marked
	return list, nil
}

// goingOn names what going through the answers of a run is.
func goingOn(r run.Record) string {
	switch {
	case r.Undoing:
		return "Set up again what is being taken back"
	case r.Complete:
		return "Change a set-up that is complete"
	}
	return "Continue a run"
}

func recordKey(r run.Record) string { return "run\x00" + r.Server + "\x00" + r.Application }

// Begin implements face.Work.
func (d *desk) Begin(o face.Offer) (steps.Machine, error) {
	defer d.lone()()
	g, ok := d.link.guide(o.Guide)
	if !ok {
		return steps.Machine{}, problem.New("there is no guide " + problem.Plain(o.Guide))
	}
	d.mu.Lock()
	d.sight, d.did, d.back = steps.NewSight(g, d.memory), map[string]steps.Outcome{}, nil
	d.undoes, d.words, d.told = o.Undo, nil, map[string]word{}
	d.mu.Unlock()
	if dry := o.DryRun || d.o.dryRun; dry != d.link.dry {
		d.link.dry, d.link.client = dry, nil // its gate is another one
	}
	m, err := d.opened(g, o)
	if err != nil {
		return m, err
	}
	d.forgetHeld(m)
	if o.Verify {
		return m, nil
	}
	return m, d.goOn(m)
}

// opened gives the machine of an offer.
func (d *desk) opened(g steps.Guide, o face.Offer) (steps.Machine, error) {
	here, err := os.Getwd()
	if err != nil {
		here = ""
	}
	switch {
	case o.Continue == "file":
		s, _ := d.startOf(g.ID)
		return steps.NewMachine(g, s.Answers.Drafts(), s.Answers.Dir()), nil
	case o.Continue == "saved":
		raw, err := os.ReadFile(d.savedPath(g.ID))
		if err != nil {
			return steps.Machine{}, problem.New("the kept answers cannot be read").Because(problem.Plain(err.Error())).Try("begin anew")
		}
		return steps.LoadMachine(g, raw, here)
	case o.Continue == "":
		return steps.NewMachine(g, nil, here), nil
	}
	records, err := run.List(d.state)
	if err != nil {
		return steps.Machine{}, err
	}
	for _, r := range records {
		if r.Guide == g.ID && recordKey(r) == o.Continue {
			return steps.NewMachine(g, r.Answers, r.AnswersDir), nil
		}
	}
	return steps.Machine{}, problem.New("the run is no longer there").Try("begin anew")
}

// memory is what earlier runs for these answers left behind. What cannot be read shows itself when the run begins.
func (d *desk) memory() steps.Memory {
	d.mu.Lock()
	m := d.m
	d.mu.Unlock()
	store, err := d.store(m)
	if err != nil {
		return steps.Memory{}
	}
	return store.Memory()
}

func (d *desk) store(m steps.Machine) (*run.Dir, error) {
	return run.Open(d.state, runOf(m), d.o.app.now)
}

func (d *desk) at(m steps.Machine) *steps.Sight {
	d.mu.Lock()
	defer d.mu.Unlock()
	if was := d.m.Answers().Text("nps.url"); was != "" && was != m.Answers().Text("nps.url") {
		clear(d.held) // it was typed for another server
	}
	d.m, d.typedFor = m, receivers(m)
	if d.sight == nil {
		d.sight = steps.NewSight(m.Guide(), d.memory)
	}
	return d.sight
}

// Look implements face.Work.
func (d *desk) Look(ctx context.Context, m steps.Machine, step string) steps.Seen {
	defer d.lone()()
	seen := d.at(m).Look(ctx, m.Answers(), step)
	seen.Err = d.signedOut(m, seen.Err)
	return seen
}

// signedOut lets the next look sign in anew when the server has refused what this one was signed in with.
func (d *desk) signedOut(m steps.Machine, err error) error {
	if problem.Is(err, problem.Refused) || problem.Is(err, problem.SignInAgain) {
		d.link.identity = nil
		d.at(m).Forget()
	}
	return err
}

// Choices implements face.Work.
func (d *desk) Choices(ctx context.Context, m steps.Machine, f steps.Field) ([]steps.Option, error) {
	defer d.lone()()
	return d.at(m).Choices(ctx, m.Answers(), f, "")
}

// Fetch implements face.Work.
func (d *desk) Fetch(ctx context.Context, m steps.Machine, v plan.Labeled) (secret.Secret, error) {
	defer d.lone()()
	if len(v.Fetch.Refs()) > 0 {
		return secret.Secret{}, problem.New("the " + problem.Plain(v.Label) + " is not there yet").Because("what it belongs to has not been made").Try("carry the plan out first")
	}
	j, err := d.job(m)
	if err != nil {
		return secret.Secret{}, err
	}
	if d.link.client == nil {
		return secret.Secret{}, problem.New("nobody is signed in to NPS").Try("go back to the sign-in")
	}
	key, err := j.revealed(ctx, *v.Fetch)
	if err == nil && key.Empty() {
		err = problem.New("there is no " + problem.Plain(v.Label) + " yet").Because("NPS has made none").Try(j.guided("npsetup key --to FILE makes one, after asking"))
	}
	return key, err
}

// Plan implements face.Work.
func (d *desk) Plan(ctx context.Context, m steps.Machine, leftOut []string) (plan.Plan, error) {
	defer d.lone()()
	if err := d.goOn(m); err != nil {
		return plan.Plan{}, err
	}
	a := m.Answers()
	var l problem.List
	for _, f := range a.Check(m.Guide()) {
		l.Add(problem.New("an answer is missing or not valid").Because(f.Why).At(f.Key))
	}
	if err := l.Err(); err != nil {
		return plan.Plan{}, err
	}
	store, err := d.store(m)
	if err != nil {
		return plan.Plan{}, err
	}
	if err := face.NewUnaccepted(a, m.Risks(store.Memory())); err != nil {
		return plan.Plan{}, err
	}
	p, err := d.at(m).Draft(ctx, a, a.Text(m.Guide().Identity))
	if err != nil {
		return p, d.signedOut(m, err)
	}
	for _, s := range store.OpenSessions() {
		p.Warnings = append(p.Warnings, mayBeOpen(s))
	}
	if len(leftOut) > 0 {
		p, err = without(p, leftOut)
	}
	if err == nil { // what was done already may have to be done again
		err = face.NewUnaccepted(a, steps.Taken(m.Guide(), a, p))
	}
	return p, err
}

// without leaves steps out of a plan, unless others rest on them.
func without(p plan.Plan, out []string) (plan.Plan, error) {
	kept := make([]plan.Action, 0, len(p.Actions))
	for _, a := range p.Actions {
		if !slices.Contains(out, a.Step) {
			kept = append(kept, a)
		}
	}
	p.Actions = kept
	if err := p.Check(); err != nil {
		return p, problem.New("the failed step cannot be left out").Because(problem.Plain(err.Error())).Try("mend what made it fail, then look again; or change an answer")
	}
	p.Warnings = append(p.Warnings, "left out, as you wished: "+strings.Join(out, ", "))
	return p, nil
}

// job is a job over the desk's link, for these answers.
func (d *desk) job(m steps.Machine) (*job, error) {
	j := &job{options: d.o, c: d.c, link: d.link, guide: m.Guide(), answers: m.Answers()}
	err := j.open()
	if err == nil {
		j.store.Under(d.hold)
	}
	return j, err
}

// Apply implements face.Work.
func (d *desk) Apply(ctx context.Context, m steps.Machine, p plan.Plan, done []string, sink run.Sink) (run.Report, run.Result, error) {
	defer d.lone()()
	if err := d.holds(runOf(m)); err != nil {
		return run.Report{}, run.Result{}, err
	}
	j, err := d.job(m)
	if err != nil {
		return run.Report{}, run.Result{}, err
	}
	defer j.close()
	if d.link.client == nil {
		return run.Report{}, run.Result{}, problem.New("nobody is signed in to NPS").Try("go back to the sign-in")
	}
	if err := j.endOpen(ctx, sink); err != nil {
		return run.Report{}, run.Result{}, d.signedOut(m, err)
	}
	j.clearLeft(ctx)
	now, err := d.at(m).Draft(ctx, m.Answers(), j.identity())
	if err == nil {
		err = stillSo(p, now)
	}
	if err == nil {
		err = j.begin(p, run.SetUp)
	}
	if err != nil {
		return run.Report{}, run.Result{}, err
	}
	result, err := j.carryOut(ctx, p, doneSet(done), sink)
	if err != nil {
		return run.Report{}, result, err
	}
	d.at(m).Forget()
	d.joined(&result)
	report, lookErr := j.prove(ctx, result)
	if lookErr == nil && report.Count(steps.Waiting)+report.Count(steps.Failed)+report.Count(steps.NotRun) == 0 {
		_ = os.Remove(d.savedPath(m.Guide().ID)) // the run record has it all
		d.letGo()
	}
	return report, result, d.signedOut(m, lookErr)
}

// joined lets the report tell what the whole sitting did, and not only its last run.
func (d *desk) joined(result *run.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for step, was := range d.did {
		if now := result.ByStep[step]; now == nil || *now == steps.Unchanged {
			result.ByStep[step] = &was
		}
	}
	for step, o := range result.ByStep {
		if *o == steps.Done || *o == steps.Adopted {
			d.did[step] = *o
		}
	}
}

// Verify implements face.Work.
func (d *desk) Verify(ctx context.Context, m steps.Machine) (run.Report, error) {
	defer d.lone()()
	d.at(m).Forget()
	j, err := d.job(m)
	if err != nil {
		return run.Report{}, err
	}
	defer j.close()
	if err := j.endOpen(ctx, nil); err != nil {
		return run.Report{}, d.signedOut(m, err)
	}
	read := *j.options
	read.reads = true
	j.options = &read
	proofs, err := j.proofs(ctx)
	return run.ReportOf(proofs, run.Result{}), err
}
