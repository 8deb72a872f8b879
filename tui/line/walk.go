package line

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/tui/face"
)

// walk goes through the steps until the last one is answered, then to the review.
func (l *Line) walk(ctx context.Context) error {
	back := false
	for {
		turn, err := l.step(ctx, back)
		if err != nil {
			return err
		}
		back = turn == backwards
		before := l.m.Current().ID
		switch turn {
		case backwards:
			m, moved := l.before()
			if !moved {
				l.print("This is the first question.")
				back = false
				continue
			}
			l.m = m
			continue
		case again:
			continue
		case onwards:
		}
		m, faults := l.m.Next()
		if len(faults) > 0 {
			l.faults(faults)
			continue
		}
		l.m = m
		l.save()
		if l.m.Current().ID != before {
			continue
		}
		if done, err := l.review(ctx); done || err != nil {
			return err
		}
		if back = !l.jumped; l.jumped {
			l.jumped = false
			continue
		}
		if len(l.asked(l.m.Current())) == 0 {
			l.m, _ = l.before()
		}
	}
}

// before stands on the nearest step before this one that asks something: another would only lead forwards again.
func (l *Line) before() (steps.Machine, bool) {
	m, moved := l.m.Back()
	for moved && len(l.asked(m.Current())) == 0 {
		m, moved = m.Back()
	}
	return m, moved
}

// turn is where a step leads.
type turn int

const (
	onwards turn = iota
	backwards
	again
)

func (l *Line) faults(faults []steps.Fault) {
	for _, f := range faults {
		l.print("Not valid: %s: %s", f.Key, problem.Plain(f.Why))
	}
}

// step asks the fields of the current step and lets it look. Coming back, it begins with the last question.
func (l *Line) step(ctx context.Context, back bool) (turn, error) {
	s := l.m.Current()
	n, of := l.m.Position()
	l.print("")
	l.print("Step %d of %d: %s", n, of, s.Title)
	if s.Why != "" {
		l.print("%s.", strings.TrimSuffix(s.Why, "."))
	}
	if s.Article != "" {
		l.print("Article: %s.", s.Article)
	}
	if len(l.asked(s)) == 0 {
		l.paragraph(s)
	}
	at := 0
	if back {
		at = max(len(l.asked(s))-1, 0)
	}
	for {
		fields := l.asked(s)
		if at >= len(fields) {
			break
		}
		t, err := l.field(ctx, s, fields[at])
		if err != nil {
			return onwards, err
		}
		switch t {
		case onwards:
			at++
		case backwards:
			if at == 0 {
				return backwards, nil
			}
			at--
		case again:
		}
	}
	if faults := l.m.Faults(s); len(faults) > 0 {
		l.faults(faults)
		return again, nil
	}
	return l.look(ctx, s)
}

func (l *Line) asked(s steps.Step) []steps.Field {
	var list []steps.Field
	for _, f := range s.Fields {
		if f.Asked(l.m.Answers()) {
			list = append(list, f)
		}
	}
	return list
}

// field asks one question. An empty line keeps what is there.
func (l *Line) field(ctx context.Context, s steps.Step, f steps.Field) (turn, error) {
	text, err := l.answer(ctx, f)
	var c command
	if errors.As(err, &c) {
		text, err = string(c), nil
	}
	if err != nil {
		return onwards, err
	}
	switch text = l.cleaned(text); text {
	case "<":
		return backwards, nil
	case "q":
		return onwards, l.left()
	case "?":
		l.explain(ctx, s, f)
		return again, nil
	case "-":
		l.m = l.m.Set(f.Key, "")
		l.print("  cleared")
		l.save()
		return again, nil
	case "":
	default:
		if same, err := l.twice(ctx, f, text); err != nil || !same {
			return again, err
		}
		l.store(f, text)
		l.save()
	}
	fault, bad := l.m.Answers().CheckField(f)
	if !bad {
		if f.Complete != nil {
			if _, said := f.Complete(l.m.Drafts()[f.Key]); said != "" {
				l.print("  %s", problem.Plain(said))
			}
		}
		return onwards, nil
	}
	if fault.Missing {
		l.print("An answer is needed. %s", fault.Try)
	} else {
		l.print("Not valid: %s. %s", problem.Plain(fault.Why), fault.Try)
	}
	return again, nil
}

// twice asks for a new secret once more, and says whether it is the same.
func (l *Line) twice(ctx context.Context, f steps.Field, text string) (same bool, err error) {
	if !f.Twice || !face.Typed(f, text) {
		return true, nil
	}
	repeated, err := l.hidden(ctx, problem.Plain(f.Prompt)+", once more: ")
	if err != nil {
		return false, err
	}
	switch repeated = l.cleaned(repeated); repeated {
	case text:
		return true, nil
	case "<":
		return false, nil
	case "q":
		return false, l.left()
	}
	l.print("Not valid: the two are not the same.")
	return false, nil
}

// answer reads the text of one answer.
func (l *Line) answer(ctx context.Context, f steps.Field) (string, error) {
	prompt := problem.Plain(f.Prompt)
	if f.Optional {
		prompt += " (optional)"
	}
	switch f.Kind {
	case steps.SecretField, steps.Code:
		return l.hidden(ctx, prompt+l.held(f)+": ")
	case steps.Switch, steps.Choice:
		return l.choice(ctx, prompt, f)
	case steps.Text, steps.Number, steps.Multi, steps.FileField, steps.Fingerprint, steps.Consent:
	}
	return l.read(ctx, prompt+l.held(f)+": ")
}

