package tui

import (
	"context"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// atTheNewSecret is a page with a secret that nobody can look up, and another question.
func atTheNewSecret(t *testing.T) *screen {
	t.Helper()
	g := steps.Guide{ID: "g", Title: "Guide", Steps: []steps.Step{
		{ID: "a", Title: "First", Fields: []steps.Field{{Key: "words", Kind: steps.SecretField, Prompt: "Passphrase", Twice: true}, {Key: "name", Prompt: "Name", Default: "x"}}},
		{ID: "b", Title: "Second"},
	}}
	return newScreen(t, &fakeWork{guide: g}, 80, 24).press("enter")
}

// TestANewSecretIsTypedTwice: another text the second time is not taken, and none is used that was typed once.
func TestANewSecretIsTypedTwice(t *testing.T) {
	s := atTheNewSecret(t).press("S3CR3T-1", "enter")
	s.sees("type it once more")
	s.press("S3CR3T-2", "enter")
	s.sees("! the two are not the same")
	if s.w.Holds("words") {
		t.Error("a mistyped one is kept")
	}
	s.press("S3CR3T-1", "ctrl+n") // the next step is no way around it
	s.sees("type it once more", "First")
	s.press("S3CR3T-1", "ctrl+n")
	s.sees("Second")
	if got := s.w.kept["words"]; got.Empty() || s.m.m.Drafts()["words"] != "prompt" {
		t.Error("it is not kept")
	}
	if strings.Contains(s.text(), "S3CR3T") {
		t.Error("it is shown")
	}
	s.press("esc")
	s.sees("received before")
	s.press("env:WORDS", "enter")
	if s.m.m.Drafts()["words"] != "env:WORDS" || s.w.Holds("words") {
		t.Errorf("a reference is %q", s.m.m.Drafts()["words"])
	}
}

// TestAShortOneIsRemarkedOn, as the command cert does.
func TestAShortOneIsRemarkedOn(t *testing.T) {
	s := atTheNewSecret(t).press("S3CR3T-1")
	s.sees("it has under 16 characters")
	s.press("-and-more-of-it")
	s.seesNot("it has under 16 characters")
}

// TestTheClicksFollowTheChoice at once, on the page where it is made, and the steps that depend on it.
func TestTheClicksFollowTheChoice(t *testing.T) {
	g := realGuide()
	s := newScreen(t, &fakeWork{guide: g, drafts: filledDrafts()}, 80, 24).press("enter")
	s.sees("Origin of the certificate: ‹ Auditor makes it ›")
	s.press("enter")
	s.sees("Start in Auditor", "Specify the client certificate")
	s.press("esc", "right", "enter")
	s.seesNot("Start in Auditor")
	s.sees("NPS server")
	follows := steps.Guide{ID: "g", Title: "Guide", Steps: []steps.Step{{
		ID: "a", Title: "First", Fields: []steps.Field{{Key: "way", Kind: steps.Choice, Prompt: "Way", Default: "left", Choices: []steps.Option{{Value: "left"}, {Value: "right"}}}},
		Paragraph: func(a steps.Answers, _ steps.Facts) []string { return []string{"turn to the " + a.Text("way")} },
	}}}
	s = newScreen(t, &fakeWork{guide: follows}, 80, 24).press("enter")
	s.sees("turn to the left")
	s.press("right")
	s.sees("turn to the right")
}

// TestThePagesShowWhatWasSeen: what a look has left is known to the pages behind it, until an answer changes on which it rested.
func TestThePagesShowWhatWasSeen(t *testing.T) {
	key := steps.Key[string]{Name: "color"}
	look := func(_ context.Context, s *steps.Scene) error {
		steps.Put(s, key, "color "+s.Answers.Text("way"))
		return nil
	}
	seen := func(a steps.Answers, known steps.Facts) []string {
		color, _ := steps.Get(known.Scene(a), key)
		return []string{"take the [" + color + "]"}
	}
	g := steps.Guide{ID: "g", Title: "Guide", Steps: []steps.Step{
		{ID: "a", Title: "First", Fields: []steps.Field{{Key: "way", Kind: steps.Text, Prompt: "Way"}}, Look: look, Paragraph: seen}, {ID: "b", Title: "Second", Paragraph: seen},
	}}
	w := &fakeWork{guide: g, drafts: map[string]string{"way": "red"}}
	sight := steps.NewSight(g, func() steps.Memory { return steps.Memory{} })
	w.look = func(m steps.Machine, step string) steps.Seen { return sight.Look(t.Context(), m.Answers(), step) }
	s := newScreen(t, w, 80, 24).press("enter")
	s.sees("First", "take the [color red]") // it looks by itself
	s.press("enter")
	s.sees("Second", "take the [color red]")
	s.press("esc", "x")
	s.sees("First", "take the []")
	s.press("enter")
	s.sees("Second", "take the [color redx]")
}

// TestAFileIsNotThereByAWord: where a file is awaited, the page looks, and nothing is said to be done.
func TestAFileIsNotThereByAWord(t *testing.T) {
	p := examplePlan()
	for i, a := range p.Actions {
		if a.Effect == plan.ByHand {
			p.Actions[i].Ops[0].Manual.Awaits = "/certs/answer.p7b"
			s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: p}, 80, 24).press("enter")
			s.m.plan = p
			s.m.replace(&manualPage{a: p.Actions[i]})
			s.sees("look for the file")
			s.seesNot("it is done")
			s.press("enter")
			s.sees("not there yet: /certs/answer.p7b")
			if len(s.m.hand.Done) > 0 || s.m.hand.Unnoted() || s.w.applied > 0 {
				t.Errorf("said to be done: %v", s.m.hand.Done)
			}
			return
		}
	}
	t.Fatal("the plan has nothing to do by hand")
}

// seesNot demands that texts are not shown.
func (s *screen) seesNot(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.text(), text) {
			s.t.Errorf("%q is shown:\n%s", text, s.text())
		}
	}
}
