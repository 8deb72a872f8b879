// Package doctor turns what was seen into checks: a name, an outcome, a code, and what to do. It looks at nothing itself: what a machine, a
// network or a server shows comes in as values.
package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// Outcome is how a check ended.
type Outcome int

// The outcomes.
const (
	OK Outcome = iota
	Warning
	Fault
	NotChecked // Text says why
	NotYet     // it was not set up yet: nothing can be wrong with it
)

func (o Outcome) String() string {
	switch o {
	case OK:
		return "ok"
	case Warning:
		return "warning"
	case Fault:
		return "fault"
	case NotChecked:
		return "not checked"
	case NotYet:
		return "not yet"
	}
	return "unknown"
}

// MarshalJSON writes an outcome as its word.
func (o Outcome) MarshalJSON() ([]byte, error) { return json.Marshal(o.String()) }

// Check is one thing that was looked at. Texts are harmless to print.
type Check struct {
	Group   string       `json:"group"`
	Name    string       `json:"name"`
	Outcome Outcome      `json:"outcome"`
	Code    problem.Code `json:"code,omitempty"`
	Text    string       `json:"text"`
	Remedy  []string     `json:"remedy,omitempty"`
}

// Sheet is everything that was looked at, in order.
type Sheet struct {
	Checks []Check      `json:"checks"`
	Ports  []steps.Port `json:"ports"`
}

// Add adds checks under a group.
func (s *Sheet) Add(group string, checks ...Check) {
	for _, c := range checks {
		c.Group = group
		s.Checks = append(s.Checks, c)
	}
}

// Count is how many checks ended so.
func (s *Sheet) Count(o Outcome) int {
	n := 0
	for _, c := range s.Checks {
		if c.Outcome == o {
			n++
		}
	}
	return n
}

// Complete gives warnings and faults that name no remedy the one that goes with their code. What a plan tells better is left alone.
func (s *Sheet) Complete(remedy func(problem.Code) []string) {
	for i, c := range s.Checks {
		if !c.Code.Bare() && len(c.Remedy) == 0 && (c.Outcome == Warning || c.Outcome == Fault) {
			s.Checks[i].Remedy = remedy(c.Code)
		}
	}
}

// Good is a check that found nothing.
func Good(name, text string) Check { return Check{Name: name, Text: problem.Plain(text)} }

// Skipped is a check that was not made.
func Skipped(name, why string) Check {
	return Check{Name: name, Outcome: NotChecked, Text: problem.Plain(why)}
}

// Doubt is a check that found something worth knowing.
func Doubt(name string, code problem.Code, text string, remedy ...string) Check {
	return Check{Name: name, Outcome: Warning, Code: code, Text: problem.Plain(text), Remedy: remedy}
}

// Failures are an error as faults, one for each problem in it; none for nil.
func Failures(name string, err error) []Check { return checksOf(name, Fault, err) }

// Hints are an error as warnings: it was seen from a machine that does not count.
func Hints(name string, err error) []Check { return checksOf(name, Warning, err) }

func checksOf(name string, o Outcome, err error) []Check {
	var checks []Check
	for _, p := range problem.All(err) {
		text := p.What
		if p.Why != "" {
			text += ": " + p.Why
		}
		c := Check{Name: name, Outcome: o, Code: p.Named(), Text: problem.Plain(text)}
		c.Remedy = plainly(p.Next)
		checks = append(checks, c)
	}
	return checks
}

// OfLook are the checks of one step's look: its problems are faults, its warnings and doubtful findings warnings. Without any of them it
// is good, with what the findings say.
func OfLook(seen steps.Seen) []Check {
	var checks []Check
	for _, p := range problem.All(seen.Err) {
		name := seen.Step
		if p.Where != "" && p.Where != steps.RiskKey && !strings.Contains(p.Where, ".") { // no answer, but the step that it belongs to
			name = p.Where
		}
		checks = append(checks, Failures(name, p)...)
	}
	for _, w := range seen.Warnings {
		checks = append(checks, Doubt(seen.Step, w.Code, w.Text))
	}
	var good []string
	for _, f := range seen.Findings {
		switch {
		case f.State == steps.Doubtful && (f.Kind == steps.TextFinding || f.Warned):
			code := f.Code
			if code == "" {
				code = problem.WarningCode
			}
			checks = append(checks, Doubt(seen.Step, code, f.Title+": "+f.Text, plainly(f.Next)...))
		case f.State == steps.Fits:
			good = append(good, briefly(f))
		}
	}
	if len(checks) == 0 && len(good) > 0 {
		return []Check{Good(seen.Step, strings.Join(good, "; "))}
	}
	return checks
}

