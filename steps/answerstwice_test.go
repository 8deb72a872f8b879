package steps

import (
	"strings"
	"testing"

	"npsetup/steps/problem"
)

// TestAListNamesNothingTwice finds it with the answers, and names both lines, without the text of either.
func TestAListNamesNothingTwice(t *testing.T) {
	g := Guide{ID: "g", Steps: []Step{{ID: "s", Fields: []Field{
		{Key: "a.hosts", Kind: Multi, Prompt: "Hosts", Example: "x"},
		{Key: "a.odd", Kind: Multi, Prompt: "Odd", Optional: true, Repeats: func(v []string) (int, int, bool) { return 0, len(v) - 1, len(v) == 3 }},
	}}}}
	read := func(text string, set map[string]string) error {
		_, err := ReadAnswers(func(string) (Guide, bool) { return g, true }, "f.yaml", []byte("version: 1\nguide: g\n"+text), Overrides{Set: set})
		return err
	}
	for name, c := range map[string]struct {
		text string
		set  map[string]string
		why  string
	}{
		"block":    {text: "a:\n  hosts:\n    - one\n    - \"\"\n    - two\n    - ONE\n", why: "entries 1 and 3 of the list name the same: they stand at f.yaml:5:7 and f.yaml:8:7"},
		"in a row": {text: "a: {hosts: [one, two, two]}\n", why: "entries 2 and 3 of the list name the same: they stand at f.yaml:3:18 and f.yaml:3:23"},
		"its own":  {text: "a: {hosts: [one], odd: [x, y, z]}\n", why: "entries 1 and 3 of the list name the same: they stand at f.yaml:3:25 and f.yaml:3:31"},
		"set":      {text: "a: {hosts: [one, two]}\n", set: map[string]string{"a.hosts": "three,three"}, why: "entries 1 and 2 of the list name the same"},
	} {
		err := read(c.text, c.set)
		all := problem.All(err)
		if len(all) != 1 || all[0].Why != c.why || all[0].Code != problem.NamedTwice || !problem.Is(err, problem.Usage) || len(all[0].Next) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := read("a: {hosts: [one, two], odd: [x, y]}\n", nil); err != nil {
		t.Errorf("lists without a repetition: %v", err)
	}
	if err := read("a: {hosts: [s3cr3t, s3cr3t]}\n", nil); strings.Contains(err.Error(), "s3cr3t") {
		t.Errorf("the entry is repeated: %v", err)
	}
}
