package main

import (
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"

	"charm.land/lipgloss/v2"
)

// showsUTF8 says whether what the environment says of a terminal's language lets it show more than ASCII. One that says nothing is believed to:
// over SSH that is told to few servers, and hardly a terminal is left that does not.
func showsUTF8(env func(string) (string, bool)) bool {
	if runtime.GOOS == "windows" { // these variables mean nothing there
		return true
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v, _ := env(name); v != "" {
			return strings.Contains(strings.ReplaceAll(strings.ToLower(v), "-", ""), "utf8")
		}
	}
	return true
}

// asciiTerminal is a terminal that shows nothing but ASCII. Only what is shown changes: files, pipes and what is sent stay as they are.
type asciiTerminal struct {
	*os.File
	tight bool // each character takes as many columns as before

	mu   sync.Mutex
	rest []byte // the beginning of a character
}

// onTerminal gives a file its ASCII form where it is a terminal that needs one.
func onTerminal(f *os.File, terminal bool, env func(string) (string, bool)) io.Writer {
	if !terminal || showsUTF8(env) {
		return f
	}
	return &asciiTerminal{File: f}
}

// drawn is where the full screen draws.
func drawn(w io.Writer) io.Writer {
	if t, is := w.(*asciiTerminal); is {
		return &asciiTerminal{File: t.File, tight: true}
	}
	return w
}

func (t *asciiTerminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := append(t.rest, p...)
	var b strings.Builder
	for len(text) > 0 && utf8.FullRune(text) {
		r, n := utf8.DecodeRune(text)
		b.WriteString(t.ascii(r))
		text = text[n:]
	}
	t.rest = append([]byte{}, text...)
	_, err := t.File.Write([]byte(b.String()))
	return len(p), err
}

// WriteString and ReadFrom go the same way: the file's own would not.
func (t *asciiTerminal) WriteString(s string) (int, error) { return t.Write([]byte(s)) }

func (t *asciiTerminal) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{t}, r)
}

// ascii is what stands for a character.
func (t *asciiTerminal) ascii(r rune) string {
	switch {
	case r < utf8.RuneSelf:
		return string(r)
	case r == '…' && !t.tight:
		return "..."
	case r == '→' && !t.tight:
		return "->"
	}
	if s, known := asciiFor[r]; known {
		return s
	}
	if r >= 0x2500 && r <= 0x257f { // lines of boxes
		return "+"
	}
	return strings.Repeat("?", lipgloss.Width(string(r)))
}

var asciiFor = map[rune]string{
	'“': `"`, '”': `"`, '„': `"`, '‘': "'", '’': "'", '‹': "<", '›': ">", '«': "<", '»': ">", '…': "~", '•': "*", '·': ".", '–': "-", '—': "-", '−': "-", '\u00a0': " ",
	'←': "<", '→': ">", '↑': "^", '↓': "v", '─': "-", '━': "-", '│': "|", '┃': "|", '█': "#", '░': ".", '▌': "|", '✓': "+", '✗': "x",
}
