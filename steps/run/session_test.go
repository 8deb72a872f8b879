package run_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// lounge is a world in which sessions are opened: states come one after the other, the last one again and again.
type lounge struct {
	world
	states []string
	waited []time.Duration
	stop   func() // called by the first wait
	signed []string
	caused []string
}

func (l *lounge) Send(ctx context.Context, op plan.Op, known plan.Resolver) (plan.Answer, error) {
	a, err := l.world.Send(ctx, op, known)
	if op.Call.Operation == "end" && err == nil {
		l.states = []string{"ended"}
	}
	return a, err
}

func (l *lounge) Read(ctx context.Context, c plan.Call) (plan.Answer, error) {
	if c.Operation == "look" {
		l.answer["look"] = `"` + l.states[0] + `"`
		if len(l.states) > 1 {
			l.states = l.states[1:]
		}
	}
	return l.world.Read(ctx, c)
}

func newLounge(states ...string) *lounge {
	return &lounge{states: states, world: world{answer: map[string]string{
		"key": `"S3CR3T-key"`, "start": `{"id":"s-1"}`, "may-read": "true", "password": `"S3CR3T-password"`, "log": `{"lines":[]}`,
	}}}
}

func (l *lounge) open(ctx context.Context, t *testing.T) run.ActionResult {
	t.Helper()
	o := l.options()
	o.Sender = l
	o.Wait = func(ctx context.Context, d time.Duration) error {
		l.waited = append(l.waited, d)
		if l.stop != nil {
			l.stop()
			l.stop = nil
		}
		return ctx.Err()
	}
	o.Sessions = &run.Sessions{
		SignIn: func(_ context.Context, s plan.Session, key secret.Secret) (run.Sender, int, error) {
			l.signed = append(l.signed, s.Login+" with a key of "+string(rune('0'+len(key.Wire())/10))+"0 letters")
			return l, 200, l.fail["sign-in"]
		},
		State: func(raw json.RawMessage) (steps.SessionState, string, error) {
			var name string
			if err := json.Unmarshal(raw, &name); err != nil {
				return 0, "", err
			}
			for _, s := range []steps.SessionState{steps.SessionPending, steps.SessionActive, steps.SessionEnding, steps.SessionEnded, steps.SessionFailed} {
				if s.String() == name {
					return s, "said", nil
				}
			}
			return steps.SessionUnknown, "", nil
		},
		Cause: func(s steps.SessionState, words string, took time.Duration, log json.RawMessage) error {
			l.caused = append(l.caused, s.String()+" "+words+" "+took.String()+" "+string(log))
			return problem.New("the cause")
		},
	}
	r, err := run.Apply(ctx, plan.Plan{Actions: []plan.Action{sessionAction()}}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r.Actions[0]
}

func sessionAction() plan.Action {
	ref := []plan.Param{{Name: "id", Path: true, Value: plan.Ref{Action: "v", Output: plan.SessionOutput, What: "session"}}}
	on := func(method, name string) plan.Call {
		return plan.Call{Operation: name, Method: method, Path: "/s/{id}/" + name, Params: ref}
	}
	s := &plan.Session{
		Login: "App", Activity: "a", Resource: "r", Marker: "proof 1", Key: get("key"), SignIn: post("sign-in"), Start: post("start"), Look: on("GET", "look"),
		CanView: on("GET", "may-read"), Password: on("GET", "password"), Log: on("GET", "log"), End: on("DELETE", "end"),
		Found: plan.Lookup{Call: get("sessions"), Member: "note", Value: "proof 1", Patient: true},
	}
	return plan.Action{Key: "v", Step: "v", Effect: plan.Create, Object: "session", Name: "proof 1", Ops: []plan.Op{{ID: "session", Kind: plan.KindSession, Class: plan.Change, Repeat: plan.ByMarker, Session: s}}}
}

func TestASessionIsOpenedAndEnded(t *testing.T) {
	l := newLounge("pending", "pending", "active")
	r := l.open(t.Context(), t)
	if r.Outcome != steps.Done || r.Err != nil || r.Outputs[run.ShownOutput] != "" || r.Outputs[plan.SessionOutput] != "s-1" || r.Outputs[run.TookOutput] != "750ms" {
		t.Errorf("%+v", r)
	}
	wantLog(
		t, &l.world, "send key /api/v1/key", "journal sending v/start", "send start /api/v1/start", "journal done v/start",
		"read look /s/s-1/look", "read look /s/s-1/look", "read look /s/s-1/look", "read may-read /s/s-1/may-read", "send password /s/s-1/password",
		"journal sending v/end", "send end /s/s-1/end", "journal done v/end", "read look /s/s-1/look", "journal looked v/end",
	)
	if !slices.Equal(l.signed, []string{"App with a key of 10 letters"}) || len(l.made) != 0 {
		t.Errorf("signed in %q, made %v", l.signed, l.made)
	}
	raw, _ := json.Marshal([]any{l.entries, l.events})
	if strings.Contains(string(raw), "S3CR3T") {
		t.Errorf("a secret is told: %s", raw)
	}
	for _, e := range l.entries {
		if e.Marker != "proof 1" {
			t.Errorf("%+v has no marker", e)
		}
	}
}

// TestASessionIsEndedWhateverHappens: every way on which something goes wrong after the start ends it, and nothing is ended
// that was never begun.
func TestASessionIsEndedWhateverHappens(t *testing.T) {
	refused := of(problem.Refused)
	for name, c := range map[string]struct {
		states []string
		set    func(*lounge)
		ends   bool
		says   string
		shown  string // of a session that proved something
	}{
		"failed":             {[]string{"pending", "failed"}, nil, false, "the cause", ""},
		"never active":       {[]string{"pending"}, nil, true, "the cause", ""},
		"look fails":         {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"look": of(problem.Unreachable)} }, true, "failed", ""},
		"password hidden":    {[]string{"active"}, func(l *lounge) { l.answer["may-read"] = "false" }, true, "", "NPS does not let it be read"},
		"password empty":     {[]string{"active"}, func(l *lounge) { l.answer["password"] = `""` }, true, "", "it is empty"},
		"password not found": {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"password": of(problem.NotFound)} }, true, "", "it could not be read"},
		"password refused":   {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"password": refused} }, true, "failed", ""},
		"no key":             {[]string{"active"}, func(l *lounge) { l.answer["key"] = `""` }, false, "NPS shows no API key of App", ""},
		"sign-in refused":    {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"sign-in": refused} }, false, "failed", ""},
		"start refused":      {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"start": refused} }, false, "failed", ""},
		"over already":       {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"end": of(problem.NotFound)} }, true, "", ""},
		"start lost":         {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"start": of(problem.AnswerLost)} }, false, "whether the session proof 1 was opened is not known", ""},
		"start failed":       {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"start": of(problem.ServerFailed)} }, false, "whether the session proof 1 was opened is not known", ""},
		"end lost, over":     {[]string{"active"}, lostEnd("ended"), true, "", ""},
		"end lost, open":     {[]string{"active"}, lostEnd("active"), true, "could not be ended", ""},
		"end fails":          {[]string{"active"}, func(l *lounge) { l.fail = map[string]error{"end": of(problem.Unreachable)} }, true, "could not be ended", ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLounge(c.states...)
			if c.set != nil {
				c.set(l)
			}
			r := l.open(t.Context(), t)
			if ended := slices.Contains(l.sent(), "end"); ended != c.ends {
				t.Errorf("ended: %v\n%s", ended, l.logged())
			}
			if c.says == "" {
				if r.Outcome != steps.Done || r.Err != nil || !strings.Contains(r.Outputs[run.ShownOutput], c.shown) || c.shown == "" && r.Outputs[run.ShownOutput] != "" {
					t.Errorf("%+v", r)
				}
				return
			}
			if r.Outcome != steps.Failed || r.Err == nil || !strings.Contains(r.Err.Error(), c.says) {
				t.Errorf("%+v", r)
			}
		})
	}
}

