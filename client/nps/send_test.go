package nps

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const policyRoute = "POST /api/v1/AccessControlPolicy"

// hangUp closes the connection after the request has been read.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func TestSendSendsWhatIsShown(t *testing.T) {
	s := newServer(t)
	var got *http.Request
	s.on(policyRoute, func(w http.ResponseWriter, r *http.Request) { got = r; reply(w, 201, `{"id":"7"}`) })
	var seen []Exchange
	c := s.signedIn(func(o *Options) {
		o.UserAgent = "npsetup/1.2.3"
		o.Observe = func(e Exchange) { seen = append(seen, e) }
	})
	body := plan.Object{{Name: "name", Value: plan.String("Zoë <x>")}, {Name: "password", Value: plan.SecretLeaf{Name: "password", Secret: secret.New(marker)}}}
	op := change(npsapi.CreatePolicy(body))
	c.Approve(approved(op))
	a, err := c.Send(context.Background(), op, nil)
	if err != nil || a.Status != 201 || string(a.Body) != `{"id":"7"}` {
		t.Fatalf("%+v %v", a, err)
	}
	if b := s.bodies[len(s.bodies)-1]; b != `{"name":"Zoë <x>","password":"`+marker+`"}` {
		t.Errorf("sent %s", b)
	}
	if got.Proto != "HTTP/1.1" || got.Header.Get("User-Agent") != "npsetup/1.2.3" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %v", got.Proto, got.Header)
	}
	if !strings.HasPrefix(got.Header.Get("Authorization"), "Bearer eyJ") || got.Header.Get("Cookie") != "" {
		t.Error("the token is missing, or a cookie of the sign-in went along")
	}
	if !got.Close {
		t.Error("the change shared a connection: a stale one would lose its answer")
	}
	last := seen[len(seen)-1]
	if last.Class != plan.Change || last.Method != "POST" || last.Path != "/api/v1/AccessControlPolicy" || last.Status != 201 || last.Operation != "createPolicy" {
		t.Errorf("%+v", last)
	}
	if len(seen) != 3 || seen[0].Class != plan.Auth {
		t.Errorf("%+v", seen)
	}
}

func TestSendWithoutAnswerIsLostAndNotRepeated(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"hangs up": hangUp,
		"breaks the answer off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"id":`)
		},
		"answers a page":   func(w http.ResponseWriter, _ *http.Request) { html(w, 200, "<html>welcome</html>") },
		"answers no JSON":  func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"id"`) },
		"answers too much": func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `"`+strings.Repeat("x", 5000)+`"`) },
		"answers too late": never,
		"answers not HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, _ := w.(http.Hijacker).Hijack()
			_, _ = io.WriteString(conn, "!?\r\n")
			_ = conn.Close()
		},
		"rows that are not": func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `[`) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on(policyRoute, handler)
			c := s.signedIn(func(o *Options) { o.Limit = 4000 })
			if name == "answers too late" {
				c.sends.Timeout = 2 * time.Second // above any handshake, on a busy machine too
			}
			op := change(npsapi.CreatePolicy(named("a")))
			c.Approve(approved(op))
			_, err := c.Send(context.Background(), op, nil)
			wantProblem(t, err, problem.AnswerLost, "may or may not", "npsetup resume")
			if n := s.came(policyRoute); n != 1 {
				t.Errorf("it came %d times", n)
			}
			_, err = c.Send(context.Background(), op, nil)
			wantProblem(t, err, problem.GateClosed)
		})
	}
}

// never waits until the client is gone and then breaks off: a handler that only returned would answer 200, and an answer
// that arrives while the client hangs up is an answer.
func never(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func TestSendCancelledAfterItLeftIsLost(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	s.on(policyRoute, func(w http.ResponseWriter, r *http.Request) { cancel(); never(w, r) })
	c := s.signedIn(nil)
	op := change(npsapi.CreatePolicy(named("a")))
	c.Approve(approved(op))
	_, err := c.Send(ctx, op, nil)
	wantProblem(t, err, problem.AnswerLost, "stopped")
}

// What was never written may be sent later: its approval comes back.
func TestSendThatNeverLeft(t *testing.T) {
	s := newServer(t)
	s.on(policyRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{}`) })
	down := false
	c := s.signedIn(func(o *Options) {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if down {
				return nil, &net.OpError{Op: "dial", Net: network, Err: errors.New("connection refused")}
			}
			return (&net.Dialer{}).DialContext(ctx, network, addr)
		}
	})
	op := change(npsapi.CreatePolicy(named("a")))
	c.Approve(approved(op))
	down = true
	_, err := c.Send(context.Background(), op, nil)
	wantProblem(t, err, problem.Unreachable, "connection refused")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = c.Send(ctx, op, nil)
	wantProblem(t, err, problem.Cancelled)
	if s.came(policyRoute) != 0 {
		t.Fatal("it was sent")
	}
	down = false
	if _, err = c.Send(context.Background(), op, nil); err != nil {
		t.Error(err)
	}
}

