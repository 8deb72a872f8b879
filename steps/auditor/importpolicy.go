package auditor

import (
	"context"
	"maps"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

// importPolicies describes the access policies of the user: one of each kind, or the only one that it has.
func importPolicies(ctx context.Context, s *steps.Scene, in *steps.Imported, user npsapi.Account, grants []grant, named func(string) string) error {
	resource, err := policyOf(user, grants, false, flagPolicy, named)
	if err != nil {
		return err
	}
	credential, err := policyOf(user, grants, true, flagCredentialPolicy, named)
	if err != nil {
		return err
	}
	kind := ""
	switch {
	case resource != nil && credential != nil:
		kind = kindBoth
	case resource != nil:
		kind = kindResourceBased
	case credential != nil:
		kind = kindCredential
	default:
		in.Leave("no access policy names " + user.Name + " itself; whether one holds a group with it is not looked at")
	}
	if kind != "" {
		in.Take(keyKind, kind)
	}
	if resource != nil {
		if err := importResourcePolicy(ctx, s, in, *resource, named(flagActivity)); err != nil {
			return err
		}
	}
	if credential != nil {
		if err := importCredentialPolicy(ctx, s, in, *credential, resource); err != nil {
			return err
		}
	}
	importPlan(in, kind)
	return nil
}

// policyOf is the policy of a kind that is for the user; nil when there is none and none was named.
func policyOf(user npsapi.Account, grants []grant, credential bool, flag string, named func(string) string) (*npsapi.Policy, error) {
	byName := map[string]npsapi.Policy{}
	for _, g := range grants {
		if g.accounts[strings.ToLower(user.ID)] && g.credential() == credential && (named(flag) == "" || nps.Same(g.policy.Row.Name, named(flag))) {
			byName[g.policy.Row.Name] = g.policy.Row
		}
	}
	if len(byName) == 0 && named(flag) == "" {
		return nil, nil
	}
	kind := map[bool]string{true: "credential-based access policy", false: "resource-based access policy"}[credential]
	p, err := nps.Pick(flag, kind, named(flag), byName)
	return &p, err
}

// importPlan leaves room for what NPS does not know.
func importPlan(in *steps.Imported, kind string) {
	domain := ""
	if first, _, _ := strings.Cut(in.Drafts[keyResources], "\n"); first != "" {
		_, domain, _ = strings.Cut(first, ".")
		domain = ", such as the domain " + domain
	}
	in.Lack(keyPlan, "NPS does not know Auditor's monitoring plans: write the name of the plan under "+keyPlan)
	in.Lack(keyItems, "NPS does not know the items of that plan: write those that take their account from NPS under "+keyItems+domain)
	if kind == kindBoth {
		in.Lack(keyCredentialItems, "which of the items take an account from the credential-based policy is not known to NPS either: write them under "+keyCredentialItems)
	}
}

// importResourcePolicy describes a resource-based policy, and what belongs to it.
func importResourcePolicy(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy, activity string) error {
	in.Take(keyPolicy, p.Name)
	in.Tell("access policy " + p.Name)
	if err := importProfile(ctx, s, in, p); err != nil {
		return err
	}
	if err := importActivity(ctx, s, in, p, activity); err != nil {
		return err
	}
	return importResources(ctx, s, in, p)
}

// importCredentialPolicy describes a credential-based policy: its accounts by the names by which they are searched. That their passwords
// are rotated is accepted only where that has happened: the file would otherwise agree to it.
func importCredentialPolicy(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy, beside *npsapi.Policy) error {
	in.Take(keyCredentialPolicy, p.Name)
	in.Tell("access policy " + p.Name)
	switch {
	case beside == nil:
		if err := importProfile(ctx, s, in, p); err != nil {
			return err
		}
	case !nps.Same(beside.ActivityConfigurationID, p.ActivityConfigurationID):
		in.Leave("the access policy " + p.Name + " has another connection profile than " + beside.Name + "; the answers can name one")
	}
	members, err := nps.Members(ctx, s, npsapi.Credentials, p.ID)
	if err != nil {
		return err
	}
	managed, err := nps.Find(ctx, s, npsapi.SearchCredentials(""), func(npsapi.Credential) bool { return true })
	if err != nil {
		return err
	}
	var names []string
	for _, m := range members {
		r := credentialOf(managed, m)
		switch {
		case !m.EntityType.Is(npsapi.MemberCredential, "Credential"):
			in.Leave("the access policy holds the group of credentials " + m.Name + ", whose accounts are not looked at")
		case r == nil:
			in.Leave("the credential " + m.Name + " of the access policy is none of an account that NPS lists")
		default:
			names = append(names, accountName(r))
			if !ready(r) {
				in.Rests(RiskRotatePassword, accountName(r)+" has no password yet that NPS has set and verified: apply would rotate it")
			}
		}
	}
	if len(names) == 0 {
		in.Lack(keyAccounts, "the access policy "+p.Name+" lends no account")
		return nil
	}
	in.Take(keyAccounts, strings.Join(names, "\n"))
	in.Tell("accounts " + strings.Join(names, ", "))
	return nil
}

// credentialOf is the account whose credential is a member, by whichever of its ids; nil: none.
func credentialOf(managed []object[npsapi.Credential], m npsapi.MemberRow) *npsapi.Credential {
	for i := range managed {
		if r := &managed[i].Row; nps.Same(r.CredentialID, m.ID) && m.ID != "" || nps.Same(r.ID, m.ID) {
			return r
		}
	}
	return nil
}

// importProfile describes the connection profile of a policy. Its numbers are somebody's choice, such as a Max Duration that fits the
// collections, and become answers.
func importProfile(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy) error {
	found, err := nps.Find(ctx, s, npsapi.ListConnectionProfiles(), func(row npsapi.Profile) bool { return nps.Same(row.ID, p.ActivityConfigurationID) })
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
	name := found[0].Row.Name
	in.Take(keyProfile, name)
	in.Tell("connection profile " + name)
	guides := s.Answers
	for _, t := range profileTable() {
		guides = guides.With(settingsPrefix+t.name, "")
	}
	for _, d := range nps.Differing(found[0].Raw, profileSettings(guides)) {
		in.Differs = append(in.Differs, steps.Deviate(kindProfile, name, d))
	}
	for _, t := range profileTable() {
		importSetting(in, t, nps.Member(found[0].Raw, t.field))
	}
	return nil
}

// importSetting makes a number that differs an answer. What a switch ought to be is not up to anybody.
func importSetting(in *steps.Imported, t profileSetting, have string) {
	f := steps.Field{Key: settingsPrefix + t.name, Kind: steps.Number}
	if t.number && have != t.value && f.Valid(have) == nil {
		in.Take(f.Key, have, t.label+": the article says "+nps.Spoken(t.value)+"; this is what the server has")
	}
}

// importActivity describes the activity of a policy, and the group that its action names.
func importActivity(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy, named string) error {
	members, err := nps.Members(ctx, s, npsapi.Activities, p.ID)
	if err != nil {
		return err
	}
	byName := map[string]string{}
	for _, m := range members {
		switch {
		case !m.EntityType.Is(npsapi.MemberActivity, "Activity"):
			in.Leave("the access policy holds the group of activities " + m.Name + ", whose activities are not looked at")
		case named == "" || nps.Same(m.Name, named):
			byName[m.Name] = m.ID
		}
	}
	if len(byName) == 0 && named == "" {
		in.Lack(keyActivity, "the access policy holds no activity")
		return nil
	}
	pick, err := nps.TheOne(flagActivity, "activity in the access policy", named, slices.Sorted(maps.Keys(byName)), nil)
	if err != nil {
		return err
	}
	in.Take(keyActivity, pick)
	in.Tell("activity " + pick)
	group, err := groupOf(ctx, s, byName[pick])
	switch {
	case problem.Is(err, problem.NotOffered):
		in.Lack(keyGroup, "this server does not show the actions of activities: that the group is Domain Admins, as in the article, is a guess")
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
	found, err := nps.Find(ctx, s, npsapi.ListActivities(), func(a npsapi.Activity) bool { return nps.Same(a.ID, id) })
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
	members, err := nps.Members(ctx, s, npsapi.Resources, p.ID)
	if err != nil {
		return err
	}
	all, err := nps.Find(ctx, s, npsapi.SearchResources(""), func(npsapi.Resource) bool { return true })
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
		if !m.EntityType.Is(npsapi.MemberResource, "Resource") {
			in.Leave("the access policy holds the group of resources " + m.Name + ", whose hosts are not looked at")
			continue
		}
		host := m.DNSHostName
		if r, found := byID[strings.ToLower(m.ID)]; found {
			host = r.DNSHostName
			accounts[strings.ToLower(r.ServiceAccountID)] = true
		}
		if host == "" || checkHost(host) != nil {
			in.Leave("the resource " + m.Name + " has no DNS host name, by which Auditor would find it")
			continue
		}
		hosts = append(hosts, host)
	}
	if len(hosts) == 0 {
		in.Lack(keyResources, "the access policy holds no resource that Auditor finds")
		return nil
	}
	in.Take(keyResources, strings.Join(hosts, "\n"))
	in.Tell("resources " + strings.Join(hosts, ", "))
	return importServiceAccount(ctx, s, in, accounts)
}

func importServiceAccount(ctx context.Context, s *steps.Scene, in *steps.Imported, wanted map[string]bool) error {
	all, err := nps.Find(ctx, s, npsapi.SearchServiceAccounts(""), func(npsapi.Credential) bool { return true })
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
		in.Lack(keyServiceAccount, "the resources have no service account")
		return nil
	}
	name := mine[0].DisplayName
	if name == "" || names[strings.ToLower(name)] > 1 {
		name = mine[0].Domain + `\` + mine[0].UserName
	}
	if len(mine) > 1 {
		in.Leave("the resources have different service accounts; the answers name one of them")
	}
	in.Take(keyServiceAccount, name)
	in.Tell("service account " + name)
	return nil
}
