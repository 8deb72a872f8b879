package run

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Unmaking is what Undo needs besides the deeds. Nothing is changed through it.
type Unmaking struct {
	Sender   Sender
	Wait     func(ctx context.Context, d time.Duration) error // between looks for what NPS may still be at work on; nil: one look
	Machines Machines                                         // nil: what another machine trusts is looked at when it is carried out
	Over     bool                                             // what somebody else has changed since gets its former values too
	Keep     bool                                             // what somebody else has changed since stays as it is
}

// Undone is a plan that takes a run back, and what was seen on the way.
type Undone struct {
	Actions   []plan.Action
	Beyond    []string // what cannot be taken back
	Contested []string // members that somebody else has changed since, and about which nothing was said (Over, Keep)
	Seen      map[string][]byte
}

// Undo looks what is left of the deeds, and plans to take it back: newest first, each after what was built on it. What is gone
// already, or was written back by somebody, needs nothing. Two looks at one state give one plan.
func Undo(ctx context.Context, deeds []Deed, u Unmaking) (Undone, error) {
	out := Undone{Seen: map[string][]byte{}}
	looks := &runner{Options: Options{Sender: u.Sender, Wait: u.Wait}, known: map[plan.Ref]string{}}
	views := make([]*undoing, len(deeds))
	for i, d := range deeds {
		views[i] = &undoing{Unmaking: u, deed: d, out: &out, looks: looks, former: map[plan.Ref]string{}}
		if err := views[i].learn(ctx); err != nil {
			return out, err
		}
	}
	var all problem.List
	for i := len(views) - 1; i >= 0; i-- {
		a, err := views[i].action(ctx)
		views[i].forget()
		if err != nil {
			all.Add(err)
			continue
		}
		if len(a.Ops) > 0 {
			out.Actions = append(out.Actions, a)
		}
	}
	out.order(deeds)
	return out, all.Err()
}

// order makes each action wait for those that take back what was built on its object. Nothing waits for a person.
func (u *Undone) order(deeds []Deed) {
	place := map[string]int{} // of the actions that wait for nobody
	for i, a := range u.Actions {
		if a.Effect != plan.ByHand {
			place[a.Key] = i
		}
	}
	needs := map[string][]string{} // by action of the run, the undo actions of what needed it
	for _, d := range deeds {
		if _, planned := place[d.Key]; planned {
			for _, need := range d.Needs {
				needs[need] = append(needs[need], d.Key)
			}
		}
	}
	for i := range u.Actions {
		a := &u.Actions[i]
		for _, key := range needs[original(a.Key)] {
			if place[key] < i {
				a.After = append(a.After, key)
			}
		}
	}
}

// undoing looks at one deed.
type undoing struct {
	Unmaking
	deed   Deed
	out    *Undone
	looks  *runner             // knows the ids that this deed and those before it gave
	former map[plan.Ref]string // what earlier deeds gave under the names of this one's; empty: nothing
}

// learn brings the ids that the deed gave, those of lost answers included: they are looked for as the run would have.
func (v *undoing) learn(ctx context.Context) error {
	v.gives(v.deed.Gave)
	for _, e := range v.deed.Open {
		if len(e.Finds) == 0 {
			continue
		}
		l, outputs, err := plan.KeptLookup(e.Finds)
		if err != nil {
			return err
		}
		c, open := l.Call.Known(v.looks.resolve)
		if l.Call = c; len(open) > 0 {
			continue
		}
		row, found, err := v.looks.patiently(ctx, l)
		if err != nil {
			return err
		}
		if got, all := extract(row, outputs); found && all {
			v.gives(got)
		}
	}
	return nil
}

func (v *undoing) gives(outputs map[string]string) {
	for name, id := range outputs {
		ref := plan.Ref{Action: original(v.deed.Key), Output: name}
		if _, kept := v.former[ref]; !kept {
			v.former[ref] = v.looks.known[ref]
		}
		v.looks.known[ref] = id
	}
}

// forget leaves what was known before the deed: what came before it must not be taken for what it gave.
func (v *undoing) forget() {
	for ref, id := range v.former {
		if id == "" {
			delete(v.looks.known, ref)
			continue
		}
		v.looks.known[ref] = id
	}
}

