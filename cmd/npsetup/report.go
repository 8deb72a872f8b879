package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

type clock func() time.Time

// Now implements run.Clock.
func (c clock) Now() time.Time { return c() }

// sinks are where the events of a run go: JSON lines on stdout, or words on stderr.
func (j *job) sinks() run.Sink {
	if j.format == "json" {
		return run.NewJSONSink(j.out())
	}
	return &progress{w: j.talk()}
}

// progress tells a person how far the run is.
type progress struct {
	mu sync.Mutex
	w  io.Writer
}

// Emit implements run.Sink.
func (p *progress) Emit(e run.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e.Name {
	case "op.done":
		if e.Op != nil && e.Op.Method != "" {
			_, _ = fmt.Fprintf(p.w, "%-20s %s\n", e.Step, e.Op.Line())
		}
	case "action.done":
		if e.Error == nil {
			_, _ = fmt.Fprintf(p.w, "%-20s %s %s: %s\n", e.Step, e.Effect, plan.Quoted(e.Object), e.Outcome)
			return
		}
		said := problem.Plain(e.Error.What)
		switch {
		case e.Outcome != steps.Waiting.String():
			said = e.Outcome + ": " + said
		case e.Error.Why != "":
			said += "; " + problem.Plain(e.Error.Why)
		}
		_, _ = fmt.Fprintf(p.w, "%-20s %s %s: %s\n", e.Step, e.Effect, plan.Quoted(e.Object), said)
	case run.WaitingFor:
		if e.Error == nil { // else it waits for something else, which is told when it is settled
			_, _ = fmt.Fprintf(p.w, "%-20s waits for a person, who does as the plan shows: %s\n", e.Step, problem.Plain(e.Object))
		}
	}
}

// finish looks again, proves, reports, and says how it ended.
func (j *job) finish(ctx context.Context, result run.Result) error {
	tellFailures(j.talk(), result)
	report, lookErr := j.prove(ctx, result)
	if ctx.Err() != nil && lookErr != nil {
		lookErr = problem.New("stopped").Because("the run was interrupted; what was sent stands in the journal, and was not looked at again").
			Try(j.again("resume") + " --yes continues it").Of(problem.Cancelled).From(lookErr)
	}
	if lookErr != nil {
		printProblems(j.talk(), lookErr)
	}
	tellUnproven(j.talk(), report, result, lookErr == nil)
	if err := j.report(report.Lines); err != nil {
		return err
	}
	code := endCode(report, result, lookErr)
	if code == exitPerson {
		j.tellPerson()
	}
	return ending(code)
}

func tellFailures(w io.Writer, result run.Result) {
	for _, a := range result.Actions {
		if a.Err != nil && a.Outcome == steps.Failed {
			printProblems(w, atStep(a))
		}
	}
}

// tellUnproven says what to do about steps in which nothing failed, and of which NPS shows something else now: somebody else was
// there, or NPS is not done yet. And about those that a look through to its end could not read back.
func tellUnproven(w io.Writer, report run.Report, result run.Result, looked bool) {
	told := map[string]bool{}
	for _, a := range result.Actions {
		told[a.Step] = told[a.Step] || a.Err != nil
	}
	var l problem.List
	for _, line := range report.Lines {
		code := problem.Code(line.Code)
		switch {
		case told[line.Step]:
		case line.Outcome == steps.NotRun.String() && looked:
			l = append(l, problem.New("whether all is as wanted could not be read back").Coded(cmp.Or(code, problem.NotProven)).At(line.Step).Because(cmp.Or(line.Proof, "nothing was seen of it")).
				Try("npsetup verify looks again"))
		case line.Outcome == steps.Failed.String():
			if code.Bare() {
				code = problem.DiffersFromGuide
			}
			l = append(l, problem.New("what was done is not what NPS shows now").Coded(code).At(line.Step).Because(cmp.Or(line.Proof, "it was read back otherwise")).
				Try("run npsetup resume --yes: it looks again and sets right what it can", "when it stays, ask who else works on this server"))
		}
	}
	if len(l) > 0 {
		printProblems(w, l)
	}
}

