package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// killCounts are the cases by guide and kind of kill.
type killCounts struct {
	planned int
	guides  []string
	cases   map[string]map[kill][2]int // run, failed
}

func (c *killCounts) ran(guide string, k kill, failed bool) {
	if c.cases == nil {
		c.cases = map[string]map[kill][2]int{}
	}
	if c.cases[guide] == nil {
		c.cases[guide], c.guides = map[kill][2]int{}, append(c.guides, guide)
	}
	n := c.cases[guide][k]
	n[0]++
	if failed {
		n[1]++
	}
	c.cases[guide][k] = n
}

func (c *killCounts) all() int {
	n := 0
	for _, kinds := range c.cases {
		for _, counted := range kinds {
			n += counted[0]
		}
	}
	return n
}

// table is the section of docs/reliability.md.
func (c *killCounts) table() string {
	var b strings.Builder
	kinds := []kill{beforeSend, afterSend, answerLost, afterAnswer, tornAnswer}
	b.WriteString("\n| guide or road |")
	for _, k := range kinds {
		fmt.Fprintf(&b, " %v |", k)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(kinds)) + "\n")
	for _, g := range c.guides {
		fmt.Fprintf(&b, "| %s |", g)
		for _, k := range kinds {
			n := c.cases[g][k]
			fmt.Fprintf(&b, " %d run, %d failed |", n[0], n[1])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	return b.String()
}

// killsFrom and killsTo stand around the section of the kills in docs/reliability.md; roads are sampled without the tag full.
const killsFrom, killsTo = "<!-- kills -->", "<!-- /kills -->"

// compare holds the counts against the table, or writes it with -update.
func (c *killCounts) compare(t *testing.T) {
	t.Helper()
	if n := c.all(); n < c.planned { // go test -run names some of them
		t.Logf("%d of %d cases were run: the table in docs/reliability.md is not compared", n, c.planned)
		return
	}
	const path = "../../docs/reliability.md"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(raw), killsFrom)
	was, after, ends := strings.Cut(rest, killsTo)
	if !begins || !ends {
		t.Fatalf("%s has no section of kills", path)
	}
	now := c.table()
	if *updateGolden {
		if err := os.WriteFile(path, []byte(before+killsFrom+now+killsTo+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if roadStops > 0 && was != now {
		t.Errorf("%s tells other counts:\n%s\nthey are, and -update writes them\n%s", path, was, now)
	}
}
