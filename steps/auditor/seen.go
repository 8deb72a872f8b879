package auditor

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// object is one row of the server: decoded for judging, whole for writing back.
type object[T any] struct {
	Row T
	Raw plan.Object
}

// find collects the rows of a list that match. An unreadable row is an error: overlooking one could make an object twice.
func find[T any](ctx context.Context, s *steps.Scene, c plan.Call, match func(T) bool) ([]object[T], error) {
	r, ok := steps.Get(s, nps.ReaderKey)
	if !ok {
		return nil, problem.New("nobody is signed in to NPS")
	}
	var found []object[T]
	err := r.List(ctx, c, func(raw json.RawMessage) (bool, error) {
		row, err := npsapi.Decode[T](raw)
		if err != nil {
			return false, err
		}
		if !match(row) {
			return true, nil
		}
		o, err := whole(raw)
		if err != nil {
			return false, err
		}
		found = append(found, object[T]{row, o})
		return true, nil
	})
	return found, err
}

func whole(raw json.RawMessage) (plan.Object, error) {
	v, err := plan.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("a row of NPS cannot be read: %w", err)
	}
	o, ok := v.(plan.Object)
	if !ok {
		return nil, fmt.Errorf("a row of NPS is no object")
	}
	return o, nil
}

// read reads one object in full.
func read[T any](ctx context.Context, s *steps.Scene, c plan.Call) (object[T], error) {
	r, ok := steps.Get(s, nps.ReaderKey)
	if !ok {
		return object[T]{}, problem.New("nobody is signed in to NPS")
	}
	a, err := r.Read(ctx, c)
	if err != nil {
		return object[T]{}, err
	}
	row, err := npsapi.Decode[T](a.Body)
	if err != nil {
		return object[T]{}, err
	}
	o, err := whole(a.Body)
	return object[T]{row, o}, err
}

// observe makes the lasting members of an object part of the fingerprint.
func observe(s *steps.Scene, key string, o plan.Object) {
	if o == nil {
		s.Observe(key, nil)
		return
	}
	raw, err := plan.Encode(o.Without(volatile()...))
	if err != nil {
		raw = []byte(`"unreadable"`)
	}
	s.Observe(key, json.RawMessage(raw))
}

// volatile names the members that change by themselves: counts, times, log-ons.
func volatile() []string {
	return []string{
		"lastLogonTimestamp", "activeSessionCount", "scheduledSessionCount", "accessPolicyCount", "protectionPolicyCount", "modifiedDateTimeUtc",
		"lastScanTimeUtc", "modifiedBy", "lastModifiedBy",
	}
}

// member is a scalar member as text: strings bare, null and absent as empty.
func member(o plan.Object, name string) string {
	v := o.Get(name)
	if v == nil {
		return ""
	}
	raw, err := plan.Encode(v)
	if err != nil || string(raw) == "null" {
		return ""
	}
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	return string(raw)
}

// setting is one member that the guide wants to have a value.
type setting struct {
	Label, Field string
	Want         plan.Value
	Shown        string // how Want is shown
	Unit         string // behind what is shown; not part of the value
	Mark         string
}

func text(label, field, want string) setting {
	return setting{Label: label, Field: field, Want: plan.String(want), Shown: want}
}

func numeral(label, field string, want int, shown string) setting {
	return setting{Label: label, Field: field, Want: plan.Int(want), Shown: shown}
}

func truth(label, field string, want bool) setting {
	return setting{Label: label, Field: field, Want: plan.Bool(want), Shown: spoken(fmt.Sprint(want))}
}

// spoken writes truth values as the product does.
func spoken(v string) string {
	switch v {
	case "true":
		return "True"
	case "false":
		return "False"
	}
	return v
}

// shown is the wanted value for people, with its unit.
func (st setting) shown() string {
	if st.Unit == "" {
		return st.Shown
	}
	return st.Shown + " " + st.Unit
}

func (st setting) marked(mark string) setting { st.Mark = mark; return st }

// wantText is the wanted value in the spelling of member.
func (st setting) wantText() string { return member(plan.Object{{Name: "x", Value: st.Want}}, "x") }

// differing lists the settings that an object does not have as wanted.
func differing(o plan.Object, wanted []setting) []plan.Difference {
	var ds []plan.Difference
	for _, st := range wanted {
		if have := member(o, st.Field); have != st.wantText() {
			ds = append(ds, plan.Difference{Label: st.Label, Field: st.Field, From: spoken(orNothing(have)), To: st.shown(), Mark: st.Mark})
		}
	}
	return ds
}

func orNothing(s string) string {
	if s == "" {
		return "(nothing)"
	}
	return problem.Plain(s)
}

// fresh lists the settings of an object that is to be made.
func fresh(wanted []setting) []plan.Difference {
	ds := make([]plan.Difference, 0, len(wanted))
	for _, st := range wanted {
		ds = append(ds, plan.Difference{Label: st.Label, Field: st.Field, To: st.shown(), Mark: st.Mark})
	}
	return ds
}

func apply(o plan.Object, wanted []setting) plan.Object {
	for _, st := range wanted {
		o = o.With(st.Field, st.Want)
	}
	return o
}

func rows(o plan.Object, wanted []setting) []steps.Row {
	var rs []steps.Row
	for _, st := range wanted {
		rs = append(rs, steps.Row{Label: st.Label, Value: problem.Plain(member(o, st.Field)), Wanted: st.Shown})
	}
	return rs
}

// namesakes parts the rows of a name: those that live, and the last of the softly deleted ones, or nil.
func namesakes[T any](found []object[T], name string, of func(T) (name string, deleted bool)) (live []object[T], deleted *object[T]) {
	for i := range found {
		switch n, gone := of(found[i].Row); {
		case !same(n, name):
		case gone:
			deleted = &found[i]
		default:
			live = append(live, found[i])
		}
	}
	return live, deleted
}

// last is the last of the rows, or nil.
func last[T any](rows []object[T]) *object[T] {
	if len(rows) == 0 {
		return nil
	}
	return &rows[len(rows)-1]
}

func same(a, b string) bool { return strings.EqualFold(a, b) }

// several is the problem of a name that should be unique and is not.
func several(kind, name string, ids []string) error {
	sort.Strings(ids)
	return problem.New(fmt.Sprintf("NPS has %d objects of the kind %s named %q", len(ids), kind, problem.Plain(name))).Coded(problem.NameNotUnique).
		Because("their ids are " + problem.Plain(strings.Join(ids, ", "))).
		Try("rename or delete the ones that are not meant in NPS, then run the same command again")
}

// adopted is the action for an object that is there and as wanted: shown once, when it was not made by this run.
func adopted(s *steps.Scene, key, kind, name string) []plan.Action {
	if s.Memory.Made[steps.MadeKey(kind, name)] {
		return nil
	}
	return []plan.Action{{Key: key, Effect: plan.Adopt, Object: kind, Name: name, Notes: []string{"it is there and as wanted; nothing is sent"}}}
}

// callOp is one call as an operation; its class and assumption come from the call table.
func callOp(id string, c plan.Call) plan.Op {
	op, _ := npsapi.Lookup(c.Operation)
	return plan.Op{ID: id, Kind: plan.KindCall, Class: op.Class, Repeat: plan.ByName, Call: &c, Assumed: npsapi.AssumedReason(c.Operation)}
}

func undoOp(c plan.Call) []plan.Op { return []plan.Op{callOp("undo", c)} }
