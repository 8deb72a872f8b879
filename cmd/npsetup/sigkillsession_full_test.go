//go:build full

package main

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"npsetup/client/sandbox"
)

// fromStart follows the requests that a proof makes from the one that opens its session on.
type fromStart struct {
	mu     sync.Mutex
	n      int // requests so far; 0 before the session is opened
	stop   int // kill at this one; 0: never
	victim interface{ Kill() error }
}

func (f *fromStart) see(r sandbox.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n > 0 || r.Method == "POST" && r.Path == "/api/v1/ActivitySession" {
		if f.n++; f.n == f.stop {
			_ = f.victim.Kill()
		}
	}
}

// TestKilledWithASessionOpen kills the real binary with SIGKILL at every request from the start of its session to its end.
// The command that follows ends that session before anything else that changes, and only once.
func TestKilledWithASessionOpen(t *testing.T) {
	undisturbed := &fromStart{}
	st := setUp(t)
	st.s.OnRequest(undisturbed.see)
	if out, err := st.process(t, "verify", "--session", "--yes").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if undisturbed.n < 4 {
		t.Fatalf("the proof made %d requests", undisturbed.n)
	}
	next := [][]string{{"verify"}, {"resume", "--yes"}, {"verify", "--session", "--yes"}}
	for k := 1; k <= undisturbed.n; k++ {
		t.Run(fmt.Sprintf("at request %d of %d", k, undisturbed.n), func(t *testing.T) { killedAt(t, k, next[k%len(next)]) })
	}
}

func killedAt(t *testing.T, k int, next []string) {
	st := setUp(t)
	watch, first := &fromStart{stop: k}, len(st.s.Requests())
	victim := st.process(t, "verify", "--session", "--yes")
	watch.mu.Lock()
	st.s.OnRequest(watch.see)
	if err := victim.Start(); err != nil {
		t.Fatal(err)
	}
	watch.victim = victim.Process
	watch.mu.Unlock()
	if err := victim.Wait(); err == nil || victim.ProcessState.Exited() {
		t.Fatalf("it was not killed: %v", err)
	}
	before := len(st.s.Requests())
	ended := false // the last request may have ended it already: then there is nothing to end
	for _, q := range st.s.Requests()[first:] {
		ended = ended || q.Method == "DELETE" && strings.HasPrefix(q.Path, "/api/v1/ActivitySession/")
	}
	out, err := st.process(t, next...).CombinedOutput()
	if code(err) != exitOK {
		t.Fatalf("%v ended with %d\n%s", next, code(err), out)
	}
	var changes []string
	for _, q := range st.s.Requests()[before:] {
		if q.Class == "change" {
			changes = append(changes, q.Method)
		}
	}
	if !ended && (len(changes) == 0 || changes[0] != "DELETE") {
		t.Errorf("the changing requests of %v are %v, and the first one does not end the session\n%s", next, changes, out)
	}
	if said := regexp.MustCompile(`ending the session "npsetup proof `).Match(out); !ended && !said {
		t.Errorf("%v does not say that it ends the session\n%s", next, out)
	}
	if open := st.s.OpenSessions(); len(open) > 0 { // of npsetup or of Auditor
		t.Errorf("still open: %v", open)
	}
	count := st.changes()
	if out, err := st.process(t, "verify").CombinedOutput(); err != nil || st.changes() != count {
		t.Errorf("it is ended again: %v\n%s", err, out)
	}
}
