package npsapi

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestEnum(t *testing.T) {
	for _, c := range []struct {
		raw    string
		number int
		is     bool
	}{
		{"2", 2, true},
		{`"2"`, 2, true},
		{`"Application"`, -1 << 31, true},
		{`"APPLICATION"`, -1 << 31, true},
		{`"ManagedAccount"`, -1 << 31, false},
		{"-1", -1, false},
		{"4711", 4711, false}, // a number of a newer server is kept
		{"null", 0, false},
	} {
		var row struct{ E Enum }
		if err := json.Unmarshal([]byte(`{"e":`+c.raw+`}`), &row); err != nil {
			t.Errorf("%s: %v", c.raw, err)
		}
		if row.E.Number != c.number || row.E.Is(EntityApplication, "Application") != c.is {
			t.Errorf("%s: %+v, is Application: %v", c.raw, row.E, !c.is)
		}
	}
	var row struct{ E Enum }
	if err := json.Unmarshal([]byte(`{"e":{"a":1}}`), &row); err == nil {
		t.Error("an object passed for an enum")
	}
}

func TestEnumKeepsEveryNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int32().Draw(t, "n")
		var e Enum
		if err := json.Unmarshal(fmt.Append(nil, n), &e); err != nil || !e.Is(int(n), "x") {
			t.Fatalf("%d became %+v (%v)", n, e, err)
		}
	})
}

func TestDecode(t *testing.T) {
	r, err := Decode[Resource](json.RawMessage(`{"id":"1","name":null,"displayName":"contoso.com\\dc01","dnsHostName":"dc01.contoso.com","hostId":null,
		"host":{"deep":{"deeper":[1,2]}},"DisableWinRM":true,"tenantMark":"x"}`))
	if err != nil || r.ID != "1" || r.Name != "" || r.DNSHostName != "dc01.contoso.com" || !r.DisableWinRm {
		t.Errorf("%+v %v", r, err)
	}
	p, err := Decode[Policy](json.RawMessage(`{"id":"1","policyType":0}`))
	if err != nil || p.IsDeleted != nil || !p.PolicyType.Is(PolicyResource, "Resource") {
		t.Errorf("%+v %v", p, err)
	}
	g, err := Decode[ActionGroup](json.RawMessage(`{"id":"g","action":[{"id":"a","pairedActionId":null,"actionParameter":[{"value":"Domain Admins","actionTemplateParameterId":"t"}]}]}`))
	if err != nil || len(g.Action) != 1 || g.Action[0].ActionParameter[0].Value != "Domain Admins" {
		t.Errorf("%+v %v", g, err)
	}
	if _, err := Decode[Account](json.RawMessage(`[1]`)); err == nil {
		t.Error("an array passed for an account")
	}
}
