package auditor

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"npsetup/steps/nps"
	"npsetup/steps/plan"
)

const activityName = "Netwrix Auditor Domain Admin"

func TestANewActivity(t *testing.T) {
	a := newSite().action(t, activityStep)
	b := body(t, a, "create")
	for member, want := range map[string]any{
		"name": activityName, "platformId": "p-ad", "loginAccount": 2.0, "activityType": 0.0, "loginAccountNameFormat": `%targetDomain%\%samAccountName%`, "createAccount": true, "deleteAccount": true, "requesterLoginFormat": 0.0,
		"startActionGroupId": "(pre-session id of Netwrix Auditor Domain Admin (pre-session), known after apply)", "endActionGroupId": "(post-session id of Netwrix Auditor Domain Admin (post-session), known after apply)",
	} {
		if b[member] != want {
			t.Errorf("%s is %v, want %v", member, b[member], want)
		}
	}
	for op, want := range map[string]string{
		"create-post-session": `{"name":"Netwrix Auditor Domain Admin (post-session)","description":"Netwrix Auditor integration","action":[{"actionTemplateId":"t-rem","displayName":"Remove from Domain Admins","classification":2,"continueOnFail":false,"executionOrder":0,"actionParameter":[{"actionTemplateParameterId":"rem-domain","value":"%target_domain%"},{"actionTemplateParameterId":"rem-group","value":"Domain Admins"},{"actionTemplateParameterId":"rem-retry","value":"3"}]}]}`,
		"create-pre-session":  `{"name":"Netwrix Auditor Domain Admin (pre-session)","description":"Netwrix Auditor integration","action":[{"actionTemplateId":"t-add","displayName":"Add to Domain Admins","classification":0,"continueOnFail":false,"executionOrder":0,"actionParameter":[{"actionTemplateParameterId":"add-domain","value":"%target_domain%"},{"actionTemplateParameterId":"add-group","value":"Domain Admins"},{"actionTemplateParameterId":"add-retry","value":"3"}],"pairedActionId":"(post-session action id of Netwrix Auditor Domain Admin (post-session), known after apply)"}]}`,
	} {
		for _, o := range a.Ops {
			if o.ID == op && string(o.Call.Redacted(nil).Body) != want {
				t.Errorf("%s sends\n%s\nwant\n%s", op, o.Call.Redacted(nil).Body, want)
			}
		}
	}
	if strings.Join(a.Consents, " ") != RiskDomainAdmins {
		t.Errorf("the accepted risks are %v", a.Consents)
	}
}

// TestAnotherGroupNeedsNoConsent takes a lesser group through names, parameters and the manual page.
func TestAnotherGroupNeedsNoConsent(t *testing.T) {
	st := newSite()
	st.drafts[keyGroup] = "Event Log Readers"
	a := st.action(t, activityStep)
	raw, _ := json.Marshal(a.Difference)
	for _, op := range a.Ops {
		raw = append(raw, op.Call.Redacted(nil).Body...)
	}
	if strings.Contains(string(raw), "Domain Admins") || !strings.Contains(string(raw), "Add to Event Log Readers") || !strings.Contains(string(raw), "Remove from Event Log Readers") {
		t.Errorf("it is not the group everywhere: %s", raw)
	}
	if len(a.Consents) != 0 {
		t.Errorf("accepted: %v", a.Consents)
	}
	for _, c := range a.Twin.Clicks {
		if strings.Contains(c.Text, "Domain Admins") {
			t.Errorf("the page says %q", c.Text)
		}
	}
}

// TestEachActivitySetting changes each setting alone: exactly it is updated, and the rest is written back as it was.
func TestEachActivitySetting(t *testing.T) {
	for member, c := range map[string]struct {
		is    any
		label string
	}{
		"platformId": {"p-win", "Platform: p-win → Active Directory"}, "loginAccount": {0, "Login Account: 0 → Activity Token"}, "activityType": {1, "Activity Type: 1 → Interactive"},
		"loginAccountNameFormat": {` %targetDomain%\%samAccountName% `, `Login Account Template:  %targetDomain%\%samAccountName%  → %targetDomain%\%samAccountName%`},
		"createAccount":          {false, "Create Account: False → True"}, "deleteAccount": {nil, "Delete After Use: (nothing) → True"},
		"name": {"netwrix auditor DOMAIN ADMIN", "Name: netwrix auditor DOMAIN ADMIN → " + activityName},
	} {
		st := newSite().complete().made()
		have := st.server.named("listActivities", activityName)
		want := have[member]
		have[member] = c.is
		p := st.draft(t)
		wantEffects(t, p, "update activity")
		a := p.Actions[0]
		sent := body(t, a, "update")
		if labels(a) != c.label || fmt.Sprint(sent[member]) != fmt.Sprint(want) || sends(a) != "PUT /api/v1/Activity/a-own" {
			t.Errorf("%s: %q, sent %v by %s", member, labels(a), sent[member], sends(a))
		}
		if len(sent) != len(have)-1 || sent["tenantMark"] != "kept" || sent["platform"] != nil || sent["startActionGroupId"] != "g-pre" {
			t.Errorf("%s: sent is %v", member, sent)
		}
		if g := a.Ops[0].Guard; g == nil || g.Lookup.Deleted || g.Lookup.Value != "a-own" || len(g.Want) != len(have) {
			t.Errorf("%s: the guard is %+v", member, g)
		}
	}
}