// briefly is a finding in one line.
func briefly(f steps.Finding) string {
	parts := []string{f.Title}
	for i, r := range f.Rows {
		if r.Value != "" && i < 4 {
			parts = append(parts, strings.TrimSpace(r.Label)+" "+r.Value)
		}
	}
	if f.Text != "" {
		parts = append(parts, f.Text)
	}
	return strings.Join(parts, ", ")
}

// OfProof is the check of one step's proof. What was not set up yet is no finding before anything was; begun says whether something was. Else an
// object that is there and differs, or is gone, is a fault; one that was never there, and what a person has to do, are warnings. What nobody can
// read is not checked: verify takes it for no failure either.
// back says that an undo came after it: then nothing of it is expected.
func OfProof(p steps.StepProof, begun, back bool) Check {
	proof := p.Proof
	begun = begun && !back
	c := Check{Name: p.Step.ID, Code: proof.Named(), Text: problem.Plain(proof.Text)}
	switch proof.State {
	case steps.Proven, steps.ByWord:
		if proof.Code != "" {
			c.Outcome = Warning
		}
	case steps.Differs:
		switch {
		case !begun && proof.New, back && proof.Err == nil:
			c.Outcome = NotYet
		case proof.New && c.Code.Bare():
			c.Outcome = Warning
		default:
			c.Outcome = Fault
		}
		if c.Outcome != NotYet && c.Code.Bare() {
			c.Remedy = []string{"npsetup plan -f FILE shows what would mend it, npsetup apply -f FILE does"}
		}
	case steps.NeedPerson:
		c.Outcome = Warning
		if !begun && c.Code.Bare() {
			c.Outcome = NotYet
		}
	case steps.NotProven:
		c.Outcome = NotChecked
		if proof.Err != nil {
			c.Outcome = Fault
		}
	}
	for _, cause := range problem.All(proof.Err) {
		c.Remedy = append(c.Remedy, plainly(cause.Next)...)
	}
	if c.Outcome == NotYet {
		c.Code = ""
	}
	return c
}

func plainly(next []string) []string {
	var list []string
	for _, n := range next {
		list = append(list, problem.Plain(n))
	}
	return list
}

// groups are the names of the groups, in the order in which they came up.
func (s *Sheet) groups() []string {
	var names []string
	for _, c := range s.Checks {
		if !slices.Contains(names, c.Group) {
			names = append(names, c.Group)
		}
	}
	return names
}

// Text prints the sheet for people.
func (s *Sheet) Text(w io.Writer) error {
	b := &strings.Builder{}
	for i, group := range s.groups() {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(group + "\n")
		for _, c := range s.Checks {
			if c.Group == group {
				c.text(b)
			}
		}
	}
	s.ports(b)
	fmt.Fprintf(b, "\n%d ok, %d warnings, %d faults, %d not checked", s.Count(OK), s.Count(Warning), s.Count(Fault), s.Count(NotChecked))
	if n := s.Count(NotYet); n > 0 {
		fmt.Fprintf(b, ", %d not set up yet", n)
	}
	b.WriteString("; npsetup explain CODE tells more\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (c Check) text(b *strings.Builder) {
	about := ""
	if c.Code != "" {
		about = " (code: " + string(c.Code) + ")"
	}
	fmt.Fprintf(b, "  %-11s %s: %s%s\n", c.Outcome, c.Name, c.Text, about)
	for _, r := range c.Remedy {
		fmt.Fprintf(b, "  %-11s   next: %s\n", "", r)
	}
}

// ports prints the table, as wide as its longest ends.
func (s *Sheet) ports(b *strings.Builder) {
	if len(s.Ports) == 0 {
		return
	}
	b.WriteString("\nwhat must be open\n")
	ends, port := 0, 0
	for _, p := range s.Ports {
		ends, port = max(ends, len([]rune(p.From+" > "+p.To))), max(port, len([]rune(p.Port)))
	}
	for _, p := range s.Ports {
		fmt.Fprintf(b, "  %-*s %-*s %s\n", ends, p.From+" > "+p.To, port, p.Port, p.For)
	}
}
