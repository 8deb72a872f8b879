package nps

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"npsetup/assets"
	"npsetup/client/sandbox"
	"npsetup/client/sandbox/contract"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// vaultBench is a client that is signed in to a sandbox in checking mode.
type vaultBench struct {
	t *testing.T
	s *sandbox.Server
	c *Client
}

func newVaultBench(t *testing.T, o sandbox.Options) vaultBench {
	t.Helper()
	check, err := contract.New(assets.NPSContract)
	if err != nil {
		t.Fatal(err)
	}
	o.Check = check
	s, err := sandbox.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Errorf("against the contract: %v", v)
		}
		_ = s.Close()
	})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.CAPEM())
	c, err := New(Options{BaseURL: s.URL(), TLS: &tls.Config{RootCAs: pool, ServerName: "localhost"}})
	if err != nil {
		t.Fatal(err)
	}
	cr := s.Credentials()
	if _, err := c.SignIn(t.Context(), Credentials{User: cr.User, Password: secret.New(cr.Password), MFA: TOTP(secret.New(cr.TOTPSecret), time.Now)}); err != nil {
		t.Fatal(err)
	}
	return vaultBench{t, s, c}
}

func (b vaultBench) send(call plan.Call) (json.RawMessage, error) {
	b.t.Helper()
	op := plan.Op{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &call}
	b.c.Approve(plan.Plan{Actions: []plan.Action{{Key: "x", Ops: []plan.Op{op}}}})
	a, err := b.c.Send(b.t.Context(), op, nil)
	return a.Body, err
}

func (b vaultBench) must(call plan.Call) json.RawMessage {
	b.t.Helper()
	body, err := b.send(call)
	if err != nil {
		b.t.Fatalf("%s: %v", call.Operation, err)
	}
	return body
}

func (b vaultBench) read(call plan.Call) json.RawMessage {
	b.t.Helper()
	a, err := b.c.Read(b.t.Context(), call)
	if err != nil {
		b.t.Fatalf("%s: %v", call.Operation, err)
	}
	return a.Body
}

