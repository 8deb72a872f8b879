package auditor

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"npsetup/steps/nps"
	"npsetup/steps/plan"
)

// article are the settings of the article, label by label, as it prints them.
func article() []string {
	return []string{
		"Allow Proxy Auto-connect = True", "Record Proxy Session = True", "Max Duration = 60", "Session End Notification = 5", "Enable Session Extension = False", "Monitor for Logon = False",
		"Leave Existing Members in Group = True", "Validate Users for SSH Sessions = False", "Require Notes for Sessions = False", "Require Ticket Number for Sessions = False",
		"Allow User to Access Password = True", "Enable credential auto-fill in browser extension = False", "Enable 'Show Password' option in user interface and browser extension = False",
		"View Password Timeout = 20", "Clear Website Data Before Start = True", "Clear Website Data After Stop = True", "Record Session Audio = True", "Approval Workflow = Automatic",
	}
}

func TestTheSettingsAreTheArticles(t *testing.T) {
	if got := strings.Split(settingLines(profileSettings(newSite().answers())), "\n"); !slices.Equal(got, article()) {
		t.Errorf("the settings are\n%s", strings.Join(got, "\n"))
	}
	var fields []string
	for _, s := range profileSettings(newSite().answers()) {
		fields = append(fields, s.Field)
	}
	want := "proxyAutoConnect record maxSessionLength expirationTimeoutThreshold allowSessionExtension monitorEntireSession leaveInGroup sshScanDc notesRequired ticketRequired allowPasswordAccess allowAutofillPassword allowViewPassword viewPasswordInSeconds clearWebsiteDataBeforeStart clearWebsiteDataAfterStop recordAudio approvalTypeRequired"
	if got := strings.Join(fields, " "); got != want {
		t.Errorf("the members are %s", got)
	}
}

// TestANewProfileIsACopyOfTheDefault keeps what the article does not name, without the identity of the row.
func TestANewProfileIsACopyOfTheDefault(t *testing.T) {
	a := newSite().action(t, profileStep)
	b := body(t, a, "create")
	for member, want := range map[string]any{"name": "Netwrix Auditor", "maxSessionLength": 60.0, "sessionRetryInterval": 5.0, "type": 7.0, "approvalWorkflowId": nil, "id": nil, "isDefault": nil, "isDeleted": nil} {
		if b[member] != want {
			t.Errorf("%s is %v, want %v", member, b[member], want)
		}
	}
	rows, _ := b["activityConfigurationSettings"].([]any)
	if len(rows) != 1 || fmt.Sprint(rows[0]) != "map[key:LsaLookupCache value:0]" {
		t.Errorf("the rows below are %v", rows)
	}
	if len(a.Difference) != 18 {
		t.Errorf("%d differences", len(a.Difference))
	}
	if raw := fmt.Sprint(newSite().server.rows["listConnectionProfiles"][0]); !strings.Contains(raw, "id:s-0") {
		t.Error("the fake itself was changed")
	}
	st := newSite()
	st.server.rows["listConnectionProfiles"][0]["approvalTypeRequired"] = 3
	if notes := strings.Join(st.action(t, profileStep).Notes, " "); !strings.Contains(notes, "has 3 for approvalTypeRequired") {
		t.Errorf("another number for Automatic goes unsaid: %s", notes)
	}
	st.server.rows["listConnectionProfiles"] = nil
	if b := body(t, st.action(t, profileStep), "create"); b["type"] != 1.0 || b["recordAudio"] != true {
		t.Errorf("without a default profile it is %v", b)
	}
}

// TestEachSettingIsReadAndWritten changes each of the 18 settings alone: exactly it is updated, and everything else stays.
func TestEachSettingIsReadAndWritten(t *testing.T) {
	for i, want := range profileSettings(newSite().answers()) {
		st := newSite().complete().made()
		have := st.server.named("listConnectionProfiles", "Netwrix Auditor")
		before := map[string]any{}
		for k, v := range have {
			before[k] = v
		}
		former := "7"
		switch v := have[want.Field].(type) {
		case bool:
			have[want.Field], former = !v, fmt.Sprint(!v)
		default:
			have[want.Field] = 7
		}
		p := st.draft(t)
		wantEffects(t, p, "update connection-profile")
		a := p.Actions[0]
		label, value, _ := strings.Cut(article()[i], " = ")
		if got := labels(a); got != label+": "+nps.Spoken(former)+" → "+strings.TrimSpace(value+" "+want.Unit) || a.Difference[0].Field != want.Field {
			t.Errorf("the difference is %q", got)
		}
		sent := body(t, a, "update")
		for k, v := range before {
			if fmt.Sprint(sent[k]) != fmt.Sprint(v) {
				t.Errorf("%s: %s is sent as %v, want %v", want.Label, k, sent[k], v)
			}
		}
		if len(sent) != len(before) || sent["tenantMark"] != "kept" {
			t.Errorf("%s: %d members are sent, %d were read", want.Label, len(sent), len(before))
		}
		g := a.Ops[0].Guard
		if g == nil || g.Lookup.Call.Operation != "listConnectionProfiles" || g.Lookup.Member != "id" || g.Lookup.Value != "c-own" || nps.Member(g.Want, want.Field) != former || !slices.Contains(g.Volatile, "modifiedDateTimeUtc") {
			t.Errorf("%s: the guard is %+v", want.Label, g)
		}
		if undo := a.Undo[0].Call.Redacted(nil); !strings.Contains(string(undo.Body), fmt.Sprintf("%q:%s", want.Field, former)) {
			t.Errorf("%s: undo does not write the former value", want.Label)
		}
		// A member that is not there differs too, and a text in place of a number does not.
		delete(have, want.Field)
		if got := labels(st.action(t, profileStep)); !strings.Contains(got, label+": (nothing) → ") {
			t.Errorf("%s: not there gives %q", want.Label, got)
		}
		have[want.Field] = want.WantText()
		wantEffects(t, st.draft(t))
	}
}

