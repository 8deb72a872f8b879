package auditor

import (
	"context"
	"fmt"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	kindActivity = "activity"
	activityStep = "activity"

	platformName = "Active Directory"
	// loginTemplate has no blanks at its ends: the article prints some that do not belong to it.
	loginTemplate = `%targetDomain%\%samAccountName%`
	// domainVariable is spelled unlike the template's variable, on purpose: the two belong to different families.
	domainVariable = "%target_domain%"

	addToGroup = "Add User to Domain Group"
)

// seenActivity is what Look found for the activity.
type seenActivity struct {
	Named               *object[npsapi.Activity]
	Platform            string // id
	Template, Paired    *npsapi.ActionTemplate
	PreGroup, PostGroup *npsapi.ActionGroup // of the named activity, or left by a run that was stopped
	Leftover            bool                // the groups belong to no activity yet
}

var seenActivityKey = steps.Key[seenActivity]{Name: "auditor.activity"}

// activity is A11.
func (w World) activity() steps.Step {
	return steps.Step{
		ID: activityStep, Title: "Activity", Article: "Create an Activity, 1-7",
		Why: "it makes an account for each session and gives it its group while the session lasts",
		Fields: []steps.Field{
			{Key: keyActivity, Kind: steps.Text, Prompt: "Name of the activity", Default: "Netwrix Auditor Domain Admin", Example: "Netwrix Auditor Domain Admin", Help: "Auditor's monitoring plan names it with exactly these letters."},
			{Key: keyGroup, Kind: steps.Text, Prompt: "Group that the account joins while a session runs", Default: "Domain Admins", Example: "Domain Admins", Help: "Domain Admins is what the article says; Auditor's permissions page names less for most data sources."},
		},
		Look: lookActivity, Plan: w.planActivity,
		Verify: provenBy(w.planActivity, func(s *steps.Scene) string {
			return "read back: platform, login account, template, and the pair of actions for " + problem.Plain(s.Answers.Text(keyGroup))
		}),
	}
}

func actionName(a steps.Answers) string { return "Add to " + a.Text(keyGroup) }

func pairName(a steps.Answers) string { return "Remove from " + a.Text(keyGroup) }

func groupName(activity, phase string) string { return activity + " (" + phase + ")" }

func lookActivity(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyActivity)
	var seen seenActivity
	platforms, err := find(ctx, s, npsapi.ListPlatforms(), func(p npsapi.Named) bool { return same(p.Name, platformName) })
	if err != nil {
		return err
	}
	if len(platforms) == 0 {
		s.Problem(problem.New(fmt.Sprintf("NPS has no platform %q", platformName)).Because("activities for domain controllers belong to it").Try("look under Configuration > Platforms in NPS"))
	} else {
		seen.Platform = platforms[0].Row.ID
		s.Observe("platform", seen.Platform)
	}
	if err := lookTemplates(ctx, s, &seen); err != nil {
		return err
	}
	found, err := find(ctx, s, npsapi.ListActivities(), func(a npsapi.Activity) bool { return same(a.Name, name) && !a.IsDeleted })
	if err != nil {
		return err
	}
	if len(found) > 1 {
		s.Problem(several(kindActivity, name, ids(found, func(a npsapi.Activity) string { return a.ID })))
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindActivity + " " + name, State: steps.Missing, Wanted: true}
	if len(found) > 0 {
		seen.Named = &found[0]
		s.Know(kindActivity, name, found[0].Row.ID)
		observe(s, "activity", found[0].Raw)
		f.Rows, f.State = rows(found[0].Raw, activitySettings(s, seen)), steps.Info
		err = lookGroups(ctx, s, &seen)
	} else {
		observe(s, "activity", nil)
		err = lookLeftover(ctx, s, &seen, name)
	}
	s.See(f)
	steps.Put(s, seenActivityKey, seen)
	return err
}

func lookTemplates(ctx context.Context, s *steps.Scene, seen *seenActivity) error {
	all, err := find(ctx, s, npsapi.ListActionTemplates(), func(npsapi.ActionTemplate) bool { return true })
	if err != nil {
		return err
	}
	for i := range all {
		t := &all[i].Row
		if same(t.DisplayName, addToGroup) && (t.Classification.Is(npsapi.ClassPreSession, "PreSession") || t.Classification.Is(npsapi.ClassAny, "Any")) {
			seen.Template = t
		}
	}
	for i := range all {
		if seen.Template != nil && all[i].Row.ID == seen.Template.PairedActionTemplateID {
			seen.Paired = &all[i].Row
		}
	}
	if seen.Template != nil {
		s.Observe("template", seen.Template)
		s.Observe("paired", seen.Paired)
	}
	return nil
}

// lookGroups reads the action groups of an activity that is there.
func lookGroups(ctx context.Context, s *steps.Scene, seen *seenActivity) error {
	for _, g := range []struct {
		id, key string
		into    **npsapi.ActionGroup
	}{{seen.Named.Row.StartActionGroupID, "pre", &seen.PreGroup}, {seen.Named.Row.EndActionGroupID, "post", &seen.PostGroup}} {
		if g.id == "" {
			continue
		}
		o, err := read[npsapi.ActionGroup](ctx, s, npsapi.GetActionGroup(plan.String(g.id)))
		if problem.Is(err, problem.NotOffered) || problem.Is(err, problem.NotFound) {
			continue
		}
		if err != nil {
			return err
		}
		*g.into = &o.Row
		s.Observe(g.key, o.Row)
	}
	return nil
}

