package run_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// TestAPanicFailsItsActionAlone lets the transport panic in the midst of a change.
func TestAPanicFailsItsActionAlone(t *testing.T) {
	w := &world{sending: func(_ context.Context, op plan.Op) error {
		if op.Call.Operation == "bad" {
			panic("a defect \x1b[2J\u202ein the transport")
		}
		return nil
	}}
	result := w.apply(t, create("bad"), create("rests", "bad"), create("alone"))
	wantOutcomes(t, result, steps.Failed, steps.NotRun, steps.Done)
	wantError(t, result.Actions[0].Err, problem.Failed, "npsetup has a defect", "a defect [2Jin the transport", "npsetup resume --yes")
	wantLog(t, w, "journal sending bad/bad", "send bad /api/v1/bad", "journal sending alone/alone", "send alone /api/v1/alone", "journal done alone/alone")
	told := map[string]string{} // the faces hear of it as of any failure
	for _, e := range w.events {
		if e.Name == run.ActionDone || e.Name == run.StepDone {
			told[e.Name+" "+e.Step] = e.Outcome
		}
	}
	if told["action.done bad"] != "failed" || told["step.done bad"] != "failed" {
		t.Errorf("told: %v", told)
	}
	raw, err := json.Marshal(w.events)
	if err != nil || strings.Contains(string(raw), "panic_test.go") || strings.Contains(string(raw), "goroutine") {
		t.Errorf("%s, %v", raw, err)
	}
}

// brokenSink panics when it is told the end of an action.
type brokenSink struct{}

func (brokenSink) Emit(e run.Event) {
	if e.Name == run.ActionDone && e.Action == "bad" {
		panic("a defect in the face")
	}
}

func TestAPanicOfAFaceFailsTheActionThatItWasTold(t *testing.T) {
	w := &world{}
	o := w.options()
	o.Sink = brokenSink{}
	result, err := run.Apply(t.Context(), plan.Plan{Version: "25.12", Actions: []plan.Action{create("bad"), create("alone")}}, o)
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, result, steps.Failed, steps.Done)
	wantError(t, result.Actions[0].Err, problem.Failed, "a defect in the face")
	if result.Actions[0].Key != "bad" || result.Actions[0].Step != "bad" {
		t.Errorf("%+v", result.Actions[0])
	}
}
