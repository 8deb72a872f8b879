package main

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/run"
)

// noted looks whether a person's word is on the disk while npsetup goes on.
func (a *tale) noted(step string) {
	a.t.Helper()
	records, err := run.List(a.st.state)
	if err != nil {
		a.t.Fatal(err)
	}
	for _, r := range records {
		if _, done := r.ManualDone[step]; done {
			return
		}
	}
	a.t.Fatalf("%s is not noted down as done: %+v", step, records)
}

func (a *tale) drift(kind, name, member, value string) {
	a.t.Helper()
	var v any = value
	if n, err := strconv.Atoi(value); err == nil {
		v = n
	} else if text, err := strconv.Unquote(value); err == nil {
		v = text
	} else if yes, err := strconv.ParseBool(value); err == nil {
		v = yes
	}
	if err := a.st.s.Drift(kind, name, map[string]any{member: v}); err != nil {
		a.t.Fatal(err)
	}
}

// has looks for a member among what the server has of a kind and name.
func (a *tale) has(kind, name, member string) {
	a.t.Helper()
	raw, err := json.MarshalIndent(a.st.s.State()[kind], "", " ")
	if err != nil || !strings.Contains(string(raw), name) || !strings.Contains(string(raw), member) {
		a.t.Fatalf("%s of %s %q is not among\n%s (%v)", member, kind, name, raw, err)
	}
}

// expire lets time pass on the server when the change has arrived, more than a token lives.
func (a *tale) expire(change string) {
	left, _ := strconv.Atoi(change)
	a.st.s.OnRequest(func(r sandbox.Request) {
		a.late.Lock()
		defer a.late.Unlock()
		if r.Class == "change" {
			if left--; left == 0 {
				a.late.by += 20 * time.Minute
			}
		}
	})
}

func (a *tale) unchanged() {
	a.t.Helper()
	if n := a.st.changes(); n != a.sent {
		a.t.Fatalf("%d changing requests arrived", n-a.sent)
	}
}

// asBefore compares with the state before what a story begins with was set up.
func (a *tale) asBefore() {
	a.t.Helper()
	if want := a.said["before"]; a.st.canonical() != want {
		a.t.Fatalf("the server's state is\n%s\nwant\n%s", a.st.canonical(), want)
	}
}

// asUndisturbed compares with the state after npsetup apply, nothing of which went wrong.
func (a *tale) asUndisturbed() {
	a.t.Helper()
	if want := a.said["undisturbed"]; a.st.canonical() != want {
		a.t.Fatalf("the server's state is\n%s\nwant\n%s", a.st.canonical(), want)
	}
}

// turnedAway runs a command that changes something while npsetup is at work.
func (a *tale) turnedAway(args, why string) {
	a.t.Helper()
	sent := a.st.changes()
	says(a.t, a.st.do(strings.Fields(args)...).want(a.t, exitFailed).err, why)
	if a.st.changes() != sent {
		a.t.Error("it changed something")
	}
}
