package face

import (
	"fmt"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// Hand keeps account of what a person does by hand in one sitting.
type Hand struct {
	Done   []string        // steps said to be done
	Out    []string        // steps that failed and are left out
	later  map[string]bool // action keys that were put off: they come once more when all else is done
	left   map[string]bool // those that were put off once more: they are left for another day
	noted  int
	await  string   // key of the action whose file was said to be there
	sought string   // the same, until another page is left
	doubts []string // steps that were said to be done, before it was looked anew
	turns  []string // steps and action keys, in the order in which they were done or put off
}

// Note says that a run has gone on from what was done so far.
func (h *Hand) Note() { h.noted = len(h.Done) }

// Unnoted says whether something was done that no run has gone on from yet.
func (h *Hand) Unnoted() bool { return len(h.Done) > h.noted }

// Anew forgets what was said to be done: what is still in the next plan is asked for again. What was put off stays so.
func (h *Hand) Anew() {
	*h = Hand{Out: h.Out, later: h.later, left: h.left, turns: h.turns, doubts: append(h.doubts, h.Done...)}
}

// Doubted says whether an action was said to be done, and has to be done still.
func (h *Hand) Doubted(a plan.Action) bool { return slices.Contains(h.doubts, a.Step) }

// Back takes back the last thing that was said to be done or was put off, and says whether there was one that no run has gone on from
// since. step is the one whose word is to be taken back; empty: it was put off.
func (h *Hand) Back() (step string, back bool) {
	if len(h.turns) == 0 {
		return "", false
	}
	last := h.turns[len(h.turns)-1]
	h.turns = h.turns[:len(h.turns)-1]
	for _, put := range []map[string]bool{h.left, h.later} {
		if put[last] {
			delete(put, last)
			return "", true
		}
	}
	if n := len(h.Done); n > h.noted && h.Done[n-1] == last {
		h.Done = h.Done[:n-1]
		return last, true
	}
	return h.Back()
}

// Do says that a step was done.
func (h *Hand) Do(step string) {
	h.Done = append(h.Done, step)
	h.turns = append(h.turns, step)
}

// Look says that it is worth looking whether the file of an action is there: nobody's word stands for a file that one awaits.
func (h *Hand) Look(a plan.Action) {
	if a.Awaits() != "" {
		h.await, h.sought = a.Key, a.Key
	}
}

// Came says, once, whether a file that was said to be there has been found, and a plan has changes that rest on it: they come
// before what is left to do by hand.
func (h *Hand) Came(p plan.Plan) bool {
	if h.await == "" {
		return false
	}
	_, waits := p.Action(h.await)
	h.await = ""
	return !waits && Sends(p)
}

// IsDone says whether a step was said to be done.
func (h *Hand) IsDone(step string) bool {
	return slices.Contains(h.Done, step)
}

// did says whether an action was done. One that awaits a file is not, as long as a plan has it: nobody's word stands for the file.
func (h *Hand) did(a plan.Action) bool { return h.IsDone(a.Step) && a.Awaits() == "" }

// Missing is the file that an action awaits and that is not there, although the person has said to have done it; or nothing.
func (h *Hand) Missing(a plan.Action) string {
	if h.sought == a.Key {
		return a.Awaits()
	}
	return ""
}

// LeaveOut leaves the steps out whose changes failed. What only waited for them is no failure of its own.
func (h *Hand) LeaveOut(r run.Result) {
	for _, a := range r.Actions {
		if a.Outcome == steps.Failed && !slices.Contains(h.Out, a.Step) {
			h.Out = append(h.Out, a.Step)
		}
	}
}

// PutOff leaves an action for later: the first time until all else is done, then for another day.
func (h *Hand) PutOff(key string) {
	if h.later == nil {
		h.later, h.left = map[string]bool{}, map[string]bool{}
	}
	if h.later[key] {
		h.left[key] = true
	}
	h.later[key] = true
	h.turns = append(h.turns, key)
}

// Recall lets everything come again that was put off.
func (h *Hand) Recall() { h.later, h.left = nil, nil }

// Again says why an action that was put off comes once more; empty: it was not.
func (h *Hand) Again(p plan.Plan, a plan.Action) string {
	if !h.later[a.Key] {
		return ""
	}
	const put = "You put this off. It comes once more before the end: "
	waits := map[string]bool{a.Key: true}
	var names []string
	for _, other := range p.Actions {
		if other.Changing() && slices.ContainsFunc(other.Needs(), func(need string) bool { return waits[need] }) {
			waits[other.Key] = true
			names = append(names, problem.Plain(other.Object)+" "+plan.Quoted(problem.Plain(other.Name)))
		}
	}
	if more := len(names) - waitersTold; more > 0 {
		names = append(names[:waitersTold], fmt.Sprintf("%d more", more))
	}
	if len(names) == 0 {
		return put + "nothing is complete without it. Later leaves it for another day."
	}
	return put + "this waits for it: " + strings.Join(names, ", ") + ". Later leaves it for another day."
}

// waitersTold is how many of those that wait for an action are named.
const waitersTold = 3

// Position says as which of the things to do by hand the next one comes. Those done in this sitting are counted, also when the plan has
// them no longer.
func (h *Hand) Position(p plan.Plan) (n, of int) {
	gone := map[string]bool{}
	for _, step := range h.Done {
		gone[step] = true
	}
	for _, a := range p.Actions {
		if a.Effect == plan.ByHand {
			delete(gone, a.Step)
			of++
			if h.did(a) || h.later[a.Key] {
				n++
			}
		}
	}
	n, of = n+len(gone), of+len(gone)
	return min(n+1, of), of
}

// Next is the first thing to do by hand that waits for nothing else: of those that were put off, once more when there is no other and
// something was done or put off since.
func (h *Hand) Next(p plan.Plan) (plan.Action, bool) {
	open := map[string]bool{}
	for _, a := range p.Actions {
		open[a.Key] = a.Changing() && !(a.Effect == plan.ByHand && h.did(a))
	}
	var put *plan.Action
	for i, a := range p.Actions {
		if a.Effect != plan.ByHand || !open[a.Key] || h.left[a.Key] || slices.ContainsFunc(a.Needs(), func(need string) bool { return open[need] }) {
			continue
		}
		if !h.later[a.Key] {
			return a, true
		}
		if put == nil && (len(h.turns) == 0 || h.turns[len(h.turns)-1] != a.Key) {
			put = &p.Actions[i]
		}
	}
	if put == nil {
		return plan.Action{}, false
	}
	return *put, true
}
