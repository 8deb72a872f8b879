package auditor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	kindResource = "resource"
	resourceStep = "resource"
)

// seenResource is what Look found for one wanted host.
type seenResource struct {
	Host      string
	Resource  *npsapi.Resource
	Candidate *npsapi.Candidate
}

type seenResources struct {
	Hosts          []seenResource
	ServiceAccount string // credential id
}

var resourcesKey = steps.Key[seenResources]{Name: "auditor.resources"}

// resource is A12.
func (w World) resource() steps.Step {
	return steps.Step{
		ID: resourceStep, Title: "Resource", Article: "Create a Resource, 1-3", Applies: byResource,
		Why: "the grant happens on this host; take the domain controller that holds the PDC emulator role",
		Fields: []steps.Field{
			{Key: keyResources, Kind: steps.Multi, Prompt: "Domain controllers, by DNS host name", Example: "dc01.contoso.com", Check: checkHost, LiveChoices: hostChoices, Help: "Auditor finds the resource by its DNS host name. With several domain controllers, the one with the PDC emulator role."},
			{Key: keyServiceAccount, Kind: steps.Text, Prompt: "Service account that NPS manages them with", Example: "svc-nps", LiveChoices: serviceAccountChoices, Help: "The name of a service account in NPS (Configuration > Service Accounts)."},
		},
		Look: w.lookResources, Plan: planResources,
		Verify: nps.ProvenBy(planResources, func(s *steps.Scene) string {
			return "read back: " + shortList(s.Answers.List(keyResources)) + " with the service account " + problem.Plain(s.Answers.Text(keyServiceAccount))
		}),
	}
}

func checkHost(v string) error {
	if strings.ContainsAny(v, " \t/\\@:") || !strings.Contains(strings.Trim(v, "."), ".") {
		return fmt.Errorf("not a DNS host name such as dc01.contoso.com")
	}
	return nil
}

func (w World) lookResources(ctx context.Context, s *steps.Scene) error {
	var seen seenResources
	if err := lookServiceAccount(ctx, s, &seen); err != nil {
		return err
	}
	hosts := s.Answers.List(keyResources)
	var err error
	if seen.Hosts, err = lookHosts(ctx, s, hosts); err != nil {
		return err
	}
	domains := map[string]bool{}
	for _, host := range hosts {
		if _, domain, _ := strings.Cut(host, "."); !domains[strings.ToLower(domain)] {
			domains[strings.ToLower(domain)] = true
			if err := w.lookDomain(ctx, s, domain); err != nil {
				return err
			}
		}
	}
	steps.Put(s, resourcesKey, seen)
	return nil
}

func lookServiceAccount(ctx context.Context, s *steps.Scene, seen *seenResources) error {
	wanted := s.Answers.Text(keyServiceAccount)
	domain, user, qualified := strings.Cut(wanted, `\`)
	if !qualified {
		user = wanted
	}
	// The search looks at user names, while the wanted text may be the credential's name: only the empty filter covers both.
	all, err := nps.Find(ctx, s, npsapi.SearchServiceAccounts(""), func(c npsapi.Credential) bool {
		if qualified {
			return nps.Same(c.UserName, user) && nps.Same(c.Domain, domain)
		}
		return nps.Same(c.DisplayName, wanted) || nps.Same(c.UserName, wanted)
	})
	if err != nil {
		return err
	}
	var byName []object[npsapi.Credential]
	for _, c := range all {
		if nps.Same(c.Row.DisplayName, wanted) {
			byName = append(byName, c)
		}
	}
	if len(byName) == 1 {
		all = byName // a name is unique, a user name may occur once per domain
	}
	switch {
	case len(all) == 1 && all[0].Row.CredentialID == "":
		s.Problem(problem.New(fmt.Sprintf("the service account %q has no stored credential", problem.Plain(wanted))).Coded(problem.ServiceAccountEmpty).At(keyServiceAccount).
			Because("NPS lists it without one, so that nothing can be managed with it").
			Try("open it under Configuration > Service Accounts in NPS, give its password and save it"))
	case len(all) == 1:
		seen.ServiceAccount = all[0].Row.CredentialID
		s.Observe("service account", []string{all[0].Row.CredentialID, all[0].Row.DisplayName, all[0].Row.UserName, all[0].Row.Domain})
		s.Know("service account", wanted, all[0].Row.CredentialID)
	case len(all) == 0:
		s.Problem(problem.New(fmt.Sprintf("NPS has no service account %q", problem.Plain(wanted))).Coded(problem.ServiceAccountMissing).At(keyServiceAccount).
			Because("neither a name nor a user name of its service accounts is equal to it").
			Try("look under Configuration > Service Accounts in NPS and give the name exactly, or add the account there first"))
	default:
		s.Problem(problem.New(fmt.Sprintf("%d service accounts of NPS fit %q", len(all), problem.Plain(wanted))).Coded(problem.NameNotUnique).At(keyServiceAccount).
			Because("the same user name exists in several domains").
			Try(`give it as DOMAIN\user, or give the service account's own name`))
	}
	return nil
}

