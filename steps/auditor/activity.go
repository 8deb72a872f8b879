package auditor

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
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
	Named, Deleted      *object[npsapi.Activity]
	Platform            string // id
	Template, Paired    *npsapi.ActionTemplate
	PreGroup, PostGroup *npsapi.ActionGroup // of the named or the deleted activity, or left by a run that was stopped

	Bare     bool   // the deleted activity has lost its groups
	Unlisted bool   // the server lists none, or not their actions
	Searched bool   // then: there was a policy that tells whether it is there
	ID       string // and its id by that; Named is what the policy shows of it, if anything
}

var seenActivityKey = steps.Key[seenActivity]{Name: "auditor.activity"}

// activity is A11.
func (w World) activity() steps.Step {
	return steps.Step{
		ID: activityStep, Title: "Activity", Article: "Create an Activity, 1-7", Applies: byResource,
		Why: "it makes an account for each session and gives it its group while the session lasts",
		Fields: []steps.Field{
			{Key: keyActivity, Kind: steps.Text, Prompt: "Name of the activity", Default: "Netwrix Auditor Domain Admin", Example: "Netwrix Auditor Domain Admin", Help: "Auditor's monitoring plan names it with exactly these letters."},
			{Key: keyGroup, Kind: steps.Text, Prompt: "Group that the account joins while a session runs", Default: "Domain Admins", Example: "Domain Admins", Help: "Domain Admins is what the article says; Auditor's permissions page names less for most data sources."},
		},
		Look: lookActivity, Plan: w.planActivity,
		Verify: w.verifyActivity,
	}
}

func (w World) verifyActivity(ctx context.Context, s *steps.Scene) steps.Proof {
	seen, _ := steps.Get(s, seenActivityKey)
	return seen.honest(s, nps.ProvenBy(w.planActivity, func(s *steps.Scene) string {
		return "read back: platform, login account, template, and the pair of actions for " + problem.Plain(s.Answers.Text(keyGroup))
	})(ctx, s))
}

func actionName(a steps.Answers) string { return "Add to " + a.Text(keyGroup) }

func pairName(a steps.Answers) string { return "Remove from " + a.Text(keyGroup) }

func groupName(activity, phase string) string { return activity + " (" + phase + ")" }

func lookActivity(ctx context.Context, s *steps.Scene) error {
	err := lookListedActivity(ctx, s)
	if nps.NotListed(s, kindActivity, err) {
		return lookActivityByPolicies(ctx, s)
	}
	return err
}

func lookListedActivity(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyActivity)
	var seen seenActivity
	platforms, err := nps.Find(ctx, s, npsapi.ListPlatforms(), func(p npsapi.Named) bool { return nps.Same(p.Name, platformName) })
	if err != nil {
		return err
	}
	if len(platforms) == 0 {
		s.Problem(problem.New(fmt.Sprintf("NPS has no platform %q", platformName)).Coded(problem.PlatformMissing).Because("activities for domain controllers belong to it").Try("look under Configuration > Platforms in NPS"))
	} else {
		seen.Platform = platforms[0].Row.ID
		s.Observe("platform", seen.Platform)
	}
	if err := lookTemplates(ctx, s, &seen); err != nil {
		return err
	}
	taken, err := lookNamed(ctx, s, &seen, name)
	if err != nil {
		return err
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindActivity + " " + name, State: steps.Missing, Wanted: true}
	switch {
	case seen.Named != nil:
		s.Know(kindActivity, name, seen.Named.Row.ID)
		nps.Observe(s, "activity", seen.Named.Raw)
		f.Rows, f.State = nps.Rows(seen.Named.Raw, activitySettings(s, seen)), steps.Info
		err = lookGroups(ctx, s, &seen, seen.Named.Row)
	case seen.Deleted != nil:
		nps.Observe(s, "activity", seen.Deleted.Raw)
		f.Text = "a deleted activity of that name is there and would come back"
		err = lookGroups(ctx, s, &seen, seen.Deleted.Row)
		if seen.Bare = err == nil && seen.PreGroup == nil && seen.PostGroup == nil; seen.Bare {
			f.Text = "a deleted activity of that name is there without its actions; it would come back with new ones"
			err = lookLeftover(ctx, s, &seen, name, taken)
		}
	default:
		nps.Observe(s, "activity", nil)
		err = lookLeftover(ctx, s, &seen, name, taken)
	}
	if err != nil {
		return err
	}
	s.See(f)
	steps.Put(s, seenActivityKey, seen)
	return nil
}

