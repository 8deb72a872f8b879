package passwordsecure

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

const (
	accountStep = "service-account"
	kindAccount = "service account"
)

// seenAccount is the service account as NPS shows it: without its password.
type seenAccount struct {
	Named *nps.Object[npsapi.StoredCredential]
}

var accountKey = steps.Key[seenAccount]{Name: "passwordsecure.account"}

// serviceAccount is B5: NPS keeps the API key as the password of a service account.
func (w World) serviceAccount() steps.Step {
	return steps.Step{
		ID: accountStep, Title: "Service account", Article: "Add a Service Account, 2-4",
		Why: "it holds the API key, where the connector finds it",
		Fields: []steps.Field{
			{Key: keyAccount, Kind: steps.Text, Prompt: "Name of the service account", Default: "NPS Password", Example: "NPS Password", Help: "A name that no other service account has."},
			{Key: keyUsername, Kind: steps.Text, Prompt: "Its user name", Default: "NPS", Example: "NPS", Help: "Any label: Password Secure never sees it. NPS takes each only once."},
		},
		Look: lookAccount, Plan: w.planAccount,
		Verify: nps.ProvenBy(w.planAccount, func(s *steps.Scene) string {
			return "read back: user name, no platform and no vault connector of its own, and that it is for this key; the key itself cannot be read back"
		}),
	}
}

func lookAccount(ctx context.Context, s *steps.Scene) error {
	name, username := s.Answers.Text(keyAccount), s.Answers.Text(keyUsername)
	var named, taken []nps.Object[npsapi.StoredCredential]
	_, err := nps.Find(ctx, s, npsapi.ListServiceAccounts(false), func(c npsapi.StoredCredential) bool {
		o := nps.Object[npsapi.StoredCredential]{Row: c}
		switch {
		case c.IsDeleted:
		case nps.Same(c.Name, name):
			named = append(named, o)
		case nps.Same(c.Username, username) && c.Domain == "":
			taken = append(taken, o)
		}
		return false // what else stands in a row may be a secret: it is not kept
	})
	if err != nil {
		return err
	}
	if len(named) > 1 {
		s.Problem(nps.Several(kindAccount, name, nps.IDs(named, func(c npsapi.StoredCredential) string { return c.ID })))
	}
	for _, other := range taken {
		s.Problem(problem.New(fmt.Sprintf("the user name %q is that of the service account %q", problem.Plain(username), problem.Plain(other.Row.Name))).At(keyUsername).
			Because("NPS takes a user name without a domain only once").
			Try("give serviceAccount.username another label, such as NPS-"+strings.ReplaceAll(username, " ", "-"), "or name that account under serviceAccount.name, when it is the one that is meant"))
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindAccount + " " + name, State: steps.Missing, Wanted: true}
	defer func() { s.See(f) }()
	var seen seenAccount
	if len(named) == 0 {
		steps.Put(s, accountKey, seen)
		s.Observe("account", nil)
		return nil
	}
	o, err := nps.Read[npsapi.StoredCredential](ctx, s, npsapi.GetCredential(plan.String(named[0].Row.ID)))
	if err != nil {
		return err
	}
	o.Raw = withoutSecrets(o.Raw)
	seen.Named = &o
	steps.Put(s, accountKey, seen)
	s.Know(kindAccount, name, o.Row.ID)
	nps.Observe(s, "account", o.Raw)
	if o.Row.PasswordVaultConnectorID != "" {
		s.Problem(problem.New(fmt.Sprintf("the service account %q takes its own password from a vault connector", problem.Plain(name))).At(keyAccount).
			Because("the connector of this guide needs the key from it, so that each would wait for the other").
			Try("leave Vault Connector empty in it, under Configuration > Service Accounts", "or give serviceAccount.name another name"))
	}
	f.State, f.Rows = steps.Info, nps.Rows(o.Raw, accountSettings(s))
	return nil
}

// withoutSecrets leaves out what may hold a secret: the product answers it as null unless asked for it, and this program does not
// keep what it was not asked to.
func withoutSecrets(o plan.Object) plan.Object {
	var out plan.Object
	for _, m := range o {
		name := strings.ToLower(m.Name)
		if !strings.HasSuffix(name, "id") && !strings.HasSuffix(name, "utc") {
			if strings.Contains(name, "password") || strings.Contains(name, "secret") || strings.Contains(name, "passphrase") || strings.Contains(name, "privatekey") {
				continue
			}
		}
		out = append(out, m)
	}
	return out
}

// accountSettings are the article's, and the words that tell for which key it is.
func accountSettings(s *steps.Scene) []nps.Setting {
	k, _ := steps.Get(s, keyKey)
	return []nps.Setting{
		nps.TextSetting("Name", "name", s.Answers.Text(keyAccount)),
		nps.TextSetting("Username", "username", s.Answers.Text(keyUsername)),
		nps.TextSetting("Description", "description", k.words()),
	}
}

func (w World) planAccount(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, accountKey)
	k, _ := steps.Get(s, keyKey)
	name := s.Answers.Text(keyAccount)
	want := npsapi.ServiceAccount{
		Name: name, Username: s.Answers.Text(keyUsername), Description: k.words(),
		Key: plan.SecretLeaf{Name: "API key of Password Secure", Secret: k.Secret},
	}
	twin, err := w.page(s, accountStep)
	if err != nil {
		return nil, err
	}
	a := plan.Action{Key: accountStep, Object: kindAccount, Name: name, Twin: twin}
	password := plan.Difference{Label: "Password", To: "the API key of Password Secure, which nobody can read back"}
	if seen.Named == nil {
		s.Promise(kindAccount, name, accountStep, "id")
		op := nps.CallOp("create", npsapi.CreateServiceAccount(want))
		op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
		op.Lookup = &plan.Lookup{Call: npsapi.ListServiceAccounts(false), Member: "name", Value: name}
		a.Effect, a.Ops, a.Difference = plan.Create, []plan.Op{op}, append(nps.Fresh(accountSettings(s)), password)
		a.Undo = nps.UndoOp(npsapi.DeleteCredential(plan.Ref{Action: accountStep, Output: "id", What: kindAccount + ` "` + name + `"`}))
		a.Notes = []string{"platform, domain and vault connector stay empty: the article does not name them"}
	} else {
		ds := nps.Differing(seen.Named.Raw, accountSettings(s))
		if len(ds) == 0 {
			return nps.Adopted(s, accountStep, kindAccount, name), nil
		}
		id := plan.String(seen.Named.Row.ID)
		op := nps.CallOp("update", npsapi.UpdateCredential(id, want.Over(seen.Named.Raw)))
		op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.GetCredential(id)}, Want: seen.Named.Raw, Volatile: nps.Volatile()}
		a.Effect, a.Ops, a.Difference = plan.Update, []plan.Op{op}, append(ds, password)
		a.UndoNote = "the key that it had before is known to nobody here: whoever needs it puts it back by hand"
		a.Notes = []string{"whatever else signs in by this service account gets the new key too"}
	}
	a.Notes = append(a.Notes, "the key goes to "+problem.Plain(s.Answers.Text("nps.url"))+" only, and is stored nowhere else")
	if op, missing := nps.NotOffered(s, nps.Operations(a)...); missing {
		return []plan.Action{nps.InsteadByHand(a, op)}, nil
	}
	return []plan.Action{a}, nil
}
