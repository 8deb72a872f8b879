package tui

import (
	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// overview lists every step with its state; enter jumps.
type overview struct {
	menu *menu
	ids  []string
	said string
}

func newOverview(m *model) *overview {
	p := &overview{}
	var titles []string
	here := 0
	for _, s := range m.m.Overview() {
		if s.Place == steps.Hidden {
			continue
		}
		if s.Place == steps.Here {
			here = len(titles)
		}
		titles = append(titles, placeSign(s.Place)+" "+s.Step.Title+" ("+s.Place.String()+")")
		p.ids = append(p.ids, s.Step.ID)
	}
	p.menu = newMenu(m.theme, titles)
	p.menu.mark(here)
	return p
}

func (p *overview) title(*model) string { return "All steps" }

func (p *overview) update(m *model, msg tea.Msg) tea.Cmd {
	if k, is := msg.(tea.KeyPressMsg); is && k.String() == "esc" {
		m.pop()
		return nil
	}
	chosen, cmd := p.menu.update(msg)
	if !chosen {
		return cmd
	}
	to, err := m.m.Jump(p.ids[p.menu.value])
	if err != nil {
		p.said = problem.Plain(err.Error())
		return nil
	}
	m.m = to
	return m.enter()
}

func (p *overview) body(m *model, width int) *block {
	b := newBlock()
	if p.said != "" {
		b.styled(width, m.st.doubt, p.said)
	}
	p.menu.draw(b, width)
	return b
}

func (p *overview) hints(*model) []hint { return []hint{{"enter", "go there"}, {"esc", "back"}} }
