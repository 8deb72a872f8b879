package main

import (
	"context"
	"testing"

	"npsetup/steps/problem"
)

// TestAStopEndsAQuestion that is asked for a change which has left, and not the change.
func TestAStopEndsAQuestion(t *testing.T) {
	t.Parallel()
	a := &app{terminal: true, password: func(ctx context.Context, _ string) ([]byte, error) { return []byte("typed"), ctx.Err() }}
	ctx, stop := context.WithCancel(t.Context())
	sent := a.sent(ctx)
	if s, err := a.askSecret(sent, "key", "code"); err != nil || s.Empty() {
		t.Fatal(err)
	}
	stop()
	if sent.Err() != nil {
		t.Error("the change ended with the stop")
	}
	if _, err := a.askSecret(sent, "key", "code"); !problem.Is(err, problem.Cancelled) {
		t.Errorf("the question went on: %v", err)
	}
	if a.abrupt = true; a.sent(ctx).Err() == nil {
		t.Error("an abrupt stop left the change")
	}
}
