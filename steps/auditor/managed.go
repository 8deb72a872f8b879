package auditor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	kindAccount = "account"
	managedStep = "managed-credential"
)

// account is an account as an answer names it: DOMAIN\user, or the user name alone.
type account struct{ Given, Domain, User string }

func accountsOf(a steps.Answers) []account {
	var list []account
	for _, given := range a.List(keyAccounts) {
		list = append(list, accountOf(given))
	}
	return list
}

func accountOf(given string) account {
	domain, user, qualified := strings.Cut(given, `\`)
	if !qualified {
		domain, user = "", given
	}
	return account{given, domain, user}
}

// sameAccounts finds two names that can only mean one account: by their user names, and by domains that NPS would find the same rows for.
func sameAccounts(values []string) (first, second int, found bool) {
	have := map[string][]int{}
	for i, v := range values {
		a := accountOf(v)
		user := strings.ToLower(a.User)
		for _, before := range have[user] {
			if b := accountOf(values[before]); a.Domain == "" || b.Domain == "" || sameDomain(a.Domain, b.Domain) {
				return before, i, true
			}
		}
		have[user] = append(have[user], i)
	}
	return 0, 0, false
}

// seenAccount is what Look found for one wanted account. Row.ID is the user, Row.CredentialID the credential that NPS stored.
type seenAccount struct {
	account
	Row *npsapi.Credential
}

var accountsKey = steps.Key[[]seenAccount]{Name: "auditor.accounts"}

// managedCredential is A14.
func (w World) managedCredential() steps.Step {
	planned := w.planAccounts
	return steps.Step{
		ID: managedStep, Title: "Managed account", Article: "Credential-based Policy, 1-2", Applies: byCredential,
		Why: "NPS can lend only a password that it set itself: it has none of an account before it has rotated it once",
		Fields: []steps.Field{{
			Key: keyAccounts, Kind: steps.Multi, Prompt: "Accounts that Auditor collects with", Example: `CONTOSO\svc-auditor`, Check: checkAccount, Repeats: sameAccounts, LiveChoices: accountChoices,
			Help: "As NPS shows them under Credentials, with their domain. NPS changes their passwords: each should be used by Auditor alone, and one for each monitoring plan and data source is best.",
		}},
		Look: lookAccounts, Plan: planned,
		Verify: verifyAccounts(nps.ProvenBy(planned, func(s *steps.Scene) string {
			return fmt.Sprintf("read back: %s, managed automatically, password verified", shortList(s.Answers.List(keyAccounts)))
		})),
	}
}

// verifyAccounts adds what is the matter with the accounts that are not as wanted. An account was there before the guide: that NPS has never
// rotated it yet is no difference that came about.
func verifyAccounts(prove func(context.Context, *steps.Scene) steps.Proof) func(context.Context, *steps.Scene) steps.Proof {
	return func(ctx context.Context, s *steps.Scene) steps.Proof {
		p := prove(ctx, s)
		if p.State == steps.Differs {
			p.Code, p.New = unready(s)
		}
		return p
	}
}

// unready is the gravest that is the matter with the accounts, and whether NPS has never set the password of any that lacks something. A
// rotation that failed and a password that is not the account's are one finding of the vendor's; an account without a first rotation is another.
func unready(s *steps.Scene) (code problem.Code, fresh bool) {
	seen, _ := steps.Get(s, accountsKey)
	fresh = true
	for _, a := range seen {
		switch {
		case a.Row == nil, ready(a.Row):
		case a.Row.PasswordStatus.Is(npsapi.PasswordFailed, "Failed"), a.Row.PasswordStatus.Is(npsapi.PasswordMismatch, "Mismatch"):
			code, fresh = problem.CredentialMismatch, false
		case changedAt(a.Row) != "":
			fresh = false
		case automatic(a.Row) && !rotating(a.Row) && code == "":
			code = problem.CredentialNotRotated
		}
	}
	return code, fresh
}

func checkAccount(v string) error {
	switch domain, user, qualified := strings.Cut(v, `\`); {
	case strings.Contains(v, "@"), strings.Contains(user, `\`), qualified && (domain == "" || user == ""):
		return errors.New(`not an account as NPS shows it, such as CONTOSO\svc-auditor`)
	case strings.ContainsAny(v, `/"[]:;|=,+*?<>`):
		return errors.New("a user name of Active Directory holds none of / \" [ ] : ; | = , + * ? < >")
	}
	return nil
}

