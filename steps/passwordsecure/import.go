package passwordsecure

import (
	"context"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

// The flags that name one of several objects.
const (
	flagConnector = "connector"
	flagActivity  = "activity"
	flagPolicy    = "policy"
)

// importer reads a set-up that somebody made by hand: from the connector to what it is used by.
func importer() *steps.Importer {
	return &steps.Importer{
		Flags: []steps.ImportFlag{
			{Name: flagConnector, Value: "NAME", Help: "the integration connector to Password Secure, when NPS has several"},
			{Name: flagActivity, Value: "NAME", Help: "the activity, when several fit"},
			{Name: flagPolicy, Value: "NAME", Help: "the resource-based access policy, when several fit"},
		},
		Given: []string{keyAPIKey, keyTrust, keyVersion, keyAsk},
		Read:  importAll,
	}
}

func importAll(ctx context.Context, s *steps.Scene, named func(string) string) (steps.Imported, error) {
	in := steps.Imported{}
	c, err := importConnector(ctx, s, &in, named(flagConnector))
	if err != nil {
		return in, err
	}
	in.Lack(keyVersion, "NPS does not tell the version of Password Secure: write it under "+keyVersion)
	in.Lack(keyAPIKey, "NPS does not give the API key of Password Secure back: write where it is, never the key, under "+keyAPIKey+", such as env:PASSWORD_SECURE_API_KEY")
	a, err := importActivity(ctx, s, &in, c.ID, named(flagActivity))
	if err != nil || a == nil {
		return in, err
	}
	return in, importPolicy(ctx, s, &in, *a, named(flagPolicy))
}

// importConnector describes the connector that is meant, and the service account that it has.
func importConnector(ctx context.Context, s *steps.Scene, in *steps.Imported, name string) (npsapi.Connector, error) {
	templates, err := nps.Find(ctx, s, npsapi.ListConnectorTemplates(), func(t npsapi.ConnectorTemplate) bool { return nps.Same(t.Name, npsapi.TemplatePasswordSecure) })
	if err != nil && !problem.Is(err, problem.NotOffered) {
		return npsapi.Connector{}, err
	}
	found, err := nps.Find(ctx, s, npsapi.ListConnectors(), func(c npsapi.Connector) bool {
		ours := len(templates) == 0
		for _, t := range templates {
			ours = ours || nps.Same(c.ConnectorTemplateID, t.Row.ID)
		}
		_, understood := c.Settings()
		return ours && understood && (name == "" || nps.Same(c.Name, name))
	})
	if problem.Is(err, problem.NotOffered) {
		return npsapi.Connector{}, problem.New("the integration connectors of this server cannot be read").Because("it offers no call that lists them").
			Try("write the answers file by hand, or by the wizard: npsetup; npsetup schema describes it").Of(problem.NotOffered).From(err)
	}
	if err != nil {
		return npsapi.Connector{}, err
	}
	byName := map[string]npsapi.Connector{}
	for _, c := range found {
		byName[c.Row.Name] = c.Row
	}
	c, err := nps.Pick(flagConnector, "integration connector to Password Secure", name, byName)
	if err != nil {
		return npsapi.Connector{}, err
	}
	settings, _ := c.Settings()
	in.Take(keyConnector, c.Name)
	in.Take(keyURL, settings.APIURL, "as the connector has it; NPS goes there")
	if c.Description != "" {
		in.Take(keyDescription, c.Description)
	}
	if settings.SkipCertificateCheck {
		in.Take(keySkip, "true")
	}
	in.Tell("integration connector " + c.Name + " to " + settings.APIURL)
	return c, importAccount(ctx, s, in, settings.ServiceAccount)
}

func importAccount(ctx context.Context, s *steps.Scene, in *steps.Imported, id string) error {
	var found *npsapi.StoredCredential
	_, err := nps.Find(ctx, s, npsapi.ListServiceAccounts(false), func(c npsapi.StoredCredential) bool {
		if !c.IsDeleted && nps.Same(c.ID, id) {
			found = &c
		}
		return false // what else stands in a row may be a secret: it is not kept
	})
	if err != nil {
		return err
	}
	if found == nil {
		in.Lack(keyAccount, "the service account of the connector is not listed by NPS")
		return nil
	}
	in.Take(keyAccount, found.Name)
	in.Take(keyUsername, found.Username)
	in.Tell("service account " + found.Name)
	return nil
}

// importActivity describes the activity that takes its account from the connector; nil when none does, or none is listed.
func importActivity(ctx context.Context, s *steps.Scene, in *steps.Imported, connector, name string) (*npsapi.Activity, error) {
	found, err := nps.Find(ctx, s, npsapi.ListActivities(), func(a npsapi.Activity) bool {
		return !a.IsDeleted && nps.Same(a.VaultID, connector) && (name == "" || nps.Same(a.Name, name))
	})
	switch {
	case problem.Is(err, problem.NotOffered):
		in.Leave("this server does not list activities: which one takes its account from the connector is not known")
		return nil, nil
	case err != nil:
		return nil, err
	case len(found) == 0 && name == "":
		in.Leave("no activity takes its account from the connector")
		return nil, nil
	}
	byName := map[string]npsapi.Activity{}
	for _, a := range found {
		byName[a.Row.Name] = a.Row
	}
	a, err := nps.Pick(flagActivity, "activity with the connector", name, byName)
	if err != nil {
		return nil, err
	}
	in.Take(keyActivity, a.Name)
	in.Tell("activity " + a.Name)
	if a.Description != "" {
		in.Take(keyActivityIs, a.Description)
	}
	importTemplate(in, a.LoginAccountNameFormat)
	platforms, err := nps.Find(ctx, s, npsapi.ListPlatforms(), func(p npsapi.Named) bool { return nps.Same(p.ID, a.PlatformID) })
	if err != nil && !problem.Is(err, problem.NotOffered) {
		return nil, err
	}
	if len(platforms) == 1 {
		in.Take(keyPlatform, platforms[0].Row.Name)
	} else {
		in.Lack(keyPlatform, "the platform of the activity is not told: it is taken to be Windows")
	}
	return &a, nil
}

// importTemplate takes the entry from a fixed Login Account Template: that is what NPS asks Password Secure for.
func importTemplate(in *steps.Imported, template string) {
	if err := checkTemplate(template); err != nil {
		in.Lack(keyTemplate, "the Login Account Template of the activity is "+nps.OrNothing(template)+": "+err.Error())
		return
	}
	in.Take(keyTemplate, template)
	if strings.Contains(template, "%") {
		in.Lack(keyDomain, "the Login Account Template "+template+" asks for another entry for each user: write the domain of one that is there under "+keyDomain+", for the proof")
		in.Lack(keyUser, "and its user under "+keyUser)
		return
	}
	domain, user, _ := strings.Cut(template, `\`)
	in.Take(keyDomain, domain)
	in.Take(keyUser, user)
	in.Take(keyExisting, "true")
}

// importPolicy describes the access policy that has the activity, and for whom and where it is.
func importPolicy(ctx context.Context, s *steps.Scene, in *steps.Imported, a npsapi.Activity, name string) error {
	live, err := nps.LivePolicies(ctx, s)
	if err != nil {
		return err
	}
	byName := map[string]npsapi.Policy{}
	for _, p := range live {
		if name != "" && !nps.Same(p.Row.Name, name) || !p.Row.PolicyType.Is(npsapi.PolicyResource, "Resource") {
			continue
		}
		members, err := nps.Members(ctx, s, npsapi.Activities, p.Row.ID)
		if err != nil {
			return err
		}
		for _, m := range members {
			if nps.Same(m.ID, a.ID) {
				byName[p.Row.Name] = p.Row
			}
		}
	}
	if len(byName) == 0 && name == "" {
		in.Leave("no access policy has the activity itself; whether one holds a group with it is not looked at")
		return nil
	}
	p, err := nps.Pick(flagPolicy, "access policy with the activity", name, byName)
	if err != nil {
		return err
	}
	in.Take(keyPolicy, p.Name)
	in.Tell("access policy " + p.Name)
	if err := importProfile(ctx, s, in, p); err != nil {
		return err
	}
	return importMembers(ctx, s, in, p.ID)
}

func importProfile(ctx context.Context, s *steps.Scene, in *steps.Imported, p npsapi.Policy) error {
	found, err := nps.Find(ctx, s, npsapi.ListConnectionProfiles(), func(row npsapi.ProfileTerms) bool { return nps.Same(row.ID, p.ActivityConfigurationID) })
	switch {
	case err != nil && !problem.Is(err, problem.NotOffered):
		return err
	case len(found) == 1:
		in.Take(keyProfile, found[0].Row.Name)
	case p.ActivityConfiguration != "":
		in.Take(keyProfile, string(p.ActivityConfiguration))
	default:
		in.Lack(keyProfile, "the connection profile of the access policy is not told")
	}
	return nil
}

func importMembers(ctx context.Context, s *steps.Scene, in *steps.Imported, policy string) error {
	users, err := nps.Members(ctx, s, npsapi.Accounts, policy)
	if err != nil {
		return err
	}
	var names, hosts []string
	for _, u := range users {
		names = append(names, u.Name)
	}
	resources, err := nps.Members(ctx, s, npsapi.Resources, policy)
	if err != nil {
		return err
	}
	for _, r := range resources {
		switch {
		case !r.EntityType.Is(npsapi.MemberResource, "Resource"):
			in.Leave("the access policy holds the group of resources " + r.Name + ", whose hosts are not looked at")
		case checkHost(r.DNSHostName) != nil:
			in.Leave("the resource " + r.Name + " has no DNS host name")
		default:
			hosts = append(hosts, r.DNSHostName)
		}
	}
	for _, list := range []struct {
		key, what string
		values    []string
	}{{keyUsers, "users", names}, {keyResources, "resources", hosts}} {
		if len(list.values) == 0 {
			in.Lack(list.key, "the access policy names no "+list.what)
			continue
		}
		in.Take(list.key, strings.Join(list.values, "\n"))
		in.Tell(list.what + " " + strings.Join(list.values, ", "))
	}
	return nil
}
