package main

import (
	"context"
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
