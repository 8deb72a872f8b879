package passwordsecure

import (
	"context"
	"errors"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const policyStep = "vault-policy"

var policyKey = steps.Key[nps.SeenPolicy]{Name: "passwordsecure.policy"}

// policy is B8.
func (w World) policy() steps.Step {
	return steps.Step{
		ID: policyStep, Title: "Access policy", Article: "Configure a New Policy, 1-4",
		Why: "it lets the users run the activity on the resources",
		Fields: []steps.Field{
			{Key: keyPolicy, Kind: steps.Text, Prompt: "Name of the access policy", Default: "Password Secure (resource)", Example: "Password Secure (resource)", Help: "A name that no other policy of this server has."},
			{Key: keyProfile, Kind: steps.Text, Prompt: "Connection profile", Default: "Default", Example: "Default", Help: "The article finds Default sufficient; it is looked at, since it may have been changed."},
			{Key: keyUsers, Kind: steps.Multi, Prompt: "Users and groups that may run the activity", Example: `CONTOSO\app-operators`, LiveChoices: userChoices, Help: "By the names that NPS shows. With your own among them, npsetup proves the set-up by a session of yours."},
			{Key: keyResources, Kind: steps.Multi, Prompt: "Resources, by DNS host name", Example: "app01.contoso.com", LiveChoices: resourceChoices, Check: checkHost, Help: "Resources that NPS has already."},
		},
		Look: lookPolicy, Plan: w.planPolicy, Verify: w.verifyPolicy,
	}
}

func checkHost(v string) error {
	if strings.ContainsAny(v, " \t/\\@:") || !strings.Contains(strings.Trim(v, "."), ".") {
		return errors.New("not a DNS host name such as app01.contoso.com")
	}
	return nil
}

func wantedPolicy(a steps.Answers) nps.Policy {
	return nps.Policy{Step: policyStep, Answer: keyPolicy, Name: a.Text(keyPolicy), Description: "Password Secure integration", ProfileName: a.Text(keyProfile)}
}

func lookPolicy(ctx context.Context, s *steps.Scene) error {
	if err := lookProfile(ctx, s); err != nil {
		return err
	}
	if err := lookMembers(ctx, s); err != nil {
		return err
	}
	seen, err := nps.LookPolicy(ctx, s, wantedPolicy(s.Answers))
	steps.Put(s, policyKey, seen)
	return err
}

func (w World) planPolicy(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, policyKey)
	want := wantedPolicy(s.Answers)
	if unknown := notTold(s, seen); len(unknown) > 0 {
		return w.policyByHand(s, seen, unknown)
	}
	profile, known := s.ID(kindProfile, want.ProfileName)
	if !known && seen.Policy != nil {
		profile = plan.String(seen.Policy.Row.ActivityConfigurationID) // chosen by a person, and not named by any call
	} else if !known {
		return nil, errors.New("the connection profile is not known")
	}
	var actions []plan.Action
	policy := want.ID(s, seen)
	if seen.Policy == nil {
		actions = []plan.Action{want.Create(profile)}
	} else {
		actions = want.Keep(s, seen, profile)
	}
	members, err := addMembers(s, seen, policy, actions)
	return append(actions, members...), err
}

// addMembers plans what the policy lacks, behind what is planned for the policy itself.
func addMembers(s *steps.Scene, seen nps.SeenPolicy, policy plan.Value, before []plan.Action) ([]plan.Action, error) {
	members, _ := steps.Get(s, membersKey)
	lists, err := wantedMembers(s, members)
	if err != nil {
		return nil, err
	}
	var actions []plan.Action
	for _, list := range lists {
		for _, b := range before {
			if b.Changing() && b.Effect != plan.ByHand {
				list.After = append(list.After, b.Key)
			}
		}
		if a, lacks := wantedPolicy(s.Answers).Add(seen, policy, list); lacks {
			a.Why = "the article lost the lines that name them; without users, activity and resources a policy grants nothing"
			actions = append(actions, a)
		}
	}
	return actions, nil
}

