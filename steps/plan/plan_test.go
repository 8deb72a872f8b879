package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"npsetup/steps/plan"
)

func TestCheckFindsMistakes(t *testing.T) {
	act := func(key string, after ...string) plan.Action { return plan.Action{Key: key, After: after} }
	with := func(ops ...plan.Op) []plan.Action { return []plan.Action{{Key: "a", Ops: ops}} }
	empty := &plan.Call{Method: "DELETE", Path: "/x/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: plan.String("")}}}
	for name, c := range map[string]struct {
		actions []plan.Action
		want    string
	}{
		"no key":           {[]plan.Action{act("")}, `"" is empty or used twice`},
		"key twice":        {[]plan.Action{act("a"), act("b"), act("a")}, `"a" is empty or used twice`},
		"need not there":   {[]plan.Action{act("a", "x")}, "a needs x"},
		"need comes later": {[]plan.Action{act("a", "b"), act("b")}, "a needs b"},
		"cycle":            {[]plan.Action{act("a", "b"), act("b", "a")}, "a needs b"},
		"ref to nothing":   {with(plan.Op{ID: "o", Call: &plan.Call{Body: profileRef()}}), "a needs connection-profile"},
		"call":             {with(plan.Op{ID: "o", Kind: plan.KindCall}), "o of action a has nothing to do"},
		"file":             {with(plan.Op{ID: "o", Kind: plan.KindFile}), "has nothing to do"},
		"store":            {with(plan.Op{ID: "o", Kind: plan.KindStore}), "has nothing to do"},
		"remote":           {with(plan.Op{ID: "o", Kind: plan.KindRemote}), "has nothing to do"},
		"session":          {with(plan.Op{ID: "o", Kind: plan.KindSession}), "has nothing to do"},
		"manual":           {with(plan.Op{ID: "o", Kind: plan.KindManual}), "has nothing to do"},
		"no such kind":     {with(plan.Op{ID: "o", Kind: plan.Kind(99)}), "has nothing to do"},
		"undo":             {[]plan.Action{{Key: "a", Undo: []plan.Op{{ID: "u"}}}}, "u of action a has nothing to do"},
		"id twice":         {with(plan.Op{ID: "o", Call: &plan.Call{}}, plan.Op{ID: "o", Call: &plan.Call{}}), `two operations "o"`},
		"value missing":    {with(plan.Op{ID: "o", Call: &plan.Call{Method: "GET", Path: "/x/{id}"}}), "not every value is given"},
		"empty parameter":  {with(plan.Op{ID: "o", Call: empty}), "id is empty"},
	} {
		if err := (plan.Plan{Actions: c.actions}).Check(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, actions := range map[string][]plan.Action{
		"nothing":   nil,
		"in order":  {act("a"), act("b", "a"), act("c", "b", "a")},
		"on itself": {{Key: "connection-profile", Ops: []plan.Op{{ID: "o", Call: &plan.Call{Body: profileRef()}}}}},
		"all":       everything().Actions,
	} {
		if err := (plan.Plan{Actions: actions}).Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNeedsFollowReferences(t *testing.T) {
	ref := func(action string) plan.Ref { return plan.Ref{Action: action, Output: "id", What: action} }
	call := func(place, query, body string) plan.Call {
		return plan.Call{
			Method: "PUT", Path: "/x/{id}", Body: plan.Object{{Name: "a", Value: plan.Array{ref(body), plan.Int(1)}}},
			Params: []plan.Param{{Name: "id", Path: true, Value: ref(place)}, {Name: "q", Value: ref(query)}},
		}
	}
	main, again, guarded := call("in path", "in query", "in body"), call("in lookup path", "in lookup query", "in body"), call("in guard", "me", "first")
	a := plan.Action{
		Key: "me", After: []string{"first", "me", "first"},
		Ops: []plan.Op{{Kind: plan.KindManual}, {Call: &main, Lookup: &plan.Lookup{Call: again}, Guard: &plan.Guard{Lookup: plan.Lookup{Call: guarded}}}},
	}
	want := []string{"first", "in path", "in query", "in body", "in lookup path", "in lookup query", "in guard"}
	if got := a.Needs(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPendingAndSummary(t *testing.T) {
	p := everything()
	want := map[plan.Effect]int{plan.Create: 3, plan.Update: 1, plan.Restore: 1, plan.Delete: 1, plan.ByHand: 2}
	if got := p.Pending(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got, want := p.Summary(), "changes: 3 to create, 1 to update, 1 to restore, 1 to delete, 2 to do by hand"; got != want {
		t.Error(got)
	}
	for _, p := range []plan.Plan{{}, {Actions: []plan.Action{userAction()}}} {
		if got := p.Summary(); got != "nothing to change: everything is as wanted" || len(p.Pending()) != 0 {
			t.Error(got)
		}
	}
}

func TestEnumsHaveTheirWords(t *testing.T) {
	var words []string
	for _, e := range plan.Effects() {
		words = append(words, e.Sign()+e.String())
	}
	for _, k := range []plan.Kind{plan.KindCall, plan.KindFile, plan.KindStore, plan.KindRemote, plan.KindSession, plan.KindManual, 99} {
		words = append(words, k.String())
	}
	for _, c := range []plan.Class{plan.Read, plan.Auth, plan.Probe, plan.Change, 99} {
		words = append(words, c.String())
	}
	for _, r := range []plan.Repeat{plan.Never, plan.ByName, plan.ByMarker, 99} {
		words = append(words, r.String())
	}
	words = append(words, plan.Effect(99).Sign()+plan.Effect(99).String())
	want := "+create =adopt ~update ^restore -delete !manual call file store remote session manual unknown read auth probe change unknown never by-name by-marker unknown ?unknown"
	if got := strings.Join(words, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestActionsAndChangesAreFound(t *testing.T) {
	p := everything()
	if a, ok := p.Action("policy-resource"); !ok || a.Effect != plan.Update {
		t.Errorf("%+v %v", a, ok)
	}
	if a, ok := p.Action("policy"); ok {
		t.Errorf("%+v", a)
	}
	var got []string
	for _, c := range p.Changes() {
		got = append(got, c.Operation)
	}
	if want := []string{"createProfile", "updatePolicy", "updateCredential", "deleteKey", "startSession", "endSession"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if userAction().Manual() != nil || manualAction().Manual() == nil {
		t.Error("the manual operation")
	}
}

func document(t *testing.T) []byte {
	t.Helper()
	raw, err := everything().Document()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestReadSaved(t *testing.T) {
	p := everything()
	saved, err := plan.ReadSaved(document(t))
	if err != nil {
		t.Fatal(err)
	}
	digest, err := p.Digest()
	if err != nil || !regexp.MustCompile(`^sha256:[0-9a-f]{64}$`).MatchString(digest) {
		t.Errorf("%s %v", digest, err)
	}
	if saved.Digest != digest || saved.Claimed != digest {
		t.Errorf("digest %s, read %s, claimed %s", digest, saved.Digest, saved.Claimed)
	}
	if saved.Guide != p.Guide || saved.Server != p.Server || saved.Fingerprint != p.Fingerprint || saved.AnswersDir != p.AnswersDir || !maps.Equal(saved.Answers, p.Answers) {
		t.Errorf("%+v", saved)
	}
	for _, p := range []plan.Plan{{}, {Answers: map[string]string{}}, {Title: "<&>\u2028", Actions: []plan.Action{{Key: "a"}}}} {
		raw, err := p.Document()
		if err != nil {
			t.Fatal(err)
		}
		if saved, err := plan.ReadSaved(raw); err != nil || saved.Digest != saved.Claimed {
			t.Errorf("%+v %v", saved, err)
		}
	}
}

func TestAnEditedFileShows(t *testing.T) {
	edit := func(old, with string) []byte {
		raw := document(t)
		if !bytes.Contains(raw, []byte(old)) {
			t.Fatalf("%q is not in the document", old)
		}
		return bytes.Replace(raw, []byte(old), []byte(with), 1)
	}
	for name, raw := range map[string][]byte{
		"a value":            edit(`"maxSessionLength": 60`, `"maxSessionLength": 61`),
		"a blank":            edit(`"maxSessionLength": 60`, `"maxSessionLength":  60`),
		"a blank in a text":  edit(`"Netwrix Auditor"`, `"Netwrix Auditor "`),
		"a line feed":        edit("\n", "\n\n"),
		"line ends":          bytes.ReplaceAll(document(t), []byte("\n"), []byte("\r\n")),
		"a spelling":         edit(`"Max Duration"`, `"M\u0061x Duration"`),
		"a number's":         edit(`"maxSessionLength": 60`, `"maxSessionLength": 6e1`),
		"an unknown member":  edit(`"guide":`, `"more": 1, "guide":`),
		"a member's case":    edit(`"guide":`, `"Guide":`),
		"a member twice":     edit(`"guide":`, `"guide": "x", "guide":`),
		"a member taken out": regexp.MustCompile(`(?m)^ *"why".*\n`).ReplaceAll(document(t), nil),
		"the order":          edit(`"method": "POST",`+"\n          "+`"path": "/api/v1/ConnectionProfile"`, `"path": "/api/v1/ConnectionProfile",`+"\n          "+`"method": "POST"`),
		"the digest":         edit(`"digest": "sha256:`, `"digest": "sha256:0`),
		"no digest":          regexp.MustCompile(`(?m)^  "digest".*\n`).ReplaceAll(document(t), nil),
		"a file's content":   edit("Import-Certificate", "Remove-Item"),
	} {
		saved, err := plan.ReadSaved(raw)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if saved.Digest == saved.Claimed {
			t.Errorf("%s: the edit does not show", name)
		}
	}
	// An editor may have added or taken the last line feed.
	for _, raw := range [][]byte{bytes.TrimSpace(document(t)), append(document(t), '\n')} {
		if saved, err := plan.ReadSaved(raw); err != nil || saved.Digest != saved.Claimed {
			t.Errorf("%+v %v", saved, err)
		}
	}
}

func TestReadSavedRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "not a plan file",
		"[]":                      "not a plan file",
		"version: 1":              "not a plan file",
		"{}":                      "plan format 0",
		`{"format": 2}`:           "its format is 2",
		`{"format": "1"}`:         "not a plan file",
		`{"format": 1} {}`:        "not a plan file",
		`{"format": 1, "actions"`: "not a plan file",
	} {
		if _, err := plan.ReadSaved([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func FuzzReadSaved(f *testing.F) {
	raw, err := everything().Document()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"format":1,"actions":null,"answers":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		saved, err := plan.ReadSaved(raw)
		if err != nil || saved.Digest != saved.Claimed {
			return
		}
		// Who claims the right digest must have the one spelling that the digest is of.
		var compact bytes.Buffer
		if json.Compact(&compact, raw) != nil || !strings.Contains(compact.String(), saved.Digest) {
			t.Fatalf("%q is taken for a plan", raw)
		}
	})
}

func TestFingerprintIsOfWhatWasSeen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.MapOf(rapid.StringN(0, 3, -1), rapid.SliceOfN(rapid.Byte(), 0, 4))
		a, b := some.Draw(t, "a"), some.Draw(t, "b")
		again := map[string][]byte{}
		for _, k := range slices.Backward(slices.Sorted(maps.Keys(a))) {
			again[k] = bytes.Clone(a[k])
		}
		if plan.FingerprintOf(a) != plan.FingerprintOf(again) {
			t.Fatal("the order counts")
		}
		if equal := maps.EqualFunc(a, b, bytes.Equal); equal != (plan.FingerprintOf(a) == plan.FingerprintOf(b)) {
			t.Fatalf("%q and %q: equal is %v", a, b, equal)
		}
	})
	if got := plan.FingerprintOf(nil); got != plan.FingerprintOf(map[string][]byte{}) {
		t.Error(got)
	}
}

// What is written one after the other must not read as something else.
func TestFingerprintIsUnambiguous(t *testing.T) {
	seen := map[string]string{}
	for _, m := range []map[string]string{
		{"a": "b"}, {"ab": ""}, {"": "ab"}, {"a": "b", "": ""}, {"a": "", "b": ""}, {"a": "1:b=0:"}, {"a": "", "b=0": ""}, {"1:a": "b"}, {"a=1": "b"}, {"a": "=1:b"},
	} {
		raw := map[string][]byte{}
		for k, v := range m {
			raw[k] = []byte(v)
		}
		f := plan.FingerprintOf(raw)
		if other, twice := seen[f]; twice {
			t.Errorf("%v reads as %s", m, other)
		}
		seen[f] = fmt.Sprint(m)
	}
}
