package tui

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
)

// draftAfter is how long typing goes on before it is saved: not at every key, and never more of it than this is lost.
const draftAfter = 500 * time.Millisecond

// draft is what was answered so far; a later one has a higher number.
type draft struct {
	m steps.Machine
	n int
}

// draftMsg says that it is time to save what was typed.
type draftMsg struct{}

// savedMsg is what a saving beside the screen came to.
type savedMsg struct{ err error }

// note takes what is answered now as the draft, and gives it; nil: nothing is kept. A set-up that is only read back or taken back keeps
// its answers elsewhere.
func (m *model) note() *draft {
	if !m.guided || m.shown {
		m.draft.Store(nil)
		return nil
	}
	d := m.draft.Load()
	if d == nil || !d.m.Same(m.m) {
		m.drafts++
		d = &draft{m.m, m.drafts}
		m.draft.Store(d)
	}
	return d
}

// begin takes the answers with which a guide begins as saved already: the first one that is typed makes a new draft.
func (m *model) begin() {
	if d := m.note(); d != nil {
		m.asked = d.n
	}
}

// typed sees to it that a draft which is new is saved soon.
func (m *model) typed() tea.Cmd {
	if d := m.note(); d == nil || d.n <= m.asked || m.due {
		return nil
	}
	m.due = true
	return m.o.After(draftAfter, draftMsg{})
}

// keep saves the answers at once.
func (m *model) keep() error { return m.write(m.note()) }

// save saves the answers beside the screen, when there is anything new.
func (m *model) save() tea.Cmd {
	d := m.note()
	if d == nil || d.n <= m.asked {
		return nil
	}
	m.asked = d.n
	return guarded(func() tea.Msg { return savedMsg{m.write(d)} })
}

// write keeps an older draft from being written over a newer one, and one from being written twice.
func (m *model) write(d *draft) error {
	if d == nil {
		return nil
	}
	m.saving.Lock()
	defer m.saving.Unlock()
	if d.n <= m.saved {
		return nil
	}
	err := m.o.Work.Save(d.m)
	if err == nil {
		m.saved = d.n
	}
	return err
}

// unseen forgets what the current step and those after it saw: an answer changed on which it rested.
func (m *model) unseen() {
	from := m.m.Current().ID
	gone := false
	for _, s := range m.m.Guide().Steps {
		if gone = gone || s.ID == from; gone {
			delete(m.seen, s.ID)
		}
	}
}

// facts are what the looks have left: those of the last step that has looked.
func (m *model) facts() steps.Facts {
	var f steps.Facts
	for _, s := range m.m.Guide().Steps {
		if seen, has := m.seen[s.ID]; has {
			f = seen.Facts
		}
	}
	return f
}

// lookedBefore says whether every step before one has looked with the answers as they are, and the last that has not.
func (m *model) lookedBefore(step string) (last string, all bool) {
	all = true
	for _, s := range m.m.Guide().Applying(m.m.Answers()) {
		if s.ID == step {
			break
		}
		if seen, has := m.seen[s.ID]; s.Look != nil && (!has || seen.Stopped) {
			last, all = s.ID, false
		}
	}
	return last, all
}

func unkept(err error) string { return "the answers could not be kept: " + inOneLine(err) }
