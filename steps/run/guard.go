package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
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
	ds, err := changed(g, raw)
	if err != nil {
		return err
	}
	if len(ds) > 0 {
		return stale.Because("the object changed since it was read: " + strings.Join(ds, "; "))
	}
	return nil
}

// changed lists what a row has otherwise than the guard wants it. Of secrets it says only that they changed.
func changed(g plan.Guard, row json.RawMessage) ([]string, error) {
	read, err := plan.Parse(row)
	if err != nil {
		return nil, err
	}
	now, isObject := plan.Veiled(read).(plan.Object)
	if !isObject {
		return []string{"it cannot be read"}, nil
	}
	skip := append([]string{}, g.Volatile...)
	var ds []string
	for _, m := range g.Want {
		is := now.Get(m.Name)
		if is == nil {
			is = plan.Null()
		}
		if slices.Contains(skip, m.Name) || !plan.HasSecret(m.Value) && !plan.HasSecret(is) {
			continue
		}
		skip = append(skip, m.Name)
		before, err := plan.Sealed(m.Value)
		if err != nil {
			return nil, err
		}
		after, err := plan.Sealed(is)
		if err != nil {
			return nil, err
		}
		if !sameJSON(before, after) {
			ds = append(ds, problem.Plain(m.Name+" is another secret"))
		}
	}
	want, err := plan.Encode(g.Want.Without(skip...))
	if err != nil {
		return nil, err
	}
	return append(ds, unlike(want, row)...), nil
}

// unlike lists the members of want that are otherwise in have. One that have lacks counts as null there; what want does not
// name is not looked at.
func unlike(want, have json.RawMessage) []string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(want, &a) != nil || json.Unmarshal(have, &b) != nil {
		return []string{"it cannot be read"}
	}
	var ds []string
	for name := range a {
		if !sameJSON(a[name], b[name]) {
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
