package run

import (
	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Line is one line of the report: step, outcome, proof.
type Line struct {
	Step       string           `json:"step"`
	Outcome    string           `json:"outcome"`
	Proof      string           `json:"proof"`
	Code       string           `json:"code,omitempty"` // of what is not as wanted, or worth knowing
	Difference []DifferenceLine `json:"difference,omitempty"`
}

// DifferenceLine is one setting that is not as wanted.
type DifferenceLine struct {
	Setting string `json:"setting"`
	Field   string `json:"field,omitempty"`
	Is      string `json:"is"`
	Wanted  string `json:"wanted"`
}

// Report is how a set-up stands after a run: one line per step that applies.
type Report struct {
	Lines  []Line
	counts map[steps.Outcome]int
}

// ReportOf joins what was done with what was read back.
func ReportOf(proofs []steps.StepProof, result Result) Report {
	r := Report{counts: map[steps.Outcome]int{}}
	for _, p := range proofs {
		o := outcomeOf(p, result.ByStep[p.Step.ID])
		if p.Step.Plan == nil && o == steps.Failed && r.counts[steps.Waiting] > 0 {
			o = steps.Waiting // what it proves is not there yet, and a person is to make it
		}
		r.counts[o]++
		r.Lines = append(r.Lines, LineOf(p, o.String()))
	}
	return r
}

// ReportOfUndo is what became of each action of a plan that takes a run back.
func ReportOfUndo(p plan.Plan, result Result) Report {
	r := Report{counts: map[steps.Outcome]int{}}
	for i, a := range result.Actions {
		r.counts[a.Outcome]++
		r.Lines = append(r.Lines, Line{Step: a.Step, Outcome: a.Outcome.String(), Proof: problem.Plain(p.Actions[i].Object + " \"" + p.Actions[i].Name + "\"")})
	}
	return r
}

// Left is how many actions did not come to their end.
func (r Report) Left() int {
	return r.Count(steps.Failed) + r.Count(steps.NotRun) + r.Count(steps.Waiting)
}

// Count is how many steps came to an outcome.
func (r Report) Count(o steps.Outcome) int { return r.counts[o] }

// LineOf is the line of one step.
func LineOf(p steps.StepProof, outcome string) Line {
	l := Line{Step: p.Step.ID, Outcome: outcome, Proof: problem.Plain(p.Proof.Text), Code: string(p.Proof.Named())}
	if p.Proof.State == steps.Differs {
		for _, cause := range problem.All(p.Proof.Err) {
			for _, next := range cause.Next {
				l.Proof += "; " + problem.Plain(next)
			}
		}
	}
	for _, d := range p.Proof.Difference {
		l.Difference = append(l.Difference, DifferenceLine{Setting: d.Label, Field: d.Field, Is: problem.Plain(d.From), Wanted: problem.Plain(d.To)})
	}
	return l
}

// outcomeOf joins what was done in a step with what was read back.
func outcomeOf(p steps.StepProof, ran *steps.Outcome) steps.Outcome {
	switch p.Proof.State {
	case steps.Differs:
		if ran != nil && *ran != steps.Done && *ran != steps.Adopted && *ran != steps.Unchanged {
			return *ran
		}
		return steps.Failed
	case steps.NeedPerson:
		if ran != nil && *ran == steps.Failed {
			return steps.Failed
		}
		return steps.Waiting
	case steps.NotProven:
		if ran != nil {
			return *ran
		}
		if p.Proof.Err != nil {
			return steps.NotRun
		}
		// What merely nobody may see, such as the password of a session, speaks against nothing: verify takes it so too.
	case steps.Proven, steps.ByWord:
	}
	switch {
	case ran == nil, *ran == steps.NotRun:
	case *ran == steps.Waiting:
		return steps.Done // what was waited for has been done since
	default:
		return *ran
	}
	if p.Step.Plan != nil {
		return steps.Unchanged
	}
	return steps.Done
}
