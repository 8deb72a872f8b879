package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

type memberKind int

const (
	memberAccounts memberKind = iota
	memberActivities
	memberResources
	memberCredentials
)

// members are the lists of a policy, by id.
type members struct{ ids [4][]string }

func (m *members) has(k memberKind, id string) bool {
	for _, have := range m.ids[k] {
		if strings.EqualFold(have, id) {
			return true
		}
	}
	return false
}

// forget takes an object that was removed out of every policy.
func (w *world) forget(id string) {
	for _, m := range w.members {
		for k := range m.ids {
			m.ids[k] = slices.DeleteFunc(m.ids[k], func(have string) bool { return strings.EqualFold(have, id) })
		}
	}
}

func (s *Server) policyRoutes() map[string]handler {
	w := &s.world
	routes := map[string]handler{
		"listPolicies": func(q *ask) answer {
			rows := []row{}
			for _, r := range w.policies.rows {
				if q.query("ignoreStatus") == "true" || !r.truth("isDeleted") && !r.truth("isDisabled") {
					rows = append(rows, s.showPolicy(r))
				}
			}
			return list(rows)
		},
		"getPolicy": func(q *ask) answer {
			r := w.policies.get(q.id("accessControlPolicyId"))
			if r == nil || q.query("ignoreStatus") != "true" && r.truth("isDeleted") {
				return refuse(http.StatusNotFound, "Not Found", "no policy of this id")
			}
			return ok(s.showPolicy(r))
		},
		"createPolicy": s.createPolicy,
		"updatePolicy": func(q *ask) answer {
			a := update(q, w.policies, "accessControlPolicyId")
			if r, is := a.value.(row); is && a.status == http.StatusOK {
				delete(r, "activityConfiguration")
				a.value = s.showPolicy(r)
			}
			return a
		},
		"setPolicyStatus": func(q *ask) answer {
			r := w.policies.get(q.id("accessControlPolicyId"))
			if r == nil {
				return refuse(http.StatusNotFound, "Not Found", "no policy of this id")
			}
			r["isDeleted"], r["isDisabled"] = q.query("isDeleted") == "true", q.query("isDisabled") == "true"
			return ok(s.showPolicy(r))
		},
		"deletePolicy": func(q *ask) answer { return softDelete(q, w.policies, "accessControlPolicyId") },
		"findPolicies": s.findPolicies,
	}
	for _, m := range []struct {
		kind                memberKind
		add, remove, search string
		param               string
		table               *table
		columns             []string
	}{
		{memberAccounts, "addPolicyAccounts", "removePolicyAccounts", "searchPolicyAccounts", "accessControlPolicyId", w.accounts, []string{"name", "displayName"}},
		{memberActivities, "addPolicyActivities", "removePolicyActivities", "searchPolicyActivities", "policyId", w.activities, []string{"name"}},
		{memberResources, "addPolicyResources", "removePolicyResources", "searchPolicyResources", "policyId", w.resources, []string{"dnsHostName", "displayName"}},
	} {
		routes[m.add] = func(q *ask) answer { return s.associate(q, m.kind, m.param, m.table.get, true) }
		routes[m.remove] = func(q *ask) answer { return s.associate(q, m.kind, "policyId", m.table.get, false) }
		routes[m.search] = func(q *ask) answer { return s.searchMembers(q, m.kind, m.table.get, m.columns) }
	}
	s.candidateRoutes(routes)
	return routes
}

// candidateRoutes are those of credentials, and of what a policy could still take.
func (s *Server) candidateRoutes(routes map[string]handler) {
	w := &s.world
	routes["searchPolicyActivityCandidates"] = s.activityCandidates
	routes["addPolicyCredentials"] = func(q *ask) answer { return s.associate(q, memberCredentials, "policyId", w.userOf, true) }
	routes["removePolicyCredentials"] = func(q *ask) answer { return s.associate(q, memberCredentials, "policyId", w.userOf, false) }
	routes["searchPolicyCredentials"] = func(q *ask) answer {
		return s.searchMembers(q, memberCredentials, w.userOf, []string{"userName", "displayName", "domain"})
	}
	routes["searchPolicyCredentialCandidates"] = s.credentialCandidates
}

// showPolicy nests the connection profile as it was seen live; where only what is documented is offered, it is a text, and no
// member tells the status.
func (s *Server) showPolicy(r row) row {
	c := r.clone()
	p := s.world.profiles.get(r.text("activityConfigurationId"))
	if p != nil {
		c["activityConfiguration"] = row{"id": p["id"], "name": p["name"]}
		c["activityConfigurationMaxSessionLength"] = p["maxSessionLength"]
	}
	if s.o.API == "documented" {
		delete(c, "isDeleted")
		delete(c, "isDisabled")
		c["activityConfiguration"] = p["name"]
	}
	return c
}

