package main

import (
	"fmt"
	"strings"
	"testing"
)

// tally counts cases, and those that failed.
type tally struct {
	names []string
	ran   map[string]int
	bad   map[string]int
}

// in counts one case of a kind.
func (c *tally) in(t *testing.T, kind string, one func(t *testing.T)) {
	t.Helper()
	if c.ran == nil {
		c.ran, c.bad = map[string]int{}, map[string]int{}
	}
	if c.ran[kind] == 0 {
		c.names = append(c.names, kind)
	}
	c.ran[kind]++
	if !t.Run(fmt.Sprintf("%s %d", kind, c.ran[kind]), one) {
		c.bad[kind]++
	}
}

func (c *tally) table() string {
	var b strings.Builder
	b.WriteString("| what | cases | failed |\n|---|---|---|\n")
	for _, name := range c.names {
		fmt.Fprintf(&b, "| %s | %d | %d |\n", name, c.ran[name], c.bad[name])
	}
	return b.String()
}