// TestADeletedActivityComesBack restores a softly deleted namesake with its actions.
func TestADeletedActivityComesBack(t *testing.T) {
	st := newSite().complete().made()
	have := st.server.named("listActivities", activityName)
	have["isDeleted"], have["createAccount"] = true, false
	p := st.draft(t)
	wantEffects(t, p, "restore activity")
	a := p.Actions[0]
	if labels(a) != "deleted: true → false; Create Account: False → True" || sends(a) != "PUT /api/v1/Activity/a-own" {
		t.Errorf("%q by %s", labels(a), sends(a))
	}
	sent := body(t, a, "update")
	if sent["isDeleted"] != false || sent["createAccount"] != true || sent["tenantMark"] != "kept" || sent["endActionGroupId"] != "g-post" {
		t.Errorf("sent is %v", sent)
	}
	if g := a.Ops[0].Guard; g == nil || !g.Lookup.Deleted || g.Lookup.Member != "id" || g.Lookup.Value != "a-own" || nps.Member(g.Want, "isDeleted") != "true" {
		t.Errorf("the guard is %+v", g)
	}
	if a.Twin == nil || a.Assumption == "" || len(a.Consents) != 1 || !strings.Contains(string(a.Undo[0].Call.Redacted(nil).Body), `"isDeleted":true`) {
		t.Errorf("twin %v, assumption %q, consents %v", a.Twin, a.Assumption, a.Consents)
	}
	// Who refers to it takes its id and waits until it is back.
	st.server.rows["searchPolicyActivities"] = nil
	add := st.action(t, policyStep+"/activity")
	if got := string(add.Ops[0].Call.Redacted(nil).Body); got != `[{"id":"a-own","entityType":0}]` || strings.Join(add.Needs(), " ") != activityStep {
		t.Errorf("%s waits for %v", got, add.Needs())
	}
	// A living one beside it is the one that counts, whichever comes first.
	living := row{}
	for k, v := range have {
		living[k] = v
	}
	living["id"], living["isDeleted"], living["createAccount"] = "a-new", false, true
	st.server.rows["listActivities"] = append([]row{living}, st.server.rows["listActivities"]...)
	st.server.rows["searchPolicyActivities"] = []row{{"id": "a-new"}}
	wantEffects(t, st.draft(t))
}

// breakers make the pair of actions wrong in every way that is told apart.
func breakers() map[string]func(*server) {
	action := func(f *server, group string) row {
		return f.named("listActionGroups", activityName+" ("+group+")")["action"].([]any)[0].(row)
	}
	parameter := func(f *server, group string, i int) row { return action(f, group)["actionParameter"].([]any)[i].(row) }
	return map[string]func(*server){
		`pre-session: Domain is "%targetDomain%", should be "%target_domain%"`:  func(f *server) { parameter(f, "pre-session", 0)["value"] = "%targetDomain%" },
		`pre-session: Group is "Users", should be "Domain Admins"`:              func(f *server) { parameter(f, "pre-session", 1)["value"] = "Users" },
		`post-session: Group is "", should be "Domain Admins"`:                  func(f *server) { parameter(f, "post-session", 1)["actionTemplateParameterId"] = "other" },
		`pre-session: Continue on Error is on`:                                  func(f *server) { action(f, "pre-session")["continueOnFail"] = true },
		`post-session: the action "Remove User from Domain Group" is not there`: func(f *server) { action(f, "post-session")["isDeleted"] = true },
		`pre-session: the action "Add User to Domain Group" is not there`:       func(f *server) { action(f, "pre-session")["actionTemplateId"] = "t-0" },
	}
}

// TestWrongActionsAreCorrectedByHand breaks the pair of an activity that is there, and of one that was deleted.
func TestWrongActionsAreCorrectedByHand(t *testing.T) {
	for _, deleted := range []bool{false, true} {
		for says, spoil := range breakers() {
			st := newSite().complete().made()
			st.server.named("listActivities", activityName)["isDeleted"] = deleted
			spoil(st.server)
			a := st.action(t, activityStep)
			notes := strings.Join(a.Notes, " ")
			if a.Effect != plan.ByHand || a.Manual() == nil || !strings.Contains(notes, says) || !strings.Contains(notes, "read back") {
				t.Errorf("%v, %s: %s, %s", deleted, says, a.Effect, notes)
			}
			if strings.Contains(notes, "deleted activity of that name") != deleted {
				t.Errorf("%v: the reason is %s", deleted, notes)
			}
		}
	}
	for name, c := range map[string]func(*site){
		"groups gone": func(st *site) { st.server.rows["listActionGroups"] = nil },
		"no groups":   func(st *site) { delete(st.server.named("listActivities", activityName), "startActionGroupId") },
	} {
		st := newSite().complete().made()
		c(st)
		if notes := strings.Join(st.action(t, activityStep).Notes, " "); !strings.Contains(notes, `pre-session: the action "Add User to Domain Group" is not there`) {
			t.Errorf("%s: %s", name, notes)
		}
	}
}

