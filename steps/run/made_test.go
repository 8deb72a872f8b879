package run_test

import (
	"context"
	"errors"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// maker makes nothing and answers what it is told to.
type maker struct {
	w    *world
	give map[string]string
	err  error
}

func (m maker) Make(_ context.Context, f plan.File) (map[string]string, error) {
	m.w.note("make", f.Path)
	return m.give, m.err
}

func making(outputs ...plan.Output) plan.Action {
	op := plan.Op{ID: "cer", Kind: plan.KindFile, Class: plan.Change, Repeat: plan.ByName, Outputs: outputs, File: &plan.File{Path: "/x.cer", Make: &plan.Made{What: plan.MakeSelfSigned}}}
	return plan.Action{Key: "certificate", Step: "certificate", Effect: plan.Create, Object: "client certificate", Name: "x", Ops: []plan.Op{op}}
}

func (w *world) applyWith(t *testing.T, m run.Maker, actions ...plan.Action) (run.Result, error) {
	t.Helper()
	return run.Apply(t.Context(), plan.Plan{Actions: actions}, run.Options{Sender: w, Clock: w, Store: w, Sink: w, Maker: m})
}

// TestWhatIsMadeGivesItsNumbers: the serial number of a certificate that did not exist goes into a later call.
func TestWhatIsMadeGivesItsNumbers(t *testing.T) {
	w := &world{}
	user := create("user")
	user.Ops[0].Call.Body = plan.Object{{Name: "serial", Value: plan.Ref{Action: "certificate", Output: plan.SerialOutput, What: "the new client certificate"}}}
	serial := plan.Output{Name: plan.SerialOutput}
	r, err := w.applyWith(t, maker{w: w, give: map[string]string{plan.SerialOutput: "00AB", "other": "x"}}, making(serial), user)
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r, steps.Done, steps.Done)
	wantLog(t, w, "journal sending certificate/cer", "make /x.cer", "journal done certificate/cer", "journal sending user/user", "send user /api/v1/user", "journal done user/user")
	if got := w.entries[1].Outputs; len(got) != 1 || got[plan.SerialOutput] != "00AB" {
		t.Errorf("noted down is %v", got)
	}
	if got := w.entries[2].Body; got != `{"serial":"00AB"}` {
		t.Errorf("sent is %s", got)
	}
}

// TestWhatIsMadeMustGiveWhatWasSaid: without the number nothing that needs it is sent.
func TestWhatIsMadeMustGiveWhatWasSaid(t *testing.T) {
	for name, m := range map[string]maker{"no number": {give: map[string]string{plan.SerialOutput: ""}}, "no file": {err: errors.New("no room")}} {
		w := &world{}
		m.w = w
		user := create("user")
		user.After = []string{"certificate"}
		r, err := w.applyWith(t, m, making(plan.Output{Name: plan.SerialOutput}), user)
		if err != nil {
			t.Fatal(err)
		}
		wantOutcomes(t, r, steps.Failed, steps.NotRun)
		if len(w.entries) != 2 || w.entries[1].State != run.Failed {
			t.Errorf("%s: the journal has %+v", name, w.entries)
		}
	}
}

// TestNobodyMakes: what has no executor is refused before anything is done.
func TestNobodyMakes(t *testing.T) {
	w := &world{}
	if _, err := w.applyWith(t, nil, making()); err == nil || len(w.log) != 0 {
		t.Errorf("%v, %v", err, w.log)
	}
}

// TestNobodysWordStandsForAFile: a person says that it is done, and the file is not there.
func TestNobodysWordStandsForAFile(t *testing.T) {
	w := &world{}
	a := plan.Action{
		Key: "submit", Step: "certificate", Effect: plan.ByHand, Object: "certificate", Name: "x",
		Ops: []plan.Op{{ID: "manual", Kind: plan.KindManual, Manual: &plan.Manual{Where: "CA", Awaits: "/x.p7b"}}},
	}
	r, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{a}}, run.Options{Sender: w, Clock: w, Store: w, Sink: w, ManualDone: map[string]bool{"certificate": true}})
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r, steps.Waiting)
	wantError(t, r.Actions[0].Err, problem.Failed, "/x.p7b", "npsetup resume --yes")
	wantLog(t, w, "journal asked submit/")
}
