package main

import (
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestTheNamedAnswersAreOfferedFirst, whichever guide they are of: what is marked is what enter takes.
func TestTheNamedAnswersAreOfferedFirst(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.answer = "q\n"
	r := st.do("--plain", "-f", st.answers()).want(t, exitCancelled)
	named, first := strings.Index(r.out, "Go through the answers of answers-password-secure.yaml"), strings.Index(r.out, "Set up: ")
	if named < 0 || first < named {
		t.Errorf("another guide is offered first:\n%s", r.out)
	}
}

// TestNotesAreToldAlsoWithoutAPlan: when the draft fails, nothing else shows what was seen.
func TestNotesAreToldAlsoWithoutAPlan(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	r := st.do("plan", "-f", st.answers(), "--set", "monitoringPlan.events=file:/nowhere/events.xml", "--set", "monitoringPlan.name=")
	says(t, unwrapped(r.err), "note: event log of Auditor:", "(code: event-log-unreadable)", "missing: Monitoring plan")
}
