package run_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func accountRow() plan.Lookup {
	return plan.Lookup{Call: get("accounts"), Member: "id", Value: "u"}
}

// rotating is a change that is not repeatable, and spared when its row says that it is under way or done.
func rotating() plan.Action {
	a := create("rotate")
	a.Ops[0].Repeat = plan.Never
	a.Ops[0].Spare = &plan.Spare{Row: accountRow(), Signs: []plan.Sign{{Member: "status", Values: []string{"2", "Pending"}}, {Member: "changed", Values: []string{""}, Not: true}}}
	return a
}

func waiting() plan.Action {
	a := plan.Action{Key: "wait", Step: "wait", Effect: plan.Update, Object: "thing", Name: "the thing", Ops: []plan.Op{op(plan.Read, get("accounts"))}}
	a.Ops[0].Outputs = []plan.Output{{Name: "id", Pointer: "/credentialId"}}
	a.Ops[0].Await = &plan.Await{
		Row: accountRow(), Until: []plan.Sign{{Member: "status", Values: []string{"1", "Verified"}}}, Failed: []plan.Fail{{Sign: plan.Sign{Member: "status", Values: []string{"4", "Failed"}}}},
		Within: 10 * time.Minute, What: "the password is verified", Why: "NPS could not write it", Next: []string{"mend the rights"},
	}
	return a
}

// TestAChangeIsSpared sends nothing when what it would bring about is there or under way, and sends it once otherwise.
func TestAChangeIsSpared(t *testing.T) {
	for row, sent := range map[string]int{
		`{"id":"u","status":2}`: 0, `{"id":"u","status":"pending"}`: 0, `{"id":"u","status":0,"changed":"2026-01-01"}`: 0,
		`{"id":"u","status":0}`: 1, `{"id":"u","status":0,"changed":null}`: 1, `{"id":"other","status":2}`: 1,
	} {
		w := &world{rows: map[string][]string{"accounts": {row}}}
		wantOutcomes(t, w.apply(t, rotating()), steps.Done)
		if n := len(w.sent()); n != sent {
			t.Errorf("%s: sent %d times", row, n)
		}
	}
	w := &world{fail: map[string]error{"accounts": of(problem.Unreachable)}}
	wantOutcomes(t, w.apply(t, rotating()), steps.Failed)
	if len(w.sent()) != 0 {
		t.Error("it was sent blindly")
	}
}

// TestALostChangeIsLookedUpByItsSpare never sends it again.
func TestALostChangeIsLookedUpByItsSpare(t *testing.T) {
	w := &world{rows: map[string][]string{"accounts": {`{"id":"u","status":0}`}}}
	w.sending = func(context.Context, plan.Op) error {
		w.rows["accounts"] = []string{`{"id":"u","status":2}`}
		return of(problem.AnswerLost)
	}
	wantOutcomes(t, w.apply(t, rotating()), steps.Done)
	if last := w.entries[len(w.entries)-1]; last.State != run.Carried {
		t.Errorf("the journal says %s", last.State)
	}

	w = &world{rows: map[string][]string{"accounts": {`{"id":"u","status":0}`}}, fail: map[string]error{"rotate": of(problem.AnswerLost)}}
	r := w.apply(t, rotating())
	wantOutcomes(t, r, steps.Failed)
	wantError(t, r.Actions[0].Err, problem.AnswerLost, "nothing of it is to be seen", "resume")
	if last := w.entries[len(w.entries)-1]; last.State != run.Lost || len(w.sent()) != 1 {
		t.Errorf("the journal says %s, sent %d times", last.State, len(w.sent()))
	}
}

// patient applies a waiting action; at each wait the row becomes the next one, and the last stays.
func patient(t *testing.T, ctx context.Context, w *world, rows ...string) (run.Result, time.Duration) {
	t.Helper()
	w.rows = map[string][]string{"accounts": {rows[0]}}
	o, waited := w.options(), time.Duration(0)
	o.Wait = func(ctx context.Context, d time.Duration) error {
		waited += d
		if rows = rows[1:]; len(rows) == 0 {
			rows = w.rows["accounts"]
		}
		w.rows["accounts"] = rows[:1]
		return ctx.Err()
	}
	r, err := run.Apply(ctx, plan.Plan{Actions: []plan.Action{waiting()}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r, waited
}

func TestAWait(t *testing.T) {
	pending, failed, verified := `{"id":"u","status":2}`, `{"id":"u","status":4}`, `{"id":"u","status":1,"credentialId":"c"}`
	w := &world{}
	r, _ := patient(t, t.Context(), w, pending, pending, verified)
	wantOutcomes(t, r, steps.Done)
	looks := 0
	for _, e := range w.events {
		if e.Name == run.OpDone {
			looks++
		}
	}
	if r.Actions[0].Outputs["id"] != "c" || looks != 3 || len(w.entries) != 0 || len(w.made) != 0 {
		t.Errorf("outputs %v, %d looks, %d journal entries", r.Actions[0].Outputs, looks, len(w.entries))
	}

	// A failure of before the change is none; one that comes, or stays, is.
	r, _ = patient(t, t.Context(), &world{}, failed, pending, verified)
	wantOutcomes(t, r, steps.Done)
	r, _ = patient(t, t.Context(), &world{}, pending, failed, verified)
	wantOutcomes(t, r, steps.Failed)
	wantError(t, r.Actions[0].Err, problem.Failed, "the password is verified", "NPS could not write it", "mend the rights")
	r, waited := patient(t, t.Context(), &world{}, failed)
	wantOutcomes(t, r, steps.Failed)
	if waited < 30*time.Second || waited > time.Minute {
		t.Errorf("a failure that stays was looked at for %s", waited)
	}

	r, waited = patient(t, t.Context(), &world{}, pending)
	wantError(t, r.Actions[0].Err, problem.Failed, "within 10m0s", "resume")
	if waited < 10*time.Minute || waited > 11*time.Minute {
		t.Errorf("it waited for %s", waited)
	}
	r, _ = patient(t, t.Context(), &world{}, `{"id":"u","status":1}`)
	wantError(t, r.Actions[0].Err, problem.Failed, "lacks a member")
}

// TestAWaitCanBeCancelled ends at once, and says that NPS goes on.
func TestAWaitCanBeCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	w := &world{rows: map[string][]string{"accounts": {`{"id":"u","status":2}`}}}
	o, waits := w.options(), 0
	o.Wait = func(context.Context, time.Duration) error {
		waits++
		cancel()
		return context.Canceled
	}
	r, err := run.Apply(ctx, plan.Plan{Actions: []plan.Action{waiting()}}, o)
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, r.Actions[0].Err, problem.Cancelled, "NPS goes on with it", "resume")
	if waits != 1 {
		t.Errorf("it waited %d times", waits)
	}
	w = &world{fail: map[string]error{"accounts": errors.New("no")}}
	wantOutcomes(t, w.apply(t, waiting()), steps.Failed)
}

// TestWhatAChangeIsSparedByMakesItsOrder waits for the id that the look needs.
func TestWhatAChangeIsSparedByMakesItsOrder(t *testing.T) {
	a := rotating()
	a.Ops[0].Spare.Row.Call.Params = []plan.Param{{Name: "id", Value: plan.Ref{Action: "first", Output: "id"}}}
	if !slices.Contains(a.Needs(), "first") {
		t.Errorf("it needs %s", strings.Join(a.Needs(), ", "))
	}
}
