package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// wordOnly are the steps that only a word proves where nothing undocumented is offered; the access policy is made by hand too, and
// read back.
const wordOnly = allManual + ",connection-profile,activity"

// newDocumentedSite offers only what the vendor documents. Its answers name no private key: no session of our own is opened.
func newDocumentedSite(t *testing.T) (*site, string) {
	st := newSite(t, sandbox.Options{API: "documented"})
	return st, st.edited("  key: file:auditor-client.key\n", "")
}

// collected waits until Auditor has collected.
func (st *site) collected() {
	st.t.Helper()
	ctx, cancel := context.WithTimeout(st.t.Context(), 30*time.Second)
	defer cancel()
	if events, err := st.s.AwaitEvents(ctx, 1); err != nil || events[0].ID != 0 {
		st.t.Fatalf("Auditor could not collect: %+v %v", events, err)
	}
}

// outcomes checks words of the lines of a report, step by step.
func outcomes(t *testing.T, report string, want map[string]string) {
	t.Helper()
	for step, words := range want {
		if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(step+" "+words)).MatchString(report) {
			t.Errorf("%s is not told as %q:\n%s", step, words, report)
		}
	}
}

// TestOnlyDocumentedCalls is the whole way on a server that offers only what the vendor documents: what no call makes, and what
// takes an id that no call tells, a person makes; then it is found, proven as far as it can be read, and left alone.
func TestOnlyDocumentedCalls(t *testing.T) {
	t.Parallel()
	st, file := newDocumentedSite(t)
	p := st.do("plan", "-f", file).want(t, exitPending)
	says(t, strings.Join(strings.Fields(p.out), " "),
		`! by hand: connection profile "Netwrix Auditor"`, `! by hand: activity "Netwrix Auditor Domain Admin"`, `! by hand: access policy "Netwrix Auditor (resource)"`,
		"value Max Duration: 60", "Domain = %target_domain%", "this server does not tell its version: that it is 4.2 or newer cannot be judged")
	first := st.do("apply", "-f", file, "--yes").want(t, exitPerson)
	outcomes(t, first.out, map[string]string{
		"signin": "done CONTOSO\\npsadmin, role Admin, version not told", "application-user": "done", "resource": "done", "connection-profile": "waiting", "activity": "waiting",
		"policy-resource": "waiting", "verify": "waiting",
	})
	says(t, first.err, "\nconnection-profile: ", "\nactivity: ", "\npolicy-resource: ")

	// A word alone brings the set-up no further than to what can be seen.
	word := st.do("resume", "--yes", "--done", "connection-profile,activity,policy-resource").want(t, exitPerson)
	outcomes(t, word.out, map[string]string{"connection-profile": "done said by a person; this server does not let it be read", "policy-resource": "waiting"})

	var did []string
	for _, d := range st.person() {
		did = append(did, d.Step)
	}
	if got := strings.Join(did, ","); got != "auditor-start,certificate-trust,connection-profile,activity,policy-resource,auditor-key,monitoring-plan" {
		t.Errorf("the person did %s", got)
	}
	st.collected()
	sent := st.changes()
	st.do("resume", "--yes", "--done", wordOnly).want(t, exitOK)
	state := st.canonical()
	st.do("plan", "-f", file).want(t, exitOK)
	st.do("apply", "-f", file, "--yes").want(t, exitOK)
	if st.changes() != sent || st.canonical() != state {
		t.Errorf("%d changing requests after what was made by hand", st.changes()-sent)
	}
	outcomes(t, st.do("verify", "-f", file).want(t, exitOK).out, map[string]string{
		"connection-profile": "proven read back from a session that used it: all 18 settings",
		"activity":           "by-word read back: it is there by its name; its settings and the pair of actions for Domain Admins: said by a person; this server does not let it be read",
		"policy-resource":    "proven read back: connection profile, user, activity and resources",
		"verify":             "proven NPS grants",
	})
	for _, r := range st.s.Requests() {
		if r.Class == "change" && r.Status >= 300 {
			t.Errorf("%s %s was tried: %d", r.Method, r.Path, r.Status)
		}
	}
}

// TestDriftWhereNothingIsListed is another administrator's change, as far as documented calls show it.
func TestDriftWhereNothingIsListed(t *testing.T) {
	t.Parallel()
	st, file := newDocumentedSite(t)
	st.do("apply", "-f", file, "--yes").want(t, exitPerson)
	st.person()
	st.collected()
	st.do("resume", "--yes", "--done", wordOnly).want(t, exitOK)
	st.drift("connectionProfiles", "Netwrix Auditor", map[string]any{"maxSessionLength": 15, "record": false})
	v := st.do("verify", "-f", file).want(t, exitPerson)
	outcomes(t, v.out, map[string]string{"connection-profile": `waiting connection profile "Netwrix Auditor" is to be done by hand; Record Proxy Session is False, should be True; Max Duration is 15, should be 60 minutes`})
	st.drift("connectionProfiles", "Netwrix Auditor", map[string]any{"maxSessionLength": 60, "record": true})
	st.do("verify", "-f", file).want(t, exitOK)

	st.drift("policies", "Netwrix Auditor (resource)", map[string]any{"activityConfigurationId": nil})
	p := st.do("plan", "-f", file).want(t, exitPerson)
	says(t, p.out, `! by hand: access policy "Netwrix Auditor (resource)"`, "Connection Profile: (nothing) → Netwrix Auditor")
	st.person()
	st.do("verify", "-f", file).want(t, exitOK)
	before := st.canonical()
	st.drift("policies", "Netwrix Auditor (resource)", map[string]any{"isDeleted": true})
	st.do("apply", "-f", file, "--yes").want(t, exitPerson) // Auditor has to show once more that it works
	if got := st.canonical(); got != before {
		t.Errorf("the policy did not come back:\n%s", got)
	}
}

// TestOnlyDocumentedCallsAndAKey: with the key at hand a session as the application user, and Auditor's own, prove all but the activity's
// actions.
func TestOnlyDocumentedCallsAndAKey(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{API: "documented"})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.collected()
	r := st.do("resume", "--yes", "--done", wordOnly).want(t, exitOK)
	outcomes(t, r.out, map[string]string{
		"connection-profile": "adopted read back from a session", "activity": "done read back: it is there", "verify": "done NPS grants Netwrix Auditor Domain Admin on dc01.contoso.com to NetwrixAuditor; a session as NetwrixAuditor became active and ended; Auditor opened a session itself",
	})
	sent := st.changes()
	st.do("plan", "-f", st.answers()).want(t, exitOK)
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitOK)
	if st.changes() != sent {
		t.Error("the second run changes something")
	}
}
