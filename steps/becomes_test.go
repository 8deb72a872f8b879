package steps_test

import (
	"strings"
	"testing"

	"npsetup/steps"
)

// originGuide asks in words for what its answer "road" holds.
func originGuide() steps.Guide {
	origin := steps.Field{
		Key: "origin", Kind: steps.Choice, Prompt: "Origin", Default: "own", Choices: []steps.Option{{Value: "own"}, {Value: "new"}},
		Stands: func(a steps.Answers) string {
			if a.Text("road") == "new" {
				return "new"
			}
			return ""
		},
		Becomes: func(a steps.Answers) (string, string) {
			if a.Text("origin") == "new" {
				return "road", "new"
			}
			return "", ""
		},
	}
	own := func(a steps.Answers) bool { return a.Text("origin") != "new" }
	return steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s", Fields: []steps.Field{
		origin, {Key: "road", Kind: steps.FileField, Prompt: "Road", When: own}, {Key: "folder", Kind: steps.FileField, Prompt: "Folder", Default: "file:made", When: func(a steps.Answers) bool { return !own(a) }},
	}}}}
}

// TestAQuestionOfTheFacesIsWrittenAsWhatItBecomes: the file has one answer, whichever way it was given.
func TestAQuestionOfTheFacesIsWrittenAsWhatItBecomes(t *testing.T) {
	g := originGuide()
	for name, c := range map[string]struct {
		drafts map[string]string
		origin string
		road   string
	}{
		"nothing":               {nil, "own", ""},
		"a path":                {map[string]string{"road": "file:a.cer"}, "own", "file:a.cer"},
		"new, in a file":        {map[string]string{"road": "new"}, "new", "new"},
		"new, chosen":           {map[string]string{"origin": "new"}, "new", "new"},
		"new, after a path":     {map[string]string{"origin": "new", "road": "file:a.cer"}, "new", "new"},
		"a path, chosen again":  {map[string]string{"origin": "own", "road": "file:a.cer"}, "own", "file:a.cer"},
		"new in a file, not so": {map[string]string{"origin": "own", "road": "new"}, "own", "new"},
	} {
		a := steps.NewAnswers(g, c.drafts, "/here")
		if got := a.Text("origin"); got != c.origin {
			t.Errorf("%s: the origin is %q, want %q", name, got, c.origin)
		}
		lasting := a.Lasting()
		if _, there := lasting["origin"]; there || lasting["road"] != c.road {
			t.Errorf("%s: written is %v, want road %q", name, lasting, c.road)
		}
		if text := string(steps.WriteAnswers(g, a)); strings.Contains(text, "origin") || strings.Contains(text, "road:") != (c.road != "") {
			t.Errorf("%s: written is\n%s", name, text)
		}
	}
	m := steps.NewMachine(g, map[string]string{"road": "file:a.cer"}, "").Set("origin", "new")
	if got := m.Set("origin", "own").Answers().Text("road"); got != "file:a.cer" {
		t.Errorf("the path that was typed is %q", got)
	}
}

// TestAQuestionOfTheFacesIsNoAnswer: neither a file nor the schema has it.
func TestAQuestionOfTheFacesIsNoAnswer(t *testing.T) {
	g := originGuide()
	find := func(string) (steps.Guide, bool) { return g, true }
	if _, err := steps.ReadAnswers(find, "a.yaml", []byte("version: 1\nguide: g\norigin: new\n"), steps.Overrides{}); err == nil || !strings.Contains(err.Error(), "a.yaml:3:1") {
		t.Errorf("it is read: %v", err)
	}
	raw, err := steps.Schema(g)
	if err != nil || strings.Contains(string(raw), "origin") || !strings.Contains(string(raw), "road") {
		t.Errorf("the schema is\n%s\n%v", raw, err)
	}
}

// TestAPresetFolderStaysWhereItIs when the answers are written somewhere else.
func TestAPresetFolderStaysWhereItIs(t *testing.T) {
	a := steps.NewAnswers(originGuide(), map[string]string{"origin": "new"}, "/here").Anchored("/there")
	if got := a.File("folder"); got != "/here/made" {
		t.Errorf("the folder is %s", got)
	}
	own := steps.NewAnswers(originGuide(), nil, "/here").Anchored("/there")
	if _, drafted := own.Drafts()["folder"]; drafted {
		t.Error("a folder that is not asked for was written")
	}
}
