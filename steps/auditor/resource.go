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
	kindResource = "resource"
	resourceStep = "resource"
)

// seenResource is what Look found for one wanted host.
type seenResource struct {
	Host      string
	Resource  *object[npsapi.Resource]
	Candidate *object[npsapi.Candidate]
}

type seenResources struct {
	Hosts          []seenResource
	ServiceAccount string // credential id
}

var resourcesKey = steps.Key[seenResources]{Name: "auditor.resources"}

// resource is A12.
func (w World) resource() steps.Step {
	return steps.Step{
		ID: resourceStep, Title: "Resource", Article: "Create a Resource, 1-3",
		Why: "the grant happens on this host; take the domain controller that holds the PDC emulator role",
		Fields: []steps.Field{
			{Key: keyResources, Kind: steps.Multi, Prompt: "Domain controllers, by DNS host name", Example: "dc01.contoso.com", Check: checkHost, LiveChoices: hostChoices, Help: "Auditor finds the resource by its DNS host name. With several domain controllers, the one with the PDC emulator role."},
			{Key: keyServiceAccount, Kind: steps.Text, Prompt: "Service account that NPS manages them with", Example: "svc-nps", LiveChoices: serviceAccountChoices, Help: "The name of a service account in NPS (Configuration > Service Accounts)."},
		},
		Look: w.lookResources, Plan: planResources,
		Verify: provenBy(planResources, func(s *steps.Scene) string {
			return "read back: " + problem.Plain(strings.Join(s.Answers.List(keyResources), ", ")) + " with the service account " + problem.Plain(s.Answers.Text(keyServiceAccount))
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
	domains := map[string]bool{}
	for _, host := range s.Answers.List(keyResources) {
		h, err := lookHost(ctx, s, host)
		if err != nil {
			return err
		}
		seen.Hosts = append(seen.Hosts, h)
		if _, domain, _ := strings.Cut(host, "."); !domains[domain] {
			domains[domain] = true
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
	all, err := find(ctx, s, npsapi.SearchServiceAccounts(""), func(c npsapi.Credential) bool {
		if qualified {
			return same(c.UserName, user) && same(c.Domain, domain)
		}
		return same(c.DisplayName, wanted) || same(c.UserName, wanted)
	})
	if err != nil {
		return err
	}
	var byName []object[npsapi.Credential]
	for _, c := range all {
		if same(c.Row.DisplayName, wanted) {
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

func lookHost(ctx context.Context, s *steps.Scene, host string) (seenResource, error) {
	h := seenResource{Host: host}
	found, err := find(ctx, s, npsapi.SearchResources(host), func(r npsapi.Resource) bool { return same(r.DNSHostName, host) })
	if err == nil && len(found) == 0 {
		found, err = enrolled(ctx, s, host)
	}
	if err != nil {
		return h, err
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindResource + " " + host, State: steps.Missing, Wanted: true}
	switch len(found) {
	case 1:
		h.Resource = &found[0]
		r := found[0].Row
		s.Know(kindResource, host, r.ID)
		s.Observe(host, []string{r.ID, r.DNSHostName, r.PlatformID, r.ServiceAccountID})
		f.State, f.Rows = steps.Info, []steps.Row{{Label: "platform", Value: problem.Plain(r.PlatformName), Wanted: platformName}, {Label: "service account", Value: problem.Plain(r.SaName), Wanted: s.Answers.Text(keyServiceAccount)}}
		if r.DisableWinRm {
			s.Warn("WinRM is marked as disabled on "+problem.Plain(host)+" in NPS: actions cannot run there until that is taken off", problem.WinRMDisabled)
		}
	case 0:
		err = lookCandidate(ctx, s, &h)
	default:
		s.Problem(several(kindResource, host, ids(found, func(r npsapi.Resource) string { return r.ID })))
	}
	s.See(f)
	return h, err
}

// enrolled finds a host that the search of resources does not list by its DNS name, and that is one all the same by what the
// list of candidates says. Importing it again would have an unknown effect.
func enrolled(ctx context.Context, s *steps.Scene, host string) ([]object[npsapi.Resource], error) {
	known, err := find(ctx, s, npsapi.SearchCandidates(host), func(c npsapi.Candidate) bool { return same(c.DNSHostName, host) && c.ManagedResourceID != "" })
	if err != nil || len(known) == 0 {
		return nil, err
	}
	r, err := read[npsapi.Resource](ctx, s, npsapi.GetResourceByHost(plan.String(known[0].Row.ID)))
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	return []object[npsapi.Resource]{r}, err
}

func lookCandidate(ctx context.Context, s *steps.Scene, h *seenResource) error {
	found, err := find(ctx, s, npsapi.SearchCandidates(h.Host), func(c npsapi.Candidate) bool { return same(c.DNSHostName, h.Host) })
	if err != nil {
		return err
	}
	if len(found) == 0 {
		s.Observe(h.Host, nil)
		s.Problem(problem.New(fmt.Sprintf("NPS does not know the host %s", problem.Plain(h.Host))).Coded(problem.HostUnknown).At(keyResources).
			Because("neither its resources nor the servers that it found in Active Directory have this DNS host name").
			Try("check the name, letter by letter", "in NPS open Resources, choose the domain, then Synchronize Now: a new domain controller is known only after that"))
		return nil
	}
	h.Candidate = &found[0]
	c := found[0].Row
	s.Observe(h.Host, []string{"candidate", c.ID, c.PlatformID})
	if !c.IsDomainController {
		s.Warn(problem.Plain(h.Host)+" is no domain controller by what NPS knows: the article asks for one", problem.NotADomainController)
	}
	return nil
}

// lookDomain warns of the trouble that several domain controllers make.
func (w World) lookDomain(ctx context.Context, s *steps.Scene, domain string) error {
	controllers := map[string]bool{}
	_, err := find(ctx, s, npsapi.SearchCandidates(domain), func(c npsapi.Candidate) bool {
		if c.IsDomainController && same(c.DomainName, domain) {
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
		if same(h, pdc) {
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
	c := h.Candidate.Row
	op := callOp("import", npsapi.AddCandidates(plan.String(account), plan.String(c.ID)))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.GetResourceByHost(plan.String(c.ID)), Patient: true}
	ref := plan.Ref{Action: key, Output: "id", What: kindResource + " " + h.Host}
	a := plan.Action{
		Key: key, Effect: plan.Create, Object: kindResource, Name: h.Host, Ops: []plan.Op{op}, Undo: undoOp(npsapi.DeleteResource(ref)),
		Difference: []plan.Difference{
			{Label: "Import from AD", To: problem.Plain(c.DNSHostName)},
			{Label: "Service Account", Field: "serviceAccountId", To: s.Answers.Text(keyServiceAccount)},
		},
	}
	if c.PlatformID != "" && platform != "" && !same(c.PlatformID, platform) {
		a.Ops = append(a.Ops, callOp("platform", npsapi.SetPlatform(plan.String(platform), ref)))
		a.Difference = append(a.Difference, plan.Difference{Label: "Platform", Field: "platformId", From: orNothing(c.PlatformName), To: platformName})
		a.Notes = append(a.Notes, "a policy grants an activity only on resources of the activity's platform")
	}
	return a
}

func keepResource(s *steps.Scene, key string, h seenResource, account, platform string) []plan.Action {
	r := h.Resource.Row
	id := plan.String(r.ID)
	a := plan.Action{Key: key, Effect: plan.Update, Object: kindResource, Name: h.Host}
	if account != "" && !same(r.ServiceAccountID, account) {
		a.Ops = append(a.Ops, callOp("service-account", npsapi.SetServiceAccount(plan.String(account), id)))
		a.Difference = append(a.Difference, plan.Difference{Label: "Service Account", Field: "serviceAccountId", From: orNothing(r.SaName), To: s.Answers.Text(keyServiceAccount)})
		a.Undo = append(a.Undo, restoring(npsapi.SetServiceAccount, r.ServiceAccountID, id)...)
	}
	if platform != "" && !same(r.PlatformID, platform) {
		a.Ops = append(a.Ops, callOp("platform", npsapi.SetPlatform(plan.String(platform), id)))
		a.Difference = append(a.Difference, plan.Difference{Label: "Platform", Field: "platformId", From: orNothing(r.PlatformName), To: platformName})
		a.Undo = append(a.Undo, restoring(npsapi.SetPlatform, r.PlatformID, id)...)
		a.Notes = append(a.Notes, "a policy grants an activity only on resources of the activity's platform")
	}
	if len(a.Ops) == 0 {
		return adopted(s, key, kindResource, h.Host)
	}
	return []plan.Action{a}
}

func restoring(set func(plan.Value, ...plan.Value) plan.Call, was string, id plan.Value) []plan.Op {
	if was == "" {
		return nil
	}
	return undoOp(set(plan.String(was), id))
}
