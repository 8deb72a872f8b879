package tui

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"pgregory.net/rapid"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

func examplePlan() plan.Plan {
	manual := func(step string, after ...string) plan.Action {
		return plan.Action{Key: step, Step: step, Effect: plan.ByHand, Object: "dialog", Name: step, After: after, Ops: []plan.Op{{
			ID: "manual", Kind: plan.KindManual, Manual: &plan.Manual{
				Where: "on its server", Clicks: []plan.Click{{Text: "Type NetwrixAuditor and choose Next"}},
				Values: []plan.Labeled{{Label: "name", Value: "NetwrixAuditor"}, {Label: "template", Value: `%targetDomain%\x`}}, Check: "it says so",
			},
		}}}
	}
	call := plan.Call{Operation: "createPolicy", Method: "POST", Path: "/api/v1/AccessControlPolicy", Body: plan.Object{{Name: "name", Value: plan.String("p")}}}
	return plan.Plan{Title: "A guide", Server: "https://nps/", Actions: []plan.Action{
		manual("auditor-start"),
		{Key: "policy", Step: "policy-resource", Effect: plan.Create, Object: "access policy", Name: "p", Ops: []plan.Op{{ID: "create", Kind: plan.KindCall, Class: plan.Change, Call: &call}}},
		manual("monitoring-plan", "policy"),
	}}
}

func filledScreen(t *testing.T, width, height int) *screen {
	t.Helper()
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: examplePlan()}, width, height)
	return s.press("enter")
}

func TestBackFromAnInvalidFieldKeepsItsText(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide()}, 80, 24).press("enter", "enter", "enter")
	s.sees("NPS server")
	s.press("http://x", "enter")
	s.sees("! ", "http://x", "https only")
	s.press("esc")
	s.sees("Start in Auditor")
	s.press("enter")
	s.sees("NPS server", "http://x")
}

func TestTheWholeWayByKeys(t *testing.T) {
	s := filledScreen(t, 80, 24)
	for range len(s.m.m.Guide().Steps) {
		s.press("ctrl+n")
	}
	s.sees("Review", "Answers", "NPS administrator: CONTOSO", "Origin of the certificate: auditor")
	s.press("pgdown")
	s.sees("POST /api/v1/AccessControlPolicy")
	s.press("c")
	s.press("enter")
	s.sees("Carry this out?", "1 to create")
	s.press("enter") // no is marked
	s.sees("Review")
	if s.w.applied != 0 {
		t.Fatal("it was carried out without a yes")
	}
	s.press("enter", "y")
	s.sees("By hand, 1 of 2: dialog", "1. Type NetwrixAuditor", "check: it says so")
	if s.w.applied != 1 {
		t.Fatalf("applied %d times", s.w.applied)
	}
	s.press("down", "y")
	s.sees("sent to your terminal for copying: template")
	s.press("n", "enter") // the first is put off, the second is done; then the first comes once more
	s.sees("By hand, 2 of 2", "You put this off. It comes once more before the end:")
	s.press("n")
	s.sees("Report")
	s.press("s")
	s.sees("Write the answers file", "> answers-2.yaml") // where it can be written
	s.press("esc")
	if s.w.applied != 2 {
		t.Fatalf("what was done by hand was not noted down: applied %d times", s.w.applied)
	}
	s.press("enter")
	if !s.m.left || s.m.ending.Cancelled {
		t.Error("it was not left, or as cancelled")
	}
}

