package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// vaultSection is one paragraph of the vendor's article on Password Secure that has numbered lines.
type vaultSection struct {
	heading, short, named string // in the article, in the pages, and in the steps
	lines                 int
}

// vaultSections are frozen: a line that the vendor adds or drops has to be looked at by a person.
func vaultSections() []vaultSection {
	return []vaultSection{
		{"Generate an API Key", "API Key", "Generate an API Key", 5},
		{"Create a New Password (AD User Template)", "New Password", "Create a New Password", 4},
		{"Add a Service Account with the Password Secure API Key", "Service Account", "Add a Service Account", 4},
		{"Configure the Password Secure Vault Connector in NPS", "Connector", "Configure the Password Secure Vault Connector", 4},
		{"Create an Activity", "Activity", "Create an Activity", 4},
		{"Configure a New Policy", "Policy", "Configure a New Policy", 4},
		{"System Diagram: Vault Login Activity with Password Secure Integration", "Diagram", "System Diagram", 7},
	}
}

func (s vaultSection) names() []string {
	names := make([]string, s.lines)
	for i := range names {
		names[i] = fmt.Sprintf("%s %d", s.short, i+1)
	}
	return names
}

func vaultLineNames() []string {
	var names []string
	for _, s := range vaultSections() {
		names = append(names, s.names()...)
	}
	return names
}

// TestEveryLineOfTheVaultsArticleIsCarried counts the lines: all 32 have a test of their name.
func TestEveryLineOfTheVaultsArticleIsCarried(t *testing.T) {
	wanted := vaultLineNames()
	if len(wanted) != 32 {
		t.Errorf("%d lines, frozen are 32", len(wanted))
	}
	eachIsTested(t, vaultLines(), wanted)
	frozen := map[string]int{}
	for _, s := range vaultSections() {
		frozen[s.heading] = s.lines
	}
	compareWithTheArticle(t, "byov-password-secure.md", vaultNumbered, frozen)
}

// vaultNumbered counts the lines "Step n -" and those of the diagram under each heading. The article has no marks of headings: one is a
// line on its own before lines that count from 1.
func vaultNumbered(text string) (map[string]int, error) {
	step := regexp.MustCompile(`^(?:Step (\d+) - |\s+(\d+)\. )`)
	found := map[string]int{}
	var known []string
	for _, s := range vaultSections() {
		known = append(known, s.heading)
	}
	heading := ""
	for _, line := range strings.Split(text, "\n") {
		if slices.Contains(known, strings.TrimSpace(line)) {
			heading = strings.TrimSpace(line)
			continue
		}
		m := step.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		found[heading]++
		if n, _ := strconv.Atoi(m[1] + m[2]); n != found[heading] {
			return found, fmt.Errorf("%q: line %d is numbered %d", heading, found[heading], n)
		}
	}
	return found, nil
}

func TestVaultLinesAreCounted(t *testing.T) {
	got, err := vaultNumbered("x\nGenerate an API Key\ntext\nStep 1 - a\n\n- b\nStep 2 - c\n\nCreate an Activity\nStep 1 - d\n  1. not this\n")
	if err == nil || got["Generate an API Key"] != 2 {
		t.Errorf("a line that counts anew goes unseen: %v, %v", got, err)
	}
	if got, err := vaultNumbered("Create an Activity\nStep 1 - a\nStep 2 - b\n"); err != nil || fmt.Sprint(got) != "map[Create an Activity:2]" {
		t.Errorf("%v, %v", got, err)
	}
}

// TestVaultPagesNameLinesThatExist reads what each click says to carry: no line that does not exist, and every line once at least.
func TestVaultPagesNameLinesThatExist(t *testing.T) {
	open := map[string]bool{}
	for _, name := range vaultLineNames() {
		open[name] = true
	}
	clicksName(t, vaultGuide, open)
}

// TestVaultStepsNameEveryLine reads the paragraphs that the steps name: together they are every line.
func TestVaultStepsNameEveryLine(t *testing.T) {
	open := map[string]bool{}
	short := map[string]string{}
	for _, s := range vaultSections() {
		short[s.named] = s.short
		for _, n := range s.names() {
			open[n] = true
		}
	}
	g, _ := (&link{app: &app{}}).guide(vaultGuide)
	for _, step := range g.Steps {
		if step.Article == "implied" || step.Article == "Prerequisites; SDK Compatibility and Updates" { // without numbered lines
			continue
		}
		named, _, _ := strings.Cut(step.Article, ",")
		if short[named] == "" {
			t.Errorf("%s names %q: there is no such paragraph", step.ID, step.Article)
			continue
		}
		for _, name := range articleOf(t, strings.Replace(step.Article, named, short[named], 1)) {
			if _, is := open[name]; !is {
				t.Errorf("%s names %q: there is no line %s", step.ID, step.Article, name)
			}
			delete(open, name)
		}
	}
	for name := range open {
		t.Errorf("no step names %s", name)
	}
}
