package sandbox

import (
	"encoding/json"
	"net/http"
)

func (s *Server) directoryRoutes() map[string]handler {
	w := &s.world
	columns := []string{"displayName", "domainName", "os", "dnsHostName", "distinguishedName"}
	return map[string]handler{
		"searchResources": func(q *ask) answer {
			rows := w.resources.rows
			if kind := q.number("filterType", -1); kind >= 0 {
				rows = nil
				for _, r := range w.resources.rows {
					if r.number("type") == kind {
						rows = append(rows, r)
					}
				}
			}
			return q.page(rows, 10, columns, s.showResource)
		},
		"searchCandidates": func(q *ask) answer {
			w.hostsAsked = true
			return q.page(w.hosts.rows, 100, columns, s.showCandidate)
		},
		"addCandidates":     s.addCandidates,
		"getResourceByHost": s.resourceByHost,
		"setServiceAccount": func(q *ask) answer {
			return s.bulk(q, "serviceAccountId", func(id string) bool { return w.credential(id) != nil })
		},
		"setPlatform": func(q *ask) answer {
			return s.bulk(q, "platformId", func(id string) bool { return w.platforms.get(id) != nil })
		},
		"deleteResource": func(q *ask) answer {
			id := q.id("managedResourceId")
			if w.resources.get(id) == nil {
				return refuse(http.StatusBadRequest, "Bad Request", "no resource of this id")
			}
			if h := w.hosts.get(w.resources.get(id).text("hostId")); h != nil {
				delete(h, "managedResourceId")
			}
			w.resources.remove(id)
			w.forget(id)
			return answer{status: http.StatusAccepted}
		},
		"listDomains": func(*ask) answer {
			var rows []row
			for _, r := range w.resources.rows {
				if r.number("type") == 1 {
					rows = append(rows, row{"id": r["id"], "name": r["name"]})
				}
			}
			return list(rows)
		},
		"searchCredentials": s.searchCredentials,
	}
}

func (w *world) credential(id string) row {
	for _, c := range w.credentials.rows {
		if c.text("credentialId") == id && id != "" {
			return c
		}
	}
	return nil
}

// showResource nests objects, as NPS does.
func (s *Server) showResource(r row) row {
	c := row{}
	for k, v := range r {
		c[k] = v
	}
	w := &s.world
	if p := w.platforms.get(r.text("platformId")); p != nil {
		c["platformName"], c["platform"] = p["name"], p
	}
	if h := w.hosts.get(r.text("hostId")); h != nil {
		c["host"] = row{"id": h["id"], "dnsHostName": h["dnsHostName"], "distinguishedName": h["distinguishedName"]}
	}
	if a := w.credential(r.text("serviceAccountId")); a != nil {
		c["saName"], c["saUsername"] = a["displayName"], a["userName"]
	}
	c["activeSessionCount"], c["accessPolicyCount"] = 0, 0
	return c
}

func (s *Server) showCandidate(r row) row {
	c := row{}
	for k, v := range r {
		c[k] = v
	}
	c["appResourceType"] = 0
	if m := s.world.resources.get(r.text("managedResourceId")); m != nil {
		c["appResourceType"], c["serviceAccountId"] = 1, m["serviceAccountId"]
	}
	return c
}

func (s *Server) addCandidates(q *ask) answer {
	var in struct {
		HostIDs          []string `json:"hostIds"`
		ServiceAccountID string   `json:"serviceAccountId"`
	}
	if json.Unmarshal(q.body, &in) != nil || len(in.HostIDs) == 0 {
		return refuse(http.StatusBadRequest, "Bad Request", "No hosts selected")
	}
	account := s.world.credential(in.ServiceAccountID)
	if account == nil {
		return refuse(http.StatusBadRequest, "Bad Request", "Service account not found")
	}
	n := 0
	for _, id := range in.HostIDs {
		h := s.world.hosts.get(id)
		if h == nil {
			return refuse(http.StatusBadRequest, "Bad Request", "Host not found")
		}
		if h.text("managedResourceId") == "" {
			s.world.enrol(h, account)
			n++
		}
	}
	return ok(n)
}

func (s *Server) resourceByHost(q *ask) answer {
	for _, r := range s.world.resources.rows {
		if r.text("hostId") == q.id("hostId") {
			return ok(s.showResource(r))
		}
	}
	return refuse(http.StatusNotFound, "Not Found", "no resource of this host")
}

// bulk sets one member of several resources; the answer has a status for each.
func (s *Server) bulk(q *ask, member string, exists func(string) bool) answer {
	var in struct {
		ResourceIDs []string `json:"resourceIds"`
		Property    string   `json:"property"`
	}
	if json.Unmarshal(q.body, &in) != nil || len(in.ResourceIDs) == 0 || !exists(in.Property) {
		return refuse(http.StatusBadRequest, "Bad Request", "nothing to set")
	}
	var rows []row
	for _, id := range in.ResourceIDs {
		r := s.world.resources.get(id)
		if r == nil {
			rows = append(rows, row{"id": id, "status": http.StatusNotFound, "message": "Resource not found"})
			continue
		}
		r[member] = in.Property
		rows = append(rows, row{"id": id, "status": http.StatusOK, "message": nil})
	}
	return list(rows)
}
