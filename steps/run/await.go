package run

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// settles is how long a bad sign must stay before it counts: it may be of before what is awaited.
const settles = 30 * time.Second

// await looks again and again until a row shows what is awaited, and takes the operation's outputs from it.
func (r *runner) await(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	w := op.Await
	began, paused, other := r.Clock.Now(), time.Duration(0), false
	for pause := 250 * time.Millisecond; ; pause = min(pause*2, 10*time.Second) {
		row, found, err := r.lookAt(ctx, a, op, max(paused, r.Clock.Now().Sub(began)))
		if err != nil {
			return nil, err
		}
		if found && all(w.Until, row) {
			outputs, told := extract(row, op.Outputs)
			if !told {
				return nil, problem.New("what is awaited lacks a member that later calls need: " + problem.Plain(w.What)).Try("npsetup resume --yes looks again")
			}
			return outputs, nil
		}
		waited := max(paused, r.Clock.Now().Sub(began))
		at := slices.IndexFunc(w.Failed, func(f plan.Fail) bool { return found && f.ShownBy(row) })
		switch bad := at >= 0; {
		case bad && (other || waited >= settles || r.Wait == nil):
			return nil, problem.New("it did not come to this: " + problem.Plain(w.What)).Coded(w.Failed[at].Code).Because(problem.Plain(w.Why)).Try(w.Next...)
		case waited >= w.Within, r.Wait == nil:
			return nil, problem.New("it has not come to this within " + w.Within.String() + ": " + problem.Plain(w.What)).Coded(w.Code).Because("NPS works on it behind its answers, and has not said that it is done").
				Try(append(slices.Clone(w.Next), "npsetup resume --yes looks again, and waits on")...)
		case !bad:
			other = true
		}
		paused += pause
		if err := r.Wait(ctx, pause); err != nil {
			return nil, problem.New("stopped while waiting for this: " + problem.Plain(w.What)).Because("the run was cancelled; NPS goes on with it").
				Try("npsetup resume --yes looks what became of it, and goes on").Of(problem.Cancelled).From(err)
		}
	}
}

func all(signs []plan.Sign, row json.RawMessage) bool {
	return !slices.ContainsFunc(signs, func(s plan.Sign) bool { return !s.ShownBy(row) })
}

// lookAt reads the awaited row once, and tells of it: that is the progress of a wait.
func (r *runner) lookAt(ctx context.Context, a plan.Action, op plan.Op, waited time.Duration) (json.RawMessage, bool, error) {
	shown := op.Call.Redacted(r.resolve)
	e := eventOf(a)
	e.Name, e.Op = OpSent, &OpInfo{Kind: op.Kind.String(), Class: op.Class.String(), Method: shown.Method, Path: shown.Path, Awaits: op.Await.What, Waited: waited.Milliseconds()}
	r.emit(e)
	began := r.Clock.Now()
	row, found, err := r.lookup(ctx, op.Await.Row)
	if or := op.Await.Or; or != nil && !found && err == nil {
		row, found, err = r.lookup(ctx, *or)
	}
	done := *e.Op
	done.MS = r.Clock.Now().Sub(began).Milliseconds()
	e.Name, e.Op, e.Error = OpDone, &done, errorInfo(err)
	r.emit(e)
	return row, found, err
}

// spared says whether what a change would bring about is there already, or under way.
func (r *runner) spared(ctx context.Context, s plan.Spare) (bool, error) {
	row, found, err := r.lookup(ctx, s.Row)
	return found && slices.ContainsFunc(s.Signs, func(sign plan.Sign) bool { return sign.ShownBy(row) }), err
}

// carriedOut finds out by a spare's look whether a change whose answer was lost was carried out all the same.
func (r *runner) carriedOut(ctx context.Context, op plan.Op, lost error) error {
	for pause := time.Second; ; pause *= 2 {
		done, err := r.spared(ctx, *op.Spare)
		switch {
		case err != nil:
			return err
		case done:
			return nil
		case r.Wait == nil || pause > 4*time.Second:
			return unsettled(op, lost, "nothing of it is to be seen: it was not carried out, or is still under way").Try("npsetup resume --yes looks again before it sends anything")
		}
		if err := r.Wait(ctx, pause); err != nil {
			return err
		}
	}
}
