//go:build full

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"npsetup/client/sandbox"
)

// listener is an output that tells when a text has come.
type listener struct {
	mu    sync.Mutex
	all   bytes.Buffer
	text  string
	heard chan struct{}
	once  sync.Once
}

func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Write(p)
	if strings.Contains(l.all.String(), l.text) {
		l.once.Do(func() { close(l.heard) })
	}
	return len(p), nil
}

// signalled runs the real binary and lets something happen while its k-th changing request waits for its answer: stopping is closed when the program
// says that it stops.
func (st *site) signalled(t *testing.T, k int, while func(p *os.Process, stopping <-chan struct{}), args ...string) (string, error) {
	t.Helper()
	c := st.process(t, args...)
	out := &listener{text: "stopping: ", heard: make(chan struct{})}
	c.Stdout, c.Stderr = out, out
	known := make(chan struct{})
	st.atChange(k, func() { <-known; while(c.Process, out.heard) })
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	close(known)
	err := c.Wait()
	st.printed.Write(out.all.Bytes())
	return out.all.String(), err
}

// lastStates are the last states of the changes in the one journal, by action and operation.
func (st *site) lastStates(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(st.state, "runs", "*", "journal.jsonl"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(raw)), "\n") {
		var e struct{ Action, Op, State string }
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if e.Op != "" {
			states[e.Action+"/"+e.Op] = e.State
		}
	}
	return states
}

// TestASignalLetsTheRequestEnd: what was sent is answered and noted down, nothing more is begun, and the run says what is left and how it goes on.
func TestASignalLetsTheRequestEnd(t *testing.T) {
	want, _ := undisturbed(t, sandbox.Options{})
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			out, err := st.signalled(t, 2, func(p *os.Process, stopping <-chan struct{}) { _ = p.Signal(s); <-stopping }, "apply", "-f", st.answers(), "--yes")
			if code(err) != exitCancelled {
				t.Fatalf("ended with %d, %v\n%s", code(err), err, out)
			}
			says(t, out, "stopping: what was sent is waited for", "not-run", "npsetup resume --state ", " --yes continues it")
			states := st.lastStates(t)
			if len(states) == 0 {
				t.Error("the journal is empty")
			}
			for op, state := range states {
				if state != "done" {
					t.Errorf("%s ended as %s", op, state)
				}
			}
			sent := st.changes()
			if n := len(states); sent < 2 || sent > n {
				t.Errorf("%d changes were sent, the journal has %d", sent, n)
			}
			again, err := st.process(t, "resume", "--yes").CombinedOutput()
			st.printed.Write(again)
			if code(err) != exitPerson || st.canonical() != want {
				t.Errorf("resume ended with %d\n%s", code(err), again)
			}
			if strings.Contains(string(again), "was never seen") {
				t.Errorf("an answer was lost:\n%s", again)
			}
		})
	}
}

// TestASecondSignalEndsAtOnce, whatever is under way; the run is continued as after a kill.
func TestASecondSignalEndsAtOnce(t *testing.T) {
	want, _ := undisturbed(t, sandbox.Options{})
	st := newSite(t, sandbox.Options{})
	out, err := st.signalled(t, 2, func(p *os.Process, stopping <-chan struct{}) {
		_ = p.Signal(os.Interrupt)
		<-stopping
		for p.Signal(os.Interrupt) == nil { // the answer comes only when the process is gone: it did not wait for it
			runtime.Gosched()
		}
	}, "apply", "-f", st.answers(), "--yes")
	if code(err) != -1 { // by the signal itself: a shell tells 130
		t.Fatalf("ended with %d, %v\n%s", code(err), err, out)
	}
	again, err := st.process(t, "resume", "--yes").CombinedOutput()
	st.printed.Write(again)
	if code(err) != exitPerson || st.canonical() != want {
		t.Errorf("resume ended with %d\n%s", code(err), again)
	}
}
