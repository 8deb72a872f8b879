package auditor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const unreadable = nps.Unreadable

// profileByHand plans the connection profile where it is not listed.
func profileByHand(s *steps.Scene, seen seenProfiles, twin *plan.Manual) []plan.Action {
	name, wanted := s.Answers.Text(keyProfile), profileSettings(s.Answers)
	about := plan.String(name + "\n" + settingLines(wanted))
	var shown []plan.Difference
	switch {
	case seen.Named != nil && len(nps.Differing(seen.Named.Raw, wanted)) == 0:
		return nps.Adopted(s, profileStep, kindProfile, name)
	case seen.Named != nil:
		shown = nps.Differing(seen.Named.Raw, wanted)
	case seen.Shown != nil:
		shown = nps.Differing(seen.Shown.settings(), nps.Known(seen.Shown.settings(), wanted))
	}
	return nps.HandMade(s, profileStep, kindProfile, name, twin, about, shown, nps.Fresh(wanted), "its name and Max Duration are read back from its access policy, and all of it once a session has used it")
}

// activityByHand plans the activity where it is not listed. What could take it and does not have it speaks against any word.
func activityByHand(s *steps.Scene, seen seenActivity, twin *plan.Manual) []plan.Action {
	name, wanted := s.Answers.Text(keyActivity), activitySettings(s, seen)
	about := plan.String(strings.Join([]string{name, s.Answers.Text(keyGroup), platformName, loginTemplate}, "\n"))
	all := append(nps.Fresh(wanted), actionDifferences(s)...)
	var shown []plan.Difference
	switch {
	case seen.Named != nil:
		shown = nps.Differing(seen.Named.Raw, nps.Known(seen.Named.Raw, shownSettings(s, seen)))
	case seen.Searched && seen.ID == "":
		shown = all
	}
	return nps.HandMade(s, activityStep, kindActivity, name, twin, about, shown, all, "that it is there is read back")
}

// shownSettings are the activity's settings that can be compared: without the platform where no id of it is told.
func shownSettings(s *steps.Scene, seen seenActivity) []setting {
	var list []setting
	for _, st := range activitySettings(s, seen) {
		if st.Field != "platformId" || seen.Platform != "" {
			list = append(list, st)
		}
	}
	return list
}

// policyByHand are the parts of the policy that take an id which no call tells: a person does them. The rest is planned as ever.
func (w World) policyByHand(s *steps.Scene, y way, seen seenPolicy, unknown []plan.Difference) ([]plan.Action, error) {
	name := y.Name
	m, err := w.page(s, y.Step)
	if err != nil {
		return nil, err
	}
	a := nps.ManualAction(y.Step, kindPolicy, name, m)
	a.Notes = []string{"no call of this server tells the id of what it takes, so it is done by hand and read back"}
	for _, p := range s.Planned() {
		if p.Changing() && slices.Contains(y.needs, p.Step) {
			a.After = append(a.After, p.Key)
		}
	}
	if seen.Policy == nil {
		m.About = plan.String(name) // whatever is said before it is there says nothing of its profile
		a.Difference = []plan.Difference{{Label: "Name", To: name}, {Label: "Type", To: y.TypeName()}}
		for _, d := range append([]plan.Difference{{Label: "Connection Profile", To: s.Answers.Text(keyProfile)}}, y.lists(s.Answers)...) {
			a.Difference = append(a.Difference, plan.Difference{Label: d.Label, To: d.To})
		}
		return []plan.Action{a}, nil
	}
	a.Key, a.Difference, m.About = y.Step+"/by-hand", unknown, chosenProfile(s, seen)
	rest := y.Keep(s, seen, plan.String(seen.Policy.Row.ActivityConfigurationID))
	if len(rest) > 0 && !rest[0].Changing() {
		rest = nil
	}
	members, err := y.members(s, y, seen, plan.String(seen.Policy.Row.ID))
	for i := range members {
		for _, r := range rest {
			members[i].After = append(members[i].After, r.Key)
		}
	}
	return append(append(rest, a), members...), err
}

// notTold lists what the policy lacks and cannot be given by a call, since the server does not tell its id.
func notTold(s *steps.Scene, y way, seen seenPolicy) []plan.Difference {
	var ds []plan.Difference
	if profiles, _ := steps.Get(s, profilesKey); profiles.Unlisted && profiles.Shown == nil && !saidChosen(s, y, seen) {
		d := plan.Difference{Label: "Connection Profile", To: s.Answers.Text(keyProfile)}
		if seen.Policy != nil {
			d.From = nps.OrNothing(string(seen.Policy.Row.ActivityConfiguration))
		}
		ds = append(ds, d)
	}
	return append(ds, y.untold(s, seen)...)
}

