//go:build full

package main

import (
	"bytes"
	"fmt"
	"os/exec"
	"sync"
	"testing"

	"npsetup/client/sandbox"
)

// TestAVaultKilledForReal kills the real binary with SIGKILL at every changing request of the guide, its session's too: carried out, and
// its answer never seen. What follows must come to the state of a run that nothing stopped, with no session left open.
func TestAVaultKilledForReal(t *testing.T) {
	want, before, after := undisturbedVault(t)
	for k := 1; k <= before+after; k++ {
		t.Run(fmt.Sprintf("at change %d", k), func(t *testing.T) {
			st := newVaultSite(t, sandbox.Options{})
			args, n, end := []string{"apply", "-f", st.answers(), "--yes"}, k, exitPerson
			if k > before {
				st.do(args...).want(t, exitPerson)
				st.hands()
				args, n, end = append(args, "--done", vaultManual), k-before, exitOK
			}
			st.killedAtChange(t, n, args...)
			again, err := st.process(t, "resume", "--yes").CombinedOutput()
			st.printed.Write(again)
			if code(err) != end {
				t.Fatalf("resume ended with %d\n%s", code(err), again)
			}
			got := st.canonical()
			if k <= before {
				got = st.vaultDone(t)
			}
			if got != want {
				t.Errorf("another end state: %s", unlike(got, want))
			}
			if left := st.s.OpenSessions(); len(left) > 0 {
				t.Errorf("sessions are left open: %v", left)
			}
		})
	}
}

// killedAtChange starts the real binary and kills it when the n-th changing request arrives.
func (st *site) killedAtChange(t *testing.T, n int, args ...string) {
	t.Helper()
	var victim *exec.Cmd
	var started sync.Mutex
	st.atChange(n, func() {
		started.Lock()
		defer started.Unlock()
		_ = victim.Process.Kill()
	})
	started.Lock()
	victim = st.process(t, args...)
	var out bytes.Buffer
	victim.Stdout, victim.Stderr = &out, &out
	err := victim.Start()
	started.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Wait(); err == nil || victim.ProcessState.Exited() {
		t.Fatalf("it was not killed: %v\n%s", err, out.Bytes())
	}
	st.printed.Write(out.Bytes())
}
