package sandbox

import (
	"net/http"
	"regexp"
	"strings"
)

// Service accounts live in one table with the rows of a search: there they are displayName, userName and credentialId, and as a
// Credential name, username and id.

func (s *Server) serviceAccountRoutes() map[string]handler {
	w := &s.world
	return map[string]handler{
		"listCredentials": func(q *ask) answer {
			var rows []row
			for _, r := range w.credentials.rows {
				if q.number("type", 0) > 0 || r.truth("isDeleted") && !strings.EqualFold(q.query("includeDeleted"), "true") || q.query("userName") != "" && !strings.EqualFold(q.query("userName"), r.text("userName")) {
					continue
				}
				rows = append(rows, asCredential(r))
			}
			return list(rows)
		},
		"getCredential": func(q *ask) answer {
			if r := w.credential(q.id("credentialId")); r != nil {
				return ok(asCredential(r))
			}
			return refuse(http.StatusNotFound, "Not Found", "no credential of this id")
		},
		"createCredential": func(q *ask) answer { return s.writeCredential(q, nil) },
		"updateCredential": func(q *ask) answer {
			r := w.credential(q.id("credentialId"))
			if r == nil {
				return refuse(http.StatusBadRequest, "Bad Request", "no credential of this id")
			}
			return s.writeCredential(q, r)
		},
		"deleteCredential": func(q *ask) answer {
			r := w.credential(q.id("credentialId"))
			if r == nil {
				return refuse(http.StatusBadRequest, "Bad Request", "no credential of this id")
			}
			r["isDeleted"] = true
			delete(w.accountKeys, r.text("credentialId"))
			return answer{status: http.StatusOK}
		},
	}
}

// asCredential shows a service account, without its password, as the product does unless asked for it.
func asCredential(r row) row {
	c := r.clone()
	c["id"], c["name"], c["username"], c["password"] = r["credentialId"], r["displayName"], r["userName"], nil
	for _, of := range []string{"credentialId", "displayName", "userName"} {
		delete(c, of)
	}
	return c
}

// writeCredential makes a service account, or writes one over. A password that is left out of an update is gone: whether the product
// keeps it is not documented, and a client must not rely on it.
func (s *Server) writeCredential(q *ask, over row) answer {
	w := &s.world
	o, good := q.object()
	switch {
	case !good || o.text("username") == "":
		return invalid("username", "The username field is required.")
	case over != nil && !strings.EqualFold(o.text("id"), over.text("credentialId")):
		return refuse(http.StatusBadRequest, "Bad Request", "the id of the body is not the id of the route")
	case o.number("type") != 0:
		return invalid("type", "The value is not valid.")
	case o.text("platformId") != "" && w.platforms.get(o.text("platformId")) == nil:
		return invalid("platformId", "The platform does not exist.")
	}
	for _, r := range w.credentials.rows {
		if r.text("credentialId") != over.text("credentialId") && !r.truth("isDeleted") && strings.EqualFold(r.text("userName"), o.text("username")) && strings.EqualFold(r.text("domain"), o.text("domain")) {
			return refuse(http.StatusConflict, "Conflict", "a credential with the same username and domain exists")
		}
	}
	password := o.text("password")
	o["displayName"], o["userName"] = o["name"], o["username"]
	for _, of := range []string{"name", "username", "password"} {
		delete(o, of)
	}
	if over == nil {
		delete(o, "id")
		o["credentialId"], o["isDeleted"] = newID(), false
		over = w.credentials.add(o)
	} else {
		o["id"], o["credentialId"] = over["id"], over["credentialId"]
		w.credentials.replace(over.text("id"), o)
	}
	if w.accountKeys[over.text("credentialId")] = password; password != "" {
		w.secrets = append(w.secrets, password)
	}
	return ok(asCredential(over))
}

// passing are times and fingerprints in a text.
var passing = regexp.MustCompile(`\d{4}-\d\d-\d\d( \d\d:\d\d( UTC)?)?|\b[0-9a-f]{16,}\b`)

// stateAccounts lists the service accounts; in place of a password stands whose it is.
func (s *Server) stateAccounts() []row {
	rows := []row{}
	for _, r := range s.world.credentials.rows {
		if r.truth("isDeleted") {
			continue
		}
		c := bare(r)
		if d := r.text("description"); d != "" {
			c["description"] = passing.ReplaceAllString(d, "(differs from start to start)")
		}
		if password := s.world.accountKeys[r.text("credentialId")]; password != "" {
			c["password"] = "(none that Password Secure knows)"
			if k, state := s.judgeKey(func(k apiKey) bool { return k.whole == password }); state == keyGood {
				c["password"] = "(the API key " + k.text("name") + " of Password Secure)"
			}
		}
		rows = append(rows, c)
	}
	return sorted(rows, "displayName")
}
