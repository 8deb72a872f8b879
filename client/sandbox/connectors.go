package sandbox

import (
	"net/http"
	"net/url"
	"strings"
)

const templatePasswordSecure = "Password Secure"

// Types of a connector's settings, by the product's ordinals.
const (
	settingURI        = 0
	settingCredential = 3
	settingBoolean    = 9
)

// connectorTemplates are those of the product. Their settings' names are written as those of the one template that is known: without blanks.
func connectorTemplates() *table {
	t := newTable()
	add := func(name string, kind int, settings ...row) {
		id, configuration := newID(), newID()
		values := []any{}
		for i, v := range settings {
			v["id"], v["configurationId"], v["integrationConnectorTemplateId"], v["connectorId"], v["displayOrder"], v["value"] = newID(), configuration, id, nil, i, nil
			values = append(values, map[string]any(v))
		}
		t.add(row{"id": id, "name": name, "description": "", "type": kind, "configurationId": configuration, "configurationValues": values})
	}
	setting := func(name string, kind int, preset any, advanced bool) row {
		return row{"name": name, "type": kind, "defaultValue": preset, "required": preset == nil, "advanced": advanced}
	}
	add("BYOV", 2, setting("ApiUrl", settingURI, nil, false), setting("AppId", 6, nil, false), setting("CheckoutScriptBlock", 12, "", true), setting("SkipCertificateCheck", settingBoolean, "false", true))
	add("LAPS", 2, setting("ServiceAccount", settingCredential, nil, false), setting("DomainName", 6, nil, false))
	add("StealthAUDIT", 1, setting("HostName", 1, nil, false), setting("Token", 2, nil, false))
	add(templatePasswordSecure, 2, setting("ApiUrl", settingURI, nil, false), setting("ServiceAccount", settingCredential, nil, false), setting("SkipCertificateCheck", settingBoolean, "false", true))
	return t
}

// offered are the templates that this NPS has.
func (s *Server) offeredTemplates() []row {
	var rows []row
	for _, t := range s.world.connectorTemplates.rows {
		if t.text("name") != templatePasswordSecure || !s.faults.has("no-template") && !s.faults.has("before-25.12") {
			rows = append(rows, t)
		}
	}
	return rows
}

func (s *Server) connectorRoutes() map[string]handler {
	w := &s.world
	one := func(h func(*ask, row) answer) handler {
		return func(q *ask) answer {
			if r := w.connectors.get(q.id("id")); r != nil {
				return h(q, r)
			}
			return refuse(http.StatusNotFound, "Not Found", "no connector of this id")
		}
	}
	change := func(h handler) handler {
		return func(q *ask) answer {
			if s.faults.strikes(q, "connector-405") {
				return answer{status: http.StatusMethodNotAllowed}
			}
			return h(q)
		}
	}
	return map[string]handler{
		"listConnectorSettings": func(*ask) answer {
			rows := []row{}
			for _, from := range [][]row{s.offeredTemplates(), w.connectors.rows} {
				for _, r := range from {
					rows = append(rows, r.values()...)
				}
			}
			return list(rows)
		},
		"listConnectorTemplates": func(*ask) answer { return list(s.offeredTemplates()) },
		"listConnectors":         func(*ask) answer { return list(w.connectors.rows) },
		"getConnector":           one(func(_ *ask, r row) answer { return ok(r) }),
		"createConnector":        change(func(q *ask) answer { return s.writeConnector(q, nil) }),
		"updateConnector":        change(one(s.writeConnector)),
		"deleteConnector": change(one(func(_ *ask, r row) answer {
			for _, a := range w.activities.rows {
				if strings.EqualFold(a.text("vaultId"), r.text("id")) && !a.truth("isDeleted") {
					return refuse(http.StatusBadRequest, "Bad Request", "the connector is used by an activity")
				}
			}
			w.connectors.remove(r.text("id"))
			return answer{status: http.StatusAccepted}
		})),
	}
}

// values are the setting rows of a template or a connector.
func (r row) values() []row {
	var rows []row
	list, _ := r["configurationValues"].([]any)
	for _, v := range list {
		if m, is := v.(map[string]any); is {
			rows = append(rows, m)
		}
	}
	return rows
}

