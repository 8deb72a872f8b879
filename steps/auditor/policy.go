package auditor

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	kindPolicy = "access policy"
	policyStep = "policy-resource"
)

// seenPolicy is what Look found for the access policy.
type seenPolicy struct {
	Policy  *object[npsapi.Policy]
	Off     bool                                    // deleted or disabled
	Was     func(plan.Value) plan.Call              // brings that status back
	Members map[npsapi.MemberKind]map[string]string // lower-case id → name
}

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

func lookPolicy(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyPolicy)
	named := func(p npsapi.Policy) bool { return same(p.Name, name) }
	found, err := find(ctx, s, npsapi.ListPolicies(true), named)
	if err != nil {
		return err
	}
	seen := seenPolicy{Members: map[npsapi.MemberKind]map[string]string{}}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindPolicy + " " + name, State: steps.Missing, Wanted: true}
	defer func() { s.See(f); steps.Put(s, policyKey, seen) }()
	found = living(found)
	if len(found) == 0 {
		observe(s, "policy", nil)
		return nil
	}
	if len(found) > 1 {
		s.Problem(several(kindPolicy, name, ids(found, func(p npsapi.Policy) string { return p.ID })))
		return nil
	}
	full, err := read[npsapi.Policy](ctx, s, npsapi.GetPolicy(plan.String(found[0].Row.ID)))
	if err != nil {
		return err
	}
	seen.Policy = &full
	f.State = steps.Info
	s.Know(kindPolicy, name, full.Row.ID)
	observe(s, "policy", writable(full.Raw))
	if !full.Row.PolicyType.Is(npsapi.PolicyResource, "Resource") {
		s.Problem(problem.New(fmt.Sprintf("the access policy %q is credential-based", problem.Plain(name))).Coded(problem.PolicyOtherType).At(keyPolicy).
			Because("a policy keeps its type, and names are unique").
			Try("give accessPolicy.resource.name another name"))
		return nil
	}
	if seen.Off, err = isOff(ctx, s, found[0].Row); err != nil {
		return err
	}
	seen.Was = statusOf(found[0].Row)
	s.Observe("off", seen.Off)
	return lookMembers(ctx, s, &seen)
}

// living prefers a live policy to deleted namesakes.
func living(found []object[npsapi.Policy]) []object[npsapi.Policy] {
	var live []object[npsapi.Policy]
	for _, p := range found {
		if p.Row.IsDeleted == nil || !*p.Row.IsDeleted {
			live = append(live, p)
		}
	}
	if len(live) > 0 {
		return live
	}
	return found
}

// isOff says whether a policy is deleted or disabled. The members that tell it are not documented: where they are absent,
// the list of live policies tells.
func isOff(ctx context.Context, s *steps.Scene, p npsapi.Policy) (bool, error) {
	if p.IsDeleted != nil || p.IsDisabled != nil {
		return p.IsDeleted != nil && *p.IsDeleted || p.IsDisabled != nil && *p.IsDisabled, nil
	}
	live, err := find(ctx, s, npsapi.ListPolicies(false), func(l npsapi.Policy) bool { return l.ID == p.ID })
	return len(live) == 0, err
}

// statusOf makes the call that brings a policy's status back. Where its members do not tell it, it counts as deleted.
func statusOf(p npsapi.Policy) func(plan.Value) plan.Call {
	deleted, disabled := p.IsDeleted != nil && *p.IsDeleted, p.IsDisabled != nil && *p.IsDisabled
	return func(id plan.Value) plan.Call {
		return npsapi.SetPolicyStatus(id, deleted || !disabled, disabled)
	}
}

func lookMembers(ctx context.Context, s *steps.Scene, seen *seenPolicy) error {
	for _, k := range npsapi.MemberKinds() {
		found, err := find(ctx, s, npsapi.SearchMembers(k, plan.String(seen.Policy.Row.ID), ""), func(npsapi.MemberRow) bool { return true })
		if err != nil {
			return err
		}
		have := map[string]string{}
		for _, m := range found {
			have[strings.ToLower(m.Row.ID)] = m.Row.Name
		}
		seen.Members[k] = have
		s.Observe(fmt.Sprintf("members %d", k), have)
	}
	return nil
}

// writable is a policy without the objects nested in it, which are read richer than they may be written.
func writable(o plan.Object) plan.Object {
	return o.Without("activityConfiguration", "activities", "activityGroups", "activityConfigurationMaxSessionLength")
}

func (w World) planPolicy(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, policyKey)
	if unknown := notTold(s, seen); len(unknown) > 0 {
		return w.policyByHand(s, seen, unknown)
	}
	name := s.Answers.Text(keyPolicy)
	profile, ok := s.ID(kindProfile, s.Answers.Text(keyProfile))
	profiles, _ := steps.Get(s, profilesKey)
	switch {
	case !ok && profiles.Unlisted && seen.Policy != nil:
		profile = plan.String(seen.Policy.Row.ActivityConfigurationID) // chosen by a person, and not named by any call
	case !ok:
		profile = plan.Ref{Action: profileStep, Output: "id", What: kindProfile + ` "` + s.Answers.Text(keyProfile) + `"`}
	}
	var actions []plan.Action
	var policy plan.Value
	if seen.Policy == nil {
		actions = append(actions, createPolicy(s, name, profile))
		policy = plan.Ref{Action: policyStep, Output: "id", What: kindPolicy + ` "` + name + `"`}
		s.Promise(kindPolicy, name, policyStep, "id")
	} else {
		policy = plan.String(seen.Policy.Row.ID)
		actions = append(actions, keepPolicy(s, seen, name, profile)...)
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
	members, err := addMembers(s, seen, policy, name)
	if err != nil {
		return nil, err
	}
	for i := range members {
		members[i].After = append(members[i].After, after...)
	}
	return append(actions, members...), nil
}

