package main

import (
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// setUp is a site on which the whole guide was carried out.
func setUp(t *testing.T) *site {
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	return st
}

func (st *site) drift(kind, name string, set map[string]any) {
	st.t.Helper()
	if err := st.s.Drift(kind, name, set); err != nil {
		st.t.Fatal(err)
	}
}

// proving is how many changing requests the session has that proves what was changed: its start and its end.
const proving = 2

// TestWhatWasDeletedComesBack deletes objects as another administrator would, and sets up again: the end state is the same,
// nothing is made twice, and a second run changes nothing.
func TestWhatWasDeletedComesBack(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	want := st.canonical()
	for _, c := range []struct {
		step, kind, name string
		set              map[string]any
		shows            []string
		changes          int
	}{
		{"activity", "activities", "Netwrix Auditor Domain Admin", map[string]any{"isDeleted": true}, []string{`^ restore: activity "Netwrix Auditor Domain Admin"`, "deleted (isDeleted): true → false"}, 1},
		{"activity", "activities", "Netwrix Auditor Domain Admin", map[string]any{"isDeleted": true, "deleteAccount": false}, []string{"^ restore: activity", "Delete After Use (deleteAccount): False → True"}, 1},
		{"connection-profile", "connectionProfiles", "Netwrix Auditor", map[string]any{"isDeleted": true, "record": false}, []string{"^ restore: connection profile", "Record Proxy Session (record): False → True"}, 1},
		{"policy-resource", "policies", "Netwrix Auditor (resource)", map[string]any{"isDeleted": true}, []string{"^ restore: access policy", "Status?isDeleted=false&isDisabled=false"}, 1},
		{"policy-resource", "policies", "Netwrix Auditor (resource)", map[string]any{"isDeleted": true, "isDisabled": true, "activityConfigurationId": nil}, []string{"^ restore: access policy", "another profile → Netwrix Auditor"}, 2},
	} {
		st.drift(c.kind, c.name, c.set)
		if st.canonical() == want {
			t.Fatalf("%s: nothing was deleted", c.kind)
		}
		says(t, st.do("plan", "-f", st.answers()).want(t, exitPending).out, c.shows...)
		says(t, st.do("verify", "-f", st.answers()).want(t, exitPending).out, c.step+" differs ")
		before := st.changes()
		st.do("apply", "-f", st.answers(), "--yes").want(t, exitOK)
		if got := st.canonical(); got != want {
			t.Fatalf("%s %v: another end state:\n%s\nwant\n%s", c.kind, c.set, got, want)
		}
		if n := st.changes() - before; n != c.changes+proving {
			t.Errorf("%s %v: %d changing requests, want %d", c.kind, c.set, n, c.changes+proving)
		}
		before = st.changes()
		st.do("plan", "-f", st.answers()).want(t, exitOK)
		st.do("apply", "-f", st.answers(), "--yes").want(t, exitOK)
		if st.changes() != before {
			t.Errorf("%s: the second run changes something", c.kind)
		}
	}
}

// TestAChangeAfterThePlanIsNotWrittenOver deletes an activity, approves its restoration, and changes it in between.
func TestAChangeAfterThePlanIsNotWrittenOver(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.drift("activities", "Netwrix Auditor Domain Admin", map[string]any{"isDeleted": true})
	path, digest := planFile(t, st)
	once := false
	st.s.OnRequest(func(r sandbox.Request) { // after the look, before the guard's fresh read
		if r.Method == "GET" && r.Path == "/api/v1/Activity" && !once {
			once = true
			_ = st.s.Drift("activities", "Netwrix Auditor Domain Admin", map[string]any{"description": "somebody else's"})
		}
	})
	before := st.changes()
	r := st.do("apply", "--plan", path, "--approve", digest).want(t, exitFailed)
	if !strings.Contains(r.err, "stale") || st.changes() != before {
		t.Errorf("%d changes:\n%s", st.changes()-before, r.err)
	}
}

// TestADeletedActivityWithWrongActions is made by hand, and the reason is said.
func TestADeletedActivityWithWrongActions(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.drift("activities", "Netwrix Auditor Domain Admin", map[string]any{"isDeleted": true, "startActionGroupId": nil})
	before := st.changes()
	r := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	says(t, strings.Join(strings.Fields(r.err), " "), "would come back with wrong actions", `pre-session: the action "Add User to Domain Group" is not there`)
	if st.changes() != before {
		t.Errorf("%d changes", st.changes()-before)
	}
}

// TestOtherSpellingsOfTheSerialNumber are no difference: people paste them from Windows' dialog.
func TestOtherSpellingsOfTheSerialNumber(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	c, err := readCertificate(filepath.Join(st.dir, "auditor-client.cer"), timeNow())
	if err != nil {
		t.Fatal(err)
	}
	lower := strings.ToLower(c.Serial)
	pairs := ""
	for i := 0; i+2 <= len(lower); i += 2 {
		pairs += lower[i:i+2] + " "
	}
	for _, spelled := range []string{lower, pairs, "00" + c.Serial, "\u200e" + c.Serial, strings.TrimLeft(c.Serial, "0")} {
		st.drift("applicationUsers", "NetwrixAuditor", map[string]any{"certificateSerialNumber": spelled})
		if r := st.do("plan", "-f", st.answers()); r.code != exitOK {
			t.Errorf("%q counts as another one:\n%s", spelled, r.out)
		}
	}
	st.drift("applicationUsers", "NetwrixAuditor", map[string]any{"certificateSerialNumber": c.Serial + "00"})
	p := st.do("plan", "-f", st.answers()).want(t, exitPending)
	says(t, strings.Join(strings.Fields(p.out), " "), "~ update: application user", c.Serial+"00 → "+c.Serial)
}
