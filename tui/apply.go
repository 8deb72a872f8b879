package tui

import (
	"context"
	"fmt"
	"time"

	"charm.land/bubbles/v2/progress"
	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// applyPage shows how far the changes are, action by action.
type applyPage struct {
	state  map[string]actionState
	events chan run.Event
	over   bool
	err    error
	menu   *menu
	ways   []way // the entries of the menu
	bar    progress.Model
}

type actionState struct {
	began time.Time
	took  time.Duration
	now   string // what is sent
	ended string // outcome
	err   *run.ErrorInfo
}

type appliedMsg struct {
	report run.Report
	result run.Result
	err    error
}

// streaming hands events over to the screen.
type streaming struct {
	ctx    context.Context
	events chan run.Event
}

// Emit implements run.Sink.
func (s streaming) Emit(e run.Event) {
	select {
	case s.events <- e:
	case <-s.ctx.Done():
	}
}

func (m *model) apply() tea.Cmd {
	p := &applyPage{state: map[string]actionState{}, events: make(chan run.Event), bar: progress.New(progress.WithoutPercentage(), progress.WithFillCharacters('#', '.'), progress.WithColors(m.st.focus.GetForeground()))}
	m.replace(p)
	work := m.carrying()
	m.kept = make(chan appliedMsg, 1)
	kept := m.kept
	cmd := m.do("at work", func(ctx context.Context) tea.Msg {
		defer close(p.events)
		report, result, err := work(ctx, streaming{ctx, p.events})
		over := appliedMsg{report, result, err}
		kept <- over
		return over
	})
	m.busy.keep = true
	return tea.Batch(cmd, p.listen())
}

func (p *applyPage) listen() tea.Cmd {
	return guarded(func() tea.Msg {
		e, open := <-p.events
		if !open {
			return nil
		}
		return eventMsg(e)
	})
}

func (p *applyPage) title(*model) string {
	if p.over {
		return "Carried out"
	}
	return "Carrying out"
}

func (p *applyPage) update(m *model, msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case eventMsg:
		p.event(run.Event(msg))
		return p.listen()
	case appliedMsg:
		return p.landed(m, msg)
	case tea.KeyPressMsg:
		if !p.over || p.menu == nil {
			return nil
		}
		return p.choose(m, msg)
	}
	return nil
}

func (p *applyPage) event(e run.Event) {
	s := p.state[e.Action]
	switch e.Name {
	case run.OpSent:
		if s.began.IsZero() {
			s.began = e.Time
		}
		if e.Op != nil {
			s.now = e.Op.Method + " " + problem.Plain(e.Op.Path)
			if e.Op.Awaits != "" {
				s.now = e.Op.Line()
			}
		}
	case run.ActionDone:
		if !s.began.IsZero() {
			s.took = e.Time.Sub(s.began)
		}
		s.ended, s.now, s.err = e.Outcome, "", e.Error
	}
	if e.Action != "" {
		p.state[e.Action] = s
	}
}

func (p *applyPage) landed(m *model, msg appliedMsg) tea.Cmd {
	p.over, p.err, m.kept = true, msg.err, nil
	m.result, m.ending.Err = msg.result, msg.err
	if m.undo != nil {
		m.undo.beyond = face.Beyond(m.undo.beyond, m.plan, msg.result, msg.err)
	}
	if msg.err == nil {
		m.report = &msg.report
		m.hand.Note()
		if m.undo != nil {
			m.hand.Anew() // what was only said, and is to be seen on the server, comes again
		}
	}
	if msg.err == nil && msg.report.Count(steps.Failed)+msg.report.Count(steps.NotRun) == 0 {
		return m.manuals()
	}
	p.ways = ways(m)
	titles := make([]string, len(p.ways))
	for i, w := range p.ways {
		titles[i] = w.title
	}
	p.menu = newMenu(m.theme, titles)
	return nil
}

// way is one way to go on.
type way struct {
	title string
	take  func() tea.Cmd
}

// ways are those behind changes that did not come to their end.
func ways(m *model) []way {
	again := way{"Look again and go on", m.review}
	hands := way{"Do the manual steps first", m.manuals}
	report := way{"See the report", func() tea.Cmd { m.replace(&reportPage{}); return nil }}
	leave := func() tea.Cmd { return m.leave(false) }
	if m.undo != nil {
		return []way{again, hands, report, {"Leave; npsetup undo continues", leave}}
	}
	return []way{
		again,
		{"Change an answer", func() tea.Cmd { m.push(newOverview(m)); return nil }},
		{"Leave the failed step out, and go on", func() tea.Cmd { m.hand.LeaveOut(m.result); return m.review() }},
		hands, report,
		{"Leave; npsetup resume continues", leave},
	}
}

func (p *applyPage) choose(m *model, k tea.KeyPressMsg) tea.Cmd {
	if chosen, cmd := p.menu.update(k); !chosen {
		return cmd
	}
	return p.ways[p.menu.value].take()
}

func (p *applyPage) body(m *model, width int) *block {
	b := newBlock()
	done, total := 0, 0
	for _, a := range m.plan.Actions {
		if a.Effect == plan.ByHand {
			continue
		}
		total++
		if p.state[a.Key].ended != "" {
			done++
		}
	}
	if total > 0 {
		p.bar.SetWidth(max(min(width-12, 40), 4))
		b.add(width, fmt.Sprintf("%s %d of %d", p.bar.ViewAs(float64(done)/float64(total)), done, total))
	}
	for _, a := range m.plan.Actions {
		p.action(m, b, width, a)
	}
	if p.err != nil {
		m.problems(b, width, p.err)
	}
	if p.menu != nil {
		b.add(width, "")
		p.menu.draw(b, width)
	}
	return b
}

func (p *applyPage) action(m *model, b *block, width int, a plan.Action) {
	s := p.state[a.Key]
	word, style := "to do", m.st.faint
	switch {
	case s.ended == steps.Failed.String():
		word, style = "failed", m.st.bad
	case s.ended == steps.Waiting.String():
		word, style = "waits for a person", m.st.doubt
	case s.ended != "":
		word, style = s.ended, m.st.good
	case s.now != "":
		word, style = "now", m.st.focus
	}
	line := fmt.Sprintf("%s %s: %s", a.Object, problem.Plain(a.Name), word)
	if s.took > 0 {
		line += fmt.Sprintf(" (%d ms)", s.took.Milliseconds())
	}
	from := len(b.lines)
	for i, part := range wrap(line, max(width-2, 1)) {
		sign := "  "
		if i == 0 {
			sign = a.Effect.Sign() + " "
		}
		b.lines = append(b.lines, style.Render(sign+part))
	}
	if s.now != "" {
		b.styled(width, m.st.faint, "  "+s.now)
		b.focus(from)
	}
	if s.err != nil && s.ended == steps.Failed.String() {
		b.add(width, "  "+s.err.What)
		if s.err.Why != "" {
			b.add(width, "  because "+s.err.Why)
		}
		for _, n := range s.err.Next {
			b.add(width, "  next: "+problem.Plain(n))
		}
	}
}

func (p *applyPage) hints(*model) []hint {
	if p.over {
		return []hint{{"enter", "choose"}, {"f1", "keys"}}
	}
	return []hint{{"esc", "stop behind this call"}, {"f1", "keys"}}
}
