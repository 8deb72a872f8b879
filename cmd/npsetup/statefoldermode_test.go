//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"npsetup/client/sandbox"
)

// TestStateFoldersThatAreNotSafe are refused before anything is read, written or sent.
func TestStateFoldersThatAreNotSafe(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		spoil func(dir string) error
		says  []string
	}{
		"a link":              {func(dir string) error { return errors.Join(os.Remove(dir), os.Symlink(t.TempDir(), dir)) }, []string{"is a symbolic link", "--state DIR", "state-folder-unsafe"}},
		"a dangling link":     {func(dir string) error { return errors.Join(os.Remove(dir), os.Symlink("nowhere", dir)) }, []string{"is a symbolic link"}},
		"everybody's":         {func(dir string) error { return os.Chmod(dir, 0o777) }, []string{"others may write in", "0777", "chmod 700 "}},
		"its group's":         {func(dir string) error { return os.Chmod(dir, 0o770) }, []string{"others may write in", "0770"}},
		"a file":              {func(dir string) error { return errors.Join(os.Remove(dir), os.WriteFile(dir, nil, 0o600)) }, []string{"it is no folder", "state-folder-unusable"}},
		"its runs are a link": {func(dir string) error { return os.Symlink(t.TempDir(), filepath.Join(dir, "runs")) }, []string{"/runs is a symbolic link"}},
		"its runs are everyones": {func(dir string) error {
			r := filepath.Join(dir, "runs")
			return errors.Join(os.Mkdir(r, 0o700), os.Chmod(r, 0o707))
		}, []string{"/runs", "0707"}},
	} {
		st := newSite(t, sandbox.Options{})
		dir := filepath.Join(st.state, "state")
		if err := errors.Join(os.Mkdir(dir, 0o700), c.spoil(dir)); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"apply", "-f", st.answers(), "--yes"}, {"plan", "-f", st.answers()}, {"resume", "--yes"}, {"undo", "--yes"}, {"--plain"}} {
			r := st.do(append(args, "--state", dir)...).want(t, exitFailed)
			says(t, r.err, append([]string{dir}, c.says...)...)
		}
		if n := len(st.s.Requests()); n != 0 {
			t.Errorf("%s: %d requests were sent", what, n)
		}
	}
}
