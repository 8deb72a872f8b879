package run_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// TestWhoHasTheLockIsNamed to whoever comes second; what is left of a dead one blocks nobody, whatever it says.
func TestWhoHasTheLockIsNamed(t *testing.T) {
	state := t.TempDir()
	first := open(t, state)
	s := start()
	s.Command = "npsetup apply\x1b[2J"
	all(t, first.Begin(s))
	host, err := os.Hostname()
	all(t, err)
	second := open(t, state)
	wantError(t, second.Begin(start()), problem.Failed, "another npsetup is at work", folder(t, state), fmt.Sprintf("npsetup apply[2J, process %d on %s, since 2026-01-01 00:00:00 UTC", os.Getpid(), host))
	holder := filepath.Join(folder(t, state), "holder.json")
	all(t, second.Close())
	if _, err := os.Stat(holder); err != nil {
		t.Errorf("who was turned away took the other's name: %v", err)
	}
	stale, err := os.ReadFile(holder)
	all(t, err, first.Close())
	if _, err := os.Stat(holder); !os.IsNotExist(err) {
		t.Errorf("after its end: %v", err)
	}
	for _, text := range []string{string(stale), "", "{", "null", `{"pid":-1}`} {
		all(t, os.WriteFile(holder, []byte(text), 0o600), begin(t, state).Close())
	}
	// The lock is there and its holder's name is not readable.
	third := begin(t, state)
	all(t, os.WriteFile(holder, []byte("{"), 0o600))
	fourth := open(t, state)
	wantError(t, fourth.Begin(run.Start{}), problem.Failed, "is locked by it", "wait until it has ended")
	all(t, third.Close())
}
