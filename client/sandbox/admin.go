package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// adminHandler serves the port through which tests and people look behind the scenes. Whoever knows the token may do
// everything, so the Host header is checked too: a page in a browser cannot be made to ask.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /sandbox/state", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.State()) })
	mux.HandleFunc("GET /sandbox/requests", func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Query().Get("of") {
		case "auditor":
			reply(w, s.AuditorRequests())
		case "password-secure":
			reply(w, s.VaultRequests())
		default:
			reply(w, s.Requests())
		}
	})
	mux.HandleFunc("GET /sandbox/events", s.serveEvents)
	mux.HandleFunc("POST /sandbox/collect", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, map[string]bool{"collecting": s.Collect()})
	})
	mux.HandleFunc("POST /sandbox/fault", func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Set, Clear []string }
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in)
		var on []string
		if err == nil {
			on, err = s.SetFaults(in.Set, in.Clear)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply(w, map[string][]string{"faults": on})
	})
	mux.HandleFunc("GET /sandbox/secrets", func(w http.ResponseWriter, _ *http.Request) { reply(w, s.Secrets()) })
	mux.HandleFunc("POST /sandbox/person", func(w http.ResponseWriter, r *http.Request) { reply(w, s.PersonThrough(r.Context())) })
	mux.HandleFunc("POST /sandbox/drift", func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Kind, Name string
			Set        map[string]any
		}
		err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in)
		if err == nil {
			err = s.Drift(in.Kind, in.Name, in.Set)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		reply(w, map[string]string{"drifted": in.Kind + "/" + in.Name})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, found := strings.CutPrefix(r.URL.Path, "/"+s.token)
		if r.Host != s.adminA || !found {
			http.NotFound(w, r)
			return
		}
		r.URL.Path = path
		mux.ServeHTTP(w, r)
	})
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v)
}

// Secrets lists every secret value that ever lived here.
func (s *Server) Secrets() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := append([]string{}, s.world.secrets...)
	for _, password := range s.world.vault.passwords {
		all = append(all, password)
	}
	for _, p := range s.world.people {
		all = append(all, p.password, p.totp)
	}
	return all
}

// Drift is another administrator's change: it sets members of the object of the kind (as in State) and name.
func (s *Server) Drift(kind, name string, set map[string]any) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, member := s.world.kind(kind)
	if t == nil {
		return fmt.Errorf("no kind %q", kind)
	}
	var target row
	for _, r := range t.rows {
		if strings.EqualFold(r.text(member), name) {
			target = r
		}
	}
	if target == nil {
		return fmt.Errorf("no object %q of the kind %s", name, kind)
	}
	for k, v := range set {
		target[k] = v
	}
	return nil
}

// kind is the table of a kind of State, and the member that names its rows.
func (w *world) kind(kind string) (*table, string) {
	switch kind {
	case "applicationUsers":
		return w.accounts, "name"
	case "connectionProfiles":
		return w.profiles, "name"
	case "activities":
		return w.activities, "name"
	case "policies":
		return w.policies, "name"
	case "resources":
		return w.resources, "dnsHostName"
	case "serviceAccounts":
		return w.credentials, "displayName"
	case "credentials":
		return w.users, "userName"
	case "connectors":
		return w.connectors, "name"
	case "vaultKeys":
		return w.vault.keys, "name"
	case "vaultEntries":
		return w.vault.entries, "name"
	}
	return nil, ""
}
