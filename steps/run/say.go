package run

import (
	"slices"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// Say notes down, at once and without the rest of a plan, that a person said to have done what steps of it leave to a hand. It gives the
// actions for which that word stands: not those that are looked for or awaited.
func Say(p plan.Plan, done []string, o Options) ([]plan.Action, error) {
	o.ManualDone = map[string]bool{}
	for _, step := range done {
		o.ManualDone[step] = true
	}
	r, err := newRunner(p, o)
	if err != nil {
		return nil, err
	}
	var said []plan.Action
	for _, a := range p.Actions {
		if a.Effect != plan.ByHand || !o.ManualDone[a.Step] {
			continue
		}
		switch result := r.byHand(a); {
		case result.Err != nil && result.Outcome == steps.Failed:
			return said, result.Err
		case result.Outcome == steps.Done:
			said = append(said, a)
		}
	}
	return said, nil
}

// Unsay notes down that a person took such a word back. What an undo forgot by that word is asked for again when it is set up anew: that is
// no harm, where the contrary would be.
func Unsay(said []plan.Action, o Options) error {
	r := &runner{Options: o}
	var words []string
	for _, a := range said {
		if !isUndo(a) && !slices.Contains(words, a.Step) {
			words = append(words, a.Step)
		}
	}
	// First the record: it is what keeps a person from being asked again.
	if err := o.Store.Unsaid(words); err != nil {
		return err
	}
	for _, a := range said {
		if err := r.journal(Entry{Action: a.Key, Effect: a.Effect.String(), State: Unsaid, Request: "by hand"}); err != nil {
			return err
		}
	}
	return nil
}
