package tui

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// page is one screen. Pages keep their own state; the model keeps what they share.
type page interface {
	title(m *model) string
	// update takes keys and results; what it does not know it leaves.
	update(m *model, msg tea.Msg) tea.Cmd
	body(m *model, width int) *block
	hints(m *model) []hint
}

// model is the one program model.
type model struct {
	o      Options
	ctx    context.Context
	st     *styles
	theme  *themes
	darkBG bool

	width, height, scroll int

	free bool // the person scrolls: what is in focus may go out of sight, until the next other key

	m      steps.Machine
	guided bool // a guide was chosen
	dryRun bool
	seen   map[string]steps.Seen // by step; what rested on answers that changed is gone
	shown  bool                  // a set-up is only read back or taken back: its answers are not kept over those of another
	undo   *undoing              // it is taken back; nil: it is made, or read back

	kept   chan appliedMsg // what the changes under way come to
	draft  atomic.Pointer[draft]
	drafts int  // number of the last draft
	asked  int  // of the last one whose saving was asked for
	due    bool // a saving is due soon
	saved  int  // number of the last draft that was written
	saving sync.Mutex

	pages  []page // the last one is shown
	places []int  // how far the pages below it were scrolled
	busy   *busy
	jobs   int // number of the last job
	said   string
	turns  int      // pages turned so far
	saidAt int      // at which page it was said
	log    []string // all that was said
	plan   plan.Plan
	report *run.Report
	result run.Result
	hand   face.Hand

	ending  face.Ending
	left    bool
	leaving bool // as soon as the changes under way have ended
	crash   string
	early   []tea.Msg
}

// Messages.
type (
	saidMsg string
	askMsg  struct{ q *question }
	// unaskMsg takes a question back.
	unaskMsg struct{ q *question }
	// jobMsg is the result of a job; one whose number is not the current one's was given up.
	jobMsg struct {
		id     int
		result tea.Msg
	}
	tickMsg  struct{ id int }
	eventMsg run.Event
	crashMsg string
)

func newModel(ctx context.Context, o Options) *model {
	m := &model{o: o, ctx: ctx, st: newStyles(true), theme: newThemes(), darkBG: true, dryRun: o.DryRun, seen: map[string]steps.Seen{}}
	m.pages = []page{newStart()}
	return m
}

func (m *model) dry() bool { return m.dryRun }

// Init implements tea.Model. The background is asked for and not waited for.
func (m *model) Init() tea.Cmd {
	cmds := []tea.Cmd{tea.RequestBackgroundColor, m.start()}
	for _, msg := range m.early {
		cmds = append(cmds, func() tea.Msg { return msg })
	}
	return tea.Batch(cmds...)
}

func (m *model) start() tea.Cmd {
	return m.do("reading what was begun before", func(context.Context) tea.Msg {
		offers, err := m.o.Work.Offers()
		return offersMsg{offers, err}
	})
}

func (m *model) top() page { return m.pages[len(m.pages)-1] }

// modal says whether a question lies over the pages.
func (m *model) modal() bool {
	_, is := m.top().(*ask)
	return is
}

// over says whether a page lies over another one, to which its end leads back.
func over(p page) bool {
	switch p.(type) {
	case *ask, *keysPage, *leave, *overview, *picker:
		return true
	}
	return false
}

// push shows p over the page that is shown, which keeps its place.
func (m *model) push(p page) {
	m.pages, m.places = append(m.pages, p), append(m.places, m.scroll)
	m.scroll, m.free = 0, false
}

func (m *model) pop() {
	if len(m.pages) > 1 {
		m.pages = m.pages[:len(m.pages)-1]
	}
	m.scroll, m.free = 0, false
	if n := len(m.places); n > 0 {
		m.scroll, m.free = m.places[n-1], true
		m.places = m.places[:n-1]
	}
}

// replace shows p in place of everything above the start page. What was said stays for one page more.
func (m *model) replace(p page) {
	m.pages, m.places = append(m.pages[:1:1], p), nil
	m.scroll, m.free = 0, false
	if m.turns++; m.turns > m.saidAt+1 {
		m.said = ""
	}
}

func (m *model) say(text string) {
	m.said, m.saidAt = text, m.turns
	if text != "" {
		m.log = append(m.log, text)
	}
}

// Update implements tea.Model.
func (m *model) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	defer func() {
		if m.crash != "" {
			cmd = tea.Quit
		}
	}()
	defer guard(&m.crash)
	cmd = m.take(msg)
	return m, tea.Batch(cmd, m.typed())
}

// take takes one message.
func (m *model) take(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
		return m.top().update(m, msg)
	case tea.BackgroundColorMsg:
		if m.darkBG != msg.IsDark() {
			m.darkBG = msg.IsDark()
			m.st, m.theme.onDark = newStyles(m.darkBG), m.darkBG
		}
		return nil
	case tea.ResumeMsg:
		return tea.ClearScreen
	case saidMsg:
		m.say(string(msg))
		return nil
	case askMsg:
		m.push(newAsk(m, msg.q))
		return nil
	case unaskMsg:
		m.unask(msg.q)
		return nil
	case draftMsg:
		m.due = false
		return m.save()
	case savedMsg:
		if msg.err != nil {
			m.say(unkept(msg.err))
		}
		return nil
	case crashMsg:
		m.crash = string(msg)
		return nil
	case tickMsg:
		return m.tick(msg)
	case jobMsg:
		return m.landed(msg)
	case eventMsg: // the runner waits until it is taken, whatever lies over the page
		return m.below().update(m, msg)
	case tea.KeyPressMsg:
		return m.key(msg)
	}
	return m.top().update(m, msg)
}

