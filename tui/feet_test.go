package tui

import (
	"errors"
	"slices"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/run"
)

// feetFit holds that a page's foot line is whole, or says that there are more keys. It is drawn at every width.
func feetFit(t *testing.T, s *screen, what string) {
	t.Helper()
	for _, width := range []int{40, 60, 80} {
		s.send(tea.WindowSizeMsg{Width: width, Height: 24})
		lines := strings.Split(s.text(), "\n")
		foot := lines[len(lines)-1]
		hints := s.m.top().hints(s.m)
		if len(hints) == 0 || !strings.HasPrefix(foot, hints[0].key+" "+hints[0].does) {
			t.Errorf("%s, %d wide: %q does not begin with the first of %v", what, width, foot, hints)
			continue
		}
		all := !slices.ContainsFunc(hints, func(h hint) bool { return !strings.Contains(foot, h.key+" "+h.does) })
		if all == strings.HasSuffix(foot, moreKeys) {
			t.Errorf("%s, %d wide: %q, of %v", what, width, foot, hints)
		}
	}
}

// TestNoFootLineIsCutInSilence on any page of any guide.
func TestNoFootLineIsCutInSilence(t *testing.T) {
	for _, g := range []steps.Guide{realGuide(), vaultGuide()} {
		for _, step := range g.Steps {
			for _, situation := range situations() {
				s := onStep(t, g, step.ID, situation, 80, 24)
				for i := range max(len(s.m.top().(*stepPage).widgets), 1) {
					s.m.top().(*stepPage).focus(i)
					feetFit(t, s, g.ID+" "+step.ID+" "+situation.name)
				}
			}
		}
	}
	hands, none, awaits := examplePlan(), plan.Plan{}, examplePlan()
	hands.Actions = hands.Actions[:1]
	awaits.Actions[0].Ops[0].Manual.Awaits = "/x.p7b"
	bad := errors.New("it broke")
	for what, p := range map[string]plan.Plan{"all": examplePlan(), "by hand": hands, "nothing": none, "a file": awaits} {
		for _, undo := range []bool{false, true} {
			s := newScreen(t, &fakeWork{guide: realGuide(), drafts: filledDrafts(), plan: p, options: []steps.Option{{Value: "a"}}}, 80, 24)
			feetFit(t, s, "first page")
			s.press("enter")
			s.m.plan = p
			if undo {
				s.m.undo = &undoing{others: []string{"x"}}
				s.m.replace(newOthers(s.m))
				feetFit(t, s, "others")
			}
			pages := []page{
				&reviewPage{}, &reviewPage{ready: true}, &reviewPage{err: bad}, &reviewPage{ready: true, yes: newConfirm(s.m, new(bool))}, newConsent(s.m, realGuide().Risks[0]),
				&applyPage{}, &applyPage{over: true}, &manualPage{}, &reportPage{}, &reportPage{dry: true}, &reportPage{saving: true},
				newAsk(s.m, &question{what: "x", secret: true}), newAsk(s.m, &question{what: "x"}), newLeave(s.m), &keysPage{of: s.m.top()}, newOverview(s.m),
				newPicker(s.m, newWidget(s.m, steps.Field{Key: "nps.url", Kind: steps.Text}), nil),
			}
			for _, a := range p.Actions {
				if a.Effect == plan.ByHand {
					pages = append(pages, &manualPage{a: a})
				}
			}
			for _, dry := range []bool{false, true} {
				for _, report := range []*run.Report{nil, {}} {
					s.m.dryRun, s.m.report = dry, report
					for _, page := range pages {
						s.m.replace(page)
						feetFit(t, s, what+": "+page.title(s.m))
					}
				}
			}
		}
	}
}
