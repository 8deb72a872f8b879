package main

import (
	"fmt"
	"testing"

	"npsetup/client/sandbox"
)

// vaultDone goes through the whole guide, from whatever a first apply left, and gives the canonical state.
func (st *site) vaultDone(t *testing.T) string {
	t.Helper()
	st.do("resume", "--yes").want(t, exitPerson)
	st.hands()
	st.do("resume", "--yes", "--done", vaultManual).want(t, exitOK)
	return st.canonical()
}

// undisturbedVault is the state after a run that nothing stopped, and how many changing requests each of its two parts took: before and
// after the person's.
func undisturbedVault(t *testing.T) (state string, before, after int) {
	t.Helper()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	before = st.changes()
	st.hands()
	st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	return st.canonical(), before, st.changes() - before
}

// TestAStoppedVaultRunContinues stops a run at every changing request of the guide, its session's too, and resumes it.
func TestAStoppedVaultRunContinues(t *testing.T) {
	t.Parallel()
	want, before, after := undisturbedVault(t)
	if before != 7 || after != 2 {
		t.Fatalf("%d and %d changing requests, an undisturbed run has 7 and the 2 of its session", before, after)
	}
	for k := 1; k <= before; k++ {
		t.Run(fmt.Sprintf("at change %d", k), func(t *testing.T) {
			t.Parallel()
			st := newVaultSite(t, sandbox.Options{})
			st.stoppedAt(k, "apply", "-f", st.answers(), "--yes").want(t, exitCancelled)
			if got := st.vaultDone(t); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
		})
	}
	for k := 1; k <= after; k++ {
		t.Run(fmt.Sprintf("at change %d of the session", k), func(t *testing.T) {
			t.Parallel()
			st := newVaultSite(t, sandbox.Options{})
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			st.hands()
			if r := st.stoppedAt(k, "apply", "-f", st.answers(), "--yes", "--done", vaultManual); r.code != exitCancelled && r.code != exitOK {
				t.Errorf("exit %d: %s", r.code, r.err)
			}
			st.do("resume", "--yes").want(t, exitOK)
			if got := st.canonical(); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
			if left := st.s.OpenSessions(); len(left) > 0 {
				t.Errorf("sessions are left open: %v", left)
			}
		})
	}
}

// TestALostAnswerOfAVaultIsLookedUp loses the answer to every changing request in turn: nothing is made twice.
func TestALostAnswerOfAVaultIsLookedUp(t *testing.T) {
	t.Parallel()
	want, before, after := undisturbedVault(t)
	for k := 1; k <= before; k++ {
		t.Run(fmt.Sprintf("of change %d", k), func(t *testing.T) {
			t.Parallel()
			st := newVaultSite(t, sandbox.Options{Faults: []string{fmt.Sprintf("answer-lost@%d", k)}})
			if r := st.do("apply", "-f", st.answers(), "--yes"); r.code != exitPerson && r.code != exitFailed {
				r.want(t, exitPerson)
			}
			if got := st.vaultDone(t); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
			if st.changes() != before+after {
				t.Errorf("%d changing requests, an undisturbed run has %d", st.changes(), before+after)
			}
		})
	}
}
