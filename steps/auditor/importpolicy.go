package auditor

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// importPolicy describes the resource-based access policy of the user, and what belongs to it.
func importPolicy(ctx context.Context, s *steps.Scene, in *steps.Imported, user npsapi.Account, grants []grant, named func(string) string) error {
	byName := map[string]grant{}
	for _, g := range grants {
		switch {
		case !g.accounts[strings.ToLower(user.ID)]:
		case g.credential():
			in.Leave("the credential-based access policy " + g.policy.Row.Name + " of the user is not described here")
		case named(flagPolicy) == "" || same(g.policy.Row.Name, named(flagPolicy)):
			byName[g.policy.Row.Name] = g
		}
	}
	if len(byName) == 0 && named(flagPolicy) == "" {
		in.Leave("no resource-based access policy names " + user.Name + " itself; whether one holds a group with it is not looked at")
		return nil
	}
	pick, err := one(flagPolicy, "resource-based access policy", named(flagPolicy), keysOf(byName), nil)
	if err != nil {
		return err
	}
	p := byName[pick].policy.Row
	in.Take(keyKind, "resource")
	in.Take(keyPolicy, p.Name)
	in.Tell("access policy " + p.Name)
	if err := importProfile(ctx, s, in, p); err != nil {
		return err
	}
	if err := importActivity(ctx, s, in, p, named(flagActivity)); err != nil {
		return err
	}
	return importResources(ctx, s, in, p)
}

// importProfile describes the connection profile of a policy. Its numbers are somebody's choice, such as a Max Duration that fits the
// collections, and become answers.
func importProfile(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy) error {
	found, err := find(ctx, s, npsapi.ListConnectionProfiles(), func(row npsapi.Profile) bool { return same(row.ID, p.ActivityConfigurationID) })
	if problem.Is(err, problem.NotOffered) || err == nil && len(found) == 0 {
		if p.ActivityConfiguration != "" {
			in.Take(keyProfile, string(p.ActivityConfiguration), "this server does not show the settings of connection profiles: they are taken to be the article's")
		}
		in.Leave("the settings of the connection profile could not be read")
		return nil
	}
	if err != nil {
		return err
	}
	in.Take(keyProfile, found[0].Row.Name)
	in.Tell("connection profile " + found[0].Row.Name)
	for _, t := range profileTable() {
		importSetting(in, t, member(found[0].Raw, t.field))
	}
	return nil
}

func importSetting(in *steps.Imported, t profileSetting, have string) {
	if t.name == "approvalWorkflow" {
		if have != fmt.Sprint(npsapi.ApprovalAllow) && !same(have, "Allow") {
			in.Leave(t.label + " is " + orNothing(have) + ", the article says Automatic: no answer describes that")
		}
		return
	}
	if have == t.value || !t.number {
		return // what a switch ought to be is not up to anybody: verify tells that it differs
	}
	f := steps.Field{Key: settingsPrefix + t.name, Kind: steps.Number}
	if f.Valid(have) != nil {
		in.Leave(t.label + " is " + orNothing(have) + ", the article says " + nps.Spoken(t.value) + ": no answer describes that")
		return
	}
	in.Take(f.Key, have, t.label+": the article says "+nps.Spoken(t.value))
}

// importActivity describes the activity of a policy, and the group that its action names.
func importActivity(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy, named string) error {
	members, err := find(ctx, s, npsapi.SearchMembers(npsapi.Activities, plan.String(p.ID), ""), func(npsapi.MemberRow) bool { return true })
	if err != nil {
		return err
	}
	byName := map[string]string{}
	for _, m := range members {
		switch {
		case !m.Row.EntityType.Is(npsapi.MemberActivity, "Activity"):
			in.Leave("the access policy holds the group of activities " + m.Row.Name + ", whose activities are not looked at")
		case named == "" || same(m.Row.Name, named):
			byName[m.Row.Name] = m.Row.ID
		}
	}
	if len(byName) == 0 && named == "" {
		in.Leave("the access policy holds no activity")
		return nil
	}
	pick, err := one(flagActivity, "activity in the access policy", named, keysOf(byName), nil)
	if err != nil {
		return err
	}
	in.Take(keyActivity, pick)
	in.Tell("activity " + pick)
	group, err := groupOf(ctx, s, byName[pick])
	switch {
	case problem.Is(err, problem.NotOffered):
		in.Leave("this server does not show the actions of activities: that the group is Domain Admins, as in the article, is a guess")
		return nil
	case err != nil:
		return err
	case group == "":
		in.Leave("the activity has no action \"" + addToGroup + "\"")
		return nil
	}
	in.Take(keyGroup, group)
	return nil
}

