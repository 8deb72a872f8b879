package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/client/pki"
	"npsetup/steps"
	"npsetup/steps/auditor"
	"npsetup/steps/secret"
)

// atTerminal runs a command line for a person who types these passphrases.
func atTerminal(t *testing.T, typed []string, args ...string) (result, []string) {
	t.Helper()
	var out, errs bytes.Buffer
	var prompts []string
	a := &app{
		in: strings.NewReader(""), out: &out, err: &errs, now: time.Now, terminal: true, env: func(string) (string, bool) { return "", false },
		home: func() (string, error) { return t.TempDir(), nil },
		password: func(_ context.Context, prompt string) ([]byte, error) {
			prompts = append(prompts, prompt)
			if len(typed) == 0 {
				return nil, errors.New("the input ended")
			}
			words := typed[0]
			typed = typed[1:]
			return []byte(words + "\r\n"), nil
		},
	}
	code := startContext(t.Context(), args, a)
	for _, words := range typed {
		if strings.Contains(out.String()+errs.String(), words) {
			t.Errorf("a passphrase was printed: %s%s", out.String(), errs.String())
		}
	}
	return result{code, out.String(), errs.String()}, prompts
}

// On a terminal a new passphrase is asked twice, and that of a file once, only when it is needed.
func TestPassphrasesAreAskedFor(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new")
	words := "typed-by-a-person-twice"
	command := []string{"cert", "new", "--name", "a", "--dir", dir, "--key-type", "ecdsa-p256"}
	r, prompts := atTerminal(t, []string{words, "something else"}, command...)
	if r.want(t, exitUsage); !strings.Contains(r.err, "differ") || len(prompts) != 2 {
		t.Errorf("%s %q", r.err, prompts)
	}
	if r, _ = atTerminal(t, nil, command...); r.code != exitCancelled {
		t.Errorf("the end of input ends with %d: %s", r.code, r.err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	r, prompts = atTerminal(t, []string{words, words}, command...)
	if r.want(t, exitOK); len(prompts) != 2 {
		t.Errorf("%q", prompts)
	}
	opened, err := pki.ReadPFX(filepath.Join(dir, "a.pfx"), secret.New(words))
	if err != nil || len(opened.Certificates) != 1 {
		t.Errorf("%v", err)
	}
	r, prompts = atTerminal(t, []string{words}, "cert", "inspect", filepath.Join(dir, "a.cer"), filepath.Join(dir, "a.key"), filepath.Join(dir, "a.pfx"))
	if r.want(t, exitOK); len(prompts) != 1 || !strings.Contains(prompts[0], "a.pfx") {
		t.Errorf("%q", prompts)
	}
}

// When one of several files cannot be written, those written before it go again.
func TestFilesAreWrittenTogether(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	meanwhile := errors.New("no room")
	err := writeAll([]newFile{
		{path: path("a"), content: []byte("a")},
		{path: path("b"), write: func() error { return meanwhile }},
		{path: path("c"), content: []byte("c")},
	})
	if !errors.Is(err, meanwhile) {
		t.Error(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
	if err := os.WriteFile(path("a"), []byte("a"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writeAll([]newFile{{path: path("a"), content: []byte("a")}, {path: path("b"), content: []byte("b")}}); err != nil {
		t.Errorf("the same content again: %v", err)
	}
	if err := writeAll([]newFile{{path: path("c"), content: []byte("c")}, {path: path("a"), content: []byte("other")}}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("other content: %v", err)
	}
	if _, err := os.Stat(path("c")); err == nil {
		t.Error("c was written although a stood in the way")
	}
}

// TestCertAndASetUpNameFilesAlike: what the one has made, the other finds.
func TestCertAndASetUpNameFilesAlike(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"NetwrixAuditor", "Netwrix Auditor", `a/b\c:d`, "Prüf \"x\"", "..", "a. "} {
		answers := steps.NewAnswers((&link{app: &app{now: time.Now}}).guides()[0], map[string]string{"application.name": name, "application.certificate": "new", "application.folder": "file:" + dir}, dir)
		var looked []string
		auditor.Packs(answers, func(path string) bool { looked = append(looked, path); return false })
		if wrote := stem(dir, name) + ".pfx"; !slices.Contains(looked, wrote) {
			t.Errorf("%q: cert writes %s, a set-up looks for %v", name, wrote, looked)
		}
	}
}
