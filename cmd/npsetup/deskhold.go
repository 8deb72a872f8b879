package main

import (
	"npsetup/steps"
	"npsetup/steps/run"
)

// inWizard names the wizard to whoever is turned away by it.
const inWizard = "npsetup (the wizard)"

// runOf names the run to which the answers of a machine belong.
func runOf(m steps.Machine) run.ID {
	a := m.Answers()
	return run.ID{Server: a.Text("nps.url"), Guide: m.Guide().ID, Application: a.Text(m.Guide().Identity)}
}

// goOn holds the run to which answers belong, when there is one: whoever else is at work on it is named before anything is asked. One that
// is not there yet is held as soon as it is begun.
func (d *desk) goOn(m steps.Machine) error {
	if store, err := d.store(m); err == nil && store.Begun() { // what cannot be read shows itself when it is worked with
		return d.holds(runOf(m))
	}
	if d.holdsOf != runOf(m) {
		d.letGo()
	}
	return nil
}

// holds keeps others from a run until another one is worked on, or none: also while a person does something by hand, which may take hours.
func (d *desk) holds(id run.ID) error {
	if d.link.dry || d.hold != nil && d.holdsOf == id {
		return nil
	}
	d.letGo()
	h, err := run.Lock(d.state, id, inWizard, d.o.app.now)
	if err != nil {
		return err
	}
	d.hold, d.holdsOf = h, id
	return nil
}

// letGo lets others at the run that was worked on.
func (d *desk) letGo() {
	if d.hold != nil {
		_ = d.hold.Release() // what matters is synced already
		d.hold = nil
	}
}

// leave ends the work at the desk, behind what is under way.
func (d *desk) leave() {
	defer d.lone()()
	d.letGo()
}
