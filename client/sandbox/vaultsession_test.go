package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

const (
	logon     = "Password Secure Logon"
	logonHost = "app01.contoso.com"
)

// connected sets the vault up in NPS, as the administrator, over the API; change changes the connector's settings and the login.
func (b *bench) connected(change map[string]string) {
	b.t.Helper()
	b.signIn()
	value := func(name, otherwise string) string {
		if v, is := change[name]; is {
			return v
		}
		return otherwise
	}
	var account, connector, activity, policy map[string]any
	b.must("POST", "/api/v1/Credential", map[string]any{"name": "NPS Password", "username": "NPS", "password": value("key", b.s.VaultKey()), "domain": nil, "type": 0, "authenticationMethod": 0, "platformId": nil}, &account)
	template := pick(b.t, b.list("/api/v1/IntegrationConnectorTemplate"), "name", "Password Secure")
	var settings []any
	for _, s := range template["configurationValues"].([]any) {
		s := s.(map[string]any)
		v := map[float64]any{0: value("url", b.s.VaultURL()+"api/"), 3: account["id"], 9: value("skip", "false")}[s["type"].(float64)]
		settings = append(settings, map[string]any{"id": s["id"], "name": s["name"], "type": s["type"], "value": v})
	}
	b.must("POST", "/api/v1/IntegrationConnector", map[string]any{"name": "NPS Password", "connectorTemplateId": template["id"], "connectorConfigurationId": template["configurationId"], "settings": settings}, &connector)
	windows := pick(b.t, b.list("/api/v1/Platform"), "name", "Windows")
	b.must("POST", "/api/v1/Activity", map[string]any{
		"name": logon, "platformId": windows["id"], "activityType": 0, "loginAccount": 3, "loginAccountNameFormat": value("login", `CONTOSO\app-admin`),
		"vaultId": connector["id"], "vaultInfo": nil, "createAccount": false, "deleteAccount": false,
	}, &activity)
	profile := pick(b.t, b.list("/api/v1/ConnectionProfile"), "name", "Default")
	b.must("POST", "/api/v1/AccessControlPolicy", map[string]any{"name": "Password Secure (resource)", "policyType": 0, "activityConfigurationId": profile["id"]}, &policy)
	var users, hosts tableOf
	b.must("GET", "/api/v1/ManagedAccount/Search?filterText=npsadmin&skip=0&take=10", nil, &users)
	b.must("GET", "/api/v1/ManagedResource/Search?filterText=app01&filterType=0&skip=0&take=10", nil, &hosts)
	root := "/api/v1/AccessControlPolicy/" + policy["id"].(string)
	b.must("PUT", root+"/ManagedAccount", []any{map[string]any{"id": users.Data[0]["id"], "entityType": 0}}, nil)
	b.must("PUT", root+"/Activity", []any{map[string]any{"id": activity["id"], "entityType": 0}}, nil)
	b.must("PUT", root+"/ManagedResource", []any{map[string]any{"id": hosts.Data[0]["id"], "entityType": 0}}, nil)
}

// checkout runs a session and gives its state, its password and its log, oldest line first.
func (b *bench) checkout() (session, string, string) {
	b.t.Helper()
	var s session
	b.must("POST", "/api/v1/ActivitySession", map[string]any{"activityName": logon, "managedResourceName": logonHost, "note": "check"}, &s)
	b.later(time.Second)
	b.s.Tick()
	v := b.look(s.ID)
	var password string
	if status, _, raw := b.do("GET", "/api/v1/ActivitySession/"+s.ID+"/Password", nil); status == 200 {
		_ = json.Unmarshal(raw, &password)
	}
	var log struct{ Lines []struct{ LogMessage string } }
	b.must("GET", "/api/v1/ActivitySession/"+s.ID+"/Log?skip=0&take=100", nil, &log)
	var lines []string
	for _, l := range log.Lines {
		lines = append(lines, l.LogMessage)
	}
	b.must("DELETE", "/api/v1/ActivitySession/"+s.ID, nil, nil)
	return v, password, strings.Join(lines, "\n")
}

