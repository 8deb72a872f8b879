// Package line is the wizard line by line: for screen readers, serial consoles and pipes. It asks the same questions in the
// same order as the full screen, draws nothing twice, and says every state in words. It decides nothing.
package line

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// Options are what the line mode needs of the world.
type Options struct {
	Work    face.Work
	In      io.Reader
	Out     io.Writer
	Reveal  io.Writer // takes secrets that the person asked to see; Out masks them
	DryRun  bool
	Version string
	Now     func() time.Time
	// ReadSecret reads one line without showing it; nil: it is read from In.
	ReadSecret func(ctx context.Context, prompt string) ([]byte, error)
	// Person does the person's part on a sandbox; nil: a real person does it.
	Person func(ctx context.Context) ([]string, error)
	// Hints are what can be answered on the sandbox.
	Hints []string
}

// Line is one wizard on one pair of streams.
type Line struct {
	o    Options
	in   *bufio.Reader
	m    steps.Machine
	hand face.Hand
	end  face.Ending

	undo   bool         // what was set up is taken back
	c      face.Changed // what becomes of others' changes meanwhile
	beyond []string     // what the plans that were carried out could not take back

	facts steps.Facts // what the last look has left

	begun  bool // there are answers that can be kept
	over   bool // the input ended, or the person left: what is cancelled stays so
	jumped bool // the person was led to a step, and begins with its first question

	mu     sync.Mutex
	asking bool   // a question waits for its answer
	behind string // what is printed behind it
}

// errEnd is the end of input. Silence is not consent: it cancels.
var errEnd = problem.New("stopped").Because("the input ended before an answer").Try("answer the questions, or run npsetup apply -f FILE --yes without them").Of(problem.Cancelled)

// New makes a line mode. Nothing is read before Run.
func New(o Options) *Line {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Line{o: o, in: bufio.NewReader(o.In)}
}

// Run asks until the person is through or leaves.
func (l *Line) Run(ctx context.Context) (face.Ending, error) {
	err := l.run(ctx)
	l.end.Cancelled = l.end.Cancelled || problem.Is(err, problem.Cancelled) || ctx.Err() != nil
	if l.end.Kept = l.begun; l.end.Cancelled && l.begun {
		l.save()
	}
	return l.end, err
}

// save keeps the answers, after each of them.
func (l *Line) save() {
	if bad := l.o.Work.Save(l.m); bad != nil {
		l.print("The answers could not be kept: %s", problem.Plain(bad.Error()))
	}
}

func (l *Line) run(ctx context.Context) error {
	l.print("npsetup %s, line by line. < goes back, ? explains, q leaves. What was answered is kept.", problem.Plain(l.o.Version))
	if l.o.DryRun {
		l.print("Dry run: it only reads, and ends with the plan.")
	}
	for _, h := range l.o.Hints {
		l.print("The stand-in takes: %s", problem.Plain(h))
	}
	for {
		offer, err := l.choose(ctx)
		if err != nil {
			return err
		}
		if l.m, err = l.o.Work.Begin(offer); err != nil {
			l.problems(err) // something else may be chosen, or the same again
			continue
		}
		l.hand, l.end, l.beyond, l.jumped = face.Hand{}, face.Ending{}, nil, false // nothing of what was left before goes with it
		l.facts = steps.Facts{}
		if offer.Verify {
			return l.verify(ctx)
		}
		if offer.Undo {
			l.undo, l.c = true, face.AskFirst
			if done, err := l.takeBack(ctx); done || err != nil {
				return err
			}
			l.undo = false
			continue
		}
		l.begun = true
		return l.walk(ctx)
	}
}

// print prints a line. While a question waits for its answer the line waits too: it would tear the question apart.
func (l *Line) print(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line := fmt.Sprintf(format+"\n", args...)
	if l.asking {
		l.behind += line
		return
	}
	_, _ = io.WriteString(l.o.Out, line)
}

// ask prints a question, and gives back what ends it.
func (l *Line) ask(prompt string) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asking = true
	_, _ = io.WriteString(l.o.Out, prompt)
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		_, _ = io.WriteString(l.o.Out, l.behind)
		l.asking, l.behind = false, ""
	}
}

// read reads one line. The end of input cancels, whatever stands before it.
func (l *Line) read(ctx context.Context, prompt string) (string, error) {
	defer l.ask(prompt)()
	type got struct {
		text string
		err  error
	}
	c := make(chan got, 1)
	go func() {
		text, err := l.in.ReadString('\n')
		c <- got{text, err}
	}()
	select {
	case g := <-c:
		if g.err != nil {
			l.over = true
			l.print("")
			return "", errEnd
		}
		return strings.TrimRight(g.text, "\r\n"), nil
	case <-ctx.Done():
		return "", problem.New("stopped").Of(problem.Cancelled).From(ctx.Err())
	}
}

