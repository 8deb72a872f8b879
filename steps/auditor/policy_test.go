package auditor

import (
	"fmt"
	"strings"
	"testing"

	"npsetup/steps/nps"
	"npsetup/steps/plan"
)

const policyName = "Netwrix Auditor (resource)"

func TestANewPolicyOverObjectsThatAreThere(t *testing.T) {
	st := newSite().complete().made()
	st.server.rows["listPolicies"] = nil
	p := st.draft(t)
	wantEffects(t, p, "create policy-resource", "create policy-resource/user", "create policy-resource/activity", "create policy-resource/resources")
	a := p.Actions[0]
	want := "map[activityConfigurationId:c-own description:Netwrix Auditor integration name:Netwrix Auditor (resource) policyType:0]"
	if got := fmt.Sprint(body(t, a, "create")); got != want || len(a.Needs()) != 0 {
		t.Errorf("sent is %s, needs %v", got, a.Needs())
	}
	for i, want := range []string{`[{"id":"u-own","entityType":2}]`, `[{"id":"a-own","entityType":0}]`, `[{"id":"r-own","entityType":0}]`} {
		add := p.Actions[i+1]
		if got := string(add.Ops[0].Call.Redacted(nil).Body); got != want || strings.Join(add.Needs(), " ") != policyStep {
			t.Errorf("%s sends %s, needs %v", add.Key, got, add.Needs())
		}
		if undo := add.Undo[0].Call.Redacted(nil); !strings.HasSuffix(undo.Path, "/Remove") || string(undo.Body) != want {
			t.Errorf("%s is undone by %s %s", add.Key, undo.Path, undo.Body)
		}
	}
}

// TestAPolicyThatIsOffComesBack restores a deleted or a disabled policy, told by itself or by the list of live ones.
func TestAPolicyThatIsOffComesBack(t *testing.T) {
	for name, set := range map[string]row{"deleted": {"isDeleted": true}, "disabled": {"isDisabled": true}, "both": {"isDeleted": true, "isDisabled": true}} {
		st := newSite().complete().made()
		have := st.server.named("listPolicies", policyName)
		for k, v := range set {
			have[k] = v
		}
		p := st.draft(t)
		wantEffects(t, p, "restore policy-resource")
		a := p.Actions[0]
		if sends(a) != "PUT /api/v1/AccessControlPolicy/y-own/Status?isDeleted=false&isDisabled=false" || labels(a) != "status: deleted or disabled → active" {
			t.Errorf("%s: %s, %s", name, sends(a), labels(a))
		}
		// Undone, a disabled policy is disabled again and not deleted.
		was := fmt.Sprintf("?isDeleted=%t&isDisabled=%t", set["isDeleted"] == true, set["isDisabled"] == true)
		if undo := a.Undo[0].Call.Redacted(nil).Path; !strings.HasSuffix(undo, "/Status"+was) {
			t.Errorf("%s: it is undone by %s", name, undo)
		}
	}
	// Members are added to what came back.
	st := newSite().complete().made()
	st.server.named("listPolicies", policyName)["isDeleted"] = true
	st.server.rows["searchPolicyAccounts"] = nil
	p := st.draft(t)
	wantEffects(t, p, "restore policy-resource", "create policy-resource/user")
	if needs := p.Actions[1].Needs(); strings.Join(needs, " ") != policyStep {
		t.Errorf("the member waits for %v", needs)
	}
	// A living one beside a deleted one is the one that counts.
	st.server.add("listPolicies", row{"id": "y-new", "name": policyName, "policyType": "Resource", "activityConfigurationId": "C-OWN", "isDeleted": false})
	st.server.rows["searchPolicyAccounts"] = []row{{"id": "u-own"}}
	wantEffects(t, st.draft(t))
}

// TestAPolicyWithoutStatusMembers is told to be off by the list of the living alone.
func TestAPolicyWithoutStatusMembers(t *testing.T) {
	st := newSite().complete().made()
	have := st.server.named("listPolicies", policyName)
	delete(have, "isDeleted")
	delete(have, "isDisabled")
	wantEffects(t, st.draft(t))
	st.server.off = map[string]bool{"y-own": true}
	have["activityConfigurationId"] = "c-0"
	a := st.action(t, policyStep)
	if sent := body(t, a, "update"); a.Effect != plan.Restore || len(sent) != len(have)-1 {
		t.Errorf("%s: the update sends %v", a.Effect, sent)
	}
}

