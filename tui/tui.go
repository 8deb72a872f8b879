// Package tui is the full-screen wizard. It draws steps, fields, findings, plans and events, and it knows none of them by
// name. It looks at no server and changes nothing: what is to be done, Work does.
package tui

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// Options are what the wizard needs of the world. In and Out are a terminal's.
type Options struct {
	Work    face.Work
	In      io.Reader
	Out     io.Writer
	Env     []string
	DryRun  bool
	Version string
	Now     func() time.Time
	Scrub   func(string) string // masks secrets in a crash report
	// Person does the person's part on a sandbox; nil: there is none, a real person does it.
	Person func(ctx context.Context) ([]string, error)
	// Hints are what can be answered on the sandbox, shown on the first page.
	Hints []string
	// After brings a message after a while; nil: by the machine's clock.
	After func(d time.Duration, msg tea.Msg) tea.Cmd
	// Crash keeps a report of a crash and says where.
	Crash func(report string) (path string, err error)
}

// Wizard is one wizard on one terminal.
type Wizard struct {
	o Options

	mu      sync.Mutex
	program *tea.Program
	waiting []tea.Msg // sent before the program ran
}

// New makes a wizard. Nothing is drawn before Run.
func New(o Options) *Wizard {
	if o.Scrub == nil {
		o.Scrub = func(s string) string { return s }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = func(d time.Duration, msg tea.Msg) tea.Cmd { return tea.Tick(d, func(time.Time) tea.Msg { return msg }) }
	}
	return &Wizard{o: o}
}

// Run draws until the person leaves. The terminal is as it was before, whatever happens.
func (w *Wizard) Run(ctx context.Context) (face.Ending, error) {
	m := newModel(ctx, w.o)
	options := []tea.ProgramOption{tea.WithContext(ctx), tea.WithInput(w.o.In), tea.WithOutput(w.o.Out), tea.WithoutSignalHandler(), tea.WithFPS(120)}
	if w.o.Env != nil {
		options = append(options, tea.WithEnvironment(w.o.Env))
	}
	p := tea.NewProgram(m, options...)
	w.mu.Lock()
	w.program = p
	early := w.waiting
	w.waiting = nil
	w.mu.Unlock()
	m.early = early
	// At once, whatever the terminal still takes: who sent the signal may not wait. What comes of it is seen below.
	defer context.AfterFunc(ctx, func() { _ = m.write(m.draft.Load()) })()
	_, err := p.Run()
	var unkept error
	if m.crash != "" || ctx.Err() != nil && !m.left {
		unkept = m.keep() // before anything is waited for
	}
	m.stopAll()
	ending := m.awaited(m.ending)
	if m.crash != "" {
		return w.crashed(ending, unkept, m.crash)
	}
	if ctx.Err() != nil {
		ending.Cancelled = true
		return ending, unkept
	}
	return ending, err
}

// awaited waits for changes that are under way: they end behind their current call, and it is told what was done.
func (m *model) awaited(e face.Ending) face.Ending {
	if m.kept != nil {
		over := <-m.kept
		e.Result, e.Err = over.result, over.err
	}
	return e
}

func (w *Wizard) crashed(e face.Ending, unkept error, report string) (face.Ending, error) {
	if unkept != nil {
		report += "\n\nthe answers could not be kept: " + unkept.Error()
	}
	p := problem.New("npsetup has a defect and stopped").Because("what was sent stands in the journal").Try("npsetup resume --yes continues the run")
	if w.o.Crash != nil {
		path, err := w.o.Crash(w.o.Scrub(problem.PlainLines(report)))
		if err != nil {
			return e, p
		}
		p.Try("send the report " + path + " to the developers; secrets are masked in it")
	}
	return e, p
}

func (w *Wizard) send(msg tea.Msg) {
	w.mu.Lock()
	p := w.program
	if p == nil {
		w.waiting = append(w.waiting, msg)
	}
	w.mu.Unlock()
	if p != nil {
		p.Send(msg)
	}
}

// Write takes what is said beside the result, such as where a secret goes, and shows it.
func (w *Wizard) Write(p []byte) (int, error) {
	for _, line := range strings.Split(strings.TrimRight(string(p), "\n"), "\n") {
		if line = strings.TrimSpace(problem.Plain(line)); line != "" {
			w.send(saidMsg(line))
		}
	}
	return len(p), nil
}

// Secret asks for a secret in the midst of whatever is shown. Nothing that was typed is lost by it.
func (w *Wizard) Secret(ctx context.Context, _, what string) (secret.Secret, error) {
	q := &question{what: what, secret: true, answer: make(chan answer, 1)}
	a, err := w.ask(ctx, q)
	return a.secret, err
}

// Agree asks a question that only yes answers.
func (w *Wizard) Agree(ctx context.Context, what string, details []string) (bool, error) {
	q := &question{what: what, details: details, answer: make(chan answer, 1)}
	a, err := w.ask(ctx, q)
	return a.yes, err
}

func (w *Wizard) ask(ctx context.Context, q *question) (answer, error) {
	w.send(askMsg{q})
	select {
	case a := <-q.answer:
		if a.cancelled {
			return a, problem.New("stopped at the question: " + problem.Plain(q.what)).Of(problem.Cancelled)
		}
		return a, nil
	case <-ctx.Done():
		w.send(unaskMsg{q})
		return answer{}, problem.New("stopped while asking").Of(problem.Cancelled).From(ctx.Err())
	}
}

// guard turns a panic into a report, so that the terminal is restored and nothing secret is printed.
func guard(into *string) {
	if r := recover(); r != nil {
		*into = fmt.Sprintf("%v\n\n%s", r, debug.Stack())
	}
}
