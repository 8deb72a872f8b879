package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"npsetup/steps/problem"
)

// MarkdownOptions is what a change ticket says besides its plan. The zero value is fine.
type MarkdownOptions struct {
	File    string            // the plan file that the approval is for; empty: none was written
	Account string            // who signs in to the server
	Risks   map[string]string // what each risk that may be accepted means, by name
}

// Markdown renders a plan as a change ticket: everything that will happen, by whom, on which systems, what it rests on and how
// it is taken back, with the digest that binds a signature to exactly this. It shows what Document holds, in other words.
func (p Plan) Markdown(o MarkdownOptions) (string, error) {
	digest, err := p.Digest()
	if err != nil {
		return "", err
	}
	t := &ticket{}
	t.line("# Change request: %s", words(p.Title))
	t.purpose(p)
	t.systems(p, o)
	t.approval(digest, o)
	t.summary(p)
	if warnings := p.AllWarnings(); len(warnings) > 0 {
		t.line("## Warnings")
		for _, w := range warnings {
			t.item("- %s", words(w))
		}
		t.end()
	}
	t.secrets(p)
	t.risks(p, o)
	t.line("## Actions, in order")
	for i, a := range p.Actions {
		t.action(i+1, a)
	}
	t.undoing(p)
	return strings.TrimRight(t.String(), "\n") + "\n", nil
}

func (t *ticket) purpose(p Plan) {
	t.line("## Purpose")
	t.line("%s. The change follows the vendor's article step by step; each action below names its paragraph and why it is needed.", words(p.Title))
	t.item("- Guide: %s", code(p.Guide))
	t.item("- Application: %s", code(p.Identity))
	t.item("- Extent: %s", words(p.Summary()))
	t.end()
}

func (t *ticket) systems(p Plan, o MarkdownOptions) {
	t.line("## Systems")
	t.head("system", "version", "changed by", "account")
	account := o.Account
	if account == "" {
		account = p.Answers["nps.signIn.user"]
	}
	t.row(cell(p.Server), cell(p.Version), "npsetup, by API", cell(account))
	for _, where := range places(p) {
		t.row(words(where), "", "a person, by hand", "")
	}
	t.end()
}

// places lists where a person has something to do, each once.
func places(p Plan) []string {
	var list []string
	for _, a := range p.Actions {
		if m := a.Manual(); m != nil && !slices.Contains(list, m.Where) {
			list = append(list, m.Where)
		}
	}
	return list
}

func (t *ticket) approval(digest string, o MarkdownOptions) {
	t.line("## Approval")
	t.line("Digest: %s", code(digest))
	file := o.File
	if file == "" {
		t.line("The digest covers every request below, with secrets by their names. Write the plan file with `npsetup plan -f ANSWERS --out FILE`: as long as nothing has changed, it has the same digest. This carries out exactly this, and nothing if the server, the answers or the file have changed since:")
		file = "FILE"
	} else {
		t.line("The digest covers every request below, with secrets by their names. This carries out exactly this, and nothing if the server, the answers or the file have changed since:")
	}
	t.fence("sh", "npsetup apply --plan "+ShellWord(file)+" --approve "+digest)
	t.head("approved by", "date", "signature")
	t.row("", "", "")
	t.end()
}

func (t *ticket) summary(p Plan) {
	t.line("## Summary")
	t.head("no.", "effect", "object", "name", "step", "why")
	for i, a := range p.Actions {
		t.row(fmt.Sprint(i+1), effectWord(a.Effect), words(a.Object), cell(a.Name), cell(a.Step), words(a.Why))
	}
	t.end()
}

// effectWord is an effect as the products and their admins call it.
func effectWord(e Effect) string {
	switch e {
	case ByHand:
		return "by hand"
	case Adopt:
		return "take over as it is"
	case Restore:
		return "bring back"
	case Create, Update, Delete:
	}
	return e.String()
}

// secrets says which secrets leave, and where they go.
func (t *ticket) secrets(p Plan) {
	var named []string
	for _, a := range p.Actions {
		for _, op := range a.Ops {
			for _, s := range append(op.secretLeaves(), op.sessionSecrets()...) {
				if !slices.Contains(named, s.Name) {
					named = append(named, s.Name)
				}
			}
		}
	}
	t.line("## Secrets")
	for _, s := range p.Sends {
		t.item("- %s", words(s))
	}
	for _, s := range named {
		t.item("- %s is used where an action below names it, and nowhere else", code(s))
	}
	if len(p.Sends)+len(named) == 0 {
		t.item("- No request below holds a secret. The sign-in goes to %s and nowhere else.", code(p.Server))
	}
	t.end()
}

func (t *ticket) risks(p Plan, o MarkdownOptions) {
	by := map[string][]string{}
	var names []string
	for i, a := range p.Actions {
		for _, c := range a.Consents {
			if by[c] == nil {
				names = append(names, c)
			}
			by[c] = append(by[c], fmt.Sprint(i+1))
		}
	}
	t.line("## Risks and consents")
	if len(names) == 0 {
		t.line("No action needs the consent to a named risk.")
		return
	}
	sort.Strings(names)
	t.head("risk", "accepted for action", "what it means")
	for _, n := range names {
		t.row(cell(n), strings.Join(by[n], ", "), words(o.Risks[n]))
	}
	t.end()
}

