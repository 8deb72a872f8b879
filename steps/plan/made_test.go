package plan_test

import (
	"strings"
	"testing"

	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

// madeAction makes each thing that can be made.
func madeAction() plan.Action {
	const dir = "/home/admin/it's/"
	file := func(id, name string, mode uint32, m plan.Made) plan.Op {
		return plan.Op{ID: id, Kind: plan.KindFile, Class: plan.Change, Repeat: plan.ByName, File: &plan.File{Path: dir + name, Mode: mode, Make: &m}}
	}
	cer := file("cer", "NetwrixAuditor.cer", 0o644, plan.Made{What: plan.MakeSelfSigned, Name: "NetwrixAuditor", Key: dir + "NetwrixAuditor.key", Days: 730})
	cer.Outputs = []plan.Output{{Name: plan.SerialOutput}, {Name: plan.ThumbprintOutput}}
	return plan.Action{
		Key: "certificate", Step: "certificate", Effect: plan.Create, Object: "client certificate", Name: "NetwrixAuditor",
		Ops: []plan.Op{
			file("key", "NetwrixAuditor.key", 0o600, plan.Made{What: plan.MakeKey, KeyType: "rsa-3072"}),
			cer,
			file("req", "NetwrixAuditor.req", 0o644, plan.Made{What: plan.MakeRequest, Name: "NetwrixAuditor", Key: dir + "NetwrixAuditor.key"}),
			file("leaf", "leaf.cer", 0o644, plan.Made{What: plan.MakeCertificate, From: []string{dir + "answer.p7b"}, SHA256: "ab12"}),
			file("pfx", "NetwrixAuditor.pfx", 0o600, plan.Made{
				What: plan.MakePFX, Key: dir + "NetwrixAuditor.key", From: []string{dir + "answer.p7b", dir + "root.cer"}, SHA256: "ab12", Encryption: "modern",
				Passphrase: &plan.SecretLeaf{Name: "passphrase of the PFX", Secret: secret.New(marker)},
			}),
			file("open", "open.pfx", 0o600, plan.Made{What: plan.MakePFX, Key: dir + "NetwrixAuditor.key", From: []string{dir + "NetwrixAuditor.cer"}, Encryption: "legacy"}),
		},
		Undo: []plan.Op{{ID: "delete-key", Kind: plan.KindFile, Class: plan.Change, File: &plan.File{Path: dir + "NetwrixAuditor.key", Mode: 0o600, Source: "the private key", Remove: true}}},
	}
}

// submitAction is done when its file is there, and needs what is made.
func submitAction() plan.Action {
	return plan.Action{
		Key: "certificate/submit", Step: "certificate", Effect: plan.ByHand, Object: "certificate", Name: "CA's answer", After: []string{"certificate"},
		Ops: []plan.Op{{ID: "manual", Kind: plan.KindManual, Class: plan.Change, Manual: &plan.Manual{
			Where: "the CA", Clicks: []plan.Click{{Text: "Submit the request."}}, Proof: "the file is read", Awaits: "/home/admin/answer.p7b",
			About: plan.Ref{Action: "certificate", Output: plan.ThumbprintOutput, What: "the new client certificate"},
		}}},
	}
}

// TestAPlanWithMadeThingsHidesTheirSecret: the passphrase stands in the plan by its name only, in every rendering.
func TestAPlanWithMadeThingsHidesTheirSecret(t *testing.T) {
	p := plan.Plan{Actions: []plan.Action{madeAction()}}
	doc, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	ticket, err := p.Markdown(plan.MarkdownOptions{})
	if err != nil {
		t.Fatal(err)
	}
	script, err := p.Curl(plan.CurlOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"JSON": string(doc), "ticket": ticket, "script": script, "text": p.Text(plan.TextOptions{Calls: true})} {
		if strings.Contains(text, marker) {
			t.Errorf("%s: the passphrase is shown", name)
		}
		if name != "script" && !strings.Contains(strings.Join(strings.Fields(text), " "), "passphrase of the PFX") {
			t.Errorf("%s does not name the passphrase:\n%s", name, text)
		}
	}
	if len(p.CurlNeeds()) != 1 {
		t.Errorf("the script wants %v, and makes nothing", p.CurlNeeds())
	}
}

// TestEveryPartOfAMadeThingIsInTheDigest changes one part after the other.
func TestEveryPartOfAMadeThingIsInTheDigest(t *testing.T) {
	digests := map[string]string{}
	for name, change := range map[string]func(*plan.Made){
		"nothing": func(*plan.Made) {}, "what": func(m *plan.Made) { m.What = plan.MakeRequest }, "name": func(m *plan.Made) { m.Name = "x" },
		"type": func(m *plan.Made) { m.KeyType = "x" }, "days": func(m *plan.Made) { m.Days = 1 }, "key": func(m *plan.Made) { m.Key = "x" },
		"from": func(m *plan.Made) { m.From = []string{"x"} }, "sum": func(m *plan.Made) { m.SHA256 = "x" }, "encryption": func(m *plan.Made) { m.Encryption = "x" },
		"passphrase": func(m *plan.Made) { m.Passphrase = &plan.SecretLeaf{Name: "x"} },
	} {
		a := madeAction()
		change(a.Ops[1].File.Make)
		digest, err := plan.Plan{Actions: []plan.Action{a}}.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if other, twice := digests[digest]; twice {
			t.Errorf("%s and %s have one digest", name, other)
		}
		digests[digest] = name
	}
}

// TestWhatWaitsForAFileIsNotDoable: its own page is, what needs it is not.
func TestWhatWaitsForAFileIsNotDoable(t *testing.T) {
	later := manualAction()
	later.After = []string{"certificate/submit"}
	free := manualAction()
	free.Key, free.After = "free", nil
	var keys []string
	for _, a := range (plan.Plan{Actions: []plan.Action{madeAction(), submitAction(), later, free}}).Doable() {
		keys = append(keys, a.Key)
	}
	if got := strings.Join(keys, " "); got != "certificate/submit free" {
		t.Errorf("doable are %s", got)
	}
}

// TestAFileHasOneContent refuses a file that is nothing, or two things.
func TestAFileHasOneContent(t *testing.T) {
	for _, f := range []plan.File{{Path: "x"}, {Path: "x", Content: plan.String("a"), Make: &plan.Made{}}, {Path: "x", Content: plan.String("a"), Remove: true}} {
		p := plan.Plan{Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "f", Kind: plan.KindFile, File: &f}}}}}
		if err := p.Check(); err == nil {
			t.Errorf("%+v passes", f)
		}
	}
}
