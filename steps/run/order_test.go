package run_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// watcher is a Sender that knows what each action needs.
type watcher struct {
	world
	needs  map[string][]string
	stops  map[string]error
	wmu    sync.Mutex
	done   map[string]bool
	faults []string
	flying int
	peak   int
}

func (w *watcher) Send(ctx context.Context, op plan.Op, known plan.Resolver) (plan.Answer, error) {
	key := op.Call.Operation
	w.wmu.Lock()
	for _, n := range w.needs[key] {
		if !w.done[n] {
			w.faults = append(w.faults, key+" began before "+n+" was done")
		}
	}
	w.flying++
	w.peak = max(w.peak, w.flying)
	w.wmu.Unlock()
	a, err := w.world.Send(ctx, op, known)
	if err == nil {
		err = w.stops[key]
	}
	w.wmu.Lock()
	w.flying--
	w.done[key] = err == nil
	w.wmu.Unlock()
	return a, err
}

// drawn is a random plan with what should become of each action when nothing ends the run.
func drawn(t *rapid.T, w *watcher) (actions []plan.Action, want map[string]steps.Outcome, ends bool) {
	want = map[string]steps.Outcome{}
	for i := range rapid.IntRange(1, 9).Draw(t, "actions") {
		var after []string
		for j := range i {
			if rapid.IntRange(0, 3).Draw(t, "needs") == 0 {
				after = append(after, fmt.Sprintf("a%d", j))
			}
		}
		key := fmt.Sprintf("a%d", i)
		w.needs[key] = after
		a := create(key, after...)
		if len(after) > 0 && rapid.Bool().Draw(t, "by reference") { // the same need, said by a reference
			a.After = after[1:]
			a.Ops[0].Call.Body = plan.Object{{Name: "ref", Value: plan.Ref{Action: after[0], Output: "id"}}}
		}
		a.Ops[0].Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
		w.answer[key] = `{"id":"` + key + `-id"}`
		outcome := steps.Done
		switch rapid.IntRange(0, 9).Draw(t, "fate") {
		case 0:
			w.stops[key], outcome = of(problem.Failed), steps.Failed
		case 1:
			w.stops[key], outcome = of(rapid.SampledFrom([]problem.Kind{problem.NotFound, problem.Unreachable, problem.Usage}).Draw(t, "kind")), steps.Failed
		case 2:
			a.Twin = &plan.Manual{}
			w.stops[key], outcome = of(problem.NotOffered), steps.Waiting
		case 3:
			a = byHand(key, after...)
			outcome = steps.Waiting
		case 4:
			k := rapid.SampledFrom([]problem.Kind{problem.Refused, problem.Stale, problem.GateClosed, problem.SignInAgain, problem.Cancelled}).Draw(t, "end")
			w.stops[key], outcome, ends = of(k), steps.Failed, true
		}
		a.Step = fmt.Sprintf("s%d", i/2)
		actions, want[key] = append(actions, a), expected(outcome, after, want)
	}
	return actions, want, ends
}

func expected(own steps.Outcome, after []string, want map[string]steps.Outcome) steps.Outcome {
	for _, n := range after {
		if want[n] == steps.Failed || want[n] == steps.NotRun {
			return steps.NotRun
		}
	}
	for _, n := range after {
		if want[n] == steps.Waiting {
			return steps.Waiting
		}
	}
	return own
}

