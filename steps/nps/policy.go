package nps

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// KindPolicy is the kind of object that an access policy is, in the product's words.
const KindPolicy = "access policy"

// Policy is the access policy that a guide wants.
type Policy struct {
	Type              int    // npsapi.PolicyResource or PolicyCredential
	Step              string // key of its action
	Answer            string // the answer that names it
	Name, Description string
	ProfileName       string // of its connection profile
}

// SeenPolicy is what LookPolicy found of it.
type SeenPolicy struct {
	Policy  *Object[npsapi.Policy]
	Off     bool                                    // deleted or disabled
	Was     func(plan.Value) plan.Call              // brings that status back
	Members map[npsapi.MemberKind]map[string]string // lower-case id → name
}

// LookPolicy finds the policy by its name, whatever its status, and its members.
func LookPolicy(ctx context.Context, s *steps.Scene, want Policy) (SeenPolicy, error) {
	found, err := Find(ctx, s, npsapi.ListPolicies(true), func(p npsapi.Policy) bool { return Same(p.Name, want.Name) })
	if err != nil {
		return SeenPolicy{}, err
	}
	seen := SeenPolicy{Members: map[npsapi.MemberKind]map[string]string{}}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: KindPolicy + " " + want.Name, State: steps.Missing, Wanted: true}
	defer func() { s.See(f) }()
	found = Living(found)
	if len(found) == 0 {
		Observe(s, "policy", nil)
		return seen, nil
	}
	if len(found) > 1 {
		s.Problem(Several(KindPolicy, want.Name, IDs(found, func(p npsapi.Policy) string { return p.ID })))
		return seen, nil
	}
	full, err := Read[npsapi.Policy](ctx, s, npsapi.GetPolicy(plan.String(found[0].Row.ID)))
	if err != nil {
		return seen, err
	}
	seen.Policy = &full
	f.State = steps.Info
	s.Know(KindPolicy, want.Name, full.Row.ID)
	Observe(s, "policy", writable(full.Raw))
	if name := map[int]string{npsapi.PolicyResource: "Resource", npsapi.PolicyCredential: "Credential"}[want.Type]; !full.Row.PolicyType.Is(want.Type, name) {
		other := Policy{Type: npsapi.PolicyResource + npsapi.PolicyCredential - want.Type}.TypeName()
		s.Problem(problem.New(fmt.Sprintf("the access policy %q is %s", problem.Plain(want.Name), strings.ToLower(strings.ReplaceAll(other, " ", "-")))).Coded(problem.PolicyOtherType).At(want.Answer).
			Because("a policy keeps its type, and names are unique").
			Try("give " + want.Answer + " another name"))
		return seen, nil
	}
	if seen.Off, err = isOff(ctx, s, found[0].Row); err != nil {
		return seen, err
	}
	seen.Was = statusOf(found[0].Row)
	s.Observe("off", seen.Off)
	return seen, seen.lookMembers(ctx, s, want.kinds())
}

// kinds are the lists of members that a policy of its type has.
func (p Policy) kinds() []npsapi.MemberKind {
	if p.Type == npsapi.PolicyCredential {
		return npsapi.CredentialMemberKinds()
	}
	return npsapi.MemberKinds()
}

// TypeName is the type as the product writes it.
func (p Policy) TypeName() string {
	if p.Type == npsapi.PolicyCredential {
		return "Credential Based"
	}
	return "Resource Based"
}