func (s *Server) createPolicy(q *ask) answer {
	o, good := q.object()
	if !good || o.text("name") == "" {
		return invalid("name", "The name field is required.")
	}
	for _, r := range s.world.policies.rows {
		if strings.EqualFold(r.text("name"), o.text("name")) { // a deleted namesake blocks the name too
			return refuse(http.StatusBadRequest, "Bad Request", "Access control policy name must be unique")
		}
	}
	if p := o.text("activityConfigurationId"); p != "" && s.world.profiles.get(p) == nil {
		return invalid("activityConfigurationId", "The connection profile does not exist.")
	}
	delete(o, "id")
	o["isDeleted"], o["isDisabled"], o["priority"] = false, false, len(s.world.policies.rows)+1
	r := s.world.policies.add(o)
	s.world.members[r.text("id")] = &members{}
	return ok(s.showPolicy(r))
}

func (s *Server) associate(q *ask, k memberKind, param string, get func(id string) row, add bool) answer {
	policy := s.world.policies.get(q.id(param))
	if policy == nil {
		return refuse(http.StatusNotFound, "Not Found", "no policy of this id")
	}
	var in []struct {
		ID         string `json:"id"`
		EntityType int    `json:"entityType"`
	}
	if json.Unmarshal(q.body, &in) != nil {
		return invalid("$", "The JSON value could not be converted.")
	}
	if ofCredentials := policy.number("policyType") == 1; k == memberCredentials && !ofCredentials || (k == memberActivities || k == memberResources) && ofCredentials {
		return refuse(http.StatusBadRequest, "Bad Request", "the type of the policy does not take such members")
	}
	m := s.world.members[policy.text("id")]
	done := 0
	for _, e := range in {
		switch {
		case get(e.ID) == nil:
			return refuse(http.StatusNotFound, "Not Found", "no object of the id "+e.ID)
		case add && !m.has(k, e.ID):
			m.ids[k] = append(m.ids[k], strings.ToLower(e.ID))
			done++
		case !add && m.has(k, e.ID):
			var rest []string
			for _, id := range m.ids[k] {
				if !strings.EqualFold(id, e.ID) {
					rest = append(rest, id)
				}
			}
			m.ids[k] = rest
			done++
		}
	}
	return ok(row{"item1": done, "item2": len(in) - done})
}

func (s *Server) searchMembers(q *ask, k memberKind, get func(id string) row, columns []string) answer {
	policy := s.world.policies.get(q.id("accessPolicyId"))
	if policy == nil {
		return refuse(http.StatusBadRequest, "Bad Request", "no policy of this id")
	}
	var rows []row
	for _, id := range s.world.members[policy.text("id")].ids[k] {
		if r := get(id); r != nil {
			rows = append(rows, r)
		}
	}
	if k == memberCredentials {
		return q.page(rows, 10, columns, s.showCredentialMember)
	}
	return q.page(rows, 10, columns, func(r row) row {
		c := row{"id": r["id"], "name": r["name"], "displayName": r["displayName"], "entityType": 0}
		switch k {
		case memberAccounts:
			c["entityType"], c["domain"] = r["entityType"], r["domainName"]
		case memberResources:
			c["dnsHostName"], c["os"], c["platformId"] = r["dnsHostName"], r["os"], r["platformId"]
		case memberActivities, memberCredentials:
		}
		return c
	})
}

// activityCandidates are the activities that a policy could still take.
func (s *Server) activityCandidates(q *ask) answer {
	policy := s.world.policies.get(q.id("accessPolicyId"))
	if policy == nil {
		return refuse(http.StatusBadRequest, "Bad Request", "no policy of this id")
	}
	var rows []row
	for _, r := range s.world.activities.rows {
		if !r.truth("isDeleted") && !s.world.members[policy.text("id")].has(memberActivities, r.text("id")) {
			rows = append(rows, r)
		}
	}
	return q.page(rows, 10, []string{"name", "description"}, func(r row) row {
		return row{"id": r["id"], "name": r["name"], "description": r["description"], "entityType": 0}
	})
}

// findPolicies answers which policies let an account run an activity on a resource. Platform and status must fit too.
func (s *Server) findPolicies(q *ask) answer {
	w := &s.world
	rows := []row{}
	for _, p := range w.grants(q.query("managedAccountId"), w.activities.named("name", q.query("activityName")), w.resources.named("dnsHostName", q.query("resourceName"))) {
		rows = append(rows, s.showPolicy(p))
	}
	if len(rows) == 0 {
		return refuse(http.StatusNotFound, "Not Found", "no policy found")
	}
	return list(rows)
}

// grants lists the policies that let an account run an activity on a resource.
func (w *world) grants(account string, activity, resource row) []row {
	var rows []row
	for _, p := range w.policies.rows {
		m := w.members[p.text("id")]
		if activity == nil || resource == nil || p.number("policyType") != 0 || p.truth("isDeleted") || p.truth("isDisabled") || activity.text("platformId") != resource.text("platformId") {
			continue
		}
		if m.has(memberAccounts, account) && m.has(memberActivities, activity.text("id")) && m.has(memberResources, resource.text("id")) {
			rows = append(rows, p)
		}
	}
	return rows
}
