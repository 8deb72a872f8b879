package main

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// eventsOf lets Auditor collect with a mistake in its plan, and gives what verify says with its exported log at hand.
func eventsOf(t *testing.T, kind, fault string, want int) result {
	t.Helper()
	st := newSite(t, sandbox.Options{Faults: []string{fault}})
	log := "monitoringPlan.events=file:" + filepath.Join(st.dir, sandbox.EventFile)
	args := []string{"--set", log, "--set", "application.key="}
	st.lend(kind, "apply", append(args, "--yes")...).want(t, exitPerson)
	st.person()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := st.s.AwaitEvents(ctx, 1); err != nil {
		t.Fatal(err)
	}
	return st.lend(kind, "verify", args...).want(t, want)
}

// TestAuditorsEventLogIsRead names the cause of what Auditor's log complains of, and the way out.
func TestAuditorsEventLogIsRead(t *testing.T) {
	for _, c := range []struct {
		kind, fault string
		code        int
		says        []string
	}{
		{"credential", "plan-credential", exitPerson, []string{"event 5804 in Auditor's log at ", "finds no credential by the user name", "as NPS shows it under Credentials"}},
		{"credential", "client-serial", exitPerson, []string{"event 5804", "NPS has another serial number", "serial number"}},
		{"credential", "credential-expires", exitOK, []string{"event 5801 in Auditor's log at ", "several collections share one account", "one account for each monitoring plan"}},
		{"credential", "session-expires", exitOK, []string{"event 5802 in Auditor's log at ", "Max Duration"}},
		{"credential", "session-terminated", exitOK, []string{"event 5803 in Auditor's log at ", "NwCfgServerSvc"}},
	} {
		t.Run(c.fault, func(t *testing.T) {
			t.Parallel()
			r := eventsOf(t, c.kind, c.fault, c.code)
			says(t, r.out, c.says...)
		})
	}
	st := newSite(t, sandbox.Options{})
	missing := []string{"--set", "monitoringPlan.events=file:nowhere.xml"}
	r := st.lend("credential", "plan", missing...).want(t, exitPending) // it may come later
	says(t, unwrapped(r.out), "warning: event log of Auditor: Auditor's event log cannot be read from ", "nowhere.xml: there is no such file", "(code: event-log-unreadable)")
	says(t, st.lend("credential", "verify", missing...).want(t, exitUsage).err, "nowhere.xml", "because there is no such file", "next: export it on Auditor's server", "code: event-log-unreadable")
	for _, command := range []string{"plan", "verify"} {
		r := st.lend("credential", command, "--set", "monitoringPlan.events=file:"+filepath.Join(st.dir, "ca.pem")).want(t, exitUsage)
		says(t, r.err, "Auditor's event log cannot be read from ", "ca.pem", "it is no export of an event log", "wevtutil", "code: event-log-unreadable")
	}
}
