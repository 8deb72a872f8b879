package steps_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// TestAnswersThatWouldNeverBeRead gives files that are small and would keep the parser busy for minutes. The test ends, or its time does.
func TestAnswersThatWouldNeverBeRead(t *testing.T) {
	many := func(n int, one func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(one(i))
		}
		return b.String()
	}
	g := steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s", Fields: []steps.Field{{Key: "a.list", Kind: steps.Multi, Example: "x"}}}}}
	read := func(text string) (steps.Parsed, error) {
		return steps.ReadAnswers(func(id string) (steps.Guide, bool) { return g, id == "g" }, filepath.Join(os.TempDir(), "f.yaml"), []byte("version: 1\nguide: g\n"+text), steps.Overrides{})
	}
	for name, c := range map[string][2]string{
		"brackets":     {"a: " + strings.Repeat("[", 400000), "nested too deep"},
		"closed":       {"a: " + strings.Repeat("[", 100000) + strings.Repeat("]", 100000), "nested too deep"},
		"braces":       {"a: " + strings.Repeat("{a: ", 4000), "nested too deep"},
		"columns":      {many(1300, func(i int) string { return strings.Repeat(" ", i) + "a:\n" }), "nested too deep"},
		"dashes":       {strings.Repeat("- ", 100000) + "a", "nested too deep"},
		"keys":         {many(90000, func(i int) string { return fmt.Sprintf("k%d: 1\n", i) }), "more than 5000 keys"},
		"bare members": {"a: {" + many(90000, func(i int) string { return fmt.Sprintf("k%d,", i) }) + "}", "more than 5000 keys"},
		"mistakes":     {many(4000, func(i int) string { return fmt.Sprintf("k%d: 1\n", i) }), "there are more mistakes"},
		"aliases":      {"a: [" + strings.Repeat("*a, ", 4000) + "]", "there are more mistakes"},
	} {
		_, err := read(c[0])
		all := problem.All(err)
		if err == nil || len(all) > 201 || !strings.Contains(all[len(all)-1].What, c[1]) {
			t.Errorf("%s: %d mistakes, the last is %v", name, len(all), all[max(len(all)-1, 0):])
		}
	}
	p, err := read("a: {list: [" + many(20000, func(i int) string { return fmt.Sprintf("'[%d]', ", i) }) + "]}")
	if err != nil || len(p.Answers.List("a.list")) != 20000 {
		t.Errorf("a long list of texts with brackets: %v", err)
	}
}
