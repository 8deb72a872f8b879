package auditor

import (
	"context"
	"fmt"
	"sort"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// The vendor documents no call that lists connection profiles, platforms, activities or their actions. Where a server does not
// offer those that were seen, a person makes what belongs to them, and what can be known of it comes from documented calls: an
// access policy tells the name, the id and the maximum duration of its profile, and its activities; the activities that a policy
// could still take are listed as its candidates; a session shows its whole profile; resources tell their platform.

// notListed makes a fact of a look that ended since the server does not list what it looked for. It is the one place that decides
// so: the step then goes by what policies show. Any other error stays one.
func notListed(s *steps.Scene, kind string, err error) bool {
	if !problem.Is(err, problem.NotOffered) {
		return false
	}
	s.Observe("not listed", kind)
	s.See(steps.Finding{
		Kind: steps.TextFinding, Title: kind, State: steps.Info,
		Text: "this server lists none (" + problem.Plain(problem.All(err)[0].What) + "): a person makes it, and what access policies show of it is read back",
	})
	return true
}

// shownProfile is what the policies that use a connection profile tell of it.
type shownProfile struct {
	ID         string
	MaxSession *int
}

// lookProfileByPolicies finds the connection profile by the policies that use it, and reads it in full when a session has used it.
func lookProfileByPolicies(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyProfile)
	seen := seenProfiles{Unlisted: true}
	using, err := policiesWith(ctx, s, name)
	if err != nil {
		return err
	}
	byID := map[string]bool{}
	for _, p := range using {
		byID[p.Row.ActivityConfigurationID] = true
		seen.Shown = &shownProfile{ID: p.Row.ActivityConfigurationID, MaxSession: p.Row.ActivityConfigurationMaxSessionLength}
	}
	if len(byID) > 1 {
		s.Problem(several(kindProfile, name, keys(byID)))
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindProfile + " " + name, State: steps.Doubtful, Wanted: true, Text: "no access policy uses it: whether it is there cannot be read"}
	if seen.Shown != nil {
		s.Know(kindProfile, name, seen.Shown.ID)
		if seen.Named, err = sessionProfile(ctx, s, seen.Shown.ID, using); err != nil {
			return err
		}
		f.State, f.Text = steps.Info, "an access policy uses it"
		f.Rows = rows(seen.Shown.settings(), known(seen.Shown.settings(), profileSettings(s.Answers)))
	}
	if seen.Named != nil {
		f.Text = "read from a session that used it"
		f.Rows = rows(seen.Named.Raw, profileSettings(s.Answers))
		// Sessions come by themselves: that one shows what was wanted anyway makes no plan stale.
		if len(differing(seen.Named.Raw, profileSettings(s.Answers))) > 0 {
			observe(s, "profile", seen.Named.Raw)
		}
	}
	s.Observe("shown", seen.Shown)
	steps.Put(s, profilesKey, seen)
	s.See(f)
	return nil
}

// policiesWith lists the policies that use the connection profile of a name: live ones, and the guide's own whatever its status.
func policiesWith(ctx context.Context, s *steps.Scene, profile string) ([]object[npsapi.Policy], error) {
	uses := func(p npsapi.Policy) bool {
		return same(string(p.ActivityConfiguration), profile) && p.ActivityConfigurationID != ""
	}
	own := s.Answers.Text(keyPolicy)
	live, err := find(ctx, s, npsapi.ListPolicies(false), func(p npsapi.Policy) bool { return uses(p) && !same(p.Name, own) })
	if err != nil {
		return nil, err
	}
	ours, err := find(ctx, s, npsapi.ListPolicies(true), func(p npsapi.Policy) bool { return uses(p) && same(p.Name, own) })
	return append(live, living(ours)...), err
}

