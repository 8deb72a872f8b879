package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"npsetup/assets"
	"npsetup/steps"
)

// section is one paragraph of the article that has numbered lines.
type section struct {
	heading, short string
	lines          int
	notYet         bool // this version does not carry it
}

// sections are frozen: a line that the vendor adds or drops has to be looked at by a person.
func sections() []section {
	return []section{
		{"Perform the Initial Setup in Netwrix Auditor", "Initial Setup", 11, false},
		{"Export the Certificate to Privilege Secure for Access Management Server", "Export", 13, false},
		{"Create a Connection Profile", "Connection Profile", 5, false},
		{"Create an Activity", "Activity", 7, false},
		{"Create a Resource", "Resource", 3, false},
		{"Create a Resource-based Access Policy", "Resource-based Access Policy", 7, false},
		{"Setting Up Credential-based Policy for Integration", "Credential-based Policy", 7, false},
		{"Enable Integration in Target Monitoring Plan", "Enable Integration", 6, false},
	}
}

func (s section) names() []string {
	names := make([]string, s.lines)
	for i := range names {
		names[i] = fmt.Sprintf("%s %d", s.short, i+1)
	}
	return names
}

// TestEveryLineOfTheArticleIsCarried counts the lines: each of the 59 has a test of its name.
func TestEveryLineOfTheArticleIsCarried(t *testing.T) {
	var wanted, notYet []string
	for _, s := range sections() {
		if s.notYet {
			notYet = append(notYet, s.names()...)
		} else {
			wanted = append(wanted, s.names()...)
		}
	}
	if len(wanted) != 59 || len(notYet) != 0 {
		t.Errorf("%d lines carried of %d, frozen are 59 of 59", len(wanted), len(wanted)+len(notYet))
	}
	eachIsTested(t, articleLines(), wanted)
	frozen := map[string]int{}
	for _, s := range sections() {
		frozen[s.heading] = s.lines
	}
	compareWithTheArticle(t, "auditor-integration.md", numberedLines, frozen)
}

// eachIsTested holds the tests of an article's lines to the lines: one test each, in their order.
func eachIsTested(t *testing.T, lines []carried, wanted []string) {
	t.Helper()
	var tested []string
	for _, c := range lines {
		if slices.Contains(tested, c.line) {
			t.Errorf("%s is tested twice", c.line)
		}
		if c.check == nil {
			t.Errorf("%s has a name and no test", c.line)
		}
		tested = append(tested, c.line)
	}
	if !slices.Equal(tested, wanted) {
		t.Errorf("the tests are\n%s\nwant\n%s", strings.Join(tested, "\n"), strings.Join(wanted, "\n"))
	}
}

// compareWithTheArticle counts the numbered lines of the article itself, where it is at hand; frozen has them by heading.
func compareWithTheArticle(t *testing.T, name string, count func(string) (map[string]int, error), frozen map[string]int) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, "..", "shared", "seeds", name))
	if os.IsNotExist(err) {
		t.Log("the article itself is not at hand: only the frozen counts were compared")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	found, err := count(string(raw))
	if err != nil {
		t.Error(err)
	}
	for heading, n := range frozen {
		if found[heading] != n {
			t.Errorf("%q has %d numbered lines in the article, %d are frozen", heading, found[heading], n)
		}
		delete(found, heading)
	}
	for heading, n := range found {
		t.Errorf("the article has a section %q with %d numbered lines that nothing carries", heading, n)
	}
}

// numberedLines counts the numbered lines under each heading. They have to count from 1 without a gap.
func numberedLines(markdown string) (map[string]int, error) {
	numbered := regexp.MustCompile(`^(\d+)\. `)
	found := map[string]int{}
	heading := ""
	for _, line := range strings.Split(markdown, "\n") {
		if rest, is := strings.CutPrefix(line, "#"); is {
			heading = strings.TrimSpace(strings.TrimLeft(rest, "#"))
			continue
		}
		m := numbered.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		found[heading]++
		if n, _ := strconv.Atoi(m[1]); n != found[heading] {
			return found, fmt.Errorf("%q: line %d is numbered %d", heading, found[heading], n)
		}
	}
	return found, nil
}

