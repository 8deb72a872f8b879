package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"

	"npsetup/assets"
)

// operation is what the sandbox takes from the contract: where a call lives, how it counts, and how sure it is.
type operation struct {
	ID     string `yaml:"operationId"`
	Source string `yaml:"x-source"`
	Class  string `yaml:"x-class"`
	method string
	path   string
}

// operations are those of the contract. Reading it takes 24 ms: the first who needs them does, once for all sandboxes.
var operations = sync.OnceValues(func() ([]operation, error) { return readContract(assets.NPSContract) })

func readContract(raw []byte) ([]operation, error) {
	var doc struct {
		Paths map[string]map[string]operation `yaml:"paths"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	var ops []operation
	for path, methods := range doc.Paths {
		for method, op := range methods {
			op.method, op.path = strings.ToUpper(method), path
			ops = append(ops, op)
		}
	}
	return ops, nil
}

// ask is one request on its way to a handler.
type ask struct {
	*http.Request
	body    []byte
	who     *person
	auditor bool // Auditor asks
}

// answer is what a handler gives back. A nil value is an empty body.
type answer struct {
	status int
	value  any
	html   string
	text   bool
	lost   bool // the connection is closed without an answer
	cookie *http.Cookie

	fate    fate
	spoiled bool   // a fault changed it: it is not held against the contract
	after   string // Retry-After
	closes  bool   // its connection ends with it

	kind string // content type, set by encode with raw
	raw  []byte
}

func ok(v any) answer { return answer{status: http.StatusOK, value: v} }

func refuse(status int, title, detail string) answer {
	return answer{status: status, value: row{"type": "about:blank", "title": title, "status": status, "detail": detail, "traceId": "00-" + randomHex(16) + "-" + randomHex(8) + "-00"}}
}

func invalid(field, message string) answer {
	a := refuse(http.StatusBadRequest, "One or more validation errors occurred.", "")
	v := a.value.(row)
	delete(v, "detail")
	v["errors"] = row{field: []string{message}}
	return a
}

var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// id is a path parameter that must be a GUID.
func (q *ask) id(name string) string { return strings.ToLower(q.PathValue(name)) }

func (q *ask) object() (row, bool) {
	var o row
	return o, json.Unmarshal(q.body, &o) == nil && len(o) > 0
}

// query reads a query parameter whatever its letters' case, as the server's framework does.
func (q *ask) query(name string) string {
	for k, v := range q.URL.Query() {
		if strings.EqualFold(k, name) && len(v) > 0 {
			return v[0]
		}
	}
	return ""
}

func (q *ask) number(name string, otherwise int) int {
	n, err := strconv.Atoi(q.query(name))
	if err != nil {
		return otherwise
	}
	return n
}

type handler func(*ask) answer

// routes binds every operation of the contract to its handler. An operation without one, or a handler without an
// operation, is a mistake.
func (s *Server) routes(ops []operation) (http.Handler, error) {
	handlers := map[string]handler{}
	for _, area := range []map[string]handler{s.authRoutes(), s.userRoutes(), s.profileRoutes(), s.activityRoutes(), s.directoryRoutes(), s.policyRoutes(), s.applicationRoutes(), s.sessionRoutes(), s.serviceAccountRoutes(), s.connectorRoutes(), s.managedRoutes()} {
		for id, h := range area {
			handlers[id] = h
		}
	}
	var known router
	for _, op := range ops {
		h, found := handlers[op.ID]
		if !found {
			return nil, fmt.Errorf("the contract has the operation %s, the sandbox does not", op.ID)
		}
		delete(handlers, op.ID)
		known.add(op.method, op.path, func(w http.ResponseWriter, r *http.Request) { s.carryOut(w, r, op, h) })
	}
	for id := range handlers {
		return nil, fmt.Errorf("the sandbox has the operation %s, the contract does not", id)
	}
	known.sort()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serve, status := known.find(r)
		if serve == nil {
			s.record(Request{Class: "outside", Method: r.Method, Path: r.URL.RequestURI(), Status: status})
			http.Error(w, http.StatusText(status), status)
			return
		}
		serve(w, r)
	}), nil
}

func (s *Server) record(r Request) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r)
	return len(s.requests) - 1
}

const bodyLimit = 16 << 20

func (s *Server) carryOut(w http.ResponseWriter, r *http.Request, op operation, h handler) {
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err != nil {
		return
	}
	q := &ask{Request: r, body: body, auditor: r.UserAgent() == auditorAgent}
	n := s.record(Request{Class: op.Class, Operation: op.ID, Method: r.Method, Path: r.URL.RequestURI(), Body: body, auditor: q.auditor})
	if s.o.Latency > 0 {
		select {
		case <-time.After(s.o.Latency):
		case <-r.Context().Done():
			return
		}
	}
	s.check(func(c Checker) error { return c.Request(r, body) })
	a := s.decide(q, op, h)
	s.mu.Lock()
	s.requests[n].Status = a.status
	done := s.requests[n]
	hooks := s.hooks
	if q.auditor {
		hooks = s.auditorHooks
	}
	hooks = slices.Clone(hooks)
	s.mu.Unlock()
	for _, f := range hooks {
		f(done)
	}
	if a.lost {
		hangUp(w)
		return
	}
	s.head(w, a)
	if !s.travel(w, r, a) {
		s.write(w, r, a)
	}
}

func (s *Server) check(f func(Checker) error) {
	if s.o.Check == nil {
		return
	}
	if err := f(s.o.Check); err != nil {
		s.mu.Lock()
		s.violations = append(s.violations, err)
		s.mu.Unlock()
	}
}

// decide applies faults, the chosen part of the API, the sign-in and the role, then the handler.
func (s *Server) decide(q *ask, op operation, h handler) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	hit := s.strike(q, op)
	s.meddle(hit)
	before := s.counts()
	a, done := s.instead(hit, q, op, h)
	if !done {
		a = s.judge(q, op, h)
	}
	if !q.auditor && op.Class == "change" {
		s.notice(before)
	}
	a.encode() // under the lock: the value may be a row that the next request changes
	if !done {
		s.spoil(&a, hit, op)
	}
	if hit["clock-skew"] {
		s.struckBy("clock-skew")
		s.ahead.Store(int64(aheadBy))
	}
	a.closes = s.afterwards(hit, q.Request)
	return a
}

func (s *Server) judge(q *ask, op operation, h handler) answer {
	if a, hit := s.faulty(q, op); hit {
		return a
	}
	if s.o.API != "full" && op.Source == "assumed" || s.o.API == "documented" && op.Source == "live" && op.Class != "auth" {
		return answer{status: http.StatusNotFound}
	}
	if strings.Contains(op.path, "{") {
		for _, segment := range strings.Split(op.path, "/") {
			name, isParam := strings.CutPrefix(segment, "{")
			if isParam && !guid.MatchString(q.PathValue(strings.TrimSuffix(name, "}"))) {
				return invalid("id", "The value is not valid.")
			}
		}
	}
	if a, refused := s.authorise(q, op); refused {
		return a
	}
	a := h(q)
	if op.Class == "change" && a.status < 300 && s.faults.strikes(q, "answer-lost") {
		a.lost = true
	}
	return a
}

func hangUp(w http.ResponseWriter) {
	if h, can := w.(http.Hijacker); can {
		if c, _, err := h.Hijack(); err == nil {
			_ = c.Close()
		}
	}
}

func (a *answer) encode() {
	switch {
	case a.html != "":
		a.kind, a.raw = "text/html; charset=utf-8", []byte(a.html)
	case a.text:
		a.kind, a.raw = "text/plain", []byte(fmt.Sprint(a.value))
	case a.value != nil:
		a.kind = "application/json; charset=utf-8"
		if a.status >= 400 {
			a.kind = "application/problem+json; charset=utf-8"
		}
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		_ = e.Encode(a.value)
		a.raw = out.Bytes()
	}
}

func (s *Server) head(w http.ResponseWriter, a answer) {
	header := w.Header()
	if a.kind != "" {
		header.Set("Content-Type", a.kind)
	}
	if a.cookie != nil {
		http.SetCookie(w, a.cookie)
	}
	if a.after != "" {
		header.Set("Retry-After", a.after)
	}
	if a.closes {
		header.Set("Connection", "close")
	}
	header.Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
}

func (s *Server) write(w http.ResponseWriter, r *http.Request, a answer) {
	header := w.Header()
	if !a.spoiled {
		s.check(func(c Checker) error { return c.Response(r, a.status, header, a.raw) })
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.raw)
}
