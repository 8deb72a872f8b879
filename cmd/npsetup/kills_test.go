package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"npsetup/steps/run"
)

// kill is a way in which a run ends at one of its changes.
type kill int

const (
	beforeSend  kill = iota // the journal says that it is sent; it never is
	afterSend               // it is carried out; nothing of its answer is on disk
	tornAnswer              // its answer is noted down by half a line
	afterAnswer             // its answer is noted down, and nothing that follows from it
	answerLost              // its answer is lost, and that is all that is noted down
	takenBack               // in any of these ways, and undone without having been resumed
)

// killer follows the events of a command and kills it at its k-th change: from then on nothing is sent, and what is written to the
// state folder is as if it had never been. In one process that is as near to SIGKILL as it gets; make test-full does the real one.
type killer struct {
	st   *site
	kind kill
	k    int    // 0: only counts
	at   string // counts only changes whose path ends like that, or whose kind it is; empty: all
	word string // the change is what a person says of this step
	step int    // the change is this one of the steps over SSH, carried out or not; 0: none of them
	done bool

	mu     sync.Mutex
	n      int
	calls  int    // of them, requests to NPS
	lost   bool   // the answer to the k-th request
	action string // of the k-th change
	dead   bool
	steps  int // over SSH
	kept   map[string][]byte
	stop   context.CancelFunc
}

// Write implements io.Writer: one event a line, as the runner says it, before anything else happens.
func (k *killer) Write(p []byte) (int, error) {
	var e struct {
		Event, Step, Action string
		Op                  *struct{ Class, Kind, Path string }
	}
	if json.Unmarshal(p, &e) != nil {
		return len(p), nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	change := e.Op != nil && e.Op.Class == "change" && (k.at == e.Op.Kind || strings.HasSuffix(e.Op.Path, k.at))
	if change && e.Event == run.OpSent && e.Op.Kind == "call" {
		if k.calls++; k.kind == answerLost && k.calls == k.k {
			_, err := k.st.s.SetFaults([]string{"answer-lost"}, nil)
			k.lost = err == nil
		}
	}
	switch {
	case k.word != "" && e.Step == k.word && e.Event == run.StepStarted:
		k.dies()
	case k.word != "" && e.Step == k.word && e.Event == run.ActionDone:
		k.action = e.Action
		k.stop()
	case k.word != "" || k.kind == answerLost:
	case e.Event == run.OpSent && k.dead:
		panic("killed before") // the runner turns it into a failed action: nothing of it is sent
	case e.Event == run.OpSent && change:
		if k.n++; k.n == k.k {
			if k.action = e.Action; k.kind == beforeSend {
				k.dies()
				k.stop()
				panic("killed")
			}
		}
	case e.Event == run.OpDone && change && e.Action == k.action && !k.dead:
		if k.dies(); k.kind == afterSend {
			k.stop()
		}
	case k.dead && e.Action == k.action: // its answer is noted down
		k.stop()
	}
	return len(p), nil
}

// dies keeps the state folder as the kill leaves it.
func (k *killer) dies() { k.dead, k.kept = true, folderOf(k.st.t, k.st.state) }

// run runs a command, and leaves the state folder as the kill did. It says whether there was one.
func (k *killer) run(t *testing.T, args ...string) (result, bool) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	k.stop, k.st.watch = stop, k
	defer func() { k.st.watch = nil }()
	if k.st.ssh != nil {
		k.st.ssh.killedBy(k)
		defer k.st.ssh.killedBy(nil)
	}
	r := k.st.within(ctx, append(args, "--output", "json")...)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead {
		k.rewind(t)
	}
	return r, k.dead || k.lost
}

// rewind puts the state folder back to the kill.
func (k *killer) rewind(t *testing.T) {
	t.Helper()
	for path, raw := range folderOf(t, k.st.state) {
		was, kept := k.kept[path]
		if k.word != "" && kept {
			k.kept[path] = k.heard(t, path, was, raw)
			continue
		}
		if filepath.Base(path) != "journal.jsonl" || !kept || k.kind != afterAnswer && k.kind != tornAnswer {
			continue
		}
		between, answer := concluding(raw[len(was):], k.action)
		if answer == nil {
			t.Fatal("what became of it was never noted down")
		}
		if k.kind == tornAnswer {
			answer = answer[:len(answer)/2]
		}
		was = append(was, between...)
		k.kept[path] = append(was, answer...)
	}
	if err := os.RemoveAll(k.st.state); err != nil {
		t.Fatal(err)
	}
	for path, raw := range k.kept {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// concluding is the first line of a journal that says what became of a change of the action, and the lines before it.
func concluding(journal []byte, action string) (before, line []byte) {
	return upTo(journal, func(e run.Entry) bool { return e.Action == action && e.State != run.Sending })
}

// upTo is the first line of a journal that is looked for, and the lines before it.
func upTo(journal []byte, sought func(run.Entry) bool) (before, line []byte) {
	for _, l := range bytes.SplitAfter(journal, []byte("\n")) {
		var e run.Entry
		if json.Unmarshal(l, &e) == nil && sought(e) {
			return before, l
		}
		before = append(before, l...)
	}
	return nil, nil
}

// folderOf is what a folder holds, by path.
func folderOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			var raw []byte
			if raw, err = os.ReadFile(path); err == nil {
				all[path] = raw
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a file that takes another's place was renamed meanwhile
		}
		return err
	})
	if err != nil {
		t.Errorf("the state folder cannot be read: %v", err)
	}
	return all
}