// action plans what is left to take back of the deed; without operations when there is nothing.
func (v *undoing) action(ctx context.Context) (plan.Action, error) {
	d := v.deed
	a := plan.Action{
		Key: d.Key, Step: d.Step, Effect: plan.Delete, Object: d.Object, Name: d.Name,
		Why: "this run did it (" + d.Effect + ") on " + d.When.UTC().Format("2006-01-02 15:04:05") + " UTC",
	}
	if d.Effect != plan.Create.String() {
		a.Effect = plan.Update
	}
	for _, op := range d.Undo {
		if d.Over[op.ID] && op.Trace == nil {
			continue
		}
		left, err := v.left(ctx, op, &a)
		if err != nil {
			return a, problem.New("what is left of " + problem.Plain(d.Object+" "+d.Name) + " cannot be seen").Because(problem.Plain(problem.All(err)[0].Error())).
				Try("npsetup undo looks again").Of(problem.KindOf(err)).From(err)
		}
		if left != nil {
			a.Ops = append(a.Ops, *left)
		}
	}
	switch {
	case d.ByHand && len(d.Undo) == 0 && d.Note != plan.NothingBehind:
		if !d.Over[""] {
			a = byPersonBack(a, d)
		}
	case d.Note != "" && d.Note != plan.NothingBehind && len(a.Ops) == len(d.Undo):
		v.out.Beyond = append(v.out.Beyond, d.Object+" \""+d.Name+"\": "+d.Note)
	}
	return a, nil
}

// byPersonBack is the action of what only a person can take back.
func byPersonBack(a plan.Action, d Deed) plan.Action {
	note := d.Note
	if note == "" {
		note = "take back what was done by hand for " + d.Object + " \"" + d.Name + "\""
	}
	if !d.Told {
		note += "; if it was never done, there is nothing to do"
	}
	a.Effect, a.Why = plan.ByHand, "this run asked for it on "+d.When.UTC().Format("2006-01-02 15:04:05")+" UTC, and only a person can take it back"
	a.Ops = []plan.Op{{ID: "", Kind: plan.KindManual, Class: plan.Change, Repeat: plan.Never, Manual: &plan.Manual{
		Where: d.Where, Clicks: []plan.Click{{Text: note}}, Proof: "your word (--done " + d.Step + ")",
	}}}
	return a
}

// left is the operation as it is to be carried out now, or nil when nothing of it is left to do.
func (v *undoing) left(ctx context.Context, op plan.Op, a *plan.Action) (*plan.Op, error) {
	switch op.Kind {
	case plan.KindCall:
		return v.call(ctx, op, a)
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
	case plan.KindSession, plan.KindManual:
	}
	return nil, nil
}

func (v *undoing) call(ctx context.Context, op plan.Op, a *plan.Action) (*plan.Op, error) {
	c, open := op.Call.Known(v.looks.resolve)
	if len(open) > 0 {
		return nil, nil // what it would take back was never made
	}
	op.Call = &c
	t := op.Trace
	if t == nil {
		return &op, nil
	}
	l := t.Lookup
	lc, open := l.Call.Known(v.looks.resolve)
	if l.Call = lc; len(open) > 0 {
		return nil, nil
	}
	if t.Members {
		return v.members(ctx, op, l)
	}
	row, found, err := v.looks.lookup(ctx, l)
	if err != nil || !found {
		return nil, err
	}
	if t.Made {
		return v.made(op, row)
	}
	return v.formerly(op, l, row, a)
}

// made takes away what is still there under the id that it got.
func (v *undoing) made(op plan.Op, row json.RawMessage) (*plan.Op, error) {
	id, _ := plan.Known(op.Trace.ID, v.looks.resolve)
	want, known := plan.TextOf(id, nil)
	got, all := extract(row, []plan.Output{{Name: "id", Pointer: op.Trace.Pointer}})
	var state struct{ IsDeleted bool }
	if !known || !all || !strings.EqualFold(got["id"], want) || json.Unmarshal(row, &state) == nil && state.IsDeleted {
		return nil, nil
	}
	v.out.Seen[v.deed.Key+"/"+op.ID] = []byte(want)
	return &op, nil
}

// members takes out of a list what is still in it.
func (v *undoing) members(ctx context.Context, op plan.Op, l plan.Lookup) (*plan.Op, error) {
	in := map[string]bool{}
	err := v.Sender.List(ctx, l.Call, func(raw json.RawMessage) (bool, error) {
		var row struct{ ID string }
		if json.Unmarshal(raw, &row) == nil && row.ID != "" {
			in[strings.ToLower(row.ID)] = true
		}
		return true, nil
	})
	if problem.Is(err, problem.NotFound) {
		return nil, nil // the list went with its owner
	}
	if err != nil {
		return nil, err
	}
	wanted, _ := op.Call.Body.(plan.Array)
	left := plan.Array{}
	for _, w := range wanted {
		o, _ := w.(plan.Object)
		if id, ok := plan.TextOf(o.Get("id"), nil); ok && in[strings.ToLower(id)] {
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
