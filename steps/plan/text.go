package plan

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"npsetup/steps/problem"
)

// TextOptions chooses what Text shows.
type TextOptions struct {
	Calls bool            // the exact requests with their bodies, not only method and path, and what files hold
	Width int             // columns; 0: 100
	Done  map[string]bool // steps that a person says to have done: their clicks are not shown again
}

// Text renders a plan for people. Everything that came from a server or an answer is made harmless.
func (p Plan) Text(o TextOptions) string {
	t := &text{width: o.Width}
	t.line("%s", p.Title)
	t.line("  server       %s", withVersion(p.Server, p.Version))
	if p.Identity != "" {
		t.line("  application  %s", p.Identity)
	}
	t.wrapped("signs        ", "+ create  = take over as it is  ~ update  ^ bring back  - delete  ! by hand; [in brackets]: the step, or how sure the match of a setting is", 2)
	for _, s := range p.Sends {
		t.wrapped("secrets      ", s, 2)
	}
	for _, w := range p.AllWarnings() {
		t.wrapped("warning: ", w, 0)
	}
	for _, a := range p.Actions {
		t.line("")
		t.action(a, o)
	}
	t.line("")
	t.line("%s", p.Summary())
	return t.String()
}

func withVersion(server, version string) string {
	if version == "" {
		return server
	}
	return server + " (version " + version + ")"
}

// Summary is the last line of a plan: how many changes of each effect.
func (p Plan) Summary() string {
	n := p.Pending()
	if len(n) == 0 {
		return "nothing to change: everything is as wanted"
	}
	var parts []string
	for _, e := range Effects() {
		if n[e] > 0 {
			parts = append(parts, fmt.Sprintf("%d to %s", n[e], summaryVerb(e)))
		}
	}
	return "changes: " + strings.Join(parts, ", ")
}

func summaryVerb(e Effect) string {
	if e == ByHand {
		return "do by hand"
	}
	return e.String()
}

type text struct {
	strings.Builder
	width int
}

func (t *text) columns() int {
	if t.width > 0 {
		return t.width
	}
	return 100
}

func (t *text) line(format string, args ...any) {
	t.WriteString(strings.TrimRight(problem.Plain(fmt.Sprintf(format, args...)), " ") + "\n")
}

// wrapped writes label and words, continued under themselves.
func (t *text) wrapped(label, words string, indent int) {
	pad := strings.Repeat(" ", indent)
	line := pad + label
	hang := strings.Repeat(" ", indent+len([]rune(label)))
	empty := true
	for _, w := range strings.Fields(problem.Plain(words)) {
		if !empty && len([]rune(line))+1+len([]rune(w)) > t.columns() {
			t.line("%s", line)
			line, empty = hang, true
		}
		if !empty {
			line += " "
		}
		line += w
		empty = false
	}
	t.line("%s", line)
}

func (t *text) action(a Action, o TextOptions) {
	verb := a.Effect.String()
	if a.Effect == ByHand {
		verb = "by hand"
	}
	t.line("%s %s: %s %s  [%s]", a.Effect.Sign(), verb, a.Object, Quoted(a.Name), a.Step)
	if a.Effect == ByHand && o.Done[a.Step] {
		t.line("    said to be done; noted down, and read back where that can be")
		return
	}
	if a.Why != "" {
		t.wrapped("why      ", a.Why, 4)
	}
	if a.Article != "" {
		t.wrapped("article  ", a.Article, 4)
	}
	for _, d := range a.Difference {
		t.difference(d)
	}
	for _, op := range a.Ops {
		t.op(op, len(a.Ops) > 1, o)
	}
	if needs := a.Needs(); len(needs) > 0 {
		sort.Strings(needs)
		t.wrapped("after    ", strings.Join(needs, ", "), 4)
	}
	if a.Assumption != "" {
		t.wrapped("assumed  ", "the vendor does not document this call: "+a.Assumption+". It is tried once with this very object and read back; else, on 404/405: by hand", 4)
	}
	for _, n := range a.Notes {
		t.wrapped("note     ", n, 4)
	}
	if len(a.Consents) > 0 {
		t.wrapped("accepted ", strings.Join(a.Consents, ", "), 4)
	}
	t.undo(a, o)
}

func (t *text) difference(d Difference) {
	what := d.Label
	if d.Field != "" && d.Field != d.Label {
		what += " (" + d.Field + ")"
	}
	change := shownValue(d.To)
	if d.From != "" {
		change = shownValue(d.From) + " → " + shownValue(d.To)
	}
	if d.Mark != "" {
		change += "   [" + d.Mark + "]"
	}
	if odd(d.From) || odd(d.To) {
		t.line("    set      %s: %s", what, change) // wrapping would lose blanks
		return
	}
	t.wrapped("set      ", what+": "+change, 4)
}

// shownValue makes visible what would not be: a template with a blank too many looks right and is not.
func shownValue(s string) string {
	if s == "" || odd(s) {
		return fmt.Sprintf("%q", s)
	}
	return s
}

