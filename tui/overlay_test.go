package tui

import (
	"context"
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// atReview is a screen whose plan is shown and waits for a yes; what begins then is left under way.
func atReview(t *testing.T) *screen {
	t.Helper()
	s := filledScreen(t, 80, 24)
	for range len(s.m.m.Guide().Steps) {
		s.press("ctrl+n")
	}
	s.press("enter")
	s.sees("Carry this out?")
	return s
}

// underWay begins the changes without letting them end, and gives back what ends them.
func underWay(s *screen) func(appliedMsg) {
	s.m.Update(tea.KeyPressMsg{Code: 'y', Text: "y"}) // its commands are not run
	id := s.m.busy.id
	return func(over appliedMsg) { s.send(jobMsg{id, over}) }
}

func TestClosingHelpDoesNotStopTheChanges(t *testing.T) {
	for _, over := range []string{"f1", "ctrl+c"} {
		s := atReview(t)
		underWay(s)
		s.press(over, "esc")
		if s.m.busy == nil || s.m.said != "" {
			t.Errorf("%s and esc: %q", over, s.m.said)
		}
		s.sees("Carrying out")
	}
}

func TestTheFarewellStaysWhenAJobEnds(t *testing.T) {
	s := atReview(t)
	end := underWay(s)
	s.press("ctrl+c")
	s.sees("Leave npsetup?")
	end(appliedMsg{result: run.Result{Actions: []run.ActionResult{{Key: "policy", Outcome: steps.Done}}}})
	s.sees("Leave npsetup?")
	s.press("y")
	if !s.m.left || len(s.m.ending.Result.Actions) != 1 {
		t.Errorf("left %v, result %+v", s.m.left, s.m.ending.Result)
	}
	if s.m.hand.Unnoted() {
		t.Error("a key that was meant for the farewell did something by hand")
	}
}

func TestASecondSetUpKnowsNothingOfTheFirst(t *testing.T) {
	s := filledScreen(t, 80, 24)
	s.m.hand.Do("auditor-start")
	s.m.report = &run.Report{}
	s.press("esc")
	s.sees("Set up: ")
	if s.w.saved == 0 {
		t.Error("what was answered was not kept")
	}
	s.press("enter")
	if s.m.hand.IsDone("auditor-start") || s.m.report != nil {
		t.Error("the first one's is still there")
	}
}

func TestAVerifiedSetUpIsNotKeptOverAnother(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts()}, 80, 24).press("down", "enter")
	s.sees("Report")
	s.press("enter")
	if !s.m.left || s.w.saved != 0 {
		t.Errorf("left %v, saved %d times", s.m.left, s.w.saved)
	}
}

func TestAFailedVerificationSaysSo(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts(), err: problem.New("it cannot be read").Try("look at it")}, 80, 24).press("down", "enter")
	s.sees("! it cannot be read", "next: look at it", "Nothing was read back")
	s.press("enter")
	if s.m.ending.Err == nil {
		t.Error("it ends as if nothing were wrong")
	}
}

// TestAnAnswerThatChangesWhileItIsLookedAt: the page does not go on with an answer that nobody looked at.
func TestAnAnswerThatChangesWhileItIsLookedAt(t *testing.T) {
	s := filledScreen(t, 80, 24).press("enter")
	s.sees("NPS server")
	s.m.Update(tea.KeyPressMsg{Code: tea.KeyEnter}) // looks
	id, drafts := s.m.busy.id, s.m.m.Drafts()
	s.press("enter") // is no second look
	if s.m.busy.id != id {
		t.Error("it looks anew")
	}
	s.press("x")
	s.send(jobMsg{id, seenMsg{step: "server", drafts: drafts, next: true}})
	s.sees("NPS server", "an answer changed while it was looked")
	if _, seen := s.m.seen["server"]; seen {
		t.Error("what was seen counts for another answer")
	}
}

func TestNothingIsLookedAtByAJump(t *testing.T) {
	s := filledScreen(t, 80, 24).press("ctrl+o")
	for range 6 {
		s.press("down")
	}
	looked := 0
	s.w.looked = func(string) { looked++ }
	s.press("enter")
	s.sees("Client certificate")
	if looked != 0 {
		t.Error("it looked through the sign-in, which nobody asked for")
	}
}

