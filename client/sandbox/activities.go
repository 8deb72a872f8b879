package sandbox

import "net/http"

func (s *Server) activityRoutes() map[string]handler {
	w := &s.world
	return map[string]handler{
		"listPlatforms":       func(*ask) answer { return list(w.platforms.rows) },
		"listActionTemplates": func(*ask) answer { return list(w.templates.rows) },
		"listActivities":      func(*ask) answer { return list(w.activities.rows) },
		"createActivity":      s.createActivity,
		"updateActivity":      func(q *ask) answer { return update(q, w.activities, "id") },
		"deleteActivity":      func(q *ask) answer { return softDelete(q, w.activities, "id") },
		"listActionGroups":    func(*ask) answer { return list(w.groups.rows) },
		"getActionGroup": func(q *ask) answer {
			if r := w.groups.get(q.id("id")); r != nil {
				return ok(r)
			}
			return refuse(http.StatusNotFound, "Not Found", "no action group of this id")
		},
		"createActionGroup": s.createActionGroup,
		"deleteActionGroup": func(q *ask) answer {
			if w.groups.get(q.id("id")) == nil {
				return refuse(http.StatusNotFound, "Not Found", "no action group of this id")
			}
			w.groups.remove(q.id("id"))
			return answer{status: http.StatusAccepted}
		},
	}
}

// actionTemplates are some of the product's action types; the first two are a pair.
func actionTemplates() *table {
	t := newTable()
	plumbing := func() []any {
		return []any{parameterRow("HostId", 8, nil), parameterRow("UserId", 9, nil), parameterRow("Credentials", 3, nil), parameterRow("SessionId", 14, nil)}
	}
	pair := func(grant, revoke string, params func() []any) {
		a := t.add(row{"displayName": grant, "classification": 0, "userDefined": false, "actionTemplateParameter": append(params(), plumbing()...)})
		b := t.add(row{"displayName": revoke, "classification": 2, "userDefined": false, "actionTemplateParameter": append(params(), plumbing()...)})
		a["pairedActionTemplateId"], b["pairedActionTemplateId"] = b.text("id"), a.text("id")
	}
	pair("Add User to Local Group", "Remove User from Local Group", func() []any { return []any{parameterRow("Group", 5, nil)} })
	pair("Add User to Domain Group", "Remove User from Domain Group", func() []any {
		return []any{parameterRow("Domain", 16, nil), parameterRow("Group", 5, nil), parameterRow("RetryCount", 1, "3")}
	})
	for _, name := range []string{"Run AD Replication for User", "AD Sync with Args", "Invoke Protection Policy", "Restart Service"} {
		t.add(row{"displayName": name, "classification": 4, "userDefined": false, "pairedActionTemplateId": nil, "actionTemplateParameter": plumbing()})
	}
	return t
}

func parameterRow(name string, kind int, preset any) any {
	return map[string]any{"id": newID(), "name": name, "displayName": name, "type": kind, "required": preset == nil, "defaultValue": preset, "sortOrder": 0}
}

func (w *world) builtInActivities() *table {
	t := newTable()
	windows := w.platforms.named("name", platformWindows).text("id")
	t.add(row{"name": "Credential Release", "activityType": 3, "loginAccount": 1, "platformId": nil, "isDefault": true, "isDeleted": false})
	t.add(row{"name": "Allow Log On Locally", "activityType": 0, "loginAccount": 2, "platformId": windows, "isDefault": true, "isDeleted": false, "createAccount": true, "deleteAccount": true})
	t.add(row{"name": "Retired", "activityType": 0, "loginAccount": 2, "platformId": windows, "isDefault": false, "isDeleted": true})
	return t
}

func (s *Server) createActivity(q *ask) answer {
	o, good := q.object()
	if !good {
		return answer{status: http.StatusInternalServerError}
	}
	if p := o.text("platformId"); p != "" && s.world.platforms.get(p) == nil {
		return invalid("platformId", "The platform does not exist.")
	}
	for _, member := range []string{"startActionGroupId", "endActionGroupId"} {
		if g := o.text(member); g != "" && s.world.groups.get(g) == nil {
			return invalid(member, "The action group does not exist.")
		}
	}
	return create(q, s.world.activities, http.StatusOK)
}

func (s *Server) createActionGroup(q *ask) answer {
	o, good := q.object()
	if !good {
		return answer{status: http.StatusInternalServerError}
	}
	group := row{"id": newID(), "name": o.text("name"), "description": o.text("description"), "trigger": false}
	actions := []any{}
	nested, _ := o["action"].([]any)
	for _, n := range nested {
		m, _ := n.(map[string]any)
		a := row(m)
		if s.world.templates.get(a.text("actionTemplateId")) == nil {
			return invalid("actionTemplateId", "The action template does not exist.")
		}
		a["id"], a["actionGroupId"], a["isDeleted"] = newID(), group.text("id"), false
		params, _ := a["actionParameter"].([]any)
		for _, p := range params {
			if pm, is := p.(map[string]any); is {
				pm["id"], pm["actionId"] = newID(), a.text("id")
			}
		}
		if partner := s.world.action(a.text("pairedActionId")); partner != nil {
			partner["pairedActionId"] = a.text("id") // a pair knows each other
		}
		actions = append(actions, map[string]any(a))
	}
	group["action"] = actions
	s.world.groups.add(group)
	return answer{status: http.StatusCreated, value: group}
}

// action finds an action in any group.
func (w *world) action(id string) row {
	for _, g := range w.groups.rows {
		nested, _ := g["action"].([]any)
		for _, n := range nested {
			if m, is := n.(map[string]any); is && id != "" && row(m).text("id") == id {
				return m
			}
		}
	}
	return nil
}
