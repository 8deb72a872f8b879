package main

import (
	"bytes"
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
