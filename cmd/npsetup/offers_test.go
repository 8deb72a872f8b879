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

// TestExplainTakesNumbersAsTheyAreShown by the Event Viewer, by Windows without 0x, and nothing at all.
func TestExplainTakesNumbersAsTheyAreShown(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	for typed, as := range map[string]string{"Event ID: 5804": "5804", "event 5804": "5804", "80072EE2": "0x80072EE2"} {
		if r, want := st.do("explain", typed).want(t, exitOK), st.do("explain", as).want(t, exitOK); strings.Replace(r.out, typed+" has several", as+" has several", 1) != want.out {
			t.Errorf("%s is told as\n%s", typed, r.out)
		}
	}
	if r, want := st.do("explain", "").want(t, exitOK), st.do("explain"); r.out != want.out {
		t.Errorf("nothing is told as\n%s", r.out)
	}
}
