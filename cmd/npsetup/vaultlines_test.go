package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"npsetup/assets"
	"npsetup/client/sandbox"
	shared "npsetup/steps/nps"
)

// newVaultArticle is one run on a server that offers everything, one on a server where all but the service account is made by hand, and
// what both showed and left behind.
func newVaultArticle(t *testing.T) *article {
	a := &article{full: newVaultSite(t, sandbox.Options{}), hand: newVaultSite(t, sandbox.Options{API: "documented"})}
	st := a.full
	a.planned = decoded[document](t, []byte(st.do("plan", "-f", st.answers(), "--output", "json").want(t, exitPending).out))
	delete(st.env, "PASSWORD_SECURE_API_KEY")
	a.export = st.do("plan", "-f", st.answers()).want(t, exitUsage).err
	st.env["PASSWORD_SECURE_API_KEY"] = st.s.VaultKeyMade()
	a.shown = st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson).err
	st.hands()
	a.report = st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK).out
	for _, r := range st.s.Requests() {
		if r.Status < 300 {
			a.arrived = append(a.arrived, r)
		}
	}
	a.state = decoded[map[string]any](t, []byte(st.canonical()))

	a.pages = a.hand.do("apply", "-f", a.hand.answers(), "--yes").want(t, exitPerson).err
	a.byHand = decoded[document](t, []byte(a.hand.do("plan", "-f", a.hand.answers(), "--output", "json").out))
	done := a.hand.hands()
	a.handReport = a.hand.do("apply", "-f", a.hand.answers(), "--yes", "--done", done).want(t, exitOK).out
	a.handState = decoded[map[string]any](t, []byte(a.hand.canonical()))
	return a
}

// TestVaultArticle carries every numbered line of the article, each in a test of its name.
func TestVaultArticle(t *testing.T) {
	t.Parallel()
	a := newVaultArticle(t)
	for _, c := range vaultLines() {
		t.Run(c.line, func(t *testing.T) { c.check(t, a) })
	}
}

func vaultLines() []carried {
	return slices.Concat(apiKeyLines(), newPasswordLines(), vaultAccountLines(), connectorLines(), vaultActivityLines(), vaultPolicyLines(), diagramLines())
}

// ofKey is a line of making a key: a run without one prints its clicks as what to do next.
func ofKey(n int, words ...string) carried {
	line := fmt.Sprintf("API Key %d", n)
	return carried{line, func(t *testing.T, a *article) {
		m, err := shared.Texts{FS: assets.Texts()}.Manual("vault-key", "", map[string]string{"keyName": "NPS Integration"})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range m.Clicks {
			if slices.Contains(c.Lines, line) {
				says(t, c.Text, words...)
				if !regexp.MustCompile(`(?m)^  next: \d+\. ` + regexp.QuoteMeta(c.Text) + "$").MatchString(a.export) {
					t.Errorf("the run without a key does not print %q:\n%s", c.Text, a.export)
				}
				return
			}
		}
		t.Fatal("no click carries the line")
	}}
}

func apiKeyLines() []carried {
	return []carried{
		ofKey(1, "Sign in to Password Secure", "as an administrator", "technical user"),
		ofKey(2, "“Tools > API Keys”"),
		ofKey(3, "“Create a new API key”"),
		ofKey(4, "NPS Integration", "“Expires”", "one year", "“Access Rights” to “Read”", "“Password” under “Access Scopes”"),
		{"API Key 5", func(t *testing.T, a *article) {
			ofKey(5, "“Next”", "shown this once", "delete the former key").check(t, a)
			says(t, reported(t, a.report, "vault-key"), "database Contoso, user svc-nps-vault, valid to ")
		}},
	}
}

func newPasswordLines() []carried {
	const step = "vault-entry"
	return []carried{
		byPerson(step, "New Password 1", []string{"“Passwords”", "“New Item”", "passwordSecure.entry.existing: true"}, nil),
		byPerson(step, "New Password 2", []string{"“AD User”"}, nil),
		byPerson(step, "New Password 3", []string{"description", "its password"}, func(*article) []labelled {
			return []labelled{{"domain of the entry", "CONTOSO"}, {"user name of the entry", "app-admin"}}
		}),
		{"New Password 4", func(t *testing.T, a *article) {
			byPerson(step, "New Password 4", []string{"“Save”"}, nil).check(t, a)
			wants(t, a.state["person"].(map[string]any), map[string]any{"vaultEntry": true})
			says(t, reported(t, a.report, step), "seen: a session got the credential of CONTOSO\\app-admin")
		}},
	}
}

// pageBeside is a line that is done by a call, whose page stands beside it.
func pageBeside(step, line string, words []string, call func(*testing.T, *article)) carried {
	return carried{line, func(t *testing.T, a *article) {
		text, _ := a.planned.click(t, step, line)
		says(t, text, words...)
		call(t, a)
	}}
}

