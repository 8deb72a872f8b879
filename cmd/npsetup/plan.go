package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
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
	o.dryRun = true
	j, err := newJob(c, o)
	if err != nil {
		return err
	}
	defer j.close()
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
		if err := os.WriteFile(j.output, raw, 0o600); err != nil {
			return problem.New("the plan cannot be written to " + problem.Plain(j.output)).Because(problem.Plain(err.Error())).Try("name a file in a folder that is there with --out FILE")
		}
	}
	if err := j.print(p, digest, raw); err != nil {
		return err
	}
	if j.output != "" {
		_, err = fmt.Fprintf(j.talk(), "written to %s; carry exactly this out with\n  npsetup apply --plan %s --approve %s\n", j.output, j.output, digest)
	}
	return err
}