// Living prefers a live policy to deleted namesakes.
func Living(found []Object[npsapi.Policy]) []Object[npsapi.Policy] {
	var live []Object[npsapi.Policy]
	for _, p := range found {
		if !p.Row.Deleted() {
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
		return p.Deleted() || p.Disabled(), nil
	}
	live, err := Find(ctx, s, npsapi.ListPolicies(false), func(l npsapi.Policy) bool { return l.ID == p.ID })
	return len(live) == 0, err
}

// statusOf makes the call that brings a policy's status back. Where its members do not tell it, it counts as deleted.
func statusOf(p npsapi.Policy) func(plan.Value) plan.Call {
	deleted, disabled := p.Deleted(), p.Disabled()
	return func(id plan.Value) plan.Call {
		return npsapi.SetPolicyStatus(id, deleted || !disabled, disabled)
	}
}

// status is how an undo sees whether the policy is still as this run left it: neither deleted nor disabled. Nil: the server does
// not tell it.
func (seen SeenPolicy) status(id plan.Value) *plan.Trace {
	t := &plan.Trace{Lookup: plan.Lookup{Call: npsapi.GetPolicy(id)}}
	for _, member := range []string{"isDeleted", "isDisabled"} {
		was := seen.Policy.Raw.Get(member)
		if was == nil {
			continue
		}
		if raw, err := plan.Encode(was); err == nil && string(raw) == "true" {
			t.Changed = append(t.Changed, plan.Changed{Member: member, Was: raw, Became: json.RawMessage("false")})
		}
	}
	if len(t.Changed) == 0 {
		return nil
	}
	return t
}

func (seen *SeenPolicy) lookMembers(ctx context.Context, s *steps.Scene, kinds []npsapi.MemberKind) error {
	for _, k := range kinds {
		found, err := Find(ctx, s, npsapi.SearchMembers(k, plan.String(seen.Policy.Row.ID), ""), func(npsapi.MemberRow) bool { return true })
		if err != nil {
			return err
		}
		have := map[string]string{}
		for _, m := range found {
			have[strings.ToLower(m.Row.ID)] = m.Row.Name
			if k == npsapi.Credentials {
				have[strings.ToLower(m.Row.ID)] = m.Row.Domain + `\` + m.Row.Username
			}
		}
		seen.Members[k] = have
		s.Observe(fmt.Sprintf("members %d", k), have)
	}
	return nil
}

// Lists says whether the policy, which may be off, has a member of that name.
func (seen SeenPolicy) Lists(k npsapi.MemberKind, name string) bool {
	for _, have := range seen.Members[k] {
		if Same(have, name) {
			return true
		}
	}
	return false
}

// writable is a policy without the objects nested in it, which are read richer than they may be written.
func writable(o plan.Object) plan.Object {
	return o.Without("activityConfiguration", "activities", "activityGroups", "activityConfigurationMaxSessionLength")
}

// ID is the id of the policy: known, or what its action will give.
func (p Policy) ID(s *steps.Scene, seen SeenPolicy) plan.Value {
	if seen.Policy != nil {
		return plan.String(seen.Policy.Row.ID)
	}
	s.Promise(KindPolicy, p.Name, p.Step, "id")
	return plan.Ref{Action: p.Step, Output: "id", What: KindPolicy + ` "` + p.Name + `"`}
}

// Create is the action that makes the policy, with the id of its connection profile.
func (p Policy) Create(profile plan.Value) plan.Action {
	body := plan.Object{
		{Name: "name", Value: plan.String(p.Name)},
		{Name: "description", Value: plan.String(p.Description)},
		{Name: "policyType", Value: plan.Int(p.Type)},
		{Name: "activityConfigurationId", Value: profile},
	}
	op := CallOp("create", npsapi.CreatePolicy(body))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.ListPolicies(false), Member: "name", Value: p.Name}
	return plan.Action{
		Key: p.Step, Effect: plan.Create, Object: KindPolicy, Name: p.Name, Ops: []plan.Op{op},
		Difference: []plan.Difference{
			{Label: "Name", Field: "name", To: p.Name},
			{Label: "Type", Field: "policyType", To: p.TypeName()},
			{Label: "Connection Profile", Field: "activityConfigurationId", To: p.ProfileName},
		},
		Undo: UndoOp(npsapi.DeletePolicy(plan.Ref{Action: p.Step, Output: "id", What: KindPolicy + ` "` + p.Name + `"`})),
	}
}

// Keep are the actions that make a policy which is there as wanted: alive, and with that connection profile.
func (p Policy) Keep(s *steps.Scene, seen SeenPolicy, profile plan.Value) []plan.Action {
	id := plan.String(seen.Policy.Row.ID)
	a := plan.Action{Key: p.Step, Effect: plan.Update, Object: KindPolicy, Name: p.Name}
	if seen.Off {
		a.Effect = plan.Restore
		a.Ops = append(a.Ops, CallOp("restore", npsapi.SetPolicyStatus(id, false, false)))
		a.Difference = append(a.Difference, plan.Difference{Label: "status", From: "deleted or disabled", To: "active"})
		a.Undo = Traced(UndoOp(seen.Was(id)), seen.status(id))
	}
	raw, err := plan.Encode(plan.Array{profile})
	if wanted := strings.Trim(string(raw), `[]"`); err != nil || !Same(wanted, seen.Policy.Row.ActivityConfigurationID) {
		was := writable(seen.Policy.Raw)
		body := was.With("activityConfigurationId", profile)
		for _, status := range []string{"isDeleted", "isDisabled"} {
			if seen.Off && body.Get(status) != nil {
				body = body.With(status, plan.Bool(false)) // what was just restored must not be written away again
			}
		}
		op := CallOp("update", npsapi.UpdatePolicy(id, body))
		op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.GetPolicy(id)}, Want: was, Volatile: append(Volatile(), "isDeleted", "isDisabled")}
		a.Ops = append(a.Ops, op)
		a.Difference = append(a.Difference, plan.Difference{Label: "Connection Profile", Field: "activityConfigurationId", From: "another profile", To: p.ProfileName})
		a.Undo = append(UndoOp(npsapi.UpdatePolicy(id, was)), a.Undo...) // the status last: a deleted policy may not be written
	}
	if len(a.Ops) == 0 {
		return Adopted(s, p.Step, KindPolicy, p.Name)
	}
	return []plan.Action{a}
}

// PolicyMember is one that a policy has to have.
type PolicyMember struct {
	Name string
	npsapi.Member
}

// PolicyMembers is one list of a policy: who or what belongs into it.
type PolicyMembers struct {
	Kind       npsapi.MemberKind
	Key, Label string // end of the action's key, and the list in the product's words
	Members    []PolicyMember
	Article    string
	After      []string
}

// Add is the action that adds those members of a list that the policy lacks; false when it has them all.
func (p Policy) Add(seen SeenPolicy, policy plan.Value, list PolicyMembers) (plan.Action, bool) {
	var missing []npsapi.Member
	var names []string
	for _, m := range list.Members {
		if text, err := plan.Encode(m.ID); err == nil && seen.Members[list.Kind] != nil {
			if _, in := seen.Members[list.Kind][strings.ToLower(strings.Trim(string(text), `"`))]; in {
				continue
			}
		}
		missing = append(missing, m.Member)
		names = append(names, m.Name)
	}
	return plan.Action{
		Key: p.Step + "/" + list.Key, Effect: plan.Create, Object: list.Key + " in " + KindPolicy, Name: p.Name, Article: list.Article, After: list.After,
		Difference: []plan.Difference{{Label: list.Label, To: strings.Join(names, ", ")}},
		Ops:        []plan.Op{CallOp("add", npsapi.AddMembers(list.Kind, policy, missing...))},
		Undo:       Traced(UndoOp(npsapi.RemoveMembers(list.Kind, policy, missing...)), &plan.Trace{Lookup: plan.Lookup{Call: npsapi.SearchMembers(list.Kind, policy, "")}, Members: true}),
	}, len(missing) > 0
}
