package steps

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Scene is what one walk through a guide has to go by: the answers, what was remembered, and what each Look saw. Looks
// write into it, Plans and Verifies read it. It is used by one goroutine at a time.
type Scene struct {
	Answers Answers
	Memory  Memory
	Version string // of the server; set by the sign-in step
	Server  string // URL; set by the server step

	step     string
	halted   string // step whose look could not be ended: what comes from it on was not looked at
	findings map[string][]Finding
	observed map[string][]byte
	warnings []Warning
	doubts   []Warning
	sends    []string
	problems problem.List
	objects  map[string]plan.Value
	facts    map[any]any
	planned  []plan.Action
}

// Memory is what earlier runs left behind.
type Memory struct {
	ManualDone  map[string]bool      // step ids that a person said to have done
	ManualAbout map[string]string    // step id → what the doing was good for; absent: for good
	NotOffered  map[string]string    // operation of the contract → server version that did not have it
	Made        map[string]bool      // "kind\x00name" of objects that this run made or took over
	Keys        []string             // files of private keys that this run made
	Shown       map[string]Shown     // session id → what a session that we opened showed
	Markers     []string             // of the sessions that we opened
	Unproven    bool                 // something was changed since the last session of ours that proved the set-up
	Changed     time.Time            // and when that was; zero: not known
	Failed      *FailedProof         // the last session of ours that failed, unless one has proven the set-up since; nil: none
	TakenBack   time.Time            // when an undo took something back last: sessions before it prove nothing; zero: none did
	ManualAt    map[string]time.Time // when a person said so, by step id
	Reads       bool                 // everything is read back and nothing planned: what that can do without stops nothing
	Prove       bool                 // a person wants a session now, whatever was seen before
}

// Over says whether something that began at a moment, known or not, was overtaken by an undo: it proves nothing of what is there now.
func (m Memory) Over(began time.Time, known bool) bool {
	return !m.TakenBack.IsZero() && (!known || !began.After(m.TakenBack))
}

// Back says whether an undo was the last that was done for this set-up: that something is not there is as it should be.
func (m Memory) Back() bool { return !m.TakenBack.IsZero() && !m.Changed.After(m.TakenBack) }

// Begun says whether anything was done for this set-up, and not taken back.
func (m Memory) Begun() bool { return len(m.Made) > 0 || len(m.ManualDone) > 0 || !m.Changed.IsZero() }

// FailedProof is why a session of ours proved nothing, in the words that were told.
type FailedProof struct {
	At        time.Time
	What, Why string
	Next      []string
	Code      problem.Code
	Untrusted bool // the server does not trust the client certificate
}

// IsDone says whether a person said to have done a step, for what it is about now. A doing that was about something else,
// such as the key of a user that is gone, is to be done again.
func (m Memory) IsDone(step string, about plan.Value) bool {
	was, bound := m.ManualAbout[step]
	if !m.ManualDone[step] || !bound || about == nil {
		return m.ManualDone[step]
	}
	now, known := plan.TextOf(about, nil)
	return known && strings.EqualFold(now, was)
}

// NewScene starts a walk.
func NewScene(a Answers, m Memory) *Scene {
	return &Scene{
		Answers: a, Memory: m, findings: map[string][]Finding{}, observed: map[string][]byte{}, objects: map[string]plan.Value{},
		facts: map[any]any{},
	}
}

// See adds a finding to the step that is looking.
func (s *Scene) See(f Finding) { s.findings[s.step] = append(s.findings[s.step], f) }

// Findings lists what a step saw.
func (s *Scene) Findings(step string) []Finding { return s.findings[step] }

// Observe makes v, a JSON value without counts, times and log-ons, part of the fingerprint. Nil stands for "not there".
func (s *Scene) Observe(key string, v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		raw = []byte(fmt.Sprintf("unreadable: %v", err))
	}
	s.observed[s.step+"/"+key] = raw
}

// Warning is something worth knowing that stops nothing.
type Warning struct {
	Text string
	Code problem.Code
}

// String is the text with its code, unless that is the general one.
func (w Warning) String() string {
	if w.Code == problem.WarningCode {
		return w.Text
	}
	return w.Text + " (code: " + string(w.Code) + ")"
}

// Warn adds a line that stands above the plan. The first code says what it is about; without one it has the general code of
// warnings.
func (s *Scene) Warn(text string, about ...problem.Code) {
	w := Warning{Text: text, Code: problem.WarningCode}
	if len(about) > 0 {
		w.Code = about[0]
	}
	s.warnings = append(s.warnings, w)
}

// Doubt is a doubtful finding that stands above the plan too, with its code. It may be otherwise at the next look, and is no part of what is
// agreed to.
func (s *Scene) Doubt(f Finding) {
	f.State, f.Warned = Doubtful, true
	s.See(f)
	s.doubts = append(s.doubts, Warning{Text: f.Title + ": " + f.Words(), Code: cmp.Or(f.Code, problem.WarningCode)})
}

// Send says which secret goes where; it is printed before the first one leaves.
func (s *Scene) Send(text string) { s.sends = append(s.sends, text) }

// Sends lists what Send was told.
func (s *Scene) Sends() []string { return s.sends }

// Problem collects an error without stopping the walk: everything is checked before anything is written.
func (s *Scene) Problem(err error) {
	for _, p := range problem.All(err) {
		if p.Where == "" {
			p.Where = s.step
		}
		s.problems = append(s.problems, p)
	}
}

// Problems gives what was collected, or nil.
func (s *Scene) Problems() error { return s.problems.Err() }

// Planned lists the actions that the steps before the one that plans now have planned.
func (s *Scene) Planned() []plan.Action { return s.planned }

func objectKey(kind, name string) string { return kind + "\x00" + strings.ToLower(name) }

// Know notes the id of an object that is on the server.
func (s *Scene) Know(kind, name, id string) { s.objects[objectKey(kind, name)] = plan.String(id) }

// Promise notes that an action of this plan will give the id of an object.
func (s *Scene) Promise(kind, name, action, output string) {
	s.objects[objectKey(kind, name)] = plan.Ref{Action: action, Output: output, What: kind + " " + quoted(name)}
}

// ID is the id of an object: a text, or a reference to the action that will give it. It answers false for an object that
// nobody saw or promised.
func (s *Scene) ID(kind, name string) (plan.Value, bool) {
	v, ok := s.objects[objectKey(kind, name)]
	return v, ok
}

func quoted(s string) string { return `"` + problem.Plain(s) + `"` }

// KeyObject is the kind of object that a private key on this machine is; its name is the path of its file.
const KeyObject = "private key"

// MadeKey is how Memory.Made names an object.
func MadeKey(kind, name string) string { return objectKey(kind, name) }

// Facts are what looks have left for later steps: a copy, which nothing changes.
type Facts struct{ left map[any]any }

// Scene is one for answers in which these facts are known.
func (f Facts) Scene(a Answers) *Scene {
	s := NewScene(a, Memory{})
	maps.Copy(s.facts, f.left)
	return s
}

// Key names a typed fact that one step leaves for later ones.
type Key[T any] struct{ Name string }

// Put leaves a fact.
func Put[T any](s *Scene, k Key[T], v T) { s.facts[k] = v }

// Get reads a fact; the zero value and false when no step left it.
func Get[T any](s *Scene, k Key[T]) (T, bool) {
	v, ok := s.facts[k].(T)
	return v, ok
}
