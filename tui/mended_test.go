package tui

import (
	"context"
	"strings"
	"testing"

	"npsetup/steps"
)

// TestWhatIsWrongGoesWithTheValue: what was found wrong is not shown beside a value that stands there no longer.
func TestWhatIsWrongGoesWithTheValue(t *testing.T) {
	live := steps.Field{Key: "trust", Prompt: "Trust", LiveChoices: func(context.Context, *steps.Scene, string) ([]steps.Option, error) { return nil, nil }}
	g := steps.Guide{ID: "g", Title: "G", Steps: []steps.Step{
		{ID: "s", Title: "A part", Fields: []steps.Field{live, {Key: "other", Prompt: "Other", Optional: true}}, Look: func(context.Context, *steps.Scene) error { return nil }},
		{ID: "t", Title: "Another part"},
	}}
	for name, mend := range map[string]func(*screen){
		"cleared":             func(s *screen) { s.press("ctrl+x") },
		"emptied":             func(s *screen) { s.press("backspace") },
		"taken from the list": func(s *screen) { s.press("ctrl+l", "enter") },
	} {
		w := &fakeWork{guide: g, seen: map[string]steps.Seen{"s": {Err: wrongAnswer()}}, options: []steps.Option{{Value: "pin"}}}
		s := newScreen(t, w, 80, 24).press("enter", "x", "ctrl+n")
		s.sees("! NPS has no such thing")
		if mend(s); strings.Contains(s.text(), "NPS has no such thing") || !strings.Contains(s.text(), "A part") {
			t.Errorf("%s, and it says\n%s", name, s.text())
		}
	}
	s := newScreen(t, &fakeWork{guide: g}, 80, 24).press("enter", "ctrl+n")
	s.sees("! ")
	if s.press("ctrl+x"); strings.Contains(s.text(), "\n! ") {
		t.Errorf("cleared, and it says\n%s", s.text())
	}
}

// TestWhatWasTakenBackIsNotDenied when the look behind it fails.
func TestWhatWasTakenBackIsNotDenied(t *testing.T) {
	s := atTheUndo(t, &fakeWork{}, 80, 24).press("enter", "y")
	s.w.err = wrongAnswer()
	s.press("enter")
	s.sees("NPS has no such thing", "nothing more was taken back")
	s = atTheUndo(t, &fakeWork{err: wrongAnswer()}, 80, 24)
	s.sees("nothing was taken back")
}

// TestOnlyAnswersThatAreKeptAreCalledSo: a taking back keeps none.
func TestOnlyAnswersThatAreKeptAreCalledSo(t *testing.T) {
	s := atTheUndo(t, &fakeWork{}, 80, 24).press("ctrl+c", "y")
	if !s.m.left || !s.m.ending.Cancelled || s.m.ending.Kept {
		t.Errorf("%+v", s.m.ending)
	}
	s = newScreen(t, &fakeWork{guide: realGuide()}, 80, 24).press("enter", "ctrl+c", "y")
	if !s.m.left || !s.m.ending.Cancelled || !s.m.ending.Kept {
		t.Errorf("%+v", s.m.ending)
	}
}
