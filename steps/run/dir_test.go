package run_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

func someRun() run.ID {
	return run.ID{Server: "https://nps.contoso.com:6500/", Guide: "auditor", Application: "NetwrixAuditor"}
}

func start() run.Start {
	id := someRun()
	return run.Start{
		Server: id.Server, Version: "25.12", Guide: id.Guide, Application: id.Application, AnswersDir: "/home/admin",
		Answers: map[string]string{"nps.signIn.password": "env:NPS_PASSWORD"},
	}
}

func newYear() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

func open(t *testing.T, state string) *run.Dir {
	t.Helper()
	d, err := run.Open(state, someRun(), newYear)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func begin(t *testing.T, state string) *run.Dir {
	t.Helper()
	d := open(t, state)
	if err := d.Begin(start()); err != nil {
		t.Fatal(err)
	}
	return d
}

func all(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// folder is the one folder under a state.
func folder(t *testing.T, state string) string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(state, "runs"))
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v %v", entries, err)
	}
	return filepath.Join(state, "runs", entries[0].Name())
}

func TestOpenWritesNothing(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	d := open(t, state)
	if m := d.Memory(); len(m.ManualDone)+len(m.NotOffered)+len(m.Made) != 0 || len(d.Lost()) != 0 {
		t.Errorf("%+v", m)
	}
	if _, err := os.Stat(state); !os.IsNotExist(err) {
		t.Errorf("%v", err)
	}
	if list, err := run.List(state); err != nil || len(list) != 0 {
		t.Errorf("%v %v", list, err)
	}
	if err := d.Journal(run.Entry{}); err == nil {
		t.Error("a run that was not begun has a journal")
	}
}

func TestARecordSurvives(t *testing.T) {
	state := t.TempDir()
	d := begin(t, state)
	all(
		t, d.Manual("auditor-start", ""), d.NotOffered("createProfile", "25.12"),
		d.Made(run.Made{Kind: "access policy", Name: "P", Effect: "create", ID: "7"}),
		d.Made(run.Made{Kind: "access policy", Name: "p", Effect: "adopt"}), // the first effect stays, and so does the id
		d.Made(run.Made{Kind: "activity", Name: "P", Effect: "adopt"}),
		d.Made(run.Made{Kind: "activity", Name: "P", Effect: "update", ID: "8"}),
		d.Close(),
	)
	again := open(t, state)
	m := again.Memory()
	if !m.ManualDone["auditor-start"] || len(m.ManualDone) != 1 || m.NotOffered["createProfile"] != "25.12" || !m.Made[steps.MadeKey("access policy", "P")] || len(m.Made) != 2 {
		t.Errorf("%+v", m)
	}
	m.NotOffered["x"] = "y"
	if len(again.Memory().NotOffered) != 1 {
		t.Error("who asks for the memory can change it")
	}
	all(t, os.WriteFile(filepath.Join(state, "runs", "stray"), nil, 0o600), os.Mkdir(filepath.Join(state, "runs", "empty"), 0o700))
	list, err := run.List(state)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v %v", list, err)
	}
	r := list[0]
	want := []run.Made{{Kind: "access policy", Name: "P", Effect: "create", ID: "7"}, {Kind: "activity", Name: "P", Effect: "adopt", ID: "8"}}
	if !slices.Equal(r.Objects, want) {
		t.Errorf("%+v", r.Objects)
	}
	if !r.Open || r.Server != someRun().Server || r.Answers["nps.signIn.password"] != "env:NPS_PASSWORD" || r.AnswersDir != "/home/admin" || r.Version != "25.12" || !r.Started.Equal(newYear()) {
		t.Errorf("%+v", r)
	}
}