func rowsOf[T any](t *testing.T, raw json.RawMessage) []T {
	t.Helper()
	var list []T
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func rowOf[T any](t *testing.T, raw json.RawMessage) T {
	t.Helper()
	r, err := npsapi.Decode[T](raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b vaultBench) template() npsapi.ConnectorTemplate {
	b.t.Helper()
	for _, row := range rowsOf[npsapi.ConnectorTemplate](b.t, b.read(npsapi.ListConnectorTemplates())) {
		if row.Name == npsapi.TemplatePasswordSecure {
			if !row.Type.Is(npsapi.ConnectorPasswordVault, "PasswordVaultConnector") {
				b.t.Errorf("type %+v", row.Type)
			}
			return row
		}
	}
	b.t.Fatal("no template")
	return npsapi.ConnectorTemplate{}
}

// TestVaultCalls carries the builders' bodies to the sandbox and reads back what they made, both held against the contract.
func TestVaultCalls(t *testing.T) {
	b := newVaultBench(t, sandbox.Options{})
	account := npsapi.ServiceAccount{Name: "NPS Password", Username: "NPS", Key: plan.SecretLeaf{Name: "API key", Secret: secret.New(b.s.VaultKey())}}
	made := rowOf[npsapi.StoredCredential](t, b.must(npsapi.CreateServiceAccount(account)))
	id := plan.String(made.ID)
	_, err := b.send(npsapi.CreateServiceAccount(account))
	wantProblem(t, err, problem.Failed, "409")
	raw := b.read(npsapi.GetCredential(id))
	full, err := plan.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	account.Description = "for the vault"
	b.must(npsapi.UpdateCredential(id, account.Over(full.(plan.Object))))
	found := false
	for _, row := range rowsOf[npsapi.StoredCredential](t, b.read(npsapi.ListServiceAccounts(true))) {
		found = found || row.ID == made.ID && row.Name == "NPS Password" && row.Username == "NPS" && row.Description == "for the vault" && row.Type.Is(npsapi.CredentialConfiguration, "Configuration")
	}
	if !found {
		t.Error("the service account is not listed as it was written")
	}
	if state, _ := json.Marshal(b.s.State()["serviceAccounts"]); !strings.Contains(string(state), "(the API key NPS Integration of Password Secure)") {
		t.Errorf("%s", state)
	}

	template := b.template()
	wanted := npsapi.VaultConnector{Name: "NPS Password", APIURL: b.s.VaultURL() + "api/", ServiceAccount: id}
	body, err := wanted.Body(template)
	if err != nil {
		t.Fatal(err)
	}
	connector := rowOf[npsapi.Connector](t, b.must(npsapi.CreateConnector(body)))
	settings, ok := rowOf[npsapi.Connector](t, b.read(npsapi.GetConnector(plan.String(connector.ID)))).Settings()
	if want := (npsapi.VaultSettings{APIURL: wanted.APIURL, ServiceAccount: made.ID}); !ok || settings != want {
		t.Errorf("%+v %v", settings, ok)
	}
	wanted.SkipCertificateCheck = true
	if body, err = wanted.Body(template); err != nil {
		t.Fatal(err)
	}
	b.must(npsapi.UpdateConnector(plan.String(connector.ID), append(plan.Object{{Name: "id", Value: plan.String(connector.ID)}}, body...)))
	var own []npsapi.ConnectorSetting
	for _, s := range rowsOf[npsapi.ConnectorSetting](t, b.read(npsapi.ListConnectorSettings())) {
		if s.ConnectorID == connector.ID {
			own = append(own, s)
		}
	}
	if settings, ok := npsapi.VaultSettingsOf(own); !ok || !settings.SkipCertificateCheck {
		t.Errorf("%+v of %d rows", settings, len(own))
	}

	activity := rowOf[npsapi.Activity](t, b.must(npsapi.CreateActivity(npsapi.VaultActivity{Name: "A", Connector: plan.String(connector.ID), Login: `CONTOSO\app-admin`}.Body())))
	if activity.VaultID != connector.ID || !activity.LoginAccount.Is(npsapi.LoginVault, "Vault") || activity.CreateAccount || activity.LoginAccountNameFormat != `CONTOSO\app-admin` {
		t.Errorf("%+v", activity)
	}
	terms, ok := npsapi.DefaultProfile(rowsOf[npsapi.ProfileTerms](t, b.read(npsapi.ListConnectionProfiles())))
	if !ok || !terms.AllowPasswordAccess || terms.NotesRequired || !terms.ApprovalTypeRequired.Is(npsapi.ApprovalAllow, "Allow") {
		t.Errorf("%+v %v", terms, ok)
	}
	people := 0
	if err := b.c.List(t.Context(), npsapi.SearchAccounts("npsadmin"), func(raw json.RawMessage) (bool, error) {
		if rowOf[npsapi.Account](t, raw).EntityType.Is(npsapi.EntityAccount, "ManagedAccount") {
			people++
		}
		return true, nil
	}); err != nil || people != 1 {
		t.Errorf("%d people, %v", people, err)
	}
	b.must(npsapi.DeleteActivity(plan.String(activity.ID)))
	b.must(npsapi.DeleteConnector(plan.String(connector.ID)))
	b.must(npsapi.DeleteCredential(id))
}

// TestConnectorsThatAreNotOffered: a 404 or 405 of NPS means by hand.
func TestConnectorsThatAreNotOffered(t *testing.T) {
	b := newVaultBench(t, sandbox.Options{API: "observed"})
	for _, call := range []plan.Call{npsapi.ListConnectorTemplates(), npsapi.ListConnectors()} {
		if _, err := b.c.Read(t.Context(), call); !problem.Is(err, problem.NotOffered) {
			t.Errorf("%s: %v", call.Operation, err)
		}
	}
	b.read(npsapi.ListConnectorSettings())
	b = newVaultBench(t, sandbox.Options{Faults: []string{"connector-405"}})
	body, err := npsapi.VaultConnector{Name: "x", APIURL: "https://ps/api/", ServiceAccount: plan.String("0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f")}.Body(b.template())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.send(npsapi.CreateConnector(body)); !problem.Is(err, problem.NotOffered) {
		t.Errorf("%v", err)
	}
}
