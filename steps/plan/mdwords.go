package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"npsetup/steps/problem"
)

// ticket writes Markdown. What did not stand in the program's own source goes through words, code, cell or fence: names on a
// server are chosen by whoever may make objects there, and a ticket is read by those who approve.
type ticket struct{ strings.Builder }

// line writes a block of its own: an empty line follows, so that no block runs into the next.
func (t *ticket) line(format string, args ...any) {
	_, _ = fmt.Fprintf(t, format+"\n\n", args...)
}

// item writes one line of a list, without an empty line after it.
func (t *ticket) item(format string, args ...any) {
	_, _ = fmt.Fprintf(t, format+"\n", args...)
}

// end closes a list.
func (t *ticket) end() { t.WriteString("\n") }

// row writes one row of a table. Its cells were made by cell or words.
func (t *ticket) row(cells ...string) {
	t.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// head begins a table.
func (t *ticket) head(cells ...string) {
	t.row(cells...)
	t.WriteString(strings.Repeat("|---", len(cells)) + "|\n")
}

// escaped are the characters by which Markdown, or one of its common extensions (tables, footnotes, mathematics, strikethrough),
// takes a text for more than text.
const escaped = "\\`*_{}[]<>#~^$=+&"

// words makes a text inert inside a paragraph, a list item or a table cell.
func words(s string) string {
	s = strings.Join(strings.Fields(problem.Plain(s)), " ")
	var b strings.Builder
	for i, r := range s {
		rest := s[i:]
		switch {
		case r == '|':
			b.WriteString("&#124;") // a backslash before it is read differently by different parsers
			continue
		case strings.ContainsRune(escaped, r), r == '-' && i == 0, r == '!' && strings.HasPrefix(rest, "!["),
			r == ':' && strings.HasPrefix(rest, "://"), r == '@',
			(r == '.' || r == ')') && strings.Trim(s[:i], "0123456789") == "": // "1." begins a list
			b.WriteByte('\\')
		case r == '.' && i >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteByte('\\') // some readers make a link of it
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is a text as a code span: nothing in it is more than text. Blanks that would be lost are shown in quotes.
func code(s string) string {
	s = shownValue(s)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// cell is a text as a code span inside a table. A table is cut at its bars before anything else is read, so that a text with a
// bar cannot be a code span there.
func cell(s string) string {
	if s == "" {
		return ""
	}
	if strings.Contains(s, "|") {
		return words(shownValue(s))
	}
	return code(s)
}

// fence writes a block of code around lines that hold no line break but their own.
func (t *ticket) fence(language, content string) {
	marks := "```"
	for strings.Contains(content, marks) {
		marks += "`"
	}
	_, _ = fmt.Fprintf(t, "%s%s\n%s\n%s\n\n", marks, language, content, marks)
}

// Pretty is a body as people read it: indented, and with everything escaped that a terminal or a document would not show. It
// says the same as the body that is sent.
func Pretty(body []byte) string {
	var b bytes.Buffer
	if err := json.Indent(&b, problem.PlainJSON(body), "", "  "); err != nil {
		return problem.Plain(string(body))
	}
	return b.String()
}

// request is a call as the first line of an HTTP request.
func request(c Call) string {
	r := c.Redacted(nil)
	return r.Method + " " + r.Path
}