// TestAWordIsNotedDownAtOnce, and the next page comes only then; what is taken back is noted down too.
func TestAWordIsNotedDownAtOnce(t *testing.T) {
	s := filledScreen(t, 80, 24)
	for range len(s.m.m.Guide().Steps) {
		s.press("ctrl+n")
	}
	s.press("enter", "y")
	s.sees("By hand, 1 of 2: dialog")
	s.w.sayErr = problem.New("the disk is full")
	s.press("enter")
	s.sees("By hand, 1 of 2: dialog", "not noted down: the disk is full")
	s.w.sayErr = nil
	s.press("enter")
	s.sees("By hand, 2 of 2")
	if !slices.Equal(s.w.said, []string{"auditor-start"}) || s.w.applied != 1 {
		t.Errorf("noted down %q, %d runs", s.w.said, s.w.applied)
	}
	s.w.sayErr = problem.New("the disk is full")
	s.press("esc")
	s.sees("By hand, 2 of 2", "not taken back: the disk is full")
	s.w.sayErr = nil
	s.press("esc")
	s.sees("By hand, 1 of 2: dialog")
	if !slices.Equal(s.w.said, []string{"auditor-start", "not auditor-start"}) {
		t.Errorf("noted down %q", s.w.said)
	}
}

func TestADryRunEndsAtThePlan(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: examplePlan()}, 80, 24)
	s.press("d")
	s.sees("dry run: it only reads")
	s.press("enter")
	for range len(s.m.m.Guide().Steps) {
		s.press("ctrl+n")
	}
	s.press("enter")
	s.sees("Nothing was changed", "1 to create")
	s.press("enter")
	if s.w.applied != 0 || !s.m.ending.Pending {
		t.Error("a dry run that is none")
	}
}

func TestARiskIsAskedForByItsName(t *testing.T) {
	drafts := filledDrafts()
	delete(drafts, "acceptRisks")
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: drafts, plan: examplePlan()}, 80, 24).press("enter")
	for range len(s.m.m.Guide().Steps) {
		s.press("ctrl+n")
	}
	s.sees("Consent: domain-admins")
	s.press("enter") // no
	if len(s.m.m.Risks(steps.Memory{})) != 1 {
		t.Fatal("it was accepted without a yes")
	}
	s.sees("Activity", "not accepted: domain-admins; change the answer, or accept it") // it leads to the answer that takes it
	for range 5 {
		s.press("ctrl+n")
	}
	s.press("y")
	s.sees("Review")
	if s.m.said != "" {
		t.Errorf("still said: %s", s.m.said)
	}
	if len(s.m.m.Risks(steps.Memory{})) != 0 {
		t.Error("it was not noted")
	}
}

func TestSecretsAreNotDraftsAndAreNotShown(t *testing.T) {
	s := filledScreen(t, 80, 24)
	for s.m.m.Current().ID != "signin" {
		s.press("ctrl+n")
	}
	s.press("tab", "tab", "S3CR3T-pass")
	s.sees("received")
	for key, draft := range s.m.m.Drafts() {
		if strings.Contains(draft, "S3CR3T") {
			t.Errorf("the draft of %s holds the secret", key)
		}
	}
	if strings.Contains(s.text(), "S3CR3T") || s.w.kept["nps.signIn.password"].Empty() {
		t.Error("it is shown, or was not kept")
	}
	s.press("ctrl+x", "env:NAME")
	if s.m.m.Drafts()["nps.signIn.password"] != "env:NAME" {
		t.Error("a reference is no longer one")
	}
}

func TestPastesAreCleanedAndItIsSaid(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide()}, 80, 24).press("enter", "enter", "enter")
	s.send(tea.PasteMsg{Content: " https://nps.contoso.com\u200e\r\n"})
	s.sees("https://nps.contoso.com", "blanks at its ends were left out: 4")
	if s.m.m.Drafts()["nps.url"] != "https://nps.contoso.com" {
		t.Errorf("the draft is %q", s.m.m.Drafts()["nps.url"])
	}
}

