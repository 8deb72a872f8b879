package line

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// manuals leads through what is left to do by hand.
func (l *Line) manuals(ctx context.Context) (bool, error) {
	for {
		p, ok, err := l.drafted(ctx)
		if err != nil && l.stopped(ctx) || !ok {
			return false, err
		}
		if err != nil {
			l.end.Err = err
			return l.failed(ctx, err, run.Result{})
		}
		came := l.hand.Came(p)
		a, is := l.hand.Next(p)
		if came || !is && l.hand.Unnoted() {
			if face.Sends(p) { // it became possible by what was done by hand
				_, _ = fmt.Fprint(l.o.Out, p.Text(plan.TextOptions{Width: columns}))
			}
			return l.consented(ctx, p)
		}
		if !is {
			break
		}
		l.print("")
		_, _ = fmt.Fprint(l.o.Out, plan.ManualText(a, columns))
		if why := l.hand.Again(p, a); why != "" {
			l.print("%s", why)
		}
		if file := l.hand.Missing(a); file != "" {
			l.print("not there yet: %s", problem.Plain(file))
		}
		if l.hand.Doubted(a) {
			l.print("The server still shows it as it was: it is looked at again.")
		}
		did, err := l.hands(ctx, p, a)
		if errors.Is(err, errBack) {
			continue
		}
		if err != nil {
			return false, err
		}
		if !did {
			l.hand.PutOff(a.Key)
		}
	}
	if l.end.Report != nil {
		l.report(*l.end.Report)
	}
	return true, l.offerAnswers(ctx)
}

// errBack leads back to what was said to be done before.
var errBack = errors.New("back")

// hands waits for the person.
func (l *Line) hands(ctx context.Context, p plan.Plan, a plan.Action) (bool, error) {
	demo := ""
	var fetch []plan.Labeled
	if man := a.Manual(); man != nil {
		for _, v := range man.Values {
			if v.Fetch != nil {
				fetch = append(fetch, v)
				demo += ", fetch (prints the " + v.Label + ")"
			}
		}
	}
	if l.o.Person != nil && !l.undo {
		demo += ", demo (lets the demonstration do it)"
	}
	question := "Done? yes, later"
	if a.Awaits() != "" {
		question = "Is the file there? yes looks for it, later"
	}
	for {
		text, err := l.read(ctx, question+demo+": ")
		if err != nil {
			return false, err
		}
		switch text = strings.TrimSpace(text); {
		case text == "yes" && a.Awaits() != "": // nobody's word stands for it
			l.hand.Look(a)
			return true, nil
		case text == "yes":
			if l.noted(p, a, a.Step) {
				return true, nil
			}
			continue
		case text == "later":
			return false, nil
		case text == "q":
			return false, l.left()
		case text == "<":
			if l.back() {
				return false, errBack
			}
			continue
		case text == "fetch" && len(fetch) > 0:
			l.fetch(ctx, fetch)
			continue
		case text == "demo" && l.o.Person != nil && !l.undo:
			did, err := l.o.Person(ctx)
			if err != nil {
				return false, err
			}
			l.print("The person has done %s.", strings.Join(did, ", "))
			if l.noted(p, a, did...) {
				return true, nil
			}
			continue
		}
		l.print("yes says that it is done, later leaves it for another time.")
	}
}

// back leads to what was done or put off before, and takes the word back.
func (l *Line) back() bool {
	step, back := l.hand.Back()
	if step != "" {
		if err := l.o.Work.Unsay(l.m, step); err != nil {
			l.hand.Do(step) // its word still stands
			l.print("Not taken back:")
			l.problems(err)
			return false
		}
	}
	if !back {
		l.print("This is the first of them; later leaves it for another time.")
	}
	return back
}

// noted notes down what was done, before anything else: a kill right behind the answer loses none of it.
func (l *Line) noted(p plan.Plan, a plan.Action, did ...string) bool {
	if err := l.o.Work.Say(l.m, p, did); err != nil {
		l.print("Not noted down:")
		l.problems(err)
		return false
	}
	for _, step := range did {
		l.hand.Do(step)
	}
	l.hand.Look(a)
	return true
}

// fetch prints secrets that the person asked for.
func (l *Line) fetch(ctx context.Context, values []plan.Labeled) {
	for _, v := range values {
		s, err := l.o.Work.Fetch(ctx, l.m, v)
		if err == nil {
			l.print("%s:", v.Label)
			err = secret.HandOver(s, secret.ToWriter(l.o.Reveal))
		}
		if err != nil {
			l.problems(err)
		}
	}
}