// lookHosts finds the hosts among the resources, and those that are none among what could be imported.
func lookHosts(ctx context.Context, s *steps.Scene, hosts []string) ([]seenResource, error) {
	resources, err := sought(ctx, s, hosts, npsapi.SearchResources, func(r npsapi.Resource) string { return r.DNSHostName })
	if err != nil {
		return nil, err
	}
	var others []string
	for _, host := range hosts {
		if len(resources[strings.ToLower(host)]) == 0 {
			others = append(others, host)
		}
	}
	candidates, err := sought(ctx, s, others, npsapi.SearchCandidates, func(c npsapi.Candidate) string { return c.DNSHostName })
	if err != nil {
		return nil, err
	}
	list := make([]seenResource, len(hosts))
	told := 0
	for i, host := range hosts {
		found, known := resources[strings.ToLower(host)], candidates[strings.ToLower(host)]
		if len(found) == 0 {
			if found, err = enrolled(ctx, s, known); err != nil {
				return nil, err
			}
		}
		var f steps.Finding
		list[i], f = lookHost(s, host, found, known)
		if told++; told <= mostTold || f.State != steps.Info {
			s.See(f)
		}
	}
	warnMembers(s, list)
	if told > mostTold {
		s.See(steps.Finding{Kind: steps.TextFinding, Title: "resources", State: steps.Info, Text: fmt.Sprintf("%d of %d are resources already", len(hosts)-len(others), len(hosts))})
	}
	return list, nil
}

// warnMembers tells which hosts are no domain controllers; plans for servers have no others.
func warnMembers(s *steps.Scene, hosts []seenResource) {
	var names []string
	for _, h := range hosts {
		if h.Candidate != nil && !h.Candidate.IsDomainController {
			names = append(names, h.Host)
		}
	}
	switch source := s.Answers.Text(keySource); {
	case len(names) == 0, source == "windows-server", source == "windows-file-server":
	case len(names) == 1:
		s.Warn(problem.Plain(names[0])+" is no domain controller by what NPS knows: the article asks for one", problem.NotADomainController)
	default:
		s.Warn(shortList(names)+" are no domain controllers by what NPS knows: the article asks for such", problem.NotADomainController)
	}
}

// mostTold is how many hosts are told one by one.
const mostTold = 20

