package steps_test

import (
	"context"
	"errors"
	"testing"

	"npsetup/steps"
	"npsetup/steps/problem"
)

func TestInspectTellsOfEachStep(t *testing.T) {
	look := func(f func(*steps.Scene) error) func(context.Context, *steps.Scene) error {
		return func(_ context.Context, s *steps.Scene) error { return f(s) }
	}
	g := steps.Guide{ID: "g", Steps: []steps.Step{
		{ID: "a", Look: look(func(s *steps.Scene) error { s.Warn("odd", problem.WinRMDisabled); return nil })},
		{ID: "b"},
		{ID: "c", Look: look(func(s *steps.Scene) error { s.Problem(problem.New("bad")); s.Warn("also odd"); return nil })},
		{ID: "d", Look: look(func(*steps.Scene) error { return errors.New("over") })},
		{ID: "e", Look: look(func(*steps.Scene) error { t.Error("it goes on behind a look that ended"); return nil })},
	}}
	s := steps.NewScene(steps.NewAnswers(g, nil, ""), steps.Memory{})
	seen := steps.Inspect(t.Context(), g, s, "")
	if len(seen) != 4 {
		t.Fatalf("%d steps were seen", len(seen))
	}
	if w := seen[0].Warnings; len(w) != 1 || w[0].Code != problem.WinRMDisabled || seen[0].Err != nil {
		t.Errorf("a: %+v", seen[0])
	}
	if w := seen[2].Warnings; len(w) != 1 || w[0].Code != problem.WarningCode || seen[2].Err == nil || seen[2].Stopped {
		t.Errorf("c: %+v", seen[2])
	}
	if !seen[3].Stopped || len(problem.All(seen[3].Err)) != 1 || problem.All(seen[3].Err)[0].Where != "d" {
		t.Errorf("d: %+v", seen[3])
	}
	for _, p := range steps.Prove(t.Context(), g, s) {
		if after := p.Step.ID == "d" || p.Step.ID == "e"; (p.Proof.State == steps.NotProven) != after {
			t.Errorf("%s: %+v", p.Step.ID, p.Proof)
		}
	}
	if seen := steps.Inspect(t.Context(), g, steps.NewScene(steps.NewAnswers(g, nil, ""), steps.Memory{}), "b"); len(seen) != 2 {
		t.Errorf("up to b: %d", len(seen))
	}
}