func createPolicy(s *steps.Scene, name string, profile plan.Value) plan.Action {
	body := plan.Object{
		{Name: "name", Value: plan.String(name)},
		{Name: "description", Value: plan.String("Netwrix Auditor integration")},
		{Name: "policyType", Value: plan.Int(npsapi.PolicyResource)},
		{Name: "activityConfigurationId", Value: profile},
	}
	op := callOp("create", npsapi.CreatePolicy(body))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.ListPolicies(false), Member: "name", Value: name}
	return plan.Action{
		Key: policyStep, Effect: plan.Create, Object: kindPolicy, Name: name, Ops: []plan.Op{op},
		Difference: []plan.Difference{
			{Label: "Name", Field: "name", To: name},
			{Label: "Type", Field: "policyType", To: "Resource Based"},
			{Label: "Connection Profile", Field: "activityConfigurationId", To: s.Answers.Text(keyProfile)},
		},
		Undo: undoOp(npsapi.DeletePolicy(plan.Ref{Action: policyStep, Output: "id", What: kindPolicy + ` "` + name + `"`})),
	}
}

func keepPolicy(s *steps.Scene, seen seenPolicy, name string, profile plan.Value) []plan.Action {
	id := plan.String(seen.Policy.Row.ID)
	a := plan.Action{Key: policyStep, Effect: plan.Update, Object: kindPolicy, Name: name}
	if seen.Off {
		a.Effect = plan.Restore
		a.Ops = append(a.Ops, callOp("restore", npsapi.SetPolicyStatus(id, false, false)))
		a.Difference = append(a.Difference, plan.Difference{Label: "status", From: "deleted or disabled", To: "active"})
		a.Undo = undoOp(seen.Was(id))
	}
	raw, err := plan.Encode(plan.Array{profile})
	if wanted := strings.Trim(string(raw), `[]"`); err != nil || !same(wanted, seen.Policy.Row.ActivityConfigurationID) {
		was := writable(seen.Policy.Raw)
		body := was.With("activityConfigurationId", profile)
		for _, status := range []string{"isDeleted", "isDisabled"} {
			if seen.Off && body.Get(status) != nil {
				body = body.With(status, plan.Bool(false)) // what was just restored must not be written away again
			}
		}
		op := callOp("update", npsapi.UpdatePolicy(id, body))
		op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.GetPolicy(id)}, Want: was, Volatile: append(volatile(), "isDeleted", "isDisabled")}
		a.Ops = append(a.Ops, op)
		a.Difference = append(a.Difference, plan.Difference{Label: "Connection Profile", Field: "activityConfigurationId", From: "another profile", To: s.Answers.Text(keyProfile)})
		a.Undo = append(undoOp(npsapi.UpdatePolicy(id, was)), a.Undo...) // the status last: a deleted policy may not be written
	}
	if len(a.Ops) == 0 {
		return adopted(s, policyStep, kindPolicy, name)
	}
	return []plan.Action{a}
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

func addMembers(s *steps.Scene, seen seenPolicy, policy plan.Value, name string) ([]plan.Action, error) {
	var actions []plan.Action
	for _, m := range wantedMembers(s.Answers) {
		var missing []npsapi.Member
		var names []string
		for _, n := range m.names {
			id, ok := s.ID(m.object, n)
			switch act, _ := steps.Get(s, seenActivityKey); {
			case !ok && m.object == kindActivity && act.Unlisted:
				continue // a person adds it
			case !ok:
				return nil, fmt.Errorf("the %s %q is not known", m.object, n)
			}
			if text, err := plan.Encode(id); err == nil && seen.Members[m.kind] != nil {
				if _, in := seen.Members[m.kind][strings.ToLower(strings.Trim(string(text), `"`))]; in {
					continue
				}
			}
			missing = append(missing, npsapi.Member{ID: id, Kind: m.number})
			names = append(names, n)
		}
		if len(missing) == 0 {
			continue
		}
		var after []string
		if act, _ := steps.Get(s, seenActivityKey); m.object == kindActivity && act.Named == nil && act.Deleted != nil {
			after = []string{activityStep}
		}
		actions = append(actions, plan.Action{
			Key: policyStep + "/" + m.key, Effect: plan.Create, Object: m.key + " in " + kindPolicy, Name: name, Article: m.article, After: after,
			Difference: []plan.Difference{{Label: m.label, To: strings.Join(names, ", ")}},
			Ops:        []plan.Op{callOp("add", npsapi.AddMembers(m.kind, policy, missing...))},
			Undo:       undoOp(npsapi.RemoveMembers(m.kind, policy, missing...)),
		})
	}
	return actions, nil
}
