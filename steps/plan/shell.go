package plan

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"npsetup/steps/problem"
)

// ShellWord quotes a text for a shell, exactly: in single quotes nothing has a meaning. Characters that a reader of the script
// would not see, or that would steer a terminal, are written as octal bytes, which bash reads in $'…'.
func ShellWord(s string) string {
	hidden := func(r rune) bool { return problem.Plain(string(r)) != string(r) || r == unicode.ReplacementChar }
	if !strings.ContainsFunc(s, hidden) {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteString("\\" + string(c))
		case c < ' ' || c >= 0x7f:
			_, _ = fmt.Fprintf(&b, `\%03o`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "'"
}

// shellText quotes a text for people: what is hidden in it is dropped.
func shellText(s string) string { return ShellWord(problem.Plain(s)) }

// jsonWord quotes a JSON text for a shell. JSON has its own way to write what must not be seen raw.
func jsonWord(raw []byte) string {
	return "'" + strings.ReplaceAll(string(problem.PlainJSON(raw)), "'", `'\''`) + "'"
}

// names gives each thing a name of its own in the script.
type names struct {
	by    map[any]string
	taken map[string]bool
}

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// of is the name of a thing, made of a prefix and what people call it.
func (n *names) of(thing any, prefix, called string) string {
	if n.by == nil {
		n.by, n.taken = map[any]string{}, map[string]bool{}
	}
	if name, known := n.by[thing]; known {
		return name
	}
	base := prefix + strings.Trim(notInNames.ReplaceAllString(strings.ToLower(called), "_"), "_")
	if len(base) > 80 {
		base = base[:80]
	}
	name := base
	for i := 2; n.taken[name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	n.by[thing], n.taken[name] = name, true
	return name
}

// pieces writes a text in which some places are filled by the script when it runs. Values are not spliced into a text that is
// quoted already: each place stands for itself, so that no value can end the quotes of another.
type pieces struct {
	mark  string
	exprs []string // what the script puts into place i
}

// place reserves a place. The mark consists of letters and digits only, which neither JSON nor an address escapes.
func (p *pieces) place(expr string) string {
	p.exprs = append(p.exprs, expr)
	return fmt.Sprintf("%s%dZ", p.mark, len(p.exprs)-1)
}

// quoted turns the marked text into a shell word. around is what stands on both sides of a place in the text and goes with it,
// such as the quotes of a JSON string.
func (p *pieces) quoted(text, around string, quote func(string) string) string {
	for i, expr := range p.exprs {
		text = strings.ReplaceAll(text, fmt.Sprintf("%s%s%dZ%s", around, p.mark, i, around), "\x00"+expr+"\x00")
	}
	var b strings.Builder
	for i, part := range strings.Split(text, "\x00") {
		switch {
		case i%2 == 1:
			b.WriteString(`"$(` + part + `)"`)
		case part != "":
			b.WriteString(quote(part))
		}
	}
	return b.String()
}

// newPieces chooses a mark that the call itself does not hold.
func newPieces(c Call) *pieces {
	shown := c.Redacted(nil)
	p := &pieces{mark: "PLACE"}
	for strings.Contains(shown.Path+string(shown.Body), p.mark) {
		p.mark += "X"
	}
	return p
}

// foldPattern is a regular expression that takes exactly the texts which strings.EqualFold calls equal to s. It is for letters
// beyond ASCII, whose case jq does not know.
func foldPattern(s string) string {
	var b strings.Builder
	b.WriteString(`\A`)
	for _, r := range s {
		if unicode.SimpleFold(r) == r {
			b.WriteString(regexp.QuoteMeta(string(r)))
			continue
		}
		b.WriteByte('[')
		b.WriteRune(r)
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			b.WriteRune(f)
		}
		b.WriteByte(']')
	}
	return b.String() + `\z`
}

// matches is what a lookup goes by, as JSON for the script.
func (l Lookup) matches() []byte {
	type match struct {
		Member  string `json:"member"`
		Value   string `json:"value"`
		Pattern string `json:"pattern,omitempty"`
	}
	var list []match
	for _, m := range append([]Match{{l.Member, l.Value}}, l.Also...) {
		one := match{Member: m.Member, Value: m.Value}
		if strings.ContainsFunc(m.Value, func(r rune) bool { return r > unicode.MaxASCII }) {
			one.Pattern = foldPattern(m.Value)
		}
		list = append(list, one)
	}
	raw, _ := json.Marshal(list) // texts always encode
	return raw
}