// held says what an empty line would keep.
func (l *Line) held(f steps.Field) string {
	a := l.m.Answers()
	switch {
	case f.Kind == steps.SecretField || f.Kind == steps.Code:
		switch {
		case !a.Has(f.Key):
			return ""
		case a.Text(f.Key) == "prompt" && !l.o.Work.Holds(f.Key):
			return " [asked for when it is needed]"
		}
		return " [kept]"
	case a.Text(f.Key) == "":
		return ""
	}
	return " [" + problem.Plain(strings.Join(strings.Split(a.Text(f.Key), "\n"), ", ")) + "]"
}

func (l *Line) choice(ctx context.Context, prompt string, f steps.Field) (string, error) {
	values, titles := []string{"true", "false"}, []string{"True", "False"}
	if f.Kind == steps.Choice {
		values, titles = nil, nil
		for _, o := range f.Choices {
			values = append(values, o.Value)
			title := o.Title
			if title == "" {
				title = o.Value
			}
			titles = append(titles, title)
		}
	}
	preset := 0
	for i, v := range values {
		if v == l.m.Answers().Text(f.Key) {
			preset = i
		}
	}
	n, err := l.pick(ctx, prompt, titles, preset)
	if err != nil {
		return "", err
	}
	if !l.m.Answers().Has(f.Key) && values[n] == l.m.Answers().Text(f.Key) {
		return "", nil
	}
	return values[n], nil
}

// cleaned takes out of what was typed or pasted what people do not see and did not mean, and says so.
func (l *Line) cleaned(text string) string {
	text = strings.TrimSpace(text)
	clean := strings.TrimSpace(problem.Plain(strings.NewReplacer("\t", "", "\r", "").Replace(text))) // Plain would make blanks of them
	if clean != text {
		l.print("  hidden characters were left out")
	}
	return clean
}

// store puts an answer into the machine; a typed secret goes to Work, and the draft says that it is asked for.
func (l *Line) store(f steps.Field, text string) {
	draft, typed := face.Draft(f, text, l.o.Work.Keep)
	if !typed.Empty() {
		l.print("  %s", face.Arrived(f, typed))
		if short := face.Short(f, typed); short != "" {
			l.print("  %s", short)
		}
	}
	l.m = l.m.Set(f.Key, draft)
}

// paragraph prints what the article says, in the wizard's words.
func (l *Line) paragraph(s steps.Step) {
	if s.Paragraph == nil {
		return
	}
	for i, click := range s.Paragraph(l.m.Answers(), l.facts) {
		l.print("  %d. %s", i+1, problem.Plain(click))
	}
}

func (l *Line) explain(ctx context.Context, s steps.Step, f steps.Field) {
	if f.Help != "" {
		l.print("  %s", f.Help)
	}
	if f.Example != "" {
		l.print("  For example %s", f.Example)
	}
	if f.Default != "" {
		l.print("  Preset: %s", f.Default)
	}
	if f.Kind == steps.Multi {
		l.print("  Several values have commas between them.")
	}
	if f.LiveChoices != nil {
		l.print("  On the server there are:")
		options, err := l.o.Work.Choices(ctx, l.m, f)
		if err != nil {
			l.problems(err)
		}
		for i, o := range options {
			if i == 50 {
				l.print("  … and %d more", len(options)-i)
				break
			}
			l.print("  - %s %s", problem.Plain(o.Value), problem.Plain(o.Title))
		}
	}
	if s.Paragraph != nil {
		l.print("  The article:")
		l.paragraph(s)
	}
	l.print("  An empty line keeps what stands in brackets, - clears it, < goes back, q leaves.")
}

// look lets the step look, and tells what it saw.
func (l *Line) look(ctx context.Context, s steps.Step) (turn, error) {
	if s.Look == nil {
		return onwards, nil
	}
	l.print("Looking …")
	seen := l.o.Work.Look(ctx, l.m, s.ID)
	l.facts = seen.Facts
	if l.stopped(ctx) {
		return onwards, problem.New("stopped").Of(problem.Cancelled).From(errors.Join(ctx.Err(), seen.Err))
	}
	for _, w := range seen.Warnings {
		l.print("Warning: %s", problem.Plain(w.String()))
	}
	for _, f := range seen.Findings {
		l.finding(f)
	}
	if seen.Err == nil {
		return onwards, nil
	}
	l.problems(seen.Err)
	for {
		text, err := l.read(ctx, "Answer again (a), go on anyway (g: nothing is changed before all is checked), or back (<) [a]: ")
		if err != nil {
			return onwards, err
		}
		switch strings.TrimSpace(text) {
		case "", "a":
			return again, nil
		case "g":
			return onwards, nil
		case "<":
			return backwards, nil
		case "q":
			return onwards, l.left()
		}
		l.print("a answers again, g goes on anyway, < goes back, q leaves.")
	}
}

func (l *Line) finding(f steps.Finding) {
	l.print("Found: %s: %s", problem.Plain(f.Title), f.State)
	if f.Text != "" {
		l.print("  %s", problem.Plain(f.Words()))
	}
	for _, r := range f.Rows {
		line := fmt.Sprintf("  %s: %s", problem.Plain(strings.TrimSpace(r.Label)), face.Grouped(problem.Plain(r.Value)))
		if r.Wanted != "" && r.Wanted != r.Value {
			line += " (wanted: " + problem.Plain(r.Wanted) + ")"
		}
		l.print("%s", line)
	}
	for _, i := range f.Items {
		l.print("  - %s", problem.Plain(i))
	}
}
