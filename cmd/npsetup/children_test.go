package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// image is a process as anybody on the machine, or its owner, sees it.
type image struct {
	words   [][]byte // its command line
	environ [][]byte
}

func (i image) String() string { return string(bytes.Join(i.words, []byte(" "))) }

// gives names where an image holds one of the secrets; empty when it holds none. What the person himself has put into the environment
// under one of the names is his own.
func (i image) gives(secrets []string, own ...string) string {
	for _, s := range secrets {
		if s == "" {
			continue
		}
		for _, w := range i.words {
			if bytes.Contains(w, []byte(s)) {
				return "the command line of " + filepath.Base(string(i.words[0]))
			}
		}
		for _, v := range i.environ {
			name, value, _ := strings.Cut(string(v), "=")
			if strings.Contains(value, s) && !slices.Contains(own, name) {
				return "the variable " + name + " of " + filepath.Base(string(i.words[0]))
			}
		}
	}
	return ""
}

// marker is what a planted leak gives away.
const marker = "marker-of-a-planted-leak"

// leaky starts one child with a secret in its command line, and one with it in its environment.
func leaky() {
	self, _ := os.Executable()
	for _, c := range []*exec.Cmd{{Path: self, Args: []string{"idle", marker}, Env: []string{}}, {Path: self, Args: []string{"idle"}, Env: []string{"PLANTED=" + marker}}} {
		if err := c.Run(); err != nil {
			_, _ = os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
	}
}

// TestWhoStartsChildren: each place that starts a program says by itself what of this process's environment it gets. Another one
// belongs here, and into the runs of TestNoSecretInAnyProcess.
func TestWhoStartsChildren(t *testing.T) {
	var starts []string
	for _, path := range sources(t) {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		code := string(raw)
		if !strings.Contains(code, `"os/exec"`) && !strings.Contains(code, "os.StartProcess") && !strings.Contains(code, "syscall.ForkExec") {
			continue
		}
		starts = append(starts, path)
		if n := strings.Count(code, "exec.Command"); n != strings.Count(code, "c.Env = []string{") || n != strings.Count(code, "c := exec.CommandContext(") {
			t.Errorf("%s starts a program that gets the whole environment", path)
		}
	}
	if want := []string{"../../client/auditorlog/run_windows.go", "../../client/trust/storetool.go"}; !slices.Equal(starts, want) {
		t.Errorf("programs are started by %q, not by %q", starts, want)
	}
}

// sources are the Go files of the program, of every system.
func sources(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, folder := range []string{"../../assets", "../../client", "../../cmd", "../../steps", "../../tui"} {
		err := filepath.WalkDir(folder, func(path string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				files = append(files, filepath.ToSlash(path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}
