package tui

import (
	"context"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"npsetup/steps/problem"
)

// reportPage is the last page: one line per step, and the answers file that repeats it.
type reportPage struct {
	dry    bool
	err    error
	saving bool
	path   textinput.Model
	said   string
}

func (p *reportPage) title(*model) string {
	if p.dry {
		return "End of the dry run"
	}
	return "Report"
}

func (p *reportPage) update(m *model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case verifiedMsg:
		p.err, m.ending.Err = msg.err, msg.err
		if msg.err == nil {
			m.report = &msg.report
		}
		return nil
	case placeMsg:
		p.saving, p.said = true, ""
		p.path = newInput(m, string(msg), false)
		return p.path.Focus()
	case writtenMsg:
		p.wrote(m, msg)
		return nil
	case tea.KeyPressMsg:
		if p.saving {
			return p.save(m, msg)
		}
		return p.key(m, msg)
	}
	if p.saving {
		var cmd tea.Cmd
		msg, p.said = cleaned(msg, p.said)
		p.path, cmd = p.path.Update(msg)
		return cmd
	}
	return nil
}

// placeMsg is where the answers file can be written.
type placeMsg string

// writtenMsg says how the writing of the answers file ended.
type writtenMsg struct {
	path string
	err  error
}

func (p *reportPage) wrote(m *model, msg writtenMsg) {
	if msg.err != nil {
		p.said = inOneLine(msg.err)
		return
	}
	p.saving = false
	p.said = "written to " + problem.Plain(msg.path) + "; npsetup plan -f " + problem.Plain(msg.path) + " reads it"
	m.ending.Said = append(m.ending.Said, p.said)
}

// inOneLine is what happened, why, and what to do next.
func inOneLine(err error) string {
	first := problem.All(err)[0]
	return problem.Plain(strings.Join(append([]string{first.Error()}, first.Next...), "; "))
}

func (p *reportPage) key(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "s":
		if m.undo != nil {
			return nil // there is nothing to repeat
		}
		return m.do("looking where it can be written", func(context.Context) tea.Msg { return placeMsg(m.o.Work.Place()) })
	case "down", "j":
		m.scroll++
	case "up", "k":
		m.scroll = max(m.scroll-1, 0)
	case "esc":
		switch {
		case m.undo == nil:
			return m.review()
		case m.report != nil && m.report.Left() == 0:
			return m.home()
		}
		return m.plannedBefore()
	case "v":
		if !p.dry && m.undo == nil {
			return m.verify()
		}
	case "?":
		m.push(&keysPage{of: p})
	case "enter", "q":
		return m.leave(false)
	}
	return nil
}

func (p *reportPage) save(m *model, k tea.KeyPressMsg) tea.Cmd {
	switch k.String() {
	case "esc":
		p.saving = false
		return nil
	case "enter":
		machine, path := m.m, p.path.Value()
		return m.do("writing", func(context.Context) tea.Msg { return writtenMsg{path, m.o.Work.WriteAnswers(machine, path)} })
	}
	if k.String() == "ctrl+x" {
		p.path.SetValue("")
		return nil
	}
	var cmd tea.Cmd
	p.path, cmd = p.path.Update(k)
	return cmd
}

func (p *reportPage) body(m *model, width int) *block {
	b := newBlock()
	if p.saving {
		b.styled(width, m.st.strong, "Write the answers file that repeats this to")
		drawInput(b, &p.path, width, true)
		b.focus(0)
		if p.said != "" {
			b.styled(width, m.st.doubt, p.said)
		}
		return b
	}
	if p.said != "" {
		b.styled(width, m.st.good, p.said)
	}
	if p.err != nil {
		m.problems(b, width, p.err)
	}
	if p.dry {
		b.add(width, "Nothing was changed. "+m.plan.Summary())
		return b
	}
	if m.report == nil {
		switch {
		case m.busy != nil:
			b.add(width, "reading everything back …")
		case m.undo != nil:
			b.add(width, "It is not known what was taken back: esc looks what is left.")
		default:
			b.add(width, "Nothing was read back: v reads it, esc goes to the plan.")
		}
		return b
	}
	b.styled(width, m.st.strong, m.headline())
	for _, w := range m.beyond() {
		b.styled(width, m.st.doubt, w)
	}
	b.add(width, "")
	for _, l := range m.report.Lines {
		style := m.st.good
		switch l.Outcome {
		case "failed", "not-run":
			style = m.st.bad
		case "waiting", "skipped":
			style = m.st.doubt
		}
		title := l.Step
		if s, ok := m.m.Guide().Step(l.Step); ok {
			title = s.Title
		}
		b.styled(width, style, title+": "+l.Outcome)
		b.add(width, "  "+l.Proof)
	}
	return b
}

func (p *reportPage) hints(m *model) []hint {
	if p.saving {
		return []hint{{"enter", "write it"}, {"esc", "not now"}, {"ctrl+x", "clear"}}
	}
	if m.undo != nil {
		back := "look what is left"
		if m.report != nil && m.report.Left() == 0 {
			back = "first page"
		}
		return []hint{{"enter", "leave"}, {"esc", back}, {"↑/↓", "scroll"}, {"f1", "keys"}}
	}
	hs := []hint{{"enter", "leave"}, {"s", "write the answers file"}}
	if !p.dry {
		hs = append(hs, hint{"v", "verify again"})
	}
	return append(hs, hint{"esc", "review"}, hint{"↑/↓", "scroll"}, hint{"f1", "keys"})
}
