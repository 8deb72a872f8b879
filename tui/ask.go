package tui

import (
	"sync"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// question is asked in the midst of a job.
type question struct {
	what    string
	details []string
	secret  bool
	answer  chan answer
	once    sync.Once
}

type answer struct {
	yes, cancelled bool
	secret         secret.Secret
}

func (q *question) reply(a answer) { q.once.Do(func() { q.answer <- a }) }

// ask is the page of a question; it lies over what was shown.
type ask struct {
	q     *question
	input textinput.Model
	yes   *huh.Confirm
	value bool
	said  string
}

func newAsk(m *model, q *question) *ask {
	p := &ask{q: q}
	if q.secret {
		p.input = newInput(m, "", true)
		p.input.Focus()
		return p
	}
	p.yes = newConfirm(m, &p.value)
	return p
}

// newConfirm asks yes or no; no is marked.
func newConfirm(m *model, value *bool) *huh.Confirm {
	c := huh.NewConfirm().Affirmative("Yes").Negative("No").Value(value)
	c.WithTheme(m.theme)
	c.WithKeyMap(huh.NewDefaultKeyMap())
	c.Focus()
	return c
}

func (p *ask) title(*model) string {
	if p.q.secret {
		return "Your answer is needed"
	}
	return "Your consent is needed"
}

func (p *ask) update(m *model, msg tea.Msg) tea.Cmd {
	if k, is := msg.(tea.KeyPressMsg); is {
		switch k.String() {
		case "esc":
			p.close(m, answer{cancelled: true})
			return nil
		case "enter":
			return p.enter(m)
		}
	}
	var cmd tea.Cmd
	switch {
	case !p.q.secret:
		_, cmd = p.yes.Update(msg)
	default:
		msg, p.said = cleaned(msg, p.said)
		p.input, cmd = p.input.Update(msg)
	}
	return cmd
}

func (p *ask) enter(m *model) tea.Cmd {
	if !p.q.secret {
		p.close(m, answer{yes: p.value})
		return nil
	}
	if p.input.Value() == "" {
		p.said = "it is empty"
		return nil
	}
	p.close(m, answer{secret: secret.New(p.input.Value())})
	return nil
}

func (p *ask) close(m *model, a answer) {
	m.unask(p.q)
	p.q.reply(a)
}

func (p *ask) body(m *model, width int) *block {
	b := newBlock()
	for _, d := range p.q.details {
		b.add(width, problem.Plain(d))
	}
	from := len(b.lines)
	b.styled(width, m.st.strong, problem.Plain(p.q.what))
	if p.q.secret {
		drawInput(b, &p.input, width, true)
	} else {
		p.yes.WithWidth(width)
		lines(b, width, p.yes.View())
	}
	if p.said != "" {
		b.styled(width, m.st.doubt, p.said)
	}
	b.focus(from)
	return b
}

func (p *ask) hints(*model) []hint {
	if p.q.secret {
		return []hint{{"enter", "give it"}, {"esc", "stop"}}
	}
	// It comes while a person may be typing: one key alone must not agree to it.
	return []hint{{"y, enter", "yes"}, {"n, enter", "no"}, {"esc", "stop"}}
}

// leave asks before the program ends.
type leave struct {
	yes   *huh.Confirm
	value bool
}

func newLeave(m *model) *leave {
	p := &leave{}
	p.yes = newConfirm(m, &p.value)
	return p
}

func (p *leave) title(*model) string { return "Leave npsetup?" }

func (p *leave) update(m *model, msg tea.Msg) tea.Cmd {
	if k, is := msg.(tea.KeyPressMsg); is {
		switch k.String() {
		case "esc":
			m.pop()
			return nil
		case "y":
			return m.leave(true)
		case "n":
			m.pop()
			return nil
		case "enter":
			if p.value {
				return m.leave(true)
			}
			m.pop()
			return nil
		}
	}
	_, cmd := p.yes.Update(msg)
	return cmd
}

func (p *leave) body(m *model, width int) *block {
	b := newBlock()
	if m.undo != nil {
		b.add(width, "What was taken back stands in the journal; npsetup offers to go on with the rest.")
	} else {
		b.add(width, "What was answered is kept, secrets aside; what was carried out stands in the journal. npsetup continues where you were.")
	}
	b.add(width, "")
	from := len(b.lines)
	p.yes.WithWidth(width)
	lines(b, width, p.yes.View())
	b.focus(from)
	return b
}

func (p *leave) hints(*model) []hint {
	return []hint{{"y", "leave"}, {"n", "stay"}, {"ctrl+c", "leave"}}
}

// keysPage explains the keys of the page below it.
type keysPage struct{ of page }

func (p *keysPage) title(*model) string { return "Keys" }

func (p *keysPage) update(m *model, msg tea.Msg) tea.Cmd {
	if _, is := msg.(tea.KeyPressMsg); is {
		m.pop()
	}
	return nil
}

func (p *keysPage) body(m *model, width int) *block {
	b := newBlock()
	for _, h := range append(p.of.hints(m), hint{"pgup/pgdown", "scroll"}, hint{"ctrl+z", "suspend; fg comes back"}, hint{"ctrl+c", "leave, after asking"}) {
		if h.key == "f1" {
			h.does = "these keys"
		}
		b.add(width, "  "+m.st.strong.Render(h.key)+"  "+h.does)
	}
	for i := len(m.log) - 1; i >= max(len(m.log)-20, 0); i-- {
		if i == len(m.log)-1 {
			b.add(width, "")
			b.add(width, "said so far, the last first")
		}
		b.add(width, "  "+m.log[i])
	}
	return b
}

func (p *keysPage) hints(*model) []hint { return []hint{{"any key", "back"}} }
