package nps

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"sort"
	"strings"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Texts are the manual pages of the steps, one file per step: STEP.txt, or STEP.VARIANT.txt where a step goes several ways.
//
// A file begins with `where:`, `check:`, `proof:` and `undo:` lines; `undo: nothing` where nothing is left behind. Then come headings with the NPS versions that the clicks below
// them fit, `[4.2] [25.12]`, or `[any]`; below a heading each line `- TEXT @ LINES` is one click, with the numbered lines of
// the article that it carries; `- ? TEXT` is left out when a value in it is not there. {name} stands for a value, {settings} for a list of them, **label** for a label of the user
// interface.
type Texts struct{ FS fs.FS }

// page is one parsed file.
type page struct {
	where, check, proof, undo string
	variants                  []variant
}

type variant struct {
	versions []string
	clicks   []click
}

type click struct {
	plan.Click
	Optional bool // left out without its values
}

// labels say what a placeholder stands for, for people.
func labels() map[string]string {
	return map[string]string{
		"url": "address of the NPS server", "fingerprint": "SHA-256 of the server's certificate", "serverThumbprint": "SHA-1 of the server's certificate", "application": "application name",
		"serial": "certificate serial number", "thumbprint": "thumbprint", "subject": "subject", "profile": "connection profile", "platform": "platform",
		"activity": "activity", "template": "login account template", "domain": "domain", "group": "group", "action": "action name", "pair": "paired action's name",
		"pfx": "PFX file", "file": "certificate file", "request": "request file", "answer": "file for the answer", "root": "root certificate", "issuer": "issuer of Auditor's certificate", "intermediate": "intermediate certificate",
		"vault": "address of Password Secure", "api": "API URL", "keyName": "name of the API key", "entryDomain": "domain of the entry", "entryUser": "user name of the entry",
		"accountUser": "user name of the service account", "connector": "connector", "skip": "Skip Certificate Check", "dll": "folder of the software kit", "user": "user",
		"policy": "access policy", "resource": "resource", "serviceAccount": "service account", "plan": "monitoring plan", "item": "item",
		"account": "account", "credentialPolicy": "access policy",
	}
}

// list says whether a placeholder stands for one value a line: each is copied on its own.
func list(name string) bool {
	return name == "resource" || name == "item" || name == "account" || name == "intermediate" || name == "user"
}

// Manual is the page of a step for a server version, filled in. A placeholder without a value is an error.
func (t Texts) Manual(step, version string, values map[string]string) (plan.Manual, error) {
	p, err := t.page(step)
	if err != nil {
		return plan.Manual{}, err
	}
	v, taken := p.pick(version)
	m := plan.Manual{Where: p.where, Check: p.check, Proof: p.proof}
	if m.Proof == "word" {
		id, _, _ := strings.Cut(step, ".")
		m.Proof = plan.WordProof(id)
	}
	if taken != "any" {
		m.Version = "NPS " + taken
		if mm := majorMinor(version); !sameVersion(mm, taken) {
			m.Note = "menu names of NPS " + taken + ", the nearest to " + problem.Plain(mm) + " that is known"
			if mm == "" {
				m.Note = "menu names of NPS " + taken + "; the version of the server is not known"
			}
		}
	}
	seen := map[plan.Labeled]bool{}
	for _, c := range v.clicks {
		filled, err := fill(c, values)
		if err != nil && c.Optional {
			continue
		}
		if err != nil {
			return m, fmt.Errorf("manual page %s: %w", step, err)
		}
		m.Clicks = append(m.Clicks, filled)
		for _, one := range filled.Values {
			if !seen[one] {
				seen[one] = true
				m.Values = append(m.Values, one)
			}
		}
	}
	for into, text := range map[*string]string{&m.Check: p.check, &m.Undo: p.undo} {
		if *into, _, err = fillText(text, values); err != nil {
			return m, fmt.Errorf("manual page %s: %w", step, err)
		}
	}
	return m, nil
}

// Has says whether a step has a page.
func (t Texts) Has(step string) bool {
	_, err := fs.Stat(t.FS, step+".txt")
	return err == nil
}

// Paragraph are the clicks of a step in words; what no answer gives yet is named in brackets. Nil: the step has no page.
func (t Texts) Paragraph(step, version string, values map[string]string) []string {
	p, err := t.page(step)
	if err != nil {
		return nil
	}
	known := map[string]string{}
	for name, label := range labels() {
		known[name] = "(" + label + ")"
	}
	for name, v := range values {
		if v != "" {
			known[name] = v
		}
	}
	known["settings"] = cmp.Or(values["settings"], "(settings) = (values)")
	v, _ := p.pick(version)
	var lines []string
	for _, c := range v.clicks {
		filled, err := fill(c, known)
		if err != nil {
			return nil
		}
		lines = append(lines, filled.Text)
		if strings.HasSuffix(c.Text, "{settings}") {
			for _, s := range filled.Values {
				lines[len(lines)-1] += " " + s.Label + " = " + problem.Plain(s.Value) + ";"
			}
		}
	}
	return lines
}

