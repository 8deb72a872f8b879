// Package face holds what both faces, the full screen and the line mode, need done. It draws nothing and does nothing: the
// command line implements Work.
package face

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// Work is what a face needs done. Every method but Keep and Holds may take its time, and is not called while a screen is drawn;
// one that has a context ends with it.
type Work interface {
	// Offers lists what can be begun or continued.
	Offers() ([]Offer, error)
	// Begin gives the machine of an offer.
	Begin(Offer) (steps.Machine, error)
	// Look lets the steps look up to and with the named one.
	Look(ctx context.Context, m steps.Machine, step string) steps.Seen
	// Choices gives the live choices of a field.
	Choices(ctx context.Context, m steps.Machine, f steps.Field) ([]steps.Option, error)
	// Keep takes the secret of an answer that was typed; it is kept in memory only. An empty one forgets it.
	Keep(key string, s secret.Secret)
	// Holds says whether the secret of an answer is kept.
	Holds(key string) bool
	// Fetch brings the secret of a manual page's value, because a person asked for it.
	Fetch(ctx context.Context, m steps.Machine, v plan.Labeled) (secret.Secret, error)
	// Plan looks at everything and makes the plan, without the steps that are left out. It refuses to leave out what later
	// steps need.
	Plan(ctx context.Context, m steps.Machine, leftOut []string) (plan.Plan, error)
	// Apply carries out a plan that was shown. done names manual steps that a person has done.
	Apply(ctx context.Context, m steps.Machine, p plan.Plan, done []string, sink run.Sink) (run.Report, run.Result, error)
	// Verify reads everything back.
	Verify(ctx context.Context, m steps.Machine) (run.Report, error)
	// Unmake looks what is left of what a run has set up, and plans to take it back. While it is to be asked about others' changes and there
	// are any, it gives these and no plan.
	Unmake(ctx context.Context, m steps.Machine, c Changed) (p plan.Plan, others []string, err error)
	// TakeBack carries such a plan out. done names steps whose part a person has taken back.
	TakeBack(ctx context.Context, m steps.Machine, p plan.Plan, c Changed, done []string, sink run.Sink) (run.Report, run.Result, error)
	// Save keeps the state of the machine for another day, without secrets.
	Save(m steps.Machine) error
	// WriteAnswers writes the answers file that repeats the set-up; it never overwrites.
	WriteAnswers(m steps.Machine, path string) error
}

// Offer is one entry of the start page.
type Offer struct {
	Guide    string
	Title    string // what is set up
	Detail   string // for whom, where, since when; empty for a new one
	Continue string // opaque: names what is continued; empty for a new one
	Verify   bool   // reads back what was set up before
	Undo     bool   // takes back what was set up before
	DryRun   bool   // the person wants nothing changed: the gate holds it
}

// Changed is what becomes of what somebody else has changed since the run that is taken back.
type Changed int

// What can become of it.
const (
	AskFirst   Changed = iota
	KeepTheirs         // theirs stays
	WriteOver          // the former values are written over it
)

// Ending is how a face was left.
type Ending struct {
	Cancelled bool
	Kept      bool        // its answers are kept for the next time
	Pending   bool        // a dry run that ended with changes
	Report    *run.Report // nil: nothing was carried out or read back
	Result    run.Result
	Err       error      // what the last attempt to carry the plan out ended with, beside the result
	Plan      *plan.Plan // the plan with which a dry run ended
	Said      []string   // said once more behind the face
}

// Draft is the draft of what was typed for a field. A secret never becomes one: keep takes it, the draft says that it is
// asked for, and the secret comes back so that its arrival can be told. Several values have commas between them.
func Draft(f steps.Field, text string, keep func(key string, s secret.Secret)) (draft string, typed secret.Secret) {
	switch f.Kind {
	case steps.SecretField, steps.Code:
		if Typed(f, text) {
			typed = secret.New(text)
			keep(f.Key, typed)
			return "prompt", typed
		}
		keep(f.Key, secret.Secret{})
	case steps.Multi, steps.Consent:
		var values []string
		for _, part := range strings.Split(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				values = append(values, part)
			}
		}
		return strings.Join(values, "\n"), typed
	case steps.Text, steps.Number, steps.Switch, steps.Choice, steps.FileField, steps.Fingerprint:
	}
	return text, typed
}

