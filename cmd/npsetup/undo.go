package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"npsetup/steps/problem"
)

// changedSince is the risk of writing former values over what somebody else has changed after the run.
const changedSince = "changed-since"

func newUndo(shared *options) *cobra.Command {
	o := *shared
	keep := false
	c := &cobra.Command{
		Use: "undo --yes", Short: "Take back what a run made and changed, and nothing else", Args: cobra.NoArgs,
		Long: "undo reads the run's journal, looks what is left of it on the server, shows the plan, and takes it back: what the run made is deleted, what it changed gets its former values, " +
			"what was there before stays. What somebody else has changed since is asked about: --accept-risk " + changedSince + " writes the former values over it, --keep-changed leaves it. " +
			"Without -f it takes the one open run. --dry-run ends as plan does: with 2 when there is something to take back, with 3 when only a person can. undo itself ends with 3 when only a person can take the rest back: do what it names, then run it again with --done.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			return runUndo(c.Context(), c, &o, keep)
		},
	}
	o.answerFlags(c)
	o.runFlags(c)
	o.formatFlag(c)
	c.Flags().StringVar(&o.approve, "approve", "", "the `DIGEST` that undo --dry-run printed: carry exactly that out without asking")
	c.Flags().BoolVar(&keep, "keep-changed", false, "leave what somebody else has changed since")
	c.Flags().BoolVar(&o.calls, "calls", false, "show every request with its body")
	return c
}

func runUndo(ctx context.Context, c *cobra.Command, o *options, keep bool) error {
	if err := o.checkFormat(); err != nil {
		return err
	}
	over := slices.Contains(o.accept, changedSince)
	if over && keep {
		return problem.New("--keep-changed and --accept-risk " + changedSince + " exclude each other").Try("give the one that is meant").Of(problem.Usage)
	}
	switch {
	case over:
		o.repeated = []string{"--accept-risk " + changedSince}
	case keep:
		o.repeated = []string{"--keep-changed"}
	}
	o.riskNames = []string{changedSince}
	o.accept = slices.DeleteFunc(slices.Clone(o.accept), func(name string) bool { return name == changedSince })
	if !o.app.terminal && !o.yes && o.approve == "" && !o.dryRun {
		return problem.New("nobody agreed to the changes").Because("there is no terminal to ask on, and neither --yes nor --approve was given").
			Try("look at the changes with npsetup undo --dry-run, then add --yes or --approve DIGEST").Of(problem.Usage)
	}
	j, err := newJob(c, o)
	if err != nil {
		return err
	}
	defer j.close()
	if !j.store.Begun() {
		return problem.New("there is nothing to take back").Because("this state folder has no run for that server: "+problem.Plain(j.guide.ID+" for "+j.identity()+" on "+j.answers.Text("nps.url"))).
			Try("name the state folder of the run with --state DIR", "or run undo on the machine and as the user that set it up: only its journal tells what to take back").Of(problem.Usage)
	}
	if !o.dryRun {
		if _, err := o.writableState(); err != nil {
			return err
		}
	}
	u := &takingBack{job: j, over: over, keep: keep}
	return u.run(ctx)
}
