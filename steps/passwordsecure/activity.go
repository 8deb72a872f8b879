package passwordsecure

import (
	"context"
	"fmt"
	"sort"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	activityStep = "vault-activity"
	kindActivity = "activity"
)

// seenActivity is what Look found for the activity.
type seenActivity struct {
	Named, Deleted *nps.Object[npsapi.Activity]
	Platform       string // id; empty: not told

	Unlisted bool   // the server lists none
	Searched bool   // then: there was a policy that tells whether it is there
	ID       string // and its id by that; Named is what the policy shows of it, if anything
}

var activityKey = steps.Key[seenActivity]{Name: "passwordsecure.activity"}

// activity is B7.
func (w World) activity() steps.Step {
	return steps.Step{
		ID: activityStep, Title: "Activity", Article: "Create an Activity, 1-4",
		Why: "it is what a user starts; its account comes from the vault",
		Fields: []steps.Field{
			{Key: keyActivity, Kind: steps.Text, Prompt: "Name of the activity", Default: "Password Secure Logon", Example: "Password Secure Logon", Help: "Users choose it by this name."},
			{Key: keyActivityIs, Kind: steps.Text, Prompt: "Its description", Optional: true},
			{
				Key: keyPlatform, Kind: steps.Text, Prompt: "Platform", Default: "Windows", Example: "Windows", LiveChoices: platformChoices,
				Help: "The platform of the resources: a policy grants an activity only on resources of the same one.",
			},
			{
				Key: keyTemplate, Kind: steps.Text, Prompt: "Login Account Template", Example: `CONTOSO\app-admin`, Check: checkTemplate,
				Help: `The article does not mention it; NPS looks for exactly this DOMAIN\user in Password Secure. A fixed name, or one with masks such as %samaccountname%.`,
				Stands: func(a steps.Answers) string {
					if a.Text(keyDomain) == "" || a.Text(keyUser) == "" {
						return ""
					}
					return login(a)
				},
			},
		},
		Look: lookActivity, Plan: w.planActivity, Verify: w.verifyActivity,
	}
}

func lookActivity(ctx context.Context, s *steps.Scene) error {
	preview(s)
	err := lookListedActivity(ctx, s)
	if nps.NotListed(s, kindActivity, err) {
		return lookActivityByPolicies(ctx, s)
	}
	return err
}

func lookListedActivity(ctx context.Context, s *steps.Scene) error {
	name, platform := s.Answers.Text(keyActivity), s.Answers.Text(keyPlatform)
	var seen seenActivity
	platforms, err := nps.Find(ctx, s, npsapi.ListPlatforms(), func(p npsapi.Named) bool { return nps.Same(p.Name, platform) })
	if err != nil {
		return err
	}
	if len(platforms) == 0 {
		s.Problem(problem.New(fmt.Sprintf("NPS has no platform %q", problem.Plain(platform))).Coded(problem.PlatformMissing).At(keyPlatform).Because("no platform of it has this name").Try("give activity.platform one that stands under Configuration > Platforms in NPS, such as Windows"))
	} else {
		seen.Platform = platforms[0].Row.ID
		s.Observe("platform", seen.Platform)
	}
	all, err := nps.Find(ctx, s, npsapi.ListActivities(), func(a npsapi.Activity) bool { return nps.Same(a.Name, name) })
	if err != nil {
		return err
	}
	named, deleted := nps.Namesakes(all, name, func(a npsapi.Activity) (string, bool) { return a.Name, a.IsDeleted })
	seen.Named, seen.Deleted = nps.Last(named), deleted
	if len(named) > 1 {
		s.Problem(nps.Several(kindActivity, name, nps.IDs(named, func(a npsapi.Activity) string { return a.ID })))
	}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindActivity + " " + name, State: steps.Missing, Wanted: true}
	switch {
	case seen.Named != nil:
		s.Know(kindActivity, name, seen.Named.Row.ID)
		nps.Observe(s, "activity", seen.Named.Raw)
		f.State, f.Rows = steps.Info, nps.Rows(seen.Named.Raw, activitySettings(s, seen))
	case seen.Deleted != nil:
		nps.Observe(s, "activity", seen.Deleted.Raw)
		f.Text = "a deleted activity of that name is there and would come back"
	default:
		nps.Observe(s, "activity", nil)
	}
	steps.Put(s, activityKey, seen)
	s.See(f)
	return nil
}

