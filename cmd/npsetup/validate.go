package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"npsetup/steps/problem"
)

func newValidate(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "validate -f FILE", Short: "Check an answers file without a server", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if o.file == "" {
				return problem.New("no answers file was named").Try("name it with -f FILE").Of(problem.Usage)
			}
			o.plans = true
			j, err := offline(c, &o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(j.out(), "%s: the answers are complete (%d steps apply)\n", problem.Plain(o.file), len(j.guide.Applying(j.answers)))
			return err
		},
	}
	o.answerFlags(c)
	return c
}
