package run_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// lines of a journal with a head and three entries, each with its line feed.
func threeEntries(t *testing.T) (state, path string, lines []string) {
	t.Helper()
	state = t.TempDir()
	d := begin(t, state)
	for _, action := range []string{"a", "b", "c"} {
		all(t, d.Journal(run.Entry{Action: action, Op: "o", State: run.Sending, Request: "POST /" + action}))
	}
	all(t, d.Close())
	path = filepath.Join(folder(t, state), "journal.jsonl")
	lines = strings.SplitAfter(journalOf(t, state), "\n")[:4]
	if !strings.HasPrefix(lines[0], `{"journal":2,"sum":"`) {
		t.Fatalf("the head is %s", lines[0])
	}
	return state, path, lines
}

// TestABrokenLineInTheMiddleIsRefused at each line but the last, and for each kind of damage; the file stays as it is.
func TestABrokenLineInTheMiddleIsRefused(t *testing.T) {
	for what, spoil := range map[string]func(string) string{
		"a changed byte": func(s string) string { return strings.Replace(s, `"state":"s`, `"state":"z`, 1) },
		"cut off":        func(s string) string { return s[:len(s)/2] + "\n" },
		"zero bytes":     func(s string) string { return strings.Repeat("\x00", len(s)-1) + "\n" },
		"another sum":    func(s string) string { return s[:len(s)-4] + "x" + s[len(s)-3:] },
		"no sum":         func(s string) string { return s[:strings.Index(s, `,"sum"`)] + "}\n" },
		"gone":           func(string) string { return "" },
	} {
		for n := 1; n <= 2; n++ {
			state, path, lines := threeEntries(t)
			lines[n] = spoil(lines[n])
			raw := strings.Join(lines, "")
			all(t, os.WriteFile(path, []byte(raw), 0o600))
			_, err := run.Open(state, someRun(), newYear)
			if err == nil {
				t.Fatalf("%s in line %d is read", what, n+1)
			}
			wantError(t, err, problem.Failed, path, "is damaged", fmt.Sprintf("line %d", n+1), "put the file back", "move its folder away")
			if journalOf(t, state) != raw {
				t.Errorf("%s: the file was changed", what)
			}
		}
	}
}

// TestATornEndIsTolerated and said, whatever a kill or a power cut made of the last line; what is added behind it is read, and the line stays.
func TestATornEndIsTolerated(t *testing.T) {
	for what, spoil := range map[string]func(string) string{
		"cut off":        func(s string) string { return s[:len(s)/2] },
		"no line feed":   func(s string) string { return s[:len(s)-1] },
		"zero bytes":     func(s string) string { return strings.Repeat("\x00", 4096) },
		"half zero":      func(s string) string { return s[:20] + strings.Repeat("\x00", len(s)-20) },
		"a changed byte": func(s string) string { return strings.Replace(s, "POST", "PUT ", 1) },
	} {
		state, path, lines := threeEntries(t)
		lines[3] = spoil(lines[3])
		raw := strings.Join(lines, "")
		all(t, os.WriteFile(path, []byte(raw), 0o600))
		d := open(t, state)
		if got := described(d.Lost()); got != "1 a/o sending, 2 b/o sending" || !strings.Contains(d.Torn(), path+" (line 4)") {
			t.Errorf("%s: %s, said %q", what, got, d.Torn())
		}
		if journalOf(t, state) != raw {
			t.Errorf("%s: who only looks has changed the file", what)
		}
		all(t, d.Begin(start()), d.Journal(run.Entry{Action: "d", Op: "o", State: run.Sending}), d.Close())
		d = open(t, state)
		if got := described(d.Lost()); got != "5 d/o sending" || d.Torn() != "" || !strings.HasPrefix(journalOf(t, state), raw) {
			t.Errorf("%s: then %s, said %q", what, got, d.Torn())
		}
	}
}

// TestAJournalOfTheVersionBefore has no head and no checksums; a line that was cut off stands in its middle.
func TestAJournalOfTheVersionBefore(t *testing.T) {
	state, path, _ := threeEntries(t)
	old := `{"time":"2025-01-01T00:00:00Z","seq":1,"action":"a","op":"o","state":"sending","request":"POST /a"}` + "\n" + `{"time":"2025-01-01T00:0` + "\n" +
		`{"time":"2025-01-01T00:00:00Z","seq":3,"action":"b","op":"o","state":"lost","request":"POST /b"}` + "\n"
	all(t, os.WriteFile(path, []byte(old), 0o600))
	d := open(t, state)
	if got := described(d.Lost()); got != "1 a/o sending, 3 b/o lost" || d.Torn() != "" {
		t.Errorf("%s, said %q", got, d.Torn())
	}
	all(t, d.Begin(start()), d.Journal(run.Entry{Action: "c", Op: "o", State: run.Sending}), d.Close())
	now := journalOf(t, state)
	if !strings.HasPrefix(now, old+`{"journal":2,"sum":"`) {
		t.Errorf("what follows has no head:\n%s", now)
	}
	if got := described(open(t, state).Lost()); got != "6 c/o sending" {
		t.Error(got)
	}
	all(t, os.WriteFile(path, []byte(strings.Replace(now, `"action":"c"`, `"action":"x"`, 1)+"more\n"), 0o600))
	_, err := run.Open(state, someRun(), newYear)
	wantError(t, err, problem.Failed, "is damaged", "checksum")
	all(t, os.WriteFile(path, []byte(strings.Replace(old, `"seq":1`, `"seq":,`, 1)), 0o600))
	_, err = run.Open(state, someRun(), newYear)
	wantError(t, err, problem.Failed, "is damaged", "line 1", "is no entry")
}

func TestFilesOfANewerVersionAreRefused(t *testing.T) {
	state, path, lines := threeEntries(t)
	newer := `{"journal":3,"check":"x"}` + "\n" + lines[1]
	all(t, os.WriteFile(path, []byte(newer), 0o600))
	_, err := run.Open(state, someRun(), newYear)
	wantError(t, err, problem.Failed, path, "is of a newer version", "its version is 3, and this npsetup knows 2", "the npsetup that wrote it, or a newer one")
	if journalOf(t, state) != newer {
		t.Error("the journal was changed")
	}
	all(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
	record := filepath.Join(filepath.Dir(path), "record.json")
	all(t, os.WriteFile(record, []byte(`{"format": 2}`), 0o600))
	for _, err := range []error{openError(state), listError(state)} {
		wantError(t, err, problem.Failed, record, "is of a newer version", "its format is 2", "a newer one")
	}
}

func openError(state string) error { _, err := run.Open(state, someRun(), newYear); return err }
func listError(state string) error { _, err := run.List(state); return err }