func TestNumberedLinesAreCounted(t *testing.T) {
	got, err := numberedLines("# A\n1. a\n   - 1. inner\n2. b\n\n### B\ntext\n#### C\n1. c\n   > 2. quoted\n")
	if err != nil || fmt.Sprint(got) != "map[A:2 C:1]" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := numberedLines("# A\n1. a\n3. c\n"); err == nil {
		t.Error("a gap goes unseen")
	}
}

// TestManualPagesNameLinesThatExist reads what each click says to carry: no line that does not exist, and every line once at
// least.
func TestManualPagesNameLinesThatExist(t *testing.T) {
	open := map[string]bool{}
	for _, s := range sections() {
		for _, n := range s.names() {
			if !s.notYet {
				open[n] = true
			}
		}
	}
	clicksName(t, "auditor", open)
}

// clicksName holds the pages of a guide to the lines of its article.
func clicksName(t *testing.T, guide string, open map[string]bool) {
	t.Helper()
	known := len(open)
	carried := map[string]bool{}
	pages, err := fs.Glob(assets.Texts(), "*.txt")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	g, _ := (&link{app: &app{}}).guide(guide)
	for _, name := range pages {
		if id, _, _ := strings.Cut(name, "."); !slices.ContainsFunc(g.Steps, func(s steps.Step) bool { return s.ID == id }) {
			continue
		}
		raw, err := fs.ReadFile(assets.Texts(), name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(raw), "\n") {
			_, refs, has := strings.Cut(line, " @ ")
			if !has {
				continue
			}
			for _, ref := range strings.Split(refs, ";") {
				ref = strings.TrimSpace(ref)
				if !open[ref] {
					t.Errorf("%s:%d: the article has no line %q", name, i+1, ref)
				}
				carried[ref] = true
			}
		}
	}
	if len(carried) != known {
		for line := range open {
			if !carried[line] {
				t.Errorf("no click carries %s", line)
			}
		}
	}
}

// TestStepsNameEveryLine reads the articles that the steps name: together they are every line that is carried.
func TestStepsNameEveryLine(t *testing.T) {
	open := map[string]bool{}
	for _, s := range sections() {
		for _, n := range s.names() {
			open[n] = !s.notYet
		}
	}
	l := &link{app: &app{}}
	g, _ := l.guide("auditor")
	known := []string{"implied", "not in the article", "Setting Up the Resource-based Policy"} // headings without numbered lines
	for _, step := range g.Steps {
		if slices.Contains(known, step.Article) {
			continue
		}
		for _, name := range articleOf(t, step.Article) {
			if _, is := open[name]; !is {
				t.Errorf("%s names %q: there is no line %s", step.ID, step.Article, name)
			}
			open[name] = false
		}
	}
	for name, left := range open {
		if left {
			t.Errorf("no step names %s", name)
		}
	}
}

// articleOf spells out the lines of a step's article: "Initial Setup, 5-6, 9; Export, 1-10".
func articleOf(t *testing.T, text string) []string {
	t.Helper()
	var names []string
	for _, part := range strings.Split(text, ";") {
		words := strings.Split(strings.TrimSpace(part), ", ")
		short := strings.TrimPrefix(strings.TrimPrefix(words[0], "Create a "), "Create an ")
		if len(words) == 1 {
			t.Errorf("%q names no lines", text)
		}
		for _, span := range words[1:] {
			from, to, ranged := strings.Cut(span, "-")
			if !ranged {
				to = from
			}
			first, err := strconv.Atoi(from)
			last, err2 := strconv.Atoi(to)
			if err != nil || err2 != nil || first > last {
				t.Errorf("%q: %q is no span of lines", text, span)
			}
			for n := first; n <= last; n++ {
				names = append(names, fmt.Sprintf("%s %d", short, n))
			}
		}
	}
	return names
}
