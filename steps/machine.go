package steps

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
)

// Machine walks through a guide. It is a pure value: every method that moves gives a new one. Drafts are what was typed,
// valid or not; none is ever lost.
type Machine struct {
	guide   Guide
	drafts  map[string]string
	current string
	skipped map[string]bool
	dir     string
}

// NewMachine stands on the first step that applies. Relative paths in answers belong to dir.
func NewMachine(g Guide, drafts map[string]string, dir string) Machine {
	m := Machine{guide: g, drafts: drafts, dir: dir, skipped: map[string]bool{}}
	m.drafts = m.Drafts()
	return m.settle()
}

// Guide is the guide that is walked.
func (m Machine) Guide() Guide { return m.guide }

// Answers are the drafts as typed values.
func (m Machine) Answers() Answers { return NewAnswers(m.guide, m.drafts, m.dir) }

// Drafts is a copy of everything that was typed.
func (m Machine) Drafts() map[string]string {
	c := make(map[string]string, len(m.drafts))
	for k, v := range m.drafts {
		c[k] = v
	}
	return c
}

// Current is the step that is shown.
func (m Machine) Current() Step {
	s, _ := m.guide.Step(m.current)
	return s
}

// applying lists the steps that apply now, in order.
func (m Machine) applying() []Step { return m.guide.Applying(m.Answers()) }

func (m Machine) index(steps []Step, id string) int {
	for i, s := range steps {
		if s.ID == id {
			return i
		}
	}
	return -1
}

// Position is the number of the current step among those that apply, from 1, and how many apply.
func (m Machine) Position() (n, of int) {
	list := m.applying()
	return m.index(list, m.current) + 1, len(list)
}

// settle moves from a step that no longer applies to the nearest one before it that does, or to the first.
func (m Machine) settle() Machine {
	a := m.Answers()
	best := ""
	for _, s := range m.guide.Steps {
		if s.AppliesTo(a) && (best == "" || m.current != "") {
			best = s.ID
		}
		if s.ID == m.current {
			break
		}
	}
	m.current = best
	return m
}

// Set takes a draft in, whatever it is worth.
func (m Machine) Set(key, draft string) Machine {
	m.drafts = m.Drafts()
	m.drafts[key] = draft
	return m.settle()
}

// Faults lists what is wrong with the answers of a step.
func (m Machine) Faults(s Step) []Fault {
	a := m.Answers()
	var faults []Fault
	for _, f := range s.Fields {
		if f.Asked(a) {
			if fault, bad := a.CheckField(f); bad {
				faults = append(faults, fault)
			}
		}
	}
	return faults
}

// Next goes to the following step that applies. With faults in the current one it stays, and gives them. On the last step it
// stays without faults.
func (m Machine) Next() (Machine, []Fault) {
	if faults := m.Faults(m.Current()); len(faults) > 0 && !m.leftOut(m.Current()) {
		return m, faults
	}
	list := m.applying()
	if i := m.index(list, m.current); i+1 < len(list) {
		m.current = list[i+1].ID
	}
	return m, nil
}

// Back goes to the step before. It never asks whether the current one is valid. It answers false on the first.
func (m Machine) Back() (Machine, bool) {
	list := m.applying()
	i := m.index(list, m.current)
	if i <= 0 {
		return m, false
	}
	m.current = list[i-1].ID
	return m, true
}

// Jump goes to a step that applies. Backwards is always possible, forwards only over steps without faults.
func (m Machine) Jump(id string) (Machine, error) {
	list := m.applying()
	to, from := m.index(list, id), m.index(list, m.current)
	if to < 0 {
		return m, fmt.Errorf("there is no step %s for these answers", id)
	}
	for i := from; i >= 0 && i < to; i++ {
		if !m.leftOut(list[i]) && len(m.Faults(list[i])) > 0 {
			return m, fmt.Errorf("the step %s comes first: an answer of it is missing or not valid", list[i].ID)
		}
	}
	m.current = id
	return m, nil
}

// needed names a field of a step that must be answered.
func (m Machine) needed(s Step) (key string, needed bool) {
	a := m.Answers()
	for _, f := range s.Fields {
		if f.Asked(a) && !f.Optional && f.Default == "" && f.Stands == nil {
			return f.Key, true
		}
	}
	return "", false
}

// leftOut says whether a step was skipped and may still be: an answer elsewhere can make it ask for more than it did then.
func (m Machine) leftOut(s Step) bool {
	_, needed := m.needed(s)
	return m.skipped[s.ID] && !needed
}

