package auditor

import (
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// documented lets the server offer only what the vendor documents: policies show their profile by name, and no status.
func (st *site) documented() *site {
	for _, op := range npsapi.Operations() {
		if op.Source != npsapi.Documented && op.Class == plan.Read {
			st.server.missing = append(st.server.missing, op.ID)
		}
	}
	for _, p := range st.server.rows["listPolicies"] {
		delete(p, "isDeleted")
		delete(p, "isDisabled")
		if p["activityConfigurationId"] == "c-own" {
			p["activityConfiguration"], p["activityConfigurationMaxSessionLength"] = "Netwrix Auditor", 60
		}
	}
	st.server.add("searchResources", row{"id": "r-dom", "name": "contoso.com", "type": 1, "platformId": "p-ad", "platformName": "Active Directory"})
	return st
}

// said says that a person did everything that is done by hand now.
func (st *site) said(t tester) *site {
	st.manualDone()
	st.memory.ManualAbout = map[string]string{}
	for _, a := range st.draft(t).Actions {
		if m := a.Manual(); m != nil && (a.Key == profileStep || a.Key == activityStep) {
			st.memory.ManualDone[a.Step] = true
			st.memory.ManualAbout[a.Step], _ = plan.TextOf(m.About, nil)
		}
	}
	return st
}

// used lets a session of Auditor show the profile with a duration.
func (st *site) used(minutes int) *site {
	st.collected()
	st.server.rows["searchSessions"][0]["accessPolicyId"] = "y-own"
	profile := row{}
	for k, v := range st.server.named("listConnectionProfiles", "Netwrix Auditor") {
		profile[k] = v
	}
	profile["maxSessionLength"] = minutes
	st.server.add("getSessionProfile", profile)
	return st
}

// TestWhatIsNotListedIsMadeByHand: nothing is planned that would need an id which no documented call tells.
func TestWhatIsNotListedIsMadeByHand(t *testing.T) {
	st := newSite().documented()
	p := st.draft(t)
	wantEffects(t, p, "manual auditor-start", "manual certificate-trust", "create application-user", "manual auditor-key", "manual connection-profile", "manual activity",
		"create resource/dc01.contoso.com", "manual policy-resource", "manual monitoring-plan")
	policy, _ := p.Action(policyStep)
	if got := labels(policy); got != "Name:  → Netwrix Auditor (resource); Type:  → Resource Based; Connection Profile:  → Netwrix Auditor; Users:  → NetwrixAuditor; Activities:  → Netwrix Auditor Domain Admin; Resources:  → dc01.contoso.com" {
		t.Errorf("the policy is made with %s", got)
	}
	if got := strings.Join(policy.After, " "); got != "application-user connection-profile activity resource/dc01.contoso.com" {
		t.Errorf("the policy is made after %s", got)
	}
	profile, _ := p.Action(profileStep)
	activity, _ := p.Action(activityStep)
	if len(profile.Difference) != 18 || len(activity.Difference) != 9 || !strings.Contains(profile.Manual().Proof, "--done connection-profile") {
		t.Errorf("%d settings, %d settings, proof %s", len(profile.Difference), len(activity.Difference), profile.Manual().Proof)
	}
	if s := st.said(t).draft(t); strings.Contains(effects(s), profileStep) || !strings.Contains(effects(s), "manual policy-resource") {
		t.Errorf("by a word alone:\n%s", effects(s))
	}
}

// TestOneListIsEnoughToMissThem: an activity is not judged without the shape of its actions.
func TestOneListIsEnoughToMissThem(t *testing.T) {
	for _, op := range []string{"listPlatforms", "listActivities", "listActionTemplates", "listActionGroups"} {
		st := newSite()
		st.server.missing = []string{op}
		if e := effects(st.draft(t)); !strings.Contains(e, "manual activity") || !strings.Contains(e, "create connection-profile") {
			t.Errorf("without %s:\n%s", op, e)
		}
	}
	st := newSite().complete()
	st.server.missing = []string{"getActionGroup"}
	if _, err := st.survey(t); err != nil {
		t.Errorf("an activity whose actions are not listed ends the look: %v", err)
	}
}

// TestIDsComeFromOtherPolicies: where a policy uses the profile, and another has or could take the activity, all is made by calls.
func TestIDsComeFromOtherPolicies(t *testing.T) {
	for name, how := range map[string]string{"as a member": "searchPolicyActivities", "as a candidate": "searchPolicyActivityCandidates"} {
		st := newSite()
		st.server.add("listPolicies", row{"id": "y-2", "name": "Other", "policyType": 0, "activityConfigurationId": "c-own", "activityConfiguration": row{"id": "c-own", "name": "netwrix auditor"}})
		st.server.add(how, row{"id": "a-group", "name": "Netwrix Auditor Domain Admin", "entityType": 1})
		st.server.add(how, row{"id": "a-own", "name": "Netwrix Auditor Domain Admin", "entityType": 0})
		p := st.documented().said(t).draft(t)
		wantEffects(t, p, "create application-user", "create resource/dc01.contoso.com", "create policy-resource", "create policy-resource/user", "create policy-resource/activity", "create policy-resource/resources")
		a, _ := p.Action(policyStep)
		if b := body(t, a, "create"); b["activityConfigurationId"] != "c-own" {
			t.Errorf("%s: the profile is %v", name, b["activityConfigurationId"])
		}
		member, _ := p.Action(policyStep + "/activity")
		if sent := string(member.Ops[0].Call.Redacted(nil).Body); !strings.Contains(sent, `"a-own"`) {
			t.Errorf("%s: added is %s", name, sent)
		}
	}
}

// TestWhatIsNotListedAndThere changes nothing once a person said so, and says what was read back and what was not.
func TestWhatIsNotListedAndThere(t *testing.T) {
	nested := func(st *site) *site {
		st.server.named("listPolicies", "Netwrix Auditor (resource)")["activities"] = []any{st.server.named("listActivities", "Netwrix Auditor Domain Admin")}
		return st
	}
	untold := func(st *site) *site {
		delete(st.server.named("listPolicies", "Netwrix Auditor (resource)"), "activityConfigurationMaxSessionLength")
		return st
	}
	for name, c := range map[string]struct {
		st                *site
		profile, activity string
	}{
		"by the policy":         {newSite().complete().documented(), "by word: read back from its access policy: its name and Max Duration; the other 17 settings: said by a person", "by word: read back: it is there by its name; its settings and the pair of actions for Domain Admins: said by a person"},
		"not even the duration": {untold(newSite().complete().documented()), "by word: read back from its access policy: its name; the 18 settings: said", "by word: read back: it is there"},
		"by a session":          {newSite().complete().documented().used(60), "proven: read back from a session that used it: all 18 settings", "by word: read back: it is there"},
		"nested":                {nested(newSite().complete().documented()), "by word", "by word: read back from its access policy: Name, Platform, Login Account, Activity Type, Login Account Template, Create Account, Delete After Use; the pair of actions for Domain Admins: said by a person; this server does not let it be read"},
		"nothing":               {newSite().documented(), "by word: said by a person; this server does not let it be read until an access policy uses it", "needs a person"},
	} {
		t.Run(name, func(t *testing.T) {
			st := c.st.made()
			st.said(t)
			if e := effects(st.draft(t)); name != "nothing" && e != "manual verify" && e != "" {
				t.Errorf("planned are\n%s", e)
			}
			s, _ := st.survey(t)
			for _, p := range steps.Prove(t.Context(), st.guide(), s) {
				want := map[string]string{profileStep: c.profile, activityStep: c.activity}[p.Step.ID]
				if got := p.Proof.State.String() + ": " + p.Proof.Text; !strings.HasPrefix(got, want) {
					t.Errorf("%s, want %s", got, want)
				}
			}
		})
	}
}

// TestWhatIsShownBeatsAWord: what a policy or a session shows otherwise is to be corrected, whatever was said.
func TestWhatIsShownBeatsAWord(t *testing.T) {
	all := func() *site { return newSite().complete().documented() }
	policy := func(st *site) row { return st.server.named("listPolicies", "Netwrix Auditor (resource)") }
	for name, c := range map[string]struct {
		change func(*site)
		want   string
		shows  string
	}{
		"duration by the policy": {func(st *site) { policy(st)["activityConfigurationMaxSessionLength"] = 15 }, "manual connection-profile", "Max Duration: 15 → 60 minutes"},
		"duration by a session":  {func(st *site) { st.used(15) }, "manual connection-profile", "Max Duration: 15 → 60 minutes"},
		"the activity is gone":   {func(st *site) { delete(st.server.rows, "searchPolicyActivities") }, "manual activity\nmanual policy-resource/by-hand", "Name:  → Netwrix Auditor Domain Admin"},
		"the activity is another": {func(st *site) {
			a := st.server.named("listActivities", "Netwrix Auditor Domain Admin")
			a["deleteAccount"] = false
			policy(st)["activities"] = []any{a}
		}, "manual activity", "Delete After Use: False → True"},
		"the policy uses another profile": {func(st *site) {
			policy(st)["activityConfigurationId"], policy(st)["activityConfiguration"] = "c-0", "Default"
		}, "manual policy-resource/by-hand", "Connection Profile: Default → Netwrix Auditor"},
		"another group is wanted":    {func(st *site) { st.drafts[keyGroup] = "Backup Operators" }, "manual activity", "Name:  → Netwrix Auditor Domain Admin"},
		"another duration is wanted": {func(st *site) { st.drafts["connectionProfile.settings.maxDuration"] = "90" }, "manual connection-profile", "Max Duration: 60 → 90 minutes"},
	} {
		t.Run(name, func(t *testing.T) {
			st := all().made()
			st.said(t)
			c.change(st)
			p := st.draft(t)
			wantEffects(t, p, strings.Split(c.want, "\n")...)
			if len(p.Actions) > 0 && !strings.Contains(labels(p.Actions[0]), c.shows) {
				t.Errorf("the first shows %s", labels(p.Actions[0]))
			}
		})
	}
}

// TestASessionMakesNoPlanStale: Auditor may collect while a plan is looked at. One that shows something else does.
func TestASessionMakesNoPlanStale(t *testing.T) {
	all := func() *site { return newSite().complete().documented().made() }
	was := all().draft(t).Fingerprint
	if all().used(60).draft(t).Fingerprint != was {
		t.Error("a session of the wanted profile makes the plan stale")
	}
	if all().used(15).draft(t).Fingerprint == was {
		t.Error("a session of another profile goes unseen")
	}
}

// TestASessionOfAnotherProfileSaysNothing: the policy may have used another one when the session began.
func TestASessionOfAnotherProfileSaysNothing(t *testing.T) {
	st := newSite().complete().documented().used(15).made()
	st.server.rows["getSessionProfile"][0]["id"] = "c-0"
	st.said(t)
	wantEffects(t, st.draft(t))
}

// TestAPolicyThatIsOffComesBackByACall: that it is off is seen by the list of live ones, and it is known by what it shows itself.
func TestAPolicyThatIsOffComesBackByACall(t *testing.T) {
	for _, off := range []map[string]bool{{"y-own": true}, {"y-own": true, "y-0": true}} { // with and without another one to search by
		st := newSite().complete().documented().made()
		st.said(t)
		st.server.off = off
		p := st.draft(t)
		wantEffects(t, p, "restore policy-resource")
		if got := sends(p.Actions[0]); got != "PUT /api/v1/AccessControlPolicy/y-own/Status?isDeleted=false&isDisabled=false" {
			t.Errorf("sent is %s", got)
		}
	}
}

// TestNamesakesAmongWhatIsShown are a problem as they are where all is listed.
func TestNamesakesAmongWhatIsShown(t *testing.T) {
	st := newSite().complete().documented()
	st.server.add("listPolicies", row{"id": "y-9", "name": "Other", "policyType": 0, "activityConfigurationId": "c-9", "activityConfiguration": "Netwrix Auditor"})
	st.server.add("searchPolicyActivityCandidates", row{"id": "a-9", "name": "Netwrix Auditor Domain Admin", "entityType": 0})
	text := st.trouble(t)
	for _, want := range []string{`2 objects of the kind connection profile named "Netwrix Auditor"`, "c-9, c-own", `2 objects of the kind activity`, "a-9, a-own"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
}

// TestThePlatformIsNotTold: no resource has it, and that is said; the platform is then no difference.
func TestThePlatformIsNotTold(t *testing.T) {
	st := newSite().complete().documented()
	st.server.rows["searchResources"] = []row{{"id": "r-own", "dnsHostName": "dc01.contoso.com", "platformId": "p-7", "platformName": "Windows", "serviceAccountId": "k-nps", "saName": "svc-nps"}}
	st.server.rows["searchCandidates"] = nil
	p := st.made().draft(t)
	if !strings.Contains(strings.Join(p.Warnings, "\n"), "does not tell the id of the platform Active Directory") || strings.Contains(effects(p), "update resource") {
		t.Errorf("%v\n%s", p.Warnings, effects(p))
	}
}

// TestOtherErrorsOfALookStay: only that a call is not offered is made a fact of.
func TestOtherErrorsOfALookStay(t *testing.T) {
	s := steps.NewScene(newSite().answers(), steps.Memory{})
	for kind, want := range map[problem.Kind]bool{problem.NotOffered: true, problem.NotFound: false, problem.Failed: false, problem.Refused: false, problem.Unreachable: false} {
		if got := nps.NotListed(s, "x", problem.New("y").Of(kind)); got != want {
			t.Errorf("%v: %v", kind, got)
		}
	}
	if nps.NotListed(s, "x", nil) {
		t.Error("no error is a lack")
	}
}

// TestAPolicyThatNamesNoProfile: the vendor documents a text and not what it holds. A person's word ends the run then, and the
// report says that it is one.
func TestAPolicyThatNamesNoProfile(t *testing.T) {
	for _, shown := range []any{nil, "", "C-OWN", row{"id": "c-own"}} {
		st := newSite().complete().made()
		st.documented()
		st.server.named("listPolicies", policyName)["activityConfiguration"] = shown
		st.memory.ManualDone[profileStep], st.memory.ManualDone[activityStep] = true, true
		about, known := plan.TextOf(st.action(t, policyStep+"/by-hand").Manual().About, nil)
		if !known {
			t.Fatal("what was chosen is not noted down")
		}
		st.memory.ManualDone[policyStep], st.memory.ManualAbout = true, map[string]string{policyStep: about}
		wantEffects(t, st.draft(t))
		s, err := st.survey(t)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range steps.Prove(t.Context(), st.guide(), s) {
			if p.Step.ID == policyStep && (p.Proof.State != steps.ByWord || !strings.Contains(p.Proof.Text, "which connection profile it has: said by a person")) {
				t.Errorf("%v: %s", shown, p.Proof.Text)
			}
		}
		// Another profile in its place has to be looked at again.
		st.server.named("listPolicies", policyName)["activityConfigurationId"] = "c-0"
		wantEffects(t, st.draft(t), "manual policy-resource/by-hand")
	}
}
