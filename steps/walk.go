package steps

import (
	"context"
	"fmt"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Survey lets every applying step look, in order. What the steps collected as problems comes back together at the end; an
// error that a Look returns ends the survey at once, after the problems collected so far.
func Survey(ctx context.Context, g Guide, s *Scene) error {
	for _, step := range g.Applying(s.Answers) {
		s.step = step.ID
		if step.Look == nil {
			continue
		}
		if err := step.Look(ctx, s); err != nil {
			s.halted = step.ID
			s.Problem(err)
			return s.Problems()
		}
		if err := ctx.Err(); err != nil {
			s.halted = step.ID
			return err
		}
	}
	return s.Problems()
}

// Draft makes the plan of a surveyed scene.
func Draft(g Guide, s *Scene, identity string) (plan.Plan, error) {
	p := plan.Plan{
		Guide: g.ID, Title: g.Title, Server: s.Server, Version: s.Version, Identity: identity, Answers: s.Answers.Lasting(),
		AnswersDir: s.Answers.Dir(),
	}
	s.planned = nil
	for _, step := range g.Applying(s.Answers) {
		s.step = step.ID
		if step.Plan == nil {
			continue
		}
		actions, err := step.Plan(s)
		if err != nil {
			return p, err
		}
		for _, a := range actions {
			a.Step = step.ID
			if a.Article == "" {
				a.Article = step.Article
			}
			if a.Why == "" {
				a.Why = step.Why
			}
			p.Actions = append(p.Actions, a)
		}
		s.planned = p.Actions
	}
	p.Fingerprint = plan.FingerprintOf(s.observed)
	p.Sends = s.sends
	for _, w := range s.warnings {
		p.Warnings = append(p.Warnings, w.String())
	}
	for _, w := range s.doubts {
		p.Passing = append(p.Passing, w.String())
	}
	if err := p.Check(); err != nil {
		return p, fmt.Errorf("this is a mistake in npsetup: %w", err)
	}
	return p, nil
}

// StepProof is the proof of one step.
type StepProof struct {
	Step  Step
	Proof Proof
}

// Prove verifies every applying step of a surveyed scene, but those that do no more than ask what another step answers.
func Prove(ctx context.Context, g Guide, s *Scene) []StepProof {
	var list []StepProof
	unseen := false
	for _, step := range g.Applying(s.Answers) {
		if step.onlyAsks() {
			continue
		}
		s.step = step.ID
		unseen = unseen || step.ID == s.halted
		p := Proof{State: Proven, Text: "asked and checked"}
		if unseen {
			p = Proof{State: NotProven, Text: "not read back: the look ended at the step " + s.halted, Err: problem.New("the look ended at the step " + s.halted).Coded(problem.NotProven)}
		} else if step.Verify != nil {
			p = step.Verify(ctx, s)
		}
		list = append(list, StepProof{step, p})
	}
	return list
}
