package auditor

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
)

const credentialPolicy = "Netwrix Auditor (credential)"

// newCredentialSite is a site whose answers want a credential-based policy, on a server where accounts are found and nothing is set up.
func newCredentialSite() *site {
	st := newSite()
	st.drafts[keyKind], st.drafts[keyAccounts], st.drafts[steps.RiskKey] = kindCredential, `CONTOSO\svc-auditor`, RiskRotatePassword
	user := func(id, domain, name string) row {
		return st.server.add("searchCredentials", row{"id": id, "userName": name, "domain": domain, "credentialType": 1, "managedType": 1, "rotationType": 0, "passwordStatus": 0, "credentialId": nil, "lastPasswordChangeDateTimeUtc": nil})
	}
	user("w-other", "FABRIKAM", "svc-auditor")
	user("w-test", "CONTOSO", "svc-auditor-test")
	user("w-own", "CONTOSO", "svc-auditor")
	return st
}

func (st *site) account() row {
	for _, r := range st.server.rows["searchCredentials"] {
		if r["id"] == "w-own" {
			return r
		}
	}
	return nil
}

// stored makes the account one that NPS has rotated.
func (st *site) stored() *site {
	a := st.account()
	a["rotationType"], a["passwordStatus"], a["credentialId"], a["lastPasswordChangeDateTimeUtc"] = 2, 1, "k-own", "2026-02-01T00:00:00Z"
	return st
}

// lent makes everything of the credential-based way be there.
func (st *site) lent() *site {
	st.complete().stored()
	st.server.add("listPolicies", row{"id": "y-lend", "name": credentialPolicy, "policyType": 1, "activityConfigurationId": "c-own", "isDeleted": false, "isDisabled": false})
	st.server.rows["searchPolicyCredentials"] = []row{{"id": "K-OWN", "username": "svc-auditor", "domain": "CONTOSO", "entityType": 0}}
	st.made()
	for kind, name := range map[string]string{kindAccount: `CONTOSO\svc-auditor`, kindPolicy: credentialPolicy} {
		st.memory.Made[steps.MadeKey(kind, name)] = true
	}
	return st
}