// lookNamed finds the activity by its name, or a softly deleted namesake, and tells which action groups belong to an
// activity, whatever its name.
func lookNamed(ctx context.Context, s *steps.Scene, seen *seenActivity, name string) (map[string]bool, error) {
	all, err := nps.Find(ctx, s, npsapi.ListActivities(), func(npsapi.Activity) bool { return true })
	if err != nil {
		return nil, err
	}
	taken := map[string]bool{}
	for i := range all {
		a := &all[i]
		taken[strings.ToLower(a.Row.StartActionGroupID)], taken[strings.ToLower(a.Row.EndActionGroupID)] = true, true
	}
	named, deleted := nps.Namesakes(all, name, func(a npsapi.Activity) (string, bool) { return a.Name, a.IsDeleted })
	seen.Named, seen.Deleted = nps.Last(named), deleted
	if len(named) > 1 {
		s.Problem(nps.Several(kindActivity, name, nps.IDs(named, func(a npsapi.Activity) string { return a.ID })))
	}
	return taken, nil
}

func lookTemplates(ctx context.Context, s *steps.Scene, seen *seenActivity) error {
	all, err := nps.Find(ctx, s, npsapi.ListActionTemplates(), func(npsapi.ActionTemplate) bool { return true })
	if err != nil {
		return err
	}
	for i := range all {
		t := &all[i].Row
		if nps.Same(t.DisplayName, addToGroup) && (t.Classification.Is(npsapi.ClassPreSession, "PreSession") || t.Classification.Is(npsapi.ClassAny, "Any")) {
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

// lookGroups reads the action groups of an activity that is there, or was.
func lookGroups(ctx context.Context, s *steps.Scene, seen *seenActivity, a npsapi.Activity) error {
	for _, g := range []struct {
		id, key string
		into    **npsapi.ActionGroup
	}{{a.StartActionGroupID, "pre", &seen.PreGroup}, {a.EndActionGroupID, "post", &seen.PostGroup}} {
		if g.id == "" {
			continue
		}
		o, err := nps.Read[npsapi.ActionGroup](ctx, s, npsapi.GetActionGroup(plan.String(g.id)))
		if problem.Is(err, problem.NotFound) {
			continue
		}
		if problem.Is(err, problem.NotOffered) { // or the group is gone: of a call that is assumed, a 404 tells either
			there, listErr := nps.Find(ctx, s, npsapi.ListActionGroups(), func(have npsapi.ActionGroup) bool { return nps.Same(have.ID, g.id) })
			if listErr == nil && len(there) == 0 {
				continue
			}
		}
		if err != nil {
			return err
		}
		*g.into = &o.Row
		s.Observe(g.key, o.Row)
	}
	return nil
}

// lookLeftover finds the groups that a stopped run made before it came to the activity. A group that belongs to an activity,
// such as one that was renamed since, is none.
func lookLeftover(ctx context.Context, s *steps.Scene, seen *seenActivity, name string, taken map[string]bool) error {
	pre, post := groupName(name, "pre-session"), groupName(name, "post-session")
	found, err := nps.Find(ctx, s, npsapi.ListActionGroups(), func(g npsapi.ActionGroup) bool {
		return (nps.Same(g.Name, pre) || nps.Same(g.Name, post)) && !taken[strings.ToLower(g.ID)]
	})
	if err != nil {
		return err
	}
	for i := range found {
		o, err := nps.Read[npsapi.ActionGroup](ctx, s, npsapi.GetActionGroup(plan.String(found[i].Row.ID)))
		if err != nil {
			return err
		}
		if nps.Same(o.Row.Name, pre) {
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
	platform := nps.TextSetting("Platform", "platformId", seen.Platform)
	platform.Shown = platformName
	return []setting{
		nps.TextSetting("Name", "name", s.Answers.Text(keyActivity)),
		platform,
		nps.NumberSetting("Login Account", "loginAccount", npsapi.LoginActivityIdentity, "Activity Token").Marked("number inferred: ActivityIdentity (2)"),
		nps.NumberSetting("Activity Type", "activityType", npsapi.ActivityInteractive, "Interactive"),
		nps.TextSetting("Login Account Template", "loginAccountNameFormat", loginTemplate),
		nps.TruthSetting("Create Account", "createAccount", true),
		nps.TruthSetting("Delete After Use", "deleteAccount", true),
	}
}

func (w World) planActivity(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, seenActivityKey)
	name := s.Answers.Text(keyActivity)
	twin, err := w.page(s, activityStep)
	if err != nil {
		return nil, err
	}
	if seen.Unlisted {
		return activityByHand(s, seen, twin), nil
	}
	if seen.Named == nil {
		s.Promise(kindActivity, name, activityStep, "id")
	}
	if why := onlyByHand(s, seen); why != "" {
		return []plan.Action{withNote(nps.ManualAction(activityStep, kindActivity, name, twin), why)}, nil
	}
	var a plan.Action
	switch {
	case seen.Named != nil:
		if len(nps.Differing(seen.Named.Raw, activitySettings(s, seen))) == 0 {
			return nps.Adopted(s, activityStep, kindActivity, name), nil
		}
		a = changeActivity(s, plan.Update, *seen.Named, seen)
	case seen.Deleted != nil:
		if a = changeActivity(s, plan.Restore, *seen.Deleted, seen); seen.Bare {
			a = withGroups(s, seen, a)
		}
	default:
		a = createActivity(s, seen)
	}
	a.Object, a.Name, a.Twin = kindActivity, name, twin
	a.Assumption = a.Ops[len(a.Ops)-1].Assumed
	if nps.Same(s.Answers.Text(keyGroup), "Domain Admins") {
		a.Consents = []string{RiskDomainAdmins}
		a.Notes = append(a.Notes, "accepted as "+RiskDomainAdmins+": "+domainAdmins().Text)
	}
	if op, missing := nps.NotOffered(s, nps.Operations(a)...); missing {
		return []plan.Action{nps.InsteadByHand(a, op)}, nil
	}
	if a.Effect == plan.Restore {
		s.Know(kindActivity, name, seen.Deleted.Row.ID)
	}
	return []plan.Action{a}, nil
}

func withNote(a plan.Action, note string) plan.Action {
	a.Notes = append(a.Notes, note)
	return a
}

// onlyByHand says why calls cannot bring the activity about; empty when they can.
func onlyByHand(s *steps.Scene, seen seenActivity) string {
	if seen.Named == nil && (seen.Deleted == nil || seen.Bare) {
		return cannotCreate(s, seen)
	}
	wrong := wrongActions(s, seen)
	switch {
	case wrong == "":
		return ""
	case seen.Named == nil:
		return "a deleted activity of that name would come back with wrong actions: " + wrong + "; make the activity in NPS by hand, it is read back"
	}
	return wrong + "; an action cannot change its type later: correct it in NPS by hand, it is read back"
}

// cannotCreate says why the activity cannot be made by calls on this server.
func cannotCreate(s *steps.Scene, seen seenActivity) string {
	switch {
	case seen.Template == nil || seen.Paired == nil:
		return fmt.Sprintf("this server lists no action type %q with a partner", addToGroup)
	case parameter(seen.Template, "Domain") == nil || parameter(seen.Template, "Group") == nil || parameter(seen.Paired, "Domain") == nil || parameter(seen.Paired, "Group") == nil:
		return fmt.Sprintf("this server does not tell the parameters Domain and Group of %q", addToGroup)
	}
	// What an earlier run left is used as it is: it must be what is wanted now. A group without actions is left by a server
	// that does not take them with their group: making it again would make one more.
	for _, left := range []struct {
		group    *npsapi.ActionGroup
		template *npsapi.ActionTemplate
	}{{seen.PreGroup, seen.Template}, {seen.PostGroup, seen.Paired}} {
		if left.group == nil {
			continue
		}
		if why := wrongAction(s, left.group, left.template); why != "" {
			return fmt.Sprintf("the action group %q of an earlier run is not as wanted now: %s", problem.Plain(left.group.Name), why)
		}
	}
	return ""
}

func parameter(t *npsapi.ActionTemplate, name string) *npsapi.TemplateParameter {
	if t == nil {
		return nil
	}
	for i := range t.ActionTemplateParameter {
		if p := &t.ActionTemplateParameter[i]; nps.Same(p.DisplayName, name) || p.DisplayName == "" && nps.Same(p.Name, name) {
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