// lookActivityByPolicies finds the activity by what access policies show, where the server lists none.
func lookActivityByPolicies(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyActivity)
	seen := seenActivity{Unlisted: true}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindActivity + " " + name, State: steps.Doubtful, Wanted: true, Text: "there is no access policy that could tell whether it is there"}
	defer func() { steps.Put(s, activityKey, seen); s.See(f) }()
	listed, err := nps.ActivityByPolicies(ctx, s, name, s.Answers.Text(keyPolicy))
	if err != nil || listed.Policy == nil {
		return err
	}
	seen.ID, seen.Searched = listed.ID, true
	s.Observe("activity id", seen.ID)
	if f.State, f.Text = steps.Missing, ""; seen.ID == "" {
		return nil
	}
	s.Know(kindActivity, name, seen.ID)
	f.State, f.Text = steps.Info, "found by its name through the access policy "+problem.Plain(listed.Policy.Row.Name)
	if seen.Named, err = nps.NestedActivity(ctx, s, listed.Policy.Row.ID, seen.ID); seen.Named != nil {
		f.Rows = nps.Rows(seen.Named.Raw, nps.Known(seen.Named.Raw, shownSettings(s, seen)))
		nps.Observe(s, "activity", seen.Named.Raw)
	}
	return err
}

// activitySettings are the article's settings, and the template that it does not mention.
func activitySettings(s *steps.Scene, seen seenActivity) []nps.Setting {
	a := s.Answers
	platform := nps.TextSetting("Platform", "platformId", seen.Platform)
	platform.Shown = a.Text(keyPlatform)
	vault := nps.Setting{Label: "Vault Connector", Field: "vaultId", Shown: a.Text(keyConnector), Mark: "member inferred: the only reference to a vault in the model"}
	if vault.Want, _ = s.ID(kindConnector, a.Text(keyConnector)); vault.Want == nil {
		vault.Want = plan.Ref{Action: connectorStep, Output: "id", What: kindConnector + ` "` + a.Text(keyConnector) + `"`}
	}
	wanted := []nps.Setting{nps.TextSetting("Name", "name", a.Text(keyActivity))}
	if a.Has(keyActivityIs) { // without an answer, a description that somebody gave stays
		wanted = append(wanted, nps.TextSetting("Description", "description", a.Text(keyActivityIs)))
	}
	return append(
		wanted,
		platform,
		nps.NumberSetting("Login Account", "loginAccount", npsapi.LoginVault, "Vault").Marked("number inferred: Vault (3)"),
		nps.NumberSetting("Activity Type", "activityType", npsapi.ActivityInteractive, "Interactive"),
		vault,
		nps.TextSetting("Login Account Template", "loginAccountNameFormat", a.Text(keyTemplate)),
		nps.TruthSetting("Create Account", "createAccount", false),
		nps.TruthSetting("Delete After Use", "deleteAccount", false),
	)
}

// platformChoices offers the platforms of the server.
func platformChoices(ctx context.Context, s *steps.Scene, _ string) ([]steps.Option, error) {
	found, err := nps.Find(ctx, s, npsapi.ListPlatforms(), func(p npsapi.Named) bool { return p.Name != "" })
	if err != nil {
		return nil, err
	}
	options := make([]steps.Option, len(found))
	for i, p := range found {
		options[i] = steps.Option{Value: problem.Plain(p.Row.Name), Title: problem.Plain(p.Row.Name)}
	}
	sort.Slice(options, func(i, j int) bool { return options[i].Value < options[j].Value })
	return options, nil
}

func (w World) planActivity(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, activityKey)
	name := s.Answers.Text(keyActivity)
	twin, err := w.page(s, activityStep)
	if err != nil {
		return nil, err
	}
	if seen.Unlisted {
		return activityByHand(s, seen, twin), nil
	}
	wanted := activitySettings(s, seen)
	var a plan.Action
	switch {
	case seen.Named != nil:
		if len(nps.Differing(seen.Named.Raw, wanted)) == 0 {
			return nps.Adopted(s, activityStep, kindActivity, name), nil
		}
		a = changeActivity(plan.Update, *seen.Named, wanted)
	case seen.Deleted != nil:
		a = changeActivity(plan.Restore, *seen.Deleted, wanted)
	default:
		a = createActivity(s, seen, wanted)
	}
	a.Key, a.Object, a.Name, a.Twin, a.Assumption = activityStep, kindActivity, name, twin, a.Ops[0].Assumed
	if seen.Named == nil {
		s.Promise(kindActivity, name, activityStep, "id")
	}
	if op, missing := nps.NotOffered(s, nps.Operations(a)...); missing {
		m := nps.InsteadByHand(a, op)
		m.After = connectorFirst(s)
		return []plan.Action{m}, nil
	}
	if a.Effect == plan.Restore {
		s.Know(kindActivity, name, seen.Deleted.Row.ID)
	}
	return []plan.Action{a}, nil
}