func untoldActivity(s *steps.Scene, seen seenPolicy) []plan.Difference {
	if activity, _ := steps.Get(s, seenActivityKey); activity.Unlisted && activity.ID == "" && !seen.Lists(npsapi.Activities, s.Answers.Text(keyActivity)) {
		return []plan.Difference{{Label: "Activities", To: s.Answers.Text(keyActivity)}}
	}
	return nil
}

// saidChosen says whether a person chose the profile of a policy that names none: its member is documented as a text, and what
// the text holds is not. Without this, no run could end on a server where it is empty, or an id.
func saidChosen(s *steps.Scene, y way, seen seenPolicy) bool {
	if seen.Policy == nil || seen.Policy.Row.ActivityConfigurationID == "" {
		return false
	}
	shown := string(seen.Policy.Row.ActivityConfiguration)
	unnamed := shown == "" || nps.Same(shown, seen.Policy.Row.ActivityConfigurationID)
	return unnamed && s.Memory.IsDone(y.Step, chosenProfile(s, seen))
}

// chosenProfile is what the choice of a profile is good for: another policy, profile or id has to be looked at anew.
func chosenProfile(s *steps.Scene, seen seenPolicy) plan.Value {
	return plan.String(strings.Join([]string{seen.Policy.Row.ID, s.Answers.Text(keyProfile), seen.Policy.Row.ActivityConfigurationID}, "\n"))
}

// verifyPolicy says what of the policy was read back.
func verifyPolicy(ctx context.Context, s *steps.Scene, y way, planned func(*steps.Scene) ([]plan.Action, error)) steps.Proof {
	p := nps.ProvenBy(planned, func(*steps.Scene) string { return "read back: connection profile, " + y.holds })(ctx, s)
	if profiles, _ := steps.Get(s, profilesKey); p.State == steps.Proven && profiles.Unlisted && profiles.Shown == nil {
		return steps.Proof{State: steps.ByWord, Text: "read back: " + y.holds + "; which connection profile it has: " + unreadable}
	}
	return p
}

func memberDifferences(a steps.Answers) []plan.Difference {
	var ds []plan.Difference
	for _, m := range wantedMembers(a) {
		ds = append(ds, plan.Difference{Label: m.label, To: strings.Join(m.names, ", ")})
	}
	return ds
}

// honest says of a proof how much of it was read back, where profiles are not listed.
func (seen seenProfiles) honest(p steps.Proof) steps.Proof {
	if !seen.Unlisted || p.State != steps.Proven {
		return p
	}
	switch n := len(profileTable()); {
	case seen.Named != nil:
		p.Text = fmt.Sprintf("read back from a session that used it: all %d settings as wanted; matches that are marked prove storage, not meaning", n)
	case seen.Shown != nil && seen.Shown.MaxSession != nil:
		p.State, p.Text = steps.ByWord, fmt.Sprintf("read back from its access policy: its name and Max Duration; the other %d settings: %s until a session has used it", n-1, unreadable)
	case seen.Shown != nil:
		p.State, p.Text = steps.ByWord, fmt.Sprintf("read back from its access policy: its name; the %d settings: %s until a session has used it", n, unreadable)
	default:
		p.State, p.Text = steps.ByWord, unreadable+" until an access policy uses it"
	}
	return p
}

// honest says of a proof how much of it was read back, where activities are not listed. Actions are shown nowhere.
func (seen seenActivity) honest(s *steps.Scene, p steps.Proof) steps.Proof {
	if !seen.Unlisted || p.State != steps.Proven {
		return p
	}
	p.State = steps.ByWord
	pair := "the pair of actions for " + problem.Plain(s.Answers.Text(keyGroup))
	switch {
	case seen.Named != nil:
		var labels []string
		for _, st := range nps.Known(seen.Named.Raw, shownSettings(s, seen)) {
			labels = append(labels, st.Label)
		}
		p.Text = "read back from its access policy: " + strings.Join(labels, ", ") + "; " + pair + ": " + unreadable
	case seen.ID != "":
		p.Text = "read back: it is there by its name; its settings and " + pair + ": " + unreadable
	default:
		p.Text = unreadable
	}
	return p
}
