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

// TestAVaultSessionThatIsStoppedIsEnded stops a run at the start and at the end of its session, which no person has to look for.
func TestAVaultSessionThatIsStoppedIsEnded(t *testing.T) {
	t.Parallel()
	want, _, after := undisturbedVault(t)
	if after != proving {
		t.Fatalf("%d changing requests after the person's part, a session has %d", after, proving)
	}
	for k := 1; k <= after; k++ {
		t.Run(fmt.Sprintf("at change %d", k), func(t *testing.T) {
			t.Parallel()
			st := newVaultSite(t, sandbox.Options{})
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			st.hands()
			if r := st.stoppedAt(k, "apply", "-f", st.answers(), "--yes", "--done", vaultManual); r.code != exitCancelled && r.code != exitOK {
				t.Errorf("exit %d: %s", r.code, r.err)
			}
			st.do("resume", "--yes").want(t, exitOK)
			if got := st.canonical(); got != want {
				t.Errorf("another end state: %s", unlike(got, want))
			}
			if left := st.s.OpenSessions(); len(left) > 0 {
				t.Errorf("sessions are left open: %v", left)
			}
		})
	}
}
