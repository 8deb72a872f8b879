package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// hostileFiles are files that nobody should have given.
func hostileFiles() map[string][]byte {
	head := "version: 1\nguide: auditor\n"
	return map[string][]byte{
		"alias bomb":      []byte(head + "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: [*c,*c,*c,*c]\n"),
		"10 MB of text":   []byte(head + "application:\n  name: " + strings.Repeat("x", 10<<20) + "\n"),
		"1 MB of text":    []byte(head + "application:\n  name: " + strings.Repeat("x", 1<<20-100) + "\n"),
		"20 MB":           bytes.Repeat([]byte("#\n"), 10<<20),
		"huge numbers":    []byte(head + "connectionProfile: {settings: {maxDuration: 1e400, viewPasswordTimeout: 999999999999999999999999}}\n"),
		"invalid UTF-8":   []byte(head + "application:\n  name: \xff\xfe\n"),
		"escapes":         []byte(head + "\"" + `\e[2Jevil\u202e` + "\": 1\nnps:\n  url: \"https://" + `\e]52;c;ZXZpbA==\a` + "/\"\n"),
		"nothing":         nil,
		"zeros":           make([]byte, 4096),
		"JSON, deep":      []byte(strings.Repeat("[", 50000)),
		"JSON, huge":      []byte(`{"format":1e999,"digest":"` + strings.Repeat("a", 1<<20) + `"}`),
		"a plan, escapes": []byte(`{"format":1,"digest":"\u001b[2J","answers":{"evil\u001b[2J":"\u202e"},"actions":null}`),
	}
}

// TestHostileFiles gives them as answers and as plan: each is refused in few words, with a next step, and nothing is sent.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	path := filepath.Join(t.TempDir(), "given")
	for name, raw := range hostileFiles() {
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"validate", "-f", path}, {"apply", "-f", path, "--yes"}, {"apply", "--plan", path, "--approve", "sha256:0", "--yes"}} {
			r := st.do(args...)
			if r.code != exitUsage && r.code != exitFailed || !strings.HasPrefix(r.err, "npsetup: ") || !strings.Contains(r.err, "\n  next: ") || len(r.err) > 64<<10 {
				t.Errorf("%s, %v: exit %d and %d bytes: %.300s", name, args[0], r.code, len(r.err), r.err)
			}
			for _, bad := range controls() {
				if strings.Contains(r.out+r.err, bad) {
					t.Errorf("%s, %v: %q comes out", name, args[0], bad)
				}
			}
		}
	}
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
}

func controls() []string { return []string{"\x1b", "\x07", "\u202e", "\xff", "\x00"} }

// TestFilesAreNotWrittenThroughLinks lets every command that writes a file meet a link, a file and a folder in its place.
func TestFilesAreNotWrittenThroughLinks(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	for name, args := range map[string][]string{
		"plan":   {"plan", "-f", st.answers(), "--out"},
		"key":    {"key", "-f", st.answers(), "--to"},
		"import": {"import", "-f", st.answers(), "--out"},
		"script": {"trust", "script", filepath.Join(st.dir, "auditor-client.cer"), "--out"},
	} {
		dir := t.TempDir()
		other, link, dangling, folder, fresh := filepath.Join(dir, "other"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling"), filepath.Join(dir, "folder"), filepath.Join(dir, "fresh")
		if err := errors.Join(os.WriteFile(other, []byte("mine"), 0o600), os.Symlink(other, link), os.Symlink(filepath.Join(dir, "nowhere"), dangling), os.Mkdir(folder, 0o700)); err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{link, dangling, folder} {
			r := st.do(append(args, to)...)
			if raw, err := os.ReadFile(other); err != nil || string(raw) != "mine" {
				t.Errorf("%s wrote through %s", name, filepath.Base(to))
			}
			if _, err := os.Lstat(filepath.Join(dir, "nowhere")); err == nil {
				t.Errorf("%s wrote through the dangling link", name)
				_ = os.Remove(filepath.Join(dir, "nowhere"))
			}
			if to == folder && (r.code == exitOK || r.code == exitPending || !strings.Contains(r.err, "next: ")) {
				t.Errorf("%s to a folder: exit %d, %s", name, r.code, r.err)
			}
		}
		st.do(append(args, fresh)...)
		if info, err := os.Stat(fresh); err != nil || info.Mode().Perm()&0o077 != 0 && name != "script" {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}
