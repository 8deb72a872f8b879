package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui"
	"npsetup/tui/face"
	"npsetup/tui/line"
)

// wizardOptions choose the face.
type wizardOptions struct {
	plain  bool
	person func(ctx context.Context) ([]string, error) // the demonstration's
	hints  []string                                    // what can be typed there
	files  []string                                    // answers files besides -f
}

// started are the answers of a file, to begin with.
type started struct {
	file string
	steps.Parsed
}

// startOf are the answers to begin a guide with.
func (d *desk) startOf(guide string) (started, bool) {
	for _, s := range d.start {
		if s.Guide.ID == guide {
			return s, true
		}
	}
	return started{}, false
}

// fileFirst puts the answers that somebody named before all else, whichever guide they are of.
func fileFirst(o face.Offer) int {
	if o.Continue == "file" {
		return 0
	}
	return 1
}

// runWizard leads a person through a guide.
func runWizard(ctx context.Context, c *cobra.Command, o *options, w wizardOptions) error {
	var start []started
	for _, file := range append([]string{o.file}, w.files...) {
		if file == "" {
			continue
		}
		from := *o
		from.file, from.begun = file, true
		j, err := offline(c, &from)
		if err != nil {
			return err
		}
		start = append(start, started{file, steps.Parsed{Guide: j.guide, Answers: j.answers}})
	}
	o.app.guided = nil // the wizard's advice is about the run that is worked on, not about a file it was started with
	d, err := newDesk(o, start)
	if err != nil {
		return err
	}
	defer d.leave()
	var ending face.Ending
	full := o.app.fullScreen(w.plain)
	if full {
		ending, err = screenFace(ctx, o, w, d)
	} else {
		ending, err = lineFace(ctx, c.OutOrStdout(), o, w, d)
	}
	return ended(c, ending, err, full)
}

// fullScreen says whether the terminal can show the full screen, and the person wants it.
func (a *app) fullScreen(plain bool) bool {
	if plain || !a.terminal || !a.screen {
		return false
	}
	if v, set := a.env("ACCESSIBLE"); set && v != "" && v != "0" {
		return false
	}
	t, _ := a.env("TERM")
	return t != "dumb" && t != ""
}

func screenFace(ctx context.Context, o *options, w wizardOptions, d *desk) (face.Ending, error) {
	wizard := tui.New(tui.Options{
		Work: d, In: o.app.in, Out: drawn(o.app.out), Env: o.app.environ, DryRun: o.dryRun, Version: version, Now: o.app.now, Scrub: o.app.scrub.Scrub, Person: w.person, Hints: w.hints,
		Crash: func(report string) (string, error) { return keepCrash(d.state, report) },
	})
	d.meet(ctx, wizard, wizard)
	return wizard.Run(ctx)
}

func lineFace(ctx context.Context, out io.Writer, o *options, w wizardOptions, d *desk) (face.Ending, error) {
	options := line.Options{Work: d, In: o.app.in, Out: out, Reveal: o.app.out, DryRun: o.dryRun, Version: version, Now: o.app.now, Person: w.person, Hints: w.hints}
	if o.app.terminal {
		options.ReadSecret = o.app.password
	}
	l := line.New(options)
	d.meet(ctx, l, l)
	return l.Run(ctx)
}

// ended gives the exit code, and says once more how a face was left whose screen is gone.
func ended(c *cobra.Command, e face.Ending, err error, gone bool) error {
	for _, said := range e.Said {
		_, _ = fmt.Fprintln(c.ErrOrStderr(), said)
	}
	if e.Report != nil && gone {
		for _, l := range e.Report.Lines {
			_, _ = fmt.Fprintf(c.ErrOrStderr(), "%s %s %s\n", l.Step, l.Outcome, l.Proof)
		}
	}
	if e.Plan != nil && gone {
		_, _ = fmt.Fprint(c.OutOrStdout(), e.Plan.Text(plan.TextOptions{}))
	}
	if e.Report == nil {
		tellResult(c.ErrOrStderr(), e.Result)
	}
	switch {
	case err != nil && !problem.Is(err, problem.Cancelled):
		return err
	case err != nil:
		printProblems(c.ErrOrStderr(), err)
		return ending(exitCancelled)
	case e.Cancelled:
		kept := ""
		if e.Kept {
			kept = "; what was answered is kept, secrets aside. npsetup continues"
		}
		_, _ = fmt.Fprintln(c.ErrOrStderr(), "left"+kept)
		return ending(exitCancelled)
	case e.Pending:
		return ending(exitPending)
	case e.Err != nil:
		return ending(max(exitCode(e.Err), exitFailed))
	case e.Report == nil:
		return nil
	}
	code := endCode(*e.Report, e.Result, nil)
	if code == exitFailed && len(e.Result.Actions) == 0 {
		code = exitPending // it was only read back: what differs is a change to make
	}
	return ending(code)
}

// tellResult says what a run did that was left before its report.
func tellResult(w io.Writer, r run.Result) {
	for _, a := range r.Actions {
		_, _ = fmt.Fprintf(w, "%s: %s\n", problem.Plain(a.Key), a.Outcome)
	}
}

// keepCrash writes a crash report that only its owner can read.
func keepCrash(state, report string) (string, error) {
	if err := os.MkdirAll(state, 0o700); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(state, "crash-*.txt")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString("npsetup " + version + "\n\n" + report)
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return filepath.Clean(f.Name()), nil
}

// screenOn says whether in and out are terminals.
func screenOn(in, out *os.File) bool {
	return term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
}

// notACommand is the mistake of a word that is no command.
func notACommand(args []string) error {
	return problem.New("there is no command " + problem.Plain(strings.Join(args, " "))).Try("npsetup help lists the commands").Of(problem.Usage)
}
