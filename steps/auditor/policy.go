package auditor

import (
	"context"
	"fmt"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

const (
	kindPolicy = nps.KindPolicy
	policyStep = "policy-resource"
)

type seenPolicy = nps.SeenPolicy

var policyKey = steps.Key[seenPolicy]{Name: "auditor.policy"}

// policyResource is A13.
func (w World) policyResource() steps.Step {
	return steps.Step{
		ID: policyStep, Title: "Resource-based access policy", Article: "Create a Resource-based Access Policy, 1-7",
		Why: "it lets the application user run the activity on the resources",
		Fields: []steps.Field{{
			Key: keyPolicy, Kind: steps.Text, Prompt: "Name of the access policy", Default: "Netwrix Auditor (resource)", Example: "Netwrix Auditor (resource)",
			Help: "A name that no other policy of this server has.",
		}},
		Look: lookPolicy, Plan: w.planPolicy,
		Verify: w.verifyPolicy,
	}
}

func wantedPolicy(a steps.Answers) nps.Policy {
	return nps.Policy{Step: policyStep, Answer: keyPolicy, Name: a.Text(keyPolicy), Description: "Netwrix Auditor integration", ProfileName: a.Text(keyProfile)}
}

func lookPolicy(ctx context.Context, s *steps.Scene) error {
	seen, err := nps.LookPolicy(ctx, s, wantedPolicy(s.Answers))
	steps.Put(s, policyKey, seen)
	return err
}

func (w World) planPolicy(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, policyKey)
	if unknown := notTold(s, seen); len(unknown) > 0 {
		return w.policyByHand(s, seen, unknown)
	}
	want := wantedPolicy(s.Answers)
	profile, ok := s.ID(kindProfile, s.Answers.Text(keyProfile))
	profiles, _ := steps.Get(s, profilesKey)
	switch {
	case !ok && profiles.Unlisted && seen.Policy != nil:
		profile = plan.String(seen.Policy.Row.ActivityConfigurationID) // chosen by a person, and not named by any call
	case !ok:
		profile = plan.Ref{Action: profileStep, Output: "id", What: kindProfile + ` "` + s.Answers.Text(keyProfile) + `"`}
	}
	var actions []plan.Action
	policy := want.ID(s, seen)
	if seen.Policy == nil {
		actions = append(actions, want.Create(profile))
	} else {
		actions = append(actions, want.Keep(s, seen, profile)...)
	}
	var after []string
	for i := range actions {
		if !actions[i].Changing() {
			continue
		}
		if profiles.Named == nil && profiles.Deleted != nil {
			actions[i].After = []string{profileStep} // its id is known, but it has to come back first
		}
		after = []string{actions[i].Key}
	}
	members, err := addMembers(s, seen, policy)
	if err != nil {
		return nil, err
	}
	for i := range members {
		members[i].After = append(members[i].After, after...)
	}
	return append(actions, members...), nil
}

func keepPolicy(s *steps.Scene, seen seenPolicy, profile plan.Value) []plan.Action {
	return wantedPolicy(s.Answers).Keep(s, seen, profile)
}

// memberPlan is one list of a policy: what belongs into it.
type memberPlan struct {
	kind          npsapi.MemberKind
	key, label    string
	object        string // kind under which the scene knows the ids
	names         []string
	number        int
	from, article string
}

func wantedMembers(a steps.Answers) []memberPlan {
	return []memberPlan{
		{npsapi.Accounts, "user", "Users", kindUser, []string{a.Text(keyApplication)}, npsapi.EntityApplication, userStep, "Create a Resource-based Access Policy, 5"},
		{npsapi.Activities, "activity", "Activities", kindActivity, []string{a.Text(keyActivity)}, npsapi.MemberActivity, activityStep, "Create a Resource-based Access Policy, 6"},
		{npsapi.Resources, "resources", "Resources", kindResource, a.List(keyResources), npsapi.MemberResource, resourceStep, "Create a Resource-based Access Policy, 7"},
	}
}

func addMembers(s *steps.Scene, seen seenPolicy, policy plan.Value) ([]plan.Action, error) {
	var actions []plan.Action
	act, _ := steps.Get(s, seenActivityKey)
	for _, m := range wantedMembers(s.Answers) {
		list := nps.PolicyMembers{Kind: m.kind, Key: m.key, Label: m.label, Article: m.article}
		for _, n := range m.names {
			id, ok := s.ID(m.object, n)
			switch {
			case !ok && m.object == kindActivity && act.Unlisted:
				continue // a person adds it
			case !ok:
				return nil, fmt.Errorf("the %s %q is not known", m.object, n)
			}
			list.Members = append(list.Members, nps.PolicyMember{Name: n, Member: npsapi.Member{ID: id, Kind: m.number}})
		}
		if m.object == kindActivity && act.Named == nil && act.Deleted != nil {
			list.After = []string{activityStep}
		}
		if a, lacks := wantedPolicy(s.Answers).Add(seen, policy, list); lacks {
			actions = append(actions, a)
		}
	}
	return actions, nil
}
