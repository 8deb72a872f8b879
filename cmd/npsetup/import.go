package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// importOptions are what import is told besides the sign-in.
type importOptions struct {
	guide, out string
	signIn     map[string]*string // answer key → flag
	names      map[string]*string // flag of a guide → value
}

func newImport(shared *options) *cobra.Command {
	o := *shared
	i := importOptions{signIn: map[string]*string{}, names: map[string]*string{}}
	guides := (&link{app: &app{}}).guides()
	c := &cobra.Command{
		Use: "import --url URL --user USER --out FILE", Short: "Read an integration that somebody set up by hand, and write the answers file that describes it", Args: cobra.NoArgs,
		Long: importLong(guides),
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if err := o.checkFormat(); err != nil {
				return err
			}
			return runImport(c.Context(), c, &o, i)
		},
	}
	o.answerFlags(c)
	o.formatFlag(c)
	c.Flags().StringVar(&i.guide, "guide", "auditor", "`GUIDE` whose set-up is read: "+strings.Join(importable(guides), ", ")+"; that of the file, where -f names one")
	c.Flags().StringVar(&i.out, "out", "", "write the answers to the new `FILE`")
	for _, f := range importSignIn() {
		i.signIn[f[1]] = c.Flags().String(f[0], "", f[2])
	}
	for _, g := range guides {
		if g.Import == nil {
			continue
		}
		for _, f := range g.Import.Flags {
			if i.names[f.Name] == nil {
				i.names[f.Name] = c.Flags().String(f.Name, "", "`"+f.Value+"`: "+f.Help+" ("+strings.Join(flagGuides(guides, f.Name), ", ")+")")
			}
		}
	}
	return c
}

// importSignIn are the flags of the sign-in: flag, answer, help.
func importSignIn() [][3]string {
	return [][3]string{
		{"url", "nps.url", "`URL` of the NPS server"},
		{"trust", "nps.trust", "trust its certificate by `TRUST`: system, ca:FILE or pin:sha256:HEX"},
		{"user", "nps.signIn.user", "sign in as `USER`"},
		{"password", "nps.signIn.password", "`REFERENCE` of the password: env:NAME, file:PATH, keyring:NAME or prompt"},
		{"mfa", "nps.signIn.mfa", "`MFA`: prompt, totp:REFERENCE, push:WORD or none"},
	}
}

func importLong(guides []steps.Guide) string {
	text := "import signs in, reads, changes nothing on the server, and writes a new answers file. What differs from the guide, and what could not be read, stands in it as comments; an answer that the server does not tell stands there empty. npsetup verify -f FILE then tells what differs. When several objects fit, it lists them and asks for the flag that names the one that is meant. Secrets are written as references, never as values.\n\nThe guides:\n"
	for _, g := range guides {
		if g.Import != nil {
			text += fmt.Sprintf("  %-16s %s\n", g.ID, g.Title)
		}
	}
	return text + "\nOf a file named with -f, how to sign in and what the server does not tell is taken; the rest is read."
}

