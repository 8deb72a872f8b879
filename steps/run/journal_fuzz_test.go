package run

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"npsetup/steps/problem"
)

func lineOf(tb testing.TB, v any) []byte {
	tb.Helper()
	line, err := summed(v)
	if err != nil {
		tb.Fatal(err)
	}
	return line
}

// FuzzReadJournal: whatever stands in the file, it is read or refused in words. What is read stays readable with everything that is added, and what is refused
// is left as it is.
func FuzzReadJournal(f *testing.F) {
	h, cut := lineOf(f, head{Journal: journalVersion}), lineOf(f, head{Journal: journalVersion, Cut: true})
	sending, lost := lineOf(f, Entry{Seq: 1, Action: "a", Op: "o", State: Sending}), lineOf(f, Entry{Seq: 2, Action: "a", Op: "o", State: Lost})
	old := []byte(`{"time":"2026-01-01T00:00:00Z","seq":1,"action":"a","op":"o","state":"sending","request":""}` + "\n")
	for _, s := range [][]byte{
		nil, h, old, bytes.Join([][]byte{h, sending, lost}, nil), bytes.Join([][]byte{old, h, lost}, nil), bytes.Join([][]byte{h, sending[:9], {'\n'}, cut, sending}, nil),
		append(bytes.Clone(h), make([]byte, 99)...), []byte("{\n\nnull\n7\r\n{}"), []byte("\x00\xff\n"), []byte(`{"journal":3}`), bytes.Join([][]byte{h, lost, sending}, nil),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, journalFile)
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := readJournal(dir)
		if err != nil {
			var said *problem.Problem
			if !errors.As(err, &said) || said.Why == "" || len(said.Next) == 0 {
				t.Fatalf("%q is refused by %v", raw, err)
			}
			if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, raw) {
				t.Fatalf("%q became %q, %v", raw, now, err)
			}
			return
		}
		if n := bytes.Count(raw, []byte("\n")) + 1; len(p.entries) > n || p.torn > n {
			t.Fatalf("%d entries, torn at %d, in %d lines", len(p.entries), p.torn, n)
		}
		for _, e := range unanswered(p.entries) {
			if e.State != Sending && e.State != Lost {
				t.Fatalf("%+v is not unanswered", e)
			}
		}
		j, err := os.OpenFile(path, os.O_APPEND|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := ready(j, p); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Write(lineOf(t, Entry{Seq: p.last + 1, Action: "mark", Op: "o", State: Sending})); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := readJournal(dir)
		if err != nil || len(again.entries) != len(p.entries)+1 || again.entries[len(p.entries)].Action != "mark" || again.torn != 0 {
			t.Fatalf("%q: %d entries, then %d, %v", raw, len(p.entries), len(again.entries), err)
		}
	})
}
