package auditor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"npsetup/assets"
	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/problem"
)

// FuzzReadAnswers reads whatever may be given as an answers file: each fault has a place and what to do, and none repeats the file;
// what is taken can be written down and is read as the same again.
func FuzzReadAnswers(f *testing.F) {
	g := Guide(World{World: nps.World{Texts: nps.Texts{FS: assets.Texts()}, CheckTrust: func(string) error { return nil }}})
	find := func(id string) (steps.Guide, bool) { return g, id == g.ID }
	example, err := os.ReadFile(filepath.Join("testdata", "answers.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	for _, seed := range []string{
		"", "version: 1\nguide: auditor\n", "version: 1\nguide: auditor\nnps:\n  url: [a, b]\n", "a: &a [*a]\nversion: 1\n", "---\n---\n", "\t", "version: 1e9999\nguide: auditor\n",
		"version: 1\nguide: auditor\nconnectionProfile:\n  settings:\n    maxDuration: 99999999999999999999999999\n", "version: 1\nguide: auditor\nnps: {url: \"\\e[2J\"}\n", "? [a]\n: b\n", "{{{{{{", "version: !!int 1\n", "\xff",
		"version: 1\nguide: auditor\nmonitoringPlan: {items: [a, \"b\\nc\", {d: e}]}\n", "version: 1\nguide: auditor\nnps:\n  signIn:\n    password: |\n      S3CR3T\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := steps.ReadAnswers(find, "answers.yaml", []byte(text), steps.Overrides{})
		for _, one := range problem.All(err) {
			if !strings.HasPrefix(one.Where, "answers.yaml") || one.Kind != problem.Usage {
				t.Errorf("%+v", one)
			}
			if said := one.Error(); !utf8.ValidString(said) || problem.Plain(said) != said {
				t.Errorf("%q", said)
			}
		}
		if err != nil {
			return
		}
		again, err := steps.FromDrafts(g, "answers.yaml", p.Answers.Lasting(), p.Answers.Dir(), steps.Overrides{})
		if err != nil {
			t.Fatalf("what was taken is not taken again: %v", err)
		}
		for key, draft := range again.Answers.Drafts() {
			if was := p.Answers.Text(key); again.Answers.Text(key) != was {
				t.Errorf("%s was %q and is %q (%q)", key, was, again.Answers.Text(key), draft)
			}
		}
	})
}