// notTold lists what the policy lacks and cannot be given by a call, since the server does not tell its id.
func notTold(s *steps.Scene, seen nps.SeenPolicy) []plan.Difference {
	var ds []plan.Difference
	if profile, _ := steps.Get(s, profileKey); profile.Unlisted && profile.ID == "" && !saidChosen(s, seen) {
		d := plan.Difference{Label: "Connection Profile", To: s.Answers.Text(keyProfile)}
		if seen.Policy != nil {
			d.From = nps.OrNothing(string(seen.Policy.Row.ActivityConfiguration))
		}
		ds = append(ds, d)
	}
	if act, _ := steps.Get(s, activityKey); act.Unlisted && act.ID == "" && !seen.Lists(npsapi.Activities, s.Answers.Text(keyActivity)) {
		ds = append(ds, plan.Difference{Label: "Activities", To: s.Answers.Text(keyActivity)})
	}
	return ds
}

// saidChosen says whether a person chose the profile of a policy that names none: its member is documented as a text, and what the
// text holds is not.
func saidChosen(s *steps.Scene, seen nps.SeenPolicy) bool {
	if seen.Policy == nil || seen.Policy.Row.ActivityConfigurationID == "" {
		return false
	}
	shown := string(seen.Policy.Row.ActivityConfiguration)
	unnamed := shown == "" || nps.Same(shown, seen.Policy.Row.ActivityConfigurationID)
	return unnamed && s.Memory.IsDone(policyStep, chosenProfile(s, seen))
}

// chosenProfile is what the choice of a profile is good for: another policy, profile or id has to be looked at anew.
func chosenProfile(s *steps.Scene, seen nps.SeenPolicy) plan.Value {
	return plan.String(joined([]string{seen.Policy.Row.ID, s.Answers.Text(keyProfile), seen.Policy.Row.ActivityConfigurationID}))
}

// policyByHand are the parts of the policy that take an id which no call tells: a person does them. The rest is planned as ever.
func (w World) policyByHand(s *steps.Scene, seen nps.SeenPolicy, unknown []plan.Difference) ([]plan.Action, error) {
	want := wantedPolicy(s.Answers)
	m, err := w.page(s, policyStep)
	if err != nil {
		return nil, err
	}
	a := nps.ManualAction(policyStep, nps.KindPolicy, want.Name, m)
	a.Notes = []string{"no call of this server tells the id of what it takes, so it is done by hand and read back"}
	for _, p := range s.Planned() {
		if p.Changing() && p.Step == activityStep {
			a.After = append(a.After, p.Key)
		}
	}
	if seen.Policy == nil {
		m.About = plan.String(want.Name) // whatever is said before it is there says nothing of its profile
		a.Difference = []plan.Difference{
			{Label: "Name", To: want.Name},
			{Label: "Type", To: "Resource Based"},
			{Label: "Connection Profile", To: want.ProfileName},
			{Label: "Users", To: strings.Join(s.Answers.List(keyUsers), ", ")},
			{Label: "Activities", To: s.Answers.Text(keyActivity)},
			{Label: "Resources", To: strings.Join(s.Answers.List(keyResources), ", ")},
		}
		return []plan.Action{a}, nil
	}
	a.Key, a.Difference, m.About = policyStep+"/by-hand", unknown, chosenProfile(s, seen)
	rest := want.Keep(s, seen, plan.String(seen.Policy.Row.ActivityConfigurationID))
	if len(rest) > 0 && !rest[0].Changing() {
		rest = nil
	}
	members, err := addMembers(s, seen, plan.String(seen.Policy.Row.ID), rest)
	return append(append(rest, a), members...), err
}

func (w World) verifyPolicy(ctx context.Context, s *steps.Scene) steps.Proof {
	p := nps.ProvenBy(w.planPolicy, func(*steps.Scene) string {
		return "read back: connection profile " + problem.Plain(s.Answers.Text(keyProfile)) + ", users, activity and resources"
	})(ctx, s)
	if profile, _ := steps.Get(s, profileKey); p.State == steps.Proven && profile.Unlisted {
		if profile.ID == "" {
			return steps.Proof{State: steps.ByWord, Text: "read back: users, activity and resources; which connection profile it has: " + nps.Unreadable}
		}
		p.Text += "; the settings of the profile are not told by this server"
	}
	return p
}
