package auditor

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// anySite is a server in any state that the steps tell apart, with any memory of earlier runs.
func anySite(t *rapid.T) *site {
	st := newSite()
	if !rapid.Bool().Draw(t, "nothing there") {
		st.complete()
	}
	yes := func(what string) bool { return rapid.IntRange(0, 3).Draw(t, what) == 0 }
	for _, at := range [][2]string{
		{"listConnectionProfiles", "Netwrix Auditor"}, {"listActivities", activityName}, {"searchManagedAccounts", "NetwrixAuditor"}, {"searchResources", "dc01.contoso.com"}, {"listPolicies", policyName},
	} {
		r := st.server.named(at[0], at[1])
		if r == nil {
			continue
		}
		if yes(at[0] + " is gone") {
			r["name"], r["dnsHostName"] = "Else", "else.contoso.com"
		}
		if yes(at[0] + " is deleted") {
			r["isDeleted"] = true
		}
		member := rapid.SampledFrom([]string{"maxSessionLength", "allowPasswordAccess", "createAccount", "certificateSerialNumber", "samAccountName", "platformId", "serviceAccountId", "activityConfigurationId", "isDisabled", "startActionGroupId"}).Draw(t, "member")
		if _, has := r[member]; has && yes(member+" differs") {
			r[member] = rapid.SampledFrom([]any{nil, "other", "g-x"}).Draw(t, "value")
			if member == "isDisabled" || member == "createAccount" || member == "allowPasswordAccess" {
				r[member] = rapid.Bool().Draw(t, "value")
			}
		}
	}
	for _, members := range []string{"searchPolicyAccounts", "searchPolicyActivities", "searchPolicyResources"} {
		if yes(members + " are gone") {
			st.server.rows[members] = nil
		}
	}
	if yes("groups are left over") {
		st.groups("g-left-pre", "g-left-post", rapid.SampledFrom([]string{"Domain Admins", "Users"}).Draw(t, "group"))
	}
	if yes("no template") {
		st.server.rows["listActionTemplates"] = nil
	}
	if yes("made") {
		st.made()
	}
	var lacks []string
	for _, op := range []string{"createConnectionProfile", "updateConnectionProfile", "createActivity", "createActionGroup", "updateActivity"} {
		if yes("lacks " + op) {
			lacks = append(lacks, op)
		}
	}
	return st.lacks(lacks...)
}

// TestAnyServerGivesASoundPlan plans for random states: the plan can be carried out, is the same each time, makes nothing
// twice, and changes nothing outside the contract.
func TestAnyServerGivesASoundPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		st := anySite(t)
		digests := map[string]bool{}
		var p plan.Plan
		for drafts := 2; drafts > 0; drafts-- { // a scene that is drafted twice, and another one
			s, err := st.survey(t)
			if err != nil {
				t.Fatal(tell(err)) // none of these states is one that a person has to put right first
			}
			for range drafts {
				if p, err = steps.Draft(st.guide(), s, "NetwrixAuditor"); err != nil {
					t.Fatal(err)
				}
				if err := p.Check(); err != nil {
					t.Fatal(err)
				}
				d, err := p.Digest()
				if err != nil {
					t.Fatal(err)
				}
				digests[d] = true
			}
		}
		if len(digests) != 1 {
			t.Fatalf("%d digests for one state", len(digests))
		}
		sound(t, st, p)
	})
}

func sound(t *rapid.T, st *site, p plan.Plan) {
	lists := map[string]string{profileStep: "listConnectionProfiles", activityStep: "listActivities", userStep: "searchManagedAccounts", resourceKey: "searchResources", policyStep: "listPolicies"}
	for _, a := range p.Actions {
		if list, is := lists[a.Key]; is && a.Effect == plan.Create && st.server.named(list, a.Name) != nil {
			t.Fatalf("%s is made a second time", a.Key)
		}
		if a.Effect == plan.Update && len(a.Difference) == 0 || a.Effect == plan.Adopt && len(a.Ops) > 0 || a.Effect == plan.ByHand && a.Manual() == nil {
			t.Fatalf("%s: %s with %d differences and %d operations", a.Key, a.Effect, len(a.Difference), len(a.Ops))
		}
		for _, op := range a.Ops {
			if op.Call == nil {
				continue
			}
			if v, lacking := st.memory.NotOffered[op.Call.Operation]; lacking && v == "25.12.1" {
				t.Fatalf("%s sends %s, which the server does not offer", a.Key, op.Call.Operation)
			}
			if op.Call.Method == "PUT" && op.Guard == nil && strings.HasPrefix(op.Call.Operation, "update") {
				t.Fatalf("%s writes a whole object without looking afresh", a.Key)
			}
			if assumed(op.Call.Operation) && a.Twin == nil {
				t.Fatalf("%s has no way round for %s", a.Key, op.Call.Operation)
			}
		}
	}
}
