package run

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

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
	result := ActionResult{Outcome: steps.Done, Outputs: map[string]string{}}
	for i, op := range a.Ops {
		if err := ctx.Err(); err != nil {
			return failed(problem.New("stopped").Because("the run was cancelled").Try("npsetup resume --yes continues it").Of(problem.Cancelled).From(err))
		}
		outputs, err := r.operate(ctx, a, op)
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
	return r.keep(a, result)
}

func failed(err error) ActionResult { return ActionResult{Outcome: steps.Failed, Err: err} }

func (r *runner) byHand(a plan.Action) ActionResult {
	if !r.ManualDone[a.Step] {
		return ActionResult{Outcome: steps.Waiting}
	}
	if err := r.Store.Manual(a.Step); err != nil {
		return failed(err)
	}
	return ActionResult{Outcome: steps.Done}
}

func (r *runner) keep(a plan.Action, result ActionResult) ActionResult {
	if err := r.Store.Made(Made{Kind: a.Object, Name: a.Name, Effect: a.Effect.String(), ID: result.Outputs["id"]}); err != nil {
		return failed(err)
	}
	return result
}

// turnedToHand is for an assumed call that the server does not have: the manual twin takes the action's place.
func (r *runner) turnedToHand(a plan.Action, op plan.Op, sent int, cause error) ActionResult {
	if err := r.Store.NotOffered(op.Call.Operation, r.plan.Version); err != nil {
		return failed(err)
	}
	p := problem.New(fmt.Sprintf("%s %q is to be done by hand", a.Object, problem.Plain(a.Name))).Because("this server does not offer " + op.Call.Method + " " + op.Call.Path).From(cause)
	if sent > 0 {
		p.Try(fmt.Sprintf("%d earlier calls of this step were carried out; what they made stands in NPS and is not used", sent))
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
		return nil, r.file(a, op)
	case plan.KindManual:
		return nil, nil
	case plan.KindStore, plan.KindRemote, plan.KindSession:
	}
	return nil, problem.New("an operation of the kind " + op.Kind.String() + " cannot be carried out")
}

func (r *runner) call(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	if op.Guard != nil {
		if err := r.guard(ctx, *op.Guard); err != nil {
			return nil, err
		}
	}
	shown := op.Call.Redacted(r.resolve)
	entry := Entry{Action: a.Key, Op: op.ID, Request: shown.Method + " " + shown.Path, Body: string(shown.Body)}
	change := op.Class == plan.Change
	if change {
		entry.State, entry.Before = Sending, before(a)
		if err := r.journal(entry); err != nil {
			return nil, err
		}
	}
	e := eventOf(a)
	e.Op = &OpInfo{Kind: op.Kind.String(), Class: op.Class.String(), Method: shown.Method, Path: shown.Path}
	e.Name = OpSent
	r.emit(e)
	started := r.Clock.Now()
	answer, err := r.send(ctx, op)
	done := *e.Op
	done.Status, done.MS = answer.Status, r.Clock.Now().Sub(started).Milliseconds()
	e.Name, e.Op, e.Error = OpDone, &done, errorInfo(err)
	r.emit(e)
	outputs, err := r.conclude(ctx, op, answer, err)
	if change {
		entry.State, entry.Outputs, entry.Before, entry.Body = Carried, outputs, nil, ""
		if err != nil {
			entry.State = Failed
			if problem.Is(err, problem.AnswerLost) {
				entry.State = Lost
			}
		}
		// An answer that came and cannot be noted down is looked up again by the next run.
		err = errors.Join(err, r.journal(entry))
	}
	return outputs, err
}

func (r *runner) send(ctx context.Context, op plan.Op) (plan.Answer, error) {
	if op.Class == plan.Read {
		resolved, err := r.resolved(*op.Call)
		if err != nil {
			return plan.Answer{}, err
		}
		return r.Sender.Read(ctx, resolved)
	}
	return r.Sender.Send(ctx, op, r.resolve)
}

