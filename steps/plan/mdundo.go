package plan

import (
	"fmt"
	"slices"

	"npsetup/steps/problem"
)

func (t *ticket) undo(a Action) {
	if len(a.Undo) == 0 && a.UndoNote == "" {
		return
	}
	does := "writes back what was there"
	if a.Effect == Create {
		does = "takes it out again"
	}
	for _, op := range a.Undo {
		if op.Call == nil {
			t.line("Undo: %s", words(op.Text()))
			continue
		}
		t.line("Undo (%s):", does)
		t.fence("http", problem.Plain(request(*op.Call)))
		if r := op.Call.Redacted(nil); r.Body != nil {
			t.fence("json", Pretty(r.Body))
		}
		if op.Assumed != "" {
			t.line("**Assumed:** the vendor does not document this call: %s.", words(op.Assumed))
		}
	}
	if a.UndoNote != "" {
		t.line("Undo: %s", words(a.UndoNote))
	}
}

// undoMeans says by what operations take something back.
func undoMeans(ops []Op) string {
	if slices.ContainsFunc(ops, func(op Op) bool { return op.Kind == KindCall || op.Kind == KindSession }) {
		return "by API"
	}
	if slices.ContainsFunc(ops, func(op Op) bool { return op.Kind == KindRemote }) {
		return "over SSH"
	}
	return "on this machine"
}

// undoing says in one place what can be taken back, last action first, and what cannot.
func (t *ticket) undoing(p Plan) {
	t.line("## Undo")
	t.line("From the bottom up; each action above has the exact requests.")
	t.head("no.", "object", "name", "how it is taken back")
	for i := len(p.Actions) - 1; i >= 0; i-- {
		a := p.Actions[i]
		how := "nothing to take back: it stays as it is"
		switch {
		case len(a.Undo) > 0 && a.UndoNote != "":
			how = undoMeans(a.Undo) + ", and: " + words(a.UndoNote)
		case len(a.Undo) > 0:
			how = undoMeans(a.Undo)
		case a.UndoNote != "":
			how = words(a.UndoNote)
		case a.Effect == ByHand:
			how = "by hand, the clicks backwards"
		case a.Effect != Adopt:
			how = "**cannot be taken back by npsetup**"
		}
		t.row(fmt.Sprint(i+1), words(a.Object), cell(a.Name), how)
	}
	t.end()
}
