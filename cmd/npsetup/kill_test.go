package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/secret"
)

func timeNow() time.Time { return time.Now() }

func newScrubber() *secret.Scrubber { return &secret.Scrubber{} }

// undisturbed is the canonical state after a run that nothing stopped, and how many changing requests it took.
func undisturbed(t *testing.T, o sandbox.Options) (string, int) {
	t.Helper()
	st := newSite(t, o)
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	return st.canonical(), st.changes()
}

// atChange does something when the n-th changing request from now on arrives: it is carried out, and waits with its answer.
func (st *site) atChange(n int, do func()) {
	var mu sync.Mutex
	seen := 0
	st.s.OnRequest(func(r sandbox.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Class == "change" {
			if seen++; seen == n {
				do()
			}
		}
	})
}

// stoppedAt runs a command and stops it with the n-th changing request from now on, which is carried out and not answered.
func (st *site) stoppedAt(n int, args ...string) result {
	st.t.Helper()
	ctx, stop := context.WithCancel(st.t.Context())
	defer stop()
	st.atChange(n, stop)
	return st.within(ctx, args...)
}

// TestAStoppedRunContinues stops a run at every changing request, carried out but not answered, and resumes it.
func TestAStoppedRunContinues(t *testing.T) {
	t.Parallel()
	want, n := undisturbed(t, sandbox.Options{})
	if n < 8 {
		t.Fatalf("only %d changing requests", n)
	}
	for k := 1; k <= n; k++ {
		t.Run(fmt.Sprintf("at change %d", k), func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			r := st.stoppedAt(k, "apply", "-f", st.answers(), "--yes").want(t, exitCancelled)
			if !strings.Contains(r.err, "npsetup resume --yes continues it") || strings.Contains(r.out, "is not there") {
				t.Errorf("it says\n%s\n%s", r.err, r.out)
			}
			st.do("resume", "--yes").want(t, exitPerson)
			if got := st.canonical(); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestALostAnswerIsLookedUp loses the answer to every changing request in turn: the run finds out and goes on, or is resumed.
func TestALostAnswerIsLookedUp(t *testing.T) {
	t.Parallel()
	want, n := undisturbed(t, sandbox.Options{})
	for k := 1; k <= n; k++ {
		t.Run(fmt.Sprintf("of change %d", k), func(t *testing.T) {
			st := newSite(t, sandbox.Options{Faults: []string{fmt.Sprintf("answer-lost@%d", k)}})
			if r := st.do("apply", "-f", st.answers(), "--yes"); r.code != exitPerson && r.code != exitFailed {
				r.want(t, exitPerson)
			}
			st.do("resume", "--yes").want(t, exitPerson)
			if got := st.canonical(); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
			if st.changes() != n {
				t.Errorf("%d changing requests, an undisturbed run has %d", st.changes(), n)
			}
		})
	}
}
