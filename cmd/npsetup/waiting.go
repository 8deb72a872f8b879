package main

import (
	"fmt"
	"io"
	"time"

	"npsetup/client/nps"
	"npsetup/steps/problem"
)

// The longest waits, as docs/reliability.md tells them.
const (
	longestHandshake = "a minute" // so that a slow one is still seen and explained
	longestRequest   = "a minute"
	longestVault     = "10 s at each of its stages and addresses"
	noticedAfter     = 2 * time.Second
)

// waiting tells a person at a terminal what is waited for, and for how long at most, when that takes a while. A face shows it by itself. What it
// gives ends the wait; nothing is written behind it.
func (a *app) waiting(w io.Writer, what, most string) (end func()) {
	if !a.attended || a.face != nil {
		return func() {}
	}
	after := noticedAfter
	if a.noticed > 0 {
		after = a.noticed
	}
	told := make(chan struct{})
	timer := time.AfterFunc(after, func() {
		defer close(told)
		_, _ = fmt.Fprintf(w, "waiting for %s, at most %s …\n", problem.Plain(what), most)
	})
	return func() {
		if !timer.Stop() {
			<-told
		}
	}
}

// awaits tells what is waited for at NPS.
func (l *link) awaits(e nps.Exchange) (answered func()) {
	return l.app.waiting(l.talk, "the answer of NPS to "+e.Method+" "+e.Path, longestRequest)
}
