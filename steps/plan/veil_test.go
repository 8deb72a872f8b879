package plan_test

import (
	"strings"
	"testing"

	"npsetup/steps/plan"
)

// TestWhatIsVeiled goes by names, at any depth, and leaves alone what no secret consists of.
func TestWhatIsVeiled(t *testing.T) {
	t.Parallel()
	for raw, hides := range map[string]bool{
		`{"password":"s3cr3t"}`:                                   true,
		`{"PASSWORD":"s3cr3t"}`:                                   true,
		`{"Client_Secret":"s3cr3t"}`:                              true,
		`{"api-key":"s3cr3t"}`:                                    true,
		`{"accessToken":"s3cr3t"}`:                                true,
		`{"a":[{"b":{"passphrase":"s3cr3t"}}]}`:                   true,
		`{"settings":[{"name":"API Key","value":"s3cr3t"}]}`:      true,
		`{"settings":[{"Name":"Token","defaultValue":"s3cr3t"}]}`: true,
		`{"password":{"of":"s3cr3t"}}`:                            false,
		`{"name":"Password policy","description":"s3cr3t"}`:       false,
		`{"settings":[{"name":"ApiUrl","value":"s3cr3t"}]}`:       false,
		`{"description":"s3cr3t"}`:                                false,
		`{"password":null,"secret":"","viewPassword":true,"passwordAge":20,"x":"s3cr3t"}`:                                          false,
		`{"passwordPolicyId":"11111111-2222-3333-4444-555555555555","lastPasswordChange":"2026-01-02T03:04:05.678Z","x":"s3cr3t"}`: false,
	} {
		v, err := plan.Parse([]byte(raw))
		if err != nil {
			t.Fatal(err)
		}
		veiled := plan.Veiled(v)
		shown, wire := plan.Call{Body: veiled}.Redacted(nil), ""
		if w, err := (plan.Call{Body: veiled}).Wire(nil); err == nil {
			wire = string(w.Body)
		}
		if strings.Contains(string(shown.Body), "s3cr3t") == hides || plan.HasSecret(veiled) != hides {
			t.Errorf("%s is shown as %s", raw, shown.Body)
		}
		if wire != raw {
			t.Errorf("%s is sent as %s", raw, wire)
		}
		if _, err := plan.Encode(veiled); (err != nil) != hides {
			t.Errorf("%s: %v", raw, err)
		}
		if sealed, err := plan.Sealed(veiled); err != nil || strings.Contains(string(sealed), "s3cr3t") == hides {
			t.Errorf("%s is compared as %s, %v", raw, sealed, err)
		}
	}
}

// TestAWriteBackOfASecretIsNotKept: what stays as it was is no matter; what would have to be written back is, and then nothing is promised.
func TestAWriteBackOfASecretIsNotKept(t *testing.T) {
	t.Parallel()
	parsed := func(raw string) plan.Object {
		v, err := plan.Parse([]byte(raw))
		o, is := plan.Veiled(v).(plan.Object)
		if err != nil || !is {
			t.Fatal(err)
		}
		return o
	}
	call := func(o plan.Object) *plan.Call {
		return &plan.Call{Operation: "put", Method: "PUT", Path: "/x", Body: o}
	}
	was := parsed(`{"id":"1","size":1,"rows":[{"name":"api key","value":"former-s3cr3t"}]}`)
	for became, whole := range map[string]bool{
		`{"id":"1","size":2,"rows":[{"name":"api key","value":"former-s3cr3t"}]}`: true,
		`{"id":"1","size":2,"rows":[{"name":"api key","value":"newer-s3cr3t"}]}`:  false,
		`{"id":"1","size":2,"rows":[]}`:                                           false,
	} {
		a := plan.Action{
			Key: "a", Effect: plan.Update,
			Ops:  []plan.Op{{ID: "update", Kind: plan.KindCall, Class: plan.Change, Call: call(parsed(became)), Guard: &plan.Guard{Want: was}}},
			Undo: []plan.Op{{ID: "undo", Kind: plan.KindCall, Class: plan.Change, Call: call(was)}},
		}
		ops, got := a.Undoing()
		raw, err := plan.KeepOps(ops)
		if got != whole || err != nil || strings.Contains(string(raw), "s3cr3t") {
			t.Errorf("%s: %v, %v\n%s", became, got, err, raw)
		}
		if whole && !strings.Contains(string(raw), `"changed":[{"member":"size","was":1,"became":2}]`) {
			t.Errorf("what was set is not kept: %s", raw)
		}
	}
}
