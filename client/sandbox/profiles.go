package sandbox

import "net/http"

func (s *Server) profileRoutes() map[string]handler {
	t := s.world.profiles
	return map[string]handler{
		"listConnectionProfiles":  func(*ask) answer { return list(t.rows) },
		"createConnectionProfile": func(q *ask) answer { return create(q, t, http.StatusOK) },
		"updateConnectionProfile": func(q *ask) answer { return update(q, t, "id") },
		"deleteConnectionProfile": func(q *ask) answer { return softDelete(q, t, "id") },
	}
}

// create makes an object with a name that is unique among the living.
func create(q *ask, t *table, status int) answer {
	o, good := q.object()
	if !good || o.text("name") == "" {
		return invalid("name", "The name field is required.")
	}
	if t.named("name", o.text("name")) != nil {
		return refuse(http.StatusBadRequest, "Bad Request", "an object of this name exists")
	}
	delete(o, "id")
	o["isDeleted"], o["isDefault"] = false, false
	return answer{status: status, value: t.add(o)}
}

func update(q *ask, t *table, param string) answer {
	o, good := q.object()
	if !good || t.get(q.id(param)) == nil {
		return refuse(http.StatusNotFound, "Not Found", "no object of this id")
	}
	if o.text("id") != t.get(q.id(param)).text("id") {
		return refuse(http.StatusBadRequest, "Bad Request", "the id of the body is not the id of the route")
	}
	t.replace(q.id(param), o)
	return ok(t.get(q.id(param)))
}

func softDelete(q *ask, t *table, param string) answer {
	r := t.get(q.id(param))
	if r == nil {
		return refuse(http.StatusNotFound, "Not Found", "no object of this id")
	}
	r["isDeleted"] = true
	return answer{status: http.StatusAccepted}
}
