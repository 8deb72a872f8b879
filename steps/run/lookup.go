package run

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// resolved is a call with its references replaced by what they stand for.
func (r *runner) resolved(c plan.Call) (plan.Call, error) {
	params := make([]plan.Param, len(c.Params))
	for i, p := range c.Params {
		if ref, is := p.Value.(plan.Ref); is {
			v, known := r.resolve(ref)
			if !known {
				return c, problem.New(fmt.Sprintf("the %s of %s is not known", ref.Output, ref.What))
			}
			p.Value = plan.String(v)
		}
		params[i] = p
	}
	c.Params = params
	return c, nil
}

// lookup finds one row, exactly.
func (r *runner) lookup(ctx context.Context, l plan.Lookup) (json.RawMessage, bool, error) {
	c, err := r.resolved(l.Call)
	if err != nil {
		return nil, false, err
	}
	if l.Member == "" {
		a, err := r.Sender.Read(ctx, c)
		if problem.Is(err, problem.NotFound) {
			return nil, false, nil
		}
		return a.Body, err == nil && len(a.Body) > 0, err
	}
	var row json.RawMessage
	n := 0
	err = r.Sender.List(ctx, c, func(raw json.RawMessage) (bool, error) {
		if fits(raw, l) {
			row = append(json.RawMessage{}, raw...)
			n++
		}
		return true, nil
	})
	if err == nil && n > 1 {
		err = problem.New(fmt.Sprintf("%d objects are named %q", n, problem.Plain(l.Value))).Coded(problem.NameNotUnique).Because("names should be unique").Try("rename or delete the ones that are not meant in NPS, then npsetup resume --yes")
	}
	return row, n == 1, err
}

func fits(raw json.RawMessage, l plan.Lookup) bool {
	var row map[string]any
	if json.Unmarshal(raw, &row) != nil {
		return false
	}
	if deleted, _ := row["isDeleted"].(bool); deleted && !l.Deleted {
		return false
	}
	equal := func(member, want string) bool {
		have, _ := row[member].(string)
		return strings.EqualFold(have, want)
	}
	for _, also := range l.Also {
		if !equal(also.Member, also.Value) {
			return false
		}
	}
	return equal(l.Member, l.Value)
}

// extract follows the pointers of outputs. It answers false when one leads nowhere.
func extract(raw json.RawMessage, outputs []plan.Output) (map[string]string, bool) {
	found := map[string]string{}
	if len(outputs) == 0 {
		return found, true
	}
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil, false
	}
	for _, o := range outputs {
		text, ok := follow(v, o.Pointer)
		if !ok {
			return nil, false
		}
		found[o.Name] = text
	}
	return found, true
}

// follow takes a JSON pointer of plain names and indexes to a text.
func follow(v any, pointer string) (string, bool) {
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			var i int
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i < 0 || i >= len(at) {
				return "", false
			}
			v = at[i]
		default:
			return "", false
		}
	}
	s, ok := v.(string)
	return s, ok && s != ""
}

// patiently looks again after one, two and four seconds when what a patient lookup seeks is not there yet.
func (r *runner) patiently(ctx context.Context, l plan.Lookup) (json.RawMessage, bool, error) {
	row, found, err := r.lookup(ctx, l)
	for pause := time.Second; l.Patient && r.Wait != nil && !found && err == nil && pause <= 4*time.Second; pause *= 2 {
		if err := r.Wait(ctx, pause); err != nil {
			return nil, false, err
		}
		row, found, err = r.lookup(ctx, l)
	}
	return row, found, err
}
