package nps

import (
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Object is one row of the server: decoded for judging, whole for writing back.
type Object[T any] struct {
	Row T
	Raw plan.Object
}

// Find collects the rows of a list that match. An unreadable row is an error: overlooking one could make an object twice.
func Find[T any](ctx context.Context, s *steps.Scene, c plan.Call, match func(T) bool) ([]Object[T], error) {
	r, ok := steps.Get(s, ReaderKey)
	if !ok {
		return nil, problem.New("nobody is signed in to NPS")
	}
	var found []Object[T]
	err := r.List(ctx, c, func(raw json.RawMessage) (bool, error) {
		row, err := npsapi.Decode[T](raw)
		if err != nil {
			return false, err
		}
		if !match(row) {
			return true, nil
		}
		o, err := Whole(raw)
		if err != nil {
			return false, err
		}
		found = append(found, Object[T]{row, o})
		return true, nil
	})
	return found, err
}

// Whole reads a row with all its members. What is a secret by its name is one.
func Whole(raw json.RawMessage) (plan.Object, error) {
	v, err := plan.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("a row of NPS cannot be read: %w", err)
	}
	o, ok := plan.Veiled(v).(plan.Object)
	if !ok {
		return nil, fmt.Errorf("a row of NPS is no object")
	}
	return o, nil
}

// Read reads one object in full.
func Read[T any](ctx context.Context, s *steps.Scene, c plan.Call) (Object[T], error) {
	r, ok := steps.Get(s, ReaderKey)
	if !ok {
		return Object[T]{}, problem.New("nobody is signed in to NPS")
	}
	a, err := r.Read(ctx, c)
	if err != nil {
		return Object[T]{}, err
	}
	row, err := npsapi.Decode[T](a.Body)
	if err != nil {
		return Object[T]{}, err
	}
	o, err := Whole(a.Body)
	return Object[T]{row, o}, err
}

// Observe makes the lasting members of an object part of the fingerprint.
func Observe(s *steps.Scene, key string, o plan.Object) {
	if o == nil {
		s.Observe(key, nil)
		return
	}
	raw, err := plan.Sealed(o.Without(Volatile()...)) // only its sum stays
	if err != nil {
		raw = []byte(`"unreadable"`)
	}
	s.Observe(key, json.RawMessage(raw))
}

// Volatile names the members that change by themselves: counts, times, log-ons.
func Volatile() []string {
	return []string{
		"lastLogonTimestamp", "activeSessionCount", "scheduledSessionCount", "accessPolicyCount", "protectionPolicyCount", "modifiedDateTimeUtc",
		"lastScanTimeUtc", "modifiedBy", "lastModifiedBy",
	}
}

// Member is a scalar member as text: strings bare, null and absent as empty.
func Member(o plan.Object, name string) string {
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

// Namesakes parts the rows of a name: those that live, and the last of the softly deleted ones, or nil.
func Namesakes[T any](found []Object[T], name string, of func(T) (name string, deleted bool)) (live []Object[T], deleted *Object[T]) {
	for i := range found {
		switch n, gone := of(found[i].Row); {
		case !Same(n, name):
		case gone:
			deleted = &found[i]
		default:
			live = append(live, found[i])
		}
	}
	return live, deleted
}

// Last is the last of the rows, or nil.
func Last[T any](rows []Object[T]) *Object[T] {
	if len(rows) == 0 {
		return nil
	}
	return &rows[len(rows)-1]
}

// IDs lists the ids of rows.
func IDs[T any](found []Object[T], id func(T) string) []string {
	list := make([]string, len(found))
	for i, o := range found {
		list[i] = id(o.Row)
	}
	return list
}

// Same compares names and ids as NPS does: letters' case aside.
func Same(a, b string) bool { return strings.EqualFold(a, b) }

// Several is the problem of a name that should be unique and is not.
func Several(kind, name string, ids []string) error {
	sort.Strings(ids)
	return problem.New(fmt.Sprintf("NPS has %d objects of the kind %s named %q", len(ids), kind, problem.Plain(name))).Coded(problem.NameNotUnique).
		Because("their ids are " + problem.Plain(strings.Join(ids, ", "))).
		Try("rename or delete the ones that are not meant in NPS, then run the same command again")
}

// Adopted is the action for an object that is there and as wanted: shown once, when it was not made by this run.
func Adopted(s *steps.Scene, key, kind, name string) []plan.Action {
	if s.Memory.Made[steps.MadeKey(kind, name)] {
		return nil
	}
	return []plan.Action{{Key: key, Effect: plan.Adopt, Object: kind, Name: name, Notes: []string{"it is there and as wanted; nothing is sent"}}}
}

// CallOp is one call as an operation; its class and assumption come from the call table.
func CallOp(id string, c plan.Call) plan.Op {
	op, _ := npsapi.Lookup(c.Operation)
	return plan.Op{ID: id, Kind: plan.KindCall, Class: op.Class, Repeat: plan.ByName, Call: &c, Assumed: npsapi.AssumedReason(c.Operation)}
}

// UndoOp is the undo of an action by one call.
func UndoOp(c plan.Call) []plan.Op { return []plan.Op{CallOp("undo", c)} }

// Traced gives operations of an undo the way in which they see what is left to do.
func Traced(ops []plan.Op, t *plan.Trace) []plan.Op {
	for i := range ops {
		ops[i].Trace = t
	}
	return ops
}

// WithoutRowIDs takes the identity out of the rows of a cloned object's lists, so that the copy gets its own.
func WithoutRowIDs(o plan.Object) plan.Object {
	for _, m := range o {
		list, ok := m.Value.(plan.Array)
		if !ok {
			continue
		}
		copied := make(plan.Array, 0, len(list))
		for _, v := range list {
			if row, ok := v.(plan.Object); ok {
				v = row.Without("id", "activityConfigurationId", "createdDateTimeUtc", "modifiedDateTimeUtc", "nodeId")
			}
			copied = append(copied, v)
		}
		o = o.With(m.Name, copied)
	}
	return o
}

// Returned makes an update bring a softly deleted object back, and show it.
func Returned(body plan.Object, ds []plan.Difference) (plan.Object, []plan.Difference) {
	return body.With("isDeleted", plan.Bool(false)), append([]plan.Difference{{Label: "deleted", Field: "isDeleted", From: "true", To: "false"}}, ds...)
}