// TestServersWithoutTheActionType cannot be served by calls.
func TestServersWithoutTheActionType(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]row) []row
		says   string
	}{
		"no template":   {func(rows []row) []row { return rows[:1] }, `lists no action type "Add User to Domain Group" with a partner`},
		"no partner":    {func(rows []row) []row { return rows[:2] }, "with a partner"},
		"other phase":   {func(rows []row) []row { rows[1]["classification"] = 1; return rows }, "with a partner"},
		"no parameters": {func(rows []row) []row { rows[2]["actionTemplateParameter"] = nil; return rows }, "does not tell the parameters Domain and Group"},
	} {
		st := newSite()
		st.server.rows["listActionTemplates"] = c.change(templates())
		p := st.draft(t)
		a, _ := p.Action(activityStep)
		if a.Effect != plan.ByHand || !strings.Contains(strings.Join(a.Notes, " "), c.says) {
			t.Errorf("%s: %s, %v", name, a.Effect, a.Notes)
		}
		if add, _ := p.Action(policyStep + "/activity"); !strings.Contains(strings.Join(add.Needs(), " "), activityStep) {
			t.Errorf("%s: the policy does not wait for it", name)
		}
	}
	st := newSite()
	st.server.rows["listPlatforms"] = st.server.rows["listPlatforms"][:1]
	if text := st.trouble(t); !strings.Contains(text, `no platform "Active Directory"`) {
		t.Error(text)
	}
	// Any is as good as the pre-session phase, and a parameter without a label goes by its name.
	rows := templates()
	rows[1]["classification"] = 4
	for _, p := range rows[1]["actionTemplateParameter"].([]any)[:2] {
		p.(row)["name"], p.(row)["displayName"] = p.(row)["displayName"], nil
	}
	st = newSite()
	st.server.rows["listActionTemplates"] = rows
	if a := st.action(t, activityStep); a.Effect != plan.Create {
		t.Errorf("%s: %v", a.Effect, a.Notes)
	}
}

// TestLeftoverGroupsAreUsed goes on after a run that was stopped between its action groups and its activity.
func TestLeftoverGroupsAreUsed(t *testing.T) {
	st := newSite()
	st.groups("g-pre", "g-post", "Domain Admins")
	a := st.action(t, activityStep)
	b := body(t, a, "create")
	if sends(a) != "POST /api/v1/Activity" || b["startActionGroupId"] != "g-pre" || b["endActionGroupId"] != "g-post" || len(a.Notes) != 3 {
		t.Errorf("%s with %v, %v", sends(a), b, a.Notes)
	}
	// Only the first of the two groups was made.
	st.server.rows["listActionGroups"] = st.server.rows["listActionGroups"][:2]
	a = st.action(t, activityStep)
	first := body(t, a, "create-pre-session")["action"].([]any)[0].(row)
	if sends(a) != "POST /api/v1/ActionGroup\nPOST /api/v1/Activity" || first["pairedActionId"] != "g-post-action" {
		t.Errorf("%s, paired with %v", sends(a), first["pairedActionId"])
	}
}

// TestLeftoverGroupsMustFit takes nothing over that grants something else, or that belongs to another activity.
func TestLeftoverGroupsMustFit(t *testing.T) {
	for says, spoil := range breakers() {
		st := newSite()
		st.groups("g-pre", "g-post", "Domain Admins")
		spoil(st.server)
		_, why, _ := strings.Cut(says, ": ")
		if a := st.action(t, activityStep); a.Effect != plan.ByHand || !strings.Contains(strings.Join(a.Notes, " "), why) {
			t.Errorf("%s: %s, %v", says, a.Effect, a.Notes)
		}
	}
	// A server that takes no actions with their group has left it without any: it is not made once more.
	st := newSite()
	st.server.add("listActionGroups", row{"id": "g-post", "name": activityName + " (post-session)", "action": []any{}})
	if a := st.action(t, activityStep); a.Effect != plan.ByHand || !strings.Contains(strings.Join(a.Notes, " "), "is not there") {
		t.Errorf("%s, %v", a.Effect, a.Notes)
	}
	st = newSite()
	st.drafts[keyGroup] = "Event Log Readers"
	st.groups("g-pre", "g-post", "Domain Admins")
	if a := st.action(t, activityStep); a.Effect != plan.ByHand || !strings.Contains(strings.Join(a.Notes, " "), `Group is "Domain Admins", should be "Event Log Readers"`) {
		t.Errorf("groups for another group are used: %s, %v", a.Effect, a.Notes)
	}
	st = newSite().complete()
	st.server.named("listActivities", activityName)["name"] = "Renamed"
	a := st.action(t, activityStep)
	if got := strings.Count(sends(a), "POST /api/v1/ActionGroup"); got != 2 {
		t.Errorf("groups of another activity are used: %s", sends(a))
	}
}