func lookHost(s *steps.Scene, host string, found []npsapi.Resource, known []npsapi.Candidate) (seenResource, steps.Finding) {
	h := seenResource{Host: host}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindResource + " " + host, State: steps.Missing, Wanted: true}
	switch len(found) {
	case 1:
		h.Resource = &found[0]
		r := found[0]
		s.Know(kindResource, host, r.ID)
		s.Observe(host, []string{r.ID, r.DNSHostName, r.PlatformID, r.ServiceAccountID})
		f.State, f.Rows = steps.Info, []steps.Row{{Label: "platform", Value: problem.Plain(r.PlatformName), Wanted: platformName}, {Label: "service account", Value: problem.Plain(r.SaName), Wanted: s.Answers.Text(keyServiceAccount)}}
		if r.DisableWinRm {
			s.Warn("WinRM is marked as disabled on "+problem.Plain(host)+" in NPS: actions cannot run there until that is taken off", problem.WinRMDisabled)
		}
	case 0:
		lookCandidate(s, &h, known)
	default:
		var idList []string
		for _, r := range found {
			idList = append(idList, r.ID)
		}
		s.Problem(nps.Several(kindResource, host, idList))
	}
	return h, f
}

// enrolled finds a host that the search of resources does not list by its DNS name, and that is one all the same by what the
// list of candidates says. Importing it again would have an unknown effect.
func enrolled(ctx context.Context, s *steps.Scene, known []npsapi.Candidate) ([]npsapi.Resource, error) {
	for _, c := range known {
		if c.ManagedResourceID == "" {
			continue
		}
		r, err := nps.Read[npsapi.Resource](ctx, s, npsapi.GetResourceByHost(plan.String(c.ID)))
		if problem.Is(err, problem.NotFound) {
			return nil, nil
		}
		return []npsapi.Resource{r.Row}, err
	}
	return nil, nil
}

func lookCandidate(s *steps.Scene, h *seenResource, found []npsapi.Candidate) {
	if len(found) == 0 {
		s.Observe(h.Host, nil)
		s.Problem(problem.New(fmt.Sprintf("NPS does not know the host %s", problem.Plain(h.Host))).Coded(problem.HostUnknown).At(keyResources).
			Because("neither its resources nor the servers that it found in Active Directory have this DNS host name").
			Try("check the name, letter by letter", "in NPS open Resources, choose the domain, then Synchronize Now: a new domain controller is known only after that"))
		return
	}
	h.Candidate = &found[0]
	c := found[0]
	s.Observe(h.Host, []string{"candidate", c.ID, c.PlatformID})
}

// lookDomain warns of the trouble that several domain controllers make.
func (w World) lookDomain(ctx context.Context, s *steps.Scene, domain string) error {
	controllers := map[string]bool{}
	_, err := nps.Find(ctx, s, npsapi.SearchCandidates(domain), func(c npsapi.Candidate) bool {
		if c.IsDomainController && nps.Same(c.DomainName, domain) {
			controllers[strings.ToLower(c.DNSHostName)] = true
		}
		return false
	})
	if err != nil {
		return err
	}
	if len(controllers) > 1 {
		s.Warn(fmt.Sprintf("%s has several domain controllers: a session's new account may not have reached the one that Auditor asks (\"The user name or password is incorrect\"); name the PDC emulator as the resource, and prefer a credential-based policy if it happens", problem.Plain(domain)), problem.SeveralControllers)
	}
	if w.PDC == nil {
		return nil
	}
	// Findings are not part of the plan: what DNS answers here may differ from run to run.
	pdc, err := w.PDC(ctx, domain)
	if err != nil {
		s.See(steps.Finding{Kind: steps.TextFinding, Title: "PDC emulator of " + domain, State: steps.Info, Text: "not found by DNS from this machine; on a domain controller: netdom query fsmo"})
		return nil
	}
	state := steps.Doubtful
	for _, h := range s.Answers.List(keyResources) {
		if nps.Same(h, pdc) {
			state = steps.Fits
		}
	}
	s.See(steps.Finding{Kind: steps.TextFinding, Title: "PDC emulator of " + domain, State: state, Text: problem.Plain(pdc), Code: problem.NotThePDC})
	return nil
}

