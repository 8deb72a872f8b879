package plan_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

func encode(t *testing.T, v plan.Value) string {
	t.Helper()
	raw, err := plan.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestParseKeepsOrderAndSpelling(t *testing.T) {
	for text, want := range map[string]string{
		`{"z":1,"a":{"y":[],"b":null},"m":[true,false,"x"]}`:        "",
		`[1.0,1.50,1e400,-0,0.1e-7,123456789012345678901234567890]`: "",
		`{"a":1,"a":2}`:           "",
		` { "b" : 1 , "a" : 2 } `: `{"b":1,"a":2}`,
		`"<&>\u00e9\u2028"`:       `"<&>é\u2028"`,
		`"text"`:                  "",
		`null`:                    "",
		`"\ud800"`:                `"` + "\uFFFD" + `"`,
		`{"":{}}`:                 "",
	} {
		if want == "" {
			want = text
		}
		v, err := plan.Parse([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := encode(t, v); got != want {
			t.Errorf("%s becomes %s, want %s", text, got, want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", " ", "{", "}", "[", "]", "[1,]", "[1}", "{]", `{"a"}`, `{"a":}`, `{"a":1,}`, `{1:2}`, "1 2", "{}{}", "[]]", "nul", `"open`, "01", "+1", ".5", "1.", "NaN", "\xef\xbb\xbf{}"} {
		if v, err := plan.Parse([]byte(text)); err == nil {
			t.Errorf("%q is taken as %v", text, v)
		}
	}
}

// A body that nests without end must not overflow the stack, which no recover could catch.
func TestParseBoundsTheDepth(t *testing.T) {
	const deep = 3_000_000
	for _, text := range []string{strings.Repeat("[", deep) + strings.Repeat("]", deep), strings.Repeat(`{"a":`, deep) + "1" + strings.Repeat("}", deep), strings.Repeat("[", deep)} {
		if _, err := plan.Parse([]byte(text)); err == nil {
			t.Error("no error")
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "{}", `{"z":1,"a":[1.0,null,true,"x"]}`, `[1e400]`, `"\ud800\u2028"`, `{"a":1,"a":2}`, "[1,]", "{]", "\"\xff\"", "1 2"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := plan.Parse(raw)
		if (err == nil) != json.Valid(raw) {
			t.Fatalf("%q: %v, and valid is %v", raw, err, json.Valid(raw))
		}
		if err != nil {
			return
		}
		once := encode(t, v)
		again, err := plan.Parse([]byte(once))
		if err != nil {
			t.Fatalf("%q becomes %q: %v", raw, once, err)
		}
		if twice := encode(t, again); twice != once || !reflect.DeepEqual(v, again) {
			t.Fatalf("%q becomes %q, then %q", raw, once, twice)
		}
		var a, b any
		if json.Unmarshal(raw, &a) == nil && (json.Unmarshal([]byte(once), &b) != nil || !reflect.DeepEqual(a, b)) {
			t.Fatalf("%q says otherwise than %q", once, raw)
		}
	})
}

func TestObjectMembers(t *testing.T) {
	o := plan.Object{{Name: "b", Value: plan.Int(1)}, {Name: "a", Value: plan.Int(2)}}
	for _, c := range []struct{ got, want string }{
		{encode(t, o.With("b", plan.Int(9))), `{"b":9,"a":2}`},
		{encode(t, o.With("c", plan.Int(3))), `{"b":1,"a":2,"c":3}`},
		{encode(t, o.With("c", plan.Int(3)).With("d", plan.Null())), `{"b":1,"a":2,"c":3,"d":null}`},
		{encode(t, o.Without("b")), `{"a":2}`},
		{encode(t, o.Without("a", "b", "x")), `{}`},
		{encode(t, o.Without()), `{"b":1,"a":2}`},
		{encode(t, plan.Object(nil).With("x", plan.Bool(true))), `{"x":true}`},
		{encode(t, o.Get("a")), `2`},
		{encode(t, o), `{"b":1,"a":2}`}, // none of them changes it
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
	if o.Get("A") != nil || o.Get("x") != nil {
		t.Error("a member that is not there")
	}
	left, right := o.With("x", plan.Int(1)), o.With("y", plan.Int(2))
	if encode(t, left) != `{"b":1,"a":2,"x":1}` || encode(t, right) != `{"b":1,"a":2,"y":2}` {
		t.Error("two copies share their members")
	}
}

func TestEncodeGivesNoSecret(t *testing.T) {
	leaf := plan.SecretLeaf{Name: "password of svc-nps", Secret: secret.New(marker)}
	for name, v := range map[string]plan.Value{"secret": leaf, "inside": plan.Object{{Name: "a", Value: plan.Array{leaf}}}, "reference": plan.Array{profileRef()}} {
		raw, err := plan.Encode(v)
		if err == nil || strings.Contains(err.Error(), marker) || strings.Contains(string(raw), marker) {
			t.Errorf("%s: %s %v", name, raw, err)
		}
	}
}

func TestFileContent(t *testing.T) {
	for want, v := range map[string]plan.Value{"a <b>\n": plan.String("a <b>\n"), marker: plan.SecretLeaf{Name: "key", Secret: secret.New(marker)}, "": plan.String("")} {
		if got, err := plan.FileContent(v); err != nil || string(got) != want {
			t.Errorf("got %q, want %q, %v", got, want, err)
		}
	}
	for _, v := range []plan.Value{plan.Int(7), plan.Object{}, plan.Array{}, profileRef()} {
		if got, err := plan.FileContent(v); err == nil {
			t.Errorf("%v becomes the file %q", v, got)
		}
	}
}
