package plan_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	gmtext "github.com/yuin/goldmark/text"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

func TestMarkdownIsGolden(t *testing.T) {
	golden(t, "everything.md.golden", markdown(t, everything()))
}

func markdown(t *testing.T, p plan.Plan) string {
	t.Helper()
	text, err := p.Markdown(plan.MarkdownOptions{File: "change.json", Risks: map[string]string{"rotate-password": "the password is another one afterwards"}})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// ticket is what a reader of Markdown makes of a ticket.
type ticket struct {
	headings []string
	tables   [][][]string // table, row, cell
	blocks   []string     // literal text of code blocks
	items    int
	odd      []string // nodes that no ticket has: HTML, links, images
	plain    string   // all text
}

// read parses with what the usual readers have switched on: tables, strikethrough, task lists, and addresses made links.
func read(t *testing.T, source string) ticket {
	t.Helper()
	src := []byte(source)
	md := goldmark.New(goldmark.WithExtensions(extension.GFM, extension.Footnote, extension.DefinitionList), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	var r ticket
	err := ast.Walk(md.Parser().Parse(gmtext.NewReader(src)), func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			r.headings = append(r.headings, fmt.Sprintf("%d %s", n.Level, inner(n, src)))
		case *east.Table:
			var rows [][]string
			for row := n.FirstChild(); row != nil; row = row.NextSibling() {
				var cells []string
				for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
					cells = append(cells, inner(cell, src))
				}
				rows = append(rows, cells)
			}
			r.tables = append(r.tables, rows)
		case *ast.FencedCodeBlock:
			r.blocks = append(r.blocks, string(n.Lines().Value(src)))
		case *ast.ListItem:
			r.items++
		case *ast.RawHTML, *ast.HTMLBlock, *ast.Link, *ast.AutoLink, *ast.Image, *ast.Blockquote, *ast.ThematicBreak, *ast.CodeBlock, *east.Strikethrough, *east.TaskCheckBox, *east.FootnoteLink:
			r.odd = append(r.odd, n.Kind().String())
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	r.plain = inner(md.Parser().Parse(gmtext.NewReader(src)), src)
	return r
}

// inner is the text of a node as a person reads it.
func inner(n ast.Node, src []byte) string {
	var b strings.Builder
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			v := n.Value(src)
			if p := n.Parent(); p == nil || p.Kind() != ast.KindCodeSpan {
				v = unescape(v)
			}
			b.Write(v)
		case *ast.String:
			b.Write(n.Value)
		}
		return ast.WalkContinue, nil
	})
	return b.String()
}

var escapes = regexp.MustCompile(`\\([!-/:-@\[-` + "`" + `{-~])`)

func unescape(v []byte) []byte {
	return bytes.ReplaceAll(escapes.ReplaceAll(v, []byte("$1")), []byte("&#124;"), []byte("|"))
}

// pretty are the bodies of a plan's calls as they stand in a ticket.
func pretty(t *testing.T, p plan.Plan) []string {
	t.Helper()
	var list []string
	for _, a := range p.Actions {
		for _, op := range a.Ops {
			for _, part := range op.Parts() {
				if r := part.Call.Redacted(nil); r.Body != nil {
					list = append(list, plan.Pretty(r.Body)+"\n")
				}
			}
		}
	}
	return list
}