// TestWhatAKilledRunMadeIsItsOwn takes over, in a second run, what a killed one had sent: it counts as made here, or an undo would
// leave it. What was refused does not.
func TestWhatAKilledRunMadeIsItsOwn(t *testing.T) {
	state := t.TempDir()
	d := begin(t, state)
	sending := func(action, effect, state string) run.Entry {
		return run.Entry{Action: action, Op: "op", Effect: effect, State: state}
	}
	all(
		t, d.Journal(sending("user", "create", run.Sending)), d.Journal(sending("profile", "update", run.Sending)), d.Journal(sending("profile", "update", run.Carried)),
		d.Journal(sending("policy", "create", run.Sending)), d.Journal(sending("policy", "create", run.Failed)), d.Close(),
	)
	d = begin(t, state)
	for _, action := range []string{"user", "profile", "policy", "resource"} {
		all(t, d.Made(run.Made{Kind: "thing", Name: action, Effect: "adopt", Action: action}))
	}
	all(t, d.Close())
	list, err := run.List(state)
	all(t, err)
	got := ""
	for _, o := range list[0].Objects {
		got += o.Name + " " + o.Effect + "\n"
	}
	if got != "user create\nprofile update\npolicy adopt\nresource adopt\n" {
		t.Errorf("the record says\n%s", got)
	}
}

func TestASecondRunKeepsTheFirstStart(t *testing.T) {
	state := t.TempDir()
	all(t, begin(t, state).Close())
	later, err := run.Open(state, someRun(), func() time.Time { return newYear().Add(time.Hour) })
	all(t, err, later.Begin(run.Start{Version: "26.1"}), later.Close())
	list, err := run.List(state)
	if err != nil || !list[0].Started.Equal(newYear()) || !list[0].Updated.Equal(newYear().Add(time.Hour)) || list[0].Version != "26.1" {
		t.Errorf("%+v %v", list, err)
	}
}

func TestASecondProcessIsTurnedAway(t *testing.T) {
	state := t.TempDir()
	first := begin(t, state)
	second := open(t, state)
	wantError(t, second.Begin(start()), problem.Failed, "another npsetup is at work on this run", "wait until it has ended")
	if err := second.Journal(run.Entry{}); err == nil {
		t.Error("who was turned away has a journal")
	}
	all(t, second.Close(), first.Journal(run.Entry{Action: "a", Op: "o", State: run.Sending})) // closing takes nothing from the first
	all(t, first.Close(), begin(t, state).Close())
}

// Who looked before another process changed something must not carry out a plan that rests on that look.
func TestWhoLookedTooEarlyIsTurnedAway(t *testing.T) {
	state := t.TempDir()
	early := open(t, state)
	first := begin(t, state)
	all(t, first.Journal(run.Entry{Action: "a", Op: "o", State: run.Sending}), first.Close())
	wantError(t, early.Begin(start()), problem.Stale, "went on elsewhere", "run the same command again")
	if err := early.Journal(run.Entry{}); err == nil {
		t.Error("who was turned away has a journal")
	}
	all(t, early.Close())
	// What was only remembered is taken over. First what was lost is looked at.
	all(t, begin(t, state).Close())
	quiet := open(t, state)
	other := begin(t, state)
	all(t, other.Manual("x", ""), other.Close(), quiet.Begin(start()))
	if !quiet.Memory().ManualDone["x"] {
		t.Error("what the other process noted down is lost")
	}
}

func TestADamagedRecordSaysSo(t *testing.T) {
	for name, raw := range map[string]string{"empty": "", "cut off": `{"format": 1, "ser`, "no format": `{}`, "no object": `[]`} {
		state := t.TempDir()
		all(t, begin(t, state).Close())
		path := filepath.Join(folder(t, state), "record.json")
		all(t, os.WriteFile(path, []byte(raw), 0o600))
		_, err := run.Open(state, someRun(), newYear)
		wantError(t, err, problem.Failed, path, "cannot be read", "damaged", "move its folder away")
		if _, err := run.List(state); err == nil {
			t.Errorf("%s: listed", name)
		}
	}
}