func TestVaultSessionGoesThroughTheSevenStages(t *testing.T) {
	b := start(t, sandbox.Options{})
	b.connected(nil)
	if got := did(b); got != "vault-entry" {
		t.Errorf("the person did %s", got)
	}
	s, password, log := b.checkout()
	if s.SessionStatus != 1 || s.LoginAccountName != `CONTOSO\app-admin` || !strings.HasPrefix(password, "S3CR3T-entry-") {
		t.Errorf("%+v %s", s, password)
	}
	at := 0
	for _, stage := range []string{"Action Service:", "Action Service Worker:", "VaultConnector PasswordSecure:", "logged in", `searching for CONTOSO\app-admin`, "credential found"} {
		n := strings.Index(log[at:], stage)
		if n < 0 {
			t.Fatalf("no %q after %d characters of\n%s", stage, at, log)
		}
		at += n
	}
	for _, secret := range b.s.Secrets() {
		if strings.Contains(log, secret) {
			t.Error("the log holds a secret")
		}
	}
}

func TestVaultSessionsFailInTheirOwnWords(t *testing.T) {
	const active, failed = 1, 4
	b := start(t, sandbox.Options{})
	b.connected(nil)
	check := func(name string, status int, words ...string) {
		t.Helper()
		s, password, log := b.checkout()
		if s.SessionStatus != status || password != "" {
			t.Errorf("%s: status %d, password %q", name, s.SessionStatus, password)
		}
		for _, w := range words {
			if !strings.Contains(log, w) {
				t.Errorf("%s: no %q in\n%s", name, w, log)
			}
		}
	}
	check("before the entry is there", active, "no entry found", "null returned")
	b.s.Person()
	for fault, c := range map[string]struct {
		status int
		words  string
	}{
		"vault-null": {active, "null returned"}, "vault-several": {active, "several entries"}, "vault-seal": {active, "reason"}, "vault-refused": {failed, "login to Password Secure failed"},
		"vault-unreachable": {failed, "not reachable"}, "vault-down": {failed, "not reachable"}, "vault-untrusted": {failed, "Skip Certificate Check is off"}, "vault-dll": {failed, "PsrApi"},
		"key-expired": {failed, "expired"}, "key-deleted": {failed, "deleted"},
	} {
		b.faults(fault)
		check(fault, c.status, c.words)
		b.clear(fault)
	}
	b.faults("profile-no-password")
	check("profile-no-password", active, "credential found")
	b.clear("profile-no-password")
	if _, password, _ := b.checkout(); password == "" {
		t.Error("the profile stayed as it was")
	}
	if err := b.s.Drift("vaultEntries", "Application administrator", map[string]any{"readers": []any{"Administrator"}}); err != nil {
		t.Fatal(err)
	}
	check("an entry that is not shared", active, "no entry found")
	for _, name := range []string{"Application administrator", "Fabrikam administrator"} {
		if err := b.s.Drift("vaultEntries", name, map[string]any{"domain": "contoso", "username": "APP-ADMIN", "readers": []any{"svc-nps-vault"}}); err != nil {
			t.Fatal(err)
		}
	}
	check("two entries", active, "several entries", "null returned")
}

func TestConnectorsAreJudgedBySession(t *testing.T) {
	for name, c := range map[string]struct {
		change map[string]string
		fault  string
		words  string
		status int
	}{
		"without api":        {map[string]string{"url": "VAULT"}, "", "404", 4},
		"another host":       {map[string]string{"url": "https://ps.example/api/"}, "", "not reachable", 4},
		"direct":             {map[string]string{"url": "DIRECT"}, "", "credential found", 1},
		"another key":        {map[string]string{"key": "a.b.c:QQ=="}, "", "unknown API key", 4},
		"check switched off": {map[string]string{"skip": "true"}, "vault-untrusted", "credential found", 1},
		"DNS domain":         {map[string]string{"login": `contoso.com\app-admin`}, "", "no entry found", 1},
		"no domain":          {map[string]string{"login": "app-admin"}, "", "no entry found", 1},
	} {
		b := start(t, sandbox.Options{})
		if u := c.change["url"]; u == "VAULT" {
			c.change["url"] = b.s.VaultURL()
		} else if u == "DIRECT" {
			c.change["url"] = b.s.VaultDirectURL()
		}
		b.connected(c.change)
		b.s.Person()
		if c.fault != "" {
			b.faults(c.fault)
		}
		if s, _, log := b.checkout(); s.SessionStatus != c.status || !strings.Contains(log, c.words) {
			t.Errorf("%s: status %d\n%s", name, s.SessionStatus, log)
		}
	}
}