// TestOrderIsRespected draws plans and fates.
func TestOrderIsRespected(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &watcher{needs: map[string][]string{}, stops: map[string]error{}, done: map[string]bool{}}
		w.answer = map[string]string{}
		actions, want, ends := drawn(t, w)
		o := w.options()
		o.Sender, o.Parallel = w, rapid.IntRange(1, 4).Draw(t, "parallel")
		result, err := run.Apply(context.Background(), plan.Plan{Actions: actions}, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(w.faults) > 0 {
			t.Fatal(w.faults)
		}
		if w.peak > o.Parallel {
			t.Fatalf("%d ran side by side, %d may", w.peak, o.Parallel)
		}
		for i, a := range result.Actions {
			if a.Key != actions[i].Key || a.Step != actions[i].Step {
				t.Fatalf("result %d is of %s", i, a.Key)
			}
			if a.Outcome != want[a.Key] && (!ends || a.Outcome != steps.NotRun) {
				t.Fatalf("%s: %v, want %v: %v", a.Key, a.Outcome, want[a.Key], a.Err)
			}
			if (a.Outcome == steps.Failed || a.Outcome == steps.NotRun) != (a.Err != nil) && a.Outcome != steps.Waiting {
				t.Fatalf("%s: %v with the error %v", a.Key, a.Outcome, a.Err)
			}
		}
		if sent := w.sent(); len(slices.Compact(slices.Sorted(slices.Values(sent)))) != len(sent) {
			t.Fatalf("sent twice: %v", sent)
		}
		eventsInOrder(t, w.events, actions)
	})
}

// eventsInOrder holds that a step starts before its actions and ends after them, and the run after all.
func eventsInOrder(t *rapid.T, events []run.Event, actions []plan.Action) {
	started, ended, over := map[string]int{}, map[string]int{}, map[string]int{}
	for i, e := range events {
		if e.Time.IsZero() {
			t.Fatalf("event %d has no time", i)
		}
		switch e.Name {
		case run.StepStarted:
			started[e.Step]++
		case run.StepDone:
			ended[e.Step]++
			for _, a := range actions {
				if a.Step == e.Step && over[a.Key] != 1 {
					t.Fatalf("the step %s ended before %s", e.Step, a.Key)
				}
			}
		case run.ActionDone:
			over[e.Action]++
			fallthrough
		case run.OpSent, run.OpDone, run.WaitingFor:
			if started[e.Step] != 1 || ended[e.Step] != 0 {
				t.Fatalf("%s of %s outside of its step", e.Name, e.Action)
			}
		case run.RunDone:
			if i != len(events)-1 {
				t.Fatal("the run ended in the middle")
			}
		default:
			t.Fatalf("event %q", e.Name)
		}
	}
	for _, a := range actions {
		if over[a.Key] != 1 || ended[a.Step] != 1 {
			t.Fatalf("%s is told %d times, the end of %s %d times", a.Key, over[a.Key], a.Step, ended[a.Step])
		}
	}
	if events[len(events)-1].Name != run.RunDone {
		t.Fatal("the end of the run is not told")
	}
}

// TestActionsRunSideBySide blocks each call until as many have come as may run at a time.
func TestActionsRunSideBySide(t *testing.T) {
	for _, c := range []struct{ parallel, want int }{{1, 1}, {3, 3}, {0, 4}} {
		came, open := make(chan struct{}, 12), make(chan struct{})
		w := &watcher{needs: map[string][]string{}, done: map[string]bool{}}
		w.sending = func(context.Context, plan.Op) error {
			came <- struct{}{}
			<-open
			return nil
		}
		var actions []plan.Action
		for i := range 12 {
			actions = append(actions, create(fmt.Sprintf("a%d", i)))
		}
		o := w.options()
		o.Sender, o.Parallel = w, c.parallel
		ended := make(chan run.Result, 1)
		go func() {
			r, _ := run.Apply(context.Background(), plan.Plan{Actions: actions}, o)
			ended <- r
		}()
		for i := range c.want {
			select {
			case <-came:
			case <-time.After(10 * time.Second):
				t.Fatalf("parallel %d: only %d run side by side", c.parallel, i)
			}
		}
		close(open)
		if r := <-ended; r.Outcome() != steps.Done || w.peak != c.want {
			t.Errorf("parallel %d: %d ran side by side; %v", c.parallel, w.peak, r.Outcome())
		}
	}
}

