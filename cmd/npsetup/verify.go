package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"npsetup/steps"
	"npsetup/steps/run"
)

func newVerify(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "verify [-f FILE]", Short: "Read everything back and say whether it is as wanted", Args: cobra.NoArgs,
		Long: "verify reads and changes nothing. It ends with 0 when all is as wanted, 2 when something differs, 3 when only a person has something to do. Without -f it takes the answers of the one open run.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if err := o.checkFormat(); err != nil {
				return err
			}
			return runVerify(c.Context(), c, &o)
		},
	}
	o.answerFlags(c)
	o.formatFlag(c)
	return c
}

func runVerify(ctx context.Context, c *cobra.Command, o *options) error {
	o.dryRun = true
	j, err := newJob(c, o)
	if err != nil {
		return err
	}
	defer j.close()
	proofs, err := j.proofs(ctx)
	if err != nil {
		return err
	}
	var lines []run.Line
	code := exitOK
	for _, p := range proofs {
		switch p.Proof.State {
		case steps.Differs:
			code = exitPending
		case steps.NeedPerson:
			if code == exitOK {
				code = exitPerson
			}
		case steps.NotProven, steps.Proven, steps.ByWord:
		}
		lines = append(lines, run.LineOf(p, verdict(p.Proof.State)))
	}
	if err := j.report(lines); err != nil {
		return err
	}
	for _, l := range lines {
		for _, d := range l.Difference {
			if d.Is == "" {
				continue // the whole object is not there, and that was said
			}
			_, _ = fmt.Fprintf(j.talk(), "%s: %s (%s) is %s, wanted %s\n", l.Step, d.Setting, d.Field, d.Is, d.Wanted)
		}
	}
	return ending(code)
}

// proofs looks at everything and proves each step, reading only.
func (j *job) proofs(ctx context.Context) ([]steps.StepProof, error) {
	if err := j.survey(ctx); err != nil {
		return nil, err
	}
	// The plans tell later steps which ids are there.
	if _, err := steps.Draft(j.guide, j.scene, j.identity()); err != nil {
		return nil, err
	}
	return steps.Prove(ctx, j.guide, j.scene), nil
}

// verdict is a proof's state as one word, for scripts.
func verdict(s steps.ProofState) string {
	switch s {
	case steps.NotProven:
		return "not-proven"
	case steps.Proven:
		return "proven"
	case steps.ByWord:
		return "by-word"
	case steps.Differs:
		return "differs"
	case steps.NeedPerson:
		return "waiting"
	}
	return "unknown"
}
