package tui

import (
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/tui/face"
)

// reviewPage shows the answers and the plan before anything happens.
type reviewPage struct {
	err   error
	ready bool
	calls bool
	yes   *huh.Confirm // the question that begins the changes
	value bool
}

type plannedMsg struct {
	plan   plan.Plan
	others []string // of an undo: what is to be asked about, in place of a plan
	err    error
}

// review looks at everything and shows the plan. Consents that are missing are asked for first.
func (m *model) review() tea.Cmd {
	p := &reviewPage{}
	m.replace(p)
	return p.draft(m)
}

func (p *reviewPage) draft(m *model) tea.Cmd {
	return m.do("looking at everything", m.drafting())
}

func (p *reviewPage) title(m *model) string {
	switch {
	case p.yes != nil:
		return "Carry this out?"
	case m.undo != nil:
		return "Take back"
	}
	return "Review"
}

func (p *reviewPage) update(m *model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case plannedMsg:
		if m.unaccepted(msg.err) || msg.err == nil && m.contested(msg.others) {
			return nil
		}
		p.ready, p.err = msg.err == nil, msg.err
		m.plan = msg.plan
		return nil
	case tea.KeyPressMsg:
		if p.yes != nil {
			return p.consent(m, msg)
		}
		return p.key(m, msg)
	}
	return nil
}

func (p *reviewPage) key(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		return m.before()
	case "ctrl+o":
		if m.undo == nil {
			m.push(newOverview(m))
		}
	case "c":
		p.calls = !p.calls
	case "r":
		return p.draft(m)
	case "?":
		m.push(&keysPage{of: p})
	case "down", "j":
		m.scroll++
	case "up", "k":
		m.scroll = max(m.scroll-1, 0)
	case "enter":
		if !p.ready {
			if m.busy != nil {
				return nil // it is looking already
			}
			return p.draft(m)
		}
		if m.dry() {
			m.ending.Pending, m.ending.Plan = len(m.plan.Pending()) > 0, &m.plan
			m.replace(&reportPage{dry: true})
			return nil
		}
		if !face.Sends(m.plan) {
			return m.apply()
		}
		p.yes = newConfirm(m, &p.value)
	}
	return nil
}

func (p *reviewPage) consent(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc", "n":
		p.yes = nil
		return nil
	case "y":
		return m.apply()
	case "enter":
		if p.value {
			return m.apply()
		}
		p.yes = nil
		return nil
	}
	_, cmd := p.yes.Update(k)
	return cmd
}

func (p *reviewPage) body(m *model, width int) *block {
	b := newBlock()
	switch {
	case p.err != nil:
		m.problems(b, width, p.err)
		b.styled(width, m.st.faint, p.wayOut(m))
		return b
	case !p.ready:
		b.add(width, "looking at everything before the plan is made …")
		return b
	}
	if p.yes != nil {
		b.add(width, m.plan.Summary())
		b.add(width, "on "+problem.Plain(m.plan.Server))
		from := len(b.lines)
		p.yes.WithWidth(width)
		lines(b, width, p.yes.View())
		b.focus(from)
		return b
	}
	b.styled(width, m.st.strong, m.plan.Summary())
	b.add(width, "")
	if m.undo == nil {
		b.styled(width, m.st.strong, "Answers")
		drawAnswers(m, b, width)
		b.add(width, "")
	}
	for _, l := range strings.Split(strings.TrimRight(m.plan.Text(plan.TextOptions{Calls: p.calls, Width: width}), "\n"), "\n") {
		b.styled(width, m.planLine(l), l)
	}
	return b
}

func (p *reviewPage) wayOut(m *model) string {
	stands := "nothing was "
	if m.report != nil || len(m.result.Actions) > 0 {
		stands = "nothing more was "
	}
	if m.undo != nil {
		return stands + "taken back · esc goes back · enter looks again"
	}
	return stands + "changed · ctrl+o goes to a step · enter looks again"
}

