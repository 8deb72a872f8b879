package auditor

import (
	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

// groups are the two action groups of an activity: what makes those that are not there yet, their ids, and how they go.
type groups struct {
	ops, undo []plan.Op
	pre, post plan.Value
	notes     []string
}

// makeGroups makes the groups before the activity: an activity that is there is complete. A group is found again by its name,
// which carries the activity and the phase.
func makeGroups(s *steps.Scene, seen seenActivity) groups {
	name, group := s.Answers.Text(keyActivity), s.Answers.Text(keyGroup)
	ref := func(output, what string) plan.Value {
		return plan.Ref{Action: activityStep, Output: output, What: what}
	}
	var g groups
	postName, preName := groupName(name, "post-session"), groupName(name, "pre-session")
	used := func(name string) string {
		return "the action group " + name + " was made by a run that was stopped, and is used"
	}

	postAction := ref("post-session action id", postName)
	if g.post = ref("post-session id", postName); seen.PostGroup != nil {
		g.post, postAction = plan.String(seen.PostGroup.ID), plan.String(seen.PostGroup.Action[0].ID)
		g.notes = append(g.notes, used(postName))
	} else {
		create := groupOp("create-post-session", postName, actionBody(seen.Paired, pairName(s.Answers), group, npsapi.ClassPostSession, nil))
		create.Outputs = []plan.Output{{Name: "post-session id", Pointer: "/id"}}
		read := nps.CallOp("read-post-session", npsapi.GetActionGroup(g.post))
		read.Outputs = []plan.Output{{Name: "post-session action id", Pointer: "/action/0/id"}}
		g.ops = append(g.ops, create, read)
	}
	if g.pre = ref("pre-session id", preName); seen.PreGroup != nil {
		g.pre = plan.String(seen.PreGroup.ID)
		g.notes = append(g.notes, used(preName))
	} else {
		create := groupOp("create-pre-session", preName, actionBody(seen.Template, actionName(s.Answers), group, npsapi.ClassPreSession, postAction))
		create.Outputs = []plan.Output{{Name: "pre-session id", Pointer: "/id"}}
		g.ops = append(g.ops, create)
	}
	g.undo = append(undoGroup(g.pre, seen.PreGroup), undoGroup(g.post, seen.PostGroup)...)
	return g
}

// undoGroup deletes a group that this run made, or a run before it that was stopped.
func undoGroup(id plan.Value, there *npsapi.ActionGroup) []plan.Op {
	ops := nps.UndoOp(npsapi.DeleteActionGroup(id))
	if there == nil {
		return ops
	}
	return nps.Traced(ops, &plan.Trace{Lookup: plan.Lookup{Call: npsapi.ListActionGroups(), Member: "id", Value: there.ID}, Made: true, ID: id, Pointer: "/id"})
}

// createActivity makes the two groups first and the activity last.
func createActivity(s *steps.Scene, seen seenActivity) plan.Action {
	name := s.Answers.Text(keyActivity)
	g := makeGroups(s, seen)
	wanted := activitySettings(s, seen)
	body := nps.Apply(plan.Object{}, wanted).With("description", plan.String("Netwrix Auditor integration")).
		With("requesterLoginFormat", plan.Int(npsapi.RequesterSamaccountname)).
		With("startActionGroupId", g.pre).With("endActionGroupId", g.post)
	op := nps.CallOp("create", npsapi.CreateActivity(body))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.ListActivities(), Member: "name", Value: name}

	id := plan.Ref{Action: activityStep, Output: "id", What: kindActivity + ` "` + name + `"`}
	return plan.Action{
		Key: activityStep, Effect: plan.Create, Difference: append(nps.Fresh(wanted), actionDifferences(s)...), Ops: append(g.ops, op), Notes: g.notes,
		Undo: append(nps.UndoOp(npsapi.DeleteActivity(id)), g.undo...),
	}
}