func TestOtherSettingsThanTheArticles(t *testing.T) {
	st := newSite().complete().made()
	st.drafts[settingsPrefix+"maxDuration"] = "240"
	st.drafts[settingsPrefix+"recordSessionAudio"] = "false"
	if got := labels(st.action(t, profileStep)); got != "Max Duration: 60 → 240 minutes; Record Session Audio: True → False" {
		t.Errorf("the difference is %q", got)
	}
	if sent := body(t, st.action(t, profileStep), "update"); sent["maxSessionLength"] != 240.0 || sent["recordAudio"] != false {
		t.Errorf("sent is %v", sent)
	}
}

func TestMaxDurationWarns(t *testing.T) {
	for minutes, warns := range map[string]bool{"": true, "5": true, "60": true, "61": false, "240": false} {
		st := newSite()
		st.drafts[settingsPrefix+"maxDuration"] = minutes
		text := strings.Join(st.draft(t).Warnings, "\n")
		if strings.Contains(text, "Max Duration is") != warns || warns && (!strings.Contains(text, "5801") || !strings.Contains(text, "maxDuration")) {
			t.Errorf("%q: %q", minutes, text)
		}
	}
}

// TestADeletedProfileComesBack restores a softly deleted namesake instead of making another one.
func TestADeletedProfileComesBack(t *testing.T) {
	st := newSite().complete().made()
	have := st.server.named("listConnectionProfiles", "Netwrix Auditor")
	have["isDeleted"], have["maxSessionLength"] = true, 15
	p := st.draft(t)
	wantEffects(t, p, "restore connection-profile")
	a := p.Actions[0]
	if labels(a) != "deleted: true → false; Max Duration: 15 → 60 minutes" {
		t.Errorf("the difference is %q", labels(a))
	}
	if sent := body(t, a, "update"); sent["isDeleted"] != false || sent["id"] != "c-own" || sent["tenantMark"] != "kept" || sends(a) != "PUT /api/v1/ConnectionProfile/c-own" {
		t.Errorf("%s sends %v", sends(a), sent)
	}
	if g := a.Ops[0].Guard; g == nil || !g.Lookup.Deleted || a.Twin == nil || a.Assumption == "" || a.Ops[0].Assumed == "" {
		t.Errorf("guard %+v", a.Ops[0].Guard)
	}
	// A policy that is to be made waits until the profile is back, though its id is known.
	st.server.rows["listPolicies"] = nil
	policy := st.action(t, policyStep)
	if got := body(t, policy, "create")["activityConfigurationId"]; got != "c-own" || strings.Join(policy.Needs(), " ") != profileStep {
		t.Errorf("the policy takes %v and waits for %q", got, policy.Needs())
	}
	// A living one beside it is the one that counts.
	st.server.add("listConnectionProfiles", row{"id": "c-new", "name": "Netwrix Auditor"})
	if a := st.action(t, profileStep); a.Effect != plan.Update || sends(a) != "PUT /api/v1/ConnectionProfile/c-new" {
		t.Errorf("%s %s", a.Effect, sends(a))
	}
}

func TestSeveralObjectsOfOneName(t *testing.T) {
	for kind, c := range map[string]struct{ operation, name string }{
		kindProfile: {"listConnectionProfiles", "Netwrix Auditor"}, kindActivity: {"listActivities", "Netwrix Auditor Domain Admin"}, kindUser: {"searchManagedAccounts", "NetwrixAuditor"},
		kindPolicy: {"listPolicies", "Netwrix Auditor (resource)"}, kindResource: {"searchResources", "dc01.contoso.com"},
	} {
		st := newSite()
		for _, id := range []string{"id-2", "id-1"} {
			st.server.add(c.operation, row{"id": id, "name": c.name, "dnsHostName": c.name, "entityType": 2})
		}
		text := st.trouble(t)
		if !strings.Contains(text, "2 objects of the kind "+kind) || !strings.Contains(text, "id-1, id-2") || !strings.Contains(text, "rename or delete") {
			t.Errorf("%s: %s", kind, text)
		}
	}
}
