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
	// steps need, and what takes risks that nobody has accepted (Unaccepted).
	Plan(ctx context.Context, m steps.Machine, leftOut []string) (plan.Plan, error)
	// Apply carries out a plan that was shown. done names manual steps that a person has done.
	Apply(ctx context.Context, m steps.Machine, p plan.Plan, done []string, sink run.Sink) (run.Report, run.Result, error)
	// Say notes down at once that a person has done what steps of a plan leave to a hand: no kill makes it asked for again.
	Say(m steps.Machine, p plan.Plan, done []string) error
	// Unsay takes such a word back.
	Unsay(m steps.Machine, step string) error
	// Verify reads everything back.
	Verify(ctx context.Context, m steps.Machine) (run.Report, error)
	// Unmake looks what is left of what a run has set up, and plans to take it back. While it is to be asked about others' changes and there
	// are any, it gives these and no plan.
	Unmake(ctx context.Context, m steps.Machine, c Changed) (p plan.Plan, others []string, err error)
	// TakeBack carries such a plan out. done names steps whose part a person has taken back.
	TakeBack(ctx context.Context, m steps.Machine, p plan.Plan, c Changed, done []string, sink run.Sink) (run.Report, run.Result, error)
	// Save keeps the state of the machine for another day, without secrets.
	Save(m steps.Machine) error
	// Place is where an answers file can be written; empty where no place is known.
	Place() string
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

// Unaccepted is why there is no plan as long as a person has not accepted risks: they are asked for by their names.
type Unaccepted struct {
	Risks []steps.Risk
	error
}

// NewUnaccepted is the error of risks that answers take; nil without any.
func NewUnaccepted(a steps.Answers, risks []steps.Risk) error {
	if len(risks) == 0 {
		return nil
	}
	return Unaccepted{risks, steps.MissingConsents(a, risks)}
}

// Unwrap gives the problems of it.
func (u Unaccepted) Unwrap() error { return u.error }

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
