package steps

import (
	"slices"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// unaccepted is a risk that nobody has accepted yet.
func unaccepted(r Risk, a Answers) *problem.Problem {
	return problem.New("missing consent: " + r.Name).Because(r.Told(a)).
		Try("read it, then add " + r.Name + " to acceptRisks in the answers file, or --accept-risk " + r.Name).At(RiskKey).Of(problem.Usage)
}

// Unaccepted names the risks that a plan takes and that nobody has accepted; nil when there are none. Answers are asked for a consent
// before anything is sent, and need none for what was done already: what is planned tells whether it would be done again.
func Unaccepted(g Guide, a Answers, p plan.Plan) error { return MissingConsents(a, Taken(g, a, p)) }

// Taken lists the risks that a plan takes and that nobody has accepted.
func Taken(g Guide, a Answers, p plan.Plan) []Risk {
	var list []Risk
	for _, r := range g.Risks {
		takes := func(act plan.Action) bool { return act.Changing() && slices.Contains(act.Consents, r.Name) }
		if !a.Accepts(r.Name) && slices.ContainsFunc(p.Actions, takes) {
			r.Text = r.Told(a)
			list = append(list, r)
		}
	}
	return list
}

// MissingConsents is the problem of risks that nobody has accepted; nil when there are none.
func MissingConsents(a Answers, risks []Risk) error {
	var missing problem.List
	for _, r := range risks {
		missing = append(missing, unaccepted(r, a))
	}
	return missing.Err()
}
