package auditor

import (
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// monitoringPlan is A16: the exact strings that are typed in Auditor.
func (w World) monitoringPlan() steps.Step {
	const id = "monitoring-plan"
	return steps.Step{
		ID: id, Title: "Monitoring plan", Article: "Enable Integration, 1-6",
		Why: "only with this does Auditor take its account from NPS; it looks the names up letter by letter",
		Fields: []steps.Field{
			{Key: keyPlan, Kind: steps.Text, Prompt: "Monitoring plan in Auditor", Example: "AD Monitoring", Help: "The plan whose items take their account from NPS."},
			{Key: keyItems, Kind: steps.Multi, Prompt: "Items of that plan", Example: "contoso.com", Help: "The items, as the plan lists them."},
		},
		Plan: func(s *steps.Scene) ([]plan.Action, error) {
			var after []string
			if seen, _ := steps.Get(s, policyKey); seen.Policy == nil {
				after = []string{policyStep}
			}
			return w.byHand(s, id, "monitoring plan", s.Answers.Text(keyPlan), typedNames(s), seenAuditor, after...)
		},
		Verify: byWord(id, typedNames, seenAuditor),
	}
}

// typedNames are the names that were typed in Auditor: others have to be typed anew.
func typedNames(s *steps.Scene) plan.Value {
	a := s.Answers
	names := append([]string{a.Text(keyPlan), a.Text(keyActivity)}, a.List(keyResources)...)
	return plan.String(strings.Join(append(names, a.List(keyItems)...), "\n"))
}