func TestTheCertificateIsShownWhereItIsTrusted(t *testing.T) {
	w := &fakeWork{guide: realGuide(), drafts: filledDrafts(), seen: map[string]steps.Seen{"server": {Findings: findings("nps")[1:2]}}}
	s := newScreen(t, w, 80, 24).press("enter", "ctrl+o", "down", "down", "down", "enter")
	s.sees("Trust", "certificate")
	if len(s.m.earlier(s.m.m.Current())) == 0 {
		t.Error("it asks without showing the certificate")
	}
}

func TestALookThatWasGivenUpByHandLeadsOn(t *testing.T) {
	s := atReview(t)
	s.m.replace(&manualPage{}) // as after esc in the middle of the look
	s.sees("enter looks, esc goes to the answers")
	s.press("esc")
	s.sees("step ")
}

func TestAChosenValueIsAnsweredAsItIsAndShownHarmless(t *testing.T) {
	hostile := "svc\u202egpj\x1b[2J"
	w := &fakeWork{guide: realGuide(), drafts: filledDrafts(), options: []steps.Option{{Value: hostile}}}
	s := newScreen(t, w, 80, 24).press("enter")
	for s.m.m.Current().ID != "resource" {
		s.press("ctrl+n")
	}
	s.press("tab", "ctrl+l", "enter")
	if got := s.m.m.Drafts()["accessPolicy.resource.serviceAccount"]; got != hostile {
		t.Errorf("the answer is %q", got)
	}
	if strings.ContainsAny(s.m.View().Content, "\u202e") {
		t.Error("it reaches the terminal")
	}
}

func TestPastedLinesAreSeveralValues(t *testing.T) {
	s := filledScreen(t, 80, 24)
	for s.m.m.Current().ID != "resource" {
		s.press("ctrl+n")
	}
	s.press("ctrl+x")
	s.send(tea.PasteMsg{Content: "dc01.contoso.com\r\ndc02.contoso.com\n"})
	if got := s.m.m.Drafts()["accessPolicy.resource.resources"]; got != "dc01.contoso.com\ndc02.contoso.com" {
		t.Errorf("the answer is %q", got)
	}
}

// TestTheDryRunReachesTheGate: the key d is no matter of the screen alone.
func TestTheDryRunReachesTheGate(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts()}, 80, 24)
	var begun face.Offer
	s.w.begun = func(o face.Offer) { begun = o }
	s.press("d", "enter")
	if !begun.DryRun {
		t.Error("the set-up was begun as one that changes")
	}
}

func TestWhatWasCarriedOutIsToldWhenTheProgramIsEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := newModel(ctx, New(Options{Work: &fakeWork{guide: realGuide()}}).o)
	m.kept = make(chan appliedMsg, 1)
	m.kept <- appliedMsg{result: run.Result{Actions: []run.ActionResult{{Key: "policy", Outcome: steps.Done}}}, err: errors.New("stopped")}
	cancel()
	e := m.awaited(face.Ending{})
	if len(e.Result.Actions) != 1 || e.Err == nil {
		t.Errorf("%+v", e)
	}
}

// TestWhatIsSaidIsNotCut: at 80 columns a long page leaves room for why a consent was asked for again.
func TestWhatIsSaidIsNotCut(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide()}, 80, 24)
	for _, r := range s.m.o.Work.(*fakeWork).guide.Risks {
		s.m.say("not accepted: " + r.Name + "; change the answer, or accept it")
		for _, where := range []string{position(0, 20, 21), position(100, 20, 1200), position(1, 20, 21), ""} {
			line := ansi.Strip(s.m.saidLine(where))
			if ansi.StringWidth(line) > 80 || !strings.HasSuffix(line, "or accept it") || where != "" && line[0] != where[0] {
				t.Errorf("%d columns: %q", ansi.StringWidth(line), line)
			}
		}
	}
	s.m.say("short")
	if line := ansi.Strip(s.m.saidLine(position(0, 20, 21))); line != "↓ more, 1-20 of 21  short" {
		t.Errorf("%q", line)
	}
}