func (t *ticket) action(n int, a Action) {
	t.line("### %d. %s: %s %s", n, sentence(effectWord(a.Effect)), words(a.Object), code(a.Name))
	t.item("- Step: %s", code(a.Step))
	if a.Why != "" {
		t.item("- Why: %s", words(a.Why))
	}
	if a.Article != "" {
		t.item("- Article: %s", words(a.Article))
	}
	if needs := a.Needs(); len(needs) > 0 {
		sort.Strings(needs)
		spans := make([]string, len(needs))
		for i, need := range needs {
			spans[i] = code(need)
		}
		t.item("- Needs: %s", strings.Join(spans, ", "))
	}
	if len(a.Consents) > 0 {
		t.item("- Accepted risk: %s", words(strings.Join(a.Consents, ", ")))
	}
	for _, note := range a.Notes {
		t.item("- Note: %s", words(note))
	}
	t.end()
	t.differences(a.Difference)
	for _, op := range a.Ops {
		t.op(op)
	}
	t.assumed(a)
	t.undo(a)
}

func sentence(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func (t *ticket) differences(ds []Difference) {
	if len(ds) == 0 {
		return
	}
	t.head("setting", "field", "now", "then", "how sure")
	for _, d := range ds {
		now, then := cell(d.From), cell(d.To)
		if then == "" {
			then = code("")
		}
		t.row(words(d.Label), cell(d.Field), now, then, words(d.Mark))
	}
	t.end()
}

func (t *ticket) op(op Op) {
	switch op.Kind {
	case KindCall:
		t.call(op)
	case KindManual:
		t.manual(*op.Manual)
	case KindSession:
		t.line("%s:", sentence(words(op.Text())))
		for _, part := range op.Parts() {
			t.call(part)
		}
	case KindFile:
		if op.File.Content == nil {
			t.line("%s.", sentence(words(op.Text())))
			return
		}
		t.line("%s:", sentence(words(op.Text())))
		t.fence("", fileText(op.File.Content))
	case KindStore, KindRemote:
		t.store(op)
	}
}

func (t *ticket) store(op Op) {
	parts := op.trusts().parts()
	if len(parts) == 0 {
		t.line("%s.", sentence(words(op.Text())))
		return
	}
	t.line("%s:", sentence(words(op.Text())))
	for _, part := range parts {
		t.item("- %s", words(part))
	}
	t.end()
}

// fileText is what a file will hold: lines as they are where that is harmless, else as a JSON string.
func fileText(v Value) string {
	raw := shown(v)
	var text string
	if json.Unmarshal(raw, &text) == nil && text == problem.PlainLines(text) {
		return strings.TrimSuffix(text, "\n")
	}
	return Pretty(raw)
}

func (t *ticket) call(op Op) {
	verb := map[Class]string{Read: "Reads", Auth: "Signs in", Probe: "Probes (changes nothing, and may leave a trace)", Change: "Sends"}[op.Class]
	if op.Guard != nil {
		t.line("Checked just before: %s. Otherwise nothing is sent.", code(guardText(op.Guard)))
	}
	if op.Spare != nil {
		t.line("Looked at just before: %s.", code(op.Spare.text()))
	}
	if op.Await != nil {
		t.line("Waits, as %s: %s", code(op.ID), code(op.Await.text()))
		return
	}
	t.line("%s, as %s:", verb, code(op.ID))
	block := problem.Plain(request(*op.Call))
	t.fence("http", block)
	if r := op.Call.Redacted(nil); r.Body != nil {
		t.fence("json", Pretty(r.Body))
	}
	if op.Lookup != nil {
		t.line("Found again, should its answer be lost: %s", code(op.Lookup.text()))
	}
}

func (t *ticket) assumed(a Action) {
	if a.Assumption != "" {
		t.line("**Assumed:** the vendor does not document this call: %s. It is tried once with this very object and read back; if the server does not offer it (404, 405), it is done by hand.", words(a.Assumption))
	}
	if a.Twin != nil && a.Effect != ByHand {
		t.line("Otherwise, by hand:")
		t.manual(*a.Twin)
	}
}

func (t *ticket) manual(m Manual) {
	where := words(m.Where)
	if m.Version != "" {
		where += " (menu names of " + words(m.Version) + ")"
	}
	t.line("Where: %s", where)
	if m.Note != "" {
		t.line("Note: %s", words(m.Note))
	}
	for i, c := range m.Clicks {
		t.item("%d. %s", i+1, words(c.Text))
		for _, v := range c.Values {
			t.item("%s- %s", strings.Repeat(" ", len(fmt.Sprint(i+1))+2), labeled(v))
		}
	}
	t.end()
	if rest := unnamed(m); len(rest) > 0 {
		t.line("Values:")
		for _, v := range rest {
			t.item("- %s", labeled(v))
		}
		t.end()
	}
	if m.Check != "" {
		t.line("Seen to work by: %s", words(m.Check))
	}
	if m.Proof != "" {
		t.line("Proof: %s", words(m.Proof))
	}
	if m.Awaits != "" {
		t.line("Awaited: the file %s", code(m.Awaits))
	}
}

// unnamed are the values that stand at no click.
func unnamed(m Manual) []Labeled {
	var rest []Labeled
	for _, v := range m.Values {
		if !slices.ContainsFunc(m.Clicks, func(c Click) bool { return slices.Contains(c.Values, v) }) {
			rest = append(rest, v)
		}
	}
	return rest
}

func labeled(v Labeled) string {
	if v.Fetch != nil {
		return words(v.Label) + ": a secret, fetched only when a person asks for it: " + code(request(*v.Fetch))
	}
	return words(v.Label) + ": " + code(v.Value)
}