// planLine makes the heads of actions stand out. The sign says the same without colour.
func (m *model) planLine(line string) lipgloss.Style {
	for _, e := range plan.Effects() {
		if !strings.HasPrefix(line, e.Sign()+" ") {
			continue
		}
		switch e {
		case plan.Create, plan.Restore:
			return m.st.good.Bold(true)
		case plan.Update:
			return m.st.doubt.Bold(true)
		case plan.Delete:
			return m.st.bad.Bold(true)
		case plan.ByHand:
			return m.st.focus
		case plan.Adopt:
			return m.st.strong
		}
	}
	if strings.HasPrefix(line, "warning: ") {
		return m.st.doubt
	}
	return m.st.none
}

func drawAnswers(m *model, b *block, width int) {
	a := m.m.Answers()
	for _, f := range m.m.Questions() {
		v := problem.Plain(strings.Join(strings.Split(a.Text(f.Key), "\n"), ", "))
		if v != "" && (a.Has(f.Key) || f.Default == "" || f.Stands != nil) { // what stands by another answer is chosen too
			b.add(width, "  "+f.Prompt+": "+v)
		}
	}
}

func (p *reviewPage) hints(m *model) []hint {
	if p.yes != nil {
		return []hint{{"y", "carry it out"}, {"n", "not yet"}}
	}
	overview := []hint{{"ctrl+o", "overview"}, {"f1", "keys"}}
	if m.undo != nil {
		overview = overview[1:] // it has no steps to go to
	}
	if !p.ready {
		hs := append([]hint{{"esc", "back"}}, overview...)
		if p.err != nil {
			hs = append([]hint{{"enter", "look again"}}, hs...)
		}
		return hs
	}
	go1 := "carry it out"
	if m.dry() {
		go1 = "end the dry run"
	} else if m.undo != nil && !left(m.plan) {
		go1 = "close the run"
	} else if !face.Sends(m.plan) {
		go1 = "go on: nothing is sent"
	}
	return append([]hint{{"enter", go1}, {"esc", "back"}, {"c", "exact calls"}, {"↑/↓", "scroll"}, {"r", "look again"}}, overview...)
}

// consentPage asks for one risk by its name.
type consentPage struct {
	risk  steps.Risk
	yes   *huh.Confirm
	value bool
}

func newConsent(m *model, r steps.Risk) *consentPage {
	p := &consentPage{risk: r}
	p.yes = newConfirm(m, &p.value)
	return p
}

// unaccepted asks for a risk when nothing can be planned without. It says whether it does.
func (m *model) unaccepted(err error) bool {
	var u face.Unaccepted
	if !errors.As(err, &u) {
		return false
	}
	m.replace(newConsent(m, u.Risks[0]))
	return true
}

func (p *consentPage) title(*model) string { return "Consent: " + p.risk.Name }

func (p *consentPage) update(m *model, msg tea.Msg) tea.Cmd {
	k, is := msg.(tea.KeyPressMsg)
	if !is {
		return nil
	}
	switch {
	case k.String() == "esc" || k.String() == "n" || k.String() == "enter" && !p.value:
		m.say("not accepted: " + p.risk.Name + "; change the answer, or accept it")
		if at, found := m.m.Guide().Asking(p.risk.Key); found {
			if there, err := m.m.Jump(at.ID); err == nil {
				m.m = there
			}
		}
		return m.enter()
	case k.String() == "y" || k.String() == "enter":
		m.m = m.m.Accept(p.risk.Name)
		m.said = ""
		return m.review()
	}
	_, cmd := p.yes.Update(msg)
	return cmd
}

func (p *consentPage) body(m *model, width int) *block {
	b := newBlock()
	b.add(width, p.risk.Text)
	b.add(width, "")
	from := len(b.lines)
	b.styled(width, m.st.strong, "Accept this?")
	p.yes.WithWidth(width)
	lines(b, width, p.yes.View())
	b.focus(from)
	return b
}

func (p *consentPage) hints(*model) []hint {
	return []hint{{"y", "accept"}, {"n", "go back"}}
}
