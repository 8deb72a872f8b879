package tui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// stepPage is the page of one step: why, fields, what was found, the article's paragraph.
type stepPage struct {
	step    steps.Step
	widgets []*widget
	at      int
	seen    *steps.Seen
	clicks  []string // of the article, for the answers as they are
	anyway  bool     // "go on anyway" is offered
	then    bool     // enter was pressed while it looks: it goes on when nothing is wrong
	looking bool
}

type (
	seenMsg struct {
		step   string
		drafts map[string]string // answers that were looked at
		seen   steps.Seen
		next   bool // go on when nothing is wrong
	}
	choicesMsg struct {
		key     string
		options []steps.Option
		err     error
	}
)

func newStepPage(m *model) *stepPage {
	p := &stepPage{step: m.m.Current()}
	p.build(m)
	return p
}

// build makes the widgets of the fields that are asked now; those that stay keep their state.
func (p *stepPage) build(m *model) {
	old := map[string]*widget{}
	focus := ""
	for i, w := range p.widgets {
		old[w.f.Key] = w
		if i == p.at {
			focus = w.f.Key
		}
	}
	p.widgets, p.at = nil, 0
	a := m.m.Answers()
	for _, f := range p.step.Fields {
		if !f.Asked(a) {
			continue
		}
		w := old[f.Key]
		if w == nil {
			w = newWidget(m, f)
		}
		if fault, bad := a.CheckField(f); w.fault != "" && (!bad || fault.Why != w.fault) {
			w.fault = "" // another answer has mended it
		}
		if f.Key == focus {
			p.at = len(p.widgets)
		}
		p.widgets = append(p.widgets, w)
	}
	p.focus(p.at)
	p.article(m)
}

// article takes the clicks of the article, with all that is known.
func (p *stepPage) article(m *model) {
	if p.step.Paragraph != nil {
		p.clicks = p.step.Paragraph(m.m.Answers(), m.facts())
	}
}

// mended takes away what was found wrong with a value that stands there no longer.
func (p *stepPage) mended(m *model) {
	p.anyway = false
	if p.seen != nil && p.seen.Err != nil {
		p.seen = nil
	}
	if strings.HasPrefix(m.said, "! ") {
		m.said = ""
	}
}

func (p *stepPage) focus(i int) {
	for j, w := range p.widgets {
		if j == i {
			w.input.Focus()
		} else {
			w.input.Blur()
		}
	}
	p.at = i
}

func (p *stepPage) title(*model) string { return p.step.Title }

func (p *stepPage) update(m *model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case seenMsg:
		return p.landed(m, msg)
	case choicesMsg:
		return p.pick(m, msg)
	case tea.KeyPressMsg:
		if cmd, known := p.key(m, msg); known {
			return cmd
		}
	}
	if p.at < len(p.widgets) {
		changed, cmd := p.widgets[p.at].update(m, msg)
		if changed {
			p.anyway = false
			if w := p.widgets[p.at]; w.choices() == nil && w.input.Value() == "" {
				p.mended(m)
			}
			m.unseen()
			p.build(m)
		}
		return cmd
	}
	return nil
}

func (p *stepPage) key(m *model, k tea.KeyPressMsg) (cmd tea.Cmd, known bool) {
	switch k.String() {
	case "enter", "ctrl+n", "tab", "down", "shift+tab", "up":
		if p.at < len(p.widgets) && p.widgets[p.at].repeat(m) {
			return nil, true
		}
	}
	switch k.String() {
	case "enter":
		if p.at+1 < len(p.widgets) {
			if w := p.widgets[p.at]; !w.judge(m) {
				p.focus(p.at + 1)
			}
			return nil, true
		}
		return p.next(m), true
	case "ctrl+n":
		return p.next(m), true
	case "tab", "down":
		if p.at+1 < len(p.widgets) {
			p.focus(p.at + 1)
		}
	case "shift+tab", "up":
		if p.at > 0 {
			p.focus(p.at - 1)
		}
	case "esc":
		return p.back(m), true
	case "ctrl+o":
		m.push(newOverview(m))
	case "ctrl+l":
		return p.list(m), true
	case "ctrl+t":
		if p.anyway {
			return p.goOn(m), true
		}
	case "ctrl+x":
		if p.at < len(p.widgets) {
			w := p.widgets[p.at]
			w.restart(m)
			w.fault = ""
			p.mended(m)
			m.unseen()
			p.build(m)
		}
	case "?":
		if p.at < len(p.widgets) && p.widgets[p.at].choices() == nil {
			return nil, false // it is typed
		}
		m.push(&keysPage{of: p})
	default:
		return nil, false
	}
	return nil, true
}

// back never asks whether a field is valid.
func (p *stepPage) back(m *model) tea.Cmd {
	before, moved := m.m.Back()
	if !moved {
		if err := m.keep(); err != nil {
			m.say(unkept(err))
		}
		return m.home()
	}
	m.m = before
	return m.enter()
}

