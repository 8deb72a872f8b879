package nps

import (
	"bytes"
	"strings"
	"sync"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// gate lets a call through or not. Every request passes it, once, before anything else is done with it.
type gate struct {
	dry bool

	mu       sync.Mutex
	approved []approval
}

type approval struct {
	call plan.Call
	used bool
}

// request is a call that the gate let through.
type request struct {
	op    npsapi.Operation
	wire  plan.Request // what is sent
	shown plan.Request // the same for people
}

// Approve sets what may be changed and probed: the calls of p and nothing else. A changing call is let through once for
// each time that it stands in p; a probe as often as asked. An earlier approval is gone.
func (c *Client) Approve(p plan.Plan) {
	var list []approval
	for _, a := range p.Actions {
		for _, op := range a.Ops {
			for _, part := range op.Parts() {
				if part.Class != plan.Read {
					list = append(list, approval{call: *part.Call})
				}
			}
		}
	}
	c.gate.mu.Lock()
	defer c.gate.mu.Unlock()
	c.gate.approved = list
}

// admit judges a call. For a change that was let through, giveBack returns its approval; it may be called only when
// nothing of it was sent.
func (g *gate) admit(call plan.Call, known plan.Resolver) (r request, giveBack func(), err error) {
	giveBack = func() {}
	r, err = judge(call, known)
	if err != nil {
		return r, giveBack, err
	}
	switch r.op.Class {
	case plan.Read, plan.Auth:
		return r, giveBack, nil
	case plan.Probe, plan.Change:
		giveBack, err = g.take(r, call.Operation, known)
	}
	return r, giveBack, err
}

// judge checks that a call is one of the contract's, as it will arrive at the server.
func judge(call plan.Call, known plan.Resolver) (request, error) {
	if known == nil {
		known = func(plan.Ref) (string, bool) { return "", false }
	}
	op, ok := npsapi.Lookup(call.Operation)
	if !ok || op.Method != call.Method || op.Path != call.Path {
		return request{}, closed(call.Method+" "+call.Path, "the call does not stand in the contract")
	}
	wire, err := call.Wire(known)
	if err != nil {
		return request{}, problem.New("a call is not ready to be sent").Because(problem.Plain(err.Error())).From(err)
	}
	r := request{op: op, wire: wire, shown: call.Redacted(known)}
	path, _, _ := strings.Cut(wire.Path, "?")
	for _, segment := range strings.Split(path, "/") {
		if segment == "." || segment == ".." {
			return request{}, closed(r.text(), "a value in its path leads to another place")
		}
	}
	// A value may spell a literal segment of another operation.
	if found, ok := npsapi.Match(wire.Method, wire.Path); !ok || found.ID != op.ID {
		return request{}, closed(r.text(), "a value in its path makes it another call than "+op.ID)
	}
	if empty(wire) && !bodiless(op.ID) {
		return request{}, closed(r.text(), "its body is empty, and NPS makes nameless objects of empty bodies")
	}
	return r, nil
}

func empty(r plan.Request) bool {
	if r.Method != "POST" && r.Method != "PUT" {
		return false
	}
	switch string(bytes.TrimSpace(r.Body)) {
	case "", "{}", "[]", "null", `""`:
		return true
	}
	return false
}

// bodiless names the operations that take everything from path and query.
func bodiless(id string) bool { return id == "generateApiKey" || id == "setPolicyStatus" }

func (g *gate) take(r request, id string, known plan.Resolver) (func(), error) {
	nothing := func() {}
	if g.dry {
		return nothing, closed(r.text(), "this is a dry run: only reads and the sign-in are sent")
	}
	if known == nil {
		known = func(plan.Ref) (string, bool) { return "", false }
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	// What is left first: of thousands of calls of one kind, those before were taken already.
	if a := g.find(r, id, known, false); a != nil {
		if r.op.Class == plan.Probe {
			return nothing, nil
		}
		a.used = true
		return func() { g.mu.Lock(); defer g.mu.Unlock(); a.used = false }, nil
	}
	spent := g.find(r, id, known, true) != nil
	if spent {
		return nothing, closed(r.text(), "the approved plan holds it fewer times than it was asked for")
	}
	return nothing, closed(r.text(), "it does not stand in the approved plan")
}

// find is the first approval of a request among those that were used, or were not.
func (g *gate) find(r request, id string, known plan.Resolver, used bool) *approval {
	for i := range g.approved {
		a := &g.approved[i]
		if a.used == used && a.call.Operation == id && same(a.call.Redacted(known), r.shown) {
			return a
		}
	}
	return nil
}

func same(a, b plan.Request) bool {
	return a.Method == b.Method && a.Path == b.Path && bytes.Equal(a.Body, b.Body)
}

// text is the request in one line, for messages.
func (r request) text() string { return r.shown.Method + " " + problem.Plain(r.shown.Path) }

func closed(what, why string) *problem.Problem {
	return problem.New("npsetup does not send " + problem.Plain(what)).Because(problem.Plain(why)).
		Try("run npsetup plan and look at what it would send").Of(problem.GateClosed)
}
