package auditor

import (
	"slices"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

// TestNothingIsThere plans everything, in order, and each action names what it needs.
func TestNothingIsThere(t *testing.T) {
	p := newSite().draft(t)
	wantEffects(t, p, "manual auditor-start", "manual certificate-trust", "create application-user", "manual auditor-key", "create connection-profile", "create activity",
		"create resource/dc01.contoso.com", "create policy-resource", "create policy-resource/user", "create policy-resource/activity", "create policy-resource/resources", "manual monitoring-plan")
	for key, needs := range map[string]string{
		"application-user": "", "connection-profile": "", "activity": "", "resource/dc01.contoso.com": "", "auditor-key": "application-user", "policy-resource": "connection-profile",
		"policy-resource/user": "policy-resource application-user", "policy-resource/activity": "policy-resource activity", "policy-resource/resources": "policy-resource resource/dc01.contoso.com", "monitoring-plan": "policy-resource",
	} {
		a, _ := p.Action(key)
		if got := strings.Join(a.Needs(), " "); got != needs {
			t.Errorf("%s needs %q, want %q", key, got, needs)
		}
		if a.Why == "" || a.Article == "" || a.Step == "" {
			t.Errorf("%s does not say why, by which lines, or in which step: %+v", key, a)
		}
	}
	for key, want := range map[string]string{
		"application-user":          "POST /api/v1/ManagedAccount/CreateApplicationUser",
		"connection-profile":        "POST /api/v1/ConnectionProfile",
		"activity":                  "POST /api/v1/ActionGroup\nGET /api/v1/ActionGroup/(post-session id of Netwrix Auditor Domain Admin (post-session), known after apply)\nPOST /api/v1/ActionGroup\nPOST /api/v1/Activity",
		"resource/dc01.contoso.com": "POST /api/v1/ManagedResource/Candidate/AddMultiple",
		"policy-resource":           "POST /api/v1/AccessControlPolicy",
		"policy-resource/user":      `PUT /api/v1/AccessControlPolicy/(id of access policy "Netwrix Auditor (resource)", known after apply)/ManagedAccount`,
	} {
		if a, _ := p.Action(key); sends(a) != want {
			t.Errorf("%s sends\n%s\nwant\n%s", key, sends(a), want)
		}
	}
	policy, _ := p.Action("policy-resource")
	if got := body(t, policy, "create")["activityConfigurationId"]; got != `(id of connection profile "Netwrix Auditor", known after apply)` {
		t.Errorf("the policy refers to %v", got)
	}
	for _, a := range p.Actions {
		if a.Effect == plan.ByHand {
			continue
		}
		if len(a.Undo) == 0 {
			t.Errorf("%s cannot be undone", a.Key)
		}
		for _, op := range a.Ops {
			if op.Class == plan.Change && a.Effect == plan.Create && op.ID != "platform" && op.ID != "add" && op.Lookup == nil {
				t.Errorf("%s %s is not found again when its answer is lost", a.Key, op.ID)
			}
			if op.Class == plan.Change && assumed(op.Call.Operation) && (a.Twin == nil || op.Assumed == "" || a.Assumption == "") {
				t.Errorf("%s %s is assumed, and that is not said or has no way round", a.Key, op.ID)
			}
		}
	}
}

func TestEverythingIsThere(t *testing.T) {
	wantEffects(t, newSite().complete().made().draft(t))
	p := newSite().complete().collected().draft(t) // a session of Auditor's is worth more than a word
	wantEffects(t, p, "adopt application-user", "adopt connection-profile", "adopt activity", "adopt resource/dc01.contoso.com", "adopt policy-resource")
	if n := len(p.Changes()); n != 0 {
		t.Errorf("%d changes to adopt what is there", n)
	}
	if len(p.Pending()) != 0 {
		t.Error("an adoption is no pending change")
	}
	// Names are compared without regard to letters' case, and never by a part of them.
	st := newSite().complete().made()
	st.server.named("searchResources", "dc01.contoso.com")["dnsHostName"] = "DC01.contoso.com"
	st.server.named("listPolicies", "Netwrix Auditor (resource)")["name"] = "netwrix auditor (RESOURCE)"
	wantEffects(t, st.draft(t))
}

// TestEverythingIsProven verifies the scene of a server that has all, and then of one that has nothing.
func TestEverythingIsProven(t *testing.T) {
	st := newSite().complete().made()
	st.server.rows["findPolicies"] = []row{{"id": "Y-OWN"}}
	st.collected()
	s, err := st.survey(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range steps.Prove(t.Context(), st.guide(), s) {
		if p.Proof.State != steps.Proven && p.Proof.State != steps.ByWord || p.Proof.Text == "" {
			t.Errorf("%s: %s, %s", p.Step.ID, p.Proof.State, p.Proof.Text)
		}
		if p.Step.ID == "verify" && !strings.Contains(p.Proof.Text, "Auditor opened a session itself at 2026-02-01 10:00 UTC") {
			t.Errorf("verify says %q", p.Proof.Text)
		}
	}
	st.server.rows["findPolicies"] = []row{{"id": "y-other"}}
	empty := newSite()
	for _, c := range []struct {
		st   *site
		step string
		want steps.ProofState
		says string
	}{
		{st, "verify", steps.Differs, "no policy that lets NetwrixAuditor run"},
		{empty, "verify", steps.Differs, "not there yet"},
		{empty, "application-user", steps.Differs, `application user "NetwrixAuditor" is not there`},
		{empty, "activity", steps.Differs, "is not there"},
		{empty, "policy-resource", steps.Differs, "is not there"},
		{empty, "auditor-start", steps.NeedPerson, "--done auditor-start"},
		{newSite().lacks("createActivity"), "activity", steps.NeedPerson, "by hand"},
	} {
		s, err := c.st.survey(t)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range steps.Prove(t.Context(), c.st.guide(), s) {
			if p.Step.ID == c.step && (p.Proof.State != c.want || !strings.Contains(p.Proof.Text, c.says)) {
				t.Errorf("%s: %s, %q; want %s, %q", c.step, p.Proof.State, p.Proof.Text, c.want, c.says)
			}
		}
	}
}

// TestASecondDraftIsTheSame drafts one scene twice, and another scene of the same server.
func TestASecondDraftIsTheSame(t *testing.T) {
	deleted := newSite().complete()
	deleted.server.named("listConnectionProfiles", "Netwrix Auditor")["isDeleted"] = true
	deleted.server.named("listActivities", "Netwrix Auditor Domain Admin")["isDeleted"] = true
	for name, st := range map[string]*site{
		"nothing": newSite(), "complete": newSite().complete(), "deleted": deleted, "by hand": newSite().lacks("createActivity", "createConnectionProfile"),
	} {
		s, err := st.survey(t)
		if err != nil {
			t.Fatal(err)
		}
		digests := map[string]bool{}
		for range 2 {
			p, err := steps.Draft(st.guide(), s, "NetwrixAuditor")
			if err != nil {
				t.Fatal(err)
			}
			d, _ := p.Digest()
			digests[d] = true
		}
		d, _ := st.draft(t).Digest()
		digests[d] = true
		if len(digests) != 1 {
			t.Errorf("%s: %d digests", name, len(digests))
		}
	}
}

// TestTheFingerprintSeesWhatMatters changes rows that a plan rests on, and some that it does not.
func TestTheFingerprintSeesWhatMatters(t *testing.T) {
	was := newSite().complete().draft(t).Fingerprint
	for name, c := range map[string]struct {
		change func(*server)
		same   bool
	}{
		"profile":  {func(f *server) { f.named("listConnectionProfiles", "Netwrix Auditor")["tenantMark"] = "other" }, false},
		"user":     {func(f *server) { f.named("searchManagedAccounts", "NetwrixAuditor")["tenantMark"] = "other" }, false},
		"activity": {func(f *server) { f.named("listActivities", "Netwrix Auditor Domain Admin")["tenantMark"] = "other" }, false},
		"resource": {func(f *server) { f.named("searchResources", "dc01.contoso.com")["serviceAccountId"] = "k-bak" }, false},
		"policy":   {func(f *server) { f.named("listPolicies", "Netwrix Auditor (resource)")["tenantMark"] = "other" }, false},
		"members":  {func(f *server) { f.rows["searchPolicyResources"] = nil }, false},
		"action":   {func(f *server) { f.rows["listActionGroups"][1]["name"] = "other" }, false},
		"count":    {func(f *server) { f.named("searchManagedAccounts", "NetwrixAuditor")["accessPolicyCount"] = 9 }, true},
		"time": {func(f *server) {
			f.named("listConnectionProfiles", "Netwrix Auditor")["modifiedDateTimeUtc"] = "2027-01-01"
		}, true},
		"another object": {func(f *server) { f.add("listPolicies", row{"id": "y-9", "name": "Else"}) }, true},
	} {
		st := newSite().complete()
		c.change(st.server)
		if now := st.draft(t).Fingerprint; (now == was) != c.same {
			t.Errorf("%s: the fingerprint is the same: %v", name, now == was)
		}
	}
}

// TestNotOfferedCallsAreDoneByHand takes each assumed call away, for a new, a changed and a deleted object.
func TestNotOfferedCallsAreDoneByHand(t *testing.T) {
	changed := func(member string, v any) *site {
		st := newSite().complete().made()
		for _, at := range [][2]string{{"listConnectionProfiles", "Netwrix Auditor"}, {"listActivities", "Netwrix Auditor Domain Admin"}} {
			st.server.named(at[0], at[1])[member] = v
		}
		return st
	}
	for _, c := range []struct {
		st        *site
		operation string
		key       string
	}{
		{newSite(), "createConnectionProfile", profileStep},
		{changed("allowPasswordAccess", false), "updateConnectionProfile", profileStep},
		{changed("isDeleted", true), "updateConnectionProfile", profileStep},
		{newSite(), "createActivity", activityStep},
		{newSite(), "createActionGroup", activityStep},
		{changed("createAccount", false), "updateActivity", activityStep},
		{changed("isDeleted", true), "updateActivity", activityStep},
	} {
		offered := c.st.action(t, c.key)
		if offered.Effect == plan.ByHand || offered.Twin == nil {
			t.Fatalf("%s %s: before, it is %s", c.operation, c.key, offered.Effect)
		}
		a := c.st.lacks(c.operation).action(t, c.key)
		m := a.Manual()
		if a.Effect != plan.ByHand || m == nil || len(a.Undo) != 0 || len(a.Ops) != 1 {
			t.Errorf("%s %s: %s", c.operation, c.key, a.Effect)
			continue
		}
		if len(m.Clicks) != len(offered.Twin.Clicks) || labels(a) != labels(offered) {
			t.Errorf("%s %s: the page or the difference is another one than foreseen", c.operation, c.key)
		}
		if !strings.Contains(strings.Join(a.Notes, " "), "not to offer "+c.operation) {
			t.Errorf("%s %s: the reason is missing in %q", c.operation, c.key, a.Notes)
		}
		c.st.memory.NotOffered[c.operation] = "24.1"
		if again := c.st.action(t, c.key); again.Effect != offered.Effect {
			t.Errorf("%s %s: another version of the server is not tried again", c.operation, c.key)
		}
	}
}

// TestWhatHandsMakeIsWaitedFor holds the policy back until a person has made the profile or the activity anew.
func TestWhatHandsMakeIsWaitedFor(t *testing.T) {
	st := newSite().complete().made().lacks("updateConnectionProfile", "updateActivity")
	st.server.named("listConnectionProfiles", "Netwrix Auditor")["isDeleted"] = true
	st.server.named("listActivities", "Netwrix Auditor Domain Admin")["isDeleted"] = true
	p := st.draft(t)
	wantEffects(t, p, "manual connection-profile", "manual activity", "update policy-resource", "create policy-resource/activity")
	for key, need := range map[string]string{"policy-resource": profileStep, "policy-resource/activity": activityStep} {
		if a, _ := p.Action(key); !slices.Contains(a.Needs(), need) {
			t.Errorf("%s does not wait for %s", key, need)
		}
	}
}

// TestAssumptionsAreComplete wants every mark and every assumed call of any plan in the list.
func TestAssumptionsAreComplete(t *testing.T) {
	var all strings.Builder
	for _, a := range Assumptions() {
		if a.Topic == "" || a.Text == "" {
			t.Errorf("an assumption without words: %+v", a)
		}
		all.WriteString(a.Topic + ": " + a.Text + "\n")
	}
	deleted := newSite().complete()
	deleted.server.named("listConnectionProfiles", "Netwrix Auditor")["isDeleted"] = true
	deleted.server.named("listActivities", "Netwrix Auditor Domain Admin")["isDeleted"] = true
	calls, marks := map[string]bool{}, map[string]bool{}
	for _, st := range []*site{newSite(), deleted} {
		for _, a := range st.draft(t).Actions {
			for _, op := range append(slices.Clone(a.Ops), a.Undo...) {
				if op.Call != nil && assumed(op.Call.Operation) {
					calls[op.Call.Method+" "+op.Call.Path] = true
				}
			}
			for _, d := range a.Difference {
				if d.Mark != "" {
					marks[d.Mark] = true
				}
			}
		}
	}
	if len(calls) != 8 || len(marks) < 5 {
		t.Errorf("%d assumed calls, %d marks: %v", len(calls), len(marks), calls)
	}
	for call := range calls {
		if !strings.Contains(all.String(), call+": ") {
			t.Errorf("the assumed call %s is not listed", call)
		}
	}
	for mark := range marks {
		if !strings.Contains(all.String(), mark) && mark != "number inferred: ActivityIdentity (2)" {
			t.Errorf("the mark %q is not listed", mark)
		}
	}
	for _, s := range profileTable() {
		if s.mark != "" && !strings.Contains(all.String(), s.label+" = "+s.field+": "+s.mark) {
			t.Errorf("%s is marked, and not listed", s.label)
		}
	}
	for _, says := range []string{"ActivityLoginType (ActivityIdentity 2)", "deleted connection profiles", "deleted activities", "pairedActionId", "%target_domain%"} {
		if !strings.Contains(all.String(), says) {
			t.Errorf("nothing is said of %q", says)
		}
	}
	for _, op := range npsapi.Operations() {
		if op.Source == npsapi.Assumed && !strings.Contains(all.String(), op.Method+" "+op.Path+": "+op.Reason) {
			t.Errorf("%s is not listed with its reason", op.ID)
		}
	}
}
