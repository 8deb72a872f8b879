package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// evil is a text that would clear the screen, fill the clipboard and turn what follows round.
const evil = "evil\x1b[2Jtext\x1b]52;c;ZXZpbA==\x07\u202egnp"

// raw are the parts of evil that must not come out. A face clears the screen itself, but not behind this word.
func raw() []string { return []string{"evil\x1b", "\x1b]52;c;ZXZ", "\u202e"} }

// hostile is a set-up that somebody filled with hostile texts, and answers that hold some too.
func hostile(a *tale) {
	a.t.Helper()
	wasSetUp(a)
	for _, d := range []struct {
		kind, name string
		set        map[string]any
	}{
		{"applicationUsers", "NetwrixAuditor", map[string]any{"displayName": evil, "samAccountName": evil}},
		{"connectionProfiles", "Default", map[string]any{"description": evil, "rdpProxyHost": evil}},
		{"activities", "Netwrix Auditor Domain Admin", map[string]any{"loginAccountNameFormat": evil, "description": evil}},
		{"policies", "Netwrix Auditor (resource)", map[string]any{"description": evil}},
		{"resources", "dc01.contoso.com", map[string]any{"os": evil, "displayName": evil}},
		{"serviceAccounts", "svc-backup", map[string]any{"displayName": evil, "userName": evil, "domain": evil}},
	} {
		if err := a.st.s.Drift(d.kind, d.name, d.set); err != nil {
			a.t.Fatal(err)
		}
	}
	text, err := os.ReadFile(a.st.answers())
	if err != nil {
		a.t.Fatal(err)
	}
	path := filepath.Join(a.st.dir, "hostile.yaml")
	quoted := `"` + strings.NewReplacer("\x1b", `\e`, "\x07", `\a`, "\u202e", `\u202e`).Replace(evil) + `"`
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "  name: Netwrix Auditor\n", "  name: "+quoted+"\n", 1)), 0o600); err != nil {
		a.t.Fatal(err)
	}
	a.said["hostile answers"] = path
	a.t.Cleanup(func() {
		for _, r := range raw() {
			if strings.Contains(a.st.printed.String(), r) {
				a.t.Errorf("%q came out", r)
			}
		}
	})
}

// TestHostileNamesInCommands lets the commands print what a hostile server and hostile answers hold.
func TestHostileNamesInCommands(t *testing.T) {
	t.Parallel()
	a := newTale(t, sandbox.Options{}, "line")
	hostile(a)
	f := a.said["hostile answers"]
	saved := filepath.Join(t.TempDir(), "plan.json")
	for _, args := range [][]string{
		{"validate", "-f", f},
		{"plan", "-f", f},
		{"plan", "-f", f, "--output", "json"},
		{"plan", "-f", f, "--calls"},
		{"plan", "-f", f, "--out", saved},
		{"verify", "-f", f},
		{"verify", "-f", f, "--output", "json"},
		{"doctor", "-f", f},
		{"doctor", "-f", f, "--output", "json"},
		{"import", "-f", f, "--out", filepath.Join(t.TempDir(), "imported.yaml")},
		{"import", "-f", a.st.answers(), "--output", "json", "--out", filepath.Join(t.TempDir(), "imported.yaml")},
		{"apply", "-f", f, "--dry-run"},
		{"apply", "-f", f, "--yes", "--output", "json"},
		{"resume", "-f", f, "--yes"},
	} {
		r := a.st.do(args...)
		if r.code == exitUsage {
			t.Errorf("%v: %s", args, r.err)
		}
		for _, bad := range raw() {
			if strings.Contains(r.out+r.err, bad) {
				t.Errorf("%v prints %q", args, bad)
			}
		}
	}
	if !strings.Contains(a.st.printed.String(), "evil") {
		t.Error("nothing hostile was met at all")
	}
}
