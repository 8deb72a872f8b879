package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// guard reads afresh what a change rests on. A difference makes the plan stale.
func (r *runner) guard(ctx context.Context, g plan.Guard) error {
	raw, found, err := r.lookup(ctx, g.Lookup)
	if err != nil {
		return err
	}
	stale := problem.New("the plan is stale").Try("make it again: npsetup plan shows what it would be now, npsetup resume --yes goes on with that").Of(problem.Stale)
	if !found {
		return stale.Because("the object that would be changed is no longer there")
	}
	want, err := plan.Encode(g.Want)
	if err != nil {
		return err
	}
	if ds := unlike(want, raw, g.Volatile); len(ds) > 0 {
		return stale.Because("the object changed since it was read: " + strings.Join(ds, "; "))
	}
	return nil
}

// unlike lists the members of want that are otherwise in have. One that have lacks counts as null there; what want does not
// name is not looked at.
func unlike(want, have json.RawMessage, volatile []string) []string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(want, &a) != nil || json.Unmarshal(have, &b) != nil {
		return []string{"it cannot be read"}
	}
	skip := map[string]bool{}
	for _, v := range volatile {
		skip[v] = true
	}
	var ds []string
	for name := range a {
		if !skip[name] && !sameJSON(a[name], b[name]) {
			ds = append(ds, problem.Plain(fmt.Sprintf("%s was %s and is %s", name, short(a[name]), short(b[name]))))
		}
	}
	sort.Strings(ds)
	return ds
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if len(a) > 0 && json.Unmarshal(a, &x) != nil || len(b) > 0 && json.Unmarshal(b, &y) != nil {
		return false
	}
	p, errP := json.Marshal(x)
	q, errQ := json.Marshal(y)
	return errP == nil && errQ == nil && bytes.Equal(p, q)
}

func short(raw json.RawMessage) string {
	s := string(raw)
	if s == "" {
		return "not there"
	}
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
