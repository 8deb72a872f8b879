package main

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"npsetup/client/passwordsecure"
	"npsetup/steps/auditor"
	guide "npsetup/steps/passwordsecure"
)

func newAssumptions(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "assumptions", Short: "List everything that the vendor does not document and npsetup relies on", Args: cobra.NoArgs,
		Long: "Each assumed call is tried once with the real object and read back; a server that does not offer it gets the step done by hand.",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.checkFormat(); err != nil {
				return err
			}
			list := slices.Concat(auditor.Assumptions(), passwordsecure.Assumptions(), guide.Assumptions())
			if o.format == "json" {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetEscapeHTML(false)
				e.SetIndent("", "  ")
				return e.Encode(list)
			}
			for _, a := range list {
				if _, err := fmt.Fprintf(c.OutOrStdout(), "%s\n    %s\n", a.Topic, a.Text); err != nil {
					return err
				}
			}
			return nil
		},
	}
	o.formatFlag(c)
	return c
}
