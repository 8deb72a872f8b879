package run

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Sessions is what opening a session needs besides the Sender: another sign-in, and the meaning of the system's words.
type Sessions struct {
	// SignIn signs in as the application user of a session, with the API key that was just read. The Sender is that user's, the number
	// the status of the answer; 0: none came.
	SignIn func(ctx context.Context, s plan.Session, key secret.Secret) (Sender, int, error)
	// State reads an answer to Session.Look: the state, and the system's own words about it.
	State func(look json.RawMessage) (state steps.SessionState, words string, err error)
	// Cause names why a session did not become active, from the last state, the time it took, and an answer to Session.Log,
	// which may be empty.
	Cause func(state steps.SessionState, words string, took time.Duration, log json.RawMessage) error
	// Doubt names what the log of an active session gives away whose password cannot be read: nil when that is no failure. May be nil.
	Doubt func(log json.RawMessage) error
}

// Auditor gives a session up when it is not active after this time (MaxWaitForActiveStatusS of its CredentialResolverService);
// one that takes longer proves nothing to it.
const activeWithin = 300 * time.Second

// startsWithin is how long the answer to a start is waited for, with the looks for a session whose answer was lost.
const startsWithin = 90 * time.Second

// endsWithin is how long the end of a session is waited for; its actions run behind the answer.
const endsWithin = 120 * time.Second

// visit is one session on its way.
type visit struct {
	*runner
	action plan.Action
	s      plan.Session
	parts  map[string]plan.Op
	app    Sender // the application user's
	id     string
	began  time.Time // when the start was answered
}

// session opens a session as the application user, sees whether it becomes active and its password can be read, and ends it
// whatever came before. The password is not kept; what was seen of it comes back as ShownOutput.
func (r *runner) session(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	outputs, err := r.prove(ctx, a, op)
	if err == nil || problem.Is(err, problem.Cancelled) {
		return outputs, err
	}
	return outputs, errors.Join(err, r.journal(Entry{
		Action: a.Key, Op: proofOp, Effect: a.Effect.String(), Marker: op.Session.Marker, State: Failed, Request: "proves by a session", Failure: failureOf(err),
	}))
}

func (r *runner) prove(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	v := &visit{runner: r, action: a, s: *op.Session, parts: map[string]plan.Op{}}
	for _, part := range op.Parts() {
		v.parts[part.ID] = part
	}
	if err := v.signIn(ctx); err != nil {
		return nil, err
	}
	if err := v.begin(ctx); err != nil && v.id == "" {
		return nil, err
	} else if err != nil {
		return nil, errors.Join(err, v.end(ctx, steps.SessionUnknown, steps.Shown{}, err))
	}
	over := false
	defer func() { // a panic on the way: what was begun is ended all the same
		if !over {
			_ = v.end(ctx, steps.SessionUnknown, steps.Shown{}, errPanic)
		}
	}()
	saw, state, bad := v.watch(ctx)
	over = true
	if err := v.end(ctx, state, saw, bad); err != nil {
		return nil, errors.Join(bad, err)
	}
	return v.outputs(saw), bad
}

var errPanic = errors.New("panic")

// begin starts the session. A start that is under way is waited for also when the run is cancelled: only its answer tells
// what there is to end.
func (v *visit) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return problem.New("stopped before the session").Because("the run was cancelled").Try("npsetup resume --yes goes on").Of(problem.Cancelled).From(err)
	}
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), startsWithin)
	defer cancel()
	_, outputs, err := v.exchange(starting, v.app, v.action, v.parts[startOp])
	v.id = outputs[plan.SessionOutput]
	v.learn(v.action.Key, outputs)
	v.began = v.Clock.Now()
	if v.id == "" && problem.Unsettled(err) {
		return problem.New("whether the session " + problem.Plain(v.s.Marker) + " was opened is not known").Because(problem.Plain(problem.All(err)[0].What)).
			Try("npsetup resume --yes looks for it and ends it first").Of(problem.AnswerLost).From(err)
	}
	return err
}

func (v *visit) outputs(saw steps.Shown) map[string]string {
	return map[string]string{plan.SessionOutput: v.id, ShownOutput: saw.Password, TookOutput: saw.Took.String()}
}

// signIn reads the API key, as the administrator, and signs in with it. A session of who is signed in needs neither.
func (v *visit) signIn(ctx context.Context) error {
	if v.s.Own() {
		v.app = v.Sender
		return nil
	}
	answer, _, err := v.exchange(ctx, v.Sender, v.action, v.parts["key"])
	if err != nil {
		return err
	}
	var key string
	if json.Unmarshal(answer.Body, &key) != nil || key == "" {
		return problem.New("NPS shows no API key of " + problem.Plain(v.s.Login)).Because("none was made yet, or it was made empty").Try("npsetup key --to FILE makes one, after asking")
	}
	shown := v.parts["sign-in"].Call.Redacted(v.resolve)
	e := eventOf(v.action)
	e.Name, e.Op = OpSent, &OpInfo{Kind: plan.KindSession.String(), Class: plan.Auth.String(), Method: shown.Method, Path: shown.Path}
	v.emit(e)
	began := v.Clock.Now()
	done := *e.Op
	v.app, done.Status, err = v.Sessions.SignIn(ctx, v.s, secret.New(key))
	done.MS = v.Clock.Now().Sub(began).Milliseconds()
	e.Name, e.Op, e.Error = OpDone, &done, errorInfo(err)
	v.emit(e)
	return err
}

