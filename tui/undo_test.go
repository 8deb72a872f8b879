package tui

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/rogpeppe/go-internal/txtar"

	"npsetup/steps/plan"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// undoPlan takes a run back: a deletion, a former value, what a person does, and what cannot be taken back.
func undoPlan() plan.Plan {
	call := func(method, path string) []plan.Op {
		return []plan.Op{{ID: "undo-1", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Operation: "x", Method: method, Path: path}}}
	}
	why := "this run did it (create) on 2026-01-02 03:04:05 UTC"
	return plan.Plan{
		Title: "Undo: Netwrix Auditor takes its accounts from Privilege Secure", Server: "https://nps.contoso.com:6500/", Version: "25.12", Identity: "NetwrixAuditor",
		Warnings: []string{`not taken back: managed account "CONTOSO\svc-auditor": its former password is known to nobody`},
		Actions: []plan.Action{
			{Key: "undo/policy", Step: "policy-resource", Effect: plan.Delete, Object: "access policy", Name: "Netwrix Auditor (resource)", Why: why, Ops: call("DELETE", "/api/v1/AccessControlPolicy/7")},
			{Key: "undo/trust", Step: "certificate-trust", Effect: plan.ByHand, Object: "trusted root certificate", Name: "CN=Netwrix Auditor", Why: "this run asked for it, and only a person can take it back", Ops: []plan.Op{{
				Kind: plan.KindManual, Class: plan.Change, Manual: &plan.Manual{Where: "the NPS server", Clicks: []plan.Click{{Text: "delete the certificate from Trusted Root Certification Authorities (Local Computer)"}}},
			}}},
			{
				Key: "undo/profile", Step: "connection-profile", Effect: plan.Update, Object: "connection profile", Name: "Netwrix Auditor", Why: why, Ops: call("PUT", "/api/v1/ConnectionProfile/8"),
				Difference: []plan.Difference{{Label: "maxSessionLength", Field: "maxSessionLength", From: "60", To: "7"}},
			},
		},
	}
}

const changedMember = `connection profile "Netwrix Auditor": maxSessionLength was 7, this run made it 60, and somebody else 9`

// atTheUndo is a screen behind the choice to take a run back.
func atTheUndo(t *testing.T, w *fakeWork, width, height int) *screen {
	t.Helper()
	w.guide, w.drafts, w.plan = realGuide(), filledDrafts(), undoPlan()
	return newScreen(t, w, width, height).press("down", "down", "enter")
}

// TestTakingBackOnPages compares each page of taking a run back with its archive, and holds the rules that need none.
func TestTakingBackOnPages(t *testing.T) {
	others := func() *fakeWork { return &fakeWork{others: []string{changedMember}} }
	pages := []struct {
		name string
		at   func(width, height int) *screen
	}{
		{"the first page", func(x, y int) *screen {
			return newScreen(t, &fakeWork{guide: realGuide()}, x, y).press("down", "down")
		}},
		{"it looks", func(x, y int) *screen {
			s := atTheUndo(t, &fakeWork{}, x, y)
			s.m.Update(tea.KeyPressMsg{Code: 'r', Text: "r"})
			s.m.busy.shown = true
			s.m.replace(&reviewPage{})
			return s
		}},
		{"changed by others", func(x, y int) *screen { return atTheUndo(t, others(), x, y) }},
		{"the plan", func(x, y int) *screen { return atTheUndo(t, &fakeWork{}, x, y) }},
		{"the end of the plan", func(x, y int) *screen {
			s := atTheUndo(t, &fakeWork{}, x, y)
			for range 9 {
				s.press("pgdown")
				s.text()
			}
			return s
		}},
		{"it cannot be looked at", func(x, y int) *screen { return atTheUndo(t, &fakeWork{err: wrongAnswer()}, x, y) }},
		{"consent", func(x, y int) *screen { return atTheUndo(t, &fakeWork{}, x, y).press("enter") }},
		{"under way", func(x, y int) *screen {
			s := atTheUndo(t, &fakeWork{}, x, y).press("enter")
			underWay(s)
			s.m.Update(eventMsg(run.Event{Name: run.ActionDone, Action: "undo/policy", Outcome: "done"})) // its commands are not run
			return s
		}},
		{"leaving meanwhile", func(x, y int) *screen {
			s := atTheUndo(t, &fakeWork{}, x, y).press("enter")
			underWay(s)
			return s.press("ctrl+c")
		}},
		{"stopped", func(x, y int) *screen {
			s := atTheUndo(t, &fakeWork{}, x, y).press("enter")
			s.w.err = wrongAnswer()
			return s.press("y")
		}},
		{"by hand", func(x, y int) *screen { return atTheUndo(t, &fakeWork{}, x, y).press("enter", "y") }},
		{"put off", func(x, y int) *screen { return atTheUndo(t, &fakeWork{}, x, y).press("enter", "y", "n") }},
		{"all", func(x, y int) *screen { return atTheUndo(t, &fakeWork{}, x, y).press("enter", "y", "enter") }},
	}
	var got txtar.Archive
	for _, size := range [][2]int{{40, 10}, {80, 24}} {
		for _, p := range pages {
			s := p.at(size[0], size[1])
			s.text() // lays out
			if why := s.broken(); why != "" {
				t.Errorf("%s, %v: %s\n%s", p.name, size, why, s.text())
			}
			got.Files = append(got.Files, txtar.File{Name: p.name + " " + map[int]string{40: "40x10", 80: "80x24"}[size[0]], Data: []byte(strings.TrimRight(s.text(), "\n") + "\n")})
		}
	}
	compare(t, filepath.Join("testdata", "pages", "take-back.txtar"), &got)
}