// importable are the ids of the guides whose set-ups can be read.
func importable(guides []steps.Guide) []string {
	var ids []string
	for _, g := range guides {
		if g.Import != nil {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

// flagGuides are the ids of the guides that know a flag.
func flagGuides(guides []steps.Guide, flag string) []string {
	var ids []string
	for _, g := range guides {
		if g.Import != nil && slices.ContainsFunc(g.Import.Flags, func(f steps.ImportFlag) bool { return f.Name == flag }) {
			ids = append(ids, g.ID)
		}
	}
	return ids
}

func runImport(ctx context.Context, c *cobra.Command, o *options, i importOptions) error {
	j, err := importJob(c, o, i)
	if err != nil {
		return err
	}
	j.scene = steps.NewScene(j.answers, steps.Memory{})
	var l problem.List
	for _, seen := range steps.Inspect(ctx, signInOf(j.guide), j.scene, "") {
		l.Add(seen.Err)
	}
	if err := l.Err(); err != nil {
		return err
	}
	asked := map[string]bool{}
	named := i.named(j.guide.Import, j.answers.Dir())
	in, err := j.guide.Import.Read(ctx, j.scene, func(flag string) string {
		asked[flag] = true
		return named(flag)
	})
	if err != nil {
		return err
	}
	if err := i.unused(j.guide.Import, asked, in); err != nil {
		return err
	}
	j.describe(&in)
	j.compare(ctx, &in)
	if err := j.writeImported(i.out, in); err != nil {
		return err
	}
	return j.tellImported(i.out, in)
}

// unused tells of the flags that named something of which there was nothing to choose.
func (i importOptions) unused(by *steps.Importer, asked map[string]bool, in steps.Imported) error {
	var l problem.List
	for _, f := range by.Flags {
		if strings.TrimSpace(*i.names[f.Name]) != "" && !asked[f.Name] {
			l.Add(problem.New("--" + f.Name + " names nothing here").Because("it is for " + f.Help + "; what was read has none: " + strings.Join(in.Found, ", ")).
				Try("leave --" + f.Name + " out").Of(problem.Usage))
		}
	}
	return l.Err()
}

// named gives the values of a guide's flags. A path is named from where the command is run, and in answers from their own folder.
func (i importOptions) named(by *steps.Importer, dir string) func(string) string {
	return func(flag string) string {
		v := ""
		for _, f := range by.Flags {
			if f.Name != flag {
				continue
			}
			if v = strings.TrimSpace(*i.names[flag]); v == "" || !f.File || strings.HasPrefix(v, "store:") {
				return v
			}
			path := absolute(strings.TrimPrefix(v, "file:"))
			if within, err := filepath.Rel(dir, path); err == nil && filepath.IsLocal(within) {
				path = within
			}
			v = "file:" + path
		}
		return v
	}
}

// importJob reads what there is of answers: how to sign in. All that is wrong with them and with the flags comes back together.
func importJob(c *cobra.Command, o *options, i importOptions) (*job, error) {
	state, err := o.safeState()
	if err != nil {
		return nil, err
	}
	o.begun, o.dryRun = true, true
	j := &job{options: o, c: c, link: &link{app: o.app, talk: c.ErrOrStderr(), dry: true, state: state, life: c.Context()}}
	var l problem.List
	l.Add(i.checkOut())
	overrides, err := j.overrides()
	l.Add(err)
	if err != nil {
		return nil, l.Err()
	}
	for key, v := range i.signIn {
		if *v != "" {
			overrides.Set[key] = *v
		}
	}
	file, err := j.importFile(overrides, &i)
	if err != nil {
		l.Add(err)
		return nil, l.Err()
	}
	g, ok := j.link.guide(i.guide)
	if !ok || g.Import == nil {
		l.Add(problem.New("the guide " + problem.Plain(i.guide) + " has nothing that reads a set-up").Try("--guide " + strings.Join(importable(j.link.guides()), ", or --guide ")).Of(problem.Usage))
		return nil, l.Err()
	}
	l.Add(i.foreign(j.link.guides(), g))
	drafts := map[string]string{}
	dir, _ := os.Getwd() // without it, relative paths stay as they are
	if o.file != "" {
		dir = file.Answers.Dir()
		for key, draft := range file.Answers.Drafts() { // of a file, only how to sign in and what nobody can read: the rest is read
			if strings.HasPrefix(key, "nps.") || slices.Contains(g.Import.Given, key) {
				drafts[key] = draft
			}
		}
	}
	parsed, err := steps.FromDrafts(g, "import", drafts, dir, overrides)
	if err != nil {
		l.Add(err)
		return nil, l.Err()
	}
	j.guide, j.answers = g, parsed.Answers.Anchored(filepath.Dir(absolute(i.out)))
	if !j.answers.Has("nps.signIn.password") && !j.answers.Has("nps.signIn.token") {
		j.answers = j.answers.With("nps.signIn.password", "prompt")
	}
	for _, f := range j.answers.Check(signInOf(g)) {
		p := j.answers.Absent(f)
		for _, flag := range importSignIn() {
			if flag[1] == f.Key {
				p.Next = append([]string{"--" + flag[0] + " VALUE"}, p.Next...)
			}
		}
		l.Add(p)
	}
	l.Add(o.app.checkSources(j.answers, g, o.needs(j.answers)))
	return j, l.Err()
}

// importFile reads the answers file, if one is named. Its guide is the one that is meant, unless another is named.
func (j *job) importFile(o steps.Overrides, i *importOptions) (steps.Parsed, error) {
	if j.file == "" {
		return steps.Parsed{}, nil
	}
	file, err := j.fromFile(o)
	switch {
	case err != nil:
		return file, err
	case !j.c.Flags().Changed("guide"):
		i.guide = file.Guide.ID
	case i.guide != file.Guide.ID:
		return file, problem.New("the answers file " + problem.Plain(j.file) + " is of another guide than --guide says").Because("it is of " + file.Guide.ID + ", and --guide says " + problem.Plain(i.guide)).
			Try("leave --guide out, or name a file of that guide").Of(problem.Usage)
	}
	return file, nil
}

func (i importOptions) checkOut() error {
	if i.out == "" {
		return problem.New("it is not said where the answers go").Try("--out FILE writes them to a new file").Of(problem.Usage)
	}
	if _, err := os.Lstat(i.out); !errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.Plain(i.out) + " exists already and is left as it is").Try("name a file that does not exist yet: --out FILE").Of(problem.Usage)
	}
	return ownPlace(i.out, problem.New("the answers cannot be written to "+problem.Plain(i.out)), "name another place with --out FILE")
}

// foreign tells of the flags that name objects of another guide.
func (i importOptions) foreign(guides []steps.Guide, g steps.Guide) error {
	var l problem.List
	for _, flag := range slices.Sorted(maps.Keys(i.names)) {
		if of := flagGuides(guides, flag); *i.names[flag] != "" && !slices.Contains(of, g.ID) {
			l.Add(problem.New("--" + flag + " is of another guide").Because("the guide " + strings.Join(of, ", ") + " knows it, and that of " + g.ID + " is read").
				Try("leave it out, or read the other guide: --guide " + strings.Join(of, ", or --guide ")).Of(problem.Usage))
		}
	}
	return l.Err()
}
