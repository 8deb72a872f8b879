package run

import (
	"context"
	"encoding/json"
	"strings"
	"sync"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// view is one operation of an undo, and what the server shows of what it would take back.
type view struct {
	op    plan.Op
	trace *plan.Trace // with all ids in it; nil: nothing is asked
	row   json.RawMessage
	found bool
	in    map[string]bool // with Trace.Members: the ids in the list
	err   error
}

// prepare fills in what is known of the operations. What would take back something that was never made is left out.
func (v *undoing) prepare() {
	for _, op := range v.deed.Undo {
		if v.deed.Over[op.ID] && op.Trace == nil {
			continue
		}
		if w, any := v.view(op); any {
			v.views = append(v.views, w)
		}
	}
}

func (v *undoing) view(op plan.Op) (*view, bool) {
	if op.Kind == plan.KindCall {
		c, open := op.Call.Known(v.looks.resolve)
		if len(open) > 0 {
			return nil, false
		}
		op.Call = &c
	}
	w := &view{op: op}
	if op.Trace == nil {
		return w, true
	}
	t := *op.Trace
	c, open := t.Lookup.Call.Known(v.looks.resolve)
	if len(open) > 0 {
		return nil, false
	}
	t.Lookup.Call = c
	t.ID, _ = plan.Known(t.ID, v.looks.resolve)
	t.Changed = nil
	for _, change := range op.Trace.Changed {
		if became, known := change.Now(v.looks.resolve); known { // else it was never set
			change.Became = became
			t.Changed = append(t.Changed, change)
		}
	}
	w.trace = &t
	return w, true
}

// ask looks at everything, as many at a time as a run changes.
func ask(ctx context.Context, all []*undoing) {
	var work sync.WaitGroup
	free := make(chan struct{}, parallel)
	for _, v := range all {
		for _, w := range v.views {
			if w.trace == nil {
				continue
			}
			free <- struct{}{}
			work.Go(func() {
				defer func() { <-free }()
				v.looks.look(ctx, w)
			})
		}
	}
	work.Wait()
}

func (r *runner) look(ctx context.Context, w *view) {
	if !w.trace.Members {
		w.row, w.found, w.err = r.lookup(ctx, w.trace.Lookup)
		return
	}
	w.in = map[string]bool{}
	w.err = r.Sender.List(ctx, w.trace.Lookup.Call, func(raw json.RawMessage) (bool, error) {
		var row struct{ ID string }
		if json.Unmarshal(raw, &row) == nil && row.ID != "" {
			w.in[strings.ToLower(row.ID)] = true
		}
		return true, nil
	})
	if problem.Is(w.err, problem.NotFound) {
		w.in, w.err = nil, nil // the list went with its owner
	}
}

// left is the operation as it is to be carried out now, or nil when nothing of it is left to do.
func (v *undoing) left(ctx context.Context, w *view, a *plan.Action) (*plan.Op, error) {
	op := w.op
	switch op.Kind {
	case plan.KindCall:
		return v.call(w, a)
	case plan.KindFile:
		return v.file(op, a)
	case plan.KindRemote:
		if v.Machines == nil {
			return &op, nil
		}
		as, err := v.Machines.AsWanted(ctx, *op.Remote)
		if err != nil || as {
			return nil, err
		}
		return &op, nil
	case plan.KindStore: // looked at when it is carried out
		return &op, nil
	case plan.KindManual:
		return v.stillSo(w, a)
	case plan.KindSession:
	}
	return nil, nil
}

func (v *undoing) call(w *view, a *plan.Action) (*plan.Op, error) {
	op := w.op
	if w.trace == nil {
		return &op, nil
	}
	op.Trace = w.trace
	if w.trace.Members {
		if w.err != nil {
			return nil, w.err
		}
		return v.members(op, w.in)
	}
	if w.err != nil || !w.found {
		return nil, w.err
	}
	if w.trace.Made {
		return v.made(op, w.row)
	}
	return v.formerly(op, w.row, a)
}

// made takes away what is still there under the id that it got.
func (v *undoing) made(op plan.Op, row json.RawMessage) (*plan.Op, error) {
	if !sameObject(op, row) || !v.out.claims.take(requestOf(*op.Call)) {
		return nil, nil
	}
	id, _ := plan.TextOf(op.Trace.ID, nil)
	v.out.Seen[v.deed.Key+"/"+op.ID] = []byte(id)
	return &op, nil
}

// sameObject says whether a row is what was made, and not deleted.
func sameObject(op plan.Op, row json.RawMessage) bool {
	want, known := plan.TextOf(op.Trace.ID, nil)
	got, all := extract(row, []plan.Output{{Name: "id", Pointer: op.Trace.Pointer}})
	var state struct{ IsDeleted bool }
	return known && all && strings.EqualFold(got["id"], want) && (json.Unmarshal(row, &state) != nil || !state.IsDeleted)
}

// idOf is the id of a member in a call, in small letters; empty when it is not known.
func idOf(member plan.Value) string {
	o, _ := member.(plan.Object)
	id, _ := plan.TextOf(o.Get("id"), nil)
	return strings.ToLower(id)
}

// members takes out of a list what is still in it.
func (v *undoing) members(op plan.Op, in map[string]bool) (*plan.Op, error) {
	wanted, _ := op.Call.Body.(plan.Array)
	left := plan.Array{}
	for _, w := range wanted {
		if id := idOf(w); in[id] && v.out.claims.take(op.Call.Redacted(nil).Path+" "+id) {
			left = append(left, w)
		}
	}
	if len(left) == 0 {
		return nil, nil
	}
	c := *op.Call
	c.Body = left
	op.Call = &c
	raw, err := plan.Encode(left)
	v.out.Seen[v.deed.Key+"/"+op.ID] = raw
	return &op, err
}
