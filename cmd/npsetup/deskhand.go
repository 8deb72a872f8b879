package main

import (
	"slices"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/run"
)

// word is what a person said to have done: actions of a plan.
type word struct {
	of   plan.Plan
	acts []plan.Action
}

// aim is what the run is gone on with for.
func (d *desk) aim() run.Aim {
	if d.undoes {
		return run.TakeBack
	}
	return run.SetUp
}

// noting begins the run, so that what a person says can be noted down.
func (d *desk) noting(m steps.Machine, p plan.Plan) (*job, run.Options, error) {
	if err := d.holds(runOf(m)); err != nil {
		return &job{}, run.Options{}, err
	}
	j, err := d.job(m)
	if err != nil {
		return j, run.Options{}, err
	}
	return j, run.Options{Store: j.store, Clock: clock(d.o.app.now), Words: d.words}, j.start(p, d.aim(), true)
}

// Say implements face.Work.
func (d *desk) Say(m steps.Machine, p plan.Plan, done []string) error {
	defer d.lone()()
	j, o, err := d.noting(m, p)
	defer j.close()
	if err != nil {
		return err
	}
	said, err := run.Say(p, done, o)
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range said {
		d.told[a.Step] = word{p, append(d.told[a.Step].acts, a)}
		if d.undoes {
			d.back = append(d.back, undone{a, run.ActionResult{Key: a.Key, Step: a.Step, Outcome: steps.Done}})
		} else {
			d.did[a.Step] = steps.Done
		}
	}
	return err
}

// Unsay implements face.Work.
func (d *desk) Unsay(m steps.Machine, step string) error {
	defer d.lone()()
	w, said := d.told[step]
	if !said {
		return nil // nobody's word stood for it
	}
	j, o, err := d.noting(m, w.of)
	defer j.close()
	if err == nil {
		err = run.Unsay(w.acts, o)
	}
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.told, step)
	delete(d.did, step)
	for _, a := range w.acts {
		d.back = slices.DeleteFunc(d.back, func(u undone) bool { return u.act.Key == a.Key })
	}
	return nil
}
