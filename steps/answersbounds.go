package steps

import (
	"fmt"
	"strings"

	"npsetup/steps/problem"
)

const (
	deepestBrackets = 64  // opened and not closed again
	deepestColumn   = 200 // at which a line's text begins, behind blanks and the marks of lists and keys
)

// mostKeys is far over what any answers file has, and far below what the parser of YAML takes minutes for.
const mostKeys = 5000

// bounded refuses what would take too long to parse.
func (r *reading) bounded(text string) {
	line, keys := tooDeep(text)
	if line > 0 {
		r.fault(fmt.Sprintf("%s:%d:1", r.name, line), "", "the answers file is nested too deep", "no answer is deeper than four levels", "npsetup schema prints what belongs into it")
	}
	for _, mark := range []string{": ", ":\n", ":\r", ":\t", "? "} {
		keys += strings.Count(text, mark)
	}
	if keys > mostKeys {
		r.fault(r.name, "", fmt.Sprintf("the answers file has more than %d keys", mostKeys), "there are not so many answers", "npsetup schema prints what belongs into it")
	}
}

// tooDeep is the first line on which a file is nested deeper than any answer; 0: there is none. The parser of YAML takes minutes for
// some thousands of levels and cannot be stopped. Brackets within texts count too, and are closed there or few. members are the
// commas between braces: a key may stand there without a colon.
func tooDeep(text string) (at, members int) {
	var open []byte
	number := 0
	for line := range strings.Lines(text) {
		number++
		if len(line)-len(strings.TrimLeft(line, " \t-?:\r\n")) > deepestColumn {
			return number, members
		}
		for i := range len(line) {
			switch c := line[i]; {
			case c == '[' || c == '{':
				open = append(open, c)
			case (c == ']' || c == '}') && len(open) > 0:
				open = open[:len(open)-1]
			case c == ',' && len(open) > 0 && open[len(open)-1] == '{':
				members++
			}
			if len(open) > deepestBrackets {
				return number, members
			}
		}
	}
	return 0, members
}

// mostFaults are told of one file.
const mostFaults = 200

// full says whether enough faults were found.
func (r *reading) full() bool { return len(r.faults) > mostFaults }

func (r *reading) fault(place, key, what, why string, next ...string) {
	if r.full() {
		return
	}
	if len(r.faults) == mostFaults {
		key, what, why, next = "", "there are more mistakes", "the first of them are told", []string{"correct those, then npsetup validate tells the next"}
	}
	if key != "" {
		place += " (" + key + ")"
		if r.bad == nil {
			r.bad = map[string]bool{}
		}
		r.bad[key] = true
	}
	r.faults = append(r.faults, problem.New(what).Because(why).Try(next...).At(place).Of(problem.Usage))
}
