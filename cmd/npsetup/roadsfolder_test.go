package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/secret"
)

// TestAFolderThatCannotBeUsedIsSeenByThePlan, before anything is made; not when nothing is to be made in it.
func TestAFolderThatCannotBeUsedIsSeenByThePlan(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(folder string) error
		says  string
	}{
		"open to others":  {func(f string) error { return os.Chmod(f, 0o777) }, "others than its owner may write in it"},
		"a link":          {func(f string) error { return os.Symlink(t.TempDir(), f+"-link") }, "it is a symbolic link"},
		"a file":          {func(f string) error { return os.WriteFile(f+"-link", nil, 0o600) }, "it is a file"},
		"not there to be": {func(string) error { return nil }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			folder := filepath.Dir(st.inFolder(""))
			if err := os.Mkdir(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := c.spoil(folder); err != nil {
				t.Fatal(err)
			}
			args := []string{"plan", "-f", st.road("new")}
			if _, err := os.Lstat(folder + "-link"); err == nil {
				args = append(args, "--set", "application.folder=file:"+folder+"-link")
			}
			r := st.do(args...)
			if c.says == "" {
				r.want(t, exitPending)
				return
			}
			says(t, squeezed(r.want(t, exitFailed).err), "application.folder", "nothing can be written into the folder", c.says)
		})
	}
	st := proven(t, "new")
	if err := os.Chmod(filepath.Dir(st.inFolder("")), 0o777); err != nil {
		t.Fatal(err)
	}
	r := st.do("plan", "-f", st.road("new")).want(t, exitOK)
	says(t, squeezed(r.out), "warning: the files of the certificate lie in "+filepath.Dir(st.inFolder("")), "others than its owner may write in it", "chmod go-w", "key-folder-unsafe")
	if err := os.Chmod(filepath.Dir(st.inFolder("")), 0o700); err != nil {
		t.Fatal(err)
	}
	if r := st.do("plan", "-f", st.road("new")).want(t, exitOK); strings.Contains(r.out, "warning: the files") {
		t.Errorf("a safe folder is warned of:\n%s", r.out)
	}
}

// TestAnswersOfAnotherRoadAreRefused with their places, and words in the wrong case.
func TestAnswersOfAnotherRoadAreRefused(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	write := func(name, text string) string {
		path := filepath.Join(st.dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	text := string(st.file(st.road("new")))
	path := write("beside.yaml", strings.Replace(text, "  keyType:", "  key: file:own.key\n  authorities: file:ca.pem\n  answer: file:a.p7b\n  keyType:", 1))
	r := st.do("validate", "-f", path).want(t, exitUsage)
	says(t, r.err, "(application.key): the answer would not be used", "(application.authorities): the answer would not be used", "(application.answer): the answer would not be used", "no authority issues the certificate", "beside.yaml:")
	for _, wrong := range []string{"New", "REQUEST", "File:a.cer"} {
		path := write("case.yaml", strings.Replace(text, "certificate: new", "certificate: "+wrong, 1))
		says(t, st.do("validate", "-f", path).want(t, exitUsage).err, "case.yaml:", "(application.certificate)", "written in lower case")
	}
	st.do("validate", "-f", write("named.yaml", strings.Replace(text, "certificate: new", "certificate: file:New", 1))).want(t, exitOK)
}

// TestNoHintInvitesASecretToTheCommandLine.
func TestNoHintInvitesASecretToTheCommandLine(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	text := string(st.file(st.road("new")))
	path := filepath.Join(st.dir, "lacks.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(text, "  passphrase: env:NPS_PFX_PASSPHRASE\n", "", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r := st.do("validate", "-f", path).want(t, exitUsage)
	says(t, r.err, "--set application.passphrase=env:NAME|file:PATH|prompt")
	if strings.Contains(r.err, "application.passphrase=VALUE") {
		t.Error(r.err)
	}
}

// TestAPFXIsOpenedOnce for the same bytes and the same passphrase.
func TestAPFXIsOpenedOnce(t *testing.T) {
	st := madeSite(t)
	l := &link{}
	words := secret.New(st.s.Passphrase())
	first, err := l.opened(st.inFolder(".pfx"), words)
	if err != nil {
		t.Fatal(err)
	}
	again, err := l.opened(st.inFolder(".pfx"), words)
	if err != nil || again.Key != first.Key { // the same pointer: it was not opened again
		t.Errorf("it was opened again: %v", err)
	}
	if _, err := l.opened(st.inFolder(".pfx"), secret.New("another-passphrase")); err == nil {
		t.Error("another passphrase opens it")
	}
	st.copy(st.inFolder(".cer"), st.inFolder(".pfx"))
	if _, err := l.opened(st.inFolder(".pfx"), words); err == nil {
		t.Error("what is no PFX was opened")
	}
}
