package passwordsecure

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

const kindProfile = "connection profile"

// seenProfile is the connection profile that the policy takes: this guide makes none.
type seenProfile struct {
	ID       string
	Terms    *npsapi.ProfileTerms // nil: not told
	Unlisted bool                 // the server lists none: ID is what policies tell
}

var profileKey = steps.Key[seenProfile]{Name: "passwordsecure.profile"}

// lookProfile finds the profile and judges it: the article is content with Default, which may have been changed.
func lookProfile(ctx context.Context, s *steps.Scene) error {
	var seen seenProfile
	err := seen.lookListed(ctx, s)
	if nps.NotListed(s, kindProfile, err) {
		seen = seenProfile{Unlisted: true}
		err = seen.lookByPolicies(ctx, s)
	}
	steps.Put(s, profileKey, seen)
	if seen.ID != "" {
		s.Know(kindProfile, s.Answers.Text(keyProfile), seen.ID)
	}
	return err
}

func (seen *seenProfile) lookListed(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyProfile)
	all, err := nps.Find(ctx, s, npsapi.ListConnectionProfiles(), func(p npsapi.ProfileTerms) bool { return !p.IsDeleted })
	if err != nil {
		return err
	}
	var named []npsapi.ProfileTerms
	var others []string
	for _, p := range all {
		if nps.Same(p.Row.Name, name) {
			named = append(named, p.Row)
		}
		others = append(others, p.Row.Name)
	}
	switch len(named) {
	case 0:
		slices.Sort(others)
		s.Problem(problem.New(fmt.Sprintf("NPS has no connection profile %q", problem.Plain(name))).At(keyProfile).Because("its connection profiles are "+problem.Plain(strings.Join(others, ", "))).
			Try("name one of them under accessPolicy.connectionProfile", "or make it first under Policy > Access Policy > Connection Profiles"))
		return nil
	case 1:
	default:
		ids := make([]string, len(named))
		for i, p := range named {
			ids[i] = p.ID
		}
		s.Problem(nps.Several(kindProfile, name, ids))
	}
	terms := named[0]
	seen.ID, seen.Terms = terms.ID, &terms
	s.Observe("profile", terms)
	judgeProfile(s, terms)
	return nil
}

// lookByPolicies finds the profile by the policies that use it, where none is listed.
func (seen *seenProfile) lookByPolicies(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyProfile)
	using, err := nps.PoliciesWith(ctx, s, name, s.Answers.Text(keyPolicy))
	if err != nil {
		return err
	}
	ids := map[string]bool{}
	for _, p := range using {
		ids[p.Row.ActivityConfigurationID] = true
		seen.ID = p.Row.ActivityConfigurationID
	}
	if len(ids) > 1 {
		s.Problem(nps.Several(kindProfile, name, slices.Collect(maps.Keys(ids))))
	}
	s.Observe("profile id", seen.ID)
	s.Warn("this server does not list connection profiles: see in NPS that " + problem.Plain(name) + " has Allow User to Access Password on, and no approval, notes or ticket that users cannot give")
	return nil
}

// judgeProfile says what of a profile keeps a vault's activity from its purpose.
func judgeProfile(s *steps.Scene, p npsapi.ProfileTerms) {
	name := problem.Plain(p.Name)
	automatic := p.ApprovalTypeRequired.Is(npsapi.ApprovalAllow, "Allow") && p.ApprovalWorkflowID == ""
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindProfile + " " + p.Name, State: steps.Fits, Rows: []steps.Row{
		{Label: "Allow User to Access Password", Value: spoken(p.AllowPasswordAccess), Wanted: "True"},
		{Label: "Require Notes", Value: spoken(p.NotesRequired)},
		{Label: "Require Ticket Number", Value: spoken(p.TicketRequired)},
		{Label: "Approval", Value: map[bool]string{true: "Automatic", false: "needed"}[automatic]},
		{Label: "Record Proxy Session", Value: spoken(p.Record)},
	}}
	if p.MaxSessionLength != nil {
		f.Rows = append(f.Rows, steps.Row{Label: "Max Duration", Value: fmt.Sprintf("%d minutes", *p.MaxSessionLength)})
	}
	if !p.AllowPasswordAccess {
		f.State = steps.Differing
		s.Problem(problem.New(fmt.Sprintf("the connection profile %q gives users no password", name)).Coded(problem.PasswordNotReadable).At(keyProfile).
			Because("Allow User to Access Password is off in it, and an activity with a vault needs it").
			Try("name another profile under accessPolicy.connectionProfile", "or make one of its own for this, under Policy > Access Policy > Connection Profiles, with that setting on"))
	}
	for _, w := range []struct {
		needed bool
		text   string
	}{
		{!automatic, "asks for an approval before each session: npsetup's own session waits for it too, and proves nothing"},
		{p.NotesRequired, "asks for notes at each session"},
		{p.TicketRequired, "asks for a ticket number at each session, which npsetup's own session does not have"},
	} {
		if w.needed {
			s.Warn("the connection profile " + name + " " + w.text + "; when that is not wanted here, name another one under accessPolicy.connectionProfile")
		}
	}
	s.See(f)
}

// alone says whether a session can become active under the profile without anybody's doing.
func (seen seenProfile) alone() bool {
	t := seen.Terms
	return t == nil || !t.TicketRequired && t.ApprovalWorkflowID == "" && t.ApprovalTypeRequired.Is(npsapi.ApprovalAllow, "Allow")
}
