package sandbox

import (
	"sort"
	"strings"
)

// State is the canonical state: equal for two servers on which the same was done, however and whenever. Names stand in
// place of ids; times, counters, secrets and soft-deleted rows are left out.
func (s *Server) State() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := &s.world
	state := map[string]any{
		"applicationUsers": []row{}, "credentials": w.stateUsers(), "person": w.human,
		"connectionProfiles": w.list(w.profiles, "name"), "activities": w.stateActivities(), "actionGroups": w.stateGroups(), "resources": w.stateResources(),
		"policies": w.statePolicies(), "serviceAccounts": s.stateAccounts(),
	}
	s.vaultState(state)
	users := []row{}
	for _, r := range w.accounts.rows {
		if r.number("entityType") == entityApplication {
			c := bare(r)
			if w.clientSerial != "" && c["certificateSerialNumber"] == w.clientSerial {
				c["certificateSerialNumber"] = "(that of Auditor's certificate)" // it differs from start to start
			}
			users = append(users, c)
		}
	}
	state["applicationUsers"] = sorted(users, "name")
	return state
}

// bare copies a row without what differs from run to run.
func bare(r row) row {
	c := row{}
	for k, v := range r.clone() {
		lower := strings.ToLower(k)
		switch {
		case lower == "id", strings.HasSuffix(lower, "id") && k != "approvalWorkflowId", counts(lower),
			strings.HasSuffix(lower, "utc"), lower == "createdby", lower == "modifiedby", lower == "priority", lower == "lastlogontimestamp", lower == "isdeleted":
			continue
		}
		c[k] = bareValue(v)
	}
	return c
}

// counts tells accessPolicyCount from loginAccount, and from a count that is a setting.
func counts(member string) bool {
	return strings.HasSuffix(member, "count") && !strings.HasSuffix(member, "account") && member != "sessionextensioncount"
}

func bareValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return bare(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = bareValue(v[i])
		}
		return out
	}
	return v
}

func (w *world) list(t *table, by string) []row {
	rows := []row{}
	for _, r := range t.rows {
		if !r.truth("isDeleted") {
			rows = append(rows, bare(r))
		}
	}
	return sorted(rows, by)
}

func (w *world) stateActivities() []row {
	rows := []row{}
	for _, r := range w.activities.rows {
		if r.truth("isDeleted") {
			continue
		}
		c := bare(r)
		c["platform"] = w.platforms.get(r.text("platformId")).text("name")
		if v := w.connectors.get(r.text("vaultId")); v != nil {
			c["vault"] = v["name"]
		}
		c["startActions"], c["endActions"] = w.actionsOf(r.text("startActionGroupId")), w.actionsOf(r.text("endActionGroupId"))
		rows = append(rows, c)
	}
	return sorted(rows, "name")
}

func (w *world) stateGroups() []row {
	rows := []row{}
	for _, g := range w.groups.rows {
		rows = append(rows, row{"name": g["name"], "actions": w.actionsOf(g.text("id"))})
	}
	return sorted(rows, "name")
}

// actionsOf names templates, parameters and partners instead of their ids.
func (w *world) actionsOf(group string) []row {
	rows := []row{}
	g := w.groups.get(group)
	nested, _ := g["action"].([]any)
	for _, n := range nested {
		m, _ := n.(map[string]any)
		a := row(m)
		t := w.templates.get(a.text("actionTemplateId"))
		params := row{}
		values, _ := a["actionParameter"].([]any)
		for _, p := range values {
			pm, _ := p.(map[string]any)
			params[parameterName(t, row(pm).text("actionTemplateParameterId"))] = pm["value"]
		}
		rows = append(rows, row{
			"template": t.text("displayName"), "displayName": a["displayName"], "classification": a["classification"], "continueOnFail": a["continueOnFail"],
			"parameters": params, "paired": w.action(a.text("pairedActionId")).text("displayName"),
		})
	}
	return rows
}

func parameterName(template row, id string) string {
	params, _ := template["actionTemplateParameter"].([]any)
	for _, p := range params {
		if pm, is := p.(map[string]any); is && row(pm).text("id") == id {
			return row(pm).text("displayName")
		}
	}
	return "unknown parameter"
}

func (w *world) stateResources() []row {
	rows := []row{}
	for _, r := range w.resources.rows {
		c := bare(r)
		c["platform"] = w.platforms.get(r.text("platformId")).text("name")
		c["serviceAccount"] = w.credential(r.text("serviceAccountId")).text("displayName")
		rows = append(rows, c)
	}
	return sorted(rows, "dnsHostName")
}

func (w *world) statePolicies() []row {
	rows := []row{}
	for _, r := range w.policies.rows {
		if r.truth("isDeleted") {
			continue
		}
		c := bare(r)
		delete(c, "activityConfiguration")
		c["connectionProfile"] = w.profiles.get(r.text("activityConfigurationId")).text("name")
		m := w.members[r.text("id")]
		c["users"] = names(w.accounts, m.ids[memberAccounts], "name")
		c["activityNames"] = names(w.activities, m.ids[memberActivities], "name")
		c["resourceNames"] = names(w.resources, m.ids[memberResources], "dnsHostName")
		if len(m.ids[memberCredentials]) > 0 {
			var list []string
			for _, id := range m.ids[memberCredentials] {
				u := w.userOf(id)
				list = append(list, u.text("domain")+`\`+u.text("userName"))
			}
			sort.Strings(list)
			c["credentialNames"] = list
		}
		rows = append(rows, c)
	}
	return sorted(rows, "name")
}

func names(t *table, ids []string, member string) []string {
	list := []string{}
	for _, id := range ids {
		list = append(list, t.get(id).text(member))
	}
	sort.Strings(list)
	return list
}