// Quoted is a name in quotes, harmless. A backslash stays as it is: names of accounts hold one.
func Quoted(name string) string {
	return strings.ReplaceAll(fmt.Sprintf("%q", problem.Plain(name)), `\\`, `\`)
}

// odd says whether a text changes when it is made harmless and wrapped.
func odd(s string) bool { return s != strings.Join(strings.Fields(problem.Plain(s)), " ") }

func (t *text) op(op Op, several bool, o TextOptions) {
	switch op.Kind {
	case KindCall:
		r := op.Call.Redacted(nil)
		if op.Guard != nil {
			t.guard(*op.Guard, o)
		}
		if op.Await != nil {
			t.wrapped("waits    ", op.Await.text(), 4)
			return
		}
		if op.Spare != nil {
			t.wrapped("checks   ", op.Spare.text(), 4)
		}
		word := map[Class]string{Read: "reads", Auth: "signs in", Probe: "probes", Change: "sends"}[op.Class]
		which := ""
		if several {
			which = "   (" + op.ID + ")"
		}
		t.line("    %-8s %s %s%s", word, r.Method, r.Path, which)
		if o.Calls && r.Body != nil {
			t.line("             %s", string(r.Body))
		}
		if o.Calls && op.Lookup != nil {
			t.wrapped("looks    ", op.Lookup.text()+": when the answer is lost, or lacks what later calls need", 4)
		}
	case KindManual:
		t.manual(*op.Manual)
	case KindSession:
		t.wrapped("does     ", op.Text(), 4)
		for _, part := range op.Parts() {
			t.op(part, true, o)
		}
	case KindStore, KindRemote:
		t.wrapped("does     ", op.Text(), 4)
		for _, part := range op.trusts().parts() {
			t.wrapped("         - ", part, 4)
		}
	case KindFile:
		t.wrapped("does     ", op.Text(), 4)
		if o.Calls && op.File.Content != nil {
			t.line("             %s", string(shown(op.File.Content)))
		}
	}
}

// guard shows the read that comes just before a change; in full, which row of its answer counts.
func (t *text) guard(g Guard, o TextOptions) {
	if o.Calls {
		t.wrapped("checks   ", g.Lookup.text()+", still answers what the plan saw", 4)
		return
	}
	t.wrapped("checks   ", guardText(&g), 4)
}

func (t *text) manual(m Manual) {
	where := m.Where
	if m.Version != "" {
		where += " (menu names of " + m.Version + ")"
	}
	t.wrapped("where    ", where, 4)
	if m.Note != "" {
		t.wrapped("note     ", m.Note, 4)
	}
	for i, c := range m.Clicks {
		t.wrapped(fmt.Sprintf("%7d. ", i+1), c.Text, 4)
	}
	for _, v := range m.Values {
		if v.Fetch != nil {
			r := v.Fetch.Redacted(nil)
			t.line("    value    %s: a secret, fetched only when you ask for it: %s %s", v.Label, r.Method, r.Path)
			continue
		}
		t.line("    value    %s: %s", v.Label, shownValue(v.Value))
	}
	if m.Check != "" {
		t.wrapped("check    ", m.Check, 4)
	}
	if m.Proof != "" {
		t.wrapped("proof    ", m.Proof, 4)
	}
	if m.Awaits != "" {
		t.wrapped("awaits   ", m.Awaits, 4)
	}
}

func (t *text) undo(a Action, o TextOptions) {
	does := "writes back what was there"
	if a.Effect == Create {
		does = "takes it out again"
	}
	for _, op := range a.Undo {
		if op.Call != nil {
			r := op.Call.Redacted(nil)
			t.line("    undo     %s: %s %s", does, r.Method, r.Path)
			if o.Calls && r.Body != nil {
				t.line("             %s", string(r.Body))
			}
		} else {
			t.wrapped("undo     ", op.Text(), 4)
		}
	}
	if reasons := assumedIn(a.Undo); len(reasons) > 0 {
		t.wrapped("assumed  ", "the vendor does not document the call of the undo: "+strings.Join(reasons, "; "), 4)
	}
	if a.UndoNote != "" {
		t.wrapped("undo     ", a.UndoNote, 4)
	}
}

// assumedIn are the reasons why calls that the vendor does not document are believed to work, each once.
func assumedIn(ops []Op) []string {
	var reasons []string
	for _, op := range ops {
		if op.Assumed != "" && !slices.Contains(reasons, op.Assumed) {
			reasons = append(reasons, op.Assumed)
		}
	}
	return reasons
}

// ManualText renders one manual action for a person who is about to do it, in so many columns; 0: 100.
func ManualText(a Action, width int) string {
	t := &text{width: width}
	m := a.Manual()
	if m == nil {
		m = a.Twin
	}
	t.line("%s: %s %s", a.Step, a.Object, Quoted(a.Name))
	if m != nil {
		t.manual(*m)
	}
	return t.String()
}

// Text is one harmless line that says what an operation does.
func (op Op) Text() string { return problem.Plain(op.text()) }

func (op Op) text() string {
	switch op.Kind {
	case KindCall:
		r := op.Call.Redacted(nil)
		return r.Method + " " + r.Path
	case KindFile:
		return op.File.text()
	case KindStore:
		return op.Store.text()
	case KindRemote:
		return op.Remote.text()
	case KindSession:
		if s := op.Session; s.Own() {
			return fmt.Sprintf("opens a session as %s: activity %q on %s, marker %s, and ends it", s.Login, s.Activity, s.Resource, s.Marker)
		}
		with := "certificate " + op.Session.Certificate
		if len(op.Session.Authorities) > 0 {
			with += " with those in " + strings.Join(op.Session.Authorities, ", ")
		}
		return fmt.Sprintf("opens a session as %s (%s, key %s): activity %q on %s, marker %s, and ends it", op.Session.Login, with, op.Session.PrivateKey, op.Session.Activity, op.Session.Resource, op.Session.Marker)
	case KindManual:
		return "by hand: " + op.Manual.Where
	}
	return "unknown operation"
}
