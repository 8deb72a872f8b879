package steps_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"npsetup/steps"
)

// TestWhatWasNotLookedAtIsNotProven ends a survey in the middle: what was not read back is neither there nor missing.
func TestWhatWasNotLookedAtIsNotProven(t *testing.T) {
	look := func(err error) func(context.Context, *steps.Scene) error {
		return func(context.Context, *steps.Scene) error { return err }
	}
	differs := func(context.Context, *steps.Scene) steps.Proof {
		return steps.Proof{State: steps.Differs, Text: "it is not there"}
	}
	g := steps.Guide{Steps: []steps.Step{
		{ID: "a", Look: look(nil), Verify: differs}, {ID: "b", Look: look(errors.New("no answer")), Verify: differs}, {ID: "c", Look: look(nil), Verify: differs}, {ID: "d"},
	}}
	s := steps.NewScene(steps.NewAnswers(g, nil, ""), steps.Memory{})
	if err := steps.Survey(t.Context(), g, s); err == nil {
		t.Fatal("the survey went through")
	}
	for i, p := range steps.Prove(t.Context(), g, s) {
		if want := i == 0; want != (p.Proof.State == steps.Differs) || !want && !strings.Contains(p.Proof.Text, "the look ended at the step b") {
			t.Errorf("%s: %s, %s", p.Step.ID, p.Proof.State, p.Proof.Text)
		}
	}
}

// TestOnlyReferencesLast keeps a password that nobody asked for out of everything that is written down.
func TestOnlyReferencesLast(t *testing.T) {
	g := steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s", Fields: []steps.Field{
		{Key: "token", Kind: steps.SecretField, Optional: true},
		{Key: "password", Kind: steps.SecretField, When: func(a steps.Answers) bool { return !a.Has("token") }},
		{Key: "code", Kind: steps.Code},
		{Key: "name", Kind: steps.Text},
	}}}}
	a := steps.NewAnswers(g, map[string]string{"token": "env:TOKEN", "password": "S3CR3T", "code": "S3CR3T", "name": "N", steps.RiskKey: "r"}, "")
	s := steps.NewScene(a, steps.Memory{})
	p, err := steps.Draft(g, s, "")
	if err != nil {
		t.Fatal(err)
	}
	if p.Answers["token"] != "env:TOKEN" || p.Answers["name"] != "N" || p.Answers[steps.RiskKey] != "r" || len(p.Answers) != 3 {
		t.Errorf("the plan holds %v", p.Answers)
	}
	if file := string(steps.WriteAnswers(g, a)); strings.Contains(file, "S3CR3T") || !strings.Contains(file, "env:TOKEN") {
		t.Errorf("the answers file holds\n%s", file)
	}
}
