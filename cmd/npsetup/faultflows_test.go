package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/client/nps"
	"npsetup/client/sandbox"
)

// flow is one way through a guide in two parts: what can be done at once, and what follows when a person has done theirs.
type flow struct {
	name string
	open func(t *testing.T, o sandbox.Options) *site
	ask  func(st *site) []string // the command of both parts
	hand func(st *site) []string // what the person does in between, and the flags that say so
}

func flows() []flow {
	return []flow{
		{"auditor", newSite, func(st *site) []string { return []string{"apply", "-f", st.answers(), "--yes"} }, didAll},
		{
			"credential", newSite,
			func(st *site) []string {
				return []string{"apply", "-f", st.credentialAnswers("credential"), "--accept-risk", "rotate-password", "--yes"}
			}, didAll,
		},
		{"password-secure", newVaultSite, func(st *site) []string { return []string{"apply", "-f", st.answers(), "--yes"} }, func(st *site) []string {
			st.hands()
			return []string{"--done", vaultManual}
		}},
	}
}

func didAll(st *site) []string {
	var did []string
	for _, d := range st.person() {
		did = append(did, d.Step)
	}
	return []string{"--done", strings.Join(did, ",")}
}

// start opens a site whose pauses pass on the server's clock alone, at the beginning of a part.
func (f flow) start(t *testing.T, part int) (*site, []string) {
	t.Helper()
	late := &lateness{}
	st := f.open(t, sandbox.Options{Now: late.now, Listen: quietPort(t)})
	pass := func(ctx context.Context, d time.Duration) error {
		late.Lock()
		late.by += d
		late.Unlock()
		st.s.Tick()
		return ctx.Err()
	}
	st.now, st.wait, st.patience = late.now, pass, time.Minute
	st.between = func(ctx context.Context, d time.Duration) error {
		if d > time.Minute { // the renewal of a token, which is minutes away
			return nps.Sleep(ctx, d)
		}
		return pass(ctx, d)
	}
	args := f.ask(st)
	if part == 1 {
		return st, args
	}
	st.do(args...).want(t, exitPerson)
	return st, append(args, f.hand(st)...)
}

// partEnds is how a part of an undisturbed run ends.
func partEnds(part int) int {
	if part == 1 {
		return exitPerson
	}
	return exitOK
}

// calm is a part of an undisturbed run: the operations in the order of their first call, with the number of calls, and the end state.
type calm struct {
	operations []string
	calls      map[string]int
	state      string
}

func (f flow) calm(t *testing.T, part int) calm {
	t.Helper()
	st, args := f.start(t, part)
	before := len(st.s.Requests())
	st.do(args...).want(t, partEnds(part))
	c := calm{calls: map[string]int{}, state: st.canonical()}
	for _, r := range st.s.Requests()[before:] {
		if c.calls[r.Operation]++; !slices.Contains(c.operations, r.Operation) {
			c.operations = append(c.operations, r.Operation)
		}
	}
	return c
}
