package line

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// work is a set-up with one question, whose plans and runs a test gives in turn. The last one is given again.
type work struct {
	fields  []steps.Field
	drafts  map[string]string
	plans   []func(ctx context.Context) (plan.Plan, error)
	runs    []func(ctx context.Context) (run.Report, run.Result, error)
	choices context.Context // with which the choices were asked for

	planned, ran int
	m            steps.Machine // the last one that was planned for
	done         []string      // what was said to be done by hand, at the last run
	wrote        []string
	said         []string // steps that were noted down as done, or as not
	sayErr       error
	undo         bool                // there is something to take back
	others       []string            // what somebody else has changed since
	changed      []face.Changed      // what was to become of it
	saved        []map[string]string // the drafts of each saving
	kept         string
}

func (w *work) Offers() ([]face.Offer, error) {
	if w.undo {
		return []face.Offer{{Title: "Set up"}, {Title: "Take back what was set up", Undo: true}}, nil
	}
	return []face.Offer{{Title: "Set up"}}, nil
}

func (w *work) Begin(face.Offer) (steps.Machine, error) {
	return steps.NewMachine(steps.Guide{ID: "g", Steps: []steps.Step{{ID: "s", Title: "A part", Fields: w.fields}}}, w.drafts, ""), nil
}

func (w *work) Look(context.Context, steps.Machine, string) steps.Seen { return steps.Seen{} }

func (w *work) Choices(ctx context.Context, _ steps.Machine, _ steps.Field) ([]steps.Option, error) {
	w.choices = ctx
	return nil, nil
}

func (w *work) Keep(_ string, s secret.Secret) { w.kept = s.Wire() }
func (w *work) Holds(string) bool              { return false }

func (w *work) Fetch(context.Context, steps.Machine, plan.Labeled) (secret.Secret, error) {
	return secret.Secret{}, nil
}

func (w *work) Plan(ctx context.Context, m steps.Machine, _ []string) (plan.Plan, error) {
	w.m = m
	w.planned++
	return w.plans[min(w.planned, len(w.plans))-1](ctx)
}

func (w *work) Apply(ctx context.Context, _ steps.Machine, _ plan.Plan, done []string, _ run.Sink) (run.Report, run.Result, error) {
	w.done = slices.Clone(done)
	w.ran++
	return w.runs[min(w.ran, len(w.runs))-1](ctx)
}

func (w *work) Unmake(ctx context.Context, m steps.Machine, c face.Changed) (plan.Plan, []string, error) {
	if w.changed = append(w.changed, c); len(w.others) > 0 && c == face.AskFirst {
		return plan.Plan{}, w.others, nil
	}
	p, err := w.Plan(ctx, m, nil)
	return p, nil, err
}

func (w *work) TakeBack(ctx context.Context, m steps.Machine, p plan.Plan, c face.Changed, done []string, sink run.Sink) (run.Report, run.Result, error) {
	w.changed = append(w.changed, c)
	return w.Apply(ctx, m, p, done, sink)
}

func (w *work) Say(_ steps.Machine, _ plan.Plan, done []string) error {
	if w.sayErr == nil {
		w.said = append(w.said, done...)
	}
	return w.sayErr
}

func (w *work) Unsay(_ steps.Machine, step string) error {
	if w.sayErr == nil {
		w.said = append(w.said, "not "+step)
	}
	return w.sayErr
}

func (w *work) Verify(context.Context, steps.Machine) (run.Report, error) { return run.Report{}, nil }

func (w *work) Save(m steps.Machine) error {
	w.saved = append(w.saved, m.Drafts())
	return nil
}

func (w *work) Place() string { return "" }

func (w *work) WriteAnswers(_ steps.Machine, path string) error {
	w.wrote = append(w.wrote, path)
	return nil
}

var _ face.Work = (*work)(nil)

// makes is a plan with these actions: one that begins with a hand is for a person.
func makes(names ...string) func(context.Context) (plan.Plan, error) {
	p := plan.Plan{}
	for _, n := range names {
		a := plan.Action{Key: n, Step: n, Object: "thing", Name: n, Effect: plan.Create, Ops: []plan.Op{{Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Method: "POST", Path: "/" + n}}}}
		if strings.HasPrefix(n, "hand") {
			a.Effect, a.Ops = plan.ByHand, []plan.Op{{Kind: plan.KindManual, Class: plan.Change, Manual: &plan.Manual{Where: "in Auditor"}}}
		}
		p.Actions = append(p.Actions, a)
	}
	return func(context.Context) (plan.Plan, error) { return p, nil }
}

