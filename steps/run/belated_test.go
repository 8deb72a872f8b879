package run_test

import (
	"slices"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// TestARefusalOfWhatIsThereByNow: a creation of which an earlier run never saw the answer, and which the server refuses now, was carried out
// in between when its object shows what was sent. Nothing else lets a refusal pass.
func TestARefusalOfWhatIsThereByNow(t *testing.T) {
	body := plan.Object{
		{Name: "name", Value: plan.String("n")},
		{Name: "of", Value: plan.Ref{Action: "before", Output: "id", What: "it"}},
		{Name: "max", Value: plan.Int(60)},
		{Name: "rows", Value: plan.Array{plan.Object{{Name: "x", Value: plan.Bool(true)}}}},
		{Name: "key", Value: plan.SecretLeaf{Name: "key", Secret: secret.New(marker)}},
		{Name: "left out", Value: plan.String("of lists")},
	}
	const own = `{"id":"7","name":"n","of":"B","max":60.0,"rows":[{"x":true,"id":"9"}],"key":"***","more":1}`
	lost := []run.Entry{{Action: "a", Op: "a", State: run.Lost}}
	for name, c := range map[string]struct {
		lost   []run.Entry
		status int
		row    string
		edit   func(*plan.Action)
		own    bool
	}{
		"its own":                {lost, 400, own, nil, true},
		"its own, by a conflict": {lost, 409, own, nil, true},
		"never sent before":      {nil, 400, own, nil, false},
		"another operation's":    {[]run.Entry{{Action: "a", Op: "b"}, {Action: "b", Op: "a"}}, 400, own, nil, false},
		"only its name":          {lost, 400, `{"id":"7","name":"n","key":"***"}`, nil, false},
		"not there":              {lost, 400, `{"id":"7","name":"another"}`, nil, false},
		"another value":          {lost, 400, `{"id":"7","name":"n","max":61}`, nil, false},
		"another reference":      {lost, 400, `{"id":"7","name":"n","of":"C"}`, nil, false},
		"another row":            {lost, 400, `{"id":"7","name":"n","rows":[{"x":false}]}`, nil, false},
		"more rows":              {lost, 400, `{"id":"7","name":"n","rows":[{"x":true},{"x":true}]}`, nil, false},
		"no rows":                {lost, 400, `{"id":"7","name":"n","rows":null}`, nil, false},
		"another kind of value":  {lost, 400, `{"id":"7","name":"n","max":{"n":60}}`, nil, false},
		"no id":                  {lost, 400, `{"name":"n"}`, nil, false},
		"a failure":              {lost, 500, own, nil, false},
		"a role that is missing": {lost, 403, own, nil, false},
		"an update":              {lost, 400, own, func(a *plan.Action) { a.Effect = plan.Update }, false},
		"never to be repeated":   {lost, 400, own, func(a *plan.Action) { a.Ops[0].Repeat = plan.Never }, false},
		"nothing to look for":    {lost, 400, own, func(a *plan.Action) { a.Ops[0].Lookup = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := &world{
				lost: c.lost, answer: map[string]string{"before": `{"id":"B"}`}, rows: map[string][]string{"list": {`{"id":"1","name":"other"}`, c.row}},
				fail: map[string]error{"a": of(problem.Failed)}, status: map[string]int{"a": c.status},
			}
			before, a := create("before"), named("a")
			before.Ops[0].Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
			a.Ops[0].Call.Body = body
			if c.edit != nil {
				c.edit(&a)
			}
			r := w.apply(t, before, a)
			last := w.entries[len(w.entries)-1]
			if !c.own {
				wantOutcomes(t, r, steps.Done, steps.Failed)
				if len(w.made) != 1 {
					t.Errorf("it is noted as made: %v", w.made)
				}
				return
			}
			wantOutcomes(t, r, steps.Done, steps.Done)
			if last.State != run.Carried || last.Outputs["id"] != "7" || w.made[1].ID != "7" || w.made[1].Effect != plan.Create.String() {
				t.Errorf("%+v %v", last, w.made)
			}
			if sent := w.sent(); !slices.Equal(sent, []string{"before", "a"}) {
				t.Errorf("sent %v", sent)
			}
		})
	}
}