// shortList names the first of many, and how many they are.
func shortList(names []string) string {
	const most = 5
	if len(names) <= most {
		return problem.Plain(strings.Join(names, ", "))
	}
	return problem.Plain(strings.Join(names[:most], ", ")) + fmt.Sprintf(" and %d more", len(names)-most)
}

func lookAccounts(ctx context.Context, s *steps.Scene) error {
	wanted := accountsOf(s.Answers)
	byUser, err := listAccounts(ctx, s, wanted)
	if err != nil {
		return err
	}
	var seen []seenAccount
	named := map[string]string{}
	for _, a := range wanted {
		one := seenAccount{account: a}
		one.Row = pickAccount(s, a, byUser[strings.ToLower(a.User)])
		if one.Row != nil {
			if before := named[strings.ToLower(one.Row.ID)]; before != "" {
				s.Problem(oneAccount(before, a.Given, one.Row))
			}
			named[strings.ToLower(one.Row.ID)] = a.Given
		}
		one.observe(s)
		seen = append(seen, one)
	}
	steps.Put(s, accountsKey, seen)
	return nil
}

// oneAccount is the mistake of two names that NPS has one account for.
func oneAccount(first, second string, r *npsapi.Credential) error {
	return problem.New(fmt.Sprintf("%q and %q are one account", problem.Plain(first), problem.Plain(second))).Coded(problem.NamedTwice).At(keyAccounts).
		Because("NPS has only "+accountName(r)+" (user id "+problem.Plain(r.ID)+") for both").Try("name it once: take one of the two out", "or name the other account that is meant, by its own domain").Of(problem.Usage)
}

// listAccounts finds the rows of all wanted user names, by user name in lower-case letters.
func listAccounts(ctx context.Context, s *steps.Scene, wanted []account) (map[string][]npsapi.Credential, error) {
	names := make([]string, len(wanted))
	for i, a := range wanted {
		names[i] = a.User
	}
	return sought(ctx, s, names, npsapi.SearchCredentials, func(c npsapi.Credential) string { return c.UserName })
}

// pickAccount is the one row that an answer means; nil when there is none, or several are, which is told.
func pickAccount(s *steps.Scene, a account, rows []npsapi.Credential) *npsapi.Credential {
	var fitting, services []npsapi.Credential
	for _, r := range rows {
		switch {
		case a.Domain != "" && !sameDomain(a.Domain, r.Domain):
		case r.CredentialType.Is(npsapi.CredentialConfiguration, "Configuration") && r.ManagedUserID == "" && r.CredentialID != "":
			services = append(services, r)
		default:
			fitting = append(fitting, r)
		}
	}
	name := problem.Plain(a.Given)
	switch {
	case len(fitting) == 1:
		return mayBeManaged(s, name, &fitting[0])
	case len(fitting) > 1:
		var domains []string
		for _, r := range fitting {
			domains = append(domains, problem.Plain(r.Domain))
		}
		s.Problem(problem.New(fmt.Sprintf("%d accounts of NPS fit %q", len(fitting), name)).Coded(problem.NameNotUnique).At(keyAccounts).
			Because("the user name exists in these domains: " + strings.Join(domains, ", ")).Try(`give it as DOMAIN\user`))
	case len(services) > 0:
		s.Problem(problem.New(fmt.Sprintf("%q is a service account of NPS itself", name)).At(keyAccounts).
			Because("NPS works with such an account and does not lend it by a policy").Try("name another account, or let NPS find this one in its domain (Resources > the domain > Synchronize Now)"))
	default:
		s.Problem(problem.New("NPS does not know the account "+plan.Quoted(name)).Coded(problem.AccountUnknown).At(keyAccounts).
			Because("no user name and domain under Credentials are equal to it").
			Try("check it, letter by letter", "in NPS open Resources, choose the domain, then Synchronize Now: a new account is known only after that"))
	}
	return nil
}