// lookLeftover finds the groups that a stopped run made before it came to the activity.
func lookLeftover(ctx context.Context, s *steps.Scene, seen *seenActivity, name string) error {
	pre, post := groupName(name, "pre-session"), groupName(name, "post-session")
	found, err := find(ctx, s, npsapi.ListActionGroups(), func(g npsapi.ActionGroup) bool { return same(g.Name, pre) || same(g.Name, post) })
	if err != nil {
		return err
	}
	for i := range found {
		o, err := read[npsapi.ActionGroup](ctx, s, npsapi.GetActionGroup(plan.String(found[i].Row.ID)))
		if err != nil {
			return err
		}
		seen.Leftover = true
		if same(o.Row.Name, pre) {
			seen.PreGroup = &o.Row
		} else {
			seen.PostGroup = &o.Row
		}
		s.Observe("group "+o.Row.Name, o.Row)
	}
	return nil
}

// activitySettings are the article's settings and the two that the product forces for an Activity Token.
func activitySettings(s *steps.Scene, seen seenActivity) []setting {
	platform := text("Platform", "platformId", seen.Platform)
	platform.Shown = platformName
	return []setting{
		text("Name", "name", s.Answers.Text(keyActivity)),
		platform,
		numeral("Login Account", "loginAccount", npsapi.LoginActivityIdentity, "Activity Token").marked("number inferred: ActivityIdentity (2)"),
		numeral("Activity Type", "activityType", npsapi.ActivityInteractive, "Interactive"),
		text("Login Account Template", "loginAccountNameFormat", loginTemplate),
		truth("Create Account", "createAccount", true),
		truth("Delete After Use", "deleteAccount", true),
	}
}

func (w World) planActivity(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, seenActivityKey)
	name := s.Answers.Text(keyActivity)
	twin, err := w.page(s, activityStep)
	if err != nil {
		return nil, err
	}
	var a plan.Action
	if seen.Named == nil {
		s.Promise(kindActivity, name, activityStep, "id")
		if why := cannotCreate(seen); why != "" {
			return []plan.Action{withNote(manualAction(activityStep, kindActivity, name, twin), why)}, nil
		}
		a = createActivity(s, seen)
	} else {
		if wrong := wrongActions(s, seen); wrong != "" {
			note := wrong + "; an action cannot change its type later: correct it in NPS by hand, it is read back"
			return []plan.Action{withNote(manualAction(activityStep, kindActivity, name, twin), note)}, nil
		}
		ds := differing(seen.Named.Raw, activitySettings(s, seen))
		if len(ds) == 0 {
			return adopted(s, activityStep, kindActivity, name), nil
		}
		a = updateActivity(s, seen, ds)
	}
	a.Object, a.Name, a.Twin = kindActivity, name, twin
	a.Assumption = a.Ops[len(a.Ops)-1].Assumed
	if same(s.Answers.Text(keyGroup), "Domain Admins") {
		a.Consents = []string{RiskDomainAdmins}
	}
	if op, missing := notOffered(s, operations(a)...); missing {
		return []plan.Action{insteadByHand(a, op)}, nil
	}
	return []plan.Action{a}, nil
}

func withNote(a plan.Action, note string) plan.Action {
	a.Notes = append(a.Notes, note)
	return a
}

func operations(a plan.Action) []string {
	var list []string
	for _, op := range a.Ops {
		if op.Call != nil {
			list = append(list, op.Call.Operation)
		}
	}
	return list
}

// cannotCreate says why the activity cannot be made by calls on this server.
func cannotCreate(seen seenActivity) string {
	switch {
	case seen.Template == nil || seen.Paired == nil:
		return fmt.Sprintf("this server lists no action type %q with a partner", addToGroup)
	case parameter(seen.Template, "Domain") == nil || parameter(seen.Template, "Group") == nil || parameter(seen.Paired, "Domain") == nil || parameter(seen.Paired, "Group") == nil:
		return fmt.Sprintf("this server does not tell the parameters Domain and Group of %q", addToGroup)
	}
	return ""
}

func parameter(t *npsapi.ActionTemplate, name string) *npsapi.TemplateParameter {
	if t == nil {
		return nil
	}
	for i := range t.ActionTemplateParameter {
		if p := &t.ActionTemplateParameter[i]; same(p.DisplayName, name) || p.DisplayName == "" && same(p.Name, name) {
			return p
		}
	}
	return nil
}

// wrongActions says what is wrong with the pair of actions of an activity that is there; empty when nothing is.
func wrongActions(s *steps.Scene, seen seenActivity) string {
	if why := wrongAction(s, seen.PreGroup, seen.Template); why != "" {
		return "pre-session: " + why
	}
	if why := wrongAction(s, seen.PostGroup, seen.Paired); why != "" {
		return "post-session: " + why
	}
	return ""
}

func wrongAction(s *steps.Scene, g *npsapi.ActionGroup, t *npsapi.ActionTemplate) string {
	if t == nil {
		return fmt.Sprintf("this server lists no action type %q with a partner", addToGroup)
	}
	if g == nil {
		return fmt.Sprintf("the action %q is not there", problem.Plain(t.DisplayName))
	}
	for _, a := range g.Action {
		if a.IsDeleted || a.ActionTemplateID != t.ID {
			continue
		}
		for _, want := range []struct{ name, value string }{{"Domain", domainVariable}, {"Group", s.Answers.Text(keyGroup)}} {
			if have := value(a, parameter(t, want.name)); have != want.value {
				return fmt.Sprintf("%s is %q, should be %q", want.name, problem.Plain(have), want.value)
			}
		}
		if a.ContinueOnFail {
			return "Continue on Error is on, should be off"
		}
		return ""
	}
	return fmt.Sprintf("the action %q is not there", problem.Plain(t.DisplayName))
}

func value(a npsapi.Action, p *npsapi.TemplateParameter) string {
	for _, v := range a.ActionParameter {
		if p != nil && v.ActionTemplateParameterID == p.ID {
			return v.Value
		}
	}
	return ""
}