// lostEnd loses the answer to the end, behind which the session is in a state.
func lostEnd(state string) func(*lounge) {
	return func(l *lounge) {
		l.sending = func(_ context.Context, op plan.Op) error {
			if op.Call.Operation == "end" {
				l.states = []string{state}
				return of(problem.AnswerLost)
			}
			return nil
		}
	}
}

// TestAStartUnderWayIsWaitedFor: a run that is cancelled while the session begins knows it, and ends it.
func TestAStartUnderWayIsWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := newLounge("active")
	l.sending = func(ctx context.Context, op plan.Op) error {
		if op.Call.Operation == "start" {
			cancel()
		}
		return ctx.Err()
	}
	r := l.open(ctx, t)
	if !problem.Is(r.Err, problem.Cancelled) || !slices.Contains(l.sent(), "end") || slices.Contains(l.sent(), "password") {
		t.Errorf("%v\n%s", r.Err, l.logged())
	}
	l = newLounge("active")
	if r := l.open(ctx, t); r.Err == nil || len(l.sent()) > 0 {
		t.Errorf("cancelled before: %v\n%s", r.Err, l.logged())
	}
}

// TestASessionIsEndedWithoutAJournal: what cannot be noted down any more is ended all the same.
func TestASessionIsEndedWithoutAJournal(t *testing.T) {
	l := newLounge("active")
	l.journal = func(e run.Entry) error {
		if e.State != run.Sending || e.Op != "start" {
			return errors.New("no space left")
		}
		return nil
	}
	r := l.open(t.Context(), t)
	if r.Err == nil || !strings.Contains(r.Err.Error(), "the journal cannot be written") || !slices.Contains(l.sent(), "end") || slices.Contains(l.sent(), "password") {
		t.Errorf("%v\n%s", r.Err, l.logged())
	}
}

