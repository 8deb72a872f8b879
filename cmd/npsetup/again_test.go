package main

import (
	"regexp"
	"testing"

	"npsetup/client/sandbox"
)

// TestWhatRestedOnSomethingElseIsDoneAgain takes the application user away after everything was done: a new one has a new
// key, and only the pasting of the key is asked for again.
func TestWhatRestedOnSomethingElseIsDoneAgain(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	if err := st.s.Drift("applicationUsers", "NetwrixAuditor", map[string]any{"name": "Renamed", "displayName": "Renamed"}); err != nil {
		t.Fatal(err)
	}
	r := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	for step, outcome := range map[string]string{"auditor-key": "waiting", "certificate-trust": "unchanged", "monitoring-plan": "unchanged", "auditor-start": "unchanged"} {
		if !regexp.MustCompile(`(?m)^` + step + ` ` + outcome + ` `).MatchString(r.out) {
			t.Errorf("%s is not %s:\n%s", step, outcome, r.out)
		}
	}
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", "auditor-key").want(t, exitOK)
	st.do("plan", "-f", st.answers()).want(t, exitOK)

	other := st.edited("name: AD Monitoring", "name: Another plan")
	st.do("plan", "-f", other).want(t, exitPerson)
}

// TestOnlyAWordThatCountsIsAskedFor: what is read back nobody has to say; who says it all the same is told so.
func TestOnlyAWordThatCountsIsAskedFor(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	words := "auditor-start,certificate-trust,auditor-key,monitoring-plan"
	args := []string{"--set", "application.key="}
	says(t, st.do(append(args, "apply", "-f", st.answers(), "--yes")...).want(t, exitPerson).err, "when it is done: npsetup resume --yes --done "+words+"\n")
	r := st.do("resume", "--yes", "--done", words).want(t, exitPerson)
	says(t, r.err, "Monitoring Plans", "when it is done: npsetup resume --yes\n")
	r = st.do("resume", "--yes", "--done", "verify").want(t, exitPerson)
	says(t, r.err, "--done verify: nobody's word stands for it, it is read back; npsetup resume --yes looks")
	says(t, reported(t, r.out, "verify"), "verify waiting ")
}
