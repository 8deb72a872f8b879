package main

import (
	"context"
	"slices"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// undoable says whether a run has done what can be taken back. Of a journal that cannot be read, the one who chooses it is told.
func (d *desk) undoable(r run.Record) bool {
	if !r.Open {
		return false
	}
	store, err := run.Open(d.state, run.ID{Server: r.Server, Guide: r.Guide, Application: r.Application}, d.o.app.now)
	if err != nil {
		return true
	}
	deeds, err := store.Deeds()
	return err != nil || slices.ContainsFunc(deeds, func(deed run.Deed) bool { return deed.Note != plan.NothingBehind })
}

// takingBack is the undo of the command, for a face.
func (d *desk) takingBack(m steps.Machine, c face.Changed) (*takingBack, error) {
	j, err := d.job(m)
	return &takingBack{job: j, over: c == face.WriteOver, keep: c == face.KeepTheirs}, err
}

// Unmake implements face.Work.
func (d *desk) Unmake(ctx context.Context, m steps.Machine, c face.Changed) (plan.Plan, []string, error) {
	defer d.lone()()
	u, err := d.takingBack(m, c)
	if err != nil {
		return plan.Plan{}, nil, err
	}
	defer u.close()
	u.tellOpen()
	p, others, err := u.look(ctx)
	return p, others, d.signedOut(m, err)
}

// TakeBack implements face.Work.
func (d *desk) TakeBack(ctx context.Context, m steps.Machine, p plan.Plan, c face.Changed, done []string, sink run.Sink) (run.Report, run.Result, error) {
	defer d.lone()()
	u, err := d.takingBack(m, c)
	if err != nil {
		return run.Report{}, run.Result{}, err
	}
	defer u.close()
	bad := func(err error) (run.Report, run.Result, error) {
		return run.Report{}, run.Result{}, d.signedOut(m, err)
	}
	if d.link.dry {
		return bad(problem.New("nothing is taken back in a dry run").Try("leave the dry run on the first page"))
	}
	if err := u.endOpen(ctx, sink); err != nil {
		return bad(err)
	}
	u.clearLeft(ctx)
	now, _, err := u.look(ctx) // what somebody else has changed meanwhile is asked about at the next look
	if err == nil {
		err = stillSo(p, now)
	}
	if err == nil {
		err = u.begin(p, run.TakeBack)
	}
	if err != nil {
		return bad(err)
	}
	result, err := u.carryOut(ctx, p, doneSet(done), sink)
	if err != nil {
		return run.Report{}, result, err
	}
	d.at(m).Forget()
	p, all := d.takenBack(p, result)
	report, err := u.closing(p, all)
	return report, result, err
}

// takenBack lets the report tell what the whole sitting took back, and not only its last run.
func (d *desk) takenBack(p plan.Plan, result run.Result) (plan.Plan, run.Result) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var earlier []undone
	for _, u := range d.back {
		if _, again := p.Action(u.act.Key); !again {
			earlier = append(earlier, u)
		}
	}
	d.back = earlier
	for i, r := range result.Actions {
		if r.Outcome == steps.Done || r.Outcome == steps.Adopted {
			d.back = append(d.back, undone{p.Actions[i], r})
		}
	}
	var acts []plan.Action
	var results []run.ActionResult
	for _, u := range earlier {
		acts, results = append(acts, u.act), append(results, u.result)
	}
	p.Actions, result.Actions = append(acts, p.Actions...), append(results, result.Actions...)
	return p, result
}

// undone is an action of a taking back, and that it was done.
type undone struct {
	act    plan.Action
	result run.ActionResult
}
