package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/plan"
)

// takeBack undoes the run, a person's part included.
func (st *site) takeBack(args ...string) result {
	st.t.Helper()
	return st.do(append([]string{"undo", "-f", st.answers(), "--yes", "--done", allManual}, args...)...)
}

// TestUndoTakesBackWhatARunMade: the state is as before, and a second undo finds nothing; a second set-up works, and is undone too.
func TestUndoTakesBackWhatARunMade(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	before := st.canonical()
	for round := range 2 {
		st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
		if st.canonical() == before {
			t.Fatal("nothing was set up")
		}
		sent := st.changes()
		r := st.do("undo", "--dry-run").want(t, exitPending)
		profile := []string{"- delete: connection profile \"Netwrix Auditor\"", "~ update: connection profile \"Netwrix Auditor\""}[round] // NPS keeps what it deletes
		says(t, r.err, "npsetup undo --dry-run --calls shows every request with its body")
		says(t, unwrapped(st.do("undo", "--dry-run", "--calls").want(t, exitPending).out), `POST /api/v1/ManagedAccount/DeleteMultipleApplicationUsers ["`)
		says(t, st.do("apply", "-f", st.answers(), "--dry-run").err, "npsetup plan -f "+plan.ShellWord(st.answers())+" --calls shows")
		says(t, st.do("plan", "-f", st.answers(), "--set", "accessPolicy.resource.name=A B", "--accept-risk", "rotate-password").err,
			"npsetup plan -f "+plan.ShellWord(st.answers())+" --set 'accessPolicy.resource.name=A B' --accept-risk 'rotate-password' --calls shows")
		says(t, st.do("undo", "--dry-run", "--state", st.state).err, "npsetup undo --dry-run --state "+plan.ShellWord(st.state)+" --calls shows")
		says(t, st.do("undo", "--dry-run", "--keep-changed").err, "npsetup undo --dry-run --keep-changed --calls shows")
		says(t, r.out, profile, "! by hand: ", "DELETE /api/v1/", "digest sha256:")
		if st.changes() != sent {
			t.Fatal("a dry run changed something")
		}
		says(t, st.do("undo", "--yes").want(t, exitPerson).err, "a person is needed; when it is done: npsetup undo --yes --done ")
		says(t, st.takeBack().want(t, exitOK).err, "nothing of this run is left to take back; it is closed")
		if got := st.canonical(); got != before {
			t.Fatalf("after undo\n%s\nbefore\n%s", got, before)
		}
		sent = st.changes()
		st.takeBack().want(t, exitOK)
		if st.changes() != sent {
			t.Error("the second undo changed something")
		}
		says(t, st.do("undo", "--yes").want(t, exitUsage).err, "no run is open")
	}
	st.noSecrets()
}

// TestUndoRestoresWhatWasChanged: what was there before and was changed gets its former values; what it adopted stays.
func TestUndoRestoresWhatWasChanged(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	if err := os.RemoveAll(filepath.Join(st.state, "npsetup", "runs")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind, name string
		set        map[string]any
	}{
		{"connectionProfiles", "Netwrix Auditor", map[string]any{"record": true, "maxSessionLength": 7}},
		{"activities", "Netwrix Auditor Domain Admin", map[string]any{"isDeleted": true}},
		{"policies", "Netwrix Auditor (resource)", map[string]any{"isDeleted": true}},
	} {
		st.drift(c.kind, c.name, c.set)
	}
	before := st.canonical()
	st.state = t.TempDir() // no run is remembered
	if r := st.do("apply", "-f", st.answers(), "--yes", "--done", allManual); r.code != exitOK && r.code != exitPerson {
		r.want(t, exitOK)
	}
	if st.canonical() == before {
		t.Fatal("nothing was changed")
	}
	st.takeBack().want(t, exitOK)
	if got := st.canonical(); got != before {
		t.Errorf("after undo\n%s\nbefore\n%s", got, before)
	}
}

// TestUndoAsksAboutOthersChanges: a member that somebody else has changed since is not written over unasked.
func TestUndoAsksAboutOthersChanges(t *testing.T) {
	t.Parallel()
	for answer, record := range map[string]any{"--keep-changed": 9.0, "--accept-risk=changed-since": 7.0} {
		st := setUp(t)
		st.drift("connectionProfiles", "Netwrix Auditor", map[string]any{"maxSessionLength": 7})
		st.state = t.TempDir()
		st.do("apply", "-f", st.answers(), "--yes", "--done", allManual)
		st.drift("connectionProfiles", "Netwrix Auditor", map[string]any{"maxSessionLength": 9})
		sent := st.changes()
		r := st.takeBack().want(t, exitUsage)
		says(t, r.err, "somebody else has changed what this run had changed", "maxSessionLength was 7, this run made it ", "and somebody else 9", "--keep-changed", "--accept-risk changed-since")
		if st.changes() != sent {
			t.Error("something was changed before the question was answered")
		}
		st.takeBack(answer).want(t, exitOK)
		if !strings.Contains(st.canonical(), fmt.Sprintf(`"maxSessionLength": %v`, record)) {
			t.Errorf("%s: %s", answer, st.canonical())
		}
	}
}

// TestAnApprovedUndo is carried out as it was shown, or not at all.
func TestAnApprovedUndo(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	says(t, st.do("undo").want(t, exitUsage).err, "nobody agreed to the changes")
	_, digest, _ := strings.Cut(st.do("undo", "--dry-run").want(t, exitPending).out, "digest ")
	digest = strings.TrimSpace(digest)
	st.drift("connectionProfiles", "Netwrix Auditor", map[string]any{"isDeleted": true})
	says(t, st.do("undo", "--approve", digest).want(t, exitFailed).err, "the approved undo is stale")
	st.drift("connectionProfiles", "Netwrix Auditor", map[string]any{"isDeleted": false})
	st.do("undo", "--approve", digest).want(t, exitPerson)
}
