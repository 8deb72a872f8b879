package tui

import (
	"context"
	"slices"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// start is the first page: what is begun, continued, verified or taken back.
type start struct {
	offers []face.Offer
	menu   *menu
	err    error
	chosen face.Offer
}

func newStart() *start { return &start{} }

type (
	offersMsg struct {
		offers []face.Offer
		err    error
	}
	begunMsg struct {
		m   steps.Machine
		err error
	}
	verifiedMsg struct {
		report run.Report
		err    error
	}
)

func (p *start) title(m *model) string {
	title := "npsetup " + problem.Plain(m.o.Version)
	if m.o.Person != nil {
		title += " (demo: a stand-in on this machine)"
	}
	return title
}

func (p *start) update(m *model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case offersMsg:
		var marked face.Offer
		if p.menu != nil && len(p.offers) > 0 {
			marked = p.offers[p.menu.value]
		}
		p.offers, p.err = msg.offers, msg.err
		p.build(m)
		p.menu.mark(max(slices.Index(p.offers, marked), 0)) // it comes while somebody may be choosing
		return nil
	case begunMsg:
		if msg.err != nil {
			p.err = msg.err
			return nil
		}
		m.m, m.guided = msg.m, true
		m.hand, m.report, m.result, m.plan, m.seen, m.ending = face.Hand{}, nil, run.Result{}, plan.Plan{}, map[string]steps.Seen{}, face.Ending{}
		m.shown, m.undo = p.chosen.Verify || p.chosen.Undo, nil
		m.begin()
		switch {
		case p.chosen.Verify:
			return m.verify()
		case p.chosen.Undo:
			m.undo = &undoing{}
			return m.review()
		}
		return m.enter()
	case tea.KeyPressMsg:
		switch {
		case msg.String() == "q":
			return m.leave(true)
		case msg.String() == "?":
			m.push(&keysPage{of: p})
			return nil
		case msg.String() == "d":
			m.dryRun = m.o.DryRun || !m.dryRun
			return nil
		}
	}
	if p.menu == nil {
		return nil
	}
	chosen, cmd := p.menu.update(msg)
	if !chosen {
		return cmd
	}
	p.chosen = p.offers[p.menu.value]
	offer := p.chosen
	offer.DryRun = m.dryRun
	return m.do("opening", func(context.Context) tea.Msg {
		machine, err := m.o.Work.Begin(offer)
		return begunMsg{machine, err}
	})
}

func (p *start) build(m *model) {
	titles := make([]string, len(p.offers))
	for i, o := range p.offers {
		titles[i] = problem.Plain(o.Title)
		if o.Detail != "" {
			titles[i] += " · " + problem.Plain(o.Detail)
		}
	}
	p.menu = newMenu(m.theme, titles)
}

func (p *start) body(m *model, width int) *block {
	b := newBlock()
	b.add(width, "Sets up Privilege Secure step by step. It looks first, shows every change before it happens, and changes exactly that.")
	b.add(width, "")
	if m.dryRun {
		b.styled(width, m.st.doubt, "dry run: it only reads, and ends with the plan")
		b.add(width, "")
	}
	if p.err != nil {
		m.problems(b, width, p.err)
	}
	if p.menu != nil {
		p.menu.draw(b, width)
	}
	if len(m.o.Hints) > 0 {
		b.add(width, "")
		b.styled(width, m.st.faint, "The stand-in takes these answers:")
		for _, h := range m.o.Hints {
			b.styled(width, m.st.faint, "  "+problem.Plain(h))
		}
	}
	return b
}

func (p *start) hints(m *model) []hint {
	return []hint{{"enter", "choose"}, {"d", "dry run"}, {"?", "keys"}, {"q", "leave"}}
}

// enter shows the page of the machine's current step.
func (m *model) enter() tea.Cmd {
	p := newStepPage(m)
	m.replace(p)
	return p.arrive(m)
}

// verify reads everything back and shows the report.
func (m *model) verify() tea.Cmd {
	m.replace(&reportPage{})
	machine := m.m
	return m.do("reading everything back", func(ctx context.Context) tea.Msg {
		r, err := m.o.Work.Verify(ctx, machine)
		return verifiedMsg{r, err}
	})
}