// groupOf is the group that the pre-session action of an activity names; empty when it has no such action.
func groupOf(ctx context.Context, s *steps.Scene, id string) (string, error) {
	found, err := find(ctx, s, npsapi.ListActivities(), func(a npsapi.Activity) bool { return same(a.ID, id) })
	if err != nil || len(found) == 0 {
		return "", err
	}
	var seen seenActivity
	if err := lookTemplates(ctx, s, &seen); err != nil {
		return "", err
	}
	if err := lookGroups(ctx, s, &seen, found[0].Row); err != nil {
		return "", err
	}
	if seen.PreGroup == nil || seen.Template == nil {
		return "", nil
	}
	for _, a := range seen.PreGroup.Action {
		if a.ActionTemplateID == seen.Template.ID && !a.IsDeleted {
			return value(a, parameter(seen.Template, "Group")), nil
		}
	}
	return "", nil
}

// importResources describes the hosts of a policy, and the service account that NPS manages them with.
func importResources(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy) error {
	members, err := find(ctx, s, npsapi.SearchMembers(npsapi.Resources, plan.String(p.ID), ""), func(npsapi.MemberRow) bool { return true })
	if err != nil {
		return err
	}
	all, err := find(ctx, s, npsapi.SearchResources(""), func(npsapi.Resource) bool { return true })
	if err != nil {
		return err
	}
	byID := map[string]npsapi.Resource{}
	for _, r := range all {
		byID[strings.ToLower(r.Row.ID)] = r.Row
	}
	var hosts []string
	accounts := map[string]bool{} // ids
	for _, m := range members {
		if !m.Row.EntityType.Is(npsapi.MemberResource, "Resource") {
			in.Leave("the access policy holds the group of resources " + m.Row.Name + ", whose hosts are not looked at")
			continue
		}
		host := m.Row.DNSHostName
		if r, found := byID[strings.ToLower(m.Row.ID)]; found {
			host = r.DNSHostName
			accounts[strings.ToLower(r.ServiceAccountID)] = true
		}
		if host == "" || checkHost(host) != nil {
			in.Leave("the resource " + m.Row.Name + " has no DNS host name, by which Auditor would find it")
			continue
		}
		hosts = append(hosts, host)
	}
	if len(hosts) == 0 {
		in.Leave("the access policy holds no resource that Auditor finds")
		return nil
	}
	in.Take(keyResources, strings.Join(hosts, "\n"))
	in.Tell("resources " + strings.Join(hosts, ", "))
	return importServiceAccount(ctx, s, in, accounts)
}

func importServiceAccount(ctx context.Context, s *steps.Scene, in *steps.Imported, wanted map[string]bool) error {
	all, err := find(ctx, s, npsapi.SearchServiceAccounts(""), func(npsapi.Credential) bool { return true })
	if err != nil {
		return err
	}
	names := map[string]int{}
	var mine []npsapi.Credential
	for _, c := range all {
		names[strings.ToLower(c.Row.DisplayName)]++
		if wanted[strings.ToLower(c.Row.CredentialID)] && c.Row.CredentialID != "" {
			mine = append(mine, c.Row)
		}
	}
	if len(mine) == 0 {
		in.Leave("the resources have no service account")
		return nil
	}
	name := mine[0].DisplayName
	if name == "" || names[strings.ToLower(name)] > 1 {
		name = mine[0].Domain + `\` + mine[0].UserName
	}
	if len(mine) > 1 {
		in.Leave("the resources have different service accounts; the answers can name one")
	}
	in.Take(keyServiceAccount, name)
	in.Tell("service account " + name)
	return nil
}
