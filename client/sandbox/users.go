package sandbox

import (
	"encoding/json"
	"net/http"
)

const entityApplication = 2

func (s *Server) userRoutes() map[string]handler {
	w := &s.world
	columns := []string{"name", "displayName", "samAccountName", "domainName", "email"}
	return map[string]handler{
		"searchManagedAccounts": func(q *ask) answer {
			kind := q.number("filterEntityType", -1)
			var rows []row
			for _, r := range w.accounts.rows {
				if kind < 0 || r.number("entityType") == kind {
					rows = append(rows, r)
				}
			}
			return q.page(rows, 100, columns, s.showAccount)
		},
		"getManagedAccountView": func(q *ask) answer {
			if r := w.accounts.get(q.id("managedAccountId")); r != nil {
				return ok(s.showAccount(r))
			}
			return refuse(http.StatusNotFound, "Not Found", "Managed account not found")
		},
		"createApplicationUser": s.createApplicationUser,
		"updateApplicationUser": s.updateApplicationUser,
		"generateApiKey": func(q *ask) answer {
			if w.application(q.id("managedAccountId")) == nil {
				return refuse(http.StatusNotFound, "Not Found", "User not found")
			}
			w.newKey(q.id("managedAccountId"))
			return answer{status: http.StatusOK}
		},
		"revealApiKey": func(q *ask) answer {
			if w.application(q.id("managedAccountId")) == nil {
				return refuse(http.StatusNotFound, "Not Found", "User not found")
			}
			return ok(w.apiKeys[q.id("managedAccountId")])
		},
		"deleteApplicationUsers": func(q *ask) answer {
			var ids []string
			if json.Unmarshal(q.body, &ids) != nil {
				return invalid("$", "The JSON value could not be converted.")
			}
			n := 0
			for _, id := range ids {
				if w.application(id) != nil {
					w.accounts.remove(id)
					w.forget(id)
					n++
				}
			}
			return ok(row{"item1": n, "item2": len(ids) - n})
		},
	}
}

func (s *Server) showAccount(r row) row {
	c := r.clone()
	n := 0
	for _, m := range s.world.members {
		if m.has(memberAccounts, r.text("id")) {
			n++
		}
	}
	c["accessPolicyCount"], c["activeSessionCount"], c["scheduledSessionCount"] = n, 0, 0
	return c
}

func (w *world) application(id string) row {
	if r := w.accounts.get(id); r != nil && r.number("entityType") == entityApplication {
		return r
	}
	return nil
}

func (w *world) newKey(account string) {
	w.apiKeys[account] = marker("apikey")
	w.secrets = append(w.secrets, w.apiKeys[account])
}

func (s *Server) createApplicationUser(q *ask) answer {
	o, good := q.object()
	if !good || o.text("name") == "" {
		return invalid("name", "The name field is required.")
	}
	if o.number("entityType") != entityApplication {
		return invalid("entityType", "The value is not valid.")
	}
	for _, r := range s.world.accounts.rows {
		if r.text("name") == o.text("name") {
			return refuse(http.StatusBadRequest, "Bad Request", "Error creating Application user: the name exists")
		}
	}
	delete(o, "id")
	o["lastLogonTimestamp"], o["locked"], o["lockoutEnd"] = nil, false, nil
	o["tenantMark"] = "kept as it is" // a member of newer versions: a client that drops it loses it
	r := s.world.accounts.add(o)
	if !s.faults.has("no-key") {
		s.world.newKey(r.text("id"))
	}
	return ok(s.showAccount(r))
}

func (s *Server) updateApplicationUser(q *ask) answer {
	o, good := q.object()
	if !good || s.world.application(o.text("id")) == nil {
		return refuse(http.StatusBadRequest, "Bad Request", "Error updating Application user")
	}
	for _, counted := range []string{"accessPolicyCount", "activeSessionCount", "scheduledSessionCount"} {
		delete(o, counted)
	}
	s.world.accounts.replace(o.text("id"), o)
	return ok(s.showAccount(s.world.accounts.get(o.text("id"))))
}
