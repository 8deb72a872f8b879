package run

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func FuzzReadJournal(f *testing.F) {
	sending, _ := json.Marshal(Entry{Seq: 1, Action: "a", Op: "o", State: Sending})
	lost, _ := json.Marshal(Entry{Seq: 2, Action: "a", Op: "o", State: Lost})
	for _, s := range [][]byte{nil, sending, append(sending, '\n'), bytes.Join([][]byte{sending, lost, {}}, []byte("\n")), []byte("{\n\nnull\n7\r\n{}"), []byte("\x00\xff\n")} {
		f.Add(s)
	}
	mark, err := json.Marshal(Entry{Seq: 9, Action: "mark", Op: "o", State: Sending})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "journal.jsonl")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		entries, err := readJournal(dir)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if n := bytes.Count(raw, []byte("\n")) + 1; len(entries) > n {
			t.Fatalf("%d entries in %d lines", len(entries), n)
		}
		for _, e := range unanswered(entries) {
			if e.State != Sending && e.State != Lost {
				t.Fatalf("%+v is not unanswered", e)
			}
		}
		// Whatever is there, the next entry is read.
		j, err := os.OpenFile(path, os.O_APPEND|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := endLine(j); err != nil {
			t.Fatal(err)
		}
		if _, err := j.Write(append(bytes.Clone(mark), '\n')); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := readJournal(dir)
		if err != nil || len(again) != len(entries)+1 || again[len(entries)].Action != "mark" {
			t.Fatalf("%q: %d entries, then %d, %v", raw, len(entries), len(again), err)
		}
	})
}
