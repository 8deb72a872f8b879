// Package steps is the heart of npsetup: what a step is, what it asks, what it sees, and the Machine that walks through
// the steps. It neither draws nor calls a server; what a step needs of the world reaches it by closures that its guide
// was made with.
package steps

import (
	"context"
	"encoding/json"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Guide is an ordered list of steps: one per article.
type Guide struct {
	ID    string // auditor, password-secure
	Title string
	Steps []Step
	Risks []Risk

	// Identity is the answer that names a run, besides the server and the guide.
	Identity string
	// Proof is the id of the step that opens sessions, and Listed the answer by whose text those sessions are listed: a part of
	// one of their columns.
	Proof, Listed string
	// Cause names why a session of the proof did not become active: see run.Sessions.
	Cause func(state SessionState, words string, took time.Duration, log json.RawMessage) error
	// Doubt names what the log of a session gives away that became active and whose password cannot be read; nil when that is no
	// failure. Nil: it never is, and the log is not read for it.
	Doubt func(log json.RawMessage) error
	// Unopened says why no session can be opened from here, and what to do instead; Awaited whose session is then waited for.
	Unopened func() error
	Awaited  string
	// Trouble reads what went wrong lately on a surveyed scene, such as the last session that failed. Nil: nothing tells.
	Trouble func(context.Context, *Scene) error
	Import  *Importer // nil: an integration that is there cannot be described
	// Ports are the ways that must be open for these answers, some of which may be missing yet.
	Ports func(Answers) []Port
}

// Port is one way that must be open. Texts of answers in it are harmless to print.
type Port struct {
	From string `json:"from"`
	To   string `json:"to"`
	Port string `json:"port"`
	For  string `json:"for"`
}

// Step is one step of a guide. It is declared, not coded: every face draws it from these members.
type Step struct {
	ID      string
	Title   string // a noun
	Article string // paragraph and lines of the article, e.g. "Initial Setup, 7-10"
	Why     string // one sentence for the person
	// Paragraph are the clicks of the article in the wizard's words, with the values that are answered or were seen. Nil: the step has none.
	Paragraph func(Answers, Facts) []string
	Applies   func(Answers) bool                  // nil: always
	Fields    []Field                             // what it asks, in order
	Look      func(context.Context, *Scene) error // reads only; reports through the Scene. Nil: nothing to see
	Plan      func(*Scene) ([]plan.Action, error) // pure. Nil: nothing to do
	Verify    func(context.Context, *Scene) Proof // reads only. Nil: proven by Look
}

// AppliesTo says whether the step is part of the way for these answers.
func (s Step) AppliesTo(a Answers) bool { return s.Applies == nil || s.Applies(a) }

// onlyAsks says whether a step has nothing but questions of the faces.
func (s Step) onlyAsks() bool {
	for _, f := range s.Fields {
		if f.Becomes == nil {
			return false
		}
	}
	return len(s.Fields) > 0 && s.Look == nil && s.Plan == nil && s.Verify == nil
}

// Step finds a step by id.
func (g Guide) Step(id string) (Step, bool) {
	for _, s := range g.Steps {
		if s.ID == id {
			return s, true
		}
	}
	return Step{}, false
}

// Asking finds the step that asks for an answer.
func (g Guide) Asking(key string) (Step, bool) {
	for _, s := range g.Steps {
		for _, f := range s.Fields {
			if f.Key == key {
				return s, true
			}
		}
	}
	return Step{}, false
}

// Applying lists the steps that apply to the answers, in order.
func (g Guide) Applying(a Answers) []Step {
	var list []Step
	for _, s := range g.Steps {
		if s.AppliesTo(a) {
			list = append(list, s)
		}
	}
	return list
}

// Outcome is how a step or an action ended.
type Outcome int

// The outcomes.
const (
	NotRun Outcome = iota
	Done
	Adopted
	Unchanged
	Failed
	Skipped
	Waiting // for a person
)

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{NotRun, Done, Adopted, Unchanged, Failed, Skipped, Waiting}
}

func (o Outcome) String() string {
	switch o {
	case NotRun:
		return "not-run"
	case Done:
		return "done"
	case Adopted:
		return "adopted"
	case Unchanged:
		return "unchanged"
	case Failed:
		return "failed"
	case Skipped:
		return "skipped"
	case Waiting:
		return "waiting"
	}
	return "unknown"
}

// Proof is what Verify found out about one step.
type Proof struct {
	State      ProofState
	Text       string            // one line: what proves it, or what is missing
	Difference []plan.Difference // From: as it is, To: as it should be
	Seen       bool              // what a person did by hand has shown itself: it is remembered as done, for what it was about
	Err        error             // why the look failed that should have proven it
	About      plan.Value        // what that doing is good for; nil: for good
	Code       problem.Code      // what the text warns of; may be empty
	New        bool              // with Differs: nothing of it was set up yet, so that nothing can have gone wrong with it
}

// Named is the code of a proof: its own, that of its error, or the general one of its state. What is as wanted has none.
func (p Proof) Named() problem.Code {
	switch {
	case p.Code != "":
		return p.Code
	case p.Err != nil:
		return problem.All(p.Err)[0].Named()
	}
	switch p.State {
	case Differs:
		return problem.DiffersFromGuide
	case NeedPerson:
		return problem.PersonNeeded
	case NotProven:
		return problem.NotProven
	case Proven, ByWord:
	}
	return ""
}

// ProofState is the result of a verification.
type ProofState int

// The states of a proof.
const (
	NotProven  ProofState = iota // nothing could be read that proves it, and nothing speaks against it
	Proven                       // read back, or evidence seen
	ByWord                       // a person said so; no evidence can be read
	Differs                      // read back and not as wanted
	NeedPerson                   // a person has to do it first
)

func (p ProofState) String() string {
	switch p {
	case NotProven:
		return "not proven"
	case Proven:
		return "proven"
	case ByWord:
		return "by word"
	case Differs:
		return "differs"
	case NeedPerson:
		return "needs a person"
	}
	return "unknown"
}
