package passwordsecure

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	kindUser     = "user"
	kindResource = "resource"
)

// seenMembers are who and what the policy is for.
type seenMembers struct {
	Users     []npsapi.Account // in the order of the answers; empty names are left out
	Resources []npsapi.Resource
}

var membersKey = steps.Key[seenMembers]{Name: "passwordsecure.members"}

func lookMembers(ctx context.Context, s *steps.Scene) error {
	var seen seenMembers
	defer func() { steps.Put(s, membersKey, seen) }()
	for _, name := range s.Answers.List(keyUsers) {
		u, err := lookUser(ctx, s, name)
		if err != nil {
			return err
		}
		if u != nil {
			s.Know(kindUser, name, u.ID)
			s.Observe("user "+name, []string{u.ID, fmt.Sprint(u.EntityType.Number)})
			seen.Users = append(seen.Users, *u)
		}
	}
	for _, host := range s.Answers.List(keyResources) {
		r, err := lookResource(ctx, s, host)
		if err != nil {
			return err
		}
		if r != nil {
			s.Know(kindResource, host, r.ID)
			s.Observe("resource "+host, []string{r.ID, r.PlatformID})
			seen.Resources = append(seen.Resources, *r)
		}
	}
	return nil
}

// lookUser finds a user or a group by its name, or by the user name alone when only one has it.
func lookUser(ctx context.Context, s *steps.Scene, name string) (*npsapi.Account, error) {
	_, sam, qualified := strings.Cut(name, `\`)
	if !qualified {
		sam = name
	}
	found, err := nps.Find(ctx, s, npsapi.SearchAccounts(sam), func(a npsapi.Account) bool {
		return nps.Same(a.Name, name) || nps.Same(a.DisplayName, name) || nps.Same(a.SamAccountName, sam)
	})
	if err != nil {
		return nil, err
	}
	var exact []nps.Object[npsapi.Account]
	for _, a := range found {
		if nps.Same(a.Row.Name, name) || nps.Same(a.Row.DisplayName, name) {
			exact = append(exact, a)
		}
	}
	if len(exact) > 0 {
		found = exact
	}
	switch len(found) {
	case 0:
		s.Problem(problem.New(fmt.Sprintf("NPS has no user or group %q", problem.Plain(name))).At(keyUsers).
			Because("neither a name nor a display name nor a user name of its users and groups is equal to it").
			Try("check the name, letter by letter", "or add the user or group first, under Users & Groups in NPS"))
		return nil, nil
	case 1:
		return &found[0].Row, nil
	}
	s.Problem(nps.Several("user or group", name, nps.IDs(found, func(a npsapi.Account) string { return a.ID })))
	return nil, nil
}

func lookResource(ctx context.Context, s *steps.Scene, host string) (*npsapi.Resource, error) {
	found, err := nps.Find(ctx, s, npsapi.SearchResources(host), func(r npsapi.Resource) bool { return nps.Same(r.DNSHostName, host) })
	if err != nil {
		return nil, err
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindResource + " " + host, State: steps.Missing, Wanted: true}
	defer func() { s.See(f) }()
	switch len(found) {
	case 0:
		s.Problem(problem.New(fmt.Sprintf("%s is no resource of NPS", problem.Plain(host))).Coded(problem.HostUnknown).At(keyResources).
			Because("no resource of it has this DNS host name").
			Try("check the name, letter by letter", "or add it first: Policy > Resources > Add > New Server, with a service account that manages it"))
		return nil, nil
	case 1:
	default:
		s.Problem(nps.Several(kindResource, host, nps.IDs(found, func(r npsapi.Resource) string { return r.ID })))
		return nil, nil
	}
	r := found[0].Row
	f.State, f.Rows = steps.Fits, []steps.Row{{Label: "platform", Value: problem.Plain(r.PlatformName), Wanted: s.Answers.Text(keyPlatform)}}
	act, _ := steps.Get(s, activityKey)
	other := act.Platform != "" && r.PlatformID != "" && !nps.Same(r.PlatformID, act.Platform)
	if act.Platform == "" && r.PlatformName != "" {
		other = !nps.Same(r.PlatformName, s.Answers.Text(keyPlatform))
	}
	if other {
		f.State = steps.Differing
		s.Problem(problem.New(fmt.Sprintf("%s has the platform %s, and the activity %s", problem.Plain(host), nps.OrNothing(r.PlatformName), problem.Plain(s.Answers.Text(keyPlatform)))).At(keyPlatform).
			Because("a policy grants an activity only on resources of the activity's platform").
			Try("give activity.platform the platform of the resources", "or take resources of one platform, and another activity for the others"))
	}
	return &r, nil
}

// userChoices offers users and groups, resourceChoices the hosts that are resources.
func userChoices(ctx context.Context, s *steps.Scene, filter string) ([]steps.Option, error) {
	found, err := nps.Find(ctx, s, npsapi.SearchAccounts(filter), func(a npsapi.Account) bool {
		return a.Name != "" && !a.EntityType.Is(npsapi.EntityApplication, "Application")
	})
	if err != nil {
		return nil, err
	}
	options := make([]steps.Option, len(found))
	for i, a := range found {
		title := "user"
		if a.Row.EntityType.Is(npsapi.EntityGroup, "ManagedAccountGroup") {
			title = "group"
		}
		options[i] = steps.Option{Value: problem.Plain(a.Row.Name), Title: title}
	}
	sort.SliceStable(options, func(i, j int) bool { return options[i].Value < options[j].Value })
	return options, nil
}

func resourceChoices(ctx context.Context, s *steps.Scene, filter string) ([]steps.Option, error) {
	found, err := nps.Find(ctx, s, npsapi.SearchResources(filter), func(r npsapi.Resource) bool { return r.DNSHostName != "" })
	if err != nil {
		return nil, err
	}
	options := make([]steps.Option, len(found))
	for i, r := range found {
		options[i] = steps.Option{Value: problem.Plain(r.Row.DNSHostName), Title: problem.Plain(r.Row.PlatformName)}
	}
	sort.SliceStable(options, func(i, j int) bool { return options[i].Value < options[j].Value })
	return options, nil
}

// wantedMembers are the three lists of the policy. The bullets behind the article's line 4 are lost in it, and are on the vendor's page.
func wantedMembers(s *steps.Scene, seen seenMembers) ([]nps.PolicyMembers, error) {
	users := nps.PolicyMembers{Kind: npsapi.Accounts, Key: "users", Label: "Users"}
	for _, u := range seen.Users {
		users.Members = append(users.Members, nps.PolicyMember{Name: u.Name, Member: npsapi.Member{ID: plan.String(u.ID), Kind: u.EntityType.Number}})
	}
	resources := nps.PolicyMembers{Kind: npsapi.Resources, Key: "resources", Label: "Resources"}
	for _, r := range seen.Resources {
		resources.Members = append(resources.Members, nps.PolicyMember{Name: r.DNSHostName, Member: npsapi.Member{ID: plan.String(r.ID), Kind: npsapi.MemberResource}})
	}
	activities := nps.PolicyMembers{Kind: npsapi.Activities, Key: "activity", Label: "Activities"}
	name := s.Answers.Text(keyActivity)
	act, _ := steps.Get(s, activityKey)
	switch id, known := s.ID(kindActivity, name); {
	case known:
		activities.Members = []nps.PolicyMember{{Name: name, Member: npsapi.Member{ID: id, Kind: npsapi.MemberActivity}}}
	case !act.Unlisted:
		return nil, fmt.Errorf("the activity %q is not known", name)
	}
	if act.Named == nil && act.Deleted != nil {
		activities.After = []string{activityStep} // its id is known, but it has to come back first
	}
	return []nps.PolicyMembers{users, activities, resources}, nil
}
