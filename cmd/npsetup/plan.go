package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func newPlan(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "plan -f FILE", Short: "Look at the server and show every change that apply would make", Args: cobra.NoArgs,
		Long: "plan reads and changes nothing. It ends with 0 when there is nothing to change, 2 when changes are pending, 3 when only a person has something to do.\n\n" +
			"--output markdown is a change ticket for those who approve; --output curl is a bash script that makes the same changes with curl and jq.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if err := o.checkFormat("markdown", "curl"); err != nil {
				return err
			}
			return runPlan(c.Context(), c, &o)
		},
	}
	o.answerFlags(c)
	o.formatFlag(c, "markdown", "curl")
	c.Flags().StringVar(&o.output, "out", "", "write the plan to `FILE`, for apply --plan FILE --approve DIGEST")
	c.Flags().BoolVar(&o.calls, "calls", false, "show every request with its body")
	c.Flags().BoolVar(&o.dryRun, "dry-run", true, "plan never changes anything")
	return c
}

func runPlan(ctx context.Context, c *cobra.Command, o *options) error {
	o.dryRun, o.plans, o.looks = true, true, true
	j, err := newJob(c, o)
	if err != nil {
		return err
	}
	defer j.close()
	j.tellOpen()
	p, err := j.draft(ctx)
	if err != nil {
		return err
	}
	if err := j.show(p); err != nil {
		return err
	}
	return ending(planCode(p))
}

// planCode says what a plan means for a script.
func planCode(p plan.Plan) int {
	pending := p.Pending()
	byHand := pending[plan.ByHand]
	delete(pending, plan.ByHand)
	switch {
	case len(pending) > 0:
		return exitPending
	case byHand > 0:
		return exitPerson
	}
	return exitOK
}

// show prints a plan as the result of a command.
func (j *job) show(p plan.Plan) error {
	digest, err := p.Digest()
	if err != nil {
		return err
	}
	raw, err := p.Document()
	if err != nil {
		return err
	}
	if j.output != "" {
		if err := writePlan(j.output, raw); err != nil {
			return err
		}
	}
	if err := j.print(p, digest, raw); err != nil {
		return err
	}
	if j.output != "" {
		_, err = fmt.Fprintf(j.talk(), "written to %s; carry exactly this out with\n  npsetup apply%s --plan %s --approve %s\n", problem.Plain(j.output), j.placed(), plan.ShellWord(j.output), digest)
	}
	return err
}

// writePlan writes a plan file whole or not at all, and over nothing but another plan.
func writePlan(path string, raw []byte) error {
	bad := func() *problem.Problem { return problem.New("the plan cannot be written to " + problem.Plain(path)) }
	const there = "name a file in a folder that is there with --out FILE"
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		if err := os.WriteFile(path, raw, 0o600); err != nil { // a pipe, or a device
			return bad().Unwritten(err, there)
		}
		return nil
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		return bad().Because("it is a symbolic link: whoever made it decides what is replaced").Try("name the file itself with --out FILE")
	}
	if err := ownPlace(path, bad(), "name another place with --out FILE"); err != nil {
		return err
	}
	if have, err := readLimited(path); err == nil {
		if _, err := plan.ReadSaved(have); err != nil && len(have) > 0 {
			return bad().Because("it exists and is no plan: it is left as it is").Try("name another file with --out FILE")
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return bad().Unwritten(err, there)
	}
	if err := run.Replace(path, raw); err != nil {
		return bad().Unwritten(err, there)
	}
	return nil
}
