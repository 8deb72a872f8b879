package main

import (
	"fmt"
	"io"
	"io/fs"

	"github.com/spf13/cobra"

	"npsetup/assets"
	"npsetup/steps/catalogue"
	"npsetup/steps/problem"
)

func newExplain(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "explain [CODE]", Short: "Say what a code of an error or a warning means, and what to do", Args: cobra.MaximumNArgs(1),
		Long: "Every error and warning names a code. explain CODE tells what it means, how it shows, why it comes, what to do and who has to do it, and what npsetup does about it. explain alone lists all codes.",
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.checkFormat(); err != nil {
				return err
			}
			known, err := codes()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return listCodes(c.OutOrStdout(), known, o.format)
			}
			e, ok := known[problem.Code(args[0])]
			if !ok {
				return problem.New("there is no code "+problem.Plain(args[0])).
					Try("the nearest is "+string(known.Nearest(args[0])), "npsetup explain lists all codes").Of(problem.Usage)
			}
			if o.format == "json" {
				return asJSON(c.OutOrStdout(), e)
			}
			_, err = io.WriteString(c.OutOrStdout(), e.Text())
			return err
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			known, _ := codes()
			names := make([]string, 0, len(known))
			for code := range known {
				names = append(names, string(code))
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
	}
	o.formatFlag(c)
	return c
}

// codes reads the catalogue.
func codes() (catalogue.Catalogue, error) {
	folder, err := fs.Sub(assets.Texts(), "codes")
	if err != nil {
		return nil, err
	}
	return catalogue.Read(folder)
}

func listCodes(w io.Writer, known catalogue.Catalogue, format string) error {
	if format == "json" {
		list := []catalogue.Entry{}
		for _, subject := range catalogue.Subjects() {
			list = append(list, known.Of(subject)...)
		}
		return asJSON(w, list)
	}
	for i, subject := range catalogue.Subjects() {
		if i > 0 {
			subject = "\n" + subject
		}
		if _, err := fmt.Fprintln(w, subject); err != nil {
			return err
		}
		for _, e := range known.Of(catalogue.Subjects()[i]) {
			if _, err := fmt.Fprintf(w, "  %-31s %s\n", e.Code, e.Title); err != nil {
				return err
			}
		}
	}
	return nil
}