// Skip leaves the current step out. A step that asks for something that must be answered cannot be: later steps need it.
func (m Machine) Skip() (Machine, error) {
	if key, needed := m.needed(m.Current()); needed {
		return m, fmt.Errorf("later steps need %s", key)
	}
	skipped := map[string]bool{m.current: true}
	for id := range m.skipped {
		skipped[id] = true
	}
	m.skipped = skipped
	m, _ = m.Next()
	return m, nil
}

// Risks lists the risks that these answers take and that were not accepted yet, without what was done already by what is remembered. They
// are asked for before anything is planned.
func (m Machine) Risks(remembered Memory) []Risk {
	a := m.Answers()
	var list []Risk
	for _, r := range m.guide.Risks {
		if r.When(a) && !a.Accepts(r.Name) && !(r.Had != nil && r.Had(a, remembered)) {
			r.Text = r.Told(a)
			list = append(list, r)
		}
	}
	return list
}

// Accept notes that a person accepted a risk.
func (m Machine) Accept(risk string) Machine {
	if m.Answers().Accepts(risk) {
		return m
	}
	return m.Set(RiskKey, strings.Trim(m.drafts[RiskKey]+"\n"+risk, "\n"))
}

// Questions lists the fields that are asked now, in order. Every face asks these and no others.
func (m Machine) Questions() []Field {
	a := m.Answers()
	var list []Field
	for _, s := range m.applying() {
		for _, f := range s.Fields {
			if f.Asked(a) {
				list = append(list, f)
			}
		}
	}
	return list
}

// Place is where a step stands on the way.
type Place int

// The places.
const (
	Hidden Place = iota // does not apply
	Passed
	Here
	Ahead
	LeftOut
)

func (p Place) String() string {
	switch p {
	case Hidden:
		return "does not apply"
	case Passed:
		return "gone through"
	case Here:
		return "now"
	case Ahead:
		return "to do"
	case LeftOut:
		return "skipped"
	}
	return "unknown"
}

// StepPlace is a step and its place.
type StepPlace struct {
	Step  Step
	Place Place
}

// Overview lists every step of the guide with its place.
func (m Machine) Overview() []StepPlace {
	a := m.Answers()
	var list []StepPlace
	passed := true
	for _, s := range m.guide.Steps {
		p := Ahead
		switch {
		case !s.AppliesTo(a):
			p = Hidden
		case s.ID == m.current:
			p, passed = Here, false
		case m.skipped[s.ID]:
			p = LeftOut
		case passed:
			p = Passed
		}
		list = append(list, StepPlace{s, p})
	}
	return list
}

type saved struct {
	Guide   string            `json:"guide"`
	Dir     string            `json:"dir,omitempty"` // to which relative paths belong
	Current string            `json:"current"`
	Drafts  map[string]string `json:"drafts"`
	Skipped []string          `json:"skipped,omitempty"`
}

// Same says whether another machine holds the same drafts on the same step: nothing is to be saved anew.
func (m Machine) Same(other Machine) bool {
	return m.guide.ID == other.guide.ID && m.current == other.current && m.dir == other.dir && maps.Equal(m.drafts, other.drafts) && maps.Equal(m.skipped, other.skipped)
}

// Save writes the machine's state, half-typed answers too, and nothing that may be a secret.
func (m Machine) Save() ([]byte, error) {
	a := m.Answers()
	s := saved{Guide: m.guide.ID, Dir: a.Dir(), Current: m.current, Drafts: map[string]string{}}
	for key, draft := range m.drafts {
		if !a.fields[key].mayBeSecret(a.Text(key)) {
			s.Drafts[key] = draft
		}
	}
	for _, step := range m.guide.Steps {
		if m.skipped[step.ID] {
			s.Skipped = append(s.Skipped, step.ID)
		}
	}
	return json.Marshal(s)
}

// LoadMachine reads what Save wrote. Relative paths belong to dir when it does not say to which folder.
func LoadMachine(g Guide, raw []byte, dir string) (Machine, error) {
	var s saved
	if err := json.Unmarshal(raw, &s); err != nil {
		return Machine{}, fmt.Errorf("the saved answers cannot be read: %w", err)
	}
	if s.Guide != g.ID {
		return Machine{}, fmt.Errorf("the saved answers belong to the guide %q", s.Guide)
	}
	m := NewMachine(g, s.Drafts, cmp.Or(s.Dir, dir))
	for _, id := range s.Skipped {
		m.skipped[id] = true
	}
	if _, ok := g.Step(s.Current); ok {
		m.current = s.Current
	}
	return m.settle(), nil
}
