package steps

import "context"

// Inspect is Survey for one who wants to know of each step what its look brought. It ends behind a look that could not be ended, and
// behind the named step, if one is named. The scene may be drafted and proven afterwards as after Survey.
func Inspect(ctx context.Context, g Guide, s *Scene, last string) []Seen {
	var all []Seen
	for _, step := range g.Applying(s.Answers) {
		s.step = step.ID
		warnings, problems := len(s.warnings), len(s.problems)
		var err error
		if step.Look != nil {
			if err = step.Look(ctx, s); err == nil {
				err = ctx.Err()
			}
		}
		if err != nil {
			s.halted = step.ID
			s.Problem(err)
		}
		found := append(s.problems[problems:len(s.problems):len(s.problems)], nil...)
		all = append(all, Seen{Step: step.ID, Findings: s.findings[step.ID], Warnings: s.warnings[warnings:len(s.warnings):len(s.warnings)], Err: found.Err(), Stopped: err != nil})
		if err != nil || step.ID == last {
			break
		}
	}
	return all
}