func TestSendRepeatsNothing(t *testing.T) {
	for _, status := range []int{500, 502, 503, 504, 408, 429} {
		s := newServer(t)
		s.on(policyRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, status, `{"traceId":"00-abc"}`) })
		c := s.signedIn(nil)
		op := change(npsapi.CreatePolicy(named("a")))
		c.Approve(approved(op))
		_, err := c.Send(context.Background(), op, nil)
		kind := problem.Failed
		if status >= 500 {
			kind = problem.ServerFailed
		}
		wantProblem(t, err, kind, "00-abc")
		if n := s.came(policyRoute); n != 1 {
			t.Errorf("%d: it came %d times", status, n)
		}
	}
}

func TestRedirects(t *testing.T) {
	s := newServer(t)
	other := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other server was asked") }))
	defer other.Close()
	for _, status := range []int{301, 302, 307, 308} {
		for _, target := range []string{other.URL + "/x?token=" + marker, s.URL + "/api/v1/Activity", "http://" + s.Listener.Addr().String() + "/"} {
			away := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, status) }
			s.on(policyRoute, away)
			c := s.signedIn(nil)
			op := change(npsapi.CreatePolicy(named("a")))
			c.Approve(approved(op))
			_, err := c.Send(context.Background(), op, nil)
			wantProblem(t, err, problem.Failed, "redirected", strings.SplitN(target, "?", 2)[0])
			s.on("POST /signinBody", away)
			_, err = s.client(nil).SignIn(context.Background(), credentials())
			wantProblem(t, err, problem.Failed, "redirected")
			s.on("POST /signinBody", func(w http.ResponseWriter, _ *http.Request) { s.token(w) })
		}
	}
	if n := s.came("GET /api/v1/Activity"); n != 0 {
		t.Error("a change or a sign-in followed a redirect")
	}
	c := s.signedIn(nil)
	s.on("GET /api/v1/Platform", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/api/v1/Activity", http.StatusFound)
	})
	s.on("GET /api/v1/Activity", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			t.Error("the token did not follow on the same server")
		}
		reply(w, 200, `[]`)
	})
	if _, err := c.Read(context.Background(), npsapi.ListPlatforms()); err != nil {
		t.Error(err)
	}
	for _, target := range []string{other.URL + "/", "http://" + s.Listener.Addr().String() + "/", "/api/v1/Platform"} {
		s.on("GET /api/v1/Platform", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) })
		_, err := c.Read(context.Background(), npsapi.ListPlatforms())
		wantProblem(t, err, problem.Failed, "redirected")
	}
	if s.clock.Waits() != "[]" {
		t.Errorf("redirects were tried again: %s", s.clock.Waits())
	}
}

func TestReadsAreRepeated(t *testing.T) {
	for _, c := range []struct {
		name    string
		handler func(n int, w http.ResponseWriter, r *http.Request)
		came    int
		kind    problem.Kind
		fine    bool
	}{
		{"503 once", func(n int, w http.ResponseWriter, _ *http.Request) {
			reply(w, map[bool]int{true: 503, false: 200}[n == 1], `[]`)
		}, 2, 0, true},
		{"hangs up twice", func(n int, w http.ResponseWriter, r *http.Request) {
			if n < 3 {
				hangUp(w, r)
				return
			}
			reply(w, 200, `[]`)
		}, 3, 0, true},
		{"500 for good", func(_ int, w http.ResponseWriter, _ *http.Request) { reply(w, 500, `{"detail":"no"}`) }, 3, problem.Failed, false},
		{"hangs up for good", func(_ int, w http.ResponseWriter, r *http.Request) { hangUp(w, r) }, 3, problem.Unreachable, false},
		{"400 is final", func(_ int, w http.ResponseWriter, _ *http.Request) { reply(w, 400, `{}`) }, 1, problem.Failed, false},
		{"500.19 is final", func(_ int, w http.ResponseWriter, _ *http.Request) { html(w, 500, "HTTP Error 500.19") }, 1, problem.Failed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newServer(t)
			n := 0
			s.on("GET /api/v1/Platform", func(w http.ResponseWriter, r *http.Request) { n++; c.handler(n, w, r) })
			client := s.signedIn(func(o *Options) { o.TLS.ClientSessionCache = tls.NewLRUClientSessionCache(4) })
			client.pooled.(observed).next.(*http.Transport).DisableKeepAlives = true // otherwise net/http repeats by itself on a used connection
			_, err := client.Read(context.Background(), npsapi.ListPlatforms())
			if c.fine && err != nil {
				t.Error(err)
			}
			if !c.fine {
				wantProblem(t, err, c.kind)
			}
			want := map[int]string{1: "[]", 2: "[1s]", 3: "[1s 2s]"}[c.came]
			if n != c.came || s.clock.Waits() != want {
				t.Errorf("it came %d times, want %d; waited %s", n, c.came, s.clock.Waits())
			}
		})
	}
}