// TestOthersChangesAreAskedAbout: the answer goes with the plan and with what is carried out; the answers of a set-up are not kept.
func TestOthersChangesAreAskedAbout(t *testing.T) {
	for key, want := range map[string]face.Changed{"enter": face.KeepTheirs, "down": face.WriteOver} {
		s := atTheUndo(t, &fakeWork{others: []string{changedMember}}, 80, 24)
		s.sees("Changed by others since", "and somebody else 9")
		if s.w.applied != 0 {
			t.Error("it was carried out unasked")
		}
		if s.press(key); key == "down" {
			s.press("enter")
		}
		s.sees("Take back", "1 to delete")
		s.press("esc")
		s.sees("Changed by others since")
		if key == "down" {
			s.press("down")
		}
		s.press("enter", "enter", "y", "enter", "enter")
		if !s.m.left || s.w.saved != 0 || s.w.applied == 0 {
			t.Fatalf("left %v, saved %d, applied %d\n%s", s.m.left, s.w.saved, s.w.applied, s.text())
		}
		if slices.Contains(s.w.changed[1:], face.AskFirst) || !slices.Contains(s.w.changed, want) {
			t.Errorf("%s: %v", key, s.w.changed)
		}
		if said := strings.Join(s.m.ending.Said, "\n"); !strings.Contains(said, "Nothing of this run is left") || !strings.Contains(said, "known to nobody") {
			t.Errorf("behind the screen it says %q", said)
		}
	}
}

// TestEveryPlaceOfTakingBackLeadsBack presses esc at each of them.
func TestEveryPlaceOfTakingBackLeadsBack(t *testing.T) {
	s := atTheUndo(t, &fakeWork{}, 80, 24).press("enter")
	s.sees("Carry this out?")
	s.press("esc")
	s.sees("Take back", "1 to delete")
	s.press("ctrl+o")
	s.sees("Take back") // it has no steps to go to
	s.press("esc")
	s.sees("Set up: ")
	if s.m.guided || s.m.undo != nil {
		t.Error("it is still taken back")
	}
	s.press("enter", "enter", "y")
	s.sees("By hand: trusted root certificate")
	s.press("esc")
	s.sees("Take back", "1 to do by hand", "enter go on: nothing is sent")
	s.press("enter", "n")
	s.sees("Report", "What is left waits for a person (1)")
	s.press("s", "v")
	s.sees("Report")
	s.press("esc", "enter", "enter")
	s.sees("Report", "Nothing of this run is left")
	s.press("esc")
	s.sees("Set up: ")
	s.press("up", "up", "enter")
	s.sees("Origin of the certificate")
	if s.press("x", "right"); s.m.note() == nil {
		t.Error("behind it, the answers of a set-up are not kept")
	}
}

// TestNobodysWordStandsForWhatTheServerShows: it comes again, and says why.
func TestNobodysWordStandsForWhatTheServerShows(t *testing.T) {
	s := atTheUndo(t, &fakeWork{seenOnly: []string{"certificate-trust"}}, 80, 24).press("enter", "y", "enter")
	s.sees("By hand: trusted root certificate", "the server still shows it as it was")
	s.w.seenOnly = nil
	s.press("enter")
	s.sees("Nothing of this run is left")
}

// TestADryRunTakesNothingBack ends with the plan.
func TestADryRunTakesNothingBack(t *testing.T) {
	w := &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: undoPlan()}
	s := newScreen(t, w, 80, 24).press("d", "down", "down", "enter")
	s.sees("Take back", "(dry run)", "enter end the dry run")
	s.press("enter")
	s.sees("End of the dry run", "Nothing was changed.")
	if w.applied != 0 || !s.m.ending.Pending || s.m.ending.Plan == nil {
		t.Errorf("applied %d, %+v", w.applied, s.m.ending)
	}
}

// TestTheDemosPersonTakesNothingBack: it would do the person's part of a set-up.
func TestTheDemosPersonTakesNothingBack(t *testing.T) {
	s := atTheUndo(t, &fakeWork{}, 80, 24)
	s.m.o.Person = func(context.Context) ([]string, error) {
		t.Error("the person was called")
		return nil, nil
	}
	s.press("enter", "y", "d")
	s.sees("By hand: trusted root certificate")
	if strings.Contains(s.text(), "let the demo") {
		t.Error("it is offered")
	}
}

// TestAListThatComesLateLeavesTheMark: what somebody is about to choose stays marked.
func TestAListThatComesLateLeavesTheMark(t *testing.T) {
	s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: undoPlan()}, 80, 24).press("down", "down")
	offers, _ := s.w.Offers()
	s.send(offersMsg{offers: append([]face.Offer{{Guide: "x", Title: "Continue where you were"}}, offers...)})
	s.sees("> Take back what was set up")
	s.press("enter")
	s.sees("1 to delete")
	s.press("esc")
	s.send(offersMsg{offers: offers[:1]}) // it is gone
	s.sees("> Set up: ")
	s.send(offersMsg{})
	s.send(offersMsg{offers: offers})
	s.press("enter")
	if s.m.m.Current().ID != realGuide().Steps[0].ID || s.m.undo != nil {
		t.Errorf("it begins with %s", s.m.m.Current().ID)
	}
}
