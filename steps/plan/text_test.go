package plan_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"npsetup/steps/plan"
)

func TestTextIsGolden(t *testing.T) {
	p := everything()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	golden(t, "everything.golden", p.Text(plan.TextOptions{}))
	golden(t, "everything-calls.golden", p.Text(plan.TextOptions{Calls: true}))
	golden(t, "manual.golden", plan.ManualText(manualAction(), 0)+plan.ManualText(profileAction(), 0)+plan.ManualText(userAction(), 0))
}

func TestDocumentIsGolden(t *testing.T) {
	raw, err := everything().Document()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "everything.json.golden", string(raw))
}

func TestTextOfNothing(t *testing.T) {
	p := plan.Plan{Title: "Netwrix Auditor", Server: "https://nps/", Actions: []plan.Action{userAction()}}
	text := p.Text(plan.TextOptions{})
	if !strings.HasSuffix(text, "\nnothing to change: everything is as wanted\n") || strings.Contains(text, "version") {
		t.Error(text)
	}
}

// hostile is what a server, or whoever names things on it, may send.
const hostile = "x\x1b[2J\x1b]52;c;cGF5bG9hZA==\a\u202egpj.exe\u009b31m\u2028\r\n\x7f\x00\U000e0041y"

// hostilePlan holds it in every text there is.
func hostilePlan() plan.Plan {
	p := everything()
	p.Guide = "auditor"
	spoil(&p)
	return p
}

// spoil puts the hostile text wherever there is text.
func spoil(p *plan.Plan) { spoilWith(p, hostile) }

func spoilWith(p *plan.Plan, hostile string) {
	ref := plan.Ref{Action: "connection-profile", Output: "id" + hostile, What: hostile}
	p.Title, p.Server, p.Version, p.Identity, p.AnswersDir = hostile, hostile, hostile, hostile, hostile
	p.Answers = map[string]string{"a": hostile, hostile: "a"}
	p.Warnings, p.Sends = []string{hostile}, []string{hostile}
	for i := range p.Actions {
		a := &p.Actions[i]
		a.Object, a.Name, a.Why, a.Article, a.UndoNote, a.Assumption = hostile, hostile, hostile, hostile, hostile, hostile
		a.Notes, a.Consents, a.Step = []string{hostile}, []string{hostile}, "step"+hostile
		a.Difference = append(a.Difference, plan.Difference{Label: hostile, Field: hostile, From: hostile, To: hostile, Mark: hostile})
		a.Twin = &plan.Manual{Where: hostile, Clicks: []plan.Click{{Text: hostile, Lines: []string{hostile}}}}
		for j := range a.Ops {
			spoilOp(&a.Ops[j], ref, hostile)
		}
		a.Undo = append(a.Undo, a.Ops...)
	}
}

func spoilOp(op *plan.Op, ref plan.Ref, hostile string) {
	labeled := []plan.Labeled{{Label: hostile, Value: hostile}}
	op.Assumed = hostile
	switch op.Kind {
	case plan.KindCall:
		op.Call.Params = append(op.Call.Params, plan.Param{Name: "q", Value: plan.String(hostile)}, plan.Param{Name: "r", Value: ref})
		op.Call.Body = plan.Object{{Name: hostile, Value: plan.String(hostile)}, {Name: "ref", Value: ref}}
		op.Lookup = &plan.Lookup{Call: *op.Call, Member: hostile, Value: hostile}
		op.Outputs = []plan.Output{{Name: hostile, Pointer: hostile}}
	case plan.KindFile:
		op.File.Path, op.File.Source, op.File.Content = hostile, hostile, plan.String(hostile)
	case plan.KindStore:
		op.Store = &plan.Store{Store: hostile, Thumbprint: hostile, SHA256: hostile, Subject: hostile, Does: []string{hostile}, Needs: hostile}
	case plan.KindRemote:
		op.Remote = &plan.Remote{Host: hostile, User: hostile, HostKey: hostile, SignIn: hostile, Store: plan.Store{Store: hostile, Thumbprint: hostile, SHA256: hostile, Subject: hostile, Does: []string{hostile}, Needs: hostile}}
	case plan.KindSession:
		op.Session = &plan.Session{Activity: hostile, Resource: hostile, Login: hostile, Marker: hostile}
	case plan.KindManual:
		op.Manual = &plan.Manual{Where: hostile, Version: hostile, Note: hostile, Clicks: []plan.Click{{Text: hostile, Values: labeled}}, Check: hostile, Proof: hostile, Values: labeled}
	}
}

