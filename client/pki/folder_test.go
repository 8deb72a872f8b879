package pki

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestFoldersAreJudgedBeforeTheyAreWritten: what CheckFolder refuses WriteFile refuses too, and neither changes the folder.
func TestFoldersAreJudgedBeforeTheyAreWritten(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: folders of Windows have other rights; that these are judged is not checked there")
	}
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir(at("own"), 0o700))
	must(os.Mkdir(at("open"), 0o700))
	must(os.Chmod(at("open"), 0o777))
	must(os.Symlink(at("own"), at("link")))
	must(os.WriteFile(at("file"), nil, 0o600))
	must(os.Mkdir(at("closed"), 0o500))
	for name, says := range map[string]string{
		"own": "", "new": "", "new/deeper": "", "open": "others than its owner may write in it", "link": "it is a symbolic link", "file": "it is a file", "file/below": "not a directory",
		"closed": "permission denied", "closed/below": "cannot be made in " + at("closed"),
	} {
		if strings.HasPrefix(name, "closed") && os.Getuid() == 0 {
			t.Log("SKIPPED: root may write everywhere; that a folder without the right to write is refused is not checked")
			continue
		}
		err := CheckFolder(at(name))
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", name, err, says)
		}
		if wrote := WriteFile(filepath.Join(at(name), "x"), []byte("x"), 0o600); (wrote == nil) != (err == nil) {
			t.Errorf("%s: %v before it is written, %v when it is", name, err, wrote)
		}
	}
}