// TestASessionIsEndedAfterAPanic of what watches it.
func TestASessionIsEndedAfterAPanic(t *testing.T) {
	l := newLounge("pending", "active")
	l.stop = func() { panic("of a face") }
	r := l.open(t.Context(), t)
	if r.Err == nil || !slices.Contains(l.sent(), "end") {
		t.Errorf("%v\n%s", r.Err, l.logged())
	}
}

func TestAWaitForASessionGrowsAndEnds(t *testing.T) {
	l := newLounge("pending")
	l.open(t.Context(), t)
	total := time.Duration(0)
	for i, d := range l.waited {
		if i > 0 && d < l.waited[i-1] && d != 250*time.Millisecond {
			t.Errorf("wait %d is %s after %s", i, d, l.waited[i-1])
		}
		if d > 10*time.Second {
			t.Errorf("wait %d is %s", i, d)
		}
		total += d
	}
	if total < 300*time.Second || total > 320*time.Second {
		t.Errorf("it waits %s", total)
	}
	if len(l.caused) != 1 || !strings.HasPrefix(l.caused[0], `pending said 5m`) || !strings.HasSuffix(l.caused[0], `{"lines":[]}`) {
		t.Errorf("%q", l.caused)
	}
}

func TestACancelledWaitEndsTheSession(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	l := newLounge("pending")
	l.stop = cancel
	r := l.open(ctx, t)
	if !problem.Is(r.Err, problem.Cancelled) || !slices.Contains(l.sent(), "end") {
		t.Errorf("%v\n%s", r.Err, l.logged())
	}
}

// TestALostStartIsFoundByItsMarker: NPS opened the session, and the answer did not come.
func TestALostStartIsFoundByItsMarker(t *testing.T) {
	l := newLounge("active")
	l.sending = func(_ context.Context, op plan.Op) error {
		if op.Call.Operation == "start" {
			return of(problem.AnswerLost)
		}
		return nil
	}
	l.rows = map[string][]string{"sessions": {`{"id":"s-0","note":"proof 0"}`, `{"id":"s-9","note":"proof 1"}`}}
	r := l.open(t.Context(), t)
	if r.Outcome != steps.Done || r.Outputs[plan.SessionOutput] != "s-9" || !strings.Contains(l.logged(), "send end /s/s-9/end") {
		t.Errorf("%+v\n%s", r, l.logged())
	}
}

