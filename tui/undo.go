package tui

import (
	"context"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// undoing is the taking back of a run. It has the pages of a set-up behind its questions: plan, consent, progress, what is done by
// hand, report.
type undoing struct {
	c      face.Changed
	others []string // what somebody else has changed since, and what was asked about it
	beyond []string // what the plans that were carried out could not take back
}

// drafting makes the plan of what is under way: of a set-up, or of taking one back.
func (m *model) drafting() func(context.Context) tea.Msg {
	machine, out := m.m, m.hand.Out
	if m.undo == nil {
		return func(ctx context.Context) tea.Msg {
			made, err := m.o.Work.Plan(ctx, machine, out)
			return plannedMsg{plan: made, err: err}
		}
	}
	c := m.undo.c
	return func(ctx context.Context) tea.Msg {
		made, others, err := m.o.Work.Unmake(ctx, machine, c)
		return plannedMsg{made, others, err}
	}
}

// carrying carries the plan out that is shown.
func (m *model) carrying() func(context.Context, run.Sink) (run.Report, run.Result, error) {
	machine, made, done := m.m, m.plan, append([]string{}, m.hand.Done...)
	if m.undo == nil {
		return func(ctx context.Context, sink run.Sink) (run.Report, run.Result, error) {
			return m.o.Work.Apply(ctx, machine, made, done, sink)
		}
	}
	c := m.undo.c
	return func(ctx context.Context, sink run.Sink) (run.Report, run.Result, error) {
		return m.o.Work.TakeBack(ctx, machine, made, c, done, sink)
	}
}

// before shows what comes before the plan: the questions, or what was asked about others' changes, or the first page.
func (m *model) before() tea.Cmd {
	switch {
	case m.undo == nil:
		return m.enter()
	case len(m.undo.others) > 0:
		m.replace(newOthers(m))
		return nil
	}
	return m.home()
}

// plannedBefore shows what comes before what is done by hand: the questions, or the plan of what is left to take back.
func (m *model) plannedBefore() tea.Cmd {
	if m.undo != nil {
		m.hand.Recall()
		return m.review()
	}
	return m.enter()
}

// home shows the first page again.
func (m *model) home() tea.Cmd {
	m.pages, m.places = m.pages[:1], nil
	m.guided, m.undo, m.scroll = false, nil, 0
	return m.start()
}

// contested asks what becomes of others' changes, when there are any. It says whether it does.
func (m *model) contested(others []string) bool {
	if m.undo == nil || len(others) == 0 {
		return false
	}
	m.undo.others = others
	m.replace(newOthers(m))
	return true
}

// headline says how it stands.
func (m *model) headline() string {
	if m.undo != nil {
		return face.Taken(m.report)
	}
	return face.Headline(m.report)
}

// undone is what is said behind the wizard of a run that was taken back.
func (m *model) undone() []string {
	if m.undo == nil || m.report == nil {
		return nil
	}
	return append([]string{face.Taken(m.report)}, m.beyond()...)
}

// beyond is what could not be taken back, as the plans told it that were carried out.
func (m *model) beyond() []string {
	if m.undo == nil {
		return nil
	}
	return m.undo.beyond
}

// person does a person's part of a set-up. There is none for taking it back.
func (m *model) person() func(context.Context) ([]string, error) {
	if m.undo != nil {
		return nil
	}
	return m.o.Person
}

// othersPage asks what becomes of what somebody else has changed since.
type othersPage struct{ menu *menu }

func newOthers(m *model) *othersPage {
	return &othersPage{newMenu(m.theme, []string{"Leave theirs", "Write the former values over it"})}
}

func (p *othersPage) title(*model) string { return "Changed by others since" }

func (p *othersPage) update(m *model, msg tea.Msg) tea.Cmd {
	if k, is := msg.(tea.KeyPressMsg); is {
		switch k.String() {
		case "esc":
			return m.home()
		case "?":
			m.push(&keysPage{of: p})
			return nil
		}
	}
	chosen, cmd := p.menu.update(msg)
	if !chosen {
		return cmd
	}
	m.undo.c = [...]face.Changed{face.KeepTheirs, face.WriteOver}[p.menu.value]
	return m.review()
}

func (p *othersPage) body(m *model, width int) *block {
	b := newBlock()
	b.add(width, "Somebody else has changed what this run had changed. Writing the former values would undo their work:")
	for _, o := range m.undo.others {
		b.styled(width, m.st.doubt, "- "+problem.Plain(o))
	}
	b.add(width, "")
	p.menu.draw(b, width)
	return b
}

func (p *othersPage) hints(*model) []hint {
	return []hint{{"enter", "choose"}, {"esc", "back"}, {"pgup/pgdown", "scroll"}, {"f1", "keys"}}
}

// left says whether anything of a plan is to be done, or taken back.
func left(p plan.Plan) bool { return len(p.Pending()) > 0 }