func harmless(t *testing.T, where, text string) {
	t.Helper()
	for i, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029') {
			t.Errorf("%s holds %U: %q", where, r, text[max(0, i-40):min(len(text), i+40)])
			return
		}
	}
}

func TestTextFromServersIsHarmless(t *testing.T) {
	p := hostilePlan()
	lines := strings.Count(everything().Text(plan.TextOptions{}), "\n")
	for _, o := range []plan.TextOptions{{}, {Calls: true}} {
		text := p.Text(o)
		harmless(t, "Text", text)
		if n := strings.Count(text, "\n"); n < lines {
			t.Errorf("%d lines, fewer than the harmless plan's %d", n, lines)
		}
		for _, line := range strings.Split(text, "\n") {
			if strings.HasPrefix(line, "y") { // what stands behind a line break of the server's
				t.Errorf("a server began the line %q", line)
			}
		}
	}
	raw, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	harmless(t, "Document", string(raw))
	var d struct {
		Title   string
		Actions []struct{ Name string }
	}
	if err := json.Unmarshal(raw, &d); err != nil || d.Title != hostile || d.Actions[0].Name != hostile {
		t.Errorf("the document says otherwise than the plan: %q %v", d.Title, err)
	}
	saved, err := plan.ReadSaved(raw)
	if err != nil || saved.Digest != saved.Claimed || saved.Server != hostile {
		t.Errorf("%+v %v", saved, err)
	}
	harmless(t, "Summary", p.Summary())
	for _, a := range p.Actions {
		harmless(t, "ManualText", plan.ManualText(a, 0))
		for _, op := range a.Ops {
			harmless(t, "Op.Text", op.Text())
		}
	}
}

func TestSecretsStandInNoPlan(t *testing.T) {
	p := everything()
	raw, err := p.Document()
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range map[string]string{"Document": string(raw), "Text": p.Text(plan.TextOptions{Calls: true})} {
		if strings.Contains(text, marker) {
			t.Errorf("%s holds a secret", where)
		}
		if !strings.Contains(text, "(secret: password of svc-nps)") {
			t.Errorf("%s does not name the secret", where)
		}
	}
	if !strings.Contains(string(raw), "(secret: API key of NetwrixAuditor)") {
		t.Error("the secret of the file is not named")
	}
}

func TestTextShowsBlanksAsTheyAre(t *testing.T) {
	for value, want := range map[string]string{
		"":                `""`,
		"plain":           "plain",
		"a b":             "a b",
		" before":         `" before"`,
		"after ":          `"after "`,
		"two  blanks":     `"two  blanks"`,
		"two\nlines":      `"two\nlines"`,
		"zero\u200bwidth": `"zero\u200bwidth"`,
	} {
		p := plan.Plan{Actions: []plan.Action{{Key: "a", Difference: []plan.Difference{{Label: strings.Repeat("long ", 18) + "label", To: value}}}}}
		if text := p.Text(plan.TextOptions{}); !strings.Contains(text, want+"\n") {
			t.Errorf("%q: %s", value, text)
		}
	}
}

func TestLinesAreWrapped(t *testing.T) {
	a := plan.Action{Key: "a", Why: strings.Repeat("word ", 60), Notes: []string{strings.Repeat("x", 150) + " and more"}}
	for _, line := range strings.Split(plan.Plan{Actions: []plan.Action{a}}.Text(plan.TextOptions{}), "\n") {
		if n := len([]rune(line)); n > 100 && !strings.Contains(line, "xxx") {
			t.Errorf("%d columns: %s", n, line)
		}
		if line != strings.TrimRight(line, " ") {
			t.Errorf("blanks at the end of %q", line)
		}
	}
}

func TestOpTextOfAnUnknownKind(t *testing.T) {
	if got := (plan.Op{Kind: plan.Kind(99)}).Text(); got != "unknown operation" {
		t.Error(got)
	}
}
