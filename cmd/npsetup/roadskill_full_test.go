//go:build full

package main

import (
	"fmt"
	"regexp"
	"testing"

	"npsetup/client/sandbox"
)

// TestARoadIsKilledForReal kills the real binary with SIGKILL at every changing request of a run that makes its certificate
// itself, and resumes. Key and certificate are the first run's own, and so is the serial number at the application user.
func TestARoadIsKilledForReal(t *testing.T) {
	serial := regexp.MustCompile(`"certificateSerialNumber": "[0-9A-F]+"`)
	state := func(st *site) string { return serial.ReplaceAllString(st.canonical(), "SERIAL") }
	whole := newSite(t, sandbox.Options{})
	whole.do("apply", "-f", whole.road("new"), "--yes").want(t, exitPerson)
	want, n := state(whole), whole.changes()
	for k := 1; k <= n; k++ {
		t.Run(fmt.Sprintf("at change %d", k), func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			answers := st.road("new")
			st.killedAt(t, k, "apply", "-f", answers, "--yes")
			st.do("resume", "--yes").want(t, exitPerson)
			if got := state(st); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
			st.person()
			st.do("apply", "-f", answers, "--yes", "--done", madeManual).want(t, exitOK)
			st.do("plan", "-f", answers).want(t, exitOK)
		})
	}
}
