package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func newVerify(shared *options) *cobra.Command {
	o := *shared
	var session bool
	var watch time.Duration
	c := &cobra.Command{
		Use: "verify [-f FILE]", Short: "Read everything back and say whether it is as wanted", Args: cobra.NoArgs,
		Long: "verify reads and changes nothing, but that it ends a session of its own that a stopped run left open. With --session it opens one as the application user, as Auditor would, and ends it. It ends with 0 when all is as wanted, 1 when something could not be looked at, 2 when something differs, 3 when only a person has something to do. What merely nobody may see, such as the password of a session, is told and is no failure. Without -f it takes the answers of the one open run.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if err := o.checkFormat(); err != nil {
				return err
			}
			return runVerify(c.Context(), c, &o, session, watch)
		},
	}
	o.answerFlags(c)
	o.formatFlag(c)
	c.Flags().BoolVar(&session, "session", false, "open a session as the application user, look at it, and end it")
	c.Flags().BoolVar(&o.yes, "yes", false, "open that session without asking")
	c.Flags().DurationVar(&watch, "watch", 0, "look again for up to `DURATION` until Auditor has opened a session itself, for example 10m")
	return c
}

func runVerify(ctx context.Context, c *cobra.Command, o *options, session bool, watch time.Duration) error {
	if session && !o.app.terminal && !o.yes {
		return problem.New("nobody agreed to the session").Because("there is no terminal to ask on, and --yes was not given").
			Try("npsetup verify --session --yes opens it", "npsetup verify without --session only reads").Of(problem.Usage)
	}
	o.dryRun, o.reads, o.looks = !session, true, !session
	j, err := newJob(c, o)
	if err != nil {
		return err
	}
	defer j.close()
	if len(j.store.OpenSessions()) > 0 {
		j.link.dry = false
	}
	if err := j.endOpen(ctx, j.sinks()); err != nil {
		return err
	}
	var opened run.Result
	if session {
		if opened, err = j.openOne(ctx); err != nil {
			return err
		}
		if opened.Outcome() == steps.Failed {
			watch = 0 // nothing that Auditor does mends that
		}
	}
	proofs, err := j.watch(ctx, watch)
	if err != nil && opened.Outcome() != steps.Failed {
		return err
	}
	lines, code := verdicts(proofs, opened)
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

// verdicts are the lines of the report, and the exit code. A session that failed is told in the line of its step.
func verdicts(proofs []steps.StepProof, opened run.Result) ([]run.Line, int) {
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
		case steps.NotProven:
			if p.Proof.Err != nil && code != exitPending {
				code = exitFailed
			}
		case steps.Proven, steps.ByWord:
		}
		lines = append(lines, run.LineOf(p, verdict(p.Proof.State)))
	}
	for _, a := range opened.Actions {
		if a.Err == nil || a.Outcome != steps.Failed {
			continue
		}
		cause := problem.Plain(problem.All(a.Err)[0].Error())
		why := "the session failed: " + cause
		at := slices.IndexFunc(lines, func(l run.Line) bool { return l.Step == a.Step })
		if at < 0 { // nothing could be looked at afterwards
			lines = append(lines, run.Line{Step: a.Step, Outcome: verdict(steps.NotProven), Proof: why})
			continue
		}
		lines[at].Outcome = verdict(steps.NotProven)
		if !strings.Contains(lines[at].Proof, cause) {
			lines[at].Proof = why + "; seen besides: " + lines[at].Proof
		}
	}
	if opened.Outcome() == steps.Failed {
		code = failedCode(opened)
	}
	return lines, code
}

// openOne shows and carries out the part of the plan that opens a session.
func (j *job) openOne(ctx context.Context) (run.Result, error) {
	p, err := j.draftSession(ctx)
	if err != nil {
		return run.Result{}, err
	}
	if err := j.agree(ctx, p, j.draftSession); err != nil {
		return run.Result{}, err
	}
	if err := j.begin(p, run.Prove); err != nil {
		return run.Result{}, err
	}
	result, err := j.carryOut(ctx, p, nil, j.sinks())
	if err == nil {
		tellFailures(j.talk(), result)
	}
	return result, err
}

// draftSession is the part of a fresh plan that opens a session.
func (j *job) draftSession(ctx context.Context) (plan.Plan, error) {
	memory := j.store.Memory()
	memory.Prove = true
	j.scene = steps.NewScene(j.answers, memory)
	if err := steps.Survey(ctx, j.guide, j.scene); err != nil {
		return plan.Plan{}, err
	}
	p, err := steps.Draft(j.guide, j.scene, j.identity())
	if err != nil {
		return plan.Plan{}, err
	}
	var session []plan.Action
	for _, a := range p.Actions {
		if a.OpensSession() {
			session = append(session, a)
		}
	}
	switch {
	case len(session) == 0:
		return p, j.guide.Unopened()
	case len(session[0].After) > 0:
		return p, problem.New("the session would prove nothing yet").Because("these are not done: " + problem.Plain(strings.Join(session[0].After, ", "))).Try("npsetup plan shows them")
	}
	p.Actions = session
	return p, nil
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
