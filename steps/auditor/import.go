package auditor

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// The flags that name one of several objects.
const (
	flagApplication      = "application"
	flagPolicy           = "policy"
	flagCredentialPolicy = "credential-policy"
	flagActivity         = "activity"
	flagCertificate      = "certificate"
)

// importer reads a set-up that somebody made by hand, over the same rows that the looks use.
func (w World) importer() *steps.Importer {
	return &steps.Importer{
		Flags: []steps.ImportFlag{
			{Name: flagApplication, Value: "NAME", Help: "the application user that Auditor signs in as, when NPS has several"},
			{Name: flagPolicy, Value: "NAME", Help: "the resource-based access policy, when several fit"},
			{Name: flagCredentialPolicy, Value: "NAME", Help: "the credential-based access policy, when several fit"},
			{Name: flagActivity, Value: "NAME", Help: "its activity, when the policy holds several"},
			{Name: flagCertificate, Value: "FILE", Help: "Auditor's client certificate: file:PATH, or store:THUMBPRINT on Auditor's own server", File: true},
		},
		Given: []string{keyPlan, keyItems, keyCredentialItems},
		Read:  w.importAll,
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
	return in, importPolicies(ctx, s, &in, user, grants, named)
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
	live, err := nps.LivePolicies(ctx, s)
	if err != nil {
		return nil, err
	}
	all := make([]grant, 0, len(live))
	for _, p := range live {
		members, err := nps.Members(ctx, s, npsapi.Accounts, p.Row.ID)
		if err != nil {
			return nil, err
		}
		g := grant{p, map[string]bool{}}
		for _, m := range members {
			g.accounts[strings.ToLower(m.ID)] = true
		}
		all = append(all, g)
	}
	return all, nil
}

// chosenUser is the application user that is meant: the named one, the only one, or the only one that a policy is for.
func chosenUser(ctx context.Context, s *steps.Scene, name string, grants []grant) (npsapi.Account, error) {
	found, err := nps.Find(ctx, s, npsapi.SearchApplicationUsers(name), func(a npsapi.Account) bool {
		return name == "" || nps.Same(applicationName(a), name)
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
	pick, err := nps.TheOne(flagApplication, "application user", name, slices.Sorted(maps.Keys(names)), granted)
	if err != nil {
		return npsapi.Account{}, err
	}
	u, err := nps.Read[npsapi.Account](ctx, s, npsapi.GetAccount(plan.String(names[pick].ID)))
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
	in.Lack(keyCertificate, "the client certificate with the serial number "+serial+" is not beside the answers file: export it without its private key, and write its file under "+keyCertificate+", such as file:auditor-client.cer, or name it with --"+flagCertificate)
}

func completed(named string) string {
	if v, _ := completeFile(named); v != "" {
		return v
	}
	return named
}