func TestReadIsCancelledWhileItWaits(t *testing.T) {
	s := newServer(t)
	s.on("GET /api/v1/Platform", func(w http.ResponseWriter, _ *http.Request) { reply(w, 503, ``) })
	ctx, cancel := context.WithCancel(context.Background())
	c := s.signedIn(func(o *Options) {
		o.Wait = func(ctx context.Context, _ time.Duration) error { cancel(); <-ctx.Done(); return ctx.Err() }
	})
	_, err := c.Read(ctx, npsapi.ListPlatforms())
	wantProblem(t, err, problem.Cancelled)
	if n := s.came("GET /api/v1/Platform"); n != 1 {
		t.Errorf("it came %d times", n)
	}
}

func TestRowsWithAStatusEach(t *testing.T) {
	for body, words := range map[string][]string{
		`[{"id":"a","status":200},{"id":"b","status":404,"message":"no such\u001b[31m platform ` + marker + `"}]`: {"for b (404)", "no such"},
		`[{"id":"b","status":"NotFound","message":null}]`:                                                         {"for b (NotFound)", "no reason"},
		`[{"id":"b","status":"500"}]`:                                                                             {"(500)"},
	} {
		s := newServer(t)
		s.on("PUT /api/v1/ManagedResource/Platform/Bulk", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) })
		c := s.signedIn(nil)
		op := change(npsapi.SetPlatform(plan.String("p"), plan.String("b")))
		c.Approve(approved(op))
		_, err := c.Send(context.Background(), op, nil)
		wantProblem(t, err, problem.Failed, words...)
		if strings.Contains(err.Error(), "\x1b") {
			t.Error("a control character came through")
		}
	}
	for _, body := range []string{`[]`, `[{"id":"a","status":200},{"id":"b","status":202},{"id":"c","status":null},{"status":"OK"}]`, ``} {
		s := newServer(t)
		s.on("PUT /api/v1/ManagedResource/Platform/Bulk", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, body) })
		c := s.signedIn(nil)
		op := change(npsapi.SetPlatform(plan.String("p"), plan.String("b")))
		c.Approve(approved(op))
		if _, err := c.Send(context.Background(), op, nil); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// A read inside an action comes with references.
func TestSendReadsWithReferences(t *testing.T) {
	s := newServer(t)
	s.on("GET /api/v1/ManagedResource/ByHostId/"+objectID, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `{"id":"r"}`) })
	c := s.signedIn(nil)
	call := npsapi.GetResourceByHost(plan.Ref{Action: "a", Output: "host"})
	a, err := c.Send(context.Background(), plan.Op{Kind: plan.KindCall, Call: &call}, func(plan.Ref) (string, bool) { return objectID, true })
	if err != nil || string(a.Body) != `{"id":"r"}` {
		t.Errorf("%s %v", a.Body, err)
	}
}

func TestEmptyAnswerOfAChangeIsFine(t *testing.T) {
	s := newServer(t)
	s.on("DELETE /api/v1/AccessControlPolicy/"+objectID, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) })
	s.on("PUT /api/v1/ManagedAccount/GenerateApiKey/"+objectID, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(200) })
	c := s.signedIn(nil)
	ops := []plan.Op{change(npsapi.DeletePolicy(plan.String(objectID))), change(npsapi.GenerateAPIKey(plan.String(objectID)))}
	c.Approve(approved(ops...))
	for _, op := range ops {
		if a, err := c.Send(context.Background(), op, nil); err != nil || len(a.Body) != 0 {
			t.Errorf("%s %v", a.Body, err)
		}
	}
}
