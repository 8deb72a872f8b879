package tui

import (
	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// keep saves the answers at once; those of a set-up that is only read back are kept elsewhere.
func (m *model) keep() error {
	if !m.guided || m.shown {
		return nil
	}
	m.saves++
	return m.write(m.m, m.saves)
}

// save saves the answers beside the screen.
func (m *model) save() tea.Cmd {
	if !m.guided || m.shown {
		return nil
	}
	m.saves++
	machine, n := m.m, m.saves
	return guarded(func() tea.Msg {
		if err := m.write(machine, n); err != nil {
			return saidMsg(unkept(err))
		}
		return nil
	})
}

// write keeps an older saving from being written over a newer one.
func (m *model) write(machine steps.Machine, n int) error {
	m.saving.Lock()
	defer m.saving.Unlock()
	if n < m.saved {
		return nil
	}
	m.saved = n
	return m.o.Work.Save(machine)
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

func unkept(err error) string { return "the answers could not be kept: " + problem.Plain(err.Error()) }