// sameDomain compares a domain's names: NPS may show its NetBIOS name or its DNS name.
func sameDomain(given, shown string) bool {
	short := func(d string) string { d, _, _ = strings.Cut(d, "."); return d }
	return nps.Same(given, shown) || strings.Contains(given, ".") != strings.Contains(shown, ".") && nps.Same(short(given), short(shown))
}

// mayBeManaged refuses what NPS does not manage.
func mayBeManaged(s *steps.Scene, name string, r *npsapi.Credential) *npsapi.Credential {
	if r.ManagedType.Is(npsapi.ManagedService, "Service") && !automatic(r) {
		s.Problem(problem.New(fmt.Sprintf("NPS does not manage the account %q automatically", name)).Coded(problem.CredentialNotManageable).At(keyAccounts).
			Because("its type is Service: services, tasks or pools run with it and would lose their password").
			Try("take an account that only Auditor uses", "or see in NPS under Credentials what depends on it, and use Rotate Service Account there"))
		return nil
	}
	return r
}

func automatic(r *npsapi.Credential) bool {
	return r.RotationType.Is(npsapi.ManagedAutomatic, "Automatic")
}

func manual(r *npsapi.Credential) bool { return r.RotationType.Is(npsapi.ManagedManual, "Manual") }

func changedAt(r *npsapi.Credential) string {
	if r.LastPasswordChangeDateTimeUTC == nil {
		return ""
	}
	return *r.LastPasswordChangeDateTimeUTC
}

// ready says whether NPS has set the password itself. That it was changed and not verified yet is no reason to change it once more.
func ready(r *npsapi.Credential) bool {
	return automatic(r) && changedAt(r) != "" && (r.PasswordStatus.Is(npsapi.PasswordVerified, "Verified") || r.PasswordStatus.Is(npsapi.PasswordChanged, "Changed"))
}

func rotating(r *npsapi.Credential) bool {
	return automatic(r) && r.PasswordStatus.Is(npsapi.PasswordPending, "Pending")
}

func statusWord(r *npsapi.Credential) string {
	for _, known := range passwordStates() {
		if r.PasswordStatus.Is(known.number, known.name) {
			return known.name
		}
	}
	return "unknown"
}

type numbered struct {
	number int
	name   string
}

func passwordStates() []numbered {
	return []numbered{
		{npsapi.PasswordUnspecified, "Unspecified"},
		{npsapi.PasswordVerified, "Verified"},
		{npsapi.PasswordPending, "Pending"},
		{npsapi.PasswordChanged, "Changed"},
		{npsapi.PasswordFailed, "Failed"},
		{npsapi.PasswordMismatch, "Mismatch"},
	}
}

func rotationWord(r *npsapi.Credential) string {
	switch {
	case automatic(r):
		return "Automatic"
	case manual(r):
		return "Manual"
	}
	return "Not Managed"
}

