package auditor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
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
			return w.byHand(s, id, "monitoring plan", s.Answers.Text(keyPlan), typedNames(s), after...)
		},
		Verify: byWord(id, typedNames),
	}
}

// typedNames are the names that were typed in Auditor: others have to be typed anew.
func typedNames(s *steps.Scene) plan.Value {
	a := s.Answers
	names := append([]string{a.Text(keyPlan), a.Text(keyActivity)}, a.List(keyResources)...)
	return plan.String(strings.Join(append(names, a.List(keyItems)...), "\n"))
}

// verify is A17, its reading part: the whole chain as NPS itself judges it.
func (w World) verify() steps.Step {
	return steps.Step{
		ID: "verify", Title: "Proof", Article: "not in the article",
		Why:    "a set-up that went through and does not work is the worst outcome",
		Verify: verifyChain,
	}
}

func verifyChain(ctx context.Context, s *steps.Scene) steps.Proof {
	user, _ := steps.Get(s, userKey)
	seen, _ := steps.Get(s, policyKey)
	if user == nil || seen.Policy == nil {
		return steps.Proof{State: steps.Differs, Text: "the application user or its policy is not there yet"}
	}
	r, ok := steps.Get(s, nps.ReaderKey)
	if !ok {
		return steps.Proof{State: steps.NotProven, Text: "nobody is signed in to NPS"}
	}
	activity := s.Answers.Text(keyActivity)
	hosts := s.Answers.List(keyResources)
	for _, host := range hosts {
		granted, err := grants(ctx, r, user.Row.ID, activity, host, seen.Policy.Row.ID)
		if err != nil {
			return steps.Proof{State: steps.NotProven, Text: problem.Plain(err.Error())}
		}
		if !granted {
			return steps.Proof{State: steps.Differs, Text: fmt.Sprintf("NPS finds no policy that lets %s run %q on %s", problem.Plain(user.Row.Name), problem.Plain(activity), problem.Plain(host))}
		}
	}
	text := "NPS grants " + problem.Plain(activity) + " on " + problem.Plain(strings.Join(hosts, ", ")) + " to " + problem.Plain(user.Row.Name)
	return steps.Proof{State: steps.Proven, Text: text + "; " + ownSessions(ctx, r, user.Row, activity)}
}

// grants asks PolicySearch. The answer 404 means that no policy grants it.
func grants(ctx context.Context, r nps.Reader, user, activity, host, policy string) (bool, error) {
	a, err := r.Read(ctx, npsapi.FindPolicies(plan.String(user), activity, host))
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var found []npsapi.Policy
	if err := json.Unmarshal(a.Body, &found); err != nil {
		return false, fmt.Errorf("the answer of PolicySearch cannot be read: %w", err)
	}
	for _, p := range found {
		if same(p.ID, policy) {
			return true, nil
		}
	}
	return false, nil
}

// ownSessions says whether Auditor has opened a session itself: the last proof, which only Auditor can give.
func ownSessions(ctx context.Context, r nps.Reader, user npsapi.Account, activity string) string {
	n := 0
	err := r.List(ctx, npsapi.SearchSessions(user.Name), func(raw json.RawMessage) (bool, error) {
		row, err := npsapi.Decode[npsapi.Session](raw)
		if err == nil && same(row.ManagedAccountID, user.ID) && same(row.ActivityName, activity) {
			n++
		}
		return n == 0, err
	})
	switch {
	case err != nil:
		return "its sessions cannot be listed: " + problem.Plain(err.Error())
	case n == 0:
		return "no session of Auditor seen yet"
	}
	return "a session of Auditor was seen"
}
