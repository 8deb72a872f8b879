package run_test

import (
	"testing"

	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// TestAHeldRunStaysHeldBetweenItsRuns: its holder begins it as often as it likes, everybody else is turned away until it lets go.
func TestAHeldRunStaysHeldBetweenItsRuns(t *testing.T) {
	state := t.TempDir()
	s := start()
	id := run.ID{Server: s.Server, Guide: s.Guide, Application: s.Application}
	h, err := run.Lock(state, id, "npsetup (the wizard)", clock{}.Now)
	all(t, err)
	for range 2 {
		d := open(t, state).Under(h)
		all(t, d.Begin(s), d.Close())
		wantError(t, open(t, state).Begin(s), problem.Failed, "another npsetup is at work", "npsetup (the wizard), process ")
	}
	_, err = run.Lock(state, id, "npsetup apply", clock{}.Now)
	wantError(t, err, problem.Failed, "another npsetup is at work", "npsetup (the wizard), process ")
	id.Application = "other"
	other, err := run.Lock(state, id, "npsetup", clock{}.Now)
	all(t, err)
	wantError(t, open(t, state).Under(other).Begin(s), problem.Failed, "another npsetup is at work") // that is the hold of another run
	all(t, other.Release(), h.Release())
	all(t, begin(t, state).Close())
}