func vaultAccountLines() []carried {
	const step, path = "service-account", "/api/v1/Credential"
	account := func(t *testing.T, a *article) map[string]any {
		return object(t, a.state, "serviceAccounts", "displayName", "NPS Password")
	}
	return []carried{
		pageBeside(step, "Service Account 1", []string{"Sign in to the console of NPS"}, func(t *testing.T, a *article) {
			says(t, reported(t, a.report, "signin"), "role Admin")
		}),
		pageBeside(step, "Service Account 2", []string{"“Configuration > Service Accounts”"}, func(t *testing.T, a *article) { a.looked(t, path+"?type=0") }),
		pageBeside(step, "Service Account 3", []string{"NPS Password", "the API key of Password Secure as its password"}, func(t *testing.T, a *article) {
			wants(t, a.planned.body(t, step, "create"), map[string]any{"name": "NPS Password", "username": "NPS", "password": "(secret: API key of Password Secure)", "type": 0, "domain": nil, "platformId": nil})
			wants(t, account(t, a), map[string]any{"userName": "NPS", "password": "(the API key NPS Integration of Password Secure)"})
		}),
		pageBeside(step, "Service Account 4", []string{"“Save”"}, func(t *testing.T, a *article) {
			a.once(t, "POST", path)
			says(t, reported(t, a.report, step), "read back")
		}),
	}
}

// orByHand is a line that is done by a call where the server offers it, and by hand where it does not.
func orByHand(step, line string, words []string, values []labelled, call func(*testing.T, *article)) carried {
	return carried{line, func(t *testing.T, a *article) {
		call(t, a)
		documents := map[string]document{"beside the call": a.planned, "in its place": a.byHand}
		if step == "vault-policy" {
			delete(documents, "beside the call") // its calls are documented: no page stands beside them
		}
		for name, d := range documents {
			text, have := d.click(t, step, line)
			says(t, text, words...)
			for _, v := range values {
				if !slices.Contains(have, v) {
					t.Errorf("%s: the values are %v, want %v", name, have, v)
				}
			}
		}
		for _, v := range values {
			says(t, a.pages, fmt.Sprintf("value    %s: %s\n", v.Label, v.Value))
		}
	}}
}

func connectorLines() []carried {
	const step, path = "connector", "/api/v1/IntegrationConnector"
	want := map[string]any{"template": "Password Secure", "settings": "map[ApiUrl:/vault/api/ ServiceAccount:NPS Password SkipCertificateCheck:false]"}
	return []carried{
		orByHand(step, "Connector 1", []string{"“Configuration > Integration Connectors”"}, nil, func(t *testing.T, a *article) { a.looked(t, path) }),
		orByHand(step, "Connector 2", []string{"“Add Integration Connector”"}, nil, func(t *testing.T, a *article) { a.once(t, "POST", path) }),
		orByHand(
			step, "Connector 3", []string{"connector template “Password Secure”", "older than 25.12", "“Skip Certificate Check” off"},
			[]labelled{{"connector", "NPS Password"}, {"service account", "NPS Password"}, {"Skip Certificate Check", "off"}}, func(t *testing.T, a *article) {
				body := a.planned.body(t, step, "create")
				wants(t, body, map[string]any{"name": "NPS Password"})
				says(t, fmt.Sprint(body["settings"]), "value:"+a.full.s.VaultURL()+"api/", `value:(id of service account "NPS Password", known after apply)`, "value:false")
				for _, state := range []map[string]any{a.state, a.handState} {
					wants(t, object(t, state, "connectors", "name", "NPS Password"), want)
				}
			},
		),
		orByHand(step, "Connector 4", []string{"“Save”"}, nil, func(t *testing.T, a *article) {
			says(t, reported(t, a.report, step), "read back: API URL, service account, Skip Certificate Check off")
			says(t, reported(t, a.handReport, step), "seen: a session went through it")
		}),
	}
}