func noPlan(context.Context) (plan.Plan, error) { return plan.Plan{}, errors.New("no answer came") }

func complete(context.Context) (run.Report, run.Result, error) {
	return run.ReportOf([]steps.StepProof{{Step: steps.Step{ID: "s"}, Proof: steps.Proof{State: steps.Proven, Text: "it is there"}}}, run.Result{}), run.Result{}, nil
}

func noRun(context.Context) (run.Report, run.Result, error) {
	return run.Report{}, run.Result{}, errors.New("the run could not begin")
}

// told is what a line mode printed and how it ended.
type told struct {
	*testing.T
	out string
	end face.Ending
	err error
}

// play types lines. met is called with the line mode before it begins.
func (w *work) play(t *testing.T, typed string, met ...func(*Line)) told {
	t.Helper()
	if w.fields == nil {
		w.fields = []steps.Field{{Key: "name", Prompt: "Name"}}
	}
	var out bytes.Buffer
	l := New(Options{Work: w, In: strings.NewReader(typed), Out: &out, Reveal: &out})
	for _, m := range met {
		m(l)
	}
	r := told{T: t}
	r.end, r.err = l.Run(t.Context())
	r.out = out.String()
	return r
}

func (r told) says(want int, text string) {
	r.Helper()
	if n := strings.Count(r.out, text); n != want {
		r.Errorf("%q is said %d times, want %d:\n%s", text, n, want, r.out)
	}
}

func TestAFailedRunIsNotCalledComplete(t *testing.T) {
	for _, leave := range []string{"4", "q"} {
		w := &work{plans: []func(context.Context) (plan.Plan, error){makes("a")}, runs: []func(context.Context) (run.Report, run.Result, error){noRun}}
		r := w.play(t, "1\nx\nyes\n?\n<\n\nyes\n"+leave+"\n")
		r.says(0, "The set-up is complete.")
		r.says(1, "The set-up is not complete")
		r.says(1, "is not sent again") // what ? explains
		r.says(1, "Name: ")
		r.says(1, "Name [x]: ") // to where < leads
		if w.ran != 2 || r.err != nil || r.end.Err == nil || r.end.Report != nil {
			t.Errorf("%d runs, %v, %+v", w.ran, r.err, r.end)
		}
	}
}

func TestAFailedStepCanBeLeftOutOnlyWhenThereIsOne(t *testing.T) {
	failing := func(context.Context) (run.Report, run.Result, error) {
		result := run.Result{Actions: []run.ActionResult{{Key: "a", Step: "a", Outcome: steps.Failed, Err: problem.New("it broke")}}}
		return run.Report{}, result, errors.New("it was not read back")
	}
	w := &work{plans: []func(context.Context) (plan.Plan, error){makes("a")}, runs: []func(context.Context) (run.Report, run.Result, error){failing, noRun}}
	r := w.play(t, "1\nx\nyes\n3\nyes\n4\n")
	r.says(1, "3) Leave the failed step out")
	r.says(1, "4) Leave; npsetup resume continues")
	if w.ran != 2 || r.err != nil {
		t.Errorf("%d runs, %v\n%s", w.ran, r.err, r.out)
	}
}

func TestAFailedPlanBetweenPagesKeepsWhatWasDoneByHand(t *testing.T) {
	hands := makes("hand 1", "hand 2")
	w := &work{plans: []func(context.Context) (plan.Plan, error){makes("a", "hand 1", "hand 2"), hands, noPlan, hands}, runs: []func(context.Context) (run.Report, run.Result, error){complete}}
	r := w.play(t, "1\nx\nyes\nyes\n1\nlater\n\n")
	r.says(1, "Problem: no answer came")
	if !slices.Equal(w.done, []string{"hand 1"}) || !slices.Equal(w.said, w.done) || w.ran != 2 || r.err != nil || r.end.Err != nil {
		t.Errorf("done %q, %d runs, %v, %v\n%s", w.done, w.ran, r.err, r.end.Err, r.out)
	}

	w.planned, w.ran = 0, 0
	r = w.play(t, "1\nx\nyes\nyes\nq\n")
	if w.ran != 1 || r.err != nil || r.end.Err == nil {
		t.Errorf("%d runs, %v, %v\n%s", w.ran, r.err, r.end.Err, r.out)
	}
}

