package steps

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"npsetup/steps/problem"
)

// AnswersVersion is the version of the answers file.
const AnswersVersion = "1"

// answersSize is the largest answers file: thousands of accounts fit.
const answersSize = 1 << 20

// Overrides are answers from elsewhere than the file. Set goes over Env, Env over the file, the file over defaults.
type Overrides struct {
	Set    map[string]string
	Env    func(string) (string, bool)
	Accept []string                        // risks accepted by flag
	Others []string                        // risks that only the command knows: named where one is misspelt
	Begun  bool                            // answers and consents may be missing: a person is asked for them
	Looks  bool                            // nothing is carried out: answers that only pages by hand show may be missing
	Waive  func(Guide, Answers, Risk) bool // whether a consent may be missing; nil: none may
}

// Parsed are the answers of one file, complete and valid.
type Parsed struct {
	Guide   Guide
	Answers Answers
	Said    []string // what was completed
}

// EnvName is the environment variable of an answer: nps.signIn.user is NPSETUP_NPS_SIGN_IN_USER.
func EnvName(key string) string {
	var b strings.Builder
	b.WriteString("NPSETUP_")
	before := rune(0)
	for _, r := range key {
		switch {
		case r == '.':
			r = '_'
		case unicode.IsUpper(r) && unicode.IsLower(before):
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
		before = r
	}
	return b.String()
}

// reading collects the faults of one file, with their places. No fault repeats text of the file: it may be a secret.
type reading struct {
	name    string
	faults  problem.List
	drafts  map[string]string
	places  map[string]string   // key → place
	entries map[string][]string // key → places of the entries of a list
	fields  map[string]Field
	parents map[string]bool
	bad     map[string]bool // keys that have a fault already
}

// ReadAnswers reads an answers file. guide finds a guide by the id that the file names. Every fault is reported at once, as
// a problem.List of kind Usage, by line and column and without the text of the file.
func ReadAnswers(guide func(id string) (Guide, bool), name string, raw []byte, o Overrides) (Parsed, error) {
	r := &reading{name: name, drafts: map[string]string{}, places: map[string]string{}, entries: map[string][]string{}, fields: map[string]Field{}, parents: map[string]bool{}}
	top, ok := r.syntax(raw)
	if !ok {
		return Parsed{}, r.faults
	}
	r.head(top)
	g, found := guide(r.drafts["guide"])
	if !found {
		if _, named := r.places["guide"]; named {
			r.fault(r.places["guide"], "guide", "there is no such guide", "", "guide: auditor, or guide: password-secure")
		}
		return Parsed{}, r.faults
	}
	r.know(g)
	r.mapping("", top)
	delete(r.drafts, "version")
	delete(r.drafts, "guide")
	dir := filepath.Dir(name)
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	return r.complete(g, dir, o)
}

// FromDrafts checks answers that were saved before, with overrides on top. where says whose answers they are.
func FromDrafts(g Guide, where string, drafts map[string]string, dir string, o Overrides) (Parsed, error) {
	r := &reading{name: where, drafts: map[string]string{}, places: map[string]string{}, entries: map[string][]string{}, fields: map[string]Field{}, parents: map[string]bool{}}
	r.know(g)
	for k, v := range drafts {
		r.drafts[k], r.places[k] = v, where
	}
	return r.complete(g, dir, o)
}

// syntax parses one YAML document with a mapping at its top.
func (r *reading) syntax(raw []byte) (*ast.MappingNode, bool) {
	switch {
	case len(raw) > answersSize:
		r.fault(r.name, "", "the answers file is larger than 1 MiB", "thousands of names fit into that", "check that -f names the answers file")
	case !utf8.Valid(raw):
		r.fault(r.name, "", "the answers file is not UTF-8", "", "save it as UTF-8")
	default:
		r.bounded(string(raw))
	}
	if len(r.faults) > 0 {
		return nil, false
	}
	file, err := parser.ParseBytes(raw, 0)
	if err != nil {
		r.fault(r.name+syntaxPlace(err), "", "the answers file is not YAML", "a line in it cannot be read: look for a tab, a missing blank behind a colon, or an open quote", "npsetup schema prints what belongs into it")
		return nil, false
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		r.fault(r.name, "", "the answers file is empty", "", "npsetup sandbox --dir DIR writes an example")
		return nil, false
	}
	if len(file.Docs) > 1 {
		r.fault(r.place(file.Docs[1].Body), "", "the answers file holds several documents", "only one is read", "leave out what follows the second ---")
		return nil, false
	}
	r.unsupported(file.Docs[0].Body)
	top, is := asMapping(file.Docs[0].Body)
	if !is {
		r.fault(r.place(file.Docs[0].Body), "", "the answers file is no list of keys and values", "", "npsetup sandbox --dir DIR writes an example")
	}
	return top, is && len(r.faults) == 0
}

// syntaxPlace takes line and column out of the parser's error, and nothing else: its text repeats the source.
func syntaxPlace(err error) string {
	text := err.Error()
	var line, column int
	if i := strings.IndexByte(text, '['); i >= 0 {
		if n, _ := fmt.Sscanf(text[i:], "[%d:%d]", &line, &column); n == 2 {
			return fmt.Sprintf(":%d:%d", line, column)
		}
	}
	return ""
}

func (r *reading) place(n ast.Node) string {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return r.name
	}
	p := n.GetToken().Position
	return fmt.Sprintf("%s:%d:%d", r.name, p.Line, p.Column)
}

// unsupported refuses what makes a file mean something else than it shows.
func (r *reading) unsupported(n ast.Node) {
	ast.Walk(visitor(func(n ast.Node) {
		switch n.(type) {
		case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode, *ast.DirectiveNode:
			r.fault(r.place(n), "", "anchors, aliases, merges and tags are not read", "an answer stands where it is used", "write the value out")
		}
	}), n)
}