// watch waits until the session is active and tries its password. It answers what was seen, and the state in which the
// session was left.
func (v *visit) watch(ctx context.Context) (saw steps.Shown, state steps.SessionState, err error) {
	if ctx.Err() != nil {
		return saw, steps.SessionUnknown, cancelled(ctx.Err())
	}
	state, words, took, err := v.until(ctx, v.began, activeWithin, func(s steps.SessionState) bool { return s != steps.SessionPending && s != steps.SessionUnknown })
	saw.Took = took
	if err != nil {
		return saw, state, err
	}
	if state != steps.SessionActive {
		log, _, logErr := v.exchange(ctx, v.app, v.action, v.parts["log"])
		if logErr != nil {
			log.Body = nil // the cause is told without it
		}
		return saw, state, v.Sessions.Cause(state, words, took, log.Body)
	}
	saw.Password, err = v.password(ctx)
	if err == nil && saw.Password != "" && v.Sessions.Doubt != nil {
		if log, _, logErr := v.exchange(ctx, v.app, v.action, v.parts["log"]); logErr == nil { // without it nothing is known
			err = v.Sessions.Doubt(log.Body)
		}
	}
	return saw, state, err
}

// until looks at the session, with longer and longer pauses, until a state is reached or the time is over that it may take.
// It answers how long that was, from a moment on: by the clock, or by the pauses where they are longer.
func (v *visit) until(ctx context.Context, since time.Time, within time.Duration, reached func(steps.SessionState) bool) (state steps.SessionState, words string, waited time.Duration, err error) {
	paused := time.Duration(0)
	for pause := 250 * time.Millisecond; ; pause = min(pause*2, 10*time.Second) {
		answer, _, err := v.exchange(ctx, v.app, v.action, v.parts["look"])
		waited := max(paused, v.Clock.Now().Sub(since))
		if err != nil {
			return steps.SessionUnknown, "", waited, err
		}
		state, words, err := v.Sessions.State(answer.Body)
		if err != nil || reached(state) || v.Wait == nil || waited >= within {
			return state, words, waited, err
		}
		paused += pause
		if err := v.Wait(ctx, pause); err != nil {
			return state, words, waited, cancelled(err)
		}
	}
}

func cancelled(err error) error {
	return problem.New("stopped while the session was prepared").Because("the run was cancelled; the session is ended").
		Try("npsetup resume --yes goes on").Of(problem.Cancelled).From(err)
}

// password finds out whether the session's password can be read, and says what is wrong with it. A refusal is no failure of
// the set-up: it proves nothing.
func (v *visit) password(ctx context.Context) (string, error) {
	answer, _, err := v.exchange(ctx, v.app, v.action, v.parts["may-read"])
	if stops(err) {
		return "", err
	}
	if err != nil || strings.TrimSpace(string(answer.Body)) != "true" {
		return "NPS does not let it be read", nil
	}
	answer, _, err = v.exchange(ctx, v.app, v.action, v.parts["password"])
	switch {
	case stops(err):
		return "", err
	case err != nil:
		return "it could not be read: " + problem.Plain(problem.All(err)[0].What), nil
	}
	var text string
	if json.Unmarshal(answer.Body, &text) != nil || text == "" {
		return "it is empty", nil
	}
	return "", nil
}

// end ends the session, unless it is over already, and waits until it has ended: also when the run was cancelled.
func (v *visit) end(ctx context.Context, state steps.SessionState, saw steps.Shown, failed error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endsWithin)
	defer cancel()
	conclude := func() error {
		e := Entry{Action: v.action.Key, Op: endOp, Effect: v.action.Effect.String(), Marker: v.s.Marker, State: Looked, Request: "looked at the session"}
		if failed == nil {
			e.Outputs = v.outputs(saw)
		}
		return v.journal(e)
	}
	if state.Over() {
		return conclude()
	}
	_, _, err := v.exchange(ctx, v.app, v.action, v.parts[endOp])
	accepted := err == nil || problem.Is(err, problem.NotFound)
	if !accepted && !problem.Unsettled(err) {
		return v.stillOpen(err)
	}
	// When NPS has accepted the end and it is not seen within the time, nothing is left open all the same.
	if now, _, _, lookErr := v.until(ctx, v.Clock.Now(), endsWithin, steps.SessionState.Over); !accepted && !now.Over() && !problem.Is(lookErr, problem.NotFound) {
		return v.stillOpen(err)
	}
	return conclude()
}

func (v *visit) stillOpen(err error) error {
	return problem.New("the session " + problem.Plain(v.s.Marker) + " could not be ended").Because(problem.Plain(problem.All(err)[0].What)).
		Try("npsetup resume --yes ends it first; or end it in NPS under Active Sessions").From(err)
}
