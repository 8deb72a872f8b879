package run_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

func TestChangesAreJournalledBeforeAndAfter(t *testing.T) {
	w := &world{fail: map[string]error{"two": of(problem.Failed)}}
	a := create("one")
	a.Ops = []plan.Op{op(plan.Read, get("look")), op(plan.Probe, get("reveal")), op(plan.Auth, post("renew")), op(plan.Change, post("one")), op(plan.Change, post("two")), op(plan.Change, post("three"))}
	a.Difference = []plan.Difference{{Label: "Max", Field: "max", From: "5", To: "60"}, {Label: "New", Field: "new", To: "x"}, {Label: "no member", From: "a", To: "b"}}
	r := w.apply(t, a)
	wantOutcomes(t, r, steps.Failed)
	wantLog(
		t, w, "read look /api/v1/look", "send reveal /api/v1/reveal", "send renew /api/v1/renew",
		"journal sending one/one", "send one /api/v1/one", "journal done one/one",
		"journal sending one/two", "send two /api/v1/two", "journal failed one/two",
	)
	first := w.entries[0]
	if first.Request != "POST /api/v1/one" || first.Body != `{"name":"n"}` || len(first.Before) != 1 || first.Before["max"] != "5" || first.Time.IsZero() {
		t.Errorf("%+v", first)
	}
	if len(w.made) != 0 {
		t.Errorf("a failed action is noted as made: %v", w.made)
	}
}

func TestSecretsAreNotJournalled(t *testing.T) {
	w := &world{}
	a := create("one")
	a.Ops = []plan.Op{op(plan.Change, secretCall("one"))}
	wantOutcomes(t, w.apply(t, a), steps.Done)
	if got := w.entries[0].Body; got != `{"password":"(secret: password)"}` {
		t.Error(got)
	}
}

func TestNothingIsSentWithoutAJournal(t *testing.T) {
	w := &world{journal: func(run.Entry) error { return errDisk }}
	r := w.apply(t, create("a"), create("b", "a"), create("c"))
	wantOutcomes(t, r, steps.Failed, steps.NotRun, steps.NotRun) // what cannot be noted down is not begun
	wantError(t, r.Actions[0].Err, problem.Failed, "the journal cannot be written", "no space left", "npsetup resume")
	if !errors.Is(r.Actions[0].Err, errDisk) {
		t.Error("the cause is lost")
	}
	if sent := w.sent(); len(sent) != 0 {
		t.Errorf("sent %v", sent)
	}
}

func TestAnAnswerThatCannotBeNotedFails(t *testing.T) {
	full := func(e run.Entry) error {
		if e.State != run.Sending {
			return errDisk
		}
		return nil
	}
	w := &world{journal: full}
	r := w.apply(t, create("a"), create("next", "a"), create("b"))
	wantOutcomes(t, r, steps.Failed, steps.NotRun, steps.NotRun)
	wantError(t, r.Actions[0].Err, problem.Failed, "POST /api/v1/a was carried out, and that cannot be noted down", "no space left", "npsetup resume --yes")
	if sent := w.sent(); len(sent) != 1 {
		t.Errorf("sent %v", sent)
	}
	// A refusal still counts, and both are told.
	w = &world{journal: full, fail: map[string]error{"b": of(problem.Refused)}}
	r = w.apply(t, create("b"), create("c"))
	wantOutcomes(t, r, steps.Failed, steps.NotRun)
	if all := problem.All(r.Actions[0].Err); len(all) != 2 || all[0].Kind != problem.Refused {
		t.Errorf("%v", all)
	}
}

