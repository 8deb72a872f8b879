package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// faultRow is what became of one blow: how many calls it struck, and how the runs ended.
type faultRow struct {
	calls, recovered, failed int
	ended                    map[string]int // by exit code
}

// faultTable counts what is kept, blow by blow.
func faultTable(kept map[string]string) string {
	rows := map[string]*faultRow{}
	for name, end := range kept {
		blow := strings.SplitN(name, " ", 4)[3]
		r := rows[blow]
		if r == nil {
			r = &faultRow{ended: map[string]int{}}
			rows[blow] = r
		}
		r.calls++
		switch {
		case end == "recovered":
			r.recovered++
		case strings.HasPrefix(end, "ended "):
			r.ended[strings.Fields(end)[1]]++
		default:
			r.failed++
		}
	}
	var b strings.Builder
	b.WriteString("| fault | calls | recovered | ended 1 | ended 77 | ended 0 or 3 | failed |\n|---|---|---|---|---|---|---|\n")
	line := func(name string, r *faultRow) {
		fmt.Fprintf(&b, "| %s | %d | %d | %d | %d | %d | %d |\n", name, r.calls, r.recovered, r.ended["1"], r.ended["77"], r.ended["0"]+r.ended["3"], r.failed)
	}
	sum := &faultRow{ended: map[string]int{}}
	for _, name := range slices.Sorted(maps.Keys(rows)) {
		r := rows[name]
		line(name, r)
		sum.calls, sum.recovered, sum.failed = sum.calls+r.calls, sum.recovered+r.recovered, sum.failed+r.failed
		for code, n := range r.ended {
			sum.ended[code] += n
		}
	}
	line("all", sum)
	return b.String()
}

// TestFaultTable holds the table of docs/reliability.md against what is kept. -update writes it, and with the tag full TestFaults writes
// what is kept.
func TestFaultTable(t *testing.T) {
	kept := keptFaults(t)
	asTold(t, "faults", faultTable(kept))
	for _, b := range blows() {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(kept)), func(name string) bool { return strings.SplitN(name, " ", 4)[3] == b.name() }) {
			t.Errorf("nothing is kept of %s", b.name())
		}
	}
	for name, end := range kept {
		if end == "failed" {
			t.Errorf("%s failed", name)
		}
	}
}
