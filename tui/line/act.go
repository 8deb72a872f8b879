package line

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// columns is the width of texts that are wrapped here: a terminal would break them within words.
const columns = 80

// review shows the plan, asks for the consents that are missing, and carries it out when the person says yes. It answers false to go back to the
// answers.
func (l *Line) review(ctx context.Context) (done bool, err error) {
	if l.undo {
		return l.takeBack(ctx)
	}
	l.print("")
	l.print("Looking at everything before the plan is made …")
	p, _, err := l.drafted(ctx)
	for u := (face.Unaccepted{}); errors.As(err, &u); {
		if yes, stop := l.accepted(ctx, u.Risks[0]); stop != nil || !yes {
			return false, stop
		}
		p, _, err = l.drafted(ctx)
	}
	if err != nil {
		if l.stopped(ctx) {
			return false, err
		}
		l.problems(err)
		l.print("%s changed. Go back to the step that is named.", l.nothing())
		return false, nil
	}
	return l.agreed(ctx, p)
}

// accepted asks for one risk by its name. Refused, it leads to the answer that takes it.
func (l *Line) accepted(ctx context.Context, r steps.Risk) (bool, error) {
	l.print("")
	l.print("Consent %s: %s", r.Name, r.Text)
	yes, err := l.Agree(ctx, "Accept this?", nil)
	if err != nil {
		return false, err
	}
	if !yes {
		l.print("Not accepted: change the answer, or accept it.")
		return false, l.atAnswer(r.Key)
	}
	l.m = l.m.Accept(r.Name)
	return true, nil
}

// stopped says whether nothing more may be asked. A no to a question in between, such as whether to sign in, is an answer
// like any other: it leads back.
func (l *Line) stopped(ctx context.Context) bool { return ctx.Err() != nil || l.over }

// atAnswer stands on the step that asks for an answer.
func (l *Line) atAnswer(key string) error {
	at, found := l.m.Guide().Asking(key)
	if !found {
		return nil
	}
	there, err := l.m.Jump(at.ID)
	if err == nil {
		l.m, l.jumped = there, true
	}
	return err
}

// consented asks for the plan that was just shown, and goes on to the end.
func (l *Line) consented(ctx context.Context, p plan.Plan) (bool, error) {
	for {
		if face.Sends(p) {
			back := "to change an answer"
			if l.undo {
				back = "to go back"
			}
			text, err := l.read(ctx, "Carry this out? yes, calls (shows the exact requests), or < "+back+": ")
			if err != nil {
				return false, err
			}
			switch strings.TrimSpace(text) {
			case "yes":
			case "calls":
				_, _ = fmt.Fprint(l.o.Out, p.Text(plan.TextOptions{Width: columns, Calls: true}))
				continue
			case "<":
				return false, nil
			case "q":
				return false, l.left()
			default:
				l.print("Only yes carries it out.")
				continue
			}
		}
		return l.carryOut(ctx, p)
	}
}

func (l *Line) carryOut(ctx context.Context, p plan.Plan) (bool, error) {
	report, result, err := l.carried(ctx, p)
	l.end.Result, l.end.Err = result, err
	l.end.Report = nil // what an earlier run of this sitting came to no longer holds
	if err != nil && l.stopped(ctx) {
		return false, err
	}
	if err != nil {
		return l.failed(ctx, err, result)
	}
	l.end.Report = &report
	l.hand.Note()
	if l.undo {
		l.hand.Anew()
	}
	if report.Count(steps.Failed)+report.Count(steps.NotRun) > 0 {
		return l.failed(ctx, nil, result)
	}
	return l.manuals(ctx)
}