// next goes on when the answers are valid and the look finds nothing wrong.
func (p *stepPage) next(m *model) tea.Cmd {
	if p.looking && m.busy != nil {
		p.then = true
		return nil
	}
	faults := m.m.Faults(p.step)
	if len(faults) == 0 {
		p.completed(m)
		if p.step.Look == nil {
			return p.goOn(m) // what earlier steps would see is asked when a later one looks
		}
		return p.look(m, true)
	}
	p.blame(faults)
	return nil
}

// blame shows what is wrong at the fields, and goes to the first of them.
func (p *stepPage) blame(faults []steps.Fault) {
	first := -1
	for i, w := range p.widgets {
		w.fault = ""
		for _, f := range faults {
			if f.Key == w.f.Key {
				w.fault = f.Why
				if first < 0 {
					first = i
				}
			}
		}
	}
	if first >= 0 {
		p.focus(first)
	}
}

// completed says what was added to an answer, such as a scheme and a port.
func (p *stepPage) completed(m *model) {
	for _, w := range p.widgets {
		if w.f.Complete == nil || !m.m.Answers().Has(w.f.Key) {
			continue
		}
		if _, said := w.f.Complete(m.m.Drafts()[w.f.Key]); said != "" {
			m.say(w.f.Prompt + ": " + problem.Plain(said))
		}
	}
}

// goOn shows the next step, or what comes behind the last one.
func (p *stepPage) goOn(m *model) tea.Cmd {
	if strings.HasPrefix(m.said, "! ") {
		m.said = "" // what was wrong is mended, or passed on purpose
	}
	before := m.m.Current().ID
	after, faults := m.m.Next()
	if len(faults) > 0 {
		p.blame(faults)
		return nil
	}
	m.m = after
	if m.m.Current().ID == before {
		return tea.Batch(m.save(), m.review())
	}
	return tea.Batch(m.save(), m.enter())
}

// list opens the live choices of the field in focus.
func (p *stepPage) list(m *model) tea.Cmd {
	if p.at >= len(p.widgets) || p.widgets[p.at].f.LiveChoices == nil {
		m.say("this field has no list")
		return nil
	}
	f, machine := p.widgets[p.at].f, m.m
	return m.do("reading the choices", func(ctx context.Context) tea.Msg {
		options, err := m.o.Work.Choices(ctx, machine, f)
		return choicesMsg{f.Key, options, err}
	})
}

func (p *stepPage) pick(m *model, msg choicesMsg) tea.Cmd {
	if msg.err != nil {
		p.seen = &steps.Seen{Step: p.step.ID, Err: msg.err}
		return nil
	}
	for _, w := range p.widgets {
		if w.f.Key == msg.key {
			m.push(newPicker(m, w, msg.options))
		}
	}
	return nil
}

func (p *stepPage) body(m *model, width int) *block {
	b := newBlock()
	if p.step.Why != "" {
		b.styled(width, m.st.faint, p.step.Why)
	}
	b.add(width, "")
	for i, w := range p.widgets {
		w.draw(m, b, width, i == p.at)
	}
	if len(p.widgets) == 0 {
		b.add(width, "Nothing to answer here: enter goes on.")
		if p.step.Paragraph != nil {
			b.add(width, "What the article says stands below; what is to be done by hand comes again, with its values, when it is time.")
		}
	}
	p.found(m, b, width)
	if p.step.Article != "" {
		b.add(width, "")
		b.styled(width, m.st.faint, "article: "+p.step.Article)
	}
	clicks(b, width, p.clicks)
	return b
}

// found draws what is wrong, and what was seen: by this step, and certificates by earlier ones where a fingerprint is asked.
func (p *stepPage) found(m *model, b *block, width int) {
	if p.seen != nil && p.seen.Err != nil {
		b.add(width, "")
		m.problems(b, width, p.seen.Err)
		if p.anyway {
			b.styled(width, m.st.faint, "enter checks again · ctrl+t goes on anyway: nothing is changed before all is checked")
		} else {
			b.styled(width, m.st.faint, "that was before the last change of an answer: enter checks again")
		}
	}
	for _, f := range m.earlier(p.step) {
		drawFinding(m, b, width, f)
	}
	if p.seen != nil {
		for _, w := range p.seen.Warnings {
			b.styled(width, m.st.doubt, "warning: "+problem.Plain(w.String()))
		}
		for _, f := range p.seen.Findings {
			drawFinding(m, b, width, f)
		}
	}
}

func (p *stepPage) hints(*model) []hint {
	hs := []hint{{"enter", "next"}, {"esc", "back"}}
	if p.anyway {
		hs = append(hs, hint{"ctrl+t", "go on anyway"})
	}
	if p.at < len(p.widgets) {
		w := p.widgets[p.at]
		if w.f.LiveChoices != nil {
			hs = append(hs, hint{"ctrl+l", "list"})
		}
		if w.choices() != nil {
			hs = append(hs, hint{"←/→", "change"})
		}
		if len(p.widgets) > 1 {
			hs = append(hs, hint{"tab", "field"}, hint{"ctrl+n", "next step"})
		}
	}
	hs = append(hs, hint{"ctrl+o", "overview"}, hint{"f1", "keys"})
	if p.at < len(p.widgets) {
		hs = append(hs, hint{"ctrl+x", "clear"})
	}
	return hs
}