type visitor func(ast.Node)

// Visit implements ast.Visitor.
func (v visitor) Visit(n ast.Node) ast.Visitor {
	v(n)
	return v
}

func asMapping(n ast.Node) (*ast.MappingNode, bool) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n, true
	case *ast.MappingValueNode: // a mapping with one key
		return &ast.MappingNode{BaseNode: &ast.BaseNode{}, Start: n.Start, Values: []*ast.MappingValueNode{n}}, true
	}
	return nil, false
}

// head reads version and guide, which say how to read the rest.
func (r *reading) head(top *ast.MappingNode) {
	seen := map[string]bool{}
	for _, v := range top.Values {
		key := keyText(v)
		if key != "version" && key != "guide" {
			continue
		}
		text, _ := scalarText(v.Value)
		if seen[key] {
			continue // told as a key that stands twice
		}
		seen[key] = true
		r.drafts[key], r.places[key] = text, r.place(v.Value)
	}
	if !seen["version"] {
		r.fault(r.name+":1:1", "version", "missing: the version of the answers file", "", "version: "+AnswersVersion)
	} else if r.drafts["version"] != AnswersVersion {
		r.fault(r.places["version"], "version", "this version of the answers file is not known", "this program reads version "+AnswersVersion, "version: "+AnswersVersion)
	}
	if !seen["guide"] {
		r.fault(r.name+":1:1", "guide", "missing: the guide", "", "guide: auditor")
	}
}

func (r *reading) know(g Guide) {
	add := func(key string) {
		for i, c := range key {
			if c == '.' {
				r.parents[key[:i]] = true
			}
		}
	}
	for _, s := range g.Steps {
		for _, f := range s.Fields {
			if f.Becomes == nil {
				r.fields[f.Key] = f
				add(f.Key)
			}
		}
	}
	if len(g.Risks) > 0 {
		r.fields[RiskKey] = riskField(g)
	}
}

// riskField is the field that holds accepted risks.
func riskField(g Guide) Field {
	f := Field{Key: RiskKey, Kind: Consent, Prompt: "Accepted risks", Optional: true, Help: "Names of risks that were read and accepted."}
	for _, r := range g.Risks {
		f.Choices = append(f.Choices, Option{Value: r.Name, Title: r.Name, Help: r.Text})
	}
	return f
}

func keyText(v *ast.MappingValueNode) string {
	text, _ := scalarText(v.Key)
	return text
}

// scalarText is a scalar as it was written: numbers and truth values keep their spelling.
func scalarText(n ast.Node) (string, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.NullNode:
		return "", true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

// mapping reads the keys below prefix.
func (r *reading) mapping(prefix string, m *ast.MappingNode) {
	seen := map[string]bool{}
	for _, v := range m.Values {
		if r.full() {
			return
		}
		name := keyText(v)
		key := name
		if prefix != "" {
			key = prefix + "." + name
		}
		place := r.place(v.Key)
		if seen[name] {
			r.fault(place, key, "the key stands twice", "only one of the two could count", "take one of them out")
			continue
		}
		seen[name] = true
		switch f, isField := r.fields[key]; {
		case prefix == "" && (name == "version" || name == "guide"):
		case isField:
			r.value(f, v)
		case r.parents[key]:
			below, is := asMapping(v.Value)
			if _, null := v.Value.(*ast.NullNode); null {
				continue
			}
			if !is {
				r.fault(place, key, "a single value stands where keys belong", "", "below it belong "+strings.Join(r.below(key), ", "))
				continue
			}
			r.places[key] = place
			r.mapping(key, below)
		default:
			r.fault(place, "", "there is no such key here", "", "the nearest known key is "+r.nearest(key))
		}
	}
}

func (r *reading) value(f Field, v *ast.MappingValueNode) {
	place := r.place(v.Value)
	r.places[f.Key] = place
	var text string
	var good bool
	if f.Kind == Multi || f.Kind == Consent {
		text, good = r.listText(f, v.Value)
	} else if text, good = scalarText(v.Value); !good {
		r.fault(place, f.Key, "a list or keys stand where one value belongs", "", exampleHint(f))
		return
	}
	if good {
		r.drafts[f.Key] = text
	}
}

// listText takes a list, or one value for a list with one.
func (r *reading) listText(f Field, n ast.Node) (string, bool) {
	if text, is := scalarText(n); is {
		return text, true
	}
	seq, is := n.(*ast.SequenceNode)
	if !is {
		r.fault(r.place(n), f.Key, "keys stand where a list belongs", "", "write it as ["+f.Example+"]")
		return "", false
	}
	var lines []string
	for _, item := range seq.Values {
		text, is := scalarText(item)
		if !is || strings.ContainsAny(text, "\r\n") {
			r.fault(r.place(item), f.Key, "an entry of the list is no single value", "", "write it as ["+f.Example+"]")
			continue
		}
		lines = append(lines, text)
		if strings.TrimSpace(text) != "" {
			r.entries[f.Key] = append(r.entries[f.Key], r.place(item))
		}
	}
	return strings.Join(lines, "\n"), true
}

func (r *reading) below(parent string) []string {
	set := map[string]bool{}
	for k := range r.fields {
		if rest, is := strings.CutPrefix(k, parent+"."); is {
			name, _, _ := strings.Cut(rest, ".")
			set[name] = true
		}
	}
	names := make([]string, 0, len(set))
	for n := range set {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// nearest is the known key with the fewest changed letters.
func (r *reading) nearest(key string) string {
	return nearest(key, slices.AppendSeq(slices.Collect(maps.Keys(r.fields)), maps.Keys(r.parents)))
}
