//go:build bench

package benchmark

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// missing stands for a figure that a program does not have.
var missing = math.NaN()

// judge is a target: its words, and whether a figure meets it.
type judge struct {
	words string
	met   func(float64) bool
}

var none = judge{"", nil}

func below(limit float64) judge {
	return judge{"< " + number(limit), func(v float64) bool { return v < limit }}
}

func atMost(limit float64) judge {
	return judge{"≤ " + number(limit), func(v float64) bool { return v <= limit }}
}

func halfOf(gum float64) judge { return below(gum / 2) }

func (j judge) result(v float64) string {
	switch {
	case j.met == nil:
		return ""
	case j.met(v):
		return "pass"
	}
	return "MISS"
}

// table is the result, as Markdown.
type table struct{ rows [][]string }

func (t *table) add(what, unit string, ours, gum, raw float64, j judge) {
	row := []string{what, unit, number(ours), number(gum), number(raw), j.words, j.result(ours)}
	t.rows = append(t.rows, row)
	fmt.Printf("%s, %s: %s, gum %s, raw %s %s\n", what, unit, row[2], row[3], row[4], row[6])
}

func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case v == math.Trunc(v) || v >= 100:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.1f", v)
}

func (t *table) String() string {
	rows := append([][]string{{"what", "unit", "npsetup", "gum", "raw", "target", ""}}, t.rows...)
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	for n, r := range rows {
		for i, c := range r {
			b.WriteString("| " + c + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)+1))
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, w := range widths {
				b.WriteString("|" + strings.Repeat("-", w+2))
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }

func mean(list []float64) float64 {
	total := 0.0
	for _, v := range list {
		total += v
	}
	return total / float64(len(list))
}

// quantile is the smallest value that a share of the list does not exceed.
func quantile(list []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(int(math.Ceil(share*float64(len(sorted))))-1, len(sorted)-1)]
}

func median(list []float64) float64 { return quantile(list, 0.5) }
