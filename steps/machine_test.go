package steps_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"npsetup/steps"
)

// anyGuide makes a guide with up to six steps, some of which apply only for an answer of an earlier one.
func anyGuide(t *rapid.T) steps.Guide {
	g := steps.Guide{ID: "any", Title: "Any"}
	n := rapid.IntRange(1, 6).Draw(t, "steps")
	for i := range n {
		s := steps.Step{ID: fmt.Sprintf("s%d", i), Title: fmt.Sprintf("Step %d", i)}
		if i > 0 && rapid.Bool().Draw(t, "conditional") {
			key := fmt.Sprintf("k%d.0", rapid.IntRange(0, i-1).Draw(t, "on"))
			s.Applies = func(a steps.Answers) bool { return a.Text(key) != "hide" }
		}
		for f := range rapid.IntRange(0, 2).Draw(t, "fields") {
			field := steps.Field{Key: fmt.Sprintf("k%d.%d", i, f), Prompt: "?", Optional: rapid.Bool().Draw(t, "optional")}
			field.Kind = rapid.SampledFrom([]steps.Kind{steps.Text, steps.Number, steps.Switch}).Draw(t, "kind")
			if f > 0 && rapid.Bool().Draw(t, "asked when") {
				first := fmt.Sprintf("k%d.0", i)
				field.When = func(a steps.Answers) bool { return a.Text(first) != "hide" }
			}
			s.Fields = append(s.Fields, field)
		}
		g.Steps = append(g.Steps, s)
	}
	return g
}

// TestMachineKeepsItsPromises walks random guides by random keys.
func TestMachineKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := anyGuide(t)
		m := steps.NewMachine(g, nil, "")
		typed := map[string]string{}
		var keys []string
		for _, s := range g.Steps {
			for _, f := range s.Fields {
				keys = append(keys, f.Key)
			}
		}
		for range rapid.IntRange(1, 30).Draw(t, "actions") {
			before := m
			switch rapid.IntRange(0, 5).Draw(t, "action") {
			case 0, 1:
				if len(keys) > 0 {
					key := rapid.SampledFrom(keys).Draw(t, "key")
					typed[key] = rapid.SampledFrom([]string{"", "x", "7", "true", "hide", " half"}).Draw(t, "draft")
					m = m.Set(key, typed[key])
				}
			case 2:
				next, faults := m.Next()
				if len(faults) > 0 && next.Current().ID != before.Current().ID {
					t.Fatalf("Next passed the step %s with faults %v", before.Current().ID, faults)
				}
				if len(before.Faults(before.Current())) > 0 && len(faults) == 0 && next.Current().ID != before.Current().ID && !isSkipped(before) {
					t.Fatalf("Next said nothing of the faults of %s", before.Current().ID)
				}
				m = next
			case 3:
				back, moved := m.Back()
				if n, _ := m.Position(); moved != (n > 1) {
					t.Fatalf("Back moved: %v, on step %d", moved, n)
				}
				m = back
			case 4:
				id := rapid.SampledFrom(g.Steps).Draw(t, "to").ID
				to, err := m.Jump(id)
				if err == nil && to.Current().ID != id {
					t.Fatalf("jumped to %s and stands on %s", id, to.Current().ID)
				}
				m = to
			case 5:
				m, _ = m.Skip()
			}
			holds(t, m, typed)
		}
		raw, err := m.Save()
		if err != nil {
			t.Fatal(err)
		}
		again, err := steps.LoadMachine(g, raw, "")
		if err != nil {
			t.Fatal(err)
		}
		if again.Current().ID != m.Current().ID || !maps.Equal(again.Drafts(), m.Drafts()) || fmt.Sprint(places(again)) != fmt.Sprint(places(m)) {
			t.Fatalf("saved %s and loaded another state", raw)
		}
	})
}

func isSkipped(m steps.Machine) bool {
	for _, p := range m.Overview() {
		if p.Step.ID == m.Current().ID {
			_, skipErr := m.Skip()
			return skipErr == nil
		}
	}
	return false
}

func places(m steps.Machine) []steps.Place {
	var ps []steps.Place
	for _, p := range m.Overview() {
		ps = append(ps, p.Place)
	}
	return ps
}