// Typed says whether a text that was typed for a field is a secret itself, and no reference to one.
func Typed(f steps.Field, text string) bool {
	_, err := secret.ParseReference(text)
	return (f.Kind == steps.SecretField || f.Kind == steps.Code) && err != nil && text != ""
}

// Short says what is unwise about a new secret; empty: nothing.
func Short(f steps.Field, s secret.Secret) string {
	if f.Twice && !s.Empty() && s.Arrived() == "received" { // under 16 characters
		return "it has under 16 characters: who gets the file can try passphrases as fast as machines go"
	}
	return ""
}

// Grouped parts a fingerprint into fours, so that eyes can compare it. Other values stay as they are.
func Grouped(value string) string {
	if len(value) < 40 || strings.Trim(strings.ToLower(value), "0123456789abcdef") != "" {
		return value
	}
	var parts []string
	for chunk := range slices.Chunk([]byte(value), 4) {
		parts = append(parts, string(chunk))
	}
	return strings.Join(parts, " ")
}

// Arrived tells that a secret arrived: of a long key or token its length and end, of a password or code no more than that.
func Arrived(f steps.Field, s secret.Secret) string {
	if f.Long {
		return s.Arrived()
	}
	return "received"
}

// Sends says whether a plan changes anything by itself.
func Sends(p plan.Plan) bool {
	for _, a := range p.Actions {
		if a.Changing() && a.Effect != plan.ByHand {
			return true
		}
	}
	return false
}

// Headline says in one line how a set-up stands, and what comes next.
func Headline(r *run.Report) string {
	bad, waiting := r.Count(steps.Failed)+r.Count(steps.NotRun), r.Count(steps.Waiting)
	switch {
	case bad > 0:
		return fmt.Sprintf("%d steps are not as wanted: they are named below", bad)
	case waiting > 0:
		return fmt.Sprintf("%d steps wait for a person; npsetup continues when they are done", waiting)
	}
	return "The set-up is complete. Its proof is the next collection: it ends without health events 5801 to 5804."
}

// Taken says in one line how far a run is taken back, and what comes next.
func Taken(r *run.Report) string {
	switch {
	case r.Count(steps.Failed)+r.Count(steps.NotRun) > 0:
		return fmt.Sprintf("Not everything was taken back (left: %d). npsetup looks again and goes on.", r.Left())
	case r.Left() > 0:
		return fmt.Sprintf("What is left waits for a person (%d). When it is done, npsetup goes on.", r.Left())
	}
	return "Nothing of this run is left to take back; it is closed."
}

// Beyond adds to what could not be taken back what one plan more tells of it, once the plan was carried out: the next one no longer has it.
func Beyond(have []string, p plan.Plan, result run.Result, err error) []string {
	if err != nil && len(result.Actions) == 0 {
		return have // nothing of it was done
	}
	for _, w := range p.Warnings {
		if w = problem.Plain(w); !slices.Contains(have, w) {
			have = append(have, w)
		}
	}
	return have
}

// Hand keeps account of what a person does by hand in one sitting.
type Hand struct {
	Done   []string        // steps said to be done
	Out    []string        // steps that failed and are left out
	Later  map[string]bool // action keys that were put off
	noted  int
	await  string   // key of the action whose file was said to be there
	sought string   // the same, until another page is left
	doubts []string // steps that were said to be done, before it was looked anew
	turns  []string // steps and action keys, in the order in which they were done or put off
}

// Note says that a run has noted down what was done so far.
func (h *Hand) Note() { h.noted = len(h.Done) }

// Unnoted says whether something was done that no run has noted down yet.
func (h *Hand) Unnoted() bool { return len(h.Done) > h.noted }

