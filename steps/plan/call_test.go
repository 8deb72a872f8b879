package plan_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

// grower draws body trees. Each secret and each reference gets a value of its own, so that it is found again in what is sent.
type grower struct {
	t     *rapid.T
	shown map[string]string // value on the wire → text that people see
	known map[plan.Ref]string
	refs  []plan.Ref
}

func (g *grower) leafText() string {
	return fmt.Sprintf("leaf %d %s", len(g.shown), rapid.StringOfN(rapid.RuneFrom([]rune("aä\"\\<\n\x01世😀(")), 0, 6, -1).Draw(g.t, "leaf"))
}

func (g *grower) value(depth int) plan.Value {
	kind := rapid.IntRange(0, 8).Draw(g.t, "kind")
	if depth == 0 && kind > 5 {
		kind -= 3
	}
	switch kind {
	case 0:
		return plan.String(rapid.String().Draw(g.t, "text"))
	case 1:
		return plan.Int(rapid.Int().Draw(g.t, "number"))
	case 2:
		return plan.Bool(rapid.Bool().Draw(g.t, "truth"))
	case 3:
		return plan.Null()
	case 4:
		value, name := g.leafText(), g.leafText()
		g.shown[value] = "(secret: " + name + ")"
		return plan.SecretLeaf{Name: name, Secret: secret.New(value)}
	case 5:
		r := plan.Ref{Action: "a", Output: fmt.Sprintf("id%d", len(g.refs)), What: g.leafText()}
		value := g.leafText()
		g.shown[value], g.known[r] = r.String(), value
		g.refs = append(g.refs, r)
		return r
	case 6:
		var a plan.Array
		for range rapid.IntRange(0, 4).Draw(g.t, "length") {
			a = append(a, g.value(depth-1))
		}
		return a
	}
	var o plan.Object
	for range rapid.IntRange(0, 4).Draw(g.t, "members") {
		o = append(o, plan.Member{Name: rapid.String().Draw(g.t, "name"), Value: g.value(depth - 1)})
	}
	return o
}

func (g *grower) resolve(r plan.Ref) (string, bool) { v, ok := g.known[r]; return v, ok }

// redacted replaces what was sent by what was shown, leaf by leaf.
func (g *grower) redacted(v any) any {
	switch v := v.(type) {
	case string:
		if s, special := g.shown[v]; special {
			return s
		}
	case []any:
		for i := range v {
			v[i] = g.redacted(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = g.redacted(v[k])
		}
	}
	return v
}

func decoded(t *rapid.T, raw []byte) any {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// TestWhatIsShownIsWhatIsSent holds that the two differ in secrets and references only.
func TestWhatIsShownIsWhatIsSent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := &grower{t: t, shown: map[string]string{}, known: map[plan.Ref]string{}}
		c := plan.Call{Method: "POST", Path: "/api/v1/Thing", Body: g.value(4)}
		wire, err := c.Wire(g.resolve)
		if err != nil {
			t.Fatal(err)
		}
		shown := c.Redacted(nil)
		if wire.Method != shown.Method || wire.Path != shown.Path {
			t.Fatalf("sent %s %s, shown %s %s", wire.Method, wire.Path, shown.Method, shown.Path)
		}
		if got := g.redacted(decoded(t, wire.Body)); !reflect.DeepEqual(got, decoded(t, shown.Body)) {
			t.Fatalf("sent  %s\nshown %s", wire.Body, shown.Body)
		}
		// Byte for byte: the same replacement, done on the text.
		text := string(wire.Body)
		for value, s := range g.shown {
			text = strings.ReplaceAll(text, encoded(t, value), encoded(t, s))
		}
		if text != string(shown.Body) {
			t.Fatalf("sent  %s\nshown %s", text, shown.Body)
		}
		if len(c.Refs()) != len(g.refs) || len(c.Secrets()) != len(g.shown)-len(g.refs) {
			t.Fatalf("%d references and %d secrets are listed, of %d and %d", len(c.Refs()), len(c.Secrets()), len(g.refs), len(g.shown)-len(g.refs))
		}
		for i, r := range c.Refs() {
			if r != g.refs[i] {
				t.Fatalf("reference %d is %v, not %v", i, r, g.refs[i])
			}
		}
	})
}

