package run

import (
	"context"
	"errors"
	"fmt"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// carryOut does one action.
func (r *runner) carryOut(ctx context.Context, a plan.Action) ActionResult {
	switch a.Effect {
	case plan.ByHand:
		return r.byHand(a)
	case plan.Adopt:
		return r.keep(a, ActionResult{Outcome: steps.Adopted})
	case plan.Create, plan.Update, plan.Restore, plan.Delete:
	}
	if err := r.unsay(a); err != nil {
		return failed(err)
	}
	result := ActionResult{Outcome: steps.Done, Outputs: map[string]string{}}
	for i, op := range a.Ops {
		if err := ctx.Err(); err != nil {
			return failed(problem.New("stopped").Because("the run was cancelled").Try("npsetup resume --yes continues it").Of(problem.Cancelled).From(err))
		}
		outputs, err := r.operate(ctx, a, op)
		if err != nil && isUndo(a) && r.goneBefore(ctx, op, err) {
			err = nil
		}
		if problem.Is(err, problem.NotOffered) && a.Twin != nil {
			return r.turnedToHand(a, op, i, err)
		}
		if err != nil {
			return failed(err)
		}
		r.learn(a.Key, outputs)
		for k, v := range outputs {
			result.Outputs[k] = v
		}
	}
	if a.OpensSession() || a.Waits() {
		return result // a session that has ended is no object that stays, and a wait made none
	}
	if asWanted(a, result.Outputs) {
		return r.keepFound(a, result)
	}
	return r.keep(a, result)
}

func failed(err error) ActionResult { return ActionResult{Outcome: steps.Failed, Err: err} }

func (r *runner) byHand(a plan.Action) ActionResult {
	if err := r.hand(a, Asked); err != nil {
		return failed(err)
	}
	if file := a.Awaits(); file != "" {
		return ActionResult{Outcome: steps.Waiting, Err: problem.New("it waits for " + problem.Plain(file)).Because("only the file shows that it was done").Try("put it there, then npsetup resume --yes")}
	}
	if !r.ManualDone[a.Step] || byLook(a) {
		return ActionResult{Outcome: steps.Waiting}
	}
	if isUndo(a) {
		return r.takenBack(a)
	}
	about := ""
	if m := a.Manual(); m != nil {
		about, _ = plan.TextOf(m.About, r.resolve)
	}
	// First the record: it is what keeps a person from being asked again. An undo asks with or without the journal's line.
	if err := r.Store.Manual(a.Step, about); err != nil {
		return failed(err)
	}
	if err := r.hand(a, Told); err != nil {
		return failed(err)
	}
	return ActionResult{Outcome: steps.Done}
}

// takenBack notes down that a person said to have taken something back.
func (r *runner) takenBack(a plan.Action) ActionResult {
	if err := r.unsay(a); err != nil {
		return failed(err)
	}
	if err := r.journal(Entry{Action: a.Key, Effect: a.Effect.String(), State: Told, Request: "by hand"}); err != nil {
		return failed(err)
	}
	return ActionResult{Outcome: steps.Done}
}

// unsay forgets the words that hold no longer when an action of an undo is done, before anything of it is: a second set-up may begin before
// everything is taken back, also behind a kill. At worst a person is asked once more.
func (r *runner) unsay(a plan.Action) error {
	if len(r.Words[a.Key]) == 0 {
		return nil
	}
	return r.Store.Unsaid(r.Words[a.Key])
}

func (r *runner) keep(a plan.Action, result ActionResult) ActionResult {
	if isUndo(a) {
		return result // the record is cleared when everything is taken back
	}
	if err := r.Store.Made(Made{Kind: a.Object, Name: a.Name, Effect: a.Effect.String(), ID: result.Outputs["id"], Action: a.Key}); err != nil {
		return failed(err)
	}
	return result
}

// turnedToHand is for an assumed call that the server does not have: the manual twin takes the action's place.
func (r *runner) turnedToHand(a plan.Action, op plan.Op, sent int, cause error) ActionResult {
	call := op.Call
	if op.Kind == plan.KindSession {
		if call = &op.Session.SignIn; op.Session.Own() {
			call = &op.Session.Start
		}
	}
	if err := r.Store.NotOffered(call.Operation, r.plan.Version); err != nil {
		return failed(err)
	}
	if err := r.hand(a, Asked); err != nil {
		return failed(err)
	}
	p := problem.New(a.Object + " " + plan.Quoted(a.Name) + " is to be done by hand").Because("this server does not offer " + call.Method + " " + call.Path).From(cause)
	if sent > 0 {
		p.Try(fmt.Sprintf("calls of this step that were carried out before it: %d; what they made stands in NPS and is not used", sent))
	}
	return ActionResult{Outcome: steps.Waiting, Err: p}
}

// learn makes outputs known to later operations.
func (r *runner) learn(action string, outputs map[string]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for name, v := range outputs {
		r.known[plan.Ref{Action: action, Output: name}] = v
	}
}

// resolve is the plan.Resolver of this run.
func (r *runner) resolve(ref plan.Ref) (string, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.known[plan.Ref{Action: ref.Action, Output: ref.Output}]
	return v, ok
}

// operate does one operation and gives its outputs.
func (r *runner) operate(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	switch op.Kind {
	case plan.KindCall:
		return r.call(ctx, a, op)
	case plan.KindFile:
		return r.file(ctx, a, op)
	case plan.KindManual:
		return nil, nil
	case plan.KindSession:
		return r.session(ctx, a, op)
	case plan.KindStore, plan.KindRemote:
		return r.store(ctx, a, op)
	}
	return nil, problem.New("an operation of the kind " + op.Kind.String() + " cannot be carried out")
}

// unseen is the problem of a call that needs what a person said to have made, and that the look did not find.
func (r *runner) unseen(c plan.Call) error {
	for _, ref := range c.Refs() {
		if a, ok := r.plan.Action(ref.Action); ok && a.Effect == plan.ByHand {
			if _, known := r.resolve(ref); !known {
				return problem.New(problem.Plain(ref.What) + " was said to be made by hand and is not there").Because("NPS lists nothing by that name").
					Try("make it, or correct its name letter by letter, then npsetup resume --yes: it looks again")
			}
		}
	}
	return nil
}

func (r *runner) call(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	if err := r.unseen(*op.Call); err != nil {
		return nil, err
	}
	if op.Await != nil {
		return r.await(ctx, a, op)
	}
	if op.Spare != nil {
		if spared, err := r.spared(ctx, *op.Spare); spared || err != nil {
			return nil, err
		}
	}
	if op.Guard != nil {
		if err := r.guard(ctx, *op.Guard); err != nil {
			return nil, err
		}
	}
	_, outputs, err := r.exchange(ctx, r.Sender, a, op)
	return outputs, err
}

// exchange sends one call, and notes it down before and after when it changes something.
func (r *runner) exchange(ctx context.Context, s Sender, a plan.Action, op plan.Op) (plan.Answer, map[string]string, error) {
	shown := op.Call.Redacted(r.resolve)
	entry := Entry{Action: a.Key, Op: op.ID, Effect: a.Effect.String(), Marker: op.Marker, Request: shown.Method + " " + shown.Path, Body: r.noted(op)}
	change := op.Class == plan.Change
	if change {
		entry.State, entry.Before, entry.Finds, entry.Outputs = Sending, before(a), finds(op), r.found(a, op)
		if err := r.journal(entry); err != nil && !ends(op) {
			return plan.Answer{}, nil, err
		}
	}
	e := eventOf(a)
	e.Op = &OpInfo{Kind: op.Kind.String(), Class: op.Class.String(), Method: shown.Method, Path: shown.Path}
	e.Name = OpSent
	r.emit(e)
	started := r.Clock.Now()
	sending := ctx
	if change && op.Marker == "" && r.Sent != nil { // a session has bounds of its own
		sending = r.Sent
	}
	answer, err := r.send(sending, s, op)
	answer, err = r.belated(ctx, a, op, answer, err)
	done := *e.Op
	done.Status, done.MS = answer.Status, r.Clock.Now().Sub(started).Milliseconds()
	e.Name, e.Op, e.Error = OpDone, &done, errorInfo(err)
	r.emit(e)
	outputs, bad := r.conclude(ctx, op, answer, err)
	if change {
		entry.State, entry.Outputs, entry.Before, entry.Body, entry.Finds = state(err, bad), outputs, nil, "", nil
		// An answer that came and cannot be noted down is looked up again by the next run.
		bad = errors.Join(bad, r.concluded(entry))
	}
	return answer, outputs, bad
}

// found are the ids in a call that reads of its own action found: no answer to a change tells them, and an undo needs them.
func (r *runner) found(a plan.Action, op plan.Op) map[string]string {
	var ids map[string]string
	for _, ref := range op.Call.Refs() {
		if id, known := r.resolve(ref); known && ref.Action == a.Key {
			if ids == nil {
				ids = map[string]string{}
			}
			ids[ref.Output] = id
		}
	}
	return ids
}

// ends says whether an operation ends a session of ours: that is sent also when it cannot be noted down.
func ends(op plan.Op) bool { return op.Marker != "" && op.ID == endOp }

// state is what the journal says of a change that was sent: what became of the sending counts, not whether its result
// could be found afterwards.
func state(sent, concluded error) string {
	switch {
	case sent == nil:
		return Carried
	case !problem.Unsettled(sent):
		return Failed
	case concluded == nil:
		return Carried
	}
	return Lost
}

func (r *runner) send(ctx context.Context, s Sender, op plan.Op) (plan.Answer, error) {
	if op.Class == plan.Read {
		resolved, err := r.resolved(*op.Call)
		if err != nil {
			return plan.Answer{}, err
		}
		return s.Read(ctx, resolved)
	}
	return s.Send(ctx, op, r.resolve)
}

// conclude makes outputs of an answer, or finds out by a lookup what a lost or an empty answer would have told.
func (r *runner) conclude(ctx context.Context, op plan.Op, answer plan.Answer, err error) (map[string]string, error) {
	lost := problem.Unsettled(err)
	if err != nil && !lost {
		return nil, err
	}
	if !lost {
		if outputs, all := extract(answer.Body, op.Outputs); all {
			return outputs, nil
		}
	}
	if lost && op.Spare != nil {
		return nil, r.carriedOut(ctx, op, err)
	}
	if op.Lookup == nil || lost && op.Repeat == plan.Never {
		if lost {
			if op.Repeat != plan.Never {
				return nil, unsettled(op, err, "it may or may not have been carried out").Try("npsetup resume --yes looks at what is there and goes on")
			}
			return nil, unsettled(op, err, "nothing tells whether it was carried out").Try("look in NPS, then npsetup resume --yes")
		}
		return nil, problem.New("the answer to " + op.Text() + " lacks what later calls need").Because("neither the answer nor a list tells it").Try("npsetup resume --yes looks again")
	}
	row, found, lookErr := r.patiently(ctx, *op.Lookup)
	switch {
	case lookErr != nil:
		return nil, lookErr
	case !found && lost:
		return nil, unsettled(op, err, "nothing by that name is there: it was not carried out, or is still under way").Try("npsetup resume --yes looks again and goes on")
	case !found:
		return nil, problem.New("what " + op.Text() + " made cannot be found").Because("the server answered well, and lists nothing by that name").Try("look in NPS, then npsetup resume --yes")
	}
	outputs, all := extract(row, op.Outputs)
	if !all {
		return nil, problem.New("what " + op.Text() + " made lacks a member that later calls need").Try("npsetup resume --yes looks again")
	}
	return outputs, nil
}

// unsettled is the problem of a change of which nobody knows whether it happened. Where the server said something, its words
// come first.
func unsettled(op plan.Op, err error, why string) *problem.Problem {
	said := problem.All(err)[0]
	p := problem.New("the answer to " + op.Text() + " was lost").Because(why).Of(said.Kind).From(err)
	if said.Kind == problem.ServerFailed {
		p.What, p.Next = said.What, append([]string{}, said.Next...)
		if said.Why != "" {
			p.Why = said.Why + "; " + why
		}
	}
	return p
}

// before is the former value of exactly those members that an action sets: nothing else of an object goes into the journal.
func before(a plan.Action) map[string]string {
	var m map[string]string
	for _, d := range a.Difference {
		if d.Field != "" && d.From != "" {
			if m == nil {
				m = map[string]string{}
			}
			m[d.Field] = d.From
		}
	}
	return m
}

// concluded notes down what became of a change.
func (r *runner) concluded(e Entry) error {
	err := r.journal(e)
	if err != nil && e.State == Carried {
		return problem.New(e.Request+" was carried out, and that cannot be noted down").Coded(problem.StateFolderUnusable).
			Unwritten(err, "mend the permissions of the state folder").Try("then npsetup resume --yes: it finds what was made, and goes on")
	}
	return err
}

func (r *runner) journal(e Entry) error {
	e.Time = r.Clock.Now()
	if e.State == Sending {
		e.Back = r.back(e.Action)
	}
	if err := r.Store.Journal(e); err != nil {
		return unwritable(err)
	}
	return nil
}
