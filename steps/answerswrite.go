package steps

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"npsetup/steps/problem"
)

// node is one level of the answers file.
type node struct {
	order    []string
	children map[string]*node
	field    *Field
}

// tree lays the fields of a guide out by the levels of their keys, in the order of the steps.
func tree(g Guide, keep func(Field) bool) *node {
	root := &node{children: map[string]*node{}}
	add := func(f Field) {
		if f.Becomes != nil || !keep(f) {
			return
		}
		at := root
		for _, part := range strings.Split(f.Key, ".") {
			next := at.children[part]
			if next == nil {
				next = &node{children: map[string]*node{}}
				at.children[part] = next
				at.order = append(at.order, part)
			}
			at = next
		}
		at.field = &f
	}
	for _, s := range g.Steps {
		for _, f := range s.Fields {
			add(f)
		}
	}
	if len(g.Risks) > 0 {
		add(riskField(g))
	}
	return root
}

// WriteAnswers writes the answers file that repeats a run. Only what was answered stands in it; secrets are references.
func WriteAnswers(g Guide, a Answers) []byte { return WriteNotedAnswers(g, a, nil, nil) }

// WriteNotedAnswers is WriteAnswers with comments: lines at the top, and lines above the answer of a key. Each is made one line. A key that has
// a line and no answer stands there empty, to be filled in.
func WriteNotedAnswers(g Guide, a Answers, top []string, notes map[string][]string) []byte {
	var b strings.Builder
	comment(&b, "", top)
	fmt.Fprintf(&b, "version: %s\nguide: %s\n", AnswersVersion, g.ID)
	drafts := a.Lasting()
	t := tree(g, func(f Field) bool {
		return (strings.TrimSpace(drafts[f.Key]) != "" || len(notes[f.Key]) > 0) && f.Kind != Code && (f.Beside == nil || f.Beside(a) == "")
	})
	writeLevel(&b, t, drafts, notes, 0)
	return []byte(b.String())
}

func comment(b *strings.Builder, pad string, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(b, "%s# %s\n", pad, problem.Plain(line))
	}
}

func writeLevel(b *strings.Builder, n *node, drafts map[string]string, notes map[string][]string, depth int) {
	pad := strings.Repeat("  ", depth)
	for _, name := range n.order {
		child := n.children[name]
		if child.field == nil {
			fmt.Fprintf(b, "%s%s:\n", pad, name)
			writeLevel(b, child, drafts, notes, depth+1)
			continue
		}
		comment(b, pad, notes[child.field.Key])
		fmt.Fprintf(b, "%s%s: %s\n", pad, name, yamlValue(*child.field, drafts[child.field.Key]))
	}
}

// yamlValue quotes everything that is no number and no truth value: JSON strings are YAML strings.
func yamlValue(f Field, v string) string {
	switch f.Kind {
	case Multi, Consent:
		var items []string
		for _, line := range strings.Split(v, "\n") {
			if line = strings.TrimSpace(line); line != "" {
				items = append(items, quoteYAML(line))
			}
		}
		return "[" + strings.Join(items, ", ") + "]"
	case Number, Switch:
		if f.Valid(strings.TrimSpace(v)) == nil {
			return strings.TrimSpace(v)
		}
	case Text, SecretField, Code, Choice, FileField, Fingerprint:
	}
	return quoteYAML(v)
}

// quoteYAML writes what could turn a reader's text round, or hide in it, as escapes of YAML.
func quoteYAML(v string) string {
	raw, _ := json.Marshal(v) // a string always encodes
	var b strings.Builder
	for _, r := range string(raw) {
		switch plain := problem.Plain(string(r)) == string(r); {
		case plain:
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// Schema is the JSON Schema (2020-12) of a guide's answers file.
func Schema(g Guide) ([]byte, error) {
	root := schemaLevel(tree(g, func(f Field) bool { return f.Kind != Code }))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "npsetup answers: " + g.Title
	properties := root["properties"].(map[string]any)
	properties["version"] = map[string]any{"const": 1}
	properties["guide"] = map[string]any{"const": g.ID}
	root["required"] = []string{"version", "guide"}
	raw, err := json.MarshalIndent(root, "", "  ")
	return append(raw, '\n'), err
}

func schemaLevel(n *node) map[string]any {
	properties := map[string]any{}
	for _, name := range n.order {
		child := n.children[name]
		if child.field != nil {
			properties[name] = schemaField(*child.field)
		} else {
			properties[name] = schemaLevel(child)
		}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}

func schemaField(f Field) map[string]any {
	s := map[string]any{"description": strings.TrimSpace(f.Prompt + ". " + f.Help)}
	if f.Example != "" {
		s["examples"] = []string{f.Example}
	}
	if f.Default != "" {
		s["default"] = f.Default
	}
	item := map[string]any{"type": "string"}
	switch f.Kind {
	case Number:
		s["type"], s["minimum"], s["maximum"] = "integer", 1, 1<<31-1
		if f.Min != 0 || f.Max != 0 {
			s["minimum"], s["maximum"] = f.Min, f.Max
		}
		delete(s, "examples")
		delete(s, "default")
	case Switch:
		s["type"] = "boolean"
		delete(s, "examples")
		delete(s, "default")
	case SecretField:
		s["type"], s["pattern"] = "string", "^(prompt|env:.+|file:.+|keyring:.+)$"
	case Choice:
		s["enum"] = optionValues(f)
	case Multi, Consent:
		if len(f.Choices) > 0 {
			item = map[string]any{"enum": optionValues(f)}
		}
		s["type"], s["items"] = "array", item
		delete(s, "examples")
	case Text, Code, FileField, Fingerprint:
		s["type"] = "string"
	}
	return s
}

func optionValues(f Field) []string {
	values := make([]string, len(f.Choices))
	for i, o := range f.Choices {
		values[i] = o.Value
	}
	sort.Strings(values)
	return values
}
