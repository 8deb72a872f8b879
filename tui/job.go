package tui

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
)

// busy is a job in the background.
type busy struct {
	id     int
	what   string
	since  time.Time
	shown  bool
	frame  int
	cancel context.CancelFunc
	keep   bool // its result counts also when it was stopped: it changes something
}

func (b *busy) text(now time.Time) string {
	return fmt.Sprintf("%s %s… %ds (esc stops waiting)", [...]string{"|", "/", "-", `\`}[b.frame%4], b.what, int(now.Sub(b.since).Seconds()))
}

// do starts a job beside the screen. Its result comes to the page; esc gives it up.
func (m *model) do(what string, job func(ctx context.Context) tea.Msg) tea.Cmd {
	if m.busy != nil && m.busy.cancel != nil {
		m.busy.cancel()
	}
	m.jobs++
	ctx, cancel := context.WithCancel(m.ctx)
	m.busy = &busy{id: m.jobs, what: what, since: m.o.Now(), cancel: cancel}
	id := m.jobs
	return tea.Batch(guarded(func() tea.Msg { return jobMsg{id, job(ctx)} }), m.o.After(100*time.Millisecond, tickMsg{id}))
}

// guarded keeps a panic of a job from the terminal.
func guarded(f func() tea.Msg) tea.Cmd {
	return func() (msg tea.Msg) {
		report := ""
		defer func() {
			if report != "" {
				msg = crashMsg(report)
			}
		}()
		defer guard(&report)
		return f()
	}
}

// tick turns the sign of a wait, four times a second, only while one is shown.
func (m *model) tick(t tickMsg) tea.Cmd {
	if m.busy == nil || m.busy.id != t.id {
		return nil
	}
	if m.busy.shown && !m.modal() { // while a person is asked, it is the person who is waited for
		m.busy.frame++
	}
	m.busy.shown = true
	return m.o.After(250*time.Millisecond, t)
}
