package nps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const (
	objectID = "0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f"
	marker   = "S3CR3T-password-0123456789abcdef"
)

// clock is a clock that stands still until it is told; waiting moves it.
type clock struct {
	mu    sync.Mutex
	at    time.Time
	waits []time.Duration
}

func newClock() *clock { return &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) Advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.at = c.at.Add(d) }

func (c *clock) Wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.at = c.at.Add(d)
	c.waits = append(c.waits, d)
	return nil
}

func (c *clock) Waits() string { c.mu.Lock(); defer c.mu.Unlock(); return fmt.Sprint(c.waits) }

// server is a stand-in with one handler per "METHOD path" and a log of what came.
type server struct {
	*httptest.Server
	t        *testing.T
	clock    *clock
	mu       sync.Mutex
	handlers map[string]http.HandlerFunc
	log      []string
	bodies   []string
	tokens   int
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, clock: newClock(), handlers: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewUnstartedServer(s)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // handshake errors that tests provoke
	s.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	s.StartTLS()
	t.Cleanup(s.Close)
	s.on("POST /signinBody", func(w http.ResponseWriter, _ *http.Request) { s.token(w) })
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) { s.token(w) })
	s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { s.token(w) })
	s.on("GET /api/v1/Version", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `"25.12.00002"`) })
	return s
}

func (s *server) on(route string, h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handlers[route] = h
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.log = append(s.log, r.Method+" "+r.URL.RequestURI())
	s.bodies = append(s.bodies, string(raw))
	h := s.handlers[r.Method+" "+r.URL.Path]
	s.mu.Unlock()
	w.Header().Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
	if h == nil {
		w.WriteHeader(404)
		return
	}
	h(w, r)
}

// came is how often a request line came, its query aside.
func (s *server) came(line string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, l := range s.log {
		if path, _, _ := strings.Cut(l, "?"); path == line {
			n++
		}
	}
	return n
}

// token answers a new token that lives 15 minutes.
func (s *server) token(w http.ResponseWriter) {
	s.mu.Lock()
	s.tokens++
	n := s.tokens
	s.mu.Unlock()
	now := s.clock.Now().Unix()
	reply(w, 200, quoted(jwt(map[string]any{"sub": "npsadmin", claimRole: "Admin", "jti": n, "iat": now, "exp": now + 900})))
}

func (s *server) options() Options {
	return Options{BaseURL: s.URL + "/", TLS: s.trust(), Now: s.clock.Now, Wait: s.clock.Wait}
}

func (s *server) trust() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(s.Certificate())
	return &tls.Config{RootCAs: pool}
}

// client makes a client; change may alter the options.
func (s *server) client(change func(*Options)) *Client {
	s.t.Helper()
	o := s.options()
	if change != nil {
		change(&o)
	}
	c, err := New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// signedIn makes a client and signs in.
func (s *server) signedIn(change func(*Options)) *Client {
	s.t.Helper()
	c := s.client(change)
	if _, err := c.SignIn(context.Background(), credentials()); err != nil {
		s.t.Fatal(err)
	}
	return c
}

func credentials() Credentials {
	return Credentials{User: `CONTOSO\npsadmin`, Password: secret.New(marker), MFA: Given(secret.New("012345"))}
}

func reply(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func html(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

func quoted(s string) string { raw, _ := json.Marshal(s); return string(raw) }

func jwt(claims map[string]any) string {
	raw, _ := json.Marshal(claims)
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"HS256"}`)) + "." + enc(raw) + "." + enc([]byte("signature"))
}

// change makes an operation of a plan out of a call.
func change(c plan.Call) plan.Op {
	return plan.Op{ID: c.Operation, Kind: plan.KindCall, Class: plan.Change, Call: &c}
}

func approved(ops ...plan.Op) plan.Plan {
	return plan.Plan{Actions: []plan.Action{{Key: "a", Ops: ops}}}
}

// wantProblem checks kind and words of an error, and that it holds no secret.
func wantProblem(t *testing.T, err error, kind problem.Kind, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	all := problem.All(err)
	text := fmt.Sprintf("%v %+v", err, err)
	for _, p := range all {
		text += p.What + p.Why + strings.Join(p.Next, " ")
		if len(p.Next) == 0 && p.Kind != problem.Cancelled {
			t.Errorf("%q names no next step", p.What)
		}
	}
	if got := problem.KindOf(err); got != kind {
		t.Errorf("kind %d, want %d: %v", got, kind, err)
	}
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%q is not in: %s", w, text)
		}
	}
	if strings.Contains(text, marker) || strings.Contains(text, "eyJ") {
		t.Errorf("a secret is in: %s", text)
	}
}