func holds(t *rapid.T, m steps.Machine, typed map[string]string) {
	for key, draft := range typed {
		if m.Drafts()[key] != draft {
			t.Fatalf("the draft %q of %s is lost", draft, key)
		}
	}
	if n, of := m.Position(); len(m.Guide().Applying(m.Answers())) > 0 && (n < 1 || n > of) {
		t.Fatalf("on a hidden step: %d of %d", n, of)
	}
	asked := map[string]bool{}
	for _, s := range m.Guide().Applying(m.Answers()) {
		for _, f := range s.Fields {
			if f.Asked(m.Answers()) {
				asked[f.Key] = true
			}
		}
	}
	last := -1
	for _, q := range m.Questions() {
		if !asked[q.Key] {
			t.Fatalf("%s is asked and does not apply", q.Key)
		}
		delete(asked, q.Key)
		var i, j int
		if _, err := fmt.Sscanf(q.Key, "k%d.%d", &i, &j); err != nil || i*10+j <= last {
			t.Fatalf("%s is asked out of order", q.Key)
		}
		last = i*10 + j
	}
	if len(asked) > 0 {
		t.Fatalf("not asked: %v", asked)
	}
}

// TestSecretsAreNotSaved holds for codes, for what is no reference, and for a secret typed into an MFA answer.
func TestSecretsAreNotSaved(t *testing.T) {
	g := steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s", Fields: []steps.Field{
		{Key: "code", Kind: steps.Code},
		{Key: "password", Kind: steps.SecretField},
		{Key: "mfa", Refers: true, Check: func(v string) error {
			if !strings.HasPrefix(v, "totp:env:") {
				return fmt.Errorf("no")
			}
			return nil
		}},
		{Key: "url", Check: never},
		{Key: "key", Kind: steps.FileField, Check: never},
		{Key: "trust", Kind: steps.Fingerprint, Check: never},
		{Key: "hosts", Kind: steps.Multi, Check: never},
		{Key: "n", Kind: steps.Number},
		{Key: "name"},
		{Key: "checked", Check: func(string) error { return nil }},
	}}}}
	m := steps.NewMachine(g, nil, "").Set("code", "S3CR3T").Set("password", "S3CR3T").Set("mfa", "totp:S3CR3T").Set("url", "https://admin:S3CR3T@nps").Set("key", "-----BEGIN PRIVATE KEY----- S3CR3T")
	raw, err := m.Save()
	if err != nil || strings.Contains(string(raw), "S3CR3T") {
		t.Errorf("saved %s, %v", raw, err)
	}
	for _, half := range []string{"https://admin:S3CR3T", "https://admin:S3CR3T/x@nps", "https://[::1]:S3CR3T"} {
		if raw, _ := m.Set("url", half).Save(); strings.Contains(string(raw), "S3CR3T") {
			t.Errorf("saved %s", raw)
		}
	}
	for _, typed := range []string{"https://nps:65", "https://[fe80::1]:6500/x", "https://nps.contoso.com:6500/p"} {
		if raw, _ := m.Set("url", typed).Save(); !strings.Contains(string(raw), typed) {
			t.Errorf("%s is not in %s", typed, raw)
		}
	}
	for _, key := range []string{"url", "key", "trust", "hosts", "n"} {
		for _, typed := range secretsInAnswers() {
			if raw, err := m.Set(key, typed).Save(); err != nil || strings.Contains(string(raw), "S3CR3T") || strings.Contains(string(raw), "123456") {
				t.Errorf("%s: saved %s, %v", key, raw, err)
			}
		}
	}
	for _, typed := range []string{
		"eyJhbGciOiJSUzI1NiJ9.S3CR3T.sig", "https://eyJhbGciOiJSUzI1NiJ9.S3CR3T.sig:6500/", "zU9S3CR3TkqT7vB2xW4yN8mL0pR3sD5fG1hJ",
	} {
		for _, key := range []string{"name", "checked"} { // where every text is an answer, that of another page is pasted too
			if raw, _ := m.Set(key, typed).Save(); strings.Contains(string(raw), "S3CR3T") {
				t.Errorf("%s: saved %s", key, raw)
			}
		}
	}
	raw, _ = m.Set("password", "env:NAME").Save()
	if !strings.Contains(string(raw), "env:NAME") {
		t.Errorf("a reference was not saved: %s", raw)
	}
}