func vaultActivityLines() []carried {
	const step, path, name = "vault-activity", "/api/v1/Activity", "Password Secure Logon"
	return []carried{
		orByHand(step, "Activity 1", []string{"“Policy” tab", "“Activities”"}, nil, func(t *testing.T, a *article) { a.looked(t, path) }),
		orByHand(step, "Activity 2", []string{"blue plus sign"}, nil, func(t *testing.T, a *article) { a.once(t, "POST", path) }),
		orByHand(
			step, "Activity 3", []string{"Login Account = Vault", "Activity Type = Interactive", "Vault Connector = NPS Password", `Login Account Template = CONTOSO\app-admin`},
			[]labelled{{"activity", name}, {"platform", "Windows"}, {"connector", "NPS Password"}, {"login account template", `CONTOSO\app-admin`}}, func(t *testing.T, a *article) {
				settings := map[string]any{"name": name, "loginAccount": 3, "activityType": 0, "loginAccountNameFormat": `CONTOSO\app-admin`, "createAccount": false, "deleteAccount": false}
				wants(t, a.planned.body(t, step, "create"), settings)
				wants(t, a.planned.body(t, step, "create"), map[string]any{"vaultId": `(id of integration connector "NPS Password", known after apply)`})
				for _, state := range []map[string]any{a.state, a.handState} {
					wants(t, object(t, state, "activities", "name", name), settings)
					wants(t, object(t, state, "activities", "name", name), map[string]any{"platform": "Windows", "vault": "NPS Password"})
				}
			},
		),
		orByHand(step, "Activity 4", []string{"“Save”"}, nil, func(t *testing.T, a *article) {
			says(t, reported(t, a.report, step), "read back: platform, login account Vault, connector, template CONTOSO\\app-admin")
		}),
	}
}

func vaultPolicyLines() []carried {
	const step, path, name = "vault-policy", "/api/v1/AccessControlPolicy", "Password Secure (resource)"
	return []carried{
		orByHand(step, "Policy 1", []string{"“Policy” tab", "“Access Policy”"}, nil, func(t *testing.T, a *article) { a.looked(t, path+"?ignoreStatus=true") }),
		orByHand(step, "Policy 2", []string{"plus sign"}, []labelled{{"access policy", name}}, func(t *testing.T, a *article) {
			a.once(t, "POST", path)
			wants(t, a.planned.body(t, step, "create"), map[string]any{"name": name})
		}),
		orByHand(step, "Policy 3", []string{"“Resource Based”"}, []labelled{{"connection profile", "Default"}}, func(t *testing.T, a *article) {
			a.looked(t, "/api/v1/ConnectionProfile")
			for _, state := range []map[string]any{a.state, a.handState} {
				wants(t, object(t, state, "policies", "name", name), map[string]any{"policyType": 0, "connectionProfile": "Default"})
			}
		}),
		orByHand(
			step, "Policy 4", []string{"“Save”", "“Users” tab", "“Activities” tab", "“Resources” tab"},
			[]labelled{{"user", `CONTOSO\npsadmin`}, {"activity", "Password Secure Logon"}, {"resource", "app01.contoso.com"}}, func(t *testing.T, a *article) {
				for _, state := range []map[string]any{a.state, a.handState} {
					wants(t, object(t, state, "policies", "name", name), map[string]any{"users": `[CONTOSO\npsadmin]`, "activityNames": "[Password Secure Logon]", "resourceNames": "[app01.contoso.com]"})
				}
			},
		),
	}
}

// diagramLines are the stages that a session goes through: told in the report of the run, on both servers, and on a page for a person.
func diagramLines() []carried {
	told := []string{
		"1 the Action Service starts the activity", "2 its worker asks for the credential", "3 the module VaultConnector PasswordSecure calls Get-VaultCredential",
		"4 it signs in to Password Secure with the API key", `5 it searches for Domain\User`, "6 the credential is found and returned",
	}
	var list []carried
	for i, words := range told {
		list = append(list, carried{fmt.Sprintf("Diagram %d", i+1), func(t *testing.T, a *article) {
			for _, report := range []string{a.report, a.handReport} {
				says(t, reported(t, report, "vault-verify"), words)
			}
			onThePage(t, i+1)
		}})
	}
	return append(list, carried{"Diagram 7", func(t *testing.T, a *article) {
		st := a.full
		if strings.Contains(a.report, "null") {
			t.Error("a session that got its credential speaks of null")
		}
		if _, err := st.s.SetFaults([]string{"vault-null"}, nil); err != nil {
			t.Fatal(err)
		}
		st.do("verify", "-f", st.answers(), "--session", "--yes").want(t, exitFailed)
		v := st.do("verify", "-f", st.answers()).want(t, exitPending)
		says(t, reported(t, v.out, "vault-verify"), "5 it searches", "7 it is not found: null is returned", "no error to NPS")
		onThePage(t, 7)
	}})
}

// onThePage looks for a stage on the page of whoever runs a session by hand.
func onThePage(t *testing.T, n int) {
	t.Helper()
	values := map[string]string{"activity": "A", "resource": "R", "template": "T"}
	m, err := shared.Texts{FS: assets.Texts()}.Manual("vault-verify", "25.12", values)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range m.Clicks {
		if slices.Contains(c.Lines, fmt.Sprintf("Diagram %d", n)) {
			return
		}
	}
	t.Errorf("no click carries stage %d", n)
}
