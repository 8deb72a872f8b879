package auditor

import (
	"context"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const monitoringStep = "monitoring-plan"

// The data sources of a monitoring plan that can take an account of NPS (Auditor 10.8, Settings > Privilege Secure).
const (
	sourceAD          = "active-directory"
	sourceEntra       = "entra-id"
	sourceEntraModern = "entra-id-modern"
)

func sources6() []steps.Option {
	return []steps.Option{
		{Value: sourceAD, Title: "Active Directory"},
		{Value: "group-policy", Title: "Group Policy"},
		{Value: "logon-activity", Title: "Logon Activity"},
		{Value: sourceEntra, Title: "Microsoft Entra ID, basic authentication"},
		{Value: sourceEntraModern, Title: "Microsoft Entra ID, modern authentication", Help: "credential-based only: the Application ID stands for the user name, the app secret is stored in NPS"},
		{Value: "windows-file-server", Title: "Windows File Server"},
		{Value: "windows-server", Title: "Windows Server"},
	}
}

// monitoringPlan is A16: the exact strings that are typed in Auditor.
func (w World) monitoringPlan() steps.Step {
	return steps.Step{
		ID: monitoringStep, Title: "Monitoring plan", Article: "Enable Integration, 1-6",
		Why: "only with this does Auditor take its account from NPS; it looks the names up letter by letter",
		Fields: []steps.Field{
			{Key: keyPlan, Kind: steps.Text, Typed: true, Prompt: "Monitoring plan in Auditor", Example: "AD Monitoring", Help: "The plan whose items take their account from NPS."},
			{Key: keyItems, Kind: steps.Multi, Typed: true, Prompt: "Items of that plan", Example: "contoso.com", Help: "The items, as the plan lists them. With as many accounts as credential-based items, each item gets the account in its place."},
			{
				Key: keyCredentialItems, Kind: steps.Multi, Typed: true, Prompt: "Of these, the items with a credential-based policy", Example: "file01.contoso.com",
				Help: "The others take the resource-based policy.", When: func(a steps.Answers) bool { return a.Text(keyKind) == kindBoth },
			},
			{
				Key: keyEvents, Kind: steps.FileField, Prompt: "Exported event log of Auditor", Optional: true, Example: "file:auditor-events.xml", When: func(a steps.Answers) bool { return a.Has(keyEvents) },
				Help: "On Auditor's server: wevtutil qe \"Netwrix Auditor\" /f:RenderedXml /e:Events > auditor-events.xml. On that server itself it is read without an export.",
			},
		},
		Look:   w.lookMonitoring,
		Plan:   w.planMonitoring,
		Verify: nps.ByWord(monitoringStep, typedNames, seenCollections),
	}
}

func (w World) planMonitoring(s *steps.Scene) ([]plan.Action, error) {
	if nps.Evident(s, monitoringStep, typedNames(s), seenCollections) == "" || nps.Changing(s.Planned()) {
		if missing := w.untold(s.Answers); missing != nil {
			if s.Memory.Reads {
				return nil, nil // nobody is told what to type: what is there is proven all the same
			}
			return nil, missing
		}
	}
	var after []string
	for _, y := range ways(s.Answers) {
		if seen, _ := steps.Get(s, y.key); seen.Policy == nil {
			after = append(after, y.Step)
		}
	}
	return w.byHand(s, monitoringStep, "monitoring plan", s.Answers.Text(keyPlan), typedNames(s), seenCollections, after...)
}

// untold are the names that the page cannot do without and that nobody has answered.
func (w World) untold(a steps.Answers) error {
	var l problem.List
	for _, f := range w.monitoringPlan().Fields {
		if !f.Typed || !f.Asked(a) {
			continue
		}
		if fault, bad := a.CheckField(f); bad && fault.Missing {
			l.Add(a.Absent(fault))
		}
	}
	return l.Err()
}

// lookMonitoring judges what is to be typed, and reads Auditor's event log where it is at hand.
func (w World) lookMonitoring(ctx context.Context, s *steps.Scene) error {
	a := s.Answers
	s.Observe("items", typedText(a))
	warnItems(s)
	warnDomains(s)
	if longest, limit := a.Number(keyLongest), a.Number(settingsPrefix+"maxDuration"); a.Has(keyLongest) && longest >= limit {
		s.Warn("the longest collection takes "+a.Text(keyLongest)+" minutes, and Max Duration is "+a.Text(settingsPrefix+"maxDuration")+
			": it would end with event 5801 or 5802; set connectionProfile.settings.maxDuration to more than "+a.Text(keyLongest), problem.MaxDurationShort)
	}
	if a.Text(keySource) == sourceEntraModern && len(itemsOf(a, false)) > 0 {
		s.Problem(problem.New("items of Microsoft Entra ID with modern authentication cannot take a resource-based policy").Coded(problem.EntraAuthentication).At(keySource).
			Because("Auditor works with basic authentication there only").
			Try("take accessPolicy.kind: credential; the account is the Application ID, its app secret is stored in NPS", "or monitoringPlan.dataSource: entra-id, when the plan works with basic authentication"))
	}
	return w.lookEvents(ctx, s)
}

func warnItems(s *steps.Scene) {
	a := s.Answers
	warnUserNames(s)
	items, chosen := itemsOf(a, true), a.List(keyCredentialItems)
	if a.Text(keyKind) == kindBoth {
		for _, c := range chosen {
			if !contains(a.List(keyItems), c) {
				s.Problem(problem.New("the plan has no item " + problem.Plain(c)).At(keyCredentialItems).Because("monitoringPlan.items does not name it").Try("name it there too, letter by letter"))
			}
		}
	}
	if accounts := a.List(keyAccounts); byCredential(a) && len(items) > len(accounts) && len(accounts) > 0 {
		s.Warn("several items share an account: when their collections overlap, NPS cannot rotate its password, and Auditor tells event 5801; name one account for each item (accessPolicy.credential.accounts), in the order of the items", problem.CollectionTooLong)
	}
}

// warnUserNames tells of accounts that Auditor cannot tell apart: an item holds the user name without its domain.
func warnUserNames(s *steps.Scene) {
	if !byCredential(s.Answers) {
		return
	}
	var users []string
	of := map[string][]string{}
	for _, one := range accountsOf(s.Answers) {
		user := strings.ToLower(one.User)
		if of[user] == nil {
			users = append(users, user)
		}
		of[user] = append(of[user], problem.Plain(one.Given))
	}
	for _, user := range users {
		if names := of[user]; len(names) > 1 {
			s.Warn(strings.Join(names, " and ")+" have the same user name: Auditor's items name the account without its domain, so that each of these items may get any of them; "+
				"name accounts whose user names differ (accessPolicy.credential.accounts)", problem.UserNameNotUnique)
		}
	}
}

func contains(list []string, v string) bool {
	for _, have := range list {
		if nps.Same(have, v) {
			return true
		}
	}
	return false
}

// itemsOf are the items of one kind of policy.
func itemsOf(a steps.Answers, credential bool) []string {
	if a.Text(keyKind) != kindBoth {
		if byCredential(a) != credential {
			return nil
		}
		return a.List(keyItems)
	}
	var list []string
	for _, item := range a.List(keyItems) {
		if contains(a.List(keyCredentialItems), item) == credential {
			list = append(list, item)
		}
	}
	return list
}

// typed is what is typed for some items: an activity and resources, or users.
type typed struct {
	items, resources, users []string
	credential              bool
}

// typedItems groups the items by what is typed for them, in their order.
func typedItems(a steps.Answers) []typed {
	var list []typed
	for _, item := range itemsOf(a, false) {
		list = grouped(list, typed{items: []string{item}, resources: resourcesFor(a, item)})
	}
	items := itemsOf(a, true)
	users := userNames(a)
	for i, item := range items {
		one := typed{items: []string{item}, users: users, credential: true}
		if len(users) == len(items) {
			one.users = users[i : i+1]
		}
		list = grouped(list, one)
	}
	return list
}

func grouped(list []typed, one typed) []typed {
	for i, have := range list {
		if have.credential == one.credential && strings.Join(have.resources, "\n") == strings.Join(one.resources, "\n") && strings.Join(have.users, "\n") == strings.Join(one.users, "\n") {
			list[i].items = append(list[i].items, one.items...)
			return list
		}
	}
	return append(list, one)
}

// resourcesFor are the resources among which the one of an item is: the host itself, the hosts of the domain, or all.
func resourcesFor(a steps.Answers, item string) []string {
	var own, domain []string
	for _, host := range a.List(keyResources) {
		switch _, of, _ := strings.Cut(host, "."); {
		case nps.Same(host, item):
			own = append(own, host)
		case nps.Same(of, item):
			domain = append(domain, host)
		}
	}
	for _, list := range [][]string{own, domain} {
		if len(list) > 0 {
			return list
		}
	}
	return a.List(keyResources)
}

// userNames are the accounts as Auditor finds them: by the user name alone (event 5804, "credential by username").
func userNames(a steps.Answers) []string {
	var list []string
	for _, one := range accountsOf(a) {
		list = append(list, one.User)
	}
	return list
}

// typedText are the names that were typed in Auditor: others have to be typed anew.
func typedText(a steps.Answers) string {
	names := []string{a.Text(keyPlan)}
	if byResource(a) {
		names = append(append(names, a.Text(keyActivity)), a.List(keyResources)...)
	}
	if byCredential(a) {
		names = append(names, userNames(a)...)
	}
	names = append(names, a.List(keyItems)...)
	if a.Text(keyKind) == kindBoth {
		names = append(names, a.List(keyCredentialItems)...)
	}
	return strings.Join(names, "\n")
}

func typedNames(s *steps.Scene) plan.Value { return plan.String(typedText(s.Answers)) }

// fill sets the values of the group's page, and names the page.
func (g typed) fill(values map[string]string) (page string) {
	values["item"], values["resource"], values["account"] = strings.Join(g.items, "\n"), strings.Join(g.resources, "\n"), strings.Join(g.users, "\n")
	if g.credential {
		return monitoringStep + ".credential"
	}
	return monitoringStep
}

// itemPages are the clicks for all items: a part for each group of items for which the same is typed, in the order of Auditor's screens.
func (w World) itemPages(s *steps.Scene) (plan.Manual, error) {
	var whole plan.Manual
	seen := map[plan.Labeled]bool{}
	groups := typedItems(s.Answers)
	for i, g := range groups {
		values := w.values(s)
		m, err := w.Texts.Manual(g.fill(values), s.Version, values)
		if err != nil {
			return whole, err
		}
		clicks := m.Clicks
		if i == 0 {
			whole = m
			whole.Clicks, whole.Values = nil, nil
		} else {
			clicks = clicks[1:] // the plan is open
		}
		whole.Clicks = append(whole.Clicks, clicks...)
		for _, v := range m.Values {
			if !seen[v] {
				seen[v] = true
				whole.Values = append(whole.Values, v)
			}
		}
	}
	return whole, nil
}
