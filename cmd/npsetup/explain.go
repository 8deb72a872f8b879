package main

import (
	"fmt"
	"io"
	"io/fs"
	"maps"
	"strings"

	"github.com/spf13/cobra"

	"npsetup/assets"
	"npsetup/steps/catalogue"
	"npsetup/steps/problem"
)

func newExplain(shared *options) *cobra.Command {
	o := *shared
	c := &cobra.Command{
		Use: "explain [CODE|EVENT|RISK]", Short: "Say what a code of an error or a warning means, and what to do", Args: cobra.MaximumNArgs(1),
		Long: "Every error and warning names a code. explain CODE tells what it means, how it shows, why it comes, what to do and who has to do it, and what npsetup does about it. explain EVENT does so for an event of Auditor's log, such as 5804, or for another number that a server names; explain RISK for a risk that is accepted by name. explain alone lists all codes and risks.",
		RunE: func(c *cobra.Command, args []string) error {
			if err := o.checkFormat(); err != nil {
				return err
			}
			known, err := explainable()
			if err != nil {
				return err
			}
			if len(args) == 0 || strings.TrimSpace(args[0]) == "" {
				return listCodes(c.OutOrStdout(), known, o.format)
			}
			if e, ok := known.Find(args[0]); ok {
				return explainOne(c.OutOrStdout(), e, o.format)
			}
			return explainNumber(c.OutOrStdout(), known, args[0], o.format)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			known, _ := explainable()
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

func explainOne(w io.Writer, e catalogue.Entry, format string) error {
	if format == "json" {
		return asJSON(w, e)
	}
	_, err := io.WriteString(w, e.Text())
	return err
}

// explainNumber tells of the codes that name a number, such as that of an event in Auditor's log. With one code it is as if that had been typed.
func explainNumber(w io.Writer, known catalogue.Catalogue, typed, format string) error {
	found := known.Naming(typed)
	switch {
	case len(found) == 0:
		p := problem.New("there is no code " + problem.Plain(typed)).Of(problem.Usage)
		if near := known.Nearest(typed); near != "" {
			p.Try("the nearest is " + string(near))
		}
		return p.Try("npsetup explain lists all codes and risks")
	case len(found) == 1:
		return explainOne(w, found[0], format)
	case format == "json":
		return asJSON(w, found)
	}
	if _, err := fmt.Fprintf(w, "%s has several causes; the words beside it tell which it is:\n", problem.Plain(typed)); err != nil {
		return err
	}
	for _, e := range found {
		if _, err := fmt.Fprintf(w, "\n  %-31s %s\n", e.Code, e.Title); err != nil {
			return err
		}
		for _, sign := range e.Signs {
			if _, err := fmt.Fprintf(w, "    - %s\n", sign); err != nil {
				return err
			}
		}
	}
	_, err := io.WriteString(w, "\nnpsetup explain CODE tells more\n")
	return err
}

// explainable are the codes, and the risks that somebody accepts by name.
func explainable() (catalogue.Catalogue, error) {
	all, err := codes()
	if err != nil {
		return nil, err
	}
	risks, err := texts("risks")
	maps.Copy(all, risks)
	return all, err
}

// codes reads the catalogue.
func codes() (catalogue.Catalogue, error) { return texts("codes") }

func texts(name string) (catalogue.Catalogue, error) {
	folder, err := fs.Sub(assets.Texts(), name)
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
