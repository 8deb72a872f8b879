package auditor

import (
	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

// createActivity makes the two groups first and the activity last: an activity that is there is complete. A group is found
// again by its name, which carries the activity and the phase.
func createActivity(s *steps.Scene, seen seenActivity) plan.Action {
	name, group := s.Answers.Text(keyActivity), s.Answers.Text(keyGroup)
	ref := func(output, what string) plan.Value {
		return plan.Ref{Action: activityStep, Output: output, What: what}
	}
	var ops []plan.Op
	var notes []string
	postName, preName := groupName(name, "post-session"), groupName(name, "pre-session")

	postID, postAction := ref("post-session id", postName), ref("post-session action id", postName)
	if g := seen.PostGroup; g != nil {
		postID, postAction = plan.String(g.ID), plan.String(g.Action[0].ID)
		notes = append(notes, "the action group "+postName+" was made by a run that was stopped, and is used")
	} else {
		create := groupOp("create-post-session", postName, actionBody(seen.Paired, pairName(s.Answers), group, npsapi.ClassPostSession, nil))
		create.Outputs = []plan.Output{{Name: "post-session id", Pointer: "/id"}}
		read := callOp("read-post-session", npsapi.GetActionGroup(postID))
		read.Outputs = []plan.Output{{Name: "post-session action id", Pointer: "/action/0/id"}}
		ops = append(ops, create, read)
	}

	preID := ref("pre-session id", preName)
	if g := seen.PreGroup; g != nil {
		preID = plan.String(g.ID)
		notes = append(notes, "the action group "+preName+" was made by a run that was stopped, and is used")
	} else {
		create := groupOp("create-pre-session", preName, actionBody(seen.Template, actionName(s.Answers), group, npsapi.ClassPreSession, postAction))
		create.Outputs = []plan.Output{{Name: "pre-session id", Pointer: "/id"}}
		ops = append(ops, create)
	}

	wanted := activitySettings(s, seen)
	body := apply(plan.Object{}, wanted).With("description", plan.String("Netwrix Auditor integration")).
		With("requesterLoginFormat", plan.Int(npsapi.RequesterSamaccountname)).
		With("startActionGroupId", preID).With("endActionGroupId", postID)
	op := callOp("create", npsapi.CreateActivity(body))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.ListActivities(), Member: "name", Value: name}

	return plan.Action{
		Key: activityStep, Effect: plan.Create, Difference: append(fresh(wanted), actionDifferences(s)...), Ops: append(ops, op), Notes: notes,
		Undo: append(undoOp(npsapi.DeleteActivity(ref("id", kindActivity+` "`+name+`"`))), append(undoOp(npsapi.DeleteActionGroup(preID)), undoOp(npsapi.DeleteActionGroup(postID))...)...),
	}
}

// actionDifferences are the pair of actions, as the plan shows them.
func actionDifferences(s *steps.Scene) []plan.Difference {
	return []plan.Difference{
		{Label: "Pre-Session (Grant): " + addToGroup, To: actionName(s.Answers) + ": Domain = " + domainVariable + ", Group = " + s.Answers.Text(keyGroup) + ", Continue on Error = False"},
		{Label: "Paired action, Post-Session", To: pairName(s.Answers)},
	}
}

func groupOp(id, name string, action plan.Object) plan.Op {
	op := callOp(id, npsapi.CreateActionGroup(plan.Object{
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
	body, ds := apply(was, wanted), differing(o.Raw, wanted)
	if e == plan.Restore {
		body, ds = returned(body, ds)
	}
	op := callOp("update", npsapi.UpdateActivity(id, body))
	op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.ListActivities(), Member: "id", Value: o.Row.ID, Deleted: e == plan.Restore}, Want: o.Raw, Volatile: volatile()}
	return plan.Action{
		Key: activityStep, Effect: e, Difference: ds, Ops: []plan.Op{op},
		Undo: undoOp(npsapi.UpdateActivity(id, was)),
	}
}