func encoded(t *rapid.T, s string) string {
	raw, err := plan.Encode(plan.String(s))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestAnUnknownReferenceIsNotSent(t *testing.T) {
	r := profileRef()
	never := func(plan.Ref) (string, bool) { return "", false }
	other := func(x plan.Ref) (string, bool) { return "7", x.Output == "other" }
	for where, c := range map[string]plan.Call{
		"path":  {Method: "GET", Path: "/x/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: r}}},
		"query": {Method: "GET", Path: "/x", Params: []plan.Param{{Name: "id", Value: r}}},
		"body":  {Method: "PUT", Path: "/x", Body: plan.Array{plan.Object{{Name: "id", Value: r}}}},
	} {
		for _, known := range []plan.Resolver{nil, never, other} {
			request, err := c.Wire(known)
			if err == nil || !strings.Contains(err.Error(), `connection profile "Netwrix Auditor"`) {
				t.Errorf("%s: %v", where, err)
			}
			if request.Method != "" || request.Path != "" || request.Body != nil {
				t.Errorf("%s: %+v beside the error", where, request)
			}
		}
		shown := c.Redacted(nil)
		if text := shown.Path + strings.ReplaceAll(string(shown.Body), `\`, ""); !strings.Contains(text, r.String()) {
			t.Errorf("%s: %s does not show %s", where, text, r)
		}
		if refs := c.Refs(); len(refs) != 1 || refs[0] != r {
			t.Errorf("%s: %v", where, refs)
		}
	}
}

func TestAKnownReferenceIsFilledIn(t *testing.T) {
	known := func(r plan.Ref) (string, bool) { return "42/é", r == profileRef() }
	c := plan.Call{
		Method: "PUT", Path: "/x/{id}", Body: profileRef(),
		Params: []plan.Param{{Name: "id", Path: true, Value: profileRef()}, {Name: "q", Value: profileRef()}},
	}
	wire, err := c.Wire(known)
	if err != nil || wire.Path != "/x/42%2F%C3%A9?q=42%2F%C3%A9" || string(wire.Body) != `"42/é"` {
		t.Errorf("%+v %s %v", wire, wire.Body, err)
	}
	if shown := c.Redacted(known); !reflect.DeepEqual(shown, wire) {
		t.Errorf("shown %+v, sent %+v", shown, wire)
	}
}

func TestAnEmptyPathParameterIsRefused(t *testing.T) {
	for _, v := range []plan.Value{plan.String(""), plan.Null(), profileRef()} {
		c := plan.Call{Method: "DELETE", Path: "/x/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: v}}}
		r, err := c.Wire(func(plan.Ref) (string, bool) { return "", true })
		if err == nil || !strings.Contains(err.Error(), "id is empty") {
			t.Errorf("%v: %+v, %v", v, r, err)
		}
	}
	c := plan.Call{Method: "DELETE", Path: "/x/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: plan.String("")}}, Body: profileRef()}
	if r := c.Redacted(nil); r.Method != "DELETE" || r.Path != "/x/{id}" || r.Body != nil {
		t.Errorf("shown as %+v", r)
	}
	query := plan.Call{Method: "GET", Path: "/x", Params: []plan.Param{{Name: "q", Value: plan.String("")}}}
	if r, err := query.Wire(nil); err != nil || r.Path != "/x?q=" {
		t.Errorf("%+v %v", r, err)
	}
}

func TestValuesKeepTheirPlace(t *testing.T) {
	for value, want := range map[string]struct{ path, query string }{
		"plain":      {"plain", "plain"},
		"a b":        {"a%20b", "a%20b"},
		"a+b":        {"a+b", "a%2Bb"},
		"a/b":        {"a%2Fb", "a%2Fb"},
		"../..":      {"..%2F..", "..%2F.."},
		"a?b=c&d":    {"a%3Fb=c&d", "a%3Fb%3Dc%26d"},
		"a#b":        {"a%23b", "a%23b"},
		"50%":        {"50%25", "50%25"},
		"%2F":        {"%252F", "%252F"},
		"é世":         {"%C3%A9%E4%B8%96", "%C3%A9%E4%B8%96"},
		"(a/b)?c":    {"%28a%2Fb%29%3Fc", "%28a%2Fb%29%3Fc"},
		"{id}":       {"%7Bid%7D", "%7Bid%7D"},
		"a\"b\\<\n>": {"a%22b%5C%3C%0A%3E", "a%22b%5C%3C%0A%3E"},
	} {
		c := plan.Call{Method: "GET", Path: "/x/{id}/y", Params: []plan.Param{
			{Name: "id", Path: true, Value: plan.String(value)}, {Name: "q", Value: plan.String(value)}, {Name: "n", Value: plan.Int(7)}, {Name: "b", Value: plan.Bool(true)},
		}}
		wire, err := c.Wire(nil)
		if want := "/x/" + want.path + "/y?q=" + want.query + "&n=7&b=true"; err != nil || wire.Path != want {
			t.Errorf("%q: sent %s, want %s, %v", value, wire.Path, want, err)
		}
		if shown := c.Redacted(nil); shown.Path != wire.Path {
			t.Errorf("%q: sent %s, shown %s", value, wire.Path, shown.Path)
		}
	}
}

func TestAServerReadsWhatWasMeant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringN(1, 20, -1).Draw(t, "value")
		c := plan.Call{Method: "GET", Path: "/x/{id}/y", Params: []plan.Param{{Name: "id", Path: true, Value: plan.String(value)}, {Name: "q", Value: plan.String(value)}}}
		wire, err := c.Wire(nil)
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse("https://host" + wire.Path)
		if err != nil {
			t.Fatal(err)
		}
		if u.Path != "/x/"+value+"/y" || strings.Count(u.EscapedPath(), "/") != 3 || u.Query().Get("q") != value || u.Fragment != "" {
			t.Fatalf("%q arrives as %q and %q", value, u.Path, u.Query().Get("q"))
		}
	})
}
