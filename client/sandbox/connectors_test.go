package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

func TestServiceAccounts(t *testing.T) {
	b := start(t, sandbox.Options{}).signIn()
	body := map[string]any{"name": "NPS Password", "username": "NPS", "password": b.s.VaultKey(), "type": 0}
	var made, read map[string]any
	b.must("POST", "/api/v1/Credential", body, &made)
	if status, _, _ := b.do("POST", "/api/v1/Credential", map[string]any{"name": "Other", "username": "nps", "type": 0}); status != 409 {
		t.Errorf("the same user name: %d", status)
	}
	path := "/api/v1/Credential/" + made["id"].(string)
	b.must("GET", path, nil, &read)
	if read["name"] != "NPS Password" || read["username"] != "NPS" || read["password"] != nil {
		t.Errorf("%v", read)
	}
	state := func() string {
		raw, _ := json.Marshal(b.s.State()["serviceAccounts"])
		return string(raw)
	}
	if !strings.Contains(state(), "(the API key NPS Integration of Password Secure)") {
		t.Errorf("%s", state())
	}
	read["description"] = "x"
	b.must("PUT", path, read, nil)
	if strings.Contains(state(), "API key") {
		t.Error("an update without a password kept it: a client could rely on that")
	}
	if status, _, _ := b.do("PUT", path, map[string]any{"id": "0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f", "username": "NPS"}); status != 400 {
		t.Errorf("another id: %d", status)
	}
	var rows tableOf
	b.must("GET", "/api/v1/Credential/Search?filterText=NPS&credentialType=0&managedType=-1&skip=0&take=10", nil, &rows)
	if pick(t, rows.Data, "displayName", "NPS Password")["credentialId"] != made["id"] {
		t.Errorf("%v", rows.Data)
	}
	b.must("DELETE", path, nil, nil)
	for query, want := range map[string]int{"?type=0&includeDeleted=false": 0, "?type=0&includeDeleted=true": 1} {
		n := 0
		for _, r := range b.list("/api/v1/Credential" + query) {
			if r["id"] == made["id"] {
				n++
			}
		}
		if n != want {
			t.Errorf("%s: %d", query, n)
		}
	}
	b.must("POST", "/api/v1/Credential", body, nil)
}

func TestConnectors(t *testing.T) {
	b := start(t, sandbox.Options{})
	b.connected(nil)
	made := b.list("/api/v1/IntegrationConnector")[0]
	path := "/api/v1/IntegrationConnector/" + made["id"].(string)
	b.must("GET", path, nil, nil)
	rows := b.list("/api/v1/ConnectorConfiguration")
	own, templates := 0, 0
	for _, r := range rows {
		if r["connectorId"] == made["id"] {
			own++
		}
		if r["integrationConnectorTemplateId"] != nil {
			templates++
		}
	}
	if own != 3 || templates != 11 {
		t.Errorf("%d rows of the connector, %d of templates", own, templates)
	}
	raw, _ := json.Marshal(b.s.State()["connectors"])
	if want := `[{"description":null,"name":"NPS Password","settings":{"ApiUrl":"/vault/api/","ServiceAccount":"NPS Password","SkipCertificateCheck":"false"},"template":"Password Secure"}]`; string(raw) != want {
		t.Errorf("%s", raw)
	}
	request := func(change func(map[string]any)) map[string]any {
		settings := []any{}
		for _, v := range made["configurationValues"].([]any) {
			v := v.(map[string]any)
			settings = append(settings, map[string]any{"name": v["name"], "type": v["type"], "value": v["value"]})
		}
		o := map[string]any{"id": made["id"], "name": "NPS Password", "connectorTemplateId": made["connectorTemplateId"], "connectorConfigurationId": made["connectorConfigurationId"], "settings": settings}
		change(o)
		return o
	}
	set := func(i int, v any) func(map[string]any) {
		return func(o map[string]any) { o["settings"].([]any)[i].(map[string]any)["value"] = v }
	}
	b.must("PUT", path, request(set(2, "true")), nil)
	for name, o := range map[string]map[string]any{
		"no address": request(set(0, "x")), "no account": request(set(1, "0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f")), "no switch": request(set(2, "yes")), "nothing": request(set(0, nil)),
		"template": request(func(o map[string]any) { o["connectorTemplateId"] = made["id"] }),
	} {
		if status, _, _ := b.do("PUT", path, o); status != 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _, _ := b.do("DELETE", path, nil); status != 400 {
		t.Errorf("a connector in use was deleted: %d", status)
	}
	if err := b.s.Drift("connectors", "NPS Password", map[string]any{"description": "drifted"}); err != nil {
		t.Error(err)
	}
	b.faults("connector-405")
	if status, kind, _ := b.do("PUT", path, request(set(2, "true"))); status != 405 || strings.Contains(kind, "html") {
		t.Errorf("%d %s", status, kind)
	}
}

func TestNPSWithoutTheTemplate(t *testing.T) {
	for fault, version := range map[string]string{"no-template": "25.12.", "before-25.12": "4.2."} {
		b := start(t, sandbox.Options{Faults: []string{fault}}).signIn()
		for _, r := range b.list("/api/v1/IntegrationConnectorTemplate") {
			if r["name"] == "Password Secure" {
				t.Errorf("%s: the template is there", fault)
			}
		}
		var v string
		if b.must("GET", "/api/v1/Version", nil, &v); !strings.HasPrefix(v, version) {
			t.Errorf("%s: version %s", fault, v)
		}
	}
}

// TestPersonSetsTheVaultUpByHand: what is not offered as calls, the person does, in its order and once.
func TestPersonSetsTheVaultUpByHand(t *testing.T) {
	for api, want := range map[string]string{"full": "vault-entry", "observed": "vault-entry connector vault-activity", "documented": "vault-entry connector vault-activity vault-policy"} {
		b := start(t, sandbox.Options{API: api}).signIn()
		b.must("POST", "/api/v1/Credential", map[string]any{"name": "NPS Password", "username": "NPS", "password": b.s.VaultKey(), "type": 0}, nil)
		status, _, _ := b.do("GET", "/api/v1/IntegrationConnector", nil)
		settings, _, _ := b.do("GET", "/api/v1/ConnectorConfiguration", nil)
		if got := [2]int{status, settings}; got != map[string][2]int{"full": {200, 200}, "observed": {404, 200}, "documented": {404, 404}}[api] {
			t.Errorf("%s: %v", api, got)
		}
		if got := did(b); got != want {
			t.Errorf("%s: the person did %s", api, got)
		}
		if again := did(b); again != "" {
			t.Errorf("%s: again %s", api, again)
		}
		if api == "documented" {
			if s, password, log := b.checkout(); s.SessionStatus != 1 || password == "" {
				t.Errorf("by hand: %+v\n%s", s, log)
			}
		}
	}
	b := start(t, sandbox.Options{Faults: []string{"connector-405"}}).signIn()
	b.must("POST", "/api/v1/Credential", map[string]any{"name": "NPS Password", "username": "NPS", "password": b.s.VaultKey(), "type": 0}, nil)
	if got := did(b); got != "vault-entry connector" {
		t.Errorf("with 405, the person did %s", got)
	}
}