// TestAPolicyWithAnotherProfile writes the whole policy back, without the objects nested in it.
func TestAPolicyWithAnotherProfile(t *testing.T) {
	st := newSite().complete().made()
	have := st.server.named("listPolicies", policyName)
	have["activityConfigurationId"] = "c-0"
	p := st.draft(t)
	wantEffects(t, p, "update policy-resource")
	a := p.Actions[0]
	sent := body(t, a, "update")
	if labels(a) != "Connection Profile: another profile → Netwrix Auditor" || sent["activityConfigurationId"] != "c-own" || sent["tenantMark"] != "kept" || sent["activityConfiguration"] != nil || len(sent) != len(have)-1 {
		t.Errorf("%s sends %v", labels(a), sent)
	}
	if g := a.Ops[0].Guard; g == nil || g.Lookup.Call.Redacted(nil).Path != "/api/v1/AccessControlPolicy/y-own?ignoreStatus=true" || nps.Member(g.Want, "activityConfigurationId") != "c-0" {
		t.Errorf("the guard is %+v", g)
	}
	if undo := string(a.Undo[0].Call.Redacted(nil).Body); !strings.Contains(undo, `"activityConfigurationId":"c-0"`) {
		t.Errorf("undo sends %s", undo)
	}
}

// TestARestoredPolicyStaysRestored restores and updates in one go: the update must not write the deletion back.
func TestARestoredPolicyStaysRestored(t *testing.T) {
	st := newSite().complete().made()
	have := st.server.named("listPolicies", policyName)
	have["isDeleted"], have["isDisabled"], have["activityConfigurationId"] = true, true, "c-0"
	a := st.action(t, policyStep)
	if a.Effect != plan.Restore || sends(a) != "PUT /api/v1/AccessControlPolicy/y-own/Status?isDeleted=false&isDisabled=false\nPUT /api/v1/AccessControlPolicy/y-own" {
		t.Errorf("%s: %s", a.Effect, sends(a))
	}
	if sent := body(t, a, "update"); sent["isDeleted"] != false || sent["isDisabled"] != false {
		t.Errorf("the update sends isDeleted %v, isDisabled %v", sent["isDeleted"], sent["isDisabled"])
	}
	if undo := string(a.Undo[0].Call.Redacted(nil).Body); !strings.Contains(undo, `"isDeleted":true`) || a.Undo[1].Call.Operation != "setPolicyStatus" {
		t.Errorf("undo sends %s, then %s", undo, a.Undo[1].Call.Operation)
	}
}

// TestMissingMembersAreAdded takes each list of members away in turn, and part of one.
func TestMissingMembersAreAdded(t *testing.T) {
	for operation, key := range map[string]string{"searchPolicyAccounts": "user", "searchPolicyActivities": "activity", "searchPolicyResources": "resources"} {
		st := newSite().complete().made()
		st.server.rows[operation] = []row{{"id": "other", "name": "Another one"}}
		p := st.draft(t)
		wantEffects(t, p, "create policy-resource/"+key)
		if len(p.Actions) == 1 && (p.Actions[0].Article == "" || len(p.Actions[0].Needs()) != 0) {
			t.Errorf("%s: %+v", key, p.Actions[0])
		}
	}
	st := newSite().complete().made()
	st.drafts[keyResources] = "dc01.contoso.com\ndc02.contoso.com"
	st.server.add("searchResources", row{"id": "r-two", "dnsHostName": "dc02.contoso.com", "platformId": "p-ad", "serviceAccountId": "k-nps"})
	p := st.draft(t)
	wantEffects(t, p, "adopt resource/dc02.contoso.com", "create policy-resource/resources")
	if got := string(p.Actions[1].Ops[0].Call.Redacted(nil).Body); got != `[{"id":"r-two","entityType":0}]` || labels(p.Actions[1]) != "Resources:  → dc02.contoso.com" {
		t.Errorf("sent is %s, shown is %s", got, labels(p.Actions[1]))
	}
}

func TestAPolicyOfTheOtherType(t *testing.T) {
	for _, kind := range []any{1, "Credential", "1"} {
		st := newSite().complete().made()
		st.server.named("listPolicies", policyName)["policyType"] = kind
		if text := st.trouble(t); !strings.Contains(text, "is credential-based") || !strings.Contains(text, "accessPolicy.resource.name") {
			t.Errorf("%v: %s", kind, text)
		}
	}
	for _, kind := range []any{0, "Resource", "resource", "0"} {
		st := newSite().complete().made()
		st.server.named("listPolicies", policyName)["policyType"] = kind
		wantEffects(t, st.draft(t))
	}
}

// TestUnreadableRowsStopTheSurvey overlooks no row: an object that cannot be read might be the one that is to be made.
func TestUnreadableRowsStopTheSurvey(t *testing.T) {
	for _, operation := range []string{"listConnectionProfiles", "listActivities", "listPolicies", "searchManagedAccounts", "searchResources"} {
		st := newSite()
		st.server.add(operation, row{"id": 7, "name": []any{"no name"}})
		if text := st.trouble(t); !strings.Contains(text, "cannot be read") {
			t.Errorf("%s: %s", operation, text)
		}
	}
}
