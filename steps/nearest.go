package steps

import (
	"strings"

	"npsetup/steps/problem"
)

// nearest is the word with the fewest changed letters, the first in the alphabet of several. What is typed is compared up to 200 bytes.
func nearest(typed string, known []string) string {
	typed = strings.ToLower(typed)
	typed = typed[:min(len(typed), 200)]
	best, least := "", 1<<30
	for _, k := range known {
		if d := problem.Distance(typed, strings.ToLower(k)); d < least || d == least && k < best {
			best, least = k, d
		}
	}
	return best
}
