package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// TestTheAnswersGoWhereTheyCanBeWritten: what is offered can be taken, and what cannot be taken is told once, with what can.
func TestTheAnswersGoWhereTheyCanBeWritten(t *testing.T) {
	home, here := t.TempDir(), t.TempDir()
	d := &desk{state: t.TempDir(), o: &options{app: &app{now: time.Now, home: func() (string, error) { return home, nil }}}}
	d.meet(t.Context(), nil, io.Discard)
	g, _ := d.link.guide("auditor")
	m := steps.NewMachine(g, nil, here)
	t.Chdir(here)
	for _, want := range []string{"answers.yaml", "answers-2.yaml"} {
		if place := d.Place(); place != want {
			t.Fatalf("offered %q, want %q", place, want)
		}
		if err := d.WriteAnswers(m, want); err != nil {
			t.Fatal(err)
		}
	}
	lost := filepath.Join(here, "missing", "answers.yaml")
	for _, path := range []string{"answers.yaml", lost} {
		err := d.WriteAnswers(m, path)
		if err == nil {
			t.Fatalf("%s was written", path)
		}
		p := problem.All(err)[0]
		if strings.Count(p.Error(), path) != 1 || strings.Contains(p.Why, here) || !strings.HasSuffix(p.Next[0], "for example answers-3.yaml") {
			t.Errorf("%s; next %q", p, p.Next)
		}
	}
	if runtime.GOOS == "linux" {
		t.Chdir(openFolder(t))
		if place, want := d.Place(), filepath.Join(home, "answers.yaml"); place != want {
			t.Errorf("offered %q, want %q", place, want)
		}
		if err := d.WriteAnswers(m, "answers.yaml"); err == nil || !strings.Contains(problem.All(err)[0].Next[0], filepath.Join(home, "answers.yaml")) {
			t.Errorf("in a folder that everybody may write in: %v", err)
		}
		t.Chdir("/proc") // nobody can write there
		if place, want := d.Place(), filepath.Join(home, "answers.yaml"); place != want {
			t.Errorf("offered %q, want %q", place, want)
		}
	}
	d.state = filepath.Join(here, "answers.yaml") // no folder
	if err := d.Save(m); err == nil || strings.Count(err.Error(), here) != 1 {
		t.Errorf("kept: %v", err)
	}
}

// openFolder is one in which everybody may write.
func openFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	return folder
}
