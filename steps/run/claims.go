package run

import (
	"encoding/json"
	"slices"
	"strings"

	"npsetup/steps/plan"
)

// claims are what the newer deeds of an undo take back already: an action that was stopped and done again has two deeds, and one
// object. What the older one sees is what the newer one will leave.
type claims struct {
	taken  map[string]bool                       // requests that take something away
	will   map[string]map[string]json.RawMessage // by object, the members that are written back, as they will be
	by     map[string]string                     // by object, the undo action that writes it last
	before map[string][]string                   // by undo action, those whose writing it rests on
}

func newClaims() claims {
	return claims{taken: map[string]bool{}, will: map[string]map[string]json.RawMessage{}, by: map[string]string{}, before: map[string][]string{}}
}

// take says whether a request is nobody's yet, and takes it.
func (c claims) take(request string) bool {
	if c.taken[request] {
		return false
	}
	c.taken[request] = true
	return true
}

// requestOf is a request as text, in full.
func requestOf(c plan.Call) string {
	r := c.Redacted(nil)
	return r.Method + " " + r.Path + " " + string(r.Body)
}

// objectOf names the row that a lookup finds.
func objectOf(l plan.Lookup) string { return requestOf(l.Call) + " " + l.Member + " " + l.Value }

// ahead is a row as it will be when the newer deeds are taken back.
func (c claims) ahead(l plan.Lookup, row plan.Object) (plan.Object, error) {
	for member, raw := range c.will[objectOf(l)] {
		value, err := plan.Parse(raw)
		if err != nil {
			return nil, err
		}
		row = row.With(member, value)
	}
	return row, nil
}

// writes notes down what an undo action makes of an object.
func (c claims) writes(action string, l plan.Lookup, back []plan.Changed) {
	object := objectOf(l)
	if last := c.by[object]; last != "" && last != action {
		c.before[action] = append(c.before[action], last)
	}
	c.by[object] = action
	if c.will[object] == nil {
		c.will[object] = map[string]json.RawMessage{}
	}
	for _, changed := range back {
		c.will[object][changed.Member] = changed.Was
	}
}

// texts lists the texts in the calls of operations, in small letters.
func texts(ops []plan.Op) []string {
	var list []string
	var walk func(v plan.Value)
	walk = func(v plan.Value) {
		switch v := v.(type) {
		case plan.Object:
			for _, m := range v {
				walk(m.Value)
			}
		case plan.Array:
			for _, one := range v {
				walk(one)
			}
		default:
			if text, is := plan.TextOf(v, nil); is && text != "" {
				list = append(list, strings.ToLower(text))
			}
		}
	}
	for _, op := range ops {
		if op.Kind != plan.KindCall {
			continue
		}
		for _, p := range op.Call.Params {
			walk(p.Value)
		}
		walk(op.Call.Body)
	}
	return list
}

// idsIn lists the ids that the calls of operations name, each once.
func idsIn(ops []plan.Op) []string {
	ids := slices.DeleteFunc(texts(ops), func(t string) bool {
		return len(t) != 36 || t[8] != '-' || t[13] != '-' || t[18] != '-' || t[23] != '-'
	})
	slices.Sort(ids)
	return slices.Compact(ids)
}

// namedIn gives the keys of the actions that name an id, or whose deed did, by that id. The second run after a stop knew it, and did
// not refer to what the first had made.
func namedIn(actions []plan.Action, deeds []Deed) map[string][]string {
	uses := map[string][]string{}
	for _, d := range deeds {
		uses[d.Key] = d.Uses
	}
	names := map[string][]string{}
	for _, a := range actions {
		for _, text := range slices.Concat(texts(a.Ops), uses[a.Key]) {
			if in := names[text]; len(in) == 0 || in[len(in)-1] != a.Key {
				names[text] = append(in, a.Key)
			}
		}
	}
	return names
}

// usersOf are the actions that name what an action takes away.
func usersOf(a plan.Action, names map[string][]string) []string {
	var keys []string
	for _, op := range a.Ops {
		if op.Trace == nil || !op.Trace.Made {
			continue
		}
		if id, known := plan.TextOf(op.Trace.ID, nil); known {
			for _, key := range names[strings.ToLower(id)] {
				if key != a.Key {
					keys = append(keys, key)
				}
			}
		}
	}
	return keys
}