func (l *Line) problems(err error) {
	all := problem.List(problem.All(err))
	for i, p := range all {
		l.print("Problem: %s", problem.Plain(p.What))
		if p.Why != "" {
			l.print("  because %s", problem.Plain(p.Why))
		}
		for _, next := range p.Next {
			l.print("  next: %s", problem.Plain(next))
		}
		if code := all.CodeLine(i); code != "" && p.Code != "" {
			l.print("  %s", code)
		}
	}
}

// pick asks for one of numbered entries; the preset one is marked and taken on an empty line.
func (l *Line) pick(ctx context.Context, question string, entries []string, preset int) (int, error) {
	for i, e := range entries {
		mark := ""
		if i == preset {
			mark = " (chosen)"
		}
		l.print("  %d) %s%s", i+1, problem.Plain(e), mark)
	}
	for {
		text, err := l.read(ctx, fmt.Sprintf("%s, 1 to %d [%d]: ", question, len(entries), preset+1))
		if err != nil {
			return 0, err
		}
		text = strings.TrimSpace(text)
		switch text {
		case "":
			return preset, nil
		case "<", "q", "?":
			return 0, command(text)
		}
		var n int
		if _, err := fmt.Sscanf(text, "%d", &n); err == nil && n >= 1 && n <= len(entries) {
			return n - 1, nil
		}
		l.print("That is no number from 1 to %d.", len(entries))
	}
}

// command is a key that stands for itself in place of an answer.
type command string

func (c command) Error() string { return "the key " + string(c) }

func (l *Line) choose(ctx context.Context) (face.Offer, error) {
	offers, err := l.o.Work.Offers()
	if err != nil {
		return face.Offer{}, err
	}
	entries := make([]string, len(offers))
	for i, o := range offers {
		entries[i] = o.Title
		if o.Detail != "" {
			entries[i] += ": " + o.Detail
		}
	}
	for {
		n, err := l.pick(ctx, "What is to be done", entries, 0)
		var c command
		switch {
		case errors.As(err, &c) && c == "q":
			return face.Offer{}, l.left()
		case errors.As(err, &c):
			l.print("Choose what to begin or continue, by its number. This is the first question.")
		case err != nil:
			return face.Offer{}, err
		default:
			return offers[n], nil
		}
	}
}

func (l *Line) left() error {
	l.end.Cancelled, l.over = true, true
	if !l.begun {
		return problem.New("left").Because("q was typed").Try("run npsetup again to go on").Of(problem.Cancelled)
	}
	return problem.New("left").Because("q was typed; what was answered is kept, secrets aside").Try("run npsetup again to go on").Of(problem.Cancelled)
}

// Secret asks for a secret in the midst of a look or of the changes.
func (l *Line) Secret(ctx context.Context, _, what string) (secret.Secret, error) {
	for {
		text, err := l.hidden(ctx, problem.Plain(what)+": ")
		if err != nil {
			return secret.Secret{}, err
		}
		if text = l.cleaned(text); text != "" {
			l.print("  received")
			return secret.New(text), nil
		}
		l.print("It is empty.")
	}
}

func (l *Line) hidden(ctx context.Context, prompt string) (string, error) {
	if l.o.ReadSecret == nil {
		return l.read(ctx, prompt)
	}
	defer l.ask("")() // it prints the prompt itself
	raw, err := l.o.ReadSecret(ctx, prompt)
	if err != nil {
		l.over = true
		return "", errEnd
	}
	return strings.TrimSpace(string(raw)), nil
}

// Agree asks a question that only yes answers.
func (l *Line) Agree(ctx context.Context, question string, details []string) (bool, error) {
	for _, d := range details {
		l.print("%s", problem.Plain(d))
	}
	for {
		text, err := l.read(ctx, problem.Plain(question)+" Type yes to go on, or no: ")
		if err != nil {
			return false, err
		}
		switch strings.TrimSpace(text) {
		case "yes":
			return true, nil
		case "no", "<":
			return false, nil
		case "q":
			return false, l.left()
		}
		l.print("yes goes on, no goes back, q leaves.")
	}
}

// Write takes what is said beside the result.
func (l *Line) Write(p []byte) (int, error) {
	for _, line := range strings.Split(strings.TrimRight(string(p), "\n"), "\n") {
		if line = problem.Plain(line); strings.TrimSpace(line) != "" {
			l.print("%s", line)
		}
	}
	return len(p), nil
}
