package steps

import (
	"iter"
	"strings"
)

// nearest is the word with the fewest changed letters, the first in the alphabet of several.
func nearest(word string, known iter.Seq[string]) string {
	best, distance := "", 1<<30
	for k := range known {
		if d := editDistance(strings.ToLower(word), strings.ToLower(k)); d < distance || d == distance && k < best {
			best, distance = k, d
		}
	}
	return best
}

func editDistance(a, b string) int {
	if len(a) > 200 {
		a = a[:200]
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