// connectorFirst is the connector's action, as long as there is one: a person chooses it from a list.
func connectorFirst(s *steps.Scene) []string {
	for _, a := range s.Planned() {
		if a.Key == connectorStep && a.Changing() {
			return []string{connectorStep}
		}
	}
	return nil
}

func createActivity(s *steps.Scene, seen seenActivity, wanted []nps.Setting) plan.Action {
	a := s.Answers
	name := a.Text(keyActivity)
	var vault plan.Value
	for _, st := range wanted {
		if st.Field == "vaultId" {
			vault = st.Want
		}
	}
	body := npsapi.VaultActivity{Name: name, Description: a.Text(keyActivityIs), Platform: plan.String(seen.Platform), Connector: vault, Login: a.Text(keyTemplate)}.Body()
	op := nps.CallOp("create", npsapi.CreateActivity(body))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.ListActivities(), Member: "name", Value: name}
	return plan.Action{
		Effect: plan.Create, Difference: nps.Fresh(wanted), Ops: []plan.Op{op},
		Undo: nps.UndoOp(npsapi.DeleteActivity(plan.Ref{Action: activityStep, Output: "id", What: kindActivity + ` "` + name + `"`})),
	}
}

// changeActivity updates an activity that is there, or brings a softly deleted one back.
func changeActivity(e plan.Effect, o nps.Object[npsapi.Activity], wanted []nps.Setting) plan.Action {
	id := plan.String(o.Row.ID)
	// Nested objects are read back richer than they are written: only their ids are sent.
	was := o.Raw.Without("platform", "activityConfiguration", "activityGroupActivities")
	body, ds := nps.Apply(was, wanted), nps.Differing(o.Raw, wanted)
	if e == plan.Restore {
		body, ds = nps.Returned(body, ds)
	}
	op := nps.CallOp("update", npsapi.UpdateActivity(id, body))
	op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.ListActivities(), Member: "id", Value: o.Row.ID, Deleted: e == plan.Restore}, Want: o.Raw, Volatile: nps.Volatile()}
	return plan.Action{Effect: e, Difference: ds, Ops: []plan.Op{op}, Undo: nps.UndoOp(npsapi.UpdateActivity(id, was))}
}

// activityByHand plans the activity where it is not listed. What could take it and does not have it speaks against any word.
func activityByHand(s *steps.Scene, seen seenActivity, twin *plan.Manual) []plan.Action {
	a := s.Answers
	name, all := a.Text(keyActivity), nps.Fresh(activitySettings(s, seen))
	about := plan.String(joined([]string{name, a.Text(keyPlatform), a.Text(keyConnector), a.Text(keyTemplate)}))
	var shown []plan.Difference
	switch {
	case seen.Named != nil:
		shown = nps.Differing(seen.Named.Raw, nps.Known(seen.Named.Raw, shownSettings(s, seen)))
	case seen.Searched && seen.ID == "":
		shown = all
	}
	return after(nps.HandMade(s, activityStep, kindActivity, name, twin, about, shown, all, "that it is there is read back"), connectorFirst(s))
}

// shownSettings are the settings that can be compared: without platform and connector where no id of them is told.
func shownSettings(s *steps.Scene, seen seenActivity) []nps.Setting {
	var list []nps.Setting
	for _, st := range activitySettings(s, seen) {
		_, told := plan.TextOf(st.Want, nil)
		if told && (st.Field != "platformId" || seen.Platform != "") {
			list = append(list, st)
		}
	}
	return list
}

func (w World) verifyActivity(ctx context.Context, s *steps.Scene) steps.Proof {
	seen, _ := steps.Get(s, activityKey)
	p := nps.ProvenBy(w.planActivity, func(s *steps.Scene) string {
		return "read back: platform, login account Vault, connector, template " + problem.Plain(s.Answers.Text(keyTemplate))
	})(ctx, s)
	if p.State != steps.Proven || !seen.Unlisted {
		return p
	}
	switch {
	case credentialSeen(s) != "":
		p.Text = credentialSeen(s)
	case seen.ID != "":
		p.State, p.Text = steps.ByWord, "read back: it is there by its name; its settings: "+nps.Unreadable
	default:
		p.State, p.Text = steps.ByWord, nps.Unreadable
	}
	return p
}
