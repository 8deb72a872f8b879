package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"charm.land/lipgloss/v2"
)

// TestWhatATerminalShows goes by the variables in the order of their weight.
func TestWhatATerminalShows(t *testing.T) {
	t.Parallel()
	for env, want := range map[string]bool{
		"": true, "LANG=C.UTF-8": true, "LANG=tr_TR.utf8": true, "LANG=de_DE.UTF-8@euro": true, "LANG=C": false, "LANG=POSIX": false, "LANG=en_US": false, "LANG=de_DE.ISO-8859-1": false,
		"LC_ALL=C LANG=C.UTF-8": false, "LC_ALL= LANG=C.UTF-8": true, "LC_CTYPE=UTF-8 LANG=C": true, "LC_ALL=tr_TR.UTF-8 LC_CTYPE=C": true,
	} {
		vars := map[string]string{}
		for _, v := range strings.Fields(env) {
			name, value, _ := strings.Cut(v, "=")
			vars[name] = value
		}
		if got := showsUTF8(func(name string) (string, bool) { v, ok := vars[name]; return v, ok }); got != (want || runtime.GOOS == "windows") {
			t.Errorf("%s: %v", env, got)
		}
	}
}

// TestAnASCIITerminal gets nothing but ASCII by every way of writing, at any cut, and on the full screen as many columns as before.
func TestAnASCIITerminal(t *testing.T) {
	t.Parallel()
	const text, want = "“Browse…” → zürich 视 ── done ✓\n", "\"Browse...\" -> z?rich ?? -- done +\n"
	for cut := range len(text) {
		path := filepath.Join(t.TempDir(), "screen")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := onTerminal(f, true, func(name string) (string, bool) { return "C", name == "LC_ALL" })
		_, first := w.Write([]byte(text[:cut]))
		_, second := io.WriteString(w, text[cut:])
		_, third := io.Copy(w, strings.NewReader(text))
		_, fourth := io.WriteString(drawn(w), text)
		raw, err := os.ReadFile(path)
		if err := errors.Join(first, second, third, fourth, err, f.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(raw), want+want) {
			t.Fatalf("cut at %d: %q", cut, raw)
		}
		drawn := strings.TrimPrefix(string(raw), want+want)
		if lipgloss.Width(drawn) != lipgloss.Width(text) || strings.Trim(drawn, "\x00"+printable) != "" {
			t.Errorf("%q is drawn as %q", text, drawn)
		}
	}
	for what, w := range map[string]io.Writer{"a pipe": onTerminal(os.Stdout, false, func(string) (string, bool) { return "C", true }), "UTF-8": onTerminal(os.Stdout, true, func(string) (string, bool) { return "", false })} {
		if w != io.Writer(os.Stdout) || drawn(w) != w {
			t.Errorf("%s is written otherwise than it is", what)
		}
	}
}

const printable = "\n !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~"