// failed says what went wrong and lets the person choose. bad is what kept a run or a plan from coming to its end; nil: one
// ended with failed steps.
func (l *Line) failed(ctx context.Context, bad error, result run.Result) (bool, error) {
	l.problems(bad)
	again, change, leaveOut, leave := "Look again and go on", "Change an answer", "Leave the failed step out, and go on", "Leave; npsetup resume continues"
	const hands = "Do the manual steps first"
	help := "What was carried out stays and is not sent again: looking again goes on behind it. What was said to be done by hand is noted down. < changes an answer, q leaves."
	ways := []string{again, change, hands, leave}
	for _, a := range result.Actions {
		if a.Outcome != steps.Failed {
			continue
		}
		if a.Err != nil {
			l.problems(a.Err)
		}
		ways = []string{again, change, leaveOut, hands, leave}
	}
	if l.undo {
		leave, help = "Leave; npsetup undo continues", "What was taken back stays so and is not sent again: looking again goes on behind it. < goes back, q leaves."
		ways = []string{again, leave}
		if slices.ContainsFunc(result.Actions, func(a run.ActionResult) bool { return a.Outcome == steps.Waiting }) {
			ways = []string{again, hands, leave}
		}
	}
	n, c, err := l.way(ctx, "How to go on", ways, help)
	switch {
	case err != nil:
		return false, err
	case c == "q" || c == "" && ways[n] == leave:
		l.leaveFailed()
		return true, nil
	case c == "<" || ways[n] == change:
		return false, nil
	case ways[n] == hands:
		return l.manuals(ctx)
	case ways[n] == leaveOut:
		l.hand.LeaveOut(result)
	}
	return l.review(ctx)
}

// way lets the person choose how to go on. c is < or q, when that was typed in place of a number.
func (l *Line) way(ctx context.Context, question string, ways []string, help string) (n int, c command, err error) {
	for {
		n, err = l.pick(ctx, question, ways, 0)
		if c = ""; errors.As(err, &c) {
			err = nil
		}
		if c != "?" {
			return n, c, err
		}
		l.print("%s", help)
	}
}

// leaveFailed tells how the set-up stands, as far as that is known.
func (l *Line) leaveFailed() {
	if l.end.Report != nil {
		l.report(*l.end.Report)
		return
	}
	if l.undo {
		l.print("It is not known what was taken back. npsetup undo looks what is left, and goes on with it.")
		return
	}
	l.print("The set-up is not complete, and was not read back. npsetup resume goes on with it.")
}

// telling is the sink of events: one line each.
type telling struct {
	l  *Line
	mu sync.Mutex
}

// Emit implements run.Sink.
func (t *telling) Emit(e run.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := e.Time.Format("15:04:05")
	switch e.Name {
	case run.OpDone:
		if e.Op != nil && e.Op.Method != "" {
			t.l.print("%s %s", at, e.Op.Line())
		}
	case run.ActionDone:
		line := fmt.Sprintf("%s %s %s: %s", at, e.Effect, problem.Plain(e.Object), e.Outcome)
		if e.Error != nil && e.Outcome == steps.Failed.String() {
			line += ": " + problem.Plain(e.Error.What)
		}
		t.l.print("%s", line)
	}
}

var _ run.Sink = (*telling)(nil)

func (l *Line) verify(ctx context.Context) error {
	l.print("Reading everything back …")
	r, err := l.o.Work.Verify(ctx, l.m)
	if err != nil {
		return err
	}
	l.end.Report = &r
	l.report(r)
	return nil
}

func (l *Line) report(r run.Report) {
	l.print("")
	for _, line := range r.Lines {
		l.print("%s %s %s", line.Step, line.Outcome, line.Proof)
	}
	l.headline(r)
}

// offerAnswers ends with the file that repeats the set-up.
func (l *Line) offerAnswers(ctx context.Context) error {
	if l.undo {
		return nil // there is nothing to repeat
	}
	for {
		text, err := l.read(ctx, "Write the answers file that repeats this? Its path, or an empty line for no: ")
		if err != nil {
			return nil // everything is done: no answer is a no
		}
		switch text = l.cleaned(text); text {
		case "", "no", "q", "<":
			return nil
		case "yes":
			l.print("Type the path of the file. One that exists already is never written over.")
			continue
		case "?":
			l.print("The file holds every answer, of secrets only where they come from. Type its path: one that exists already is never written over. An empty line, no, < and q write none.")
			continue
		}
		if err := l.o.Work.WriteAnswers(l.m, text); err != nil {
			l.problems(err)
			continue
		}
		l.print("Written to %s; npsetup plan -f %s reads it.", text, text)
		return nil
	}
}
