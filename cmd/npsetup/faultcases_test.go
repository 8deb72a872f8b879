package main

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// blow is a fault of the table: one or more of the sandbox's, of which the first strikes one call.
type blow struct {
	fault string
	every bool     // strikes every call of the operation, not its first alone
	with  []string // faults that are on besides
	token bool     // the person signs in with a token from a browser and is away: nothing is at hand to sign in with again
}

func (b blow) name() string {
	name := strings.Join(append([]string{b.fault}, b.with...), " + ")
	if b.every {
		name += ", each time"
	}
	if b.token {
		name += ", nobody there"
	}
	return name
}

// blows are the rows of the table. Every call fault of the sandbox is among them.
func blows() []blow {
	var list []blow
	for _, k := range sandbox.CallFaults() {
		list = append(list, blow{fault: k.Name})
		switch k.Name {
		case "reset-before", "server-500", "busy-after", "half-body":
			list = append(list, blow{fault: k.Name, every: true})
		case "token-ended":
			list = append(list, blow{fault: k.Name, every: true}, blow{fault: k.Name, with: []string{"mfa-replay"}}, blow{fault: k.Name, token: true})
		}
	}
	return list
}

// attempt is a blow at one operation in one part of a flow.
type attempt struct {
	flow      flow
	part      int
	operation string
	blow      blow
	calm      calm
}

func (a attempt) name() string {
	return fmt.Sprintf("%s %d %s %s", a.flow.name, a.part, a.operation, a.blow.name())
}

// attempts are all of them: each operation once, in the first flow and part that calls it.
func attempts(t *testing.T) []attempt {
	t.Helper()
	var list []attempt
	covered := map[string]bool{}
	for _, f := range flows() {
		for part := 1; part <= 2; part++ {
			c := f.calm(t, part)
			for _, op := range c.operations {
				if op == "" || covered[op] {
					continue
				}
				covered[op] = true
				for _, b := range blows() {
					list = append(list, attempt{f, part, op, b, c})
				}
			}
		}
	}
	return list
}

// upshot is how an attempt went.
type upshot struct {
	struck    bool
	recovered bool
	code      int    // of the run that was struck
	said      string // the code of its first problem
	failed    string // why the attempt failed; empty: it did not
}

func (o upshot) String() string {
	switch {
	case o.failed != "":
		return "failed"
	case o.recovered:
		return "recovered"
	}
	return fmt.Sprintf("ended %d %s", o.code, o.said)
}

// try lets a blow strike, and then finishes the run without it.
func (a attempt) try(t *testing.T) upshot {
	st, args := a.flow.start(t, a.part)
	if a.blow.token {
		args = st.withToken(args)
	}
	set := a.blow.fault + "@" + a.operation
	if !a.blow.every {
		set += ":1"
	}
	st.faulted(append([]string{set}, a.blow.with...)...)
	st.patient(a.blow.fault)
	r, hung := st.bounded(args...)
	o := upshot{struck: st.s.Struck(a.blow.fault) > 0, code: r.code, said: firstCode(r.err)}
	if !o.struck {
		return o
	}
	asIfNothing := r.code == partEnds(a.part)
	o.recovered = asIfNothing && a.endsAlike(st)
	if _, err := st.s.SetFaults(nil, append([]string{a.blow.fault}, a.blow.with...)); err != nil {
		o.failed = err.Error()
		return o
	}
	if a.blow.token {
		st.env["NPS_TOKEN"] = st.s.BrowserToken()
	}
	switch {
	case hung:
		o.failed = "it hangs"
	case asIfNothing && !o.recovered && !a.blow.unseen():
		o.failed = "it does not see what is missing"
	case !asIfNothing && complaint(r) != "":
		o.failed = complaint(r)
	case !o.recovered:
		o.failed = st.finish(args, partEnds(a.part))
	}
	if o.failed == "" && !a.endsAlike(st) {
		o.failed = fmt.Sprintf("another end state:\n%s\nwant\n%s", st.canonical(), a.calm.state)
	}
	if o.failed == "" {
		o.failed = st.findSecret()
	}
	if o.failed != "" {
		o.failed = fmt.Sprintf("%s\nthe run ended with %d:\n%s\n%s", o.failed, r.code, r.out, r.err)
	}
	return o
}

// varies says of a blow that its end depends on what else was under way: things are made and read side by side. It must not fail.
func (b blow) varies() bool {
	switch b.fault {
	case "deleted", "renamed", "refused", "restart", "certificate-changed":
		return true
	}
	return false
}

// unseen says of a blow whether a run may end as if nothing had been: another administrator's change after it looked last, and what
// it leaves to a person since it does not know what the server means. The next run sees it.
func (b blow) unseen() bool {
	return b.fault == "deleted" || b.fault == "renamed" || b.fault == "unknown-enum"
}

var typeNumber = regexp.MustCompile(`"type": \d+`)

// endsAlike compares the end with that of an undisturbed run. A new connection profile is a copy of Default, whose kind is copied as it
// is told.
func (a attempt) endsAlike(st *site) bool {
	got, want := st.canonical(), a.calm.state
	if a.blow.fault == "unknown-enum" {
		got, want = typeNumber.ReplaceAllString(got, ""), typeNumber.ReplaceAllString(want, "")
	}
	return got == want
}

// complaint says what is missing in the words of a run that did not do what it should; empty: nothing is.
func complaint(r result) string {
	switch {
	case r.code != exitFailed && r.code != exitRefused && r.code != exitPerson:
		return fmt.Sprintf("exit %d", r.code)
	case strings.Contains(r.err+r.out, "panic") || strings.Contains(r.err+r.out, "goroutine "):
		return "it panics"
	case !strings.Contains(r.err, "npsetup: "):
		return "no sentence says what happened"
	case !strings.Contains(r.err, "\n  because "):
		return "no cause is named"
	case !strings.Contains(r.err, "\n  next: "):
		return "no next step is named"
	}
	return ""
}

// finish goes on where a run ended: with resume when it left a record, else with the same command.
func (st *site) finish(args []string, want int) string {
	r, hung := st.bounded("resume", "--yes")
	if r.code == exitUsage { // nothing was begun
		r, hung = st.bounded(args...)
	} else if r.code != want && slices.Contains(args, "--done") {
		r, hung = st.bounded("resume", "--yes", "--done", args[len(args)-1])
	}
	if hung || r.code != want {
		return fmt.Sprintf("without the fault it ends with %d:\n%s\n%s", r.code, r.out, r.err)
	}
	return ""
}

var codeLine = regexp.MustCompile(`(?m)^  code: (\S+)`)

func firstCode(text string) string {
	if m := codeLine.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return "no code"
}

// quietPort is a free address outside the range from which systems take the ports of outgoing connections: nobody gets it while it is
// closed for a moment.
func quietPort(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", nextPort())
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no port is free")
	return ""
}