// withGroups lets an activity that comes back do so with new action groups: those that it had are gone.
func withGroups(s *steps.Scene, seen seenActivity, a plan.Action) plan.Action {
	g := makeGroups(s, seen)
	update := &a.Ops[len(a.Ops)-1]
	body, _ := update.Call.Body.(plan.Object)
	c := *update.Call
	c.Body = body.With("startActionGroupId", g.pre).With("endActionGroupId", g.post)
	update.Call = &c
	a.Ops = append(g.ops, a.Ops...)
	a.Difference = append(a.Difference, actionDifferences(s)...)
	a.Notes, a.Undo = append(a.Notes, g.notes...), append(a.Undo, g.undo...)
	return a
}

// actionDifferences are the pair of actions, as the plan shows them.
func actionDifferences(s *steps.Scene) []plan.Difference {
	return []plan.Difference{
		{Label: "Pre-Session (Grant): " + addToGroup, To: actionName(s.Answers) + ": Domain = " + domainVariable + ", Group = " + s.Answers.Text(keyGroup) + ", Continue on Error = False"},
		{Label: "Paired action, Post-Session", To: pairName(s.Answers)},
	}
}

func groupOp(id, name string, action plan.Object) plan.Op {
	op := nps.CallOp(id, npsapi.CreateActionGroup(plan.Object{
		{Name: "name", Value: plan.String(name)},
		{Name: "description", Value: plan.String("Netwrix Auditor integration")},
		{Name: "action", Value: plan.Array{action}},
	}))
	op.Lookup = &plan.Lookup{Call: npsapi.ListActionGroups(), Member: "name", Value: name}
	return op
}

// actionBody is one action. Besides Domain and Group, parameters that have a default are sent with it: the user interface
// fills those in by itself.
func actionBody(t *npsapi.ActionTemplate, name, group string, class int, paired plan.Value) plan.Object {
	domain, groupParameter := parameter(t, "Domain"), parameter(t, "Group")
	params := plan.Array{}
	for i := range t.ActionTemplateParameter {
		p := &t.ActionTemplateParameter[i]
		var v string
		switch {
		case p == domain:
			v = domainVariable
		case p == groupParameter:
			v = group
		case p.DefaultValue != nil && *p.DefaultValue != "":
			v = *p.DefaultValue
		default:
			continue
		}
		params = append(params, plan.Object{{Name: "actionTemplateParameterId", Value: plan.String(p.ID)}, {Name: "value", Value: plan.String(v)}})
	}
	o := plan.Object{
		{Name: "actionTemplateId", Value: plan.String(t.ID)},
		{Name: "displayName", Value: plan.String(name)},
		{Name: "classification", Value: plan.Int(class)},
		{Name: "continueOnFail", Value: plan.Bool(false)},
		{Name: "executionOrder", Value: plan.Int(0)},
		{Name: "actionParameter", Value: params},
	}
	if paired != nil {
		o = append(o, plan.Member{Name: "pairedActionId", Value: paired})
	}
	return o
}

// changeActivity updates an activity that is there, or brings a softly deleted one back.
func changeActivity(s *steps.Scene, e plan.Effect, o object[npsapi.Activity], seen seenActivity) plan.Action {
	id := plan.String(o.Row.ID)
	wanted := activitySettings(s, seen)
	// Nested objects are read back richer than they are written: only their ids are sent.
	was := o.Raw.Without("platform", "activityConfiguration", "activityGroupActivities")
	body, ds := nps.Apply(was, wanted), nps.Differing(o.Raw, wanted)
	if e == plan.Restore {
		body, ds = nps.Returned(body, ds)
	}
	op := nps.CallOp("update", npsapi.UpdateActivity(id, body))
	op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.ListActivities(), Member: "id", Value: o.Row.ID, Deleted: e == plan.Restore}, Want: o.Raw, Volatile: nps.Volatile()}
	return plan.Action{
		Key: activityStep, Effect: e, Difference: ds, Ops: []plan.Op{op},
		Undo: nps.UndoOp(npsapi.UpdateActivity(id, was)),
	}
}