// prove looks again and joins what was done with what is read back. The error is that of the look.
func (j *job) prove(ctx context.Context, result run.Result) (run.Report, error) {
	err := j.survey(ctx)
	proofs := steps.Prove(ctx, j.guide, j.scene)
	report := run.ReportOf(proofs, result)
	err = errors.Join(err, j.remember(proofs))
	if err == nil && report.Left() == 0 {
		err = j.store.Finished()
	}
	return report, err
}

// remember notes down what has shown itself: it may not be seen any longer when something else changes.
func (j *job) remember(proofs []steps.StepProof) error {
	for _, p := range proofs {
		if !p.Proof.Seen || j.scene.Memory.IsDone(p.Step.ID, p.Proof.About) {
			continue
		}
		about, _ := plan.TextOf(p.Proof.About, nil)
		if err := j.store.Manual(p.Step.ID, about); err != nil {
			return err
		}
	}
	return nil
}

// endCode is the exit code of a run.
func endCode(report run.Report, result run.Result, lookErr error) int {
	switch {
	case lookErr != nil:
		return max(exitCode(lookErr), exitFailed)
	case report.Count(steps.Failed)+report.Count(steps.NotRun) > 0:
		return failedCode(result)
	case report.Count(steps.Waiting) > 0:
		return exitPerson
	}
	return exitOK
}

func atStep(a run.ActionResult) error {
	var l problem.List
	for _, p := range problem.All(a.Err) {
		c := *p
		if c.Where == "" {
			c.Where = a.Step
		}
		l = append(l, &c)
	}
	return l
}

// failedCode tells a refusal of the person, and a stop by the person, from other failures. A session is the application
// user's: that it was refused is a proof that failed.
func failedCode(result run.Result) int {
	code := exitFailed
	for _, a := range result.Actions {
		if a.Err == nil || a.Outcome != steps.Failed {
			continue
		}
		switch exitCode(a.Err) {
		case exitRefused:
			if !a.Session {
				return exitRefused
			}
		case exitCancelled:
			code = exitCancelled
		}
	}
	return code
}

// report prints one line per step: id, outcome, proof.
func (j *job) report(lines []run.Line) error {
	if j.format == "json" {
		e := json.NewEncoder(j.out())
		e.SetEscapeHTML(false)
		return e.Encode(map[string]any{"event": "report", "steps": lines})
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(j.out(), "%s %s %s%s\n", l.Step, l.Outcome, l.Proof, aboutCode(l.Code)); err != nil {
			return err
		}
	}
	return nil
}

// aboutCode names a code behind a line, unless it only repeats the line's outcome.
func aboutCode(code string) string {
	if problem.Code(code).Bare() {
		return ""
	}
	return " (code: " + code + ")"
}

// byHand lists the steps of a plan that a person does.
func byHand(p plan.Plan) []string {
	var ids []string
	for _, a := range p.Actions {
		if a.Effect == plan.ByHand && !slices.Contains(ids, a.Step) {
			ids = append(ids, a.Step)
		}
	}
	return ids
}

// tellPerson prints what is to be done by hand, and how to go on.
func (j *job) tellPerson() {
	p, err := steps.Draft(j.guide, j.scene, j.identity())
	if err != nil {
		_, _ = fmt.Fprintln(j.talk(), "a person is needed; npsetup plan shows for what")
		return
	}
	var files, ids []string
	for _, a := range p.Doable() {
		_, _ = fmt.Fprintf(j.talk(), "\n%s", j.guided(plan.ManualText(a, 0)))
		if file := a.Awaits(); file != "" {
			files = append(files, file)
		} else if a.ByWord() && !slices.Contains(ids, a.Step) {
			ids = append(ids, a.Step)
		}
	}
	if len(files) > 0 {
		_, _ = fmt.Fprintf(j.talk(), "\na person is needed; when %s is there, %s --yes goes on with what waits for it\n", problem.Plain(strings.Join(files, ", ")), j.again("resume"))
		if len(ids) == 0 {
			return
		}
	}
	_ = j.tellNext("resume", ids)
}

// tellNext says how a command goes on when a person has done the steps of which nobody but that person can tell.
func (j *job) tellNext(command string, ids []string) error {
	say := ""
	if len(ids) > 0 {
		say = " --done " + strings.Join(ids, ",")
	}
	_, err := fmt.Fprintf(j.talk(), "\na person is needed; when it is done: %s --yes%s\n", j.again(command), say)
	return err
}
