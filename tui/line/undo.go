package line

import (
	"context"
	"fmt"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// takeBack takes back what a run has set up: plan, consent, progress, what is done by hand, report, as a set-up has them. It answers
// false to go back to what can be chosen.
func (l *Line) takeBack(ctx context.Context) (done bool, err error) {
	l.print("")
	l.print("Looking what is left of it …")
	p, ok, err := l.drafted(ctx)
	switch {
	case err != nil && l.stopped(ctx):
		return false, err
	case err != nil:
		l.problems(err)
		l.print("%s taken back.", l.nothing())
		return false, nil
	case !ok:
		return false, nil
	}
	return l.agreed(ctx, p)
}

// nothing begins to tell that a look came to nothing, also behind runs that did something.
func (l *Line) nothing() string {
	if l.end.Report != nil || len(l.end.Result.Actions) > 0 {
		return "Nothing more was"
	}
	return "Nothing was"
}

// drafted makes the plan of what is under way: of a set-up, or of taking one back. Of the latter it asks first what becomes of others'
// changes; ok is false when the person goes back there.
func (l *Line) drafted(ctx context.Context) (p plan.Plan, ok bool, err error) {
	if !l.undo {
		p, err = l.o.Work.Plan(ctx, l.m, l.hand.Out)
		return p, true, err
	}
	p, others, err := l.o.Work.Unmake(ctx, l.m, l.c)
	if err == nil && len(others) > 0 {
		if ok, err = l.others(ctx, others); !ok {
			return p, false, err
		}
		p, _, err = l.o.Work.Unmake(ctx, l.m, l.c)
	}
	return p, true, err
}

// others asks what becomes of what somebody else has changed since.
func (l *Line) others(ctx context.Context, members []string) (bool, error) {
	l.print("Somebody else has changed what this run had changed. Writing the former values would undo their work:")
	for _, m := range members {
		l.print("  - %s", problem.Plain(m))
	}
	n, c, err := l.way(ctx, "What becomes of that", []string{"Leave theirs", "Write the former values over it"},
		"Theirs stays, and the rest is taken back; or it gets the values from before the run. < goes back, q leaves. Nothing of it was changed yet.")
	if c == "q" {
		err = l.left()
	}
	if c != "" || err != nil {
		return false, err
	}
	l.c = [...]face.Changed{face.KeepTheirs, face.WriteOver}[n]
	return true, nil
}

// carried carries out the plan that was shown.
func (l *Line) carried(ctx context.Context, p plan.Plan) (run.Report, run.Result, error) {
	if l.undo {
		report, result, err := l.o.Work.TakeBack(ctx, l.m, p, l.c, l.hand.Done, &telling{l: l})
		l.beyond = face.Beyond(l.beyond, p, result, err)
		return report, result, err
	}
	return l.o.Work.Apply(ctx, l.m, p, l.hand.Done, &telling{l: l})
}

// agreed shows a plan, and asks for it.
func (l *Line) agreed(ctx context.Context, p plan.Plan) (bool, error) {
	_, _ = fmt.Fprint(l.o.Out, p.Text(plan.TextOptions{Width: columns}))
	if l.o.DryRun {
		l.end.Pending = len(p.Pending()) > 0
		l.print("End of the dry run: nothing was changed.")
		return true, l.offerAnswers(ctx)
	}
	return l.consented(ctx, p)
}

// headline says how it stands.
func (l *Line) headline(r run.Report) {
	if !l.undo {
		l.print("%s", face.Headline(&r))
		return
	}
	for _, b := range l.beyond {
		l.print("%s", b)
	}
	l.print("%s", face.Taken(&r))
}
