package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"npsetup/steps"
	shared "npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// takingBack is one undo.
type takingBack struct {
	*job
	over, keep bool
}

func (u *takingBack) run(ctx context.Context) error {
	if err := u.endOpen(ctx, u.sinks()); err != nil {
		return err
	}
	u.clearLeft(ctx)
	p, err := u.draft(ctx)
	if err != nil {
		return err
	}
	if u.dryRun {
		if err := u.show(p); err != nil {
			return err
		}
		return ending(planCode(p))
	}
	if len(p.Pending()) > 0 {
		if err := u.consent(ctx, p); err != nil {
			return err
		}
	}
	if err := u.begin(p, run.TakeBack); err != nil {
		return err
	}
	defer u.tellStop(ctx)()
	result, err := u.carryOut(ctx, p, doneSet(u.done), u.sinks())
	if err != nil {
		return err
	}
	return u.end(p, result)
}

// draft looks what is left of the run, and plans to take it back. It refuses while something is contested.
func (u *takingBack) draft(ctx context.Context) (plan.Plan, error) {
	p, others, err := u.look(ctx)
	if err == nil {
		err = contested(others)
	}
	return p, err
}

// look is draft, and gives what is contested: members that somebody else has changed since, and about which nothing was said.
func (u *takingBack) look(ctx context.Context) (p plan.Plan, others []string, err error) {
	deeds, err := u.store.Deeds()
	if err != nil {
		return p, nil, err
	}
	u.scene = steps.NewScene(u.answers, u.store.Memory())
	if err := steps.Survey(ctx, signInOf(u.guide), u.scene); err != nil {
		return p, nil, err
	}
	lacks := func(operation string) bool { _, is := shared.NotOffered(u.scene, operation); return is }
	left, err := run.Undo(ctx, deeds, run.Unmaking{Sender: u.link.client, Lacks: lacks, Wait: u.app.pause, Over: u.over, Keep: u.keep, Machines: machines{u.link}, Spoken: npsapi.Spoken})
	if err != nil || len(left.Contested) > 0 {
		return p, left.Contested, err
	}
	u.words = left.Words
	p = plan.Plan{
		Guide: u.guide.ID, Title: "Undo: " + u.guide.Title, Server: u.scene.Server, Version: u.scene.Version, Identity: u.identity(),
		Answers: u.answers.Lasting(), AnswersDir: u.answers.Dir(), Actions: left.Actions, Fingerprint: plan.FingerprintOf(left.Seen),
	}
	for _, b := range left.Beyond {
		p.Warnings = append(p.Warnings, steps.Warning{Text: "not taken back: " + b, Code: problem.NotTakenBack}.String())
	}
	return p, nil, nil
}

// contested asks what is to become of what somebody else has changed since.
func contested(members []string) error {
	var all problem.List
	for _, m := range members {
		all = append(all, problem.New("somebody else has changed what this run had changed: "+problem.Plain(m)).Because("writing the former value would undo their work").
			Try("leave theirs: npsetup undo --keep-changed", "or write the former values over it: npsetup undo --accept-risk "+changedSince).Of(problem.Usage))
	}
	return all.Err()
}

// consent shows the plan, and makes sure that somebody agreed to exactly it.
func (u *takingBack) consent(ctx context.Context, p plan.Plan) error {
	if err := u.approved(p, "undo", "the server is not as it was", "it with npsetup undo --dry-run"); err != nil {
		return err
	}
	return u.agree(ctx, p, u.draft)
}

// closing is what became of it. Once nothing is left the run is closed: the next apply begins anew.
func (u *takingBack) closing(p plan.Plan, result run.Result) (run.Report, error) {
	report := run.ReportOfUndo(p, result)
	if report.Left() > 0 {
		return report, nil
	}
	return report, u.store.Closed()
}

// end tells how it ended.
func (u *takingBack) end(p plan.Plan, result run.Result) error {
	tellFailures(u.talk(), result)
	report, unclosed := u.closing(p, result)
	if err := errors.Join(u.report(report.Lines), unclosed); err != nil {
		return err
	}
	switch {
	case report.Count(steps.Failed)+report.Count(steps.NotRun) > 0:
		_, _ = fmt.Fprintln(u.talk(), "not everything was taken back; "+u.again("undo")+" looks again and goes on")
		return ending(failedCode(result))
	case report.Count(steps.Waiting) > 0:
		return errors.Join(u.tellHands(p, result), ending(exitPerson))
	}
	for _, w := range p.Warnings {
		_, _ = fmt.Fprintln(u.talk(), problem.Plain(w))
	}
	_, _ = fmt.Fprintln(u.talk(), "nothing of this run is left to take back; it is closed")
	return nil
}

// tellHands says what only a person can take back.
func (u *takingBack) tellHands(p plan.Plan, result run.Result) error {
	var ids []string
	for i, a := range result.Actions {
		if a.Outcome == steps.Waiting {
			_, _ = fmt.Fprintf(u.talk(), "\n%s", u.guided(plan.ManualText(p.Actions[i], 0)))
			if p.Actions[i].ByWord() && !slices.Contains(ids, a.Step) {
				ids = append(ids, a.Step)
			}
		}
	}
	return u.tellNext("undo", ids)
}