func planResources(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, resourcesKey)
	act, _ := steps.Get(s, seenActivityKey)
	var actions []plan.Action
	for _, h := range seen.Hosts {
		key := resourceStep + "/" + strings.ToLower(h.Host)
		if h.Resource != nil {
			actions = append(actions, keepResource(s, key, h, seen.ServiceAccount, act.Platform)...)
			continue
		}
		if h.Candidate == nil {
			return nil, fmt.Errorf("%s was not found", h.Host)
		}
		s.Promise(kindResource, h.Host, key, "id")
		actions = append(actions, importResource(s, key, h, seen.ServiceAccount, act.Platform))
	}
	return actions, nil
}

func importResource(s *steps.Scene, key string, h seenResource, account, platform string) plan.Action {
	c := *h.Candidate
	op := nps.CallOp("import", npsapi.AddCandidates(plan.String(account), plan.String(c.ID)))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.GetResourceByHost(plan.String(c.ID)), Patient: true}
	ref := plan.Ref{Action: key, Output: "id", What: kindResource + " " + h.Host}
	a := plan.Action{
		Key: key, Effect: plan.Create, Object: kindResource, Name: h.Host, Ops: []plan.Op{op}, Undo: nps.UndoOp(npsapi.DeleteResource(ref)),
		Difference: []plan.Difference{
			{Label: "Import from AD", To: problem.Plain(c.DNSHostName)},
			{Label: "Service Account", Field: "serviceAccountId", To: s.Answers.Text(keyServiceAccount)},
		},
	}
	if c.PlatformID != "" && platform != "" && !nps.Same(c.PlatformID, platform) {
		a.Ops = append(a.Ops, nps.CallOp("platform", npsapi.SetPlatform(plan.String(platform), ref)))
		a.Difference = append(a.Difference, plan.Difference{Label: "Platform", Field: "platformId", From: nps.OrNothing(c.PlatformName), To: platformName})
		a.Notes = append(a.Notes, "a policy grants an activity only on resources of the activity's platform")
	}
	return a
}

func keepResource(s *steps.Scene, key string, h seenResource, account, platform string) []plan.Action {
	r := *h.Resource
	id := plan.String(r.ID)
	a := plan.Action{Key: key, Effect: plan.Update, Object: kindResource, Name: h.Host}
	if account != "" && !nps.Same(r.ServiceAccountID, account) {
		a.Ops = append(a.Ops, nps.CallOp("service-account", npsapi.SetServiceAccount(plan.String(account), id)))
		a.Difference = append(a.Difference, plan.Difference{Label: "Service Account", Field: "serviceAccountId", From: nps.OrNothing(r.SaName), To: s.Answers.Text(keyServiceAccount)})
		a.Undo = append(a.Undo, restoring(npsapi.SetServiceAccount, r, "serviceAccountId", r.ServiceAccountID, account)...)
	}
	if platform != "" && !nps.Same(r.PlatformID, platform) {
		a.Ops = append(a.Ops, nps.CallOp("platform", npsapi.SetPlatform(plan.String(platform), id)))
		a.Difference = append(a.Difference, plan.Difference{Label: "Platform", Field: "platformId", From: nps.OrNothing(r.PlatformName), To: platformName})
		a.Undo = append(a.Undo, restoring(npsapi.SetPlatform, r, "platformId", r.PlatformID, platform)...)
		a.Notes = append(a.Notes, "a policy grants an activity only on resources of the activity's platform")
	}
	if len(a.Ops) == 0 {
		return nps.Adopted(s, key, kindResource, h.Host)
	}
	return []plan.Action{a}
}

// restoring gives one member of a resource its former value back.
func restoring(set func(plan.Value, ...plan.Value) plan.Call, r npsapi.Resource, member, was, became string) []plan.Op {
	if was == "" {
		return nil
	}
	quoted := func(s string) json.RawMessage { raw, _ := plan.Encode(plan.String(s)); return raw } // a text always encodes
	return nps.Traced(nps.UndoOp(set(plan.String(was), plan.String(r.ID))), &plan.Trace{
		Lookup:  plan.Lookup{Call: npsapi.SearchResources(r.Name), Member: "id", Value: r.ID},
		Changed: []plan.Changed{{Member: member, Was: quoted(was), Became: quoted(became)}},
	})
}
