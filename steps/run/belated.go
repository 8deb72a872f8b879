package run

import (
	"context"
	"encoding/json"
	"slices"

	"npsetup/steps/plan"
)

// The statuses with which a server may say that a name is taken. Its words differ by version, and by kind of object.
const (
	badRequest = 400
	conflict   = 409
)

// belated looks again when a creation is refused that an earlier run had begun and never saw answered: the server may have carried that out
// only now, after the look that this plan rests on. What is there then and shows what was sent is this run's own, and stands for the answer. Whatever
// else is there, or nothing, leaves the refusal as it is.
func (r *runner) belated(ctx context.Context, a plan.Action, op plan.Op, answer plan.Answer, refused error) (plan.Answer, error) {
	if refused == nil || a.Effect != plan.Create || op.Repeat != plan.ByName || op.Lookup == nil || op.Lookup.Member == "" || answer.Status != badRequest && answer.Status != conflict {
		return answer, refused
	}
	if !slices.ContainsFunc(r.Lost, func(e Entry) bool { return e.Action == a.Key && e.Op == op.ID }) {
		return answer, refused
	}
	row, found, err := r.lookup(ctx, *op.Lookup)
	if err != nil || !found || !r.shows(row, op.Call.Body) {
		return answer, refused
	}
	answer.Body = row
	return answer, nil
}

// telling is how many members of what was sent a row has to show: a name alone may be anybody's.
const telling = 2

// shows says whether a row is what a body makes: what it shows is as it was sent, and it shows enough of it. Of a secret, and of members that a
// list leaves out, it says nothing.
func (r *runner) shows(row json.RawMessage, body plan.Value) bool {
	sent, open := plan.Known(body, r.resolve)
	parsed, err := plan.Parse(row)
	whole, isObject := sent.(plan.Object)
	is, shown := parsed.(plan.Object)
	if err != nil || !isObject || !shown || len(open) > 0 || !covers(is, whole) {
		return false
	}
	told := 0
	for _, m := range whole {
		if is.Get(m.Name) != nil && !plan.HasSecret(m.Value) {
			told++
		}
	}
	return told >= telling
}

func covers(is, sent plan.Value) bool {
	switch sent := sent.(type) {
	case plan.SecretLeaf:
		return true
	case plan.Object:
		row, isObject := is.(plan.Object)
		return isObject && !slices.ContainsFunc(sent, func(m plan.Member) bool {
			have := row.Get(m.Name)
			return have != nil && !covers(have, m.Value)
		})
	case plan.Array:
		row, isArray := is.(plan.Array)
		if !isArray || len(row) != len(sent) {
			return false
		}
		for i := range sent {
			if !covers(row[i], sent[i]) {
				return false
			}
		}
		return true
	}
	have, errHave := plan.Encode(is)
	want, errWant := plan.Encode(sent)
	return errHave == nil && errWant == nil && sameJSON(have, want)
}
