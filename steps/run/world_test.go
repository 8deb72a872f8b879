package run_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// marker is a secret that must stand in no journal, record or event.
const marker = "S3CR3T~marker"

// world is a server, a store, a clock and a face in one: what reaches any of them goes into one log, in order.
type world struct {
	// What a test sets. Operation names tell calls apart.
	answer  map[string]string                           // answers to Send and Read; others get {}
	fail    map[string]error                            // errors of Send, Read and List
	status  map[string]int                              // of those errors; others are 500
	rows    map[string][]string                         // what List gives
	sending func(ctx context.Context, op plan.Op) error // instead of fail, when set
	journal func(e run.Entry) error                     // may refuse
	store   error                                       // of the other methods

	mu      sync.Mutex
	now     time.Time
	log     []string
	entries []run.Entry
	made    []run.Made
	events  []run.Event
	lost    []run.Entry // of earlier runs
}

func (w *world) note(words ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, strings.Join(words, " "))
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(time.Millisecond)
	return w.now
}

func (w *world) give(operation string) (plan.Answer, error) {
	body := w.answer[operation]
	if body == "" {
		body = "{}"
	}
	if err := w.fail[operation]; err != nil {
		return plan.Answer{Status: cmp.Or(w.status[operation], 500)}, err
	}
	return plan.Answer{Status: 200, Body: json.RawMessage(body)}, nil
}

func (w *world) Send(ctx context.Context, op plan.Op, known plan.Resolver) (plan.Answer, error) {
	r, err := op.Call.Wire(known)
	if err != nil {
		return plan.Answer{}, err
	}
	w.note("send", op.Call.Operation, r.Path)
	if w.sending != nil {
		if err := w.sending(ctx, op); err != nil {
			return plan.Answer{}, err
		}
	}
	return w.give(op.Call.Operation)
}

func (w *world) Read(_ context.Context, c plan.Call) (plan.Answer, error) {
	w.note("read", c.Operation, c.Redacted(nil).Path)
	return w.give(c.Operation)
}

func (w *world) List(_ context.Context, c plan.Call, each func(json.RawMessage) (bool, error)) error {
	w.note("list", c.Operation, c.Redacted(nil).Path)
	if err := w.fail[c.Operation]; err != nil {
		return err
	}
	for _, row := range w.rows[c.Operation] {
		if more, err := each(json.RawMessage(row)); err != nil || !more {
			return err
		}
	}
	return nil
}

func (w *world) Journal(e run.Entry) error {
	w.note("journal", e.State, e.Action+"/"+e.Op)
	if w.journal != nil {
		if err := w.journal(e); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.entries = append(w.entries, e)
	return nil
}

func (w *world) Manual(step, about string) error {
	w.note("remember", strings.TrimSpace(step+" "+about))
	return w.store
}

func (w *world) Unsaid(done []string) error {
	w.note("unsaid", strings.Join(done, " "))
	return w.store
}

func (w *world) NotOffered(operation, version string) error {
	w.note("not offered", operation, version)
	return w.store
}

func (w *world) Made(m run.Made) error {
	w.mu.Lock()
	w.made = append(w.made, m)
	w.mu.Unlock()
	return w.store
}

func (w *world) Emit(e run.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// sent lists the operations that were sent, in order.
func (w *world) sent() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var list []string
	for _, l := range w.log {
		if words := strings.Fields(l); words[0] == "send" {
			list = append(list, words[1])
		}
	}
	return list
}

func (w *world) logged() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.log, "\n")
}

func (w *world) options() run.Options {
	if w.now.IsZero() {
		w.now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	}
	return run.Options{Sender: w, Clock: w, Store: w, Sink: w, Parallel: 1, Lost: w.lost}
}

func (w *world) apply(t *testing.T, actions ...plan.Action) run.Result {
	t.Helper()
	result, err := run.Apply(context.Background(), plan.Plan{Version: "25.12", Actions: actions}, w.options())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func post(operation string) plan.Call {
	return plan.Call{Operation: operation, Method: "POST", Path: "/api/v1/" + operation, Body: plan.Object{{Name: "name", Value: plan.String("n")}}}
}

func get(operation string) plan.Call {
	return plan.Call{Operation: operation, Method: "GET", Path: "/api/v1/" + operation}
}

func op(class plan.Class, c plan.Call) plan.Op {
	return plan.Op{ID: c.Operation, Kind: plan.KindCall, Class: class, Repeat: plan.ByName, Call: &c}
}

// create is an action with one changing call, which bears the action's key.
func create(key string, after ...string) plan.Action {
	return plan.Action{Key: key, Step: key, Effect: plan.Create, Object: "thing", Name: "the " + key, After: after, Ops: []plan.Op{op(plan.Change, post(key))}}
}

// named is create, with an id in the answer and a lookup by name.
func named(key string) plan.Action {
	a := create(key)
	a.Ops[0].Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	a.Ops[0].Lookup = &plan.Lookup{Call: get("list"), Member: "name", Value: "n"}
	return a
}

func byHand(key string, after ...string) plan.Action {
	return plan.Action{Key: key, Step: key, Effect: plan.ByHand, Object: "thing", Name: "the " + key, After: after, Ops: []plan.Op{{ID: "manual", Kind: plan.KindManual, Class: plan.Change, Manual: &plan.Manual{}}}}
}

func of(k problem.Kind) error { return problem.New("it failed").Because("so").Try("again").Of(k) }

func wantOutcomes(t *testing.T, r run.Result, want ...steps.Outcome) {
	t.Helper()
	var got []steps.Outcome
	for _, a := range r.Actions {
		got = append(got, a.Outcome)
	}
	if !slices.Equal(got, want) {
		t.Errorf("outcomes %v, want %v", got, want)
		for _, a := range r.Actions {
			t.Logf("%s: %v", a.Key, a.Err)
		}
	}
}

func wantLog(t *testing.T, w *world, want ...string) {
	t.Helper()
	if got := w.logged(); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// wantError checks the kind of an error and what it says; every error of a run names a next step.
func wantError(t *testing.T, err error, k problem.Kind, says ...string) {
	t.Helper()
	if err == nil || problem.KindOf(err) != k {
		t.Errorf("kind %d, want %d: %v", problem.KindOf(err), k, err)
		return
	}
	p := problem.All(err)[0]
	text := p.Error() + "\n" + strings.Join(p.Next, "\n")
	for _, s := range says {
		if !strings.Contains(text, s) {
			t.Errorf("%q does not say %q", text, s)
		}
	}
	if len(p.Next) == 0 {
		t.Errorf("%q names no next step", text)
	}
}

func secretCall(operation string) plan.Call {
	c := post(operation)
	c.Body = plan.Object{{Name: "password", Value: plan.SecretLeaf{Name: "password", Secret: secret.New(marker)}}}
	return c
}

var errDisk = errors.New("no space left on device")