func credentialEffects(t *testing.T, st *site, want ...string) plan.Plan {
	t.Helper()
	p := st.draft(t)
	var got []string
	for _, a := range p.Actions {
		if a.Step == managedStep || a.Step == credentialStep {
			got = append(got, a.Effect.String()+" "+a.Key)
		}
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("planned is\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return p
}

const ownKey = `managed-credential/contoso\svc-auditor`

// TestAnAccountIsManagedAndRotatedOnce tells the user from the credential, and plans the rotation so that it is never repeated blindly.
func TestAnAccountIsManagedAndRotatedOnce(t *testing.T) {
	st := newCredentialSite()
	p := credentialEffects(t, st, "update "+ownKey, "update "+ownKey+"/verified", "create policy-credential", "create policy-credential/user", `create policy-credential/credentials/contoso\svc-auditor`)
	a, _ := p.Action(ownKey)
	if got := fmt.Sprint(body(t, a, "manage")); got != "map[credentialId:<nil> managedType:2 userId:w-own]" {
		t.Errorf("managed is %s", got)
	}
	if got := fmt.Sprint(body(t, a, "rotate")); got != "map[ids:[w-own]]" {
		t.Errorf("rotated is %s", got)
	}
	for _, op := range a.Ops {
		if op.Spare == nil || op.Spare.Row.Value != "w-own" {
			t.Errorf("%s is sent without a look", op.ID)
		}
	}
	if a.Ops[1].Repeat != plan.Never || a.Assumption == "" || a.Twin == nil || len(a.Consents) != 1 || a.Consents[0] != RiskRotatePassword || !strings.Contains(a.Notes[0], `this changes the password of CONTOSO\svc-auditor`) || a.UndoNote == "" || len(a.Undo) != 1 || a.Undo[0].Manual == nil || a.Undo[0].Trace == nil {
		t.Errorf("%+v", a)
	}
	wait, _ := p.Action(ownKey + "/verified")
	if w := wait.Ops[0].Await; w == nil || w.Within != 10*time.Minute || strings.Join(wait.Needs(), " ") != ownKey || len(w.Until) != 2 {
		t.Errorf("%+v", wait)
	}
	member, _ := p.Action(`policy-credential/credentials/contoso\svc-auditor`)
	if needs := strings.Join(member.Needs(), " "); !strings.Contains(needs, ownKey+"/verified") || !strings.Contains(needs, "policy-credential") {
		t.Errorf("the member needs %s", needs)
	}
	if r := member.Ops[0].Await.Row; r.Member != "username" || r.Value != "svc-auditor" || len(r.Also) != 1 || r.Also[0].Value != "CONTOSO" {
		t.Errorf("the candidate is %+v", r)
	}
	if got := string(member.Ops[1].Call.Redacted(nil).Body); got != `[{"id":"(id of credential \"CONTOSO\\svc-auditor\", known after apply)","entityType":0}]` {
		t.Errorf("added is %s", got)
	}
}

// TestStatesOfAnAccount plans what each state lacks, and nothing where nothing does.
func TestStatesOfAnAccount(t *testing.T) {
	for name, c := range map[string]struct {
		set  row
		want string
	}{
		"managed, never rotated":   {row{"rotationType": 2}, "update " + ownKey + "|update " + ownKey + "/verified"},
		"by names":                 {row{"rotationType": "Automatic", "passwordStatus": "Unspecified"}, "update " + ownKey + "|update " + ownKey + "/verified"},
		"on its way":               {row{"rotationType": 2, "passwordStatus": "Pending"}, "update " + ownKey + "/verified"},
		"failed":                   {row{"rotationType": 2, "passwordStatus": 4, "lastPasswordChangeDateTimeUtc": "2026-01-01"}, "update " + ownKey + "|update " + ownKey + "/verified"},
		"not the account's":        {row{"rotationType": 2, "passwordStatus": 5, "lastPasswordChangeDateTimeUtc": "2026-01-01"}, "update " + ownKey + "|update " + ownKey + "/verified"},
		"verified, never changed":  {row{"rotationType": 2, "passwordStatus": 1}, "update " + ownKey + "|update " + ownKey + "/verified"},
		"changed and not verified": {row{"rotationType": 2, "passwordStatus": 3, "lastPasswordChangeDateTimeUtc": "2026-01-01", "credentialId": "k"}, "adopt " + ownKey},
		"ready":                    {row{"rotationType": 2, "passwordStatus": 1, "lastPasswordChangeDateTimeUtc": "2026-01-01", "credentialId": "k"}, "adopt " + ownKey},
		"managed manually":         {row{"rotationType": 1, "passwordStatus": 1, "credentialId": "k"}, "manual " + ownKey},
	} {
		st := newCredentialSite()
		for k, v := range c.set {
			st.account()[k] = v
		}
		p := st.draft(t)
		var got []string
		for _, a := range p.Actions {
			if a.Step == managedStep {
				got = append(got, a.Effect.String()+" "+a.Key)
			}
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%s: %s, want %s", name, strings.Join(got, "|"), c.want)
		}
		if a, is := p.Action(ownKey); is && len(a.Ops) > 0 && a.Ops[0].ID == "rotate" && name == "failed" && a.Ops[0].Spare.Signs[1].Values[0] != "2026-01-01" {
			t.Errorf("%s: spared by %+v", name, a.Ops[0].Spare.Signs)
		}
	}
	st := newCredentialSite().lent()
	credentialEffects(t, st)
	st = newCredentialSite().lacks("manageUser")
	p := credentialEffects(t, st, "manual "+ownKey, "create policy-credential", "create policy-credential/user", `create policy-credential/credentials/contoso\svc-auditor`)
	member, _ := p.Action(`policy-credential/credentials/contoso\svc-auditor`)
	if !strings.Contains(strings.Join(member.Needs(), " "), ownKey) {
		t.Errorf("the member does not wait for the person: %v", member.Needs())
	}
	st.account()["rotationType"] = 2 // what a person managed is rotated by a call
	credentialEffects(t, st, "update "+ownKey, "update "+ownKey+"/verified", "create policy-credential", "create policy-credential/user", `create policy-credential/credentials/contoso\svc-auditor`)
}

// TestAccountsThatCannotBeTaken name the account, the reason and the way out.
func TestAccountsThatCannotBeTaken(t *testing.T) {
	service := func(st *site) { st.account()["managedType"] = "Service" }
	for answer, c := range map[string]struct {
		change func(*site)
		says   []string
	}{
		`CONTOSO\svc-audit`:                          {nil, []string{`NPS does not know the account "CONTOSO\svc-audit"`, "Synchronize Now"}},
		`TAILSPIN\svc-auditor`:                       {nil, []string{"does not know"}},
		"svc-auditor":                                {nil, []string{"2 accounts of NPS fit", "FABRIKAM, CONTOSO", `DOMAIN\user`}},
		`CONTOSO\svc-auditor`:                        {service, []string{"its type is Service", "Rotate Service Account"}},
		`CONTOSO\svc-nps`:                            {func(st *site) { st.server.rows["searchCredentials"][0]["credentialType"] = 0 }, []string{"is a service account of NPS itself"}},
		"CONTOSO\\svc-auditor\ncontoso\\SVC-AUDITOR": {nil, []string{"are one account", "CONTOSO\\svc-auditor (user id w-own)"}},
	} {
		st := newCredentialSite()
		st.drafts[keyAccounts] = answer
		if c.change != nil {
			c.change(st)
		}
		text := st.trouble(t)
		for _, w := range c.says {
			if !strings.Contains(text, w) {
				t.Errorf("%s: it does not say %q:\n%s", answer, w, text)
			}
		}
	}
	for _, bad := range []string{"svc@contoso.com", `A\B\c`, `\x`, `X\`, "a:b"} {
		if checkAccount(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
	for _, good := range []string{`CONTOSO\svc-auditor`, "svc-auditor", "0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f", `contoso.com\svc.auditor$`} {
		if err := checkAccount(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	if !sameDomain("contoso.com", "CONTOSO") || !sameDomain("contoso", "Contoso.com") || sameDomain("contoso.com", "contoso.net") || sameDomain("CONTOSO", "FABRIKAM") {
		t.Error("domains are compared otherwise")
	}
}

// TestOneAccountIsNotNamedTwice tells two names of one account apart from two accounts: by the answers where no server could know better, else by
// the account that NPS finds.
func TestOneAccountIsNotNamedTwice(t *testing.T) {
	for list, want := range map[string][]int{
		`CONTOSO\svc,CONTOSO\other,contoso\SVC`: {0, 2}, `CONTOSO\svc,contoso.com\svc`: {0, 1}, `x,CONTOSO\svc,svc`: {1, 2}, `svc,SVC`: {0, 1},
		`CONTOSO\svc,FABRIKAM\svc`: nil, `contoso.com\svc,contoso.net\svc`: nil, `CONTOSO\svc,CONTOSO\svc2`: nil,
	} {
		first, second, found := sameAccounts(strings.Split(list, ","))
		if found != (want != nil) || found && (first != want[0] || second != want[1]) {
			t.Errorf("%s: %d and %d, %v", list, first, second, found)
		}
	}
	st := newCredentialSite()
	st.drafts[keyAccounts] = "contoso.com\\svc-auditor\ncontoso.net\\svc-auditor"
	for _, w := range []string{`"contoso.com\\svc-auditor" and "contoso.net\\svc-auditor" are one account`, `NPS has only CONTOSO\svc-auditor (user id w-own) for both`, "take one of the two out"} {
		if text := st.trouble(t); !strings.Contains(text, w) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
}

// TestOneUserNameInTwoDomains warns where Auditor cannot tell the accounts apart, and only there.
func TestOneUserNameInTwoDomains(t *testing.T) {
	warned := func(kind, accounts string) string {
		st := newCredentialSite()
		st.drafts[keyKind], st.drafts[keyAccounts] = kind, accounts
		var of []string
		for _, w := range st.draft(t).Warnings {
			if strings.Contains(w, "user-name-not-unique") {
				of = append(of, w)
			}
		}
		return strings.Join(of, "\n")
	}
	both := "CONTOSO\\svc-auditor\nFABRIKAM\\SVC-auditor"
	if got := warned(kindCredential, both); !strings.Contains(got, `CONTOSO\svc-auditor and FABRIKAM\SVC-auditor have the same user name`) {
		t.Errorf("warned is %q", got)
	}
	for kind, accounts := range map[string]string{kindCredential: "CONTOSO\\svc-auditor\nCONTOSO\\svc-auditor-test", kindResource: both} {
		if got := warned(kind, accounts); got != "" {
			t.Errorf("%s: warned is %q", kind, got)
		}
	}
}

// TestManyNamesAreFoundByOneList asks once for each of a few names, and lists everything once for many.
func TestManyNamesAreFoundByOneList(t *testing.T) {
	for n, lists := range map[int]int{1: 1, 20: 20, 21: 1, 300: 1} {
		st := newCredentialSite()
		var names []string
		for i := range n {
			name := fmt.Sprintf("acct%03d", i)
			names = append(names, `CONTOSO\`+name)
			st.server.add("searchCredentials", row{"id": "w-" + name, "userName": strings.ToUpper(name), "domain": "contoso", "credentialType": 1, "managedType": 1})
		}
		st.drafts[keyAccounts] = strings.Join(names, "\n")
		st.server.asked = nil
		p := st.draft(t)
		asked := 0
		for _, q := range st.server.asked {
			if strings.Contains(q, "/Credential/Search") && strings.Contains(q, "credentialType=-1") {
				asked++
			}
		}
		if waits := strings.Count(effects(p), "/verified"); asked != lists || waits != n {
			t.Errorf("%d names: %d lists, %d waits", n, asked, waits)
		}
		last := p.Actions[len(p.Actions)-1]
		for i, a := range p.Actions { // all rotations run while the first wait waits
			if strings.HasSuffix(a.Key, "/verified") && i+1 < len(p.Actions) && p.Actions[i+1].Step == managedStep && !strings.HasSuffix(p.Actions[i+1].Key, "/verified") {
				t.Fatalf("a wait stands before %s", p.Actions[i+1].Key)
			}
		}
		if last.Step != verifyStep {
			t.Errorf("the last action is %s", last.Key)
		}
	}
}

// TestThePolicyIsOneOfItsType: a resource-based policy of that name is not taken.
func TestThePolicyIsOneOfItsType(t *testing.T) {
	st := newCredentialSite().lent()
	st.server.named("listPolicies", credentialPolicy)["policyType"] = 0
	if text := st.trouble(t); !strings.Contains(text, "is resource-based") || !strings.Contains(text, "accessPolicy.credential.name") {
		t.Error(text)
	}
	st = newCredentialSite().lent()
	st.server.rows["searchPolicyCredentials"] = []row{{"id": "w-own", "username": "svc-auditor", "domain": "CONTOSO", "entityType": 2}} // by the user's id
	credentialEffects(t, st)
	st.server.rows["searchPolicyCredentials"] = []row{{"id": "k-other", "username": "svc-auditor", "domain": "FABRIKAM", "entityType": 0}}
	credentialEffects(t, st, `create policy-credential/credentials/contoso\svc-auditor`)
}