// landed hands the result of a job to the page that is shown below any question.
func (m *model) landed(msg jobMsg) tea.Cmd {
	if m.busy == nil || m.busy.id != msg.id {
		return nil // it was given up
	}
	m.busy = nil
	cmd := m.beneath(func() tea.Cmd { return m.top().update(m, msg.result) })
	if m.leaving {
		return m.leave(true)
	}
	return cmd
}

// below is the page under questions, lists and help.
func (m *model) below() page {
	for i := len(m.pages) - 1; i > 0; i-- {
		if !over(m.pages[i]) {
			return m.pages[i]
		}
	}
	return m.pages[0]
}

// beneath lets the page below work as if nothing lay over it. Questions, help and the farewell stay on top; a list that
// belonged to a page which is gone goes with it.
func (m *model) beneath(f func() tea.Cmd) tea.Cmd {
	var lying []page
	for over(m.top()) && len(m.pages) > 1 {
		lying = append([]page{m.top()}, lying...)
		m.pop()
	}
	m.free = false
	was := m.top()
	cmd := f()
	stays := m.top() == was
	for _, p := range lying {
		switch p.(type) {
		case *overview, *picker:
			if !stays {
				continue
			}
		}
		m.push(p)
	}
	return cmd
}

func (m *model) unask(q *question) {
	for i, p := range m.pages {
		if a, is := p.(*ask); is && a.q == q {
			last, place := i == len(m.pages)-1, i-(len(m.pages)-len(m.places))
			m.pages = append(m.pages[:i:i], m.pages[i+1:]...)
			if place >= 0 && place < len(m.places) {
				if last {
					m.scroll = m.places[place]
				}
				m.places = append(m.places[:place:place], m.places[place+1:]...)
			}
			return
		}
	}
}

// key takes the keys that work everywhere, and gives the others to the page.
func (m *model) key(k tea.KeyPressMsg) tea.Cmd {
	m.free = k.String() == "pgdown" || k.String() == "pgup"
	switch k.String() {
	case "ctrl+c":
		if _, is := m.top().(*leave); is {
			return m.leave(true)
		}
		m.push(newLeave(m))
		return nil
	case "ctrl+z":
		return tea.Suspend
	case "f1":
		if _, is := m.top().(*keysPage); !is {
			m.push(&keysPage{of: m.top()})
		}
		return nil
	case "esc":
		if m.busy != nil && !over(m.top()) && (m.busy.shown || m.busy.keep) { // a wait that is not shown is none
			m.giveUp()
			return nil
		}
	case "pgdown":
		m.scroll += max(m.height-4, 1)
		return nil
	case "pgup":
		m.scroll = max(m.scroll-max(m.height-4, 1), 0)
		return nil
	}
	return m.top().update(m, k)
}

// giveUp stops the job that is under way. One that changes something stops behind its current call, and its result is
// waited for.
func (m *model) giveUp() {
	m.busy.cancel()
	if m.busy.keep {
		m.say("stopping behind the current call")
		return
	}
	m.busy = nil
	m.say("stopped waiting; nothing is lost")
}

// leave ends the program and keeps what was answered. Changes that are under way end first.
func (m *model) leave(cancelled bool) tea.Cmd {
	if m.busy != nil && m.busy.keep {
		m.giveUp()
		m.leaving = true
		m.pop()
		return nil
	}
	m.stopAll()
	if err := m.keep(); err != nil {
		m.ending.Said = append(m.ending.Said, unkept(err))
	}
	m.ending.Cancelled, m.ending.Kept = cancelled, m.note() != nil
	m.ending.Report, m.ending.Result = m.report, m.result
	m.ending.Said = append(m.ending.Said, m.undone()...)
	m.left = true
	return tea.Quit
}

func (m *model) stopAll() {
	if m.busy != nil && m.busy.cancel != nil {
		m.busy.cancel()
	}
	for _, p := range m.pages {
		if a, is := p.(*ask); is {
			a.q.reply(answer{cancelled: true})
		}
	}
}

// problems writes what is wrong, why, and what to do, for every problem of an error.
func (m *model) problems(b *block, width int, err error) {
	all := problem.List(problem.All(err))
	for i, p := range all {
		b.styled(width, m.st.bad, "! "+problem.Plain(p.What))
		if p.Why != "" {
			b.add(width, "  because "+problem.Plain(p.Why))
		}
		for _, next := range p.Next {
			b.add(width, "  next: "+problem.Plain(next))
		}
		if code := all.CodeLine(i); code != "" && p.Code != "" {
			b.styled(width, m.st.faint, "  "+code)
		}
	}
}

// lines adds text of several lines, wrapped.
func lines(b *block, width int, text string) {
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		b.add(width, l)
	}
}