func TestAQuestionInMidRunLosesNothing(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide()}, 80, 24).press("enter", "enter", "enter", "half a na")
	q := &question{what: "MFA code", secret: true, answer: make(chan answer, 1)}
	s.send(askMsg{q})
	s.sees("MFA code")
	s.press("123456", "enter")
	if a := <-q.answer; a.cancelled || a.secret.Arrived() != "received" {
		t.Errorf("the answer was %v", a.cancelled)
	}
	s.sees("half a na")
	again := &question{what: "MFA code", secret: true, answer: make(chan answer, 1)}
	s.send(askMsg{again})
	s.press("esc")
	if a := <-again.answer; !a.cancelled {
		t.Error("esc gave an answer")
	}
}

func TestASecretOfAManualPageIsFetchedWhenAsked(t *testing.T) {
	call := plan.Call{Operation: "revealApiKey", Method: "GET", Path: "/api/v1/ManagedAccount/RevealApiKey/1"}
	made := examplePlan()
	m := made.Actions[0].Ops[0].Manual
	m.Values = append(m.Values, plan.Labeled{Label: "API key", Fetch: &call})
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: made}, 80, 24).press("enter")
	s.m.plan = made
	s.m.replace(&manualPage{a: made.Actions[0]})
	s.press("down", "down")
	s.sees("> API key: a secret; y or p fetches it")
	s.press("y")
	s.sees("API key: 24 characters, ends in 89", "sent to your terminal for copying: API key")
	if strings.Contains(s.text(), "S3CR3T") {
		t.Error("the secret is shown")
	}
	s.w.err = wrongAnswer()
	s.m.replace(&manualPage{a: made.Actions[0]})
	s.press("down", "down", "y")
	s.sees("NPS has no such thing")
}

func TestCtrlCAsksFirst(t *testing.T) {
	s := filledScreen(t, 80, 24).press("ctrl+c")
	s.sees("Leave npsetup?")
	s.press("n")
	s.sees("Origin of the certificate")
	s.press("ctrl+c", "ctrl+c")
	if !s.m.left || !s.m.ending.Cancelled || s.w.saved == 0 {
		t.Error("not left, not cancelled, or the answers were not kept")
	}
}

func TestTenThousandChoicesAndNone(t *testing.T) {
	var options []steps.Option
	for i := range 10000 {
		options = append(options, steps.Option{Value: fmt.Sprintf("srv%05d.contoso.com", i), Title: "server"})
	}
	for _, n := range []int{10000, 0} {
		w := &fakeWork{guide: realGuide(), drafts: filledDrafts(), options: options[:n]}
		s := newScreen(t, w, 40, 10).press("enter")
		for s.m.m.Current().ID != "resource" {
			s.press("ctrl+n")
		}
		s.press("ctrl+l", "home", "end", "down", "up", "left", "right", "0999", "down", "backspace", "zzz")
		s.sees("0 of")
		s.press("home", "end", "enter", "esc")
		s.press("ctrl+l", "09999", "enter")
		if n > 0 && !strings.Contains(s.m.m.Drafts()["accessPolicy.resource.resources"], "srv09999") {
			t.Errorf("the choice was not taken: %q", s.m.m.Drafts()["accessPolicy.resource.resources"])
		}
		if why := s.broken(); why != "" {
			t.Error(why)
		}
	}
}

func TestAPanicIsCaughtEverywhere(t *testing.T) {
	s := filledScreen(t, 80, 24)
	s.send(guarded(func() tea.Msg { panic("in a job") })())
	if !strings.Contains(s.m.crash, "in a job") {
		t.Error("a panic of a job was not caught")
	}
	s = filledScreen(t, 80, 24)
	s.m.pages = append(s.m.pages, panicking{})
	_ = s.m.View()
	if !strings.Contains(s.m.crash, "in a page") {
		t.Error("a panic while drawing was not caught")
	}
	s = filledScreen(t, 80, 24)
	s.m.pages = append(s.m.pages, panicking{})
	if _, cmd := s.m.Update(tea.KeyPressMsg{Code: 'x', Text: "x"}); cmd == nil || s.m.crash == "" {
		t.Error("a panic at a key was not caught")
	}
}

type panicking struct{}