func fill(c click, values map[string]string) (plan.Click, error) {
	out := plan.Click{Lines: c.Lines}
	var err error
	if before, is := strings.CutSuffix(c.Text, "{settings}"); is {
		for _, line := range strings.Split(values["settings"], "\n") {
			label, v, found := strings.Cut(line, " = ")
			if !found {
				return out, fmt.Errorf("no value for {settings}")
			}
			out.Values = append(out.Values, plan.Labeled{Label: label, Value: v})
		}
		out.Text, _, err = fillText(strings.TrimSpace(before), values)
		return out, err
	}
	out.Text, out.Values, err = fillText(c.Text, values)
	return out, err
}

// fillText replaces {name} by its value, harmless for display, and collects the exact values for copying.
func fillText(text string, values map[string]string) (string, []plan.Labeled, error) {
	known := labels()
	var b strings.Builder
	var used []plan.Labeled
	text = unbold(text)
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String(), used, nil
		}
		name, after, closed := strings.Cut(rest, "}")
		v := values[name]
		if !closed || known[name] == "" || v == "" {
			return "", nil, fmt.Errorf("no value for {%s}", name)
		}
		each := []string{v}
		if list(name) {
			each = strings.Split(v, "\n")
		}
		b.WriteString(problem.Plain(strings.Join(each, ", ")))
		for _, one := range each {
			used = append(used, plan.Labeled{Label: known[name], Value: one})
		}
		text = after
	}
}

// unbold turns **label** into quoted text: faces are plain.
func unbold(text string) string {
	for open := true; strings.Contains(text, "**"); open = !open {
		mark := "“"
		if !open {
			mark = "”"
		}
		text = strings.Replace(text, "**", mark, 1)
	}
	return text
}

// pick takes the clicks for a version: the exact one, else the nearest older one, else the oldest.
func (p page) pick(version string) (variant, string) {
	mm := majorMinor(version)
	best, name := -1, ""
	for i, v := range p.variants {
		for _, have := range v.versions {
			switch {
			case have == "any", sameVersion(have, mm):
				return v, have
			case mm != "" && AtLeast(mm, have) && (name == "" || AtLeast(have, name)):
				best, name = i, have
			}
		}
	}
	if best >= 0 {
		return p.variants[best], name
	}
	oldest := p.versions()[0]
	for _, v := range p.variants {
		if slices.Contains(v.versions, oldest) {
			return v, oldest
		}
	}
	return p.variants[0], oldest
}

// sameVersion compares number by number: 26.3 is 26.03.
func sameVersion(a, b string) bool {
	x, okX := numbers(a)
	y, okY := numbers(b)
	return okX && okY && slices.Equal(x, y)
}

func (p page) versions() []string {
	var all []string
	for _, v := range p.variants {
		all = append(all, v.versions...)
	}
	sort.Slice(all, func(i, j int) bool { return !AtLeast(all[i], all[j]) })
	return all
}

func majorMinor(version string) string {
	parts := strings.Split(version, ".")
	if len(parts) < 2 {
		return version
	}
	return parts[0] + "." + parts[1]
}

func (t Texts) page(step string) (page, error) {
	name := step + ".txt"
	raw, err := fs.ReadFile(t.FS, name)
	if err != nil {
		return page{}, err
	}
	var p page
	for i, line := range strings.Split(string(raw), "\n") {
		if err := p.line(strings.TrimSpace(line)); err != nil {
			return p, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
	}
	for _, v := range p.variants {
		if len(v.clicks) == 0 {
			return p, fmt.Errorf("%s: no clicks for %s", name, strings.Join(v.versions, ", "))
		}
	}
	if p.where == "" || p.proof == "" || len(p.variants) == 0 {
		return p, fmt.Errorf("%s: where, proof or clicks are missing", name)
	}
	if p.undo == "" {
		return p, fmt.Errorf("%s: an undo: line is missing; undo: %s where nothing is left behind", name, plan.NothingBehind)
	}
	return p, nil
}

func (p *page) line(line string) error {
	switch {
	case line == "":
	case strings.HasPrefix(line, "["):
		var v variant
		for _, part := range strings.Fields(line) {
			v.versions = append(v.versions, strings.Trim(part, "[]"))
		}
		p.variants = append(p.variants, v)
	case strings.HasPrefix(line, "- "):
		if len(p.variants) == 0 {
			return fmt.Errorf("a click stands before the first heading")
		}
		text, lines, carries := strings.Cut(line[2:], " @ ")
		bare, optional := strings.CutPrefix(strings.TrimSpace(text), "? ")
		c := click{plan.Click{Text: bare}, optional}
		if carries {
			for _, l := range strings.Split(lines, ";") {
				c.Lines = append(c.Lines, strings.TrimSpace(l))
			}
		}
		v := &p.variants[len(p.variants)-1]
		v.clicks = append(v.clicks, c)
	default:
		name, rest, found := strings.Cut(line, ":")
		into, known := map[string]*string{"where": &p.where, "check": &p.check, "proof": &p.proof, "undo": &p.undo}[name]
		if !found || !known {
			return fmt.Errorf("neither a heading, a click, nor one of where, check, proof, undo")
		}
		*into = strings.TrimSpace(rest)
	}
	return nil
}
