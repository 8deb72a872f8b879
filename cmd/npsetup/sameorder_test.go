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

func (idleWork) Unmake(context.Context, steps.Machine, face.Changed) (plan.Plan, []string, error) {
	return plan.Plan{}, nil, nil
}

func (idleWork) TakeBack(context.Context, steps.Machine, plan.Plan, face.Changed, []string, run.Sink) (run.Report, run.Result, error) {
	return run.Report{}, run.Result{}, nil
}

func (idleWork) Verify(context.Context, steps.Machine) (run.Report, error) { return run.Report{}, nil }
func (idleWork) Say(steps.Machine, plan.Plan, []string) error              { return nil }
func (idleWork) Unsay(steps.Machine, string) error                         { return nil }
func (idleWork) Holds(string) bool                                         { return false }
func (idleWork) Keep(string, secret.Secret)                                {}
func (idleWork) Place() string                                             { return "" }
func (idleWork) Save(steps.Machine) error                                  { return nil }
func (idleWork) WriteAnswers(steps.Machine, string) error                  { return nil }

var _ face.Work = idleWork{}

// drawnGuide is a guide of random steps and questions of every kind, some of which depend on earlier answers, may stay empty
// or are looked at; and the answers to all of them, by prompt.
func drawnGuide(t *rapid.T) (steps.Guide, map[string]drawnAnswer) {
	g := steps.Guide{ID: "drawn", Title: "Drawn"}
	answers := map[string]drawnAnswer{}
	var keys []string // of questions with choices: others may depend on them
	values := map[string][]string{}
	depends := func(label string) func(steps.Answers) bool {
		if len(keys) == 0 || !rapid.Bool().Draw(t, label) {
			return nil
		}
		key := rapid.SampledFrom(keys).Draw(t, label+" on")
		is := rapid.SampledFrom(values[key]).Draw(t, label+" when")
		return func(a steps.Answers) bool { return a.Text(key) == is }
	}
	n := 0
	for i := range rapid.IntRange(1, 4).Draw(t, "steps") {
		s := steps.Step{ID: fmt.Sprintf("s%d", i), Title: fmt.Sprintf("Part %d", i), Applies: depends("the step applies")}
		if rapid.Bool().Draw(t, "it looks") {
			s.Look = func(context.Context, *steps.Scene) error { return nil } // whether it does is what the faces ask; Work looks
		}
		for range rapid.IntRange(0, 3).Draw(t, "questions") {
			f := steps.Field{Key: fmt.Sprintf("k%d", n), Prompt: fmt.Sprintf("Question %d", n), When: depends("the question is asked")}
			f.Kind = rapid.SampledFrom(steps.Kinds()).Draw(t, "kind")
			f.Optional = rapid.Bool().Draw(t, "optional")
			answers[f.Prompt] = drawnAnswerTo(t, &f, n)
			switch f.Kind {
			case steps.Switch:
				values[f.Key] = []string{"true", "false"}
			case steps.Choice:
				values[f.Key] = []string{"a", "b", "c"}
			case steps.Text, steps.Number, steps.SecretField, steps.Code, steps.Multi, steps.FileField, steps.Fingerprint, steps.Consent:
			}
			if values[f.Key] != nil {
				keys = append(keys, f.Key)
			}
			s.Fields = append(s.Fields, f)
			n++
		}
		g.Steps = append(g.Steps, s)
	}
	g.Steps = append(g.Steps, steps.Step{ID: "last", Title: "Last part"})
	return g, answers
}

// drawnAnswer is an answer as it is typed or, where there are choices, as each face names them.
type drawnAnswer struct{ text, onLine, onScreen string }

// drawnAnswerTo completes a question, and answers it or leaves it empty where that may be.
func drawnAnswerTo(t *rapid.T, f *steps.Field, n int) drawnAnswer {
	text := ""
	switch f.Kind {
	case steps.Switch:
		f.Default = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "default")
		text = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "answer")
		return drawnAnswer{text, map[string]string{"true": "True", "false": "False"}[text], text}
	case steps.Choice:
		f.Default = rapid.SampledFrom([]string{"", "a", "b", "c"}).Draw(t, "default")
		f.Choices = []steps.Option{{Value: "a", Title: "the first"}, {Value: "b", Title: "the second"}, {Value: "c", Title: "the third"}}
		o := rapid.SampledFrom(f.Choices).Draw(t, "answer")
		return drawnAnswer{o.Value, o.Title, o.Title}
	case steps.Number:
		text = fmt.Sprint(n + 1)
	case steps.SecretField:
		text = fmt.Sprintf("env:NAME%d", n)
	case steps.Multi, steps.Consent:
		text = fmt.Sprintf("one %d, two", n)
	case steps.Text, steps.Code, steps.FileField, steps.Fingerprint:
		text = fmt.Sprintf("text %d", n)
	}
	if f.Optional && rapid.Bool().Draw(t, "left empty") {
		text = ""
	}
	return drawnAnswer{text, text, text}
}

// asked are the prompts that a machine asks for with these answers, each given in its turn.
func asked(g steps.Guide, answers map[string]drawnAnswer) []string {
	m := steps.NewMachine(g, nil, "")
	prompts := []string{}
	for i := 0; ; i++ {
		questions := m.Questions()
		if i == len(questions) {
			return prompts
		}
		prompts = append(prompts, questions[i].Prompt)
		m = m.Set(questions[i].Key, answers[questions[i].Prompt].text)
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

func askedByLine(t judge, g steps.Guide, answers map[string]drawnAnswer) []string {
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
		p.answer(prompt, answers[prompt].onLine)
	}
}

func askedByScreen(t judge, g steps.Guide, answers map[string]drawnAnswer) []string {
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
				here = strings.TrimSuffix(p.focus(), " (optional)")
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
			p.answer(here, answers[here].onScreen)
		default:
			p.press(keyEnter)
		}
	}
}
