package plan_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

// members visits every member of a plan, down to texts, numbers and values, with a way to change it.
func members(v reflect.Value, path string, visit func(path string, change func())) {
	switch k := v.Kind(); {
	case k == reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				members(v.Field(i), path+"."+f.Name, visit)
			}
		}
	case k == reflect.Pointer:
		if !v.IsNil() {
			members(v.Elem(), path, visit)
			visit(path+" taken away", func() { v.SetZero() })
		}
	case k == reflect.Slice:
		for i := range v.Len() {
			members(v.Index(i), path+"["+strconv.Itoa(i)+"]", visit)
		}
		if v.Len() > 0 {
			visit(path+" shortened", func() { v.SetLen(v.Len() - 1) })
		}
	case k == reflect.Map:
		for _, key := range v.MapKeys() {
			if key.String() == "nps.url" { // one is enough, and their order is not fixed
				visit(path, func() { v.SetMapIndex(key, reflect.ValueOf("changed")) })
			}
		}
	case k == reflect.Interface:
		if !v.IsNil() {
			visit(path, func() { v.Set(reflect.ValueOf(plan.String("changed"))) })
		}
	case k == reflect.String:
		visit(path, func() { v.SetString(v.String() + "x") })
	case k == reflect.Bool:
		visit(path, func() { v.SetBool(!v.Bool()) })
	case k == reflect.Int:
		visit(path, func() { v.SetInt(v.Int() + 1) })
	case k == reflect.Uint32 || k == reflect.Uint8:
		visit(path, func() { v.SetUint(v.Uint() + 1) })
	default:
		panic("a member of a kind that this test does not know: " + path)
	}
}

// immaterial says why a member does not count, or nothing.
func immaterial(path string) string {
	last := path[strings.LastIndex(path, ".")+1:]
	switch {
	case strings.HasSuffix(path, "Operation"):
		return "method and path say which call it is"
	case last == "Kind":
		return "an operation of another kind lacks its member, which Check finds"
	case strings.HasSuffix(path, "taken away") && !strings.HasSuffix(path, "Lookup taken away") && !strings.HasSuffix(path, "Guard taken away") && !strings.HasSuffix(path, "Twin taken away"):
		return "an operation without its member is found by Check"
	}
	return ""
}

func digest(t *testing.T, p plan.Plan) string {
	t.Helper()
	d, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestEveryMemberCounts changes each member of a plan that has them all: a plan that would do something else, or tells
// something else, must have another digest. A new member of any type is found here by itself.
func TestEveryMemberCounts(t *testing.T) {
	was := digest(t, everything())
	count := 0
	p := everything()
	members(reflect.ValueOf(&p).Elem(), "Plan", func(string, func()) { count++ })
	if count < 250 {
		t.Fatalf("only %d members were found", count)
	}
	for i := range count {
		p, n := everything(), 0
		members(reflect.ValueOf(&p).Elem(), "Plan", func(path string, change func()) {
			n++
			if n != i+1 || immaterial(path) != "" {
				return
			}
			change()
			if digest(t, p) == was {
				t.Errorf("%s does not count", path)
			}
		})
	}
	if got := digest(t, everything()); got != was {
		t.Errorf("made twice, the digest is %s and %s", was, got)
	}
}

// TestASecretsValueDoesNotCount: the digest is public.
func TestASecretsValueDoesNotCount(t *testing.T) {
	with := func(value, name string) string {
		c := plan.Call{Method: "PUT", Path: "/x", Body: plan.SecretLeaf{Name: name, Secret: secret.New(value)}}
		f := plan.File{Path: "/x", Content: c.Body}
		return digest(t, plan.Plan{Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "o", Call: &c}, {ID: "f", Kind: plan.KindFile, File: &f}}}}})
	}
	if with("one", "key") != with("two", "key") {
		t.Error("the value counts")
	}
	if with("one", "key") == with("one", "password") {
		t.Error("the name does not count")
	}
}

// TestWhatChangesByItselfDoesNotCount: members that a guard does not compare are not part of the digest either.
func TestWhatChangesByItselfDoesNotCount(t *testing.T) {
	with := func(times, name string) string {
		g := &plan.Guard{
			Lookup: plan.Lookup{Call: plan.Call{Method: "GET", Path: "/x"}}, Volatile: []string{"times"},
			Want: plan.Object{{Name: "times", Value: plan.String(times)}, {Name: "name", Value: plan.String(name)}},
		}
		return digest(t, plan.Plan{Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "o", Guard: g, Call: &plan.Call{}}}}}})
	}
	if with("1", "a") != with("2", "a") || with("1", "a") == with("1", "b") {
		t.Error("the wrong members count")
	}
}

// TestAPassingWarningDoesNotCount: it is shown with the others, in a file too, and an approved plan is not stale for it. What was edited shows itself.
func TestAPassingWarningDoesNotCount(t *testing.T) {
	p := everything()
	was := digest(t, p)
	p.Passing = []string{"no answer from there just now"}
	if digest(t, p) != was {
		t.Error("it counts")
	}
	raw, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	saved, err := plan.ReadSaved(raw)
	if err != nil || saved.Digest != was || saved.Claimed != was {
		t.Errorf("read back: %+v %v", saved, err)
	}
	markdown, err := p.Markdown(plan.MarkdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{"text": p.Text(plan.TextOptions{Width: 200}), "markdown": markdown, "JSON": string(raw)} {
		if !strings.Contains(text, p.Warnings[0]) || !strings.Contains(text, p.Passing[0]) {
			t.Errorf("%s does not show every warning:\n%s", form, text)
		}
	}
	edited := strings.Replace(string(raw), p.Passing[0], "nothing to see", 1) // of the two places in which it stands
	if saved, err := plan.ReadSaved([]byte(edited)); err != nil || saved.Digest == was {
		t.Errorf("an edited warning: %+v %v", saved, err)
	}
}