func TestIndependentActionsGoOn(t *testing.T) {
	w := &world{fail: map[string]error{"b": of(problem.Failed)}}
	r := w.apply(t, create("a"), create("b"), create("c", "b"), create("d", "a"), create("e", "c", "d"))
	wantOutcomes(t, r, steps.Done, steps.Failed, steps.NotRun, steps.Done, steps.NotRun)
	if got := strings.Join(w.sent(), " "); got != "a b d" {
		t.Errorf("sent %s", got)
	}
	for i, must := range map[int]string{2: "it needs b, which was not done", 4: "it needs c, which was not done"} {
		if err := r.Actions[i].Err; err == nil || !strings.Contains(err.Error(), must) {
			t.Errorf("%s: %v", r.Actions[i].Key, err)
		}
	}
	if r.Outcome() != steps.Failed || *r.ByStep["d"] != steps.Done || *r.ByStep["c"] != steps.NotRun {
		t.Errorf("%v %v", r.Outcome(), r.ByStep)
	}
}

func TestWhatEndsARun(t *testing.T) {
	for k, ends := range map[problem.Kind]bool{
		problem.Refused: true, problem.SignInAgain: true, problem.Cancelled: true, problem.GateClosed: true, problem.Stale: true,
		problem.Failed: false, problem.Usage: false, problem.NotOffered: false, problem.NotFound: false, problem.AnswerLost: false, problem.Unreachable: false,
	} {
		w := &world{fail: map[string]error{"a": of(k)}}
		r := w.apply(t, create("a"), create("b"), byHand("c"))
		if ends {
			wantOutcomes(t, r, steps.Failed, steps.NotRun, steps.NotRun)
		} else {
			wantOutcomes(t, r, steps.Failed, steps.Done, steps.Waiting)
		}
		if got := problem.KindOf(r.Actions[0].Err); got != k {
			t.Errorf("kind %d becomes %d", k, got)
		}
		if sentB := slices.Contains(w.sent(), "b"); sentB == ends {
			t.Errorf("kind %d: b was sent: %v", k, sentB)
		}
	}
}

func TestCancelBeforeAnything(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w := &world{}
	r, err := run.Apply(ctx, plan.Plan{Actions: []plan.Action{create("a"), byHand("b"), create("c", "a")}}, w.options())
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r, steps.NotRun, steps.NotRun, steps.NotRun)
	wantLog(t, w)
}

func TestCancelBetweenTwoCalls(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	w := &world{sending: func(context.Context, plan.Op) error { cancel(); return nil }}
	a := create("a")
	a.Ops = append(a.Ops, op(plan.Change, post("a2")))
	r, err := run.Apply(ctx, plan.Plan{Actions: []plan.Action{a, create("b")}}, w.options())
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r, steps.Failed, steps.NotRun)
	wantError(t, r.Actions[0].Err, problem.Cancelled, "npsetup resume")
	// The change that was under way is concluded: it was carried out.
	wantLog(t, w, "journal sending a/a", "send a /api/v1/a", "journal done a/a")
}

func TestManualActionsWait(t *testing.T) {
	w := &world{}
	r := w.apply(t, byHand("a"), create("b", "a"), create("c"))
	wantOutcomes(t, r, steps.Waiting, steps.Waiting, steps.Done)
	if r.Actions[0].Err != nil || !strings.Contains(r.Actions[1].Err.Error(), "it waits for a: a person does that first") || r.Outcome() != steps.Waiting {
		t.Errorf("%v %v %v", r.Actions[0].Err, r.Actions[1].Err, r.Outcome())
	}
	if strings.Contains(w.logged(), "remember") {
		t.Error("a step that waits is remembered as done")
	}
}

