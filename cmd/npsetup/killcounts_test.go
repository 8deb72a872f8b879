package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// killCounts are the cases by guide and kind of kill.
type killCounts struct {
	mu      sync.Mutex
	planned int
	cases   map[string]map[kill][2]int // run, failed
}

func (c *killCounts) ran(guide string, k kill, failed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cases == nil {
		c.cases = map[string]map[kill][2]int{}
	}
	if c.cases[guide] == nil {
		c.cases[guide] = map[kill][2]int{}
	}
	n := c.cases[guide][k]
	n[0]++
	if failed {
		n[1]++
	}
	c.cases[guide][k] = n
}

// plan counts cases that are to be run.
func (c *killCounts) plan(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.planned += n
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

// killRows name what is killed, in the order of the table.
func killRows() []string {
	var rows []string
	for _, g := range killables() {
		rows = append(rows, g.name)
	}
	rows = append(rows, certificateOverSSH().name)
	for _, g := range allKilledWords() {
		rows = append(rows, g.name())
	}
	return rows
}

// table is the section of docs/reliability.md.
func (c *killCounts) table() string {
	var b strings.Builder
	kinds := []kill{beforeSend, afterSend, answerLost, afterAnswer, tornAnswer, takenBack}
	b.WriteString("| guide or road |")
	for _, k := range kinds {
		fmt.Fprintf(&b, " %v |", k)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(kinds)) + "\n")
	for _, row := range killRows() {
		fmt.Fprintf(&b, "| %s |", row)
		for _, k := range kinds {
			n := c.cases[row][k]
			fmt.Fprintf(&b, " %d run, %d failed |", n[0], n[1])
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	return b.String()
}

// compare holds the counts against the table, or writes it with -update.
func (c *killCounts) compare(t *testing.T) {
	t.Helper()
	if n := c.all(); n < c.planned { // go test -run names some of them
		t.Logf("%d of %d cases were run: the table in docs/reliability.md is not compared", n, c.planned)
		return
	}
	asTold(t, "kills", c.table())
}