// TestAServerWithoutTheSignInTurnsItToHand takes the twin of the action.
func TestAServerWithoutTheSignInTurnsItToHand(t *testing.T) {
	l := newLounge("active")
	l.fail = map[string]error{"sign-in": of(problem.NotOffered)}
	o := l.options()
	o.Sender = l
	o.Sessions = &run.Sessions{SignIn: func(context.Context, plan.Session, secret.Secret) (run.Sender, int, error) {
		return nil, 404, l.fail["sign-in"]
	}}
	a := sessionAction()
	a.Twin = &plan.Manual{Where: "Auditor"}
	r, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{a}}, o)
	if err != nil || r.Actions[0].Outcome != steps.Waiting || !strings.Contains(l.logged(), "not offered sign-in") {
		t.Errorf("%v %+v\n%s", err, r.Actions, l.logged())
	}
}

// TestTheJournalFollowsSessions: what was begun and not ended is known after a kill at any place; what was shown is kept.
func TestTheJournalFollowsSessions(t *testing.T) {
	state := t.TempDir()
	id := run.ID{Server: "https://nps/", Guide: "g", Application: "App"}
	begin := func() *run.Dir {
		t.Helper()
		d, err := run.Open(state, id, func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) })
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Begin(run.Start{}); err != nil {
			t.Fatal(err)
		}
		return d
	}
	write := func(e ...run.Entry) *run.Dir {
		t.Helper()
		d := begin()
		for _, one := range e {
			if err := d.Journal(one); err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		return d
	}
	start := run.Entry{Action: "v", Op: "start", Marker: "proof 1", State: run.Sending}
	started := start
	started.State, started.Outputs = run.Carried, map[string]string{"session": "s-1"}
	end := run.Entry{Action: "v", Op: "end", Marker: "proof 1", State: run.Sending}
	ended := end
	ended.State, ended.Outputs = run.Looked, map[string]string{"session": "s-1", run.ShownOutput: "hidden", run.TookOutput: "47s"}

	d := write(run.Entry{Action: "a", Op: "create", State: run.Carried}, start)
	if open := d.OpenSessions(); len(open) != 1 || open[0].Marker != "proof 1" || open[0].ID != "" || !d.Memory().Unproven {
		t.Errorf("killed behind the start: %+v", open)
	}
	d = write(started)
	if open := d.OpenSessions(); len(open) != 1 || open[0].ID != "s-1" {
		t.Errorf("killed behind its answer: %+v", open)
	}
	d = write(end)
	if open := d.OpenSessions(); len(open) != 1 {
		t.Errorf("killed behind the end: %+v", open)
	}
	d = write() // a run that does something else does not forget it
	if open := d.OpenSessions(); len(open) != 1 || !d.Memory().Unproven {
		t.Errorf("after another run: %+v", open)
	}
	d = write(ended)
	if m := d.Memory(); len(d.OpenSessions()) != 0 || m.Unproven || m.Shown["s-1"] != (steps.Shown{Password: "hidden", Took: 47 * time.Second}) {
		t.Errorf("ended: %+v %+v", d.OpenSessions(), m)
	}
	second := start
	second.Marker = "proof 2"
	write(second)
	d = begin()
	if err := errors.Join(d.SessionOver(d.OpenSessions()[0]), d.Close()); err != nil || len(d.OpenSessions()) != 0 || len(d.Lost()) != 1 {
		t.Errorf("over: %v %+v", err, d.OpenSessions())
	}
	if d = write(); len(d.Lost()) != 0 || d.Memory().Unproven {
		t.Errorf("lost: %+v", d.Lost())
	}
}
