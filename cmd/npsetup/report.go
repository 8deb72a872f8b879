package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
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
			_, _ = fmt.Fprintf(p.w, "%-20s %s %s: %d in %d ms\n", e.Step, e.Op.Method, problem.Plain(e.Op.Path), e.Op.Status, e.Op.MS)
		}
	case "action.done":
		if e.Error == nil {
			_, _ = fmt.Fprintf(p.w, "%-20s %s %q: %s\n", e.Step, e.Effect, problem.Plain(e.Object), e.Outcome)
			return
		}
		_, _ = fmt.Fprintf(p.w, "%-20s %s %q: %s: %s\n", e.Step, e.Effect, problem.Plain(e.Object), e.Outcome, problem.Plain(e.Error.What))
	case "waiting":
		_, _ = fmt.Fprintf(p.w, "%-20s waits for a person: %s\n", e.Step, problem.Plain(e.Object))
	}
}

// line is one line of the report: step, outcome, proof.
type line struct {
	Step       string           `json:"step"`
	Outcome    string           `json:"outcome"`
	Proof      string           `json:"proof"`
	Difference []differenceLine `json:"difference,omitempty"`
}

type differenceLine struct {
	Setting string `json:"setting"`
	Field   string `json:"field,omitempty"`
	Is      string `json:"is"`
	Wanted  string `json:"wanted"`
}

// finish looks again, proves, reports, and says how it ended.
func (j *job) finish(ctx context.Context, result run.Result) error {
	for _, a := range result.Actions {
		if a.Err != nil && a.Outcome == steps.Failed {
			printProblems(j.talk(), atStep(a))
		}
	}
	lookErr := j.survey(ctx)
	if lookErr != nil {
		printProblems(j.talk(), lookErr)
	}
	var lines []line
	outcomes := map[steps.Outcome]int{}
	for _, p := range steps.Prove(ctx, j.guide, j.scene) {
		o := outcomeOf(p, result.ByStep[p.Step.ID])
		if p.Step.ID == "verify" && o == steps.Failed && outcomes[steps.Waiting] > 0 {
			o = steps.Waiting // what it proves is not there yet, and a person is to make it
		}
		outcomes[o]++
		lines = append(lines, lineOf(p, o))
	}
	if err := j.report(lines); err != nil {
		return err
	}
	switch {
	case lookErr != nil:
		return ending(max(exitCode(lookErr), exitFailed))
	case outcomes[steps.Failed]+outcomes[steps.NotRun] > 0:
		return ending(failedCode(result))
	case outcomes[steps.Waiting] > 0:
		j.tellPerson(lines)
		return ending(exitPerson)
	}
	return nil
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

// failedCode tells a refusal of the person from other failures.
func failedCode(result run.Result) int {
	for _, a := range result.Actions {
		if a.Err != nil && a.Outcome == steps.Failed && exitCode(a.Err) == exitRefused {
			return exitRefused
		}
	}
	return exitFailed
}

// outcomeOf joins what was done in a step with what was read back.
func outcomeOf(p steps.StepProof, ran *steps.Outcome) steps.Outcome {
	switch p.Proof.State {
	case steps.Differs:
		if ran != nil && *ran != steps.Done && *ran != steps.Adopted && *ran != steps.Unchanged {
			return *ran
		}
		return steps.Failed
	case steps.NeedPerson:
		return steps.Waiting
	case steps.NotProven:
		if ran != nil {
			return *ran
		}
		return steps.NotRun
	case steps.Proven, steps.ByWord:
	}
	if ran != nil && *ran != steps.Waiting && *ran != steps.NotRun {
		return *ran
	}
	if p.Step.Plan != nil {
		return steps.Unchanged
	}
	return steps.Done
}

func lineOf(p steps.StepProof, o steps.Outcome) line {
	l := line{Step: p.Step.ID, Outcome: o.String(), Proof: problem.Plain(p.Proof.Text)}
	for _, d := range p.Proof.Difference {
		l.Difference = append(l.Difference, differenceOf(d))
	}
	return l
}

func differenceOf(d plan.Difference) differenceLine {
	return differenceLine{Setting: d.Label, Field: d.Field, Is: problem.Plain(d.From), Wanted: problem.Plain(d.To)}
}

// report prints one line per step: id, outcome, proof.
func (j *job) report(lines []line) error {
	if j.format == "json" {
		e := json.NewEncoder(j.out())
		e.SetEscapeHTML(false)
		return e.Encode(map[string]any{"event": "report", "steps": lines})
	}
	for _, l := range lines {
		if _, err := fmt.Fprintf(j.out(), "%s %s %s\n", l.Step, l.Outcome, l.Proof); err != nil {
			return err
		}
	}
	return nil
}

// tellPerson prints what is to be done by hand, and how to go on.
func (j *job) tellPerson(lines []line) {
	var waiting string
	for _, l := range lines {
		if l.Outcome == steps.Waiting.String() && l.Step != "verify" {
			if waiting != "" {
				waiting += ","
			}
			waiting += l.Step
		}
	}
	p, err := steps.Draft(j.guide, j.scene, j.identity())
	if err == nil {
		for _, a := range p.Actions {
			if a.Effect == plan.ByHand {
				_, _ = fmt.Fprintf(j.talk(), "\n%s", plan.ManualText(a))
			}
		}
	}
	_, _ = fmt.Fprintf(j.talk(), "\na person is needed; when it is done: npsetup resume --yes --done %s\n", waiting)
}
