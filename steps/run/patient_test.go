package run_test

import (
	"context"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/run"
)

// TestPatientLookups looks again while NPS is still at work on what it was asked for, and not for ever.
func TestPatientLookups(t *testing.T) {
	for _, c := range []struct {
		after   int // how many waits pass before it is there; -1: never
		outcome steps.Outcome
		waits   []time.Duration
	}{
		{0, steps.Done, nil},
		{2, steps.Done, []time.Duration{time.Second, 2 * time.Second}},
		{-1, steps.Failed, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}},
	} {
		w := &world{answer: map[string]string{"a": ""}, rows: map[string][]string{}}
		there := func() { w.rows["list"] = []string{`{"id":"7","name":"n"}`} }
		if c.after == 0 {
			there()
		}
		var waits []time.Duration
		o := w.options()
		o.Wait = func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			if len(waits) == c.after {
				there()
			}
			return nil
		}
		a := named("a")
		a.Ops[0].Lookup.Patient = true
		r, err := run.Apply(context.Background(), plan.Plan{Actions: []plan.Action{a}}, o)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, r, c.outcome)
		if len(waits) != len(c.waits) {
			t.Errorf("after %d: waited %v, want %v", c.after, waits, c.waits)
		}
	}
}