// Anew forgets what was said to be done: what is still in the next plan is asked for again. What was put off stays so.
func (h *Hand) Anew() { *h = Hand{Out: h.Out, Later: h.Later, doubts: append(h.doubts, h.Done...)} }

// Doubted says whether an action was said to be done, and has to be done still.
func (h *Hand) Doubted(a plan.Action) bool { return slices.Contains(h.doubts, a.Step) }

// Back takes back the last thing that was said to be done or was put off and that no run has noted down.
func (h *Hand) Back() bool {
	if len(h.turns) == 0 {
		return false
	}
	last := h.turns[len(h.turns)-1]
	h.turns = h.turns[:len(h.turns)-1]
	if h.Later[last] {
		delete(h.Later, last)
		return true
	}
	if n := len(h.Done); n > h.noted && h.Done[n-1] == last {
		h.Done = h.Done[:n-1]
		return true
	}
	return h.Back()
}

// Do says that a step was done.
func (h *Hand) Do(step string) {
	h.Done = append(h.Done, step)
	h.turns = append(h.turns, step)
}

// Say says that an action was done.
// Nobody's word stands for a file that one awaits: it is looked for.
func (h *Hand) Say(a plan.Action) {
	if a.Awaits() == "" {
		h.Do(a.Step)
	}
	h.Look(a)
}

// Look says that it is worth looking whether the file of an action is there.
func (h *Hand) Look(a plan.Action) {
	if a.Awaits() != "" {
		h.await, h.sought = a.Key, a.Key
	}
}

// Came says, once, whether a file that was said to be there has been found, and a plan has changes that rest on it: they come
// before what is left to do by hand.
func (h *Hand) Came(p plan.Plan) bool {
	if h.await == "" {
		return false
	}
	_, waits := p.Action(h.await)
	h.await = ""
	return !waits && Sends(p)
}

// IsDone says whether a step was said to be done.
func (h *Hand) IsDone(step string) bool {
	return slices.Contains(h.Done, step)
}

// did says whether an action was done. One that awaits a file is not, as long as a plan has it: nobody's word stands for the file.
func (h *Hand) did(a plan.Action) bool { return h.IsDone(a.Step) && a.Awaits() == "" }

// Missing is the file that an action awaits and that is not there, although the person has said to have done it; or nothing.
func (h *Hand) Missing(a plan.Action) string {
	if h.sought == a.Key {
		return a.Awaits()
	}
	return ""
}

// LeaveOut leaves the steps out whose changes failed. What only waited for them is no failure of its own.
func (h *Hand) LeaveOut(r run.Result) {
	for _, a := range r.Actions {
		if a.Outcome == steps.Failed && !slices.Contains(h.Out, a.Step) {
			h.Out = append(h.Out, a.Step)
		}
	}
}

// PutOff leaves an action for later.
func (h *Hand) PutOff(key string) {
	if h.Later == nil {
		h.Later = map[string]bool{}
	}
	h.Later[key] = true
	h.turns = append(h.turns, key)
}

// Position says as which of the things to do by hand the next one comes, the done ones of this sitting counted.
func (h *Hand) Position(p plan.Plan) (n, of int) {
	for _, a := range p.Actions {
		if a.Effect == plan.ByHand {
			of++
			if h.did(a) || h.Later[a.Key] {
				n++
			}
		}
	}
	return min(n+1, of), of
}

// Next is the first thing to do by hand that was not put off and that waits for nothing else.
func (h *Hand) Next(p plan.Plan) (plan.Action, bool) {
	open := map[string]bool{}
	for _, a := range p.Actions {
		open[a.Key] = a.Changing() && !(a.Effect == plan.ByHand && h.did(a))
	}
	for _, a := range p.Actions {
		if a.Effect != plan.ByHand || !open[a.Key] || h.Later[a.Key] {
			continue
		}
		blocked := false
		for _, need := range a.Needs() {
			blocked = blocked || open[need]
		}
		if !blocked {
			return a, true
		}
	}
	return plan.Action{}, false
}