// resolved is a call with its references replaced by what they stand for.
func (r *runner) resolved(c plan.Call) (plan.Call, error) {
	params := make([]plan.Param, len(c.Params))
	for i, p := range c.Params {
		if ref, is := p.Value.(plan.Ref); is {
			v, known := r.resolve(ref)
			if !known {
				return c, problem.New(fmt.Sprintf("the %s of %s is not known", ref.Output, ref.What))
			}
			p.Value = plan.String(v)
		}
		params[i] = p
	}
	c.Params = params
	return c, nil
}

// conclude makes outputs of an answer, or finds out by a lookup what a lost or an empty answer would have told.
func (r *runner) conclude(ctx context.Context, op plan.Op, answer plan.Answer, err error) (map[string]string, error) {
	lost := problem.Is(err, problem.AnswerLost)
	if err != nil && !lost {
		return nil, err
	}
	if !lost {
		if outputs, all := extract(answer.Body, op.Outputs); all {
			return outputs, nil
		}
	}
	if op.Lookup == nil || lost && op.Repeat == plan.Never {
		if lost {
			return nil, problem.New("the answer to " + op.Text() + " was lost").Because("nothing tells whether it was carried out").Try("look in NPS, then npsetup resume --yes").Of(problem.AnswerLost).From(err)
		}
		return nil, problem.New("the answer to " + op.Text() + " lacks what later calls need").Because("neither the answer nor a list tells it").Try("npsetup resume --yes looks again")
	}
	row, found, lookErr := r.lookup(ctx, *op.Lookup)
	switch {
	case lookErr != nil:
		return nil, lookErr
	case !found && lost:
		return nil, problem.New("the answer to " + op.Text() + " was lost").Because("nothing by that name is there: it was not carried out, or is still under way").Try("npsetup resume --yes looks again and goes on").Of(problem.AnswerLost).From(err)
	case !found:
		return nil, problem.New("what " + op.Text() + " made cannot be found").Because("the server answered well, and lists nothing by that name").Try("look in NPS, then npsetup resume --yes")
	}
	outputs, all := extract(row, op.Outputs)
	if !all {
		return nil, problem.New("what " + op.Text() + " made lacks a member that later calls need").Try("npsetup resume --yes looks again")
	}
	return outputs, nil
}

// lookup finds one row, exactly.
func (r *runner) lookup(ctx context.Context, l plan.Lookup) (json.RawMessage, bool, error) {
	c, err := r.resolved(l.Call)
	if err != nil {
		return nil, false, err
	}
	if l.Member == "" {
		a, err := r.Sender.Read(ctx, c)
		if problem.Is(err, problem.NotFound) {
			return nil, false, nil
		}
		return a.Body, err == nil && len(a.Body) > 0, err
	}
	var row json.RawMessage
	n := 0
	err = r.Sender.List(ctx, c, func(raw json.RawMessage) (bool, error) {
		if fits(raw, l) {
			row = append(json.RawMessage{}, raw...)
			n++
		}
		return true, nil
	})
	if err == nil && n > 1 {
		err = problem.New(fmt.Sprintf("%d objects are named %q", n, problem.Plain(l.Value))).Because("names should be unique").Try("rename or delete the ones that are not meant in NPS, then npsetup resume --yes")
	}
	return row, n == 1, err
}

func fits(raw json.RawMessage, l plan.Lookup) bool {
	var row map[string]any
	if json.Unmarshal(raw, &row) != nil {
		return false
	}
	if deleted, _ := row["isDeleted"].(bool); deleted && !l.Deleted {
		return false
	}
	equal := func(member, want string) bool {
		have, _ := row[member].(string)
		return strings.EqualFold(have, want)
	}
	for _, also := range l.Also {
		if !equal(also.Member, also.Value) {
			return false
		}
	}
	return equal(l.Member, l.Value)
}

// extract follows the pointers of outputs. It answers false when one leads nowhere.
func extract(raw json.RawMessage, outputs []plan.Output) (map[string]string, bool) {
	found := map[string]string{}
	if len(outputs) == 0 {
		return found, true
	}
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return nil, false
	}
	for _, o := range outputs {
		text, ok := follow(v, o.Pointer)
		if !ok {
			return nil, false
		}
		found[o.Name] = text
	}
	return found, true
}

