package run

import (
	"context"
	"slices"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Unmaking is what Undo needs besides the deeds. Nothing is changed through it.
type Unmaking struct {
	Sender   Sender
	Wait     func(ctx context.Context, d time.Duration) error       // between looks for what NPS may still be at work on; nil: one look
	Machines Machines                                               // nil: what another machine trusts is looked at when it is carried out
	Lacks    func(operation string) bool                            // whether this server was found not to have a call; nil: it has them all
	Over     bool                                                   // what somebody else has changed since gets its former values too
	Keep     bool                                                   // what somebody else has changed since stays as it is
	Spoken   func(member string, value []byte) (label, word string) // a member and its value as the product words them, or empty; nil: as they are sent
}

// Undone is a plan that takes a run back, and what was seen on the way.
type Undone struct {
	Actions   []plan.Action
	Beyond    []string // what cannot be taken back
	Contested []string // members that somebody else has changed since, and about which nothing was said (Over, Keep)
	Seen      map[string][]byte
	Words     map[string][]string // by action: steps that a person's word stands for no longer when it is done

	claims claims
}

// Undo looks what is left of the deeds, and plans to take it back: newest first, each after what was built on it. What is gone
// already, or was written back by somebody, needs nothing. Two looks at one state give one plan, whichever answer came first.
func Undo(ctx context.Context, deeds []Deed, u Unmaking) (Undone, error) {
	out := Undone{Seen: map[string][]byte{}, claims: newClaims()}
	looks := &runner{Options: Options{Sender: u.Sender, Wait: u.Wait}, known: map[plan.Ref]string{}}
	views := make([]*undoing, len(deeds))
	for i, d := range deeds {
		views[i] = &undoing{Unmaking: u, deed: d, out: &out, looks: looks, former: map[plan.Ref]string{}}
		if err := views[i].learn(ctx); err != nil {
			return out, err
		}
	}
	slices.Reverse(views)
	for _, v := range views {
		v.prepare()
		v.forget()
	}
	ask(ctx, views)
	var all problem.List
	for _, v := range views {
		a, err := v.action(ctx)
		if err != nil {
			all.Add(err)
			continue
		}
		if len(a.Ops) > 0 {
			out.Actions = append(out.Actions, a)
		}
	}
	out.order(deeds)
	out.words(deeds)
	return out, all.Err()
}

// words finds what counts as done no longer when an action is: what it takes back itself, what rested on that, and what left nothing
// behind that could be taken back.
func (u *Undone) words(deeds []Deed) {
	u.Words = map[string][]string{}
	needs := map[string][]string{}
	for _, d := range deeds {
		needs[original(d.Key)] = append(needs[original(d.Key)], d.Needs...)
	}
	rests := map[string]map[string]bool{} // by action of the run, all that it rests on, itself included
	for _, d := range deeds {
		if d.ByHand {
			on := map[string]bool{}
			reach(needs, original(d.Key), on)
			rests[original(d.Key)] = on
		}
	}
	for _, a := range u.Actions {
		for _, d := range deeds {
			if d.ByHand && (d.Note == plan.NothingBehind || rests[original(d.Key)][original(a.Key)]) && !slices.Contains(u.Words[a.Key], d.Step) {
				u.Words[a.Key] = append(u.Words[a.Key], d.Step)
			}
		}
	}
}

func reach(needs map[string][]string, from string, seen map[string]bool) {
	if seen[from] {
		return
	}
	seen[from] = true
	for _, need := range needs[from] {
		reach(needs, need, seen)
	}
}

// order makes each action wait for those that take back what was built on its object, and for what the same action of the run did
// later. Nothing waits for a person.
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
			needs[original(d.Key)] = append(needs[original(d.Key)], d.Key)
			for _, need := range d.Needs {
				needs[need] = append(needs[need], d.Key)
			}
		}
	}
	names := namedIn(u.Actions, deeds)
	for i := range u.Actions {
		a := &u.Actions[i]
		for _, key := range slices.Concat(needs[original(a.Key)], u.claims.before[a.Key], usersOf(*a, names)) {
			if at, planned := place[key]; planned && at < i && !slices.Contains(a.After, key) {
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
	views  []*view
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
	hands := 0 // operations that a person does
	for _, w := range v.views {
		if w.op.Kind == plan.KindManual {
			hands++
		}
		left, err := v.left(ctx, w, &a)
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
	case d.Note != "" && d.Note != plan.NothingBehind && (len(a.Ops) == len(d.Undo) || hands > 0):
		v.out.Beyond = append(v.out.Beyond, d.Object+" \""+d.Name+"\": "+d.Note)
	}
	return v.offered(a), nil
}