// observe tells what was seen of an account. When its password was changed last is no part of the plan: NPS does that by itself.
func (a seenAccount) observe(s *steps.Scene) {
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindAccount + " " + a.Given, State: steps.Missing, Wanted: true}
	defer func() { s.See(f) }()
	if a.Row == nil {
		s.Observe(a.Given, nil)
		return
	}
	r := a.Row
	s.Know(kindAccount, a.Given, r.ID)
	s.Observe(a.Given, []any{r.ID, rotationWord(r), ready(r), rotating(r)})
	f.State = steps.Differing
	if ready(r) {
		f.State = steps.Fits
	}
	f.Rows = []steps.Row{
		{Label: "user id", Value: problem.Plain(r.ID)},
		{Label: "credential id", Value: problem.Plain(nps.OrNothing(r.CredentialID))},
		{Label: "rotation", Value: rotationWord(r), Wanted: "Automatic"},
		{Label: "password", Value: statusWord(r), Wanted: "Verified"},
	}
	if r.DependencyCount > 0 {
		s.Warn(fmt.Sprintf("%s has %d dependents by what NPS knows: they lose their password when it is rotated", problem.Plain(a.Given), r.DependencyCount), problem.CredentialNotManageable)
	}
	if nps.Same(r.Platform, "Microsoft Entra ID") && s.Answers.Text(keySource) != sourceEntra && s.Answers.Text(keySource) != sourceEntraModern {
		s.Warn(problem.Plain(a.Given) + " is of Microsoft Entra ID, and monitoringPlan.dataSource names another source")
	}
}

// warnDomains tells of what IIS does to names that end in .ad (vendor KB ka0Qk0000000zmfIAA).
func warnDomains(s *steps.Scene) {
	names := slices.Concat(s.Answers.List(keyResources), s.Answers.List(keyItems))
	for _, a := range accountsOf(s.Answers) {
		names = append(names, a.Domain)
	}
	for _, n := range names {
		if strings.HasSuffix(strings.ToLower(n), ".ad") {
			s.Warn(problem.Plain(n)+" ends with .ad: IIS on the NPS server blocks that as a file extension, and saving spins without end; remove .ad under Request Filtering > File Name Extensions there, then iisreset", problem.ADExtensionBlocked)
			return
		}
	}
}

// accountChoices offers the accounts that NPS knows and could manage.
func accountChoices(ctx context.Context, s *steps.Scene, filter string) ([]steps.Option, error) {
	_, user, qualified := strings.Cut(filter, `\`)
	if !qualified {
		user = filter
	}
	found, err := nps.Find(ctx, s, npsapi.SearchCredentials(user), func(c npsapi.Credential) bool {
		return c.UserName != "" && !c.CredentialType.Is(npsapi.CredentialConfiguration, "Configuration") && !c.ManagedType.Is(npsapi.ManagedService, "Service")
	})
	if err != nil {
		return nil, err
	}
	options := make([]steps.Option, len(found))
	for i := range found {
		r := &found[i].Row
		options[i] = steps.Option{Value: accountName(r), Title: strings.ToLower(rotationWord(r)) + ", password " + strings.ToLower(statusWord(r))}
	}
	return options, nil
}

// accountName is an account for people, harmless: what finds it in NPS is taken from its row.
func accountName(r *npsapi.Credential) string {
	if r.Domain == "" {
		return problem.Plain(r.UserName)
	}
	return problem.Plain(r.Domain + `\` + r.UserName)
}

// sought finds the rows of many names: one search for each name, and when they are many, one list of everything, page by page. Names are
// compared whole, letters' case aside; the rows are kept by their name in lower-case letters.
func sought[T any](ctx context.Context, s *steps.Scene, names []string, search func(string) plan.Call, of func(T) string) (map[string][]T, error) {
	const searched = 20
	found, want, filters := map[string][]T{}, map[string]bool{}, []string{}
	for _, n := range names {
		if !want[strings.ToLower(n)] {
			want[strings.ToLower(n)] = true
			filters = append(filters, n)
		}
	}
	if len(filters) > searched {
		filters = []string{""}
	}
	for _, filter := range filters {
		rows, err := nps.Find(ctx, s, search(filter), func(r T) bool {
			name := strings.ToLower(of(r))
			return want[name] && (filter == "" || name == strings.ToLower(filter))
		})
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			name := strings.ToLower(of(r.Row))
			found[name] = append(found[name], r.Row)
		}
	}
	return found, nil
}
