package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/run"
	"npsetup/steps/secret"
	"npsetup/tui"
	"npsetup/tui/face"
	"npsetup/tui/line"
)

// idleWork offers one guide and has nothing to do.
type idleWork struct{ guide steps.Guide }

func (w idleWork) Offers() ([]face.Offer, error) {
	return []face.Offer{{Guide: w.guide.ID, Title: "Set up"}}, nil
}

func (w idleWork) Begin(face.Offer) (steps.Machine, error) {
	return steps.NewMachine(w.guide, nil, ""), nil
}

func (idleWork) Look(_ context.Context, _ steps.Machine, step string) steps.Seen {
	return steps.Seen{Step: step}
}

func (idleWork) Choices(context.Context, steps.Machine, steps.Field) ([]steps.Option, error) {
	return nil, nil
}

func (idleWork) Fetch(context.Context, steps.Machine, plan.Labeled) (secret.Secret, error) {
	return secret.Secret{}, nil
}

func (idleWork) Plan(context.Context, steps.Machine, []string) (plan.Plan, error) {
	op := plan.Op{Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Method: "POST", Path: "/"}}
	return plan.Plan{Actions: []plan.Action{{Key: "a", Effect: plan.Create, Ops: []plan.Op{op}}}}, nil
}

func (idleWork) Apply(context.Context, steps.Machine, plan.Plan, []string, run.Sink) (run.Report, run.Result, error) {
	return run.Report{}, run.Result{}, nil
}

func (idleWork) Verify(context.Context, steps.Machine) (run.Report, error) { return run.Report{}, nil }
func (idleWork) Holds(string) bool                                         { return false }
func (idleWork) Keep(string, secret.Secret)                                {}
func (idleWork) Save(steps.Machine) error                                  { return nil }
func (idleWork) WriteAnswers(steps.Machine, string) error                  { return nil }

var _ face.Work = idleWork{}

// drawnGuide is a guide of random steps and questions, some of which depend on earlier answers; and answers to all of them.
func drawnGuide(t *rapid.T) (steps.Guide, map[string]string) {
	g := steps.Guide{ID: "drawn", Title: "Drawn"}
	answers := map[string]string{}
	var switches []string // keys of questions that others may depend on
	depends := func(label string) func(steps.Answers) bool {
		if len(switches) == 0 || !rapid.Bool().Draw(t, label) {
			return nil
		}
		key, is := rapid.SampledFrom(switches).Draw(t, label+" on"), rapid.SampledFrom([]string{"true", "false"}).Draw(t, label+" when")
		return func(a steps.Answers) bool { return a.Text(key) == is }
	}
	n := 0
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		s := steps.Step{ID: fmt.Sprintf("s%d", i), Title: fmt.Sprintf("Part %d", i), Applies: depends("the step applies")}
		for range rapid.IntRange(0, 3).Draw(t, "questions") {
			f := steps.Field{Key: fmt.Sprintf("k%d", n), Prompt: fmt.Sprintf("Question %d", n), When: depends("the question is asked")}
			answers[f.Prompt] = fmt.Sprintf("text %d", n)
			if f.Kind = rapid.SampledFrom([]steps.Kind{steps.Text, steps.Switch, steps.Number}).Draw(t, "kind"); f.Kind == steps.Switch {
				f.Default = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "default")
				answers[f.Prompt] = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "answer")
				switches = append(switches, f.Key)
			} else if f.Kind == steps.Number {
				answers[f.Prompt] = fmt.Sprint(n + 1)
			}
			s.Fields = append(s.Fields, f)
			n++
		}
		g.Steps = append(g.Steps, s)
	}
	g.Steps = append(g.Steps, steps.Step{ID: "last", Title: "Last part"})
	return g, answers
}

// asked are the prompts that a machine asks for with these answers, each given in its turn.
func asked(g steps.Guide, answers map[string]string) []string {
	m := steps.NewMachine(g, nil, "")
	prompts := []string{}
	for i := 0; ; i++ {
		questions := m.Questions()
		if i == len(questions) {
			return prompts
		}
		prompts = append(prompts, questions[i].Prompt)
		m = m.Set(questions[i].Key, answers[questions[i].Prompt])
	}
}

// TestTheSameQuestionsInTheSameOrder lets both faces ask through random guides.
func TestTheSameQuestionsInTheSameOrder(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		g, answers := drawnGuide(rt)
		want := asked(g, answers)
		if got := askedByLine(rt, g, answers); !slices.Equal(got, want) {
			rt.Fatalf("the line mode asks %q, the machine %q", got, want)
		}
		if rapid.IntRange(0, 7).Draw(rt, "not on the full screen") > 0 {
			return // it takes longer
		}
		if got := askedByScreen(rt, g, answers); !slices.Equal(got, want) {
			rt.Fatalf("the full screen asks %q, the machine %q", got, want)
		}
	})
}

func askedByLine(t judge, g steps.Guide, answers map[string]string) []string {
	p := &linePlayer{played: newPlayed(t)}
	p.start(func(ctx context.Context, a *app) int {
		_, _ = line.New(line.Options{Work: idleWork{g}, In: a.in, Out: a.out}).Run(ctx)
		return 0
	})
	p.choose("Set up")
	prompts := []string{}
	for {
		q := p.next()
		if strings.HasPrefix(q, "Carry this out?") {
			p.leave()
			p.end()
			return prompts
		}
		prompt := q[:len("Question ")+strings.IndexAny(q[len("Question "):], ": ,")]
		prompts = append(prompts, prompt)
		p.answer(prompt, strings.ToUpper(answers[prompt][:1])+answers[prompt][1:])
	}
}

func askedByScreen(t judge, g steps.Guide, answers map[string]string) []string {
	p := &screenPlayer{played: newPlayed(t)}
	p.open()
	p.start(func(ctx context.Context) int {
		_, _ = tui.New(tui.Options{Work: idleWork{g}, In: ttyEnd{p.tty}, Out: ttyEnd{p.tty}, Env: []string{"TERM=xterm-256color"}}).Run(ctx)
		return 0
	})
	p.choose("Set up")
	prompts := []string{}
	done := map[string]bool{} // pages and questions that were left
	for {
		var here string
		p.wait("the next question", func() bool {
			if here = p.header(); strings.HasPrefix(p.focus(), "Question ") {
				here = p.focus()
			} else if here != "Review" && !p.shows("Nothing to answer here") {
				return false
			}
			return !done[here]
		})
		done[here] = true
		switch {
		case here == "Review":
			p.leave()
			p.end()
			return prompts
		case strings.HasPrefix(here, "Question "):
			prompts = append(prompts, here)
			p.answer(here, answers[here])
		default:
			p.press(keyEnter)
		}
	}
}
