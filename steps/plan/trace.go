package plan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// Trace is how an undo sees, before it does anything, what is left to take back. It belongs to the calls in Action.Undo.
type Trace struct {
	Lookup  Lookup    // reads the object, or with Members the list, as it is now
	Made    bool      // the call takes away what was made: without the object there is nothing left to do
	ID      Value     // with Made: the object's id, so that a namesake is not taken for it
	Pointer string    // with Made: where the row has it
	Changed []Changed // the members that were set
	Fields  []string  // the call writes the object back whole: it takes these members of a fresh one, and the former values of those that were set
	Members bool      // the call's body is a list of objects with an id: those that are still in the list are meant
}

// Changed is one member that was set (see In): what it was before, and what it became. Both are JSON; an absent member is null. What it
// became may be known only after apply: see Now.
type Changed struct {
	Member      string
	Was, Became json.RawMessage
}

// Undoing gives the operations that take an action back, each with its trace where one can be found: of a call that takes
// away, by how the made object is found again; of one that writes back, by what its change was held against. What has a
// secret in it is left out, since it may be kept nowhere; whole says that nothing was.
func (a Action) Undoing() (ops []Op, whole bool) {
	whole = true
	for _, op := range a.Undo {
		if op.Kind == KindCall && op.Trace == nil {
			op.Trace = a.traceOf(*op.Call)
		}
		if op.Call != nil && len(op.Call.Secrets()) > 0 && (op.Trace == nil || op.Trace.Fields == nil) { // with Fields, no body is kept
			whole = false
			continue
		}
		ops = append(ops, op)
	}
	return ops, whole
}

func (a Action) traceOf(back Call) *Trace {
	for _, ref := range back.Refs() {
		for _, op := range a.Ops {
			for _, o := range op.Outputs {
				if ref.Action == a.Key && ref.Output == o.Name && op.Lookup != nil {
					return &Trace{Lookup: *op.Lookup, Made: true, ID: ref, Pointer: o.Pointer}
				}
			}
		}
	}
	for _, op := range a.Ops {
		if op.Kind != KindCall || op.Guard == nil || op.Call.Operation != back.Operation {
			continue
		}
		was, isObject := back.Body.(Object)
		became, too := op.Call.Body.(Object)
		if !isObject || !too {
			continue
		}
		if changed, open := changes(was, became); open {
			return &Trace{Lookup: op.Guard.Lookup, Changed: changed, Fields: memberNames(was)}
		}
	}
	return nil
}

func memberNames(o Object) []string {
	list := make([]string, len(o))
	for i, m := range o {
		list[i] = m.Name
	}
	return list
}

// changes lists the members of became that are otherwise in was. It answers false when one of them has a secret in it: that is kept
// nowhere, so that it cannot be written back.
func changes(was, became Object) (list []Changed, open bool) {
	for _, m := range became {
		before := was.Get(m.Name)
		if before == nil {
			before = Null()
		}
		if HasSecret(before) || HasSecret(m.Value) {
			if !sameSealed(before, m.Value) {
				return nil, false
			}
			continue
		}
		old := shown(before)
		after, err := KeepValue(m.Value)
		if err == nil && !bytes.Equal(old, after) {
			list = append(list, Changed{Member: m.Name, Was: old, Became: after})
		}
	}
	return list, true
}

func sameSealed(a, b Value) bool {
	x, errX := Sealed(a)
	y, errY := Sealed(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// In is what the member is in a row; nil: the row does not have it. LIST/NAME is the value of the one in a list that has this name, as text.
func (c Changed) In(row Object) Value {
	list, name, named := strings.Cut(c.Member, "/")
	if !named {
		return row.Get(c.Member)
	}
	rows, _ := row.Get(list).(Array)
	for _, r := range rows {
		one, _ := r.(Object)
		if has, known := TextOf(one.Get("name"), nil); !known || !strings.EqualFold(has, name) {
			continue
		}
		v := one.Get("value")
		if raw, err := Encode(v); err == nil && len(raw) > 0 && raw[0] != '"' && string(raw) != "null" {
			return String(string(raw))
		}
		return v
	}
	return nil
}

// Now is what the member became, as far as it is known.
func (c Changed) Now(known Resolver) (json.RawMessage, bool) {
	v, err := keptValue(c.Became)
	if err != nil || v == nil {
		return c.Became, err == nil
	}
	filled, open := Known(v, known)
	if len(open) > 0 {
		return nil, false
	}
	raw, err := Encode(filled)
	return raw, err == nil
}

// Whole is the body that writes an object back: fresh, but for the members that are named, which take their former values.
func (t Trace) Whole(fresh Object, back []Changed) (Object, error) {
	body := Object{}
	for _, name := range t.Fields {
		if v := fresh.Get(name); v != nil {
			body = append(body, Member{name, v})
		}
	}
	for _, c := range back {
		v, err := Parse(c.Was)
		if err != nil {
			return nil, err
		}
		switch {
		case slices.Contains(t.Fields, c.Member):
			body = body.With(c.Member, v)
		default:
			body = body.Without(c.Member)
		}
	}
	return body, nil
}

// NothingBehind is Manual.Undo of what leaves nothing behind that could be taken back.
const NothingBehind = "nothing"