func journalOf(t *testing.T, state string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(folder(t, state), "journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func described(entries []run.Entry) string {
	var list []string
	for _, e := range entries {
		list = append(list, fmt.Sprintf("%d %s/%s %s", e.Seq, e.Action, e.Op, e.State))
	}
	return strings.Join(list, ", ")
}

func TestLostChangesAreListedAndThenLooked(t *testing.T) {
	state := t.TempDir()
	d := begin(t, state)
	for _, e := range []run.Entry{
		{Action: "a", Op: "one", State: run.Sending, Request: "POST /a"},
		{Action: "a", Op: "one", State: run.Carried},
		{Action: "a", Op: "two", State: run.Sending, Request: "POST /two", Body: "{}", Before: map[string]string{"x": "1"}},
		{Action: "b", Op: "one", State: run.Sending, Request: "POST /b"},
		{Action: "b", Op: "one", State: run.Lost, Request: "POST /b"},
		{Action: "c", Op: "one", State: run.Sending},
		{Action: "c", Op: "one", State: run.Failed},
	} {
		all(t, d.Journal(e))
	}
	all(t, d.Close())
	again := open(t, state)
	const want = "3 a/two sending, 5 b/one lost"
	if got := described(again.Lost()); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	word := start()
	word.Word = true // nothing was looked up for it
	all(t, again.Begin(word), again.Close())
	if again = open(t, state); described(again.Lost()) != want {
		t.Errorf("behind a word got %s, want %s", described(again.Lost()), want)
	}
	all(t, again.Begin(start()), again.Journal(run.Entry{Action: "d", Op: "one", State: run.Sending}), again.Close())
	tail := strings.Split(strings.TrimSpace(journalOf(t, state)), "\n")[8:]
	for i, must := range []string{`"seq":8,"action":"a","op":"two","state":"looked","request":"POST /two","sum":"`, `"seq":9,"action":"b","op":"one","state":"looked"`, `"seq":10,"action":"d"`} {
		if i >= len(tail) || !strings.Contains(tail[i], must) {
			t.Errorf("%q does not hold %s", tail, must)
		}
	}
	if got := described(open(t, state).Lost()); got != "10 d/one sending" {
		t.Error(got)
	}
}

func TestACutOffLineIsLeftOut(t *testing.T) {
	state := t.TempDir()
	d := begin(t, state)
	all(t, d.Journal(run.Entry{Action: "a", Op: "o", State: run.Sending}), d.Close())
	path := filepath.Join(folder(t, state), "journal.jsonl")
	whole := journalOf(t, state)
	next := strings.Replace(whole[strings.Index(whole, "\n")+1:], `"seq":1,`, `"seq":2,`, 1)
	for cut := range len(next) {
		all(t, os.WriteFile(path, []byte(whole+next[:cut]), 0o600))
		d := open(t, state)
		if got := described(d.Lost()); got != "1 a/o sending" || (d.Torn() == "") != (cut == 0) {
			t.Fatalf("cut at %d: %s, said %q", cut, got, d.Torn())
		}
		all(t, d.Begin(start()), d.Journal(run.Entry{Action: "b", Op: "o", State: run.Sending}), d.Close())
		if got := open(t, state).Lost(); len(got) != 1 || got[0].Action != "b" {
			t.Fatalf("cut at %d: then %s", cut, described(got))
		}
	}
}

// A write that failed half-way leaves half a line, and the run goes on with other actions.
func TestHalfALineSpoilsNoOther(t *testing.T) {
	state := t.TempDir()
	d := begin(t, state)
	path := filepath.Join(folder(t, state), "journal.jsonl")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	all(t, err)
	_, err = f.WriteString(`{"action":"half`)
	all(t, err, f.Close(), d.Journal(run.Entry{Action: "b", Op: "o", State: run.Sending}), d.Close())
	if got := open(t, state).Lost(); len(got) != 1 || got[0].Action != "b" {
		t.Error(described(got))
	}
}

func TestFolderNamesAreSafe(t *testing.T) {
	hostile := []string{
		"", ".", "..", "../..", "/etc/passwd", `..\..\x`, "a/b", "a\x00b", "con", "nul.", "a:b*?\"<>|", "-rf", "~", "$HOME", "é世界", strings.Repeat("long", 200), "a b", "\x1b[2J\u202e",
		"https://..", "https://../..:1/", "https://[::1]:6500/", "https://nps.contoso.com/%2e%2e/",
	}
	state := t.TempDir()
	want := 0
	for i, s := range hostile {
		for _, id := range []run.ID{{Server: s, Guide: "g", Application: "a"}, {Server: "s", Guide: s, Application: "a" + fmt.Sprint(i)}, {Server: "s", Guide: "g", Application: s}} {
			d, err := run.Open(state, id, newYear)
			all(t, err, d.Begin(run.Start{}), d.Close())
			want++
		}
	}
	entries, err := os.ReadDir(filepath.Join(state, "runs"))
	if err != nil || len(entries) != want {
		t.Errorf("%d folders of %d runs, %v", len(entries), want, err)
	}
	safe := regexp.MustCompile(`^[a-z0-9_-][a-z0-9_.-]{0,180}-[0-9a-f]{10}$`)
	for _, e := range entries {
		if !safe.MatchString(e.Name()) {
			t.Errorf("%q", e.Name())
		}
	}
	if outside, err := os.ReadDir(state); err != nil || len(outside) != 1 {
		t.Errorf("outside: %v %v", outside, err)
	}
}

func TestOneRunHasOneFolder(t *testing.T) {
	state := t.TempDir()
	for _, id := range []run.ID{someRun(), {Server: "HTTPS://NPS.contoso.com:6500/", Guide: "auditor", Application: "NETWRIXauditor"}} {
		d, err := run.Open(state, id, newYear)
		all(t, err, d.Begin(start()), d.Close())
	}
	if got := filepath.Base(folder(t, state)); !strings.HasPrefix(got, "nps.contoso.com-auditor-netwrixauditor-") {
		t.Error(got)
	}
}

func TestFilesAreTheOwnersAndHoldNoSecret(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	d := begin(t, state)
	w := &world{fail: map[string]error{"b": of(problem.AnswerLost)}, answer: map[string]string{"a": `{"id":"7","password":"` + marker + `"}`}}
	a, b := named("a"), create("b")
	leaf := plan.SecretLeaf{Name: "password", Secret: secret.New(marker)}
	a.Ops[0].Call.Body = plan.Object{{Name: "password", Value: leaf}}
	b.Ops[0].Call.Body = plan.Array{leaf}
	o := w.options()
	o.Store = d
	if _, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{a, b, fileAction(filepath.Join(t.TempDir(), "key"), leaf, 0o600)}}, o); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	err := filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		if e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		if strings.Contains(string(raw), marker) {
			t.Errorf("%s holds a secret", path)
		}
		found[e.Name()] = len(raw) > 0
		return err
	})
	all(t, err)
	if !found["record.json"] || !found["journal.jsonl"] {
		t.Errorf("%v", found)
	}
	if text := journalOf(t, state); strings.Count(text, "(secret: password)") != 2 || strings.Count(text, "\n") != 7 {
		t.Error(text)
	}
}

func TestAStateThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	all(t, os.WriteFile(file, nil, 0o600))
	if _, err := run.List(file); err == nil {
		t.Error("a file was listed")
	}
	_, err := run.Open(file, someRun(), newYear)
	wantError(t, err, problem.Failed, "cannot be read", "--state DIR")
	// Opened in time, and then the folder turns out to be a file.
	state := filepath.Join(t.TempDir(), "state")
	d := open(t, state)
	all(t, os.WriteFile(state, nil, 0o600))
	wantError(t, d.Begin(start()), problem.Failed, "cannot be written", "--state DIR")
}