// TestANoToTheSignInLeadsBack says no while the plan is made, and while it is carried out.
func TestANoToTheSignInLeadsBack(t *testing.T) {
	var l *Line
	signIn := func(ctx context.Context) error {
		yes, err := l.Agree(ctx, "Sign in there?", nil)
		if err == nil && !yes {
			err = problem.New("stopped before the sign-in").Of(problem.Cancelled)
		}
		return err
	}
	asking := func(ctx context.Context) (plan.Plan, error) {
		p, _ := makes("a")(ctx)
		return p, signIn(ctx)
	}
	met := func(made *Line) { l = made }
	play := func(typed string, plans ...func(context.Context) (plan.Plan, error)) (*work, told) {
		w := &work{plans: plans, runs: []func(context.Context) (run.Report, run.Result, error){
			func(ctx context.Context) (run.Report, run.Result, error) {
				return run.Report{}, run.Result{}, signIn(ctx)
			}, complete,
		}}
		return w, w.play(t, typed, met)
	}

	w, r := play("1\nx\nno\n\nyes\nyes\nyes\nq\n", asking)
	r.says(2, "Name")
	if w.planned < 2 {
		t.Errorf("%d plans\n%s", w.planned, r.out)
	}
	w, r = play("1\nx\nyes\nno\n1\nyes\n\n", makes("a"), makes("a"), makes())
	r.says(1, "Problem: stopped before the sign-in")
	if w.ran != 2 || r.err != nil || r.end.Cancelled {
		t.Errorf("%d runs, %v\n%s", w.ran, r.err, r.out)
	}
	for _, end := range []string{"q\n", ""} { // these are no answers: it ends
		w, r = play("1\nx\n"+end, asking)
		if w.planned != 1 || !r.end.Cancelled {
			t.Errorf("%q: %d plans, %v", end, w.planned, r.err)
		}
	}
}

func TestCommandsAreNoNamesOfFiles(t *testing.T) {
	for typed, want := range map[string][]string{
		"\n": nil, "q\n": nil, "<\n": nil, "no\n": nil, "yes\n\n": nil, "?\nq\n": nil, "": nil,
		"yes\n?\na.yaml\n": {"a.yaml"}, "./yes\n": {"./yes"}, "a\u202eb.yaml\n": {"ab.yaml"},
	} {
		w := &work{plans: []func(context.Context) (plan.Plan, error){makes("a"), makes()}, runs: []func(context.Context) (run.Report, run.Result, error){complete}}
		r := w.play(t, "1\nx\nyes\n"+typed)
		if !slices.Equal(w.wrote, want) || r.err != nil || r.end.Cancelled {
			t.Errorf("%q wrote %q, want %q (%v)\n%s", typed, w.wrote, want, r.err, r.out)
		}
		r.says(strings.Count(typed, "yes\n")-strings.Count(typed, "./yes\n"), "Type the path of the file.")
		r.says(strings.Count(typed, "?"), "of secrets only where they come from")
	}
}

// TestChoicesEndWithTheRun asks for choices with the context of the run, which ctrl+c ends.
func TestChoicesEndWithTheRun(t *testing.T) {
	live := func(context.Context, *steps.Scene, string) ([]steps.Option, error) { return nil, nil }
	w := &work{fields: []steps.Field{{Key: "name", Prompt: "Name", LiveChoices: live}}}
	l := New(Options{Work: w, In: strings.NewReader("1\n?\n"), Out: &bytes.Buffer{}})
	ctx, stop := context.WithCancel(t.Context())
	_, _ = l.Run(ctx)
	stop()
	if w.choices == nil || w.choices.Err() == nil {
		t.Error("the choices would not have ended")
	}
}

