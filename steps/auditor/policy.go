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

// way is one kind of access policy: the guide takes one of them, or both.
type way struct {
	nps.Policy
	key     steps.Key[seenPolicy]
	needs   []string // steps that make what it takes
	holds   string   // what it holds, for people
	members func(s *steps.Scene, y way, seen seenPolicy, policy plan.Value) ([]plan.Action, error)
	lists   func(a steps.Answers) []plan.Difference                 // what belongs into its lists
	untold  func(s *steps.Scene, seen seenPolicy) []plan.Difference // members whose id no call tells
}

func resourceWay(a steps.Answers) way {
	return way{
		Policy: nps.Policy{Step: policyStep, Answer: keyPolicy, Name: a.Text(keyPolicy), Description: "Netwrix Auditor integration", ProfileName: a.Text(keyProfile)},
		key:    policyKey, needs: []string{userStep, profileStep, activityStep, resourceStep}, holds: "user, activity and resources",
		members: addMembers, lists: memberDifferences, untold: untoldActivity,
	}
}

// byResource and byCredential say which kinds of policy are wanted.
func byResource(a steps.Answers) bool { return a.Text(keyKind) != kindCredential }

func byCredential(a steps.Answers) bool {
	return a.Text(keyKind) == kindCredential || a.Text(keyKind) == kindBoth
}

// ways are the kinds of policy that are wanted.
func ways(a steps.Answers) []way {
	var list []way
	if byResource(a) {
		list = append(list, resourceWay(a))
	}
	if byCredential(a) {
		list = append(list, credentialWay(a))
	}
	return list
}

// policyResource is A13.
func (w World) policyResource() steps.Step {
	return w.policy(resourceWay, steps.Step{
		ID: policyStep, Title: "Resource-based access policy", Article: "Create a Resource-based Access Policy, 1-7", Applies: byResource,
		Why: "it lets the application user run the activity on the resources",
		Fields: []steps.Field{{
			Key: keyPolicy, Kind: steps.Text, Prompt: "Name of the access policy", Default: "Netwrix Auditor (resource)", Example: "Netwrix Auditor (resource)",
			Help: "A name that no other policy of this server has.",
		}},
	})
}

// policy makes the step of one kind of policy.
func (w World) policy(of func(steps.Answers) way, step steps.Step) steps.Step {
	step.Look = func(ctx context.Context, s *steps.Scene) error {
		y := of(s.Answers)
		seen, err := nps.LookPolicy(ctx, s, y.Policy)
		steps.Put(s, y.key, seen)
		return err
	}
	planned := func(s *steps.Scene) ([]plan.Action, error) { return w.planPolicy(s, of(s.Answers)) }
	step.Plan = planned
	step.Verify = func(ctx context.Context, s *steps.Scene) steps.Proof {
		return verifyPolicy(ctx, s, of(s.Answers), planned)
	}
	return step
}

func (w World) planPolicy(s *steps.Scene, y way) ([]plan.Action, error) {
	seen, _ := steps.Get(s, y.key)
	if unknown := notTold(s, y, seen); len(unknown) > 0 {
		return w.policyByHand(s, y, seen, unknown)
	}
	profile, ok := s.ID(kindProfile, s.Answers.Text(keyProfile))
	profiles, _ := steps.Get(s, profilesKey)
	switch {
	case !ok && profiles.Unlisted && seen.Policy != nil:
		profile = plan.String(seen.Policy.Row.ActivityConfigurationID) // chosen by a person, and not named by any call
	case !ok:
		profile = plan.Ref{Action: profileStep, Output: "id", What: kindProfile + ` "` + s.Answers.Text(keyProfile) + `"`}
	}
	var actions []plan.Action
	policy := y.ID(s, seen)
	if seen.Policy == nil {
		actions = append(actions, y.Create(profile))
	} else {
		actions = append(actions, y.Keep(s, seen, profile)...)
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
	members, err := y.members(s, y, seen, policy)
	if err != nil {
		return nil, err
	}
	for i := range members {
		members[i].After = append(members[i].After, after...)
	}
	return append(actions, members...), nil
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

func addMembers(s *steps.Scene, y way, seen seenPolicy, policy plan.Value) ([]plan.Action, error) {
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
		if a, lacks := y.Add(seen, policy, list); lacks {
			actions = append(actions, a)
		}
	}
	return actions, nil
}