func TestOutputsReachLaterCalls(t *testing.T) {
	w := &world{answer: map[string]string{"a": `{"id":"7 7","inner":[{"id":"x"},{"id":"in"}]}`, "look": `{"of":"deep"}`}}
	a := create("a")
	a.Ops[0].Outputs = []plan.Output{{Name: "id", Pointer: "/id"}, {Name: "second", Pointer: "/inner/1/id"}}
	look := op(plan.Read, plan.Call{Operation: "look", Method: "GET", Path: "/l/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: plan.Ref{Action: "b", Output: "own"}}}})
	look.Outputs = []plan.Output{{Name: "of", Pointer: "/of"}}
	w.answer["b"] = `{"id":"own"}`
	b := create("b")
	b.Ops[0].Call.Params = []plan.Param{{Name: "q", Value: plan.Ref{Action: "a", Output: "id", What: "thing"}}}
	b.Ops[0].Outputs = []plan.Output{{Name: "own", Pointer: "/id"}}
	last := op(plan.Change, plan.Call{Operation: "last", Method: "PUT", Path: "/x/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: plan.Ref{Action: "a", Output: "second"}}, {Name: "q", Value: plan.Ref{Action: "b", Output: "of"}}}})
	b.Ops = append(b.Ops, look, last)
	r := w.apply(t, a, b)
	wantOutcomes(t, r, steps.Done, steps.Done)
	for _, must := range []string{"send b /api/v1/b?q=7%207", "read look /l/own", "send last /x/in?q=deep"} {
		if !strings.Contains(w.logged(), must) {
			t.Errorf("%q is not in\n%s", must, w.logged())
		}
	}
	if r.Actions[0].Outputs["second"] != "in" || w.made[0].ID != "7 7" || w.entries[1].Outputs["id"] != "7 7" {
		t.Errorf("%v %v %v", r.Actions[0].Outputs, w.made, w.entries[1])
	}
}

func TestAnAnswerWithoutWhatIsNeeded(t *testing.T) {
	for name, body := range map[string]string{"no member": `{}`, "empty": `{"id":""}`, "a number": `{"id":7}`, "null": `{"id":null}`, "no object": `"x"`, "no JSON": `<html>`, "a list": `[]`} {
		w := &world{answer: map[string]string{"a": body}}
		a := named("a")
		a.Ops[0].Lookup = nil
		r := w.apply(t, a)
		wantOutcomes(t, r, steps.Failed)
		wantError(t, r.Actions[0].Err, problem.Failed, "POST /api/v1/a", "lacks what later calls need")
		// It was carried out all the same.
		if got := w.entries[1].State; got != run.Carried {
			t.Errorf("%s: journalled as %s", name, got)
		}
	}
}

func TestAnEmptyAnswerIsLookedUp(t *testing.T) {
	w := &world{rows: map[string][]string{"list": {`{"id":"1","name":"other"}`, `{"id":"2","name":"n"}`}}}
	r := w.apply(t, named("a"))
	wantOutcomes(t, r, steps.Done)
	wantLog(t, w, "journal sending a/a", "send a /api/v1/a", "list list /api/v1/list", "journal done a/a")
	if w.made[0].ID != "2" {
		t.Errorf("%+v", w.made)
	}
	for _, c := range []struct {
		rows []string
		fail error
		want string
	}{
		{nil, nil, "lists nothing by that name"},
		{[]string{`{"name":"n"}`}, nil, "lacks a member"},
		{nil, of(problem.Unreachable), "it failed"},
	} {
		w := &world{rows: map[string][]string{"list": c.rows}, fail: map[string]error{"list": c.fail}}
		r := w.apply(t, named("a"))
		wantOutcomes(t, r, steps.Failed)
		if err := r.Actions[0].Err; err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
		if got := w.entries[1].State; got != run.Carried {
			t.Errorf("%s: the answer came, and is journalled as %s", c.want, got)
		}
	}
}

func TestALostAnswer(t *testing.T) {
	here := []string{`{"id":"2","name":"N"}`}
	for name, c := range map[string]struct {
		repeat plan.Repeat
		lookup bool
		rows   []string
		fail   error
		state  string
		kind   problem.Kind
		want   string
	}{
		"found":           {plan.ByName, true, here, nil, run.Carried, problem.Failed, ""},
		"found by marker": {plan.ByMarker, true, here, nil, run.Carried, problem.Failed, ""},
		"not found":       {plan.ByName, true, nil, nil, run.Lost, problem.AnswerLost, "nothing by that name is there"},
		"found twice":     {plan.ByName, true, append(here, here...), nil, run.Lost, problem.Failed, `2 objects are named "n"`},
		"cannot look":     {plan.ByName, true, nil, of(problem.SignInAgain), run.Lost, problem.SignInAgain, "it failed"},
		"never":           {plan.Never, true, here, nil, run.Lost, problem.AnswerLost, "nothing tells whether it was carried out"},
		"no lookup":       {plan.ByName, false, here, nil, run.Lost, problem.AnswerLost, "resume --yes looks at what is there"},
	} {
		w := &world{rows: map[string][]string{"list": c.rows}, fail: map[string]error{"a": of(problem.AnswerLost), "list": c.fail}}
		a := named("a")
		a.Ops[0].Repeat = c.repeat
		if !c.lookup {
			a.Ops[0].Lookup = nil
		}
		r := w.apply(t, a)
		if got := w.entries[1].State; got != c.state {
			t.Errorf("%s: journalled as %s, want %s", name, got, c.state)
		}
		if got := strings.Join(w.sent(), " "); got != "a" {
			t.Errorf("%s: sent %s", name, got)
		}
		if looked := strings.Contains(w.logged(), "list"); looked != (c.lookup && c.repeat != plan.Never) {
			t.Errorf("%s: looked is %v", name, looked)
		}
		if c.want == "" {
			wantOutcomes(t, r, steps.Done)
			if r.Actions[0].Outputs["id"] != "2" {
				t.Errorf("%s: %v", name, r.Actions[0].Outputs)
			}
			continue
		}
		wantOutcomes(t, r, steps.Failed)
		wantError(t, r.Actions[0].Err, c.kind, c.want)
	}
}

func TestTheLookupTakesTheRowThatIsMeant(t *testing.T) {
	lookup := func(l plan.Lookup, rows ...string) string {
		l.Call = get("list")
		w := &world{rows: map[string][]string{"list": rows}}
		a := named("a")
		a.Ops[0].Lookup = &l
		return w.apply(t, a).Actions[0].Outputs["id"]
	}
	byName := plan.Lookup{Member: "name", Value: "Ab c"}
	for _, c := range []struct {
		l    plan.Lookup
		rows []string
		want string
	}{
		{byName, []string{`{"id":"1","name":"Ab c d"}`, `{"id":"2","name":"Ab c"}`, `{"id":"3","name":" Ab c"}`}, "2"},
		{byName, []string{`{"id":"1","name":"aB C"}`}, "1"},
		{byName, []string{`{"id":"1","name":"Ab c","isDeleted":true}`}, ""},
		{byName, []string{`{"id":"1","name":"Ab c","isDeleted":true}`, `{"id":"2","name":"Ab c","isDeleted":false}`}, "2"},
		{plan.Lookup{Member: "name", Value: "Ab c", Deleted: true}, []string{`{"id":"1","name":"Ab c","isDeleted":true}`}, "1"},
		{plan.Lookup{Member: "name", Value: "Ab c", Also: []plan.Match{{Member: "host", Value: "h"}}}, []string{`{"id":"1","name":"Ab c"}`, `{"id":"2","name":"Ab c","host":"H"}`}, "2"},
		{byName, []string{`7`, `null`, `{"name":7}`, `broken`, `{"id":"2","name":"Ab c"}`}, "2"},
	} {
		if got := lookup(c.l, c.rows...); got != c.want {
			t.Errorf("%+v in %v: %q, want %q", c.l, c.rows, got, c.want)
		}
	}
}

func TestTheLookupOfOneObject(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		fail   error
		want   string
	}{
		"there": {`{"id":"5"}`, nil, "5"}, "gone": {"", of(problem.NotFound), ""}, "fails": {"", of(problem.Unreachable), ""},
	} {
		w := &world{answer: map[string]string{"one": c.answer}, fail: map[string]error{"one": c.fail, "a": of(problem.AnswerLost)}}
		a := named("a")
		a.Ops[0].Lookup = &plan.Lookup{Call: get("one")}
		r := w.apply(t, a)
		if got := r.Actions[0].Outputs["id"]; got != c.want {
			t.Errorf("%s: %q", name, got)
		}
		if name == "gone" {
			wantError(t, r.Actions[0].Err, problem.AnswerLost, "nothing by that name is there")
		}
	}
}

func TestACallThatIsNotOfferedIsTurnedToHand(t *testing.T) {
	w := &world{fail: map[string]error{"a2": of(problem.NotOffered)}}
	a := create("a")
	a.Twin = &plan.Manual{Where: "NPS"}
	a.Ops = append(a.Ops, op(plan.Change, post("a2")), op(plan.Change, post("a3")))
	r := w.apply(t, a, create("b", "a"), create("c"))
	wantOutcomes(t, r, steps.Waiting, steps.Waiting, steps.Done)
	wantLog(
		t, w, "journal sending a/a", "send a /api/v1/a", "journal done a/a", "journal sending a/a2", "send a2 /api/v1/a2", "journal failed a/a2",
		"not offered a2 25.12", "journal asked a/", "journal sending c/c", "send c /api/v1/c", "journal done c/c",
	)
	wantError(t, r.Actions[0].Err, problem.Failed, "by hand", "does not offer POST /api/v1/a2", "before it: 1")
	if !errors.Is(r.Actions[0].Err, w.fail["a2"]) {
		t.Error("the cause is lost")
	}
	w = &world{fail: map[string]error{"a": of(problem.NotOffered)}}
	wantOutcomes(t, w.apply(t, create("a")), steps.Failed) // nobody says how to do it by hand
	w = &world{fail: map[string]error{"a": of(problem.NotOffered)}, store: errDisk}
	a = create("a")
	a.Twin = &plan.Manual{}
	wantOutcomes(t, w.apply(t, a), steps.Failed)
}

func guarded(want plan.Object, volatile ...string) plan.Action {
	a := create("a")
	a.Ops[0].Guard = &plan.Guard{Lookup: plan.Lookup{Call: get("one")}, Want: want, Volatile: volatile}
	return a
}

func TestTheGuard(t *testing.T) {
	want, err := plan.Parse([]byte(`{"name":"n","max":60,"list":[1,{"a":null}],"gone":null,"times":"1"}`))
	if err != nil {
		t.Fatal(err)
	}
	same := `{"times":"2", "list":[1, {"a":null}], "max":60,"name":"n"}`
	for have, says := range map[string][]string{
		same: nil,
		`{"times":"1","list":[1,{"a":null}],"max":60,"name":"n","gone":null,"more":"x"}`: nil,
		`{"list":[1,{"a":null}],"max":61,"name":"n"}`:                                    {"max was 60 and is 61"},
		`{"list":[1,{"a":2}],"max":60,"name":"x"}`:                                       {`list was [1,{"a":null}] and is [1,{"a":2}]`, `name was "n" and is "x"`},
		`{"list":[1,{"a":null}],"max":60}`:                                               {`name was "n" and is not there`},
		`{"list":[1,{"a":null}],"max":60,"name":"n","gone":"back"}`:                      {`gone was null and is "back"`},
		`{"list":[1,{"a":null}],"max":60,"name":"` + strings.Repeat("é", 90) + `"}`:      {"name was", "…"},
		`{"list":[1,{"a":null}],"max":60,"name":"\u001b[2J` + "\u202e" + `"}`:            {"name was"},
		`[]`: {"it cannot be read"},
	} {
		w := &world{answer: map[string]string{"one": have}}
		r := w.apply(t, guarded(want.(plan.Object), "times"), create("b"))
		if says == nil {
			wantOutcomes(t, r, steps.Done, steps.Done)
			wantLog(t, w, "read one /api/v1/one", "journal sending a/a", "send a /api/v1/a", "journal done a/a", "journal sending b/b", "send b /api/v1/b", "journal done b/b")
			continue
		}
		wantOutcomes(t, r, steps.Failed, steps.NotRun)
		wantError(t, r.Actions[0].Err, problem.Stale, append(says, "the plan is stale", "npsetup plan")...)
		wantLog(t, w, "read one /api/v1/one")
		if text := r.Actions[0].Err.Error(); text != problem.Plain(text) {
			t.Errorf("%q is not harmless", text)
		}
	}
}

func TestTheGuardOfAnObjectThatIsGone(t *testing.T) {
	w := &world{fail: map[string]error{"one": of(problem.NotFound)}}
	r := w.apply(t, guarded(plan.Object{}))
	wantError(t, r.Actions[0].Err, problem.Stale, "no longer there")
	w = &world{fail: map[string]error{"one": of(problem.Unreachable)}}
	r = w.apply(t, guarded(plan.Object{}))
	wantError(t, r.Actions[0].Err, problem.Unreachable)
	if len(w.sent()) != 0 {
		t.Error("sent")
	}
	w = &world{answer: map[string]string{"one": "{}"}}
	r = w.apply(t, guarded(plan.Object{{Name: "x", Value: plan.SecretLeaf{Name: "key", Secret: secret.New(marker)}}}))
	if err := r.Actions[0].Err; err == nil || strings.Contains(err.Error(), marker) || len(w.sent()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeCarriedOutStopsEverything(t *testing.T) {
	for _, bad := range []plan.Op{
		{ID: "x", Kind: plan.KindStore, Store: &plan.Store{}},
		{ID: "x", Kind: plan.KindRemote, Remote: &plan.Remote{}},
		{ID: "x", Kind: plan.KindSession, Session: &plan.Session{}},
		{ID: "x", Kind: plan.KindCall},
		{ID: "x", Kind: plan.Kind(99)},
	} {
		w := &world{}
		a := create("b")
		a.Ops = append(a.Ops, bad)
		_, err := run.Apply(context.Background(), plan.Plan{Actions: []plan.Action{create("a"), a}}, w.options())
		if err == nil || len(w.events) != 0 {
			t.Errorf("%s: %v, %v", bad.Kind, err, w.events)
		}
		wantLog(t, w)
	}
	w := &world{}
	if _, err := run.Apply(context.Background(), plan.Plan{Actions: []plan.Action{create("a", "b"), create("b")}}, w.options()); err == nil {
		t.Error("a plan out of order was carried out")
	}
	wantLog(t, w)
}

func fileAction(path string, content plan.Value, mode uint32) plan.Action {
	f := plan.Op{ID: "file", Kind: plan.KindFile, Class: plan.Change, File: &plan.File{Path: path, Mode: mode, Content: content, Source: "a script"}}
	return plan.Action{Key: "f", Step: "f", Effect: plan.Create, Object: "file", Name: "f", Ops: []plan.Op{f}}
}

func TestFilesAreWritten(t *testing.T) {
	for _, mode := range []uint32{0o600, 0o640, 0o755} {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.sh")
		w := &world{}
		for range 2 { // the same content again is fine
			wantOutcomes(t, w.apply(t, fileAction(path, plan.SecretLeaf{Name: "key", Secret: secret.New(marker)}, mode)), steps.Done)
			info, err := os.Stat(path)
			if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != os.FileMode(mode) {
				t.Errorf("mode %v, want %o, %v", info.Mode(), mode, err)
			}
		}
		if raw, err := os.ReadFile(path); err != nil || string(raw) != marker {
			t.Errorf("%q %v", raw, err)
		}
		if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
			t.Errorf("left behind: %v %v", entries, err)
		}
		wantLog(t, w, "journal sending f/file", "journal done f/file", "journal sending f/file", "journal done f/file")
		for _, e := range w.entries {
			if strings.Contains(e.Request+e.Body, marker) || !strings.Contains(e.Request, path) {
				t.Errorf("%+v", e)
			}
		}
	}
}

func TestFilesAreNotOverwritten(t *testing.T) {
	dir := t.TempDir()
	mine, dangling := filepath.Join(dir, "mine"), filepath.Join(dir, "dangling")
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "nowhere"), dangling); err != nil {
		t.Skip("SKIPPED: symbolic links cannot be made, so it was not tested that none is written through: ", err)
	}
	for _, path := range []string{mine, dangling, dir} {
		w := &world{}
		r := w.apply(t, fileAction(path, plan.String("ours"), 0o600))
		wantOutcomes(t, r, steps.Failed)
		wantError(t, r.Actions[0].Err, problem.Failed, path, "exists already", "left as it is")
		wantLog(t, w, "journal sending f/file", "journal failed f/file")
	}
	if raw, err := os.ReadFile(mine); err != nil || string(raw) != "mine" {
		t.Errorf("%q %v", raw, err)
	}
	if to, err := os.Readlink(dangling); err != nil || to != filepath.Join(dir, "nowhere") {
		t.Errorf("%q %v", to, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}

func TestFilesThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	w := &world{}
	r := w.apply(t, fileAction(filepath.Join(dir, "no", "x"), plan.String("a"), 0o600))
	wantError(t, r.Actions[0].Err, problem.Failed, "cannot be written", "permissions of its folder")
	w = &world{}
	wantOutcomes(t, w.apply(t, fileAction(filepath.Join(dir, "x"), plan.Int(7), 0o600)), steps.Failed)
	w = &world{journal: func(run.Entry) error { return errDisk }}
	wantOutcomes(t, w.apply(t, fileAction(filepath.Join(dir, "x"), plan.String("a"), 0o600)), steps.Failed)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v %v", entries, err)
	}
}
