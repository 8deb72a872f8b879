package run

import (
	"encoding/json"
	"slices"

	"npsetup/steps/plan"
)

// undoPrefix begins the keys of the actions of an undo: they are not undone themselves.
const undoPrefix = "undo/"

// Back is how an action is taken back. It stands in the journal before the first change of the action leaves, so that whoever
// finds the journal needs neither the plan nor the answers of that day.
type Back struct {
	Step   string          `json:"step"`
	Object string          `json:"object"`
	Name   string          `json:"name"`
	Effect string          `json:"effect"`
	Needs  []string        `json:"needs,omitempty"` // keys of the actions that had to be done before
	Uses   []string        `json:"uses,omitempty"`  // ids in its calls: of what earlier runs made too
	Ops    json.RawMessage `json:"ops,omitempty"`   // as plan.KeepOps writes them
	Note   string          `json:"note,omitempty"`  // what no operation takes back
	Where  string          `json:"where,omitempty"` // where a person did it
}

// beyond is said of an action that nothing takes back.
const beyond = "npsetup cannot take it back"

// backOf describes how an action is taken back; nil for one that leaves nothing behind.
func backOf(a plan.Action, needs []string) (*Back, error) {
	if a.Effect == plan.Adopt || a.OpensSession() || isUndo(a) {
		return nil, nil
	}
	b := &Back{Step: a.Step, Object: a.Object, Name: a.Name, Effect: a.Effect.String(), Needs: needs, Uses: idsIn(a.Ops), Note: a.UndoNote}
	if m := a.Manual(); m != nil {
		b.Where = m.Where
		if b.Note == "" {
			b.Note = m.Undo
		}
	}
	ops, whole := a.Undoing()
	if len(ops) > 0 {
		raw, err := plan.KeepOps(ops)
		if err != nil {
			return nil, err
		}
		b.Ops = raw
	}
	if b.Note == "" && a.Effect != plan.ByHand && (!whole || len(ops) == 0) {
		b.Note = beyond
	}
	return b, nil
}

// back gives that of an action once, with its first change.
func (r *runner) back(action string) *Back {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.backs[action]
	delete(r.backs, action)
	return b
}

// hand notes down that a person was asked to do an action, or has done it. Nothing is noted down of an undo.
func (r *runner) hand(a plan.Action, state string) error {
	b, err := backOf(a, r.needs[a.Key])
	if err != nil || b == nil {
		return err
	}
	return r.journal(Entry{Action: a.Key, Effect: plan.ByHand.String(), State: state, Request: "by hand", Back: b})
}

// finds keeps how the result of an operation is found again, for an undo that comes before anybody has looked.
func finds(op plan.Op) json.RawMessage {
	if op.Lookup == nil || len(op.Outputs) == 0 {
		return nil
	}
	raw, err := plan.KeepLookup(*op.Lookup, op.Outputs)
	if err != nil {
		return nil // a lookup with a secret in it: none has one
	}
	return raw
}

// noted is what the journal keeps of a body, redacted. An object that is written back whole holds much that is not this run's: of it only the
// members that are set are kept, as they become.
func (r *runner) noted(op plan.Op) string {
	c := *op.Call
	body, isObject := c.Body.(plan.Object)
	switch {
	case !isObject:
	case op.Trace != nil && op.Trace.Fields != nil: // of an undo
		c.Body = only(body, func(m plan.Member) bool {
			return slices.ContainsFunc(op.Trace.Changed, func(c plan.Changed) bool { return c.Member == m.Name })
		})
	case op.Guard != nil:
		want, _ := plan.Sealed(op.Guard.Want) // what a server gave holds no reference
		c.Body = only(body, func(m plan.Member) bool {
			now, err := plan.Sealed(plan.Object{m})
			return err != nil || len(unlike(now, want)) > 0
		})
	}
	return string(c.Redacted(r.resolve).Body)
}

func only(o plan.Object, keep func(plan.Member) bool) plan.Object {
	kept := plan.Object{}
	for _, m := range o {
		if keep(m) {
			kept = append(kept, m)
		}
	}
	return kept
}
