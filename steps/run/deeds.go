package run

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Deed is what a run did in one action, as its journal tells it, until an undo took it back.
type Deed struct {
	Back
	Key    string
	When   time.Time
	Undo   []plan.Op         // how it is taken back, in order
	Gave   map[string]string // outputs of its operations
	Open   []Entry           // changes of which nobody saw what became of them
	ByHand bool              // a person was asked to do it
	Told   bool              // and said to have done it
	Over   map[string]bool   // operations of Undo that an undo has carried out; "" when a person said to have taken it back
}

// Deeds lists what the run did, oldest first. What was refused, and what left nothing behind, is not among it.
func (d *Dir) Deeds() ([]Deed, error) {
	p, err := readJournal(d.path)
	if err != nil {
		return nil, err
	}
	return deedsOf(since(p.entries, d.record.Undone))
}

func deedsOf(entries []Entry) ([]Deed, error) {
	var all []*Deed
	latest := map[string]*Deed{}
	carried := map[*Deed]bool{}
	byKey, count := map[string]*Deed{}, map[string]int{}
	for _, e := range entries {
		if e.Back != nil {
			at := latest[e.Action]
			if at == nil || !at.ByHand || !byPerson(e) {
				at = &Deed{Back: *e.Back, When: e.Time, Gave: map[string]string{}, Over: map[string]bool{}}
				all = append(all, at)
				latest[e.Action] = at
				count[e.Action]++
				at.Key = undoKey(e.Action, count[e.Action])
				byKey[at.Key] = at
			}
			var err error
			if at.Undo, err = keptOps(e.Back); err != nil {
				return nil, problem.New("the journal does not tell how " + problem.Plain(e.Action) + " is taken back").Because(problem.Plain(err.Error())).
					Try("take it back by hand in NPS: " + problem.Plain(e.Back.Object+" "+strconv.Quote(e.Back.Name)))
			}
		}
		if at := byKey[e.Action]; at != nil { // an entry of an undo
			switch e.State {
			case Carried, Told:
				at.Over[e.Op] = true
			case Unsaid:
				delete(at.Over, e.Op)
			}
			continue
		}
		at := latest[e.Action]
		if at == nil {
			continue
		}
		at.Open = slices.DeleteFunc(at.Open, func(o Entry) bool { return o.Op == e.Op && concludes(e, o) })
		switch e.State {
		case Sending:
			at.Open = append(at.Open, e)
			maps.Copy(at.Gave, e.Outputs)
		case Carried:
			carried[at] = true
			maps.Copy(at.Gave, e.Outputs)
		case Asked, Told:
			again := at.Over[""] // it was taken back, and a later run asks for it anew
			at.ByHand, at.Told = true, e.State == Told || at.Told && !again
			delete(at.Over, "")
		case Unsaid:
			at.Told = false
		}
	}
	var deeds []Deed
	for _, at := range all {
		if at.ByHand || carried[at] || len(at.Open) > 0 {
			deeds = append(deeds, *at)
		}
	}
	return deeds, nil
}

// concludes says whether an entry tells what became of a change, and of what it made. One that was carried out and whose result was
// not found before the run ended is still looked for.
func concludes(e, sending Entry) bool {
	switch e.State {
	case Lost, Looked:
		return false
	case Carried:
		return len(sending.Finds) == 0 || len(e.Outputs) > 0
	}
	return true
}

func byPerson(e Entry) bool { return e.State == Asked || e.State == Told }

// undoKey is the key of the action that takes a deed back; nth counts the deeds of one action.
func undoKey(action string, nth int) string {
	if nth == 1 {
		return undoPrefix + action
	}
	return undoPrefix + action + "#" + strconv.Itoa(nth)
}

// original is the key of the action that an undo action takes back.
func original(key string) string {
	key, _, _ = strings.Cut(strings.TrimPrefix(key, undoPrefix), "#")
	return key
}

func keptOps(b *Back) ([]plan.Op, error) {
	if len(b.Ops) == 0 {
		return nil, nil
	}
	ops, err := plan.KeptOps(b.Ops)
	for i := range ops {
		ops[i].ID = cmp.Or(ops[i].ID, "undo") + "-" + strconv.Itoa(i+1)
	}
	return ops, err
}
