package auditor

import (
	"context"
	"path/filepath"
	"sort"
	"strings"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// The flags that name one of several objects.
const (
	flagApplication = "application"
	flagPolicy      = "policy"
	flagActivity    = "activity"
	flagCertificate = "certificate"
)

// importer reads a set-up that somebody made by hand, over the same rows that the looks use.
func (w World) importer() *steps.Importer {
	return &steps.Importer{
		Flags: []steps.ImportFlag{
			{Name: flagApplication, Value: "NAME", Help: "the application user that Auditor signs in as, when NPS has several"},
			{Name: flagPolicy, Value: "NAME", Help: "its access policy, when it is in several"},
			{Name: flagActivity, Value: "NAME", Help: "its activity, when the policy holds several"},
			{Name: flagCertificate, Value: "FILE", Help: "Auditor's client certificate: file:PATH, or store:THUMBPRINT on Auditor's own server", File: true},
		},
		Read: w.importAll,
	}
}

func (w World) importAll(ctx context.Context, s *steps.Scene, named func(string) string) (steps.Imported, error) {
	in := steps.Imported{}
	grants, err := grantsOf(ctx, s)
	if err != nil {
		return in, err
	}
	user, err := chosenUser(ctx, s, named(flagApplication), grants)
	if err != nil {
		return in, err
	}
	in.Take(keyApplication, user.Name)
	in.Tell("application user " + user.Name)
	w.importCertificate(s, &in, user, named(flagCertificate))
	if err := importPolicy(ctx, s, &in, user, grants, named); err != nil {
		return in, err
	}
	in.Take(keyPlan, "(not told by NPS)", "NPS does not know Auditor's monitoring plans: write the plan and its items here")
	domain := "(not told by NPS)"
	if first, _, _ := strings.Cut(in.Drafts[keyResources], "\n"); first != "" {
		_, domain, _ = strings.Cut(first, ".")
	}
	in.Take(keyItems, domain)
	return in, nil
}

// grant is a live access policy with the accounts that it is for.
type grant struct {
	policy   object[npsapi.Policy]
	accounts map[string]bool // lower-case ids
}

func (g grant) credential() bool {
	return g.policy.Row.PolicyType.Is(npsapi.PolicyCredential, "Credential")
}

func grantsOf(ctx context.Context, s *steps.Scene) ([]grant, error) {
	live, err := find(ctx, s, npsapi.ListPolicies(false), func(p npsapi.Policy) bool {
		return (p.IsDeleted == nil || !*p.IsDeleted) && (p.IsDisabled == nil || !*p.IsDisabled)
	})
	if err != nil {
		return nil, err
	}
	all := make([]grant, 0, len(live))
	for _, p := range live {
		members, err := find(ctx, s, npsapi.SearchMembers(npsapi.Accounts, plan.String(p.Row.ID), ""), func(npsapi.MemberRow) bool { return true })
		if err != nil {
			return nil, err
		}
		g := grant{p, map[string]bool{}}
		for _, m := range members {
			g.accounts[strings.ToLower(m.Row.ID)] = true
		}
		all = append(all, g)
	}
	return all, nil
}

// chosenUser is the application user that is meant: the named one, the only one, or the only one that a policy is for.
func chosenUser(ctx context.Context, s *steps.Scene, name string, grants []grant) (npsapi.Account, error) {
	found, err := find(ctx, s, npsapi.SearchApplicationUsers(name), func(a npsapi.Account) bool {
		return name == "" || same(applicationName(a), name)
	})
	if err != nil {
		return npsapi.Account{}, err
	}
	names := map[string]npsapi.Account{}
	var granted []string
	for _, u := range found {
		n := applicationName(u.Row)
		names[n] = u.Row
		for _, g := range grants {
			if g.accounts[strings.ToLower(u.Row.ID)] {
				granted = append(granted, n)
				break
			}
		}
	}
	pick, err := one(flagApplication, "application user", name, keysOf(names), granted)
	if err != nil {
		return npsapi.Account{}, err
	}
	u, err := read[npsapi.Account](ctx, s, npsapi.GetAccount(plan.String(names[pick].ID)))
	if u.Row.Name == "" {
		u.Row.Name = pick
	}
	return u.Row, err
}

func applicationName(a npsapi.Account) string {
	if a.Name != "" {
		return a.Name
	}
	return a.DisplayName
}

func keysOf[V any](m map[string]V) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

// one is the only one of the names, or the only one of those that are preferred. Several are a problem that lists them and asks for the
// flag; none is a problem too.
func one(flag, kind, named string, all, preferred []string) (string, error) {
	switch {
	case len(all) == 1:
		return all[0], nil
	case len(all) == 0 && named != "":
		return "", problem.New("NPS has no " + kind + " named " + problem.Plain(named)).Try("leave --" + flag + " out: the ones that are there are then listed").Of(problem.Usage)
	case len(all) == 0:
		return "", problem.New("NPS has no " + kind).Because("there is nothing that could be described").Try("npsetup plan -f FILE shows how to set the integration up")
	case len(preferred) == 1:
		return preferred[0], nil
	}
	if len(preferred) > 1 {
		all = preferred
	}
	sort.Strings(all)
	return "", problem.New("NPS has more than one " + kind + " that could be meant").Coded(problem.SeveralCandidates).
		Because("there are " + problem.Plain(strings.Join(all, ", "))).Try("name the one that is meant: --" + flag + " NAME").Of(problem.Usage)
}

// importCertificate finds the file of the client certificate by the serial number that NPS has.
func (w World) importCertificate(s *steps.Scene, in *steps.Imported, user npsapi.Account, named string) {
	serial := problem.Plain(user.CertificateSerialNumber)
	if named != "" {
		in.Take(keyCertificate, completed(named), "NPS has the serial number "+serial)
		return
	}
	if w.Files.Stored != nil {
		stored, err := w.Files.Stored(w.serverNow(s))
		for _, c := range stored {
			if err == nil && w.SameSerial(c.Serial, serial) {
				in.Take(keyCertificate, storePrefix+c.Thumbprint)
				in.Tell("client certificate with the serial number " + serial + " in this machine's store")
				return
			}
		}
	}
	if w.Files.Beside != nil {
		for _, path := range w.Files.Beside(s.Answers.Dir()) {
			if c, err := w.ReadCertificate(path, w.serverNow(s)); err == nil && w.SameSerial(c.Serial, serial) {
				in.Take(keyCertificate, "file:"+filepath.Base(path))
				in.Tell("client certificate with the serial number " + serial + " in " + path)
				return
			}
		}
	}
	in.Take(keyCertificate, "file:auditor-client.cer", "export Auditor's certificate with the serial number "+serial+" to this file, without its private key")
	in.Leave("the client certificate with the serial number " + serial + " is not beside the answers file: export it, or name it with --" + flagCertificate)
}

func completed(named string) string {
	if v, _ := completeFile(named); v != "" {
		return v
	}
	return named
}
