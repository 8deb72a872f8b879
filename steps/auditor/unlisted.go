package auditor

import (
	"context"
	"fmt"
	"maps"
	"slices"

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

// shownProfile is what the policies that use a connection profile tell of it.
type shownProfile struct {
	ID         string
	MaxSession *int
}

// lookProfileByPolicies finds the connection profile by the policies that use it, and reads it in full when a session has used it.
func lookProfileByPolicies(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyProfile)
	seen := seenProfiles{Unlisted: true}
	using, err := nps.PoliciesWith(ctx, s, name, ways(s.Answers)[0].Name)
	if err != nil {
		return err
	}
	byID := map[string]bool{}
	for _, p := range using {
		byID[p.Row.ActivityConfigurationID] = true
		seen.Shown = &shownProfile{ID: p.Row.ActivityConfigurationID, MaxSession: p.Row.ActivityConfigurationMaxSessionLength}
	}
	if len(byID) > 1 {
		s.Problem(nps.Several(kindProfile, name, slices.Collect(maps.Keys(byID))))
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindProfile + " " + name, State: steps.Doubtful, Wanted: true, Text: "no access policy uses it: whether it is there cannot be read"}
	if seen.Shown != nil {
		s.Know(kindProfile, name, seen.Shown.ID)
		if seen.Named, err = sessionProfile(ctx, s, seen.Shown.ID, using); err != nil {
			return err
		}
		f.State, f.Text = steps.Info, "an access policy uses it"
		f.Rows = nps.Rows(seen.Shown.settings(), nps.Known(seen.Shown.settings(), profileSettings(s.Answers)))
	}
	if seen.Named != nil {
		f.Text = "read from a session that used it"
		f.Rows = nps.Rows(seen.Named.Raw, profileSettings(s.Answers))
		// Sessions come by themselves: that one shows what was wanted anyway makes no plan stale.
		if len(nps.Differing(seen.Named.Raw, profileSettings(s.Answers))) > 0 {
			nps.Observe(s, "profile", seen.Named.Raw)
		}
	}
	s.Observe("shown", seen.Shown)
	steps.Put(s, profilesKey, seen)
	s.See(f)
	return nil
}

// settings are the members of the profile that policies tell.
func (p shownProfile) settings() plan.Object {
	if p.MaxSession == nil {
		return nil
	}
	return plan.Object{{Name: "maxSessionLength", Value: plan.Int(*p.MaxSession)}}
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
	err := nps.EachSession(ctx, r, user.Row.Name, func(row npsapi.Session) {
		if policies[row.AccessPolicyID] {
			newest = nps.Later(newest, &row)
		}
	})
	if err != nil || newest == nil || newest.ID == "" {
		return nil, ctx.Err() // without it, less is known of the profile
	}
	o, err := nps.Read[npsapi.Profile](ctx, s, npsapi.GetSessionProfile(plan.String(newest.ID)))
	if err != nil || !nps.Same(o.Row.ID, id) {
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
	listed, err := nps.ActivityByPolicies(ctx, s, name, own)
	if err != nil || listed.Policy == nil {
		return err
	}
	seen.ID = listed.ID
	seen.Searched = true
	s.Observe("activity id", seen.ID)
	if f.State, f.Text = steps.Missing, ""; seen.ID == "" {
		return nil
	}
	s.Know(kindActivity, name, seen.ID)
	f.State, f.Text = steps.Info, "found by its name through the access policy "+problem.Plain(listed.Policy.Row.Name)
	if seen.Named, err = nps.NestedActivity(ctx, s, listed.Policy.Row.ID, seen.ID); seen.Named != nil {
		wanted := nps.Known(seen.Named.Raw, activitySettings(s, seen))
		f.Rows = nps.Rows(seen.Named.Raw, wanted)
		nps.Observe(s, "activity", seen.Named.Raw)
	}
	return err
}

// shownPlatform is the id of the guide's platform as a domain, or else a host that the guide names, tells it; empty when none does.
func shownPlatform(ctx context.Context, s *steps.Scene) (string, error) {
	calls := []plan.Call{npsapi.SearchDomains()}
	for _, host := range s.Answers.List(keyResources) {
		calls = append(calls, npsapi.SearchResources(host), npsapi.SearchCandidates(host))
	}
	for _, c := range calls {
		found, err := nps.Find(ctx, s, c, func(r npsapi.Resource) bool { return nps.Same(r.PlatformName, platformName) && r.PlatformID != "" })
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
