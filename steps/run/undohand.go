package run

import (
	"context"
	"slices"
	"strings"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// lookedAt is the proof of what a person takes back and the server shows: nobody's word stands for it.
const lookedAt = "read back: npsetup undo looks again"

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
		Where: d.Where, Clicks: []plan.Click{{Text: note}}, Proof: plan.WordProof(d.Step),
	}}}
	return a
}

// stillSo is the part of an undo that a person does, as long as the server shows what the run made of it. What somebody else made of
// it since stays.
func (v *undoing) stillSo(w *view, a *plan.Action) (*plan.Op, error) {
	if w.trace == nil || w.err != nil || !w.found {
		return nil, w.err
	}
	read, err := plan.Parse(w.row)
	if err != nil {
		return nil, err
	}
	row, _ := read.(plan.Object)
	still := false
	for _, c := range w.trace.Changed {
		is := c.In(row)
		if is == nil {
			continue
		}
		now, err := plan.Encode(is)
		if err != nil {
			return nil, err
		}
		if sameJSON(now, c.Became) && v.out.claims.take(objectOf(w.trace.Lookup)+" "+c.Member) {
			still = true
			_, setting, _ := strings.Cut("/"+c.Member, "/")
			if _, name, of := strings.Cut(setting, "/"); of {
				setting = name
			}
			a.Difference = append(a.Difference, v.difference(setting, c, now))
		}
	}
	if !still {
		return nil, nil
	}
	a.Effect = plan.ByHand
	op, m := w.op, *w.op.Manual
	m.Proof = lookedAt
	op.Manual, op.Trace = &m, nil
	v.out.Seen[v.deed.Key+"/"+op.ID] = w.row
	return &op, nil
}

// offered gives an action of calls its manual twin, or lets it be done by hand where this server was found not to have one of them.
func (v *undoing) offered(a plan.Action) plan.Action {
	if a.Effect == plan.ByHand {
		return a
	}
	var clicks []plan.Click
	lacks := ""
	for _, op := range a.Ops {
		if op.Kind != plan.KindCall {
			return a // it does more than a person finds in NPS
		}
		if v.Lacks != nil && v.Lacks(op.Call.Operation) {
			lacks = op.Call.Method + " " + op.Call.Path
		}
	}
	if len(a.Ops) == 0 {
		return a
	}
	switch {
	case a.Effect == plan.Delete:
		clicks = []plan.Click{{Text: "delete " + a.Object + " \"" + a.Name + "\", or take it out where it is a part of something"}}
	default:
		for _, d := range a.Difference {
			clicks = append(clicks, plan.Click{Text: "in " + a.Object + " \"" + a.Name + "\" set " + d.Label + " back from " + d.From + " to " + d.To})
		}
	}
	if len(clicks) == 0 {
		clicks = []plan.Click{{Text: "take back what this run changed of " + a.Object + " \"" + a.Name + "\""}}
	}
	a.Twin = &plan.Manual{Where: "NPS, in a browser, as an administrator", Clicks: clicks, Proof: lookedAt}
	if lacks == "" {
		return a
	}
	a.Notes = append(a.Notes, "this server was found not to offer "+problem.Plain(lacks)+", so it is done by hand and read back")
	a.Effect, a.Ops = plan.ByHand, []plan.Op{{ID: "manual", Kind: plan.KindManual, Class: plan.Change, Repeat: plan.Never, Manual: a.Twin}}
	a.Twin = nil
	return a
}

// isUndo says whether an action takes something back.
func isUndo(a plan.Action) bool { return strings.HasPrefix(a.Key, undoPrefix) }

// byLook says whether only a look shows that a person has taken it back.
func byLook(a plan.Action) bool {
	m := a.Manual()
	return isUndo(a) && m != nil && m.Proof == lookedAt
}

// goneBefore says whether what an operation of an undo would take away is not there any longer: somebody was faster, or it went with what it was a
// part of. An assumed call answers 404 to that as it does where the server lacks it, so that a look decides.
func (r *runner) goneBefore(ctx context.Context, op plan.Op, err error) bool {
	if op.Trace == nil || !op.Trace.Made && !op.Trace.Members || !problem.Is(err, problem.NotFound) && !problem.Is(err, problem.NotOffered) {
		return false
	}
	w := &view{op: op, trace: op.Trace}
	r.look(ctx, w)
	if w.err != nil {
		return false
	}
	if !op.Trace.Members {
		return !w.found || !sameObject(op, w.row)
	}
	wanted, _ := op.Call.Body.(plan.Array)
	return !slices.ContainsFunc(wanted, func(one plan.Value) bool { return w.in[idOf(one)] })
}