func keys(set map[string]bool) []string {
	list := make([]string, 0, len(set))
	for k := range set {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

// settings are the members of the profile that policies tell.
func (p shownProfile) settings() plan.Object {
	if p.MaxSession == nil {
		return nil
	}
	return plan.Object{{Name: "maxSessionLength", Value: plan.Int(*p.MaxSession)}}
}

// known keeps the settings of which an object tells the value.
func known(o plan.Object, wanted []setting) []setting {
	var told []setting
	for _, st := range wanted {
		if v := o.Get(st.Field); v != nil && v != plan.Null() {
			told = append(told, st)
		}
	}
	return told
}

// sessionProfile reads a connection profile from the last session of the application user under a policy that uses it; nil when
// there was none, or NPS does not tell.
func sessionProfile(ctx context.Context, s *steps.Scene, id string, using []object[npsapi.Policy]) (*object[npsapi.Profile], error) {
	user, _ := steps.Get(s, userKey)
	r, signedIn := steps.Get(s, nps.ReaderKey)
	if user == nil || !signedIn {
		return nil, nil
	}
	policies := map[string]bool{}
	for _, p := range using {
		policies[p.Row.ID] = true
	}
	var newest *npsapi.Session
	err := eachSession(ctx, r, user.Row.Name, func(row npsapi.Session) {
		if policies[row.AccessPolicyID] {
			newest = later(newest, &row)
		}
	})
	if err != nil || newest == nil || newest.ID == "" {
		return nil, ctx.Err() // without it, less is known of the profile
	}
	o, err := read[npsapi.Profile](ctx, s, npsapi.GetSessionProfile(plan.String(newest.ID)))
	if err != nil || !same(o.Row.ID, id) {
		return nil, ctx.Err()
	}
	return &o, nil
}

// lookActivityByPolicies finds the activity among the members of a policy and what that could still take: the guide's own policy,
// or another one.
func lookActivityByPolicies(ctx context.Context, s *steps.Scene) error {
	name, own := s.Answers.Text(keyActivity), s.Answers.Text(keyPolicy)
	seen := seenActivity{Unlisted: true}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindActivity + " " + name, State: steps.Doubtful, Wanted: true, Text: "there is no access policy that could tell whether it is there"}
	defer func() { steps.Put(s, seenActivityKey, seen); s.See(f) }()
	var err error
	if seen.Platform, err = shownPlatform(ctx, s); err != nil {
		return err
	}
	s.Observe("platform", seen.Platform)
	policies, err := find(ctx, s, npsapi.ListPolicies(false), func(p npsapi.Policy) bool { return p.PolicyType.Is(npsapi.PolicyResource, "Resource") })
	if err != nil || len(policies) == 0 {
		return err
	}
	policy := policies[0]
	for _, p := range policies {
		if same(p.Row.Name, own) {
			policy = p
		}
	}
	id := plan.String(policy.Row.ID)
	found := map[string]bool{}
	for _, c := range []plan.Call{npsapi.SearchMembers(npsapi.Activities, id, name), npsapi.SearchActivityCandidates(id, name)} {
		rows, err := find(ctx, s, c, func(m npsapi.MemberRow) bool {
			return same(m.Name, name) && m.EntityType.Is(npsapi.MemberActivity, "Activity")
		})
		if err != nil {
			return err
		}
		for _, m := range rows {
			found[m.Row.ID] = true
			seen.ID = m.Row.ID
		}
	}
	if len(found) > 1 {
		s.Problem(several(kindActivity, name, keys(found)))
	}
	seen.Searched = true
	s.Observe("activity id", seen.ID)
	if f.State, f.Text = steps.Missing, ""; seen.ID == "" {
		return nil
	}
	s.Know(kindActivity, name, seen.ID)
	f.State, f.Text = steps.Info, "found by its name through the access policy "+problem.Plain(policy.Row.Name)
	if seen.Named, err = nestedActivity(ctx, s, policy.Row.ID, seen.ID); seen.Named != nil {
		wanted := known(seen.Named.Raw, activitySettings(s, seen))
		f.Rows = rows(seen.Named.Raw, wanted)
		observe(s, "activity", seen.Named.Raw)
	}
	return err
}

// nestedActivity is the activity as a policy that has it as a member shows it; nil when it shows none.
func nestedActivity(ctx context.Context, s *steps.Scene, policy, id string) (*object[npsapi.Activity], error) {
	p, err := read[npsapi.Policy](ctx, s, npsapi.GetPolicy(plan.String(policy)))
	if err != nil {
		return nil, err
	}
	for _, raw := range p.Row.Activities {
		a, err := npsapi.Decode[npsapi.Activity](raw)
		if err != nil || !same(a.ID, id) {
			continue
		}
		o, err := whole(raw)
		return &object[npsapi.Activity]{a, o}, err
	}
	return nil, nil
}

// shownPlatform is the id of the guide's platform as a domain, or else a host that the guide names, tells it; empty when none does.
func shownPlatform(ctx context.Context, s *steps.Scene) (string, error) {
	calls := []plan.Call{npsapi.SearchDomains()}
	for _, host := range s.Answers.List(keyResources) {
		calls = append(calls, npsapi.SearchResources(host), npsapi.SearchCandidates(host))
	}
	for _, c := range calls {
		found, err := find(ctx, s, c, func(r npsapi.Resource) bool { return same(r.PlatformName, platformName) && r.PlatformID != "" })
		if err != nil || len(found) > 0 {
			return first(found), err
		}
	}
	s.Warn(fmt.Sprintf("this server does not tell the id of the platform %s: compare in NPS that the resource and the activity both have it", platformName), problem.PlatformMissing)
	return "", nil
}

func first(found []object[npsapi.Resource]) string {
	if len(found) == 0 {
		return ""
	}
	return found[0].Row.PlatformID
}
