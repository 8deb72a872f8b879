package run

import (
	"strings"

	"npsetup/steps/plan"
)

// Manual implements Store.
func (d *Dir) Manual(step, about string) error {
	return d.change(func(r *Record) {
		r.ManualDone[step] = d.now().UTC()
		delete(r.ManualAbout, step)
		if about != "" {
			r.ManualAbout[step] = about
		}
	})
}

// Unsaid implements Store.
func (d *Dir) Unsaid(done []string) error {
	return d.change(func(r *Record) {
		for _, step := range done {
			delete(r.ManualDone, step)
			delete(r.ManualAbout, step)
		}
	})
}

// NotOffered implements Store.
func (d *Dir) NotOffered(operation, version string) error {
	return d.change(func(r *Record) { r.NotOffered[operation] = version })
}

// Made implements Store. The first effect stays: what was made here is not merely adopted later, also when the run that made
// it was killed before it could say so.
func (d *Dir) Made(m Made) error {
	if before := d.sent[m.Action]; before != "" && m.Effect == plan.Adopt.String() {
		m.Effect = before
	}
	m.Action = ""
	return d.change(func(r *Record) {
		for i, have := range r.Objects {
			if have.Kind == m.Kind && strings.EqualFold(have.Name, m.Name) {
				if m.ID != "" {
					r.Objects[i].ID = m.ID
				}
				return
			}
		}
		r.Objects = append(r.Objects, m)
	})
}