// secretsInAnswers are secrets as they get into the wrong field, whole or half-typed.
func secretsInAnswers() []string {
	return []string{
		"admin:S3CR3T@nps.contoso.com:6500", `CONTOSO\admin:S3CR3T@nps.contoso.com`, "admin:S3CR3T", `CONTOSO\admin:S3CR3T`, "https:/admin:S3CR3T@nps", "https//admin:S3CR3T@nps",
		"https:/admin:S3CR3T", "https//admin:S3CR3T", "https://nps/?access_token=S3CR3T", "https://nps/#token=S3CR3T", "https://admin:123456", "admin:123456", "S3CR3T@nps", "S3CR3T!",
		"eyJhbGciOiJSUzI1NiJ9.S3CR3T.sig", "eyJhbGciOiJSUzI1NiJ9.S3CR3T.sig:bm90aGluZw==", "zU9S3CR3TkqT7vB2xW4yN8mL0pR3sD5fG1hJ", "zU9S3CR3T-kqT7vB2xW4yN8mL0pR3sD5fG1_J", "dc01\nadmin:S3CR3T",
		"https://[::1]:S3CR3T", "https://[S3CR3T", "c:S3CR3T", "pin:S3CR3T", "ca:admin:S3CR3T", "https://nps:6500:S3CR3T",
	}
}

func never(string) error { return fmt.Errorf("not valid") }

// TestBeginningsOfAnswersAreSaved: addresses, paths, names and pins that are being typed are there again.
func TestBeginningsOfAnswersAreSaved(t *testing.T) {
	const pin = "3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c"
	g := steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s", Fields: []steps.Field{
		{Key: "text", Check: never},
		{Key: "file", Kind: steps.FileField, Check: never},
		{Key: "trust", Kind: steps.Fingerprint, Check: never},
		{Key: "pinned", Kind: steps.Fingerprint, Check: func(string) error { return nil }},
		{Key: "host key", Check: func(string) error { return nil }},
	}}}}
	for key, texts := range map[string][]string{
		"text":   {"h", "https", "https:", "https://", "nps.contoso.com:", "nps.contoso.com:6500", "http://nps.contoso.com:6500/", "https://nps-production-europe-west-2.contoso.com:65", "https://[fe80::", "10.0.0.1", `CONTOSO\svc-auditor`, "Nüwrix (Bücher)", "9.x"},
		"file":   {"file:", "file:/etc/x.cer", `C:\keys\auditor.cer`, "c:", "~/x", "./Certificate of KeyJob.cer"},
		"trust":  {"s", "sys", "pin", "pin:sha256:3f1c", "ca:", "ca:/etc/ssl/ca.pem", `ca:C:\ca.pem`},
		"pinned": {"pin:sha256:" + pin}, "host key": {"SHA256:zU9qkqT7vB2xW4yN8mL0pR3sD5fG1hJzU9qkqT7vB2x"},
	} {
		for _, text := range texts {
			m := steps.NewMachine(g, nil, "").Set(key, text)
			raw, err := m.Save()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := steps.LoadMachine(g, raw, ""); err != nil || again.Drafts()[key] != text {
				t.Errorf("%s: %q is not in %s (%v)", key, text, raw, err)
			}
		}
	}
}

// TestHalfTypedAnswersAreSaved: what is not valid yet is an answer that is being typed.
func TestHalfTypedAnswersAreSaved(t *testing.T) {
	g := steps.Guide{ID: "g", Steps: []steps.Step{
		{ID: "s", Fields: []steps.Field{{Key: "url", Check: never}, {Key: "n", Kind: steps.Number}, {Key: "hosts", Kind: steps.Multi, Check: never}}},
		{ID: "t", Fields: []steps.Field{{Key: "x"}}},
	}}
	m := steps.NewMachine(g, nil, "/x").Set("url", "https:/").Set("n", "6o").Set("hosts", "dc01\ndc")
	raw, err := m.Save()
	if err != nil {
		t.Fatal(err)
	}
	again, err := steps.LoadMachine(g, raw, "")
	if err != nil || !again.Same(m) || !maps.Equal(again.Drafts(), map[string]string{"url": "https:/", "n": "6o", "hosts": "dc01\ndc"}) {
		t.Errorf("%v, %v from %s", again.Drafts(), err, raw)
	}
	ready := steps.NewMachine(g, map[string]string{"url": "u"}, "/x")
	for name, other := range map[string]steps.Machine{"a draft": ready.Set("url", "v"), "another draft": ready.Set("n", "1"), "the folder": steps.NewMachine(g, map[string]string{"url": "u"}, "/y")} {
		if ready.Same(other) {
			t.Errorf("%s makes no difference", name)
		}
	}
	free := steps.NewMachine(steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s"}, {ID: "t"}}}, nil, "")
	if next, _ := free.Next(); free.Same(next) {
		t.Error("the step makes no difference")
	}
	if skipped, err := free.Skip(); err != nil || skipped.Same(free) {
		t.Errorf("that a step was left out makes no difference (%v)", err)
	}
}