func TestManualActionsAreDoneByWord(t *testing.T) {
	w := &world{}
	o := w.options()
	o.ManualDone = map[string]bool{"a": true, "c": false}
	r, err := run.Apply(context.Background(), plan.Plan{Actions: []plan.Action{byHand("a"), create("b", "a"), byHand("c")}}, o)
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r, steps.Done, steps.Done, steps.Waiting)
	wantLog(t, w, "journal asked a/", "remember a", "journal told a/", "journal sending b/b", "send b /api/v1/b", "journal done b/b", "journal asked c/")
	w = &world{store: errDisk}
	o = w.options()
	o.ManualDone = map[string]bool{"a": true}
	r, err = run.Apply(context.Background(), plan.Plan{Actions: []plan.Action{byHand("a"), create("b", "a")}}, o)
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r, steps.Failed, steps.NotRun) // a word that cannot be remembered would be asked for again
}

// TestAnUndoForgetsAWordFirst: a kill may cost a question, and never leaves a word for what is gone.
func TestAnUndoForgetsAWordFirst(t *testing.T) {
	w := &world{}
	o := w.options()
	o.Words, o.ManualDone = map[string][]string{"undo/a": {"said"}, "undo/b": {"said too"}, "undo/c": {"kept"}}, map[string]bool{"undo/b": true}
	r, err := run.Apply(context.Background(), plan.Plan{Actions: []plan.Action{create("undo/a"), byHand("undo/b"), byHand("undo/c")}}, o)
	if err != nil {
		t.Fatal(err)
	}
	wantOutcomes(t, r, steps.Done, steps.Done, steps.Waiting)
	wantLog(t, w, "unsaid said", "journal sending undo/a/undo/a", "send undo/a /api/v1/undo/a", "journal done undo/a/undo/a", "unsaid said too", "journal told undo/b/")
	w = &world{store: errDisk}
	o = w.options()
	o.Words = map[string][]string{"undo/a": {"said"}}
	r, err = run.Apply(context.Background(), plan.Plan{Actions: []plan.Action{create("undo/a")}}, o)
	if wantOutcomes(t, r, steps.Failed); err != nil || w.logged() != "unsaid said" {
		t.Errorf("%v\n%s", err, w.logged())
	}
}

func TestAdoptedActionsAreNoted(t *testing.T) {
	w := &world{}
	r := w.apply(t, plan.Action{Key: "a", Step: "a", Effect: plan.Adopt, Object: "thing", Name: "n"}, create("b", "a"))
	wantOutcomes(t, r, steps.Adopted, steps.Done)
	if len(w.made) != 2 || w.made[0] != (run.Made{Kind: "thing", Name: "n", Effect: "adopt", Action: "a"}) {
		t.Errorf("%+v", w.made)
	}
}

func TestAStepIsAsGoodAsItsWorstAction(t *testing.T) {
	one := func(key string) plan.Action { a := create(key); a.Step = "s"; return a }
	hand := byHand("h")
	hand.Step = "s"
	adopted := plan.Action{Key: "o", Step: "s", Effect: plan.Adopt}
	after := one("n")
	after.After = []string{"f"}
	for _, c := range []struct {
		actions []plan.Action
		want    steps.Outcome
	}{
		{[]plan.Action{adopted}, steps.Adopted},
		{[]plan.Action{adopted, one("a")}, steps.Done},
		{[]plan.Action{one("a"), hand, adopted}, steps.Waiting},
		{[]plan.Action{one("f"), after, hand, adopted}, steps.Failed},
	} {
		w := &world{fail: map[string]error{"f": of(problem.Failed)}}
		r := w.apply(t, c.actions...)
		if *r.ByStep["s"] != c.want || r.Outcome() != c.want || len(r.ByStep) != 1 {
			t.Errorf("%v, want %v", *r.ByStep["s"], c.want)
		}
		if last := w.events[len(w.events)-2]; last.Name != run.StepDone || last.Outcome != c.want.String() {
			t.Errorf("%+v", last)
		}
	}
	if got := (run.Result{}).Outcome(); got != steps.Unchanged {
		t.Error(got)
	}
}
