package steps_test

import (
	"strings"
	"testing"

	"npsetup/steps"
)

// TestNotedAnswersAreReadBack: comments stand where they belong, stay one line each, and hide nothing; values come back as they were.
func TestNotedAnswersAreReadBack(t *testing.T) {
	g := steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s", Fields: []steps.Field{{Key: "a.name", Kind: steps.Text, Prompt: "Name"}, {Key: "a.hosts", Kind: steps.Multi, Prompt: "Hosts"}}}}}
	name := "evil\x1b[2J\u202egnp \U000e0041 \"x\" ü世"
	a := steps.NewAnswers(g, map[string]string{"a.name": name, "a.hosts": "one\ntwo"}, "")
	text := string(steps.WriteNotedAnswers(g, a, []string{"first\nversion: 2"}, map[string][]string{"a.hosts": {"of \u202ethem", "more"}, "a.nothing": {"lost"}}))
	for _, must := range []string{"# first version: 2\nversion: 1\nguide: g\n", "  # of them\n  # more\n  hosts: [\"one\", \"two\"]\n"} {
		if !strings.Contains(text, must) {
			t.Errorf("it lacks %q:\n%s", must, text)
		}
	}
	if strings.ContainsAny(text, "\x1b\u202e\U000e0041") || strings.Contains(text, "lost") {
		t.Errorf("something hides in\n%q", text)
	}
	p, err := steps.ReadAnswers(func(string) (steps.Guide, bool) { return g, true }, "a.yaml", []byte(text), steps.Overrides{})
	if err != nil || p.Answers.Text("a.name") != name || strings.Join(p.Answers.List("a.hosts"), " ") != "one two" {
		t.Errorf("%v, %q", err, p.Answers.Text("a.name"))
	}
}

func TestWarningsTellTheirCode(t *testing.T) {
	g := steps.Guide{ID: "g"}
	s := steps.NewScene(steps.NewAnswers(g, nil, ""), steps.Memory{})
	s.Warn("odd")
	s.Warn("odder", "name-not-found")
	p, err := steps.Draft(g, s, "x")
	if err != nil || strings.Join(p.Warnings, "|") != "odd|odder (code: name-not-found)" {
		t.Errorf("%q, %v", p.Warnings, err)
	}
}
