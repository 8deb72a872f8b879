package main

import (
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestWhatAnUndoTookBackIsAskedForAgain, also before the undo is through: nobody's word outlives what it stood for, nor a session that was opened before.
func TestWhatAnUndoTookBackIsAskedForAgain(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.do("undo", "--yes", "--done", "monitoring-plan").want(t, exitPerson)
	r := st.do("verify", "-f", st.answers())
	for _, step := range []string{"auditor-start", "auditor-key", "monitoring-plan"} {
		says(t, r.out, step+" waiting by hand; say so with --done "+step)
	}
	says(t, r.out, "certificate-trust by-word said to be done") // nobody has taken it back
	says(t, st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson).err, "--done auditor-start,auditor-key,monitoring-plan")
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual)
	says(t, st.do("undo", "--yes").want(t, exitPerson).err, "auditor-key", "monitoring-plan") // what was done anew is taken back anew
	st.do("undo", "--yes", "--done", allManual).want(t, exitOK)
	r = st.do("verify", "-f", st.answers())
	if strings.Contains(r.out, "by-word") || strings.Contains(r.out, "seen: ") {
		t.Errorf("something is still taken for done:\n%s", r.out)
	}
}

// TestASessionBeforeAnUndoProvesNothing of what was taken back by it.
func TestASessionBeforeAnUndoProvesNothing(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	st.do("resume", "--yes", "--done", vaultManual).want(t, exitOK)
	says(t, st.do("verify", "-f", st.answers()).want(t, exitOK).out, "seen: ")
	st.do("undo", "--yes", "--done", vaultManual).want(t, exitOK)
	if r := st.do("verify", "-f", st.answers()); strings.Contains(r.out, "seen: ") {
		t.Errorf("a session is taken for a proof:\n%s", r.out)
	}
}
