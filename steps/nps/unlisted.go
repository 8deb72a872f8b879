package nps

import (
	"context"
	"maps"
	"slices"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

// PoliciesWith lists the policies that use the connection profile of a name: live ones, and the guide's own, whatever its status.
func PoliciesWith(ctx context.Context, s *steps.Scene, profile, own string) ([]Object[npsapi.Policy], error) {
	uses := func(p npsapi.Policy) bool {
		return Same(string(p.ActivityConfiguration), profile) && p.ActivityConfigurationID != ""
	}
	live, err := Find(ctx, s, npsapi.ListPolicies(false), func(p npsapi.Policy) bool { return uses(p) && !Same(p.Name, own) })
	if err != nil {
		return nil, err
	}
	ours, err := Find(ctx, s, npsapi.ListPolicies(true), func(p npsapi.Policy) bool { return uses(p) && Same(p.Name, own) })
	return append(live, Living(ours)...), err
}

// ListedActivity is what access policies tell of an activity where the server lists none.
type ListedActivity struct {
	Policy *Object[npsapi.Policy] // that told it; nil: there is no policy that could tell
	ID     string                 // empty: it is not there
}

// ActivityByPolicies finds an activity among the members of a policy and what that could still take: the guide's own policy, or
// another one.
func ActivityByPolicies(ctx context.Context, s *steps.Scene, name, own string) (ListedActivity, error) {
	policies, err := Find(ctx, s, npsapi.ListPolicies(false), func(p npsapi.Policy) bool { return p.PolicyType.Is(npsapi.PolicyResource, "Resource") })
	if err != nil || len(policies) == 0 {
		return ListedActivity{}, err
	}
	listed := ListedActivity{Policy: &policies[0]}
	for i, p := range policies {
		if Same(p.Row.Name, own) {
			listed.Policy = &policies[i]
		}
	}
	id := plan.String(listed.Policy.Row.ID)
	found := map[string]bool{}
	for _, c := range []plan.Call{npsapi.SearchMembers(npsapi.Activities, id, name), npsapi.SearchActivityCandidates(id, name)} {
		rows, err := Find(ctx, s, c, func(m npsapi.MemberRow) bool {
			return Same(m.Name, name) && m.EntityType.Is(npsapi.MemberActivity, "Activity")
		})
		if err != nil {
			return ListedActivity{}, err
		}
		for _, m := range rows {
			found[m.Row.ID] = true
			listed.ID = m.Row.ID
		}
	}
	if len(found) > 1 {
		s.Problem(Several("activity", name, slices.Collect(maps.Keys(found))))
	}
	return listed, nil
}

// NestedActivity is the activity as a policy that has it as a member shows it; nil when it shows none.
func NestedActivity(ctx context.Context, s *steps.Scene, policy, id string) (*Object[npsapi.Activity], error) {
	p, err := Read[npsapi.Policy](ctx, s, npsapi.GetPolicy(plan.String(policy)))
	if err != nil {
		return nil, err
	}
	for _, raw := range p.Row.Activities {
		a, err := npsapi.Decode[npsapi.Activity](raw)
		if err != nil || !Same(a.ID, id) {
			continue
		}
		o, err := Whole(raw)
		return &Object[npsapi.Activity]{Row: a, Raw: o}, err
	}
	return nil, nil
}
