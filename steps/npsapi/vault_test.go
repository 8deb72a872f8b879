package npsapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func template(names ...string) ConnectorTemplate {
	t := ConnectorTemplate{ID: "t", Name: TemplatePasswordSecure, ConfigurationID: "c"}
	kinds := map[string]int{"Uri": SettingURI, "Credential": SettingCredential, "SkipCertificateCheck": SettingBoolean, "Verbose": SettingBoolean, "Timeout": 7}
	thirty := "30"
	for i, n := range names {
		s := ConnectorSetting{ID: fmt.Sprint("s", i), Name: n, Type: Enum{Number: kinds[n]}, Advanced: n == "SkipCertificateCheck"}
		if n == "Timeout" {
			s.DefaultValue = &thirty
		}
		t.ConfigurationValues = append(t.ConfigurationValues, s)
	}
	return t
}

func TestConnectorBody(t *testing.T) {
	c := VaultConnector{Name: "NPS Password", APIURL: "https://ps.contoso.com/api/", ServiceAccount: plan.String("k")}
	body, err := c.Body(template("Timeout", "Uri", "Verbose", "SkipCertificateCheck", "Credential"))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"name":"NPS Password","description":"","connectorTemplateId":"t","connectorConfigurationId":"c","settings":[` +
		`{"id":"s0","name":"Timeout","type":7,"advanced":false,"value":"30"},{"id":"s1","name":"Uri","type":0,"advanced":false,"value":"https://ps.contoso.com/api/"},` +
		`{"id":"s2","name":"Verbose","type":9,"advanced":false,"value":null},{"id":"s3","name":"SkipCertificateCheck","type":9,"advanced":true,"value":"false"},` +
		`{"id":"s4","name":"Credential","type":3,"advanced":false,"value":"k"}]}`
	if got := string(CreateConnector(body).Redacted(nil).Body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, strange := range [][]string{{}, {"Uri", "Credential"}, {"Uri", "Uri", "Credential", "SkipCertificateCheck"}, {"Uri", "Credential", "Verbose"}} {
		if _, err := c.Body(template(strange...)); !problem.Is(err, problem.NotOffered) {
			t.Errorf("%v: %v", strange, err)
		}
	}
}

func TestConnectorIsReadBack(t *testing.T) {
	c, err := Decode[Connector](json.RawMessage(`{"id":"1","name":"n","connectorTemplateId":"t","configurationValues":[
		{"name":"ApiUrl","type":"Uri","value":"https://ps/api/"},{"name":"ServiceAccount","type":3,"value":"k"},{"name":"Skip Certificate Check","type":9,"value":true},
		{"name":"Secret","type":11,"value":"hidden","defaultValue":"hidden"},{"name":"Token","type":"Token","value":"hidden"},{"name":"odd","type":6,"value":{"a":1}},{"name":"n","type":7,"value":5}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := c.Settings(); !ok || got != (VaultSettings{"https://ps/api/", "k", true}) {
		t.Errorf("%+v %v", got, ok)
	}
	if text := fmt.Sprintf("%+v", c); strings.Contains(text, "hidden") {
		t.Errorf("a secret was decoded: %s", text)
	}
	if c.ConfigurationValues[6].Value != "5" || c.ConfigurationValues[5].Value != "" {
		t.Errorf("%+v", c.ConfigurationValues)
	}
	if _, ok := VaultSettingsOf(c.ConfigurationValues[:2]); ok {
		t.Error("a connector without its switch passed")
	}
}

func TestServiceAccountBody(t *testing.T) {
	a := ServiceAccount{Name: "NPS Password", Username: "NPS", Key: plan.SecretLeaf{Name: "API key of Password Secure", Secret: secret.New("a.b.c:ZA==")}}
	c := CreateServiceAccount(a)
	if got := string(c.Redacted(nil).Body); strings.Contains(got, "a.b.c") || !strings.Contains(got, `"domain":null`) || !strings.Contains(got, `"type":0,"authenticationMethod":0,"platformId":null`) {
		t.Errorf("shown: %s", got)
	}
	wire, err := c.Wire(nil)
	if err != nil || !strings.Contains(string(wire.Body), `"password":"a.b.c:ZA=="`) {
		t.Errorf("sent: %s %v", wire.Body, err)
	}
	read := plan.Object{{Name: "id", Value: plan.String("1")}, {Name: "Name", Value: plan.String("old")}, {Name: "password", Value: plan.Null()}, {Name: "nodeId", Value: plan.String("n")}}
	wire, err = UpdateCredential(plan.String("1"), a.Over(read)).Wire(nil)
	if want := `{"id":"1","Name":"NPS Password","password":"a.b.c:ZA==","nodeId":"n","username":"NPS","description":""}`; err != nil || string(wire.Body) != want {
		t.Errorf("%s %v", wire.Body, err)
	}
	if v, _ := plan.TextOf(read.Get("Name"), nil); v != "old" {
		t.Errorf("what was read became %s", v)
	}
}

func TestVaultActivityBody(t *testing.T) {
	body := VaultActivity{Name: "A", Connector: plan.String("v"), Login: `CONTOSO\app`}.Body()
	want := `{"name":"A","description":"","platformId":null,"activityType":0,"loginAccount":3,"loginAccountNameFormat":"CONTOSO\\app","vaultId":"v","vaultInfo":null,"createAccount":false,"deleteAccount":false}`
	if got := string(CreateActivity(body).Redacted(nil).Body); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestDefaultProfile(t *testing.T) {
	p, err := Decode[ProfileTerms](json.RawMessage(`{"id":"1","name":"Standard","isDefault":true,"allowPasswordAccess":true,"approvalTypeRequired":1,"maxSessionLength":480}`))
	if err != nil || !p.AllowPasswordAccess || p.NotesRequired || p.MaxSessionLength == nil || !p.ApprovalTypeRequired.Is(ApprovalAllow, "Allow") {
		t.Errorf("%+v %v", p, err)
	}
	if got, ok := DefaultProfile([]ProfileTerms{{ID: "0", IsDefault: true, IsDeleted: true}, {ID: "2"}, p}); !ok || got.ID != "1" {
		t.Errorf("%+v %v", got, ok)
	}
	if _, ok := DefaultProfile([]ProfileTerms{{ID: "2"}}); ok {
		t.Error("a default without one")
	}
}
