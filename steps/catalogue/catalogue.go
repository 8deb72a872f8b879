// Package catalogue reads what each code of a problem or a warning means: one text per code, in plain words. It neither finds
// problems nor judges them.
package catalogue

import (
	"bufio"
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"npsetup/steps/problem"
)

// Entry is the text of one code. Its JSON is what scripts get.
type Entry struct {
	Code    problem.Code `json:"code"`
	Title   string       `json:"title"`
	Subject string       `json:"subject"` // one of Subjects
	Who     string       `json:"who"`     // who has to act
	Means   string       `json:"means"`
	Signs   []string     `json:"signs,omitempty"`  // how it shows
	Causes  []string     `json:"causes,omitempty"` // most likely first
	Remedy  []string     `json:"remedy"`           // in the order in which to try
	Does    string       `json:"npsetup"`          // what npsetup does about it
}

// Catalogue holds the entries by code.
type Catalogue map[problem.Code]Entry

// Subjects are the headings of the list, in its order.
func Subjects() []string {
	return []string{
		"any problem", "reaching a server", "trust in a server", "sign-in and licence", "web server and services of NPS", "application user and its certificate",
		"objects in NPS", "Active Directory and resources", "sessions and collections", "Password Secure", "this machine", "risks that are accepted by name",
	}
}

// Read reads every text of a folder, one file CODE.txt each. A file begins with the lines `title:`, `subject:` and `who:`; below the
// headings `means`, `signs`, `causes`, `remedy` and `npsetup` stand text or points with a dash.
func Read(folder fs.FS) (Catalogue, error) {
	files, err := fs.Glob(folder, "*.txt")
	if err != nil {
		return nil, err
	}
	c := make(Catalogue, len(files))
	for _, file := range files {
		raw, err := fs.ReadFile(folder, file)
		if err != nil {
			return nil, err
		}
		e, err := parse(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		e.Code = problem.Code(strings.TrimSuffix(path.Base(file), ".txt"))
		c[e.Code] = e
	}
	return c, nil
}

func parse(raw []byte) (Entry, error) {
	var e Entry
	heads := map[string]*string{"title": &e.Title, "subject": &e.Subject, "who": &e.Who}
	texts := map[string]*string{"means": &e.Means, "npsetup": &e.Does}
	lists := map[string]*[]string{"signs": &e.Signs, "causes": &e.Causes, "remedy": &e.Remedy}
	section := ""
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), " ")
		point, isPoint := strings.CutPrefix(line, "- ")
		name, value, isHead := strings.Cut(line, ": ")
		switch {
		case line == "":
		case section == "" && isHead && heads[name] != nil:
			*heads[name] = value
		case texts[line] != nil || lists[line] != nil:
			section = line
		case texts[section] != nil:
			*texts[section] = strings.TrimSpace(*texts[section] + " " + line)
		case lists[section] != nil && isPoint:
			*lists[section] = append(*lists[section], point)
		default:
			return e, fmt.Errorf("line %d belongs nowhere", n)
		}
	}
	switch {
	case lines.Err() != nil:
		return e, lines.Err()
	case e.Title == "" || e.Who == "" || e.Means == "" || len(e.Remedy) == 0 || e.Does == "":
		return e, fmt.Errorf("title, who, means, remedy or npsetup is missing")
	case !slices.Contains(Subjects(), e.Subject):
		return e, fmt.Errorf("there is no subject %q", e.Subject)
	}
	return e, nil
}

// Of lists the entries of a subject by code.
func (c Catalogue) Of(subject string) []Entry {
	var list []Entry
	for _, e := range c {
		if e.Subject == subject {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return list
}

// Find is the entry of a code, letters' case and blanks around it aside.
func (c Catalogue) Find(typed string) (Entry, bool) {
	e, ok := c[problem.Code(strings.ToLower(strings.TrimSpace(typed)))]
	return e, ok
}

// Naming are the entries that name a number which a person has before them, such as that of an event, a status of the web server or a reason in
// hexadecimal digits.
func (c Catalogue) Naming(typed string) []Entry {
	number := strings.ToLower(strings.TrimSpace(typed))
	for _, lead := range []string{"event id", "event", "http", "error"} {
		number = strings.TrimLeft(strings.TrimPrefix(number, lead), ": ")
	}
	if !strings.ContainsAny(number, "0123456789") || len(number) < 3 {
		return nil
	}
	var list []Entry
	for _, subject := range Subjects() {
		for _, e := range c.Of(subject) {
			all := words(strings.Join(append([]string{e.Title, e.Means}, append(e.Signs, e.Causes...)...), " "))
			if slices.Contains(all, number) || len(number) == 8 && slices.Contains(all, "0x"+number) {
				list = append(list, e)
			}
		}
	}
	return list
}

// words are those of a text in lower-case letters, without the marks around them.
func words(text string) []string {
	list := strings.Fields(strings.ToLower(text))
	for i, w := range list {
		list[i] = strings.Trim(w, `.,;:()"'`)
	}
	return list
}

// Nearest is the code that is written most alike; empty when none is like it at all.
func (c Catalogue) Nearest(typed string) problem.Code {
	typed = strings.ToLower(strings.TrimSpace(typed))
	best, least := problem.Code(""), max(2, min(len(typed), 80)/3)+1
	for _, subject := range Subjects() {
		for _, e := range c.Of(subject) {
			d := problem.Distance(typed[:min(len(typed), 80)], string(e.Code)) // what is long is no typing mistake
			if strings.Contains(string(e.Code), typed) && len(typed) >= 3 {
				d = min(d, 1) // a part of it was typed
			}
			if d < least {
				best, least = e.Code, d
			}
		}
	}
	return best
}

// Text is an entry for people, in lines not longer than a terminal's.
func (e Entry) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", e.Code, e.Title)
	fill(&b, "", e.Means)
	for _, part := range []struct {
		title  string
		points []string
	}{{"How it shows", e.Signs}, {"Why it comes", e.Causes}, {"What to do (" + e.Who + ")", e.Remedy}} {
		if len(part.points) == 0 {
			continue
		}
		b.WriteString("\n" + part.title + "\n")
		for _, p := range part.points {
			fill(&b, "  - ", p)
		}
	}
	b.WriteString("\nWhat npsetup does\n")
	fill(&b, "  ", e.Does)
	return b.String()
}

// width is that of the narrowest terminal that is usual.
const width = 80

func fill(b *strings.Builder, begin, text string) {
	column := len(begin)
	b.WriteString(begin)
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+utf8.RuneCountInString(word) > width:
			b.WriteString("\n" + strings.Repeat(" ", len(begin)))
			column = len(begin)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += utf8.RuneCountInString(word)
	}
	b.WriteByte('\n')
}