// settings are the values of a connector, by name.
func (r row) settings() map[string]string {
	found := map[string]string{}
	for _, v := range r.values() {
		found[v.text("name")] = v.text("value")
	}
	return found
}

// writeConnector makes a connector, or writes one over, from an IntegrationConnectorRequest.
func (s *Server) writeConnector(q *ask, over row) answer {
	w := &s.world
	o, good := q.object()
	template := w.connectorTemplates.get(o.text("connectorTemplateId"))
	switch {
	case !good || o.text("name") == "":
		return invalid("name", "The name field is required.")
	case over != nil && !strings.EqualFold(o.text("id"), over.text("id")):
		return refuse(http.StatusBadRequest, "Bad Request", "the id of the body is not the id of the route")
	case template == nil || !strings.EqualFold(o.text("connectorConfigurationId"), template.text("configurationId")) && !strings.EqualFold(o.text("connectorConfigurationId"), over.text("connectorConfigurationId")):
		return invalid("connectorTemplateId", "The template or its configuration does not exist.")
	}
	if other := w.connectors.named("name", o.text("name")); other != nil && other.text("id") != over.text("id") {
		return refuse(http.StatusBadRequest, "Bad Request", "a connector of this name exists")
	}
	id, configuration := newID(), newID()
	if over != nil {
		id, configuration = over.text("id"), over.text("connectorConfigurationId")
	}
	given, _ := o["settings"].([]any)
	values := []any{}
	for _, t := range template.values() {
		v := t.clone()
		v["id"], v["configurationId"], v["connectorId"], v["integrationConnectorTemplateId"] = newID(), configuration, id, nil
		v["value"] = valueOf(given, t)
		if a, bad := w.judgeSetting(v); bad {
			return a
		}
		values = append(values, map[string]any(v))
	}
	made := row{"id": id, "name": o["name"], "description": o["description"], "connectorTemplateId": template["id"], "connectorConfigurationId": configuration, "configurationValues": values}
	if over != nil {
		w.connectors.replace(id, made)
		return ok(over)
	}
	return ok(w.connectors.add(made))
}

// valueOf finds what a request says of a template's setting, by its id or its name.
func valueOf(given []any, t row) any {
	for _, g := range given {
		m, _ := g.(map[string]any)
		if r := row(m); strings.EqualFold(r.text("id"), t.text("id")) || r.text("id") == "" && strings.EqualFold(r.text("name"), t.text("name")) {
			return r["value"]
		}
	}
	return t["defaultValue"]
}

func (w *world) judgeSetting(v row) (answer, bool) {
	value := v.text("value")
	switch kind := v.number("type"); {
	case value == "" && v.truth("required"):
		return invalid(v.text("name"), "The setting is required."), true
	case kind == settingURI:
		if u, err := url.Parse(value); err != nil || u.Host == "" {
			return invalid(v.text("name"), "The value is not an address."), true
		}
	case kind == settingCredential && (w.credential(value) == nil || w.credential(value).truth("isDeleted")):
		return invalid(v.text("name"), "The service account does not exist."), true
	case kind == settingBoolean && value != "true" && value != "false":
		return invalid(v.text("name"), "The value is not true or false."), true
	}
	return answer{}, false
}

// stateConnectors names template and service account instead of their ids.
func (w *world) stateConnectors() []row {
	rows := []row{}
	for _, r := range w.connectors.rows {
		values := row{}
		for _, v := range r.values() {
			values[v.text("name")] = v["value"]
			switch v.number("type") {
			case settingCredential:
				values[v.text("name")] = w.credential(v.text("value")).text("displayName")
			case settingURI:
				if u, err := url.Parse(v.text("value")); err == nil {
					values[v.text("name")] = u.Path // its port differs from start to start
				}
			}
		}
		rows = append(rows, row{"name": r["name"], "description": r["description"], "template": w.connectorTemplates.get(r.text("connectorTemplateId")).text("name"), "settings": values})
	}
	return sorted(rows, "name")
}