// follow takes a JSON pointer of plain names and indexes to a text.
func follow(v any, pointer string) (string, bool) {
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		switch at := v.(type) {
		case map[string]any:
			v = at[part]
		case []any:
			var i int
			if _, err := fmt.Sscanf(part, "%d", &i); err != nil || i < 0 || i >= len(at) {
				return "", false
			}
			v = at[i]
		default:
			return "", false
		}
	}
	s, ok := v.(string)
	return s, ok && s != ""
}

// guard reads afresh what a change rests on. A difference makes the plan stale.
func (r *runner) guard(ctx context.Context, g plan.Guard) error {
	raw, found, err := r.lookup(ctx, g.Lookup)
	if err != nil {
		return err
	}
	stale := problem.New("the plan is stale").Try("make it again: npsetup plan shows what it would be now, npsetup resume --yes goes on with that").Of(problem.Stale)
	if !found {
		return stale.Because("the object that would be changed is no longer there")
	}
	want, err := plan.Encode(g.Want)
	if err != nil {
		return err
	}
	if ds := unlike(want, raw, g.Volatile); len(ds) > 0 {
		return stale.Because("the object changed since it was read: " + strings.Join(ds, "; "))
	}
	return nil
}

// unlike lists the members in which two objects differ. Members that only one of them has count as null there.
func unlike(want, have json.RawMessage, volatile []string) []string {
	var a, b map[string]json.RawMessage
	if json.Unmarshal(want, &a) != nil || json.Unmarshal(have, &b) != nil {
		return []string{"it cannot be read"}
	}
	skip := map[string]bool{}
	for _, v := range volatile {
		skip[v] = true
	}
	var ds []string
	for name := range a {
		if !skip[name] && !sameJSON(a[name], b[name]) {
			ds = append(ds, problem.Plain(fmt.Sprintf("%s was %s and is %s", name, short(a[name]), short(b[name]))))
		}
	}
	sort.Strings(ds)
	return ds
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	if len(a) > 0 && json.Unmarshal(a, &x) != nil || len(b) > 0 && json.Unmarshal(b, &y) != nil {
		return false
	}
	p, errP := json.Marshal(x)
	q, errQ := json.Marshal(y)
	return errP == nil && errQ == nil && bytes.Equal(p, q)
}

func short(raw json.RawMessage) string {
	s := string(raw)
	if s == "" {
		return "not there"
	}
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
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

func (r *runner) journal(e Entry) error {
	e.Time = r.Clock.Now()
	if err := r.Store.Journal(e); err != nil {
		return problem.New("the journal cannot be written").Because(problem.Plain(err.Error())).Try("make room or mend the permissions of the state folder, then npsetup resume --yes").From(err)
	}
	return nil
}

// file writes a file whole or not at all, and never over another one.
func (r *runner) file(a plan.Action, op plan.Op) error {
	content, err := plan.FileContent(op.File.Content)
	if err != nil {
		return err
	}
	e := eventOf(a)
	e.Op = &OpInfo{Kind: op.Kind.String(), Class: op.Class.String(), Path: op.File.Path}
	e.Name = OpSent
	r.emit(e)
	err = writeFile(op.File.Path, content, fs.FileMode(op.File.Mode))
	e.Name, e.Error = OpDone, errorInfo(err)
	r.emit(e)
	return err
}

func writeFile(path string, content []byte, mode fs.FileMode) error {
	bad := func(err error) error {
		return problem.New("the file " + problem.Plain(path) + " cannot be written").Because(problem.Plain(err.Error())).Try("mend the permissions of its folder, then npsetup resume --yes").From(err)
	}
	if have, err := os.ReadFile(path); err == nil {
		if bytes.Equal(have, content) {
			return nil
		}
		return problem.New("the file " + problem.Plain(path) + " exists already").Because("it holds something else and is left as it is").Try("move it away, then npsetup resume --yes")
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".npsetup-*")
	if err != nil {
		return bad(err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close(), os.Chmod(f.Name(), mode)); err != nil {
		return bad(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return bad(err)
	}
	return nil
}
