package steps

import (
	"context"
	"fmt"
	"maps"
	"sync"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Sight is what the looks saw for the answers so far. It lets the steps look one after the other while a person goes on, and
// begins anew when an answer changes on which an earlier look rested. It may be used from several goroutines; looks wait
// for each other.
type Sight struct {
	guide  Guide
	memory func() Memory

	mu     sync.Mutex
	scene  *Scene
	looked map[string]Seen
	basis  map[string]string // answers on which the looks so far rest
}

// Seen is what one step's look brought.
type Seen struct {
	Step     string
	Findings []Finding
	Warnings []Warning
	Err      error // what is wrong, as problems; nil when nothing is
	Stopped  bool  // the look could not be ended: later steps cannot look either
	Facts    Facts // what is known since, for the pages of later steps
}

// NewSight has seen nothing yet. memory gives what earlier runs left behind, each time the looks begin anew.
func NewSight(g Guide, memory func() Memory) *Sight {
	return &Sight{guide: g, memory: memory}
}

// Look lets every applying step look up to and with the named one, as far as it has not looked yet, and gives what that one
// saw. A look of an earlier step that could not be ended ends this one too, with the earlier step's name in Seen.Step.
func (v *Sight) Look(ctx context.Context, a Answers, step string) Seen {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.settle(a)
	for _, s := range v.guide.Applying(a) {
		seen := v.one(ctx, s)
		if s.ID == step || seen.Stopped || ctx.Err() != nil {
			return seen
		}
	}
	return Seen{Step: step}
}

// Forget makes the next look begin anew: something was changed on the server, or a person wants to look again.
func (v *Sight) Forget() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.scene = nil
}

// settle keeps the scene when no answer changed on which it rests, and begins anew otherwise.
func (v *Sight) settle(a Answers) {
	if v.scene != nil {
		for key, was := range v.basis {
			if a.Text(key) != was {
				v.scene = nil
				break
			}
		}
	}
	if v.scene == nil {
		v.scene = NewScene(a, v.memory())
		v.looked, v.basis = map[string]Seen{}, map[string]string{}
	}
	v.scene.Answers = a
}

func (v *Sight) one(ctx context.Context, s Step) Seen {
	if seen, done := v.looked[s.ID]; done {
		return seen
	}
	v.scene.step = s.ID
	warnings, doubts, problems := len(v.scene.warnings), len(v.scene.doubts), len(v.scene.problems)
	var err error
	if s.Look != nil {
		err = s.Look(ctx, v.scene)
	}
	found := append(problem.List{}, v.scene.problems[problems:]...)
	found.Add(err)
	seen := Seen{Step: s.ID, Findings: v.scene.findings[s.ID], Warnings: append([]Warning{}, v.scene.warnings[warnings:]...), Err: found.Err(), Stopped: err != nil, Facts: Facts{maps.Clone(v.scene.facts)}}
	if err != nil {
		// It is looked at again: what it left half done goes.
		v.scene.findings[s.ID] = nil
		v.scene.warnings, v.scene.doubts, v.scene.problems = v.scene.warnings[:warnings], v.scene.doubts[:doubts], v.scene.problems[:problems]
		return seen
	}
	v.looked[s.ID] = seen
	for _, f := range s.Fields {
		v.basis[f.Key] = v.scene.Answers.Text(f.Key)
	}
	return seen
}

// Choices gives the live choices of a field, by filter text. The steps before it must have looked.
func (v *Sight) Choices(ctx context.Context, a Answers, f Field, filter string) ([]Option, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f.LiveChoices == nil {
		return f.Choices, nil
	}
	if v.scene == nil {
		return nil, problem.New("nothing was looked at yet").Try("go through the steps before this one first")
	}
	v.scene.Answers = a
	return f.LiveChoices(ctx, v.scene, filter)
}

// Draft makes the plan once every step has looked, from the start. Problems come back together.
func (v *Sight) Draft(ctx context.Context, a Answers, identity string) (plan.Plan, error) {
	v.Forget()
	var all problem.List
	for _, s := range v.guide.Applying(a) {
		seen := v.Look(ctx, a, s.ID)
		all.Add(seen.Err)
		if seen.Stopped {
			break
		}
		if err := ctx.Err(); err != nil {
			return plan.Plan{}, fmt.Errorf("stopped while looking: %w", err)
		}
	}
	if err := all.Err(); err != nil {
		return plan.Plan{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	return Draft(v.guide, v.scene, identity)
}
