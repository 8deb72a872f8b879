package line

import (
	"context"
	"slices"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// undoes is a set-up that can be taken back, with what each run of that comes to.
func undoes(outcomes ...steps.Outcome) *work {
	w := &work{undo: true, plans: []func(context.Context) (plan.Plan, error){makes("a", "hand b"), makes()}}
	for _, o := range outcomes {
		w.runs = append(w.runs, func(context.Context) (run.Report, run.Result, error) {
			r := run.Result{Actions: []run.ActionResult{{Key: "a", Step: "a", Outcome: o}}}
			return run.ReportOfUndo(plan.Plan{Actions: []plan.Action{{Object: "thing", Name: "a"}}}, r), r, nil
		})
	}
	return w
}

// TestTakingBackLineByLine goes back from each question, says what becomes of others' changes, and comes to the end.
func TestTakingBackLineByLine(t *testing.T) {
	w := undoes(steps.Done)
	w.others = []string{"profile p: size was 7, this run made it 60, and somebody else 9"}
	w.plans = []func(context.Context) (plan.Plan, error){makes("a"), makes("a"), makes()}
	r := w.play(t, "2\n?\n<\n2\n2\n<\n2\n1\ncalls\nyes\n")
	r.says(4, "What becomes of that, 1 to 2 [1]: ") // once more behind the help
	r.says(1, "Theirs stays, and the rest is taken back")
	r.says(3, "or < to go back: ")
	r.says(1, "Nothing of this run is left to take back; it is closed.")
	r.says(0, "Write the answers file")
	want := []face.Changed{face.AskFirst, face.AskFirst, face.WriteOver, face.AskFirst, face.KeepTheirs, face.KeepTheirs, face.KeepTheirs}
	if r.err != nil || w.ran != 1 || !slices.Equal(w.changed, want) || len(w.saved) != 0 || r.end.Report == nil {
		t.Errorf("%v, %d runs, %v, %d savings\n%s", r.err, w.ran, w.changed, len(w.saved), r.out)
	}
}

// TestAFailedTakingBackGoesOn looks again, or is left.
func TestAFailedTakingBackGoesOn(t *testing.T) {
	w := undoes(steps.Failed, steps.Done)
	r := w.play(t, "2\nyes\n?\n1\n")
	r.says(2, "2) Leave; npsetup undo continues") // once more behind the help
	r.says(0, "Do the manual steps first")        // there are none
	r.says(0, "Change an answer")
	r.says(1, "What was taken back stays so")
	if w.ran != 2 || r.err != nil {
		t.Errorf("%d runs, %v\n%s", w.ran, r.err, r.out)
	}
	r = undoes(steps.Failed).play(t, "2\nyes\nq\n")
	r.says(1, "Not everything was taken back (left: 1).")
	if r.err != nil || r.end.Report == nil {
		t.Errorf("%v\n%s", r.err, r.out)
	}
}

// TestWhatCannotBeLookedAtLeadsBack to what can be chosen; the end of input and q end it.
func TestWhatCannotBeLookedAtLeadsBack(t *testing.T) {
	w := undoes()
	w.plans = []func(context.Context) (plan.Plan, error){noPlan, makes("a")}
	r := w.play(t, "2\n2\nq\n")
	r.says(1, "Nothing was taken back.")
	r.says(1, "Problem: no answer came")
	if w.ran != 0 || !problem.Is(r.err, problem.Cancelled) || !r.end.Cancelled {
		t.Errorf("%d runs, %v\n%s", w.ran, r.err, r.out)
	}
	w = undoes()
	w.others = []string{"x"}
	if r := w.play(t, "2\nq\n"); w.ran != 0 || !r.end.Cancelled || len(w.saved) != 0 {
		t.Errorf("%d runs, %+v\n%s", w.ran, r.end, r.out)
	}
}

// TestWhatOnlyAPersonTakesBack is said, and asked for again while it is there.
func TestWhatOnlyAPersonTakesBack(t *testing.T) {
	w := undoes(steps.Waiting, steps.Waiting, steps.Done)
	hand := makes("hand b")
	w.plans = []func(context.Context) (plan.Plan, error){makes("a", "hand b"), hand, hand, hand, hand, makes()}
	r := w.play(t, "2\nyes\nyes\nyes\n")
	r.says(1, "The server still shows it as it was: it is looked at again.")
	r.says(1, "Nothing of this run is left to take back")
	if w.ran != 3 || r.err != nil || !slices.Equal(w.done, []string{"hand b"}) {
		t.Errorf("%d runs, %q, %v\n%s", w.ran, w.done, r.err, r.out)
	}
}

// TestASetUpBeginsAnew: nothing of a taking back that was left before goes with it, neither what was said to be done nor how it ended.
func TestASetUpBeginsAnew(t *testing.T) {
	w := undoes(steps.Waiting, steps.Done)
	w.plans = []func(context.Context) (plan.Plan, error){makes("a", "hand b"), makes("hand b"), makes("a", "hand b"), noPlan, makes("a", "hand b"), makes()}
	r := w.play(t, "2\nyes\nyes\n<\n1\nx\n<\nx\nyes\n\n")
	if w.ran != 2 || len(w.done) != 0 || r.err != nil || r.end.Err != nil {
		t.Errorf("%d runs, with %q done, %v, %v\n%s", w.ran, w.done, r.err, r.end.Err, r.out)
	}
}

// TestWhatCouldNotBeTakenBackIsTold at the end, although the plans behind the one that told it no longer have it.
func TestWhatCouldNotBeTakenBackIsTold(t *testing.T) {
	w := undoes(steps.Waiting, steps.Done)
	first, _ := makes("a", "hand b")(t.Context())
	first.Warnings = []string{"not taken back: a former password"}
	w.plans = []func(context.Context) (plan.Plan, error){func(context.Context) (plan.Plan, error) { return first, nil }, makes("hand b"), makes("hand b"), makes()}
	r := w.play(t, "2\nyes\nyes\n")
	_, end, _ := strings.Cut(r.out, "Done? yes")
	if n := strings.Count(end, "not taken back: a former password"); n != 1 {
		t.Errorf("told %d times:\n%s", n, r.out)
	}
}

// TestManualStepsOfAFailedTakingBackCanComeFirst: what failed need not keep a person from the rest.
func TestManualStepsOfAFailedTakingBackCanComeFirst(t *testing.T) {
	w := undoes(steps.Failed)
	w.runs = append(w.runs[:0], func(context.Context) (run.Report, run.Result, error) {
		r := run.Result{Actions: []run.ActionResult{{Key: "a", Step: "a", Outcome: steps.Failed}, {Key: "hand b", Step: "hand b", Outcome: steps.Waiting}}}
		return run.ReportOfUndo(plan.Plan{Actions: []plan.Action{{Object: "thing", Name: "a"}, {Object: "thing", Name: "hand b"}}}, r), r, nil
	})
	w.plans = []func(context.Context) (plan.Plan, error){makes("a", "hand b")}
	r := w.play(t, "2\nyes\n2\nlater\n")
	r.says(1, "2) Do the manual steps first")
	r.says(1, "Done? yes, later: ")
	if w.ran != 1 || r.err != nil {
		t.Errorf("%d runs, %v\n%s", w.ran, r.err, r.out)
	}
}

// TestLeavingATakingBackKeepsNoAnswers, and does not say that it does.
func TestLeavingATakingBackKeepsNoAnswers(t *testing.T) {
	r := undoes().play(t, "2\nq\n")
	if r.end.Kept || !r.end.Cancelled || r.err == nil || strings.Contains(problem.All(r.err)[0].Why, "kept") {
		t.Errorf("%+v, %v\n%s", r.end, r.err, r.out)
	}
	w := undoes(steps.Waiting)
	w.plans = []func(context.Context) (plan.Plan, error){makes("a", "hand b"), noPlan}
	r = w.play(t, "2\nyes\n1\nq\n")
	r.says(1, "Nothing more was taken back.")
	if r = (&work{}).play(t, "1\nq\n"); !r.end.Kept {
		t.Errorf("%+v", r.end)
	}
}
