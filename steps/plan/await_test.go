package plan_test

import (
	"strings"
	"testing"
	"time"

	"npsetup/steps/plan"
)

func TestASignIsShownByItsRow(t *testing.T) {
	is := func(values ...string) plan.Sign { return plan.Sign{Member: "status", Values: values} }
	not := func(values ...string) plan.Sign { return plan.Sign{Member: "status", Values: values, Not: true} }
	for _, c := range []struct {
		sign plan.Sign
		row  string
		want bool
	}{
		{is("1", "Verified"), `{"status":1}`, true},
		{is("1", "Verified"), `{"status":"verified"}`, true},
		{is("1", "Verified"), `{"status":"1"}`, true},
		{is("1", "Verified"), `{"status":11}`, false},
		{is("1", "Verified"), `{}`, false},
		{is(""), `{"status":null}`, true},
		{is(""), `{}`, true},
		{is("true"), `{"status":true}`, true},
		{not(""), `{"status":"2026-01-01"}`, true},
		{not(""), `{"status":null}`, false},
		{not("2026-01-01"), `{"status":"2026-01-02"}`, true},
		{not("2026-01-01"), `{"status":"2026-01-01"}`, false},
		{is("1"), `[1]`, false},
		{not("1"), `no row`, false},
	} {
		if got := c.sign.ShownBy([]byte(c.row)); got != c.want {
			t.Errorf("%+v in %s: %v", c.sign, c.row, got)
		}
	}
}

// waiting has an action that changes unless it need not, and one that waits.
func waiting() plan.Plan {
	row := plan.Lookup{Call: plan.Call{Operation: "searchCredentials", Method: "GET", Path: "/api/v1/Credential/Search"}, Member: "id", Value: "u"}
	rotate := plan.Call{Operation: "rotateAccounts", Method: "POST", Path: "/api/v1/ManagedUser/RotateAccounts", Body: plan.Object{{Name: "ids", Value: plan.Array{plan.String("u")}}}}
	look := row.Call
	return plan.Plan{Guide: "auditor", Server: "https://nps.contoso.com:6500/", Actions: []plan.Action{
		{Key: "a", Step: "a", Effect: plan.Update, Object: "account", Name: `CONTOSO\svc "x"`, Ops: []plan.Op{{ID: "rotate", Kind: plan.KindCall, Class: plan.Change, Call: &rotate, Spare: &plan.Spare{Row: row, Signs: []plan.Sign{{Member: "passwordStatus", Values: []string{"2", "Pending"}}}}}}},
		{Key: "b", Step: "a", Effect: plan.Update, Object: "password", Name: "x", After: []string{"a"}, Ops: []plan.Op{{
			ID: "wait", Kind: plan.KindCall, Class: plan.Read, Call: &look, Await: &plan.Await{Row: row, Or: &row, Until: []plan.Sign{{Member: "passwordStatus", Values: []string{"1"}}, {Member: "changed", Values: []string{""}, Not: true}}, Within: 10 * time.Minute, What: "it is verified"},
		}}},
	}}
}

// TestWaitsAndSparesAreShown in every rendering, and are part of what is approved.
func TestWaitsAndSparesAreShown(t *testing.T) {
	p := waiting()
	spare, await := "not sent when passwordStatus is 2 or Pending", "until passwordStatus is 1 and changed is not empty; for 10m0s at most"
	markdown, err := p.Markdown(plan.MarkdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	document, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"text": p.Text(plan.TextOptions{}), "markdown": markdown, "json": string(document)} {
		flat := strings.Join(strings.Fields(strings.ReplaceAll(text, "`", "")), " ")
		if !strings.Contains(flat, spare) || !strings.Contains(flat, await) {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	if !strings.Contains(p.Text(plan.TextOptions{}), `account "CONTOSO\svc \"x\""`) {
		t.Errorf("the name is written otherwise:\n%s", p.Text(plan.TextOptions{}))
	}
	before, _ := p.Digest()
	p.Actions[0].Ops[0].Spare = nil
	if after, _ := p.Digest(); after == before {
		t.Error("a plan without its spare has the same digest")
	}
	if !p.Actions[1].Waits() || p.Actions[0].Waits() || (plan.Action{}).Waits() {
		t.Error("what waits is told otherwise")
	}
}