func (panicking) title(*model) string            { return "" }
func (panicking) update(*model, tea.Msg) tea.Cmd { panic("in a page") }
func (panicking) body(*model, int) *block        { panic("in a page") }
func (panicking) hints(*model) []hint            { return nil }

func TestHostileTextIsHarmless(t *testing.T) {
	evil := "x\x1b[2J\x1b]52;c;ZXZpbA==\x07\u202egnp"
	w := &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: examplePlan(), seen: map[string]steps.Seen{}}
	for _, step := range w.guide.Steps {
		w.seen[step.ID] = steps.Seen{Findings: findings(evil), Warnings: []steps.Warning{{Text: evil, Code: problem.WarningCode}}}
	}
	w.plan.Actions[0].Ops[0].Manual.Values[0].Value = evil
	w.plan.Actions[0].Name, w.plan.Server = evil, evil
	w.options = []steps.Option{{Value: evil, Title: evil}}
	s := newScreen(t, w, 80, 24).press("enter")
	check := func() {
		t.Helper()
		content, _ := s.m.draw()
		for _, bad := range []string{"\x1b[2J", "\x1b]", "\u202e", "\x07"} {
			if strings.Contains(content, bad) {
				t.Fatalf("%q reaches the terminal", bad)
			}
		}
	}
	for range len(w.guide.Steps) {
		check()
		s.press("ctrl+l")
		check()
		s.press("esc", "ctrl+n")
	}
	check()
	s.press("enter", "y")
	check()
	s.press("y")
	check()
}

// TestAnyKeyAtAnySize presses random keys in windows of random sizes: nothing breaks, and nothing that was typed is lost.
func TestAnyKeyAtAnySize(t *testing.T) {
	keys := []string{"enter", "esc", "tab", "shift+tab", "up", "down", "left", "right", "space", "backspace", "home", "end", "pgup", "pgdown", "f1", "ctrl+n", "ctrl+l", "ctrl+o", "ctrl+t", "x", "?", "d", "n", "q2"}
	rapid.Check(t, func(rt *rapid.T) {
		w := &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: examplePlan(), options: []steps.Option{{Value: "a"}, {Value: "b"}}, seen: map[string]steps.Seen{}}
		for _, step := range w.guide.Steps {
			if rapid.IntRange(0, 5).Draw(rt, "wrong") == 0 {
				w.seen[step.ID] = steps.Seen{Err: wrongAnswer(), Findings: findings("x")}
			}
		}
		s := newScreen(t, w, 80, 24)
		for range rapid.IntRange(1, 40).Draw(rt, "actions") {
			if rapid.IntRange(0, 4).Draw(rt, "resize") == 0 {
				s.send(tea.WindowSizeMsg{Width: rapid.IntRange(1, 250).Draw(rt, "width"), Height: rapid.IntRange(1, 80).Draw(rt, "height")})
			}
			s.press(rapid.SampledFrom(keys).Draw(rt, "key"))
			if s.m.crash != "" {
				rt.Fatalf("a panic: %s", s.m.crash)
			}
			if why := s.broken(); why != "" {
				rt.Fatalf("%dx%d: %s\n%s", s.m.width, s.m.height, why, s.text())
			}
			if s.m.guided {
				for k, v := range filledDrafts() {
					if _, there := s.m.m.Drafts()[k]; !there {
						rt.Fatalf("the draft %q of %s is lost", v, k)
					}
				}
			}
		}
	})
}

// TestTheCodeIsAskedThroughTheWizard is the way of a question from a job to the screen and back.
func TestTheCodeIsAskedThroughTheWizard(t *testing.T) {
	w := New(Options{Work: &fakeWork{guide: realGuide()}})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Secret(ctx, "k", "MFA code"); err == nil {
		t.Error("a question without a screen was answered")
	}
	if yes, err := w.Agree(ctx, "Go on?", nil); yes || err == nil {
		t.Error("silence was taken for consent")
	}
}
