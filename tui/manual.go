package tui

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// manualPage leads a person through what no call can do: numbered clicks, values to carry over, and how to see that it
// worked.
type manualPage struct {
	a       plan.Action
	at      int    // value in focus
	again   string // why it comes once more
	said    string
	fetched secret.Secret // what was fetched for the value in focus; gone with the page
	then    string        // the key that asked for it
}

type (
	personMsg struct {
		steps []string
		err   error
	}
	// saidDoneMsg says whether it was noted down that a person has done these steps.
	saidDoneMsg struct {
		steps []string
		err   error
	}
	unsaidMsg struct {
		step string
		err  error
	}
	printedMsg struct{ err error }
	fetchedMsg struct {
		secret secret.Secret
		err    error
	}
)

// manuals makes the plan anew and shows the next thing that a person has to do; when there is none left, the rest.
func (m *model) manuals() tea.Cmd {
	m.replace(&manualPage{})
	return m.do("looking what is left", m.drafting())
}

func (p *manualPage) title(m *model) string {
	if p.a.Key == "" {
		return "By hand"
	}
	if n, of := m.hand.Position(m.plan); of > 1 {
		return fmt.Sprintf("By hand, %d of %d: %s", n, of, p.a.Object)
	}
	return "By hand: " + p.a.Object
}

func (p *manualPage) update(m *model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case plannedMsg:
		if m.unaccepted(msg.err) {
			return nil
		}
		if msg.err != nil {
			m.replace(&reviewPage{err: msg.err})
			return nil
		}
		if m.contested(msg.others) {
			return nil
		}
		m.plan = msg.plan
		return p.show(m)
	case personMsg:
		if msg.err != nil {
			p.said = problem.Plain(msg.err.Error())
			return nil
		}
		m.say("the person has done " + strings.Join(msg.steps, ", "))
		return p.note(m, msg.steps)
	case saidDoneMsg:
		return p.noted(m, msg)
	case unsaidMsg:
		if msg.err != nil {
			m.hand.Do(msg.step) // its word still stands
			p.said = "not taken back: " + inOneLine(msg.err)
			return nil
		}
		return m.manuals()
	case fetchedMsg:
		if msg.err != nil {
			p.said = problem.Plain(msg.err.Error())
			return nil
		}
		p.fetched = msg.secret
		return p.handOver(m, p.then)
	case printedMsg:
		if msg.err != nil {
			p.said = problem.Plain(msg.err.Error())
		}
		return tea.ClearScreen
	case tea.KeyPressMsg:
		return p.key(m, msg)
	}
	return nil
}

// show takes the next action, or goes on to what is behind the last one.
func (p *manualPage) show(m *model) tea.Cmd {
	if m.hand.Came(m.plan) {
		return m.review()
	}
	if a, is := m.hand.Next(m.plan); is {
		next := &manualPage{a: a, again: m.hand.Again(m.plan, a)}
		if file := m.hand.Missing(a); file != "" {
			next.said = "not there yet: " + problem.Plain(file)
		}
		if m.hand.Doubted(a) {
			next.said = "the server still shows it as it was: it is looked at again"
		}
		m.replace(next)
		return nil
	}
	if m.hand.Unnoted() { // it is noted down, and everything is read back
		if face.Sends(m.plan) {
			return m.review() // what was done by hand has given objects that the last plan did not know
		}
		return m.apply()
	}
	m.replace(&reportPage{})
	return nil
}

func (p *manualPage) values() []plan.Labeled {
	if man := p.a.Manual(); man != nil {
		return man.Values
	}
	return nil
}

func (p *manualPage) key(m *model, k tea.KeyPressMsg) tea.Cmd {
	if p.a.Key == "" { // it is looked at what is left, or that was given up
		switch {
		case m.busy != nil:
		case k.String() == "enter":
			return m.manuals()
		case k.String() == "esc":
			return m.plannedBefore()
		}
		return nil
	}
	if m.busy != nil && m.busy.keep {
		return nil // it is noted down what was said
	}
	values := p.values()
	switch k.String() {
	case "down", "j", "tab":
		p.at = min(p.at+1, max(len(values)-1, 0))
	case "up", "k", "shift+tab":
		p.at = max(p.at-1, 0)
	case "y", "p":
		if p.at < len(values) {
			return p.give(m, k.String(), values[p.at])
		}
	case "d":
		if person := m.person(); person != nil {
			return m.do("the person is at work", func(ctx context.Context) tea.Msg {
				did, err := person(ctx)
				return personMsg{did, err}
			})
		}
	case "enter":
		if p.a.Awaits() != "" { // nobody's word stands for it
			m.hand.Look(p.a)
			return m.manuals()
		}
		return p.note(m, []string{p.a.Step})
	case "n":
		m.hand.PutOff(p.a.Key)
		return p.show(m)
	case "esc":
		return p.back(m)
	case "?":
		m.push(&keysPage{of: p})
	}
	return nil
}

// note notes down what was done, before anything else: a kill right behind the key loses none of it.
func (p *manualPage) note(m *model, did []string) tea.Cmd {
	machine, made := m.m, m.plan
	cmd := m.do("noting it down", func(context.Context) tea.Msg { return saidDoneMsg{did, m.o.Work.Say(machine, made, did)} })
	m.busy.keep = true
	return cmd
}

