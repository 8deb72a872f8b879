package main

import (
	"context"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/tui"
)

// brokenWork has a defect.
type brokenWork struct{ idleWork }

func (brokenWork) Look(context.Context, steps.Machine, string) steps.Seen {
	panic("a defect that knows S3CR3T-word")
}

// TestAPanicLeavesTheTerminalAsItWas lets a job panic on a real terminal. The player demands its state, screen and cursor.
func TestAPanicLeavesTheTerminalAsItWas(t *testing.T) {
	t.Parallel()
	g := steps.Guide{ID: "g", Title: "g", Steps: []steps.Step{{ID: "s", Title: "A part", Look: func(context.Context, *steps.Scene) error { return nil }}}}
	report := ""
	var ended error
	p := &screenPlayer{played: newPlayed(t)}
	p.open()
	p.start(func(ctx context.Context) int {
		_, ended = tui.New(tui.Options{
			Work: brokenWork{idleWork{g}}, In: ttyEnd{p.tty}, Out: ttyEnd{p.tty}, Env: []string{"TERM=xterm-256color"},
			Scrub: func(s string) string { return strings.ReplaceAll(s, "S3CR3T-word", "(a secret)") },
			Crash: func(r string) (string, error) { report = r; return "crash-1.txt", nil },
		}).Run(ctx)
		return exitFailed
	})
	p.choose("Set up")
	p.end()
	if ended == nil || !strings.Contains(ended.Error(), "defect") {
		t.Errorf("it ended with %v", ended)
	}
	if !strings.Contains(report, "a defect that knows (a secret)") || !strings.Contains(report, "panic_test.go") {
		t.Errorf("the report is %q", report)
	}
	if p.printed("S3CR3T-word") {
		t.Error("the secret was printed")
	}
}
