package tui

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"npsetup/steps"
	"npsetup/steps/problem"
)

var update = flag.Bool("update", false, "write the golden files anew")

func filledDrafts() map[string]string {
	return map[string]string{
		"nps.url": "https://nps.contoso.com:6500/", "nps.trust": "pin:sha256:" + strings.Repeat("ab", 32), "nps.signIn.user": `CONTOSO\npsadmin`, "nps.signIn.password": "prompt",
		"nps.signIn.mfa": "prompt", "application.name": "NetwrixAuditor", "application.certificate": "file:auditor-client.cer", "accessPolicy.resource.resources": "dc01.contoso.com",
		"accessPolicy.resource.serviceAccount": "svc-nps", "monitoringPlan.name": "AD Monitoring", "monitoringPlan.items": "contoso.com", "acceptRisks": "domain-admins",
		"passwordSecure.url": "https://ps.contoso.com/", "passwordSecure.version": "9.2", "passwordSecure.apiKey": "prompt", "passwordSecure.entry.domain": "CONTOSO", "passwordSecure.entry.user": "app-admin",
		"accessPolicy.users": `CONTOSO\app-operators`, "accessPolicy.resources": "app01.contoso.com",
	}
}

// drafted gives every typed text of a filled machine another value.
func drafted(f func(string) string) map[string]string {
	d := filledDrafts()
	for k, v := range d {
		if !strings.HasPrefix(k, "nps.trust") && !strings.HasPrefix(k, "nps.signIn.p") && !strings.HasPrefix(k, "nps.signIn.m") && k != "acceptRisks" && k != "passwordSecure.apiKey" {
			d[k] = f(v)
		}
	}
	return d
}

func findings(name string) []steps.Finding {
	return []steps.Finding{
		{Kind: steps.ObjectFinding, Title: "object " + name, State: steps.Differing, Wanted: true, Rows: []steps.Row{{Label: "name", Value: name, Wanted: "other"}, {Label: "number", Value: "15", Wanted: "60"}}},
		{Kind: steps.CertificateFinding, Title: "certificate of " + name, State: steps.Doubtful, Rows: []steps.Row{{Label: "SHA-256", Value: strings.Repeat("ab", 32)}}},
		{Kind: steps.ListFinding, Title: "list", State: steps.Info, Items: []string{name, "other"}},
		{Kind: steps.TextFinding, Title: "remark", State: steps.Missing, Text: "a text about " + name},
	}
}

// situation is one state in which a page is drawn.
type situation struct {
	name   string
	drafts map[string]string
	seen   *steps.Seen
	busy   bool
}

func situations() []situation {
	long := strings.Repeat("a-very-long-name-", 9)
	wide := "käyttäjä 管理者アカウント 🗝"
	return []situation{
		{name: "empty"},
		{name: "filled", drafts: filledDrafts(), seen: &steps.Seen{Findings: findings("dc01")}},
		{name: "error", drafts: filledDrafts(), seen: &steps.Seen{Err: wrongAnswer(), Warnings: []steps.Warning{{Text: "something is odd", Code: problem.WarningCode}}}},
		{name: "busy", drafts: filledDrafts(), busy: true},
		{name: "long names", drafts: drafted(func(v string) string { return v + long }), seen: &steps.Seen{Findings: findings(long)}},
		{name: "wide characters", drafts: drafted(func(string) string { return wide }), seen: &steps.Seen{Findings: findings(wide)}},
	}
}

// onStep is a screen on the page of a step.
func onStep(t *testing.T, g steps.Guide, id string, s situation, width, height int) *screen {
	t.Helper()
	sc := newScreen(t, &fakeWork{guide: g}, width, height)
	elsewhere := []map[string]string{{"application.certificate": "request"}, {"accessPolicy.kind": "both", "accessPolicy.credential.accounts": `CONTOSO\svc-auditor`}}
	for step, _ := g.Step(id); len(elsewhere) > 0 && !step.AppliesTo(steps.NewAnswers(g, s.drafts, "")); elsewhere = elsewhere[1:] { // it is on another road
		drafts := maps.Clone(elsewhere[0])
		maps.Copy(drafts, s.drafts)
		maps.Copy(drafts, elsewhere[0])
		s.drafts = drafts
	}
	sc.m.m = steps.NewMachine(g, s.drafts, "")
	sc.m.guided = true
	sc.m.seen["server"] = steps.Seen{Findings: findings("nps")[1:2]}
	for sc.m.m.Current().ID != id {
		before := sc.m.m
		if moved, faults := sc.m.m.Next(); len(faults) == 0 && moved.Current().ID != before.Current().ID {
			sc.m.m = moved
			continue
		}
		// Answers are missing: the page is reached by saved state.
		raw, err := json.Marshal(map[string]any{"guide": g.ID, "current": id, "drafts": s.drafts})
		if err != nil {
			t.Fatal(err)
		}
		at, err := steps.LoadMachine(g, raw, "")
		if err != nil {
			t.Fatal(err)
		}
		sc.m.m = at
		break
	}
	p := newStepPage(sc.m)
	p.seen = s.seen
	p.anyway = s.seen != nil && s.seen.Err != nil
	sc.m.replace(p)
	if s.busy {
		sc.m.busy = &busy{what: "looking", since: sc.m.o.Now().Add(-3 * time.Second), shown: true}
	}
	return sc
}

// TestPagesOfEveryStep compares every step's page with its archive, in every situation and size, and holds the rules that
// need no archive.
func TestPagesOfEveryStep(t *testing.T) {
	for folder, g := range map[string]steps.Guide{"": realGuide(), "password-secure": vaultGuide()} {
		pagesOf(t, g, filepath.Join("testdata", "pages", folder))
	}
}

func pagesOf(t *testing.T, g steps.Guide, folder string) {
	for _, step := range g.Steps {
		t.Run(g.ID+" "+step.ID, func(t *testing.T) {
			var got txtar.Archive
			for _, size := range [][2]int{{40, 10}, {60, 15}, {80, 24}, {120, 40}} {
				for _, s := range situations() {
					sc := onStep(t, g, step.ID, s, size[0], size[1])
					name := fmt.Sprintf("%dx%d %s", size[0], size[1], s.name)
					if why := sc.broken(); why != "" {
						t.Errorf("%s: %s\n%s", name, why, sc.text())
					}
					got.Files = append(got.Files, txtar.File{Name: name, Data: []byte(strings.TrimRight(sc.text(), "\n") + "\n")})
				}
			}
			compare(t, filepath.Join(folder, step.ID+".txtar"), &got)
		})
	}
}

func compare(t *testing.T, path string, got *txtar.Archive) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, txtar.Format(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatalf("%v; go test ./tui -update writes it", err)
	}
	if len(want.Files) != len(got.Files) {
		t.Fatalf("%d pages in the archive, %d drawn", len(want.Files), len(got.Files))
	}
	for i, f := range got.Files {
		if w := want.Files[i]; w.Name != f.Name || string(w.Data) != string(f.Data) {
			t.Errorf("%s is drawn\n%s\nand stands in the archive as %s\n%s", f.Name, f.Data, w.Name, w.Data)
		}
	}
}
