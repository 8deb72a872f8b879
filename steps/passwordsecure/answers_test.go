package passwordsecure

import (
	"context"
	"strings"
	"testing"

	"npsetup/steps"
)

func scene(drafts map[string]string) *steps.Scene {
	g := Guide(World{})
	return steps.NewScene(steps.NewAnswers(g, drafts, ""), steps.Memory{})
}

// warnings plans nothing and brings the warnings of a scene to light.
func warnings(t *testing.T, s *steps.Scene) string {
	t.Helper()
	p, err := steps.Draft(steps.Guide{}, s, "")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(p.Warnings, "\n")
}

func TestTemplatesArePreviewed(t *testing.T) {
	entry := map[string]string{keyDomain: "CONTOSO", keyUser: "app-admin", keyUsers: "CONTOSO\\anna\nFABRIKAM\\ben"}
	for template, c := range map[string]struct{ warns, shows string }{
		"":                                     {"", `every session asks Password Secure for CONTOSO\app-admin`},
		`CONTOSO\App-Admin`:                    {"they differ in its letters' case", `CONTOSO\App-Admin`},
		`contoso.com\app-admin`:                {"they differ, and what is not found is answered with null", ""},
		`%domain%\%SamAccountName%`:            {"gives the entry CONTOSO\\app-admin to none of the users", `FABRIKAM\ben: FABRIKAM\ben`},
		`CONTOSO\%samaccountname%-%sessionid%`: {"", `CONTOSO\anna: CONTOSO\anna-%sessionid% (the masks in it are filled by NPS)`},
	} {
		drafts := map[string]string{keyTemplate: template}
		for k, v := range entry {
			drafts[k] = v
		}
		s := scene(drafts)
		preview(s)
		var shown string
		for _, f := range s.Findings("") {
			shown += f.Text + strings.Join(f.Items, "\n")
		}
		if got := warnings(t, s); !strings.Contains(got, c.warns) || c.warns == "" && got != "" || !strings.Contains(shown, c.shows) {
			t.Errorf("%q: warns %q, shows %q", template, got, shown)
		}
	}
}

func TestTemplatesThatFindNothing(t *testing.T) {
	for _, bad := range []string{"app-admin", `\app-admin`, `CONTOSO\`, ` CONTOSO\x`, `CONTOSO\%samaccountname`, "CONTOSO\\x\ny"} {
		if checkTemplate(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	for _, good := range []string{`CONTOSO\app-admin`, `%targetDomain%\%samAccountName%`} {
		if err := checkTemplate(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestVersionsAreJudged(t *testing.T) {
	for v, want := range map[string]struct{ problem, warns string }{
		"9.2": {"", ""}, "9.2.1.32530": {"", ""}, "9.3.0.33526": {"", ""},
		"9.1.9": {"too old", ""}, "8.16": {"too old", ""},
		"9.4": {"", dllFolder}, "10.0.1": {"", "restart the action service"},
	} {
		s := scene(map[string]string{keyVersion: v})
		judgeVersion(s)
		said := ""
		if err := s.Problems(); err != nil {
			said = err.Error()
		}
		if got := warnings(t, s); !strings.Contains(said, want.problem) || want.problem == "" && said != "" || !strings.Contains(got, want.warns) || want.warns == "" && got != "" {
			t.Errorf("%s: %q, %q", v, said, got)
		}
	}
}

// TestAdministratorsKeysAreWarnedOf: a key sees what its user sees.
func TestAdministratorsKeysAreWarnedOf(t *testing.T) {
	s := scene(map[string]string{keyAsk: "false"})
	w := World{ReadKey: func(context.Context, steps.Answers) (Key, error) {
		return Key{User: "Administrator", Fingerprint: "f"}, nil
	}}
	w.Now = fixed
	if err := w.lookKey(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if got := warnings(t, s); !strings.Contains(got, "that of the user Administrator") {
		t.Errorf("it warns %q", got)
	}
}