func (p *manualPage) noted(m *model, msg saidDoneMsg) tea.Cmd {
	if msg.err != nil {
		p.said = "not noted down: " + inOneLine(msg.err)
		return nil
	}
	for _, step := range msg.steps {
		m.hand.Do(step)
	}
	m.hand.Look(p.a)
	return m.manuals() // what was done may have shown itself already
}

// back leads to what was done or put off before, and takes the word back; before the first of them, to what comes before.
func (p *manualPage) back(m *model) tea.Cmd {
	step, back := m.hand.Back()
	switch {
	case !back:
		return m.plannedBefore()
	case step == "":
		return p.show(m)
	}
	machine := m.m
	cmd := m.do("taking it back", func(context.Context) tea.Msg { return unsaidMsg{step, m.o.Work.Unsay(machine, step)} })
	m.busy.keep = true
	return cmd
}

// give copies or prints a value; a secret is fetched first.
func (p *manualPage) give(m *model, how string, v plan.Labeled) tea.Cmd {
	if v.Fetch != nil && p.fetched.Empty() {
		p.then = how
		machine := m.m
		return m.do("fetching the "+v.Label, func(ctx context.Context) tea.Msg {
			s, err := m.o.Work.Fetch(ctx, machine, v)
			return fetchedMsg{s, err}
		})
	}
	return p.handOver(m, how)
}

// handOver gives the value in focus to the person who asked for it.
func (p *manualPage) handOver(m *model, how string) tea.Cmd {
	v := p.values()[p.at]
	value := secret.New(v.Value)
	if how == "p" {
		value = secret.New(problem.Plain(v.Value)) // a terminal reads it
	}
	if v.Fetch != nil {
		value = p.fetched
		p.said = v.Label + ": " + value.Arrived()
	}
	if how == "p" {
		return tea.Exec(&printing{label: v.Label, value: value, secret: v.Fetch != nil, ctx: m.ctx}, func(err error) tea.Msg { return printedMsg{err} })
	}
	var cmd tea.Cmd
	if err := secret.HandOver(value, secret.ToCopy(func(text string) { cmd = tea.SetClipboard(text) })); err != nil {
		p.said = err.Error()
		return nil
	}
	m.say("sent to your terminal for copying: " + v.Label + "; if pasting gives nothing, p prints it")
	return cmd
}

func (p *manualPage) body(m *model, width int) *block {
	b := newBlock()
	man := p.a.Manual()
	if man == nil {
		if m.busy != nil {
			b.add(width, "looking what is left to do by hand …")
		} else {
			to := "the answers"
			if m.undo != nil {
				to = "the plan"
			}
			b.add(width, "It was not looked what is left: enter looks, esc goes to "+to+".")
		}
		return b
	}
	b.styled(width, m.st.faint, p.a.Why)
	if p.again != "" {
		b.styled(width, m.st.doubt, p.again)
	}
	b.add(width, "")
	b.styled(width, m.st.strong, man.Where)
	if man.Note != "" {
		b.styled(width, m.st.doubt, man.Note)
	}
	texts := make([]string, len(man.Clicks))
	for i, c := range man.Clicks {
		texts[i] = c.Text
	}
	clicks(b, width, texts)
	if len(man.Values) > 0 {
		b.add(width, "")
		b.add(width, m.st.strong.Render("Values")+m.st.faint.Render("  y copies the marked one, p prints it"))
	}
	for i, v := range man.Values {
		from := len(b.lines)
		value := problem.Plain(v.Value)
		if v.Fetch != nil {
			value = "a secret; y or p fetches it"
		}
		if i == p.at {
			b.styled(width, m.st.focus, "> "+v.Label+": "+value)
		} else {
			b.add(width, "  "+v.Label+": "+value)
		}
		if i == p.at && i > 0 {
			b.focus(from)
		}
	}
	if man.Check != "" {
		b.add(width, "")
		b.add(width, "check: "+problem.Plain(man.Check))
	}
	if p.said != "" {
		b.styled(width, m.st.doubt, p.said)
	}
	return b
}

// clicks adds numbered clicks, continued under themselves.
func clicks(b *block, width int, texts []string) {
	for i, text := range texts {
		for j, l := range wrap(problem.Plain(text), max(width-4, 1)) {
			number := "    "
			if j == 0 {
				number = fmt.Sprintf("%2d. ", i+1)
			}
			b.lines = append(b.lines, number+l)
		}
	}
}

func (p *manualPage) hints(m *model) []hint {
	if p.a.Key == "" {
		return []hint{{"esc", "stop waiting"}}
	}
	hs := []hint{{"enter", "it is done"}, {"n", "later"}}
	if p.a.Awaits() != "" {
		hs[0].does = "look for the file"
	}
	if m.person() != nil {
		hs = append(hs, hint{"d", "let the demo do all"})
	}
	return append(hs, hint{"↑/↓", "value"}, hint{"y", "copy"}, hint{"p", "print"}, hint{"esc", "back"}, hint{"f1", "keys"})
}
