package main

import (
	"strings"

	"github.com/spf13/cobra"

	"npsetup/steps"
	"npsetup/steps/problem"
)

func newSchema(shared *options) *cobra.Command {
	return &cobra.Command{
		Use: "schema [GUIDE]", Short: "Print the JSON Schema of the answers file", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			l := &link{app: shared.app}
			id := l.guides()[0].ID
			if len(args) == 1 {
				id = args[0]
			}
			g, ok := l.guide(id)
			if !ok {
				var ids []string
				for _, g := range l.guides() {
					ids = append(ids, g.ID)
				}
				return problem.New("there is no guide " + problem.Plain(id)).Try("the guides are " + strings.Join(ids, ", ")).Of(problem.Usage)
			}
			raw, err := steps.Schema(g)
			if err != nil {
				return err
			}
			_, err = c.OutOrStdout().Write(raw)
			return err
		},
	}
}