func TestMarkdownIsReadAsItIsMeant(t *testing.T) {
	p := everything()
	r := read(t, markdown(t, p))
	digest, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1 Change request: Netwrix Auditor", "2 Purpose", "2 Systems", "2 Approval", "2 Summary", "2 Warnings", "2 Secrets", "2 Risks and consents", "2 Actions, in order"}
	for i, a := range p.Actions {
		want = append(want, fmt.Sprintf("3 %d. %s: %s %s", i+1, map[plan.Effect]string{
			plan.Adopt: "Take over as it is", plan.Create: "Create", plan.Update: "Update", plan.Restore: "Bring back", plan.Delete: "Delete", plan.ByHand: "By hand",
		}[a.Effect], a.Object, a.Name))
	}
	want = append(want, "2 Undo")
	if got := strings.Join(r.headings, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the headings are\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	rectangular(t, r)
	if len(r.odd) > 0 {
		t.Errorf("it holds %v", r.odd)
	}
	blocks := strings.Join(r.blocks, "\x00")
	for _, body := range pretty(t, p) {
		if !strings.Contains(blocks, body) {
			t.Errorf("no code block holds\n%s", body)
		}
		if !json.Valid([]byte(body)) {
			t.Errorf("not JSON: %s", body)
		}
	}
	if !strings.Contains(blocks, "npsetup apply --plan 'change.json' --approve "+digest+"\n") {
		t.Error("no command carries exactly this out")
	}
	for _, say := range []string{
		"Checked just before: GET /api/v1/AccessControlPolicy/7f0c%2F11 still answers what the plan saw", "Assumed: the vendor does not document this call", "Otherwise, by hand",
		"nothing brings a deleted key back", "the password is another one afterwards", "password of svc-nps", "NPS, Policy > Connection Profiles",
	} {
		if !strings.Contains(r.plain, say) {
			t.Errorf("it does not say %q", say)
		}
	}
	if len(r.tables[1][0]) != 3 || len(r.tables[2]) != len(p.Actions)+1 || len(r.tables[2][0]) != 6 {
		t.Errorf("the summary is %v", r.tables[2])
	}
}

func rectangular(t *testing.T, r ticket) {
	t.Helper()
	for _, table := range r.tables {
		for _, row := range table {
			if len(row) != len(table[0]) {
				t.Errorf("a row of %d cells under %d headings: %q", len(row), len(table[0]), row)
			}
		}
	}
}

// nasties are names that Markdown would take for more than names.
func nasties() []string {
	return []string{
		"a|b", "a\\|b", "`x`", "``|``", "```", "`", "\\", "ends in \\", "|", "<script>alert(1)</script>", "<b onclick=x>", "[a](https://evil.example)", "![a](b)", "[a]: b",
		"https://evil.example/x", "www.evil.example", "me@evil.example", "<https://evil.example>", "*b* _i_ ~~s~~ **", "# heading", "1. one", "- item", "+ item", "> quote", "---", "===", "***", "    indented",
		"[x] task", "[^1]", "&lt;b&gt; &#124;", "a\n\n# heading\n\n| x |", "a\r\n```\nout", "$x$", "{.class}", "::: note", "\x1b[2J", "|---|", "", " ", "\t", hostile,
	}
}

// TestMarkdownTakesNamesForNames puts each nasty name into every text, one at a time.
func TestMarkdownTakesNamesForNames(t *testing.T) {
	calm := read(t, markdown(t, spoilt("calm")))
	for _, nasty := range nasties() {
		p := spoilt(nasty)
		text := markdown(t, p)
		harmless(t, fmt.Sprintf("Markdown of %q", nasty), text)
		r := read(t, text)
		if len(r.odd) > 0 {
			t.Errorf("%q made %v", nasty, r.odd)
		}
		rectangular(t, r)
		if len(r.headings) != len(calm.headings) || len(r.tables) != len(calm.tables) || len(r.blocks) != len(calm.blocks) || nasty != "" && r.items != calm.items {
			t.Errorf("%q changes what there is: %d headings, %d tables, %d blocks, %d items; without it %d, %d, %d, %d", nasty,
				len(r.headings), len(r.tables), len(r.blocks), r.items, len(calm.headings), len(calm.tables), len(calm.blocks), calm.items)
		}
		blocks := strings.Join(r.blocks, "\x00")
		for _, body := range pretty(t, p) {
			if !strings.Contains(blocks, body) {
				t.Errorf("%q: no code block holds\n%s", nasty, body)
			}
		}
		// A reader fills short rows and cuts long ones: only what the cells say tells whether a row fell apart.
		for i, row := range summaryOf(r) {
			if a := p.Actions[i]; nasty != "" && nasty == strings.Join(strings.Fields(problem.Plain(nasty)), " ") && !strings.Contains(nasty, "&") && (row[3] != a.Name || row[4] != a.Step || row[5] != a.Why) {
				t.Errorf("%q: the summary says %q", nasty, row)
			}
		}
		if shown := strings.TrimSpace(nasty); shown != "" && !strings.ContainsAny(nasty, "\n\x1b\\\"") && !strings.Contains(r.plain, shown) {
			t.Errorf("%q cannot be read any more", nasty)
		}
	}
}

// summaryOf is the table of the actions, without its head.
func summaryOf(r ticket) [][]string {
	for _, table := range r.tables {
		if len(table[0]) == 6 && table[0][5] == "why" {
			return table[1:]
		}
	}
	return nil
}

// spoilt is the plan of everything with one name everywhere.
func spoilt(name string) plan.Plan {
	p := everything()
	spoilWith(&p, name)
	return p
}

func TestMarkdownOfNothing(t *testing.T) {
	text, err := plan.Plan{Title: "x"}.Markdown(plan.MarkdownOptions{})
	if err != nil || !strings.Contains(text, "everything is as wanted") || !strings.Contains(text, "npsetup plan -f ANSWERS --out FILE") {
		t.Errorf("%v %s", err, text)
	}
	rectangular(t, read(t, text))
}

func TestMarkdownHoldsNoSecret(t *testing.T) {
	if text := markdown(t, everything()); strings.Contains(text, marker) || !strings.Contains(text, "(secret: password of svc-nps)") {
		t.Error("a secret stands in the ticket, or is not named")
	}
}