func TestHiddenCharactersAreLeftOut(t *testing.T) {
	w := &work{
		fields: []steps.Field{
			{Key: "old", Prompt: "Old"},
			{Key: "name", Prompt: "Name", Complete: func(v string) (string, string) { return v, "completed to " + v }, Check: func(v string) error { return errors.New("it cannot be " + v) }},
			{Key: "password", Prompt: "Password", Kind: steps.SecretField},
		},
		drafts: map[string]string{"old": "o\u202eld\x1b[2J"},
	}
	r := w.play(t, "1\n\n a\u202eb\x1b[2J\tc \n")
	r.says(1, "Old [old[2J]: ")
	r.says(1, "hidden characters were left out")
	r.says(1, "it cannot be ab[2Jc")
	w.fields[1].Check = nil
	w.plans = []func(context.Context) (plan.Plan, error){noPlan}
	again := w.play(t, "1\n\na\u200bb\nS3CR\u200b3T\n")
	again.says(2, "hidden characters were left out")
	again.says(1, "completed to ab")
	if got := w.m.Drafts()["name"]; got != "ab" || w.kept != "S3CR3T" {
		t.Errorf("%q, %q", got, w.kept)
	}
	if strings.ContainsAny(r.out+again.out, "\u202e\u200b\x1b") {
		t.Errorf("%q", r.out+again.out)
	}
	plain := w.play(t, "1\n\n  plain text \nS3CR3T\n")
	plain.says(0, "hidden")
}

// TestALineWithoutItsEndIsNoAnswer ends the input behind a number that would be an answer.
func TestALineWithoutItsEndIsNoAnswer(t *testing.T) {
	r := (&work{}).play(t, "1")
	r.says(0, "Step 1 of")
	if !problem.Is(r.err, problem.Cancelled) {
		t.Errorf("it ended with %v", r.err)
	}
}

// TestEveryAnswerIsSavedAtOnce: what is asked next, an answer that was given is on the disk before.
func TestEveryAnswerIsSavedAtOnce(t *testing.T) {
	w := &work{fields: []steps.Field{{Key: "name", Prompt: "Name"}, {Key: "age", Prompt: "Age", Check: func(string) error { return errors.New("it is no age") }}}}
	w.play(t, "1\nx\nhalf\n-\n")
	var got []string
	for _, drafts := range w.saved {
		got = append(got, drafts["name"]+" "+drafts["age"])
	}
	if want := []string{"x ", "x half", "x ", "x "}; !slices.Equal(got, want) { // the last one at the end
		t.Errorf("saved were %q, want %q", got, want)
	}
}

// TestAWordIsNotedDownAtOnce, and the next page comes only then; what is taken back is noted down too.
func TestAWordIsNotedDownAtOnce(t *testing.T) {
	w := &work{plans: []func(context.Context) (plan.Plan, error){makes("a", "hand 1", "hand 2")}, runs: []func(context.Context) (run.Report, run.Result, error){complete}}
	r := w.play(t, "1\nx\nyes\nyes\n<\nyes\nq\n")
	if !slices.Equal(w.said, []string{"hand 1", "not hand 1", "hand 1"}) || w.ran != 1 {
		t.Errorf("noted down %q, %d runs\n%s", w.said, w.ran, r.out)
	}
	w.said, w.sayErr = nil, problem.New("the disk is full")
	w.planned, w.ran = 0, 0
	r = w.play(t, "1\nx\nyes\nyes\nq\n")
	r.says(1, "Not noted down:")
	r.says(1, "Problem: the disk is full")
	r.says(2, "Done? yes, later")
}

// TestTheManualStepsCanComeFirst, as on the screen: what failed may need what a person does.
func TestTheManualStepsCanComeFirst(t *testing.T) {
	w := &work{plans: []func(context.Context) (plan.Plan, error){makes("a", "hand 1")}, runs: []func(context.Context) (run.Report, run.Result, error){noRun}}
	r := w.play(t, "1\nx\nyes\n3\nyes\nq\n")
	r.says(1, "3) Do the manual steps first")
	if !slices.Equal(w.said, []string{"hand 1"}) || w.ran != 1 {
		t.Errorf("done %q, %d runs\n%s", w.said, w.ran, r.out)
	}
}
