package nps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

func TestRefusals(t *testing.T) {
	v := plan.String(objectID)
	documented, assumed := npsapi.UpdatePolicy(v, named("a")), npsapi.UpdateConnectionProfile(v, named("a"))
	iis := "<!DOCTYPE html><html><head><title>IIS Detailed Error</title><style>x{}</style></head><body><h2>"
	for name, c := range map[string]struct {
		call   plan.Call
		status int
		page   bool
		body   string
		kind   problem.Kind
		words  []string
	}{
		"validation":        {documented, 400, false, `{"title":"One or more validation errors occurred.","errors":{"Name":["too long","odd"],"$":["bad"]},"traceId":"00-1"}`, problem.Failed, []string{"$: bad; Name: too long; odd", "trace id 00-1"}},
		"role":              {documented, 403, false, `{"detail":"User is not an Administrator"}`, problem.Refused, []string{"(403)", "User is not an Administrator", "Role Management"}},
		"role, no body":     {documented, 403, false, ``, problem.Refused, []string{"no role"}},
		"no object":         {documented, 404, false, `{"title":"Not Found"}`, problem.NotFound, []string{"Not Found"}},
		"not offered, 404":  {assumed, 404, false, ``, problem.NotOffered, []string{"does not offer PUT /api/v1/ConnectionProfile", "assumed", "by hand"}},
		"not offered, 405":  {assumed, 405, false, `{}`, problem.NotOffered, []string{"does not offer"}},
		"not offered, page": {assumed, 404, true, iis + "404.0 Not Found", problem.NotOffered, []string{"does not offer"}},
		"wrong verb":        {documented, 405, false, ``, problem.Failed, []string{"(405)"}},
		"conflict":          {documented, 409, false, `{"message":"exists"}`, problem.Failed, []string{"exists"}},
		"own failure":       {documented, 500, false, `{"error":"see web log","traceId":"00-2"}`, problem.ServerFailed, []string{"NPS failed", "see web log", "00-2", "web log on the NPS server"}},
		"licence":           {documented, 400, false, `"The license has expired"`, problem.Failed, []string{"About page"}},
		"webdav":            {assumed, 405, true, iis + "HTTP Error 405.0 - Method Not Allowed</h2>Module WebDAVModule", problem.Failed, []string{"WebDAV", "web.config"}},
		"webdav, short":     {documented, 405, true, "<html>405 - HTTP verb used to access this page is not allowed.", problem.Failed, []string{"WebDAV"}},
		"hosting":           {documented, 500, true, iis + "HTTP Error 500.19 - Internal Server Error", problem.Failed, []string{"500.19", "hosting bundle", "repair"}},
		"no certificate":    {documented, 403, true, iis + "HTTP Error 403.7 - Forbidden", problem.Refused, []string{"403.7", "client certificate"}},
		"untrusted":         {documented, 403, true, iis + "HTTP Error 403.16 - Forbidden", problem.Refused, []string{"403.16", "Trusted Root", "self-signed"}},
		"plain 403 page":    {documented, 403, true, "<html>403 - Forbidden: Access is denied. 1403.75", problem.Refused, []string{"Access is denied", "role"}},
		".ad":               {documented, 404, true, iis + "HTTP Error 404.7 - Not Found", problem.Failed, []string{".ad", "Request Filtering"}},
		"pool":              {documented, 503, true, "<html>Service Unavailable", problem.Failed, []string{"application pool"}},
		"hostile":           {documented, 400, false, `{"detail":"\u001b]52;c;AAAA\u0007 a\u202eb"}`, problem.Failed, []string{"]52;c;AAAA ab"}},
		"endless":           {documented, 400, false, `"` + strings.Repeat("long ", 4000) + `"`, problem.Failed, []string{"long …"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			h := func(w http.ResponseWriter, _ *http.Request) {
				if c.page {
					html(w, c.status, c.body)
				} else {
					reply(w, c.status, c.body)
				}
			}
			s.on("PUT /api/v1/AccessControlPolicy/"+objectID, h)
			s.on("PUT /api/v1/ConnectionProfile/"+objectID, h)
			client := s.signedIn(nil)
			op := change(c.call)
			client.Approve(approved(op))
			_, err := client.Send(context.Background(), op, nil)
			wantProblem(t, err, c.kind, c.words...)
			if strings.ContainsAny(err.Error(), "\x1b\x07\u202e") || len(err.Error()) > 1200 {
				t.Errorf("harmful: %q", err.Error())
			}
		})
	}
}

// TestAReadThatIsNotOffered points to no page of clicks: there is no plan without it.
func TestAReadThatIsNotOffered(t *testing.T) {
	s := newServer(t)
	s.on("GET /api/v1/ConnectionProfile", func(w http.ResponseWriter, _ *http.Request) { reply(w, 404, ``) })
	err := s.signedIn(nil).List(context.Background(), npsapi.ListConnectionProfiles(), func(json.RawMessage) (bool, error) { return true, nil })
	wantProblem(t, err, problem.NotOffered, "by the article")
	if next := strings.Join(problem.All(err)[0].Next, " "); strings.Contains(next, "npsetup plan") {
		t.Error(next)
	}
}

// TestAPageIsNoLackOfARead: what stands before NPS answers with a page, NPS itself with JSON or nothing.
func TestAPageIsNoLackOfARead(t *testing.T) {
	s := newServer(t)
	s.on("GET /api/v1/ConnectionProfile", func(w http.ResponseWriter, _ *http.Request) { html(w, 404, "<html>404 - no such page") })
	err := s.signedIn(nil).List(context.Background(), npsapi.ListConnectionProfiles(), func(json.RawMessage) (bool, error) { return true, nil })
	wantProblem(t, err, problem.Failed, "a web page came from GET /api/v1/ConnectionProfile (404)", "no such page", "proxy")
}

func TestRequestFilteringIsGuessedFromThePath(t *testing.T) {
	s := newServer(t)
	s.on("GET /api/v1/ManagedResource/ByHostId/dc01.contoso.AD", func(w http.ResponseWriter, _ *http.Request) { html(w, 404, "<html>404 - not found") })
	_, err := s.signedIn(nil).Read(context.Background(), npsapi.GetResourceByHost(plan.String("dc01.contoso.AD")))
	wantProblem(t, err, problem.Failed, "names that end in .ad")
}

func TestOrderOfWordsInErrors(t *testing.T) {
	all := []string{`"errors":{"f":["1"]}`, `"detail":"2"`, `"title":"3"`, `"message":"4"`, `"error":"5"`}
	for i, want := range []string{"f: 1", "2", "3", "4", "5"} {
		if got := explainBody("application/json", []byte("{"+strings.Join(all[i:], ",")+"}")); got.text != want {
			t.Errorf("%v: %q, want %q", all[i:], got.text, want)
		}
	}
	for body, want := range map[string]string{
		`{"errors":{},"detail":"","Title":"t"}`: "t",
		`{"errors":{"":["bare"]}}`:              "bare",
		`{"errors":["a","b"]}`:                  "a; b",
		`{"error":{"code":"x","message":"m"}}`:  "code: x; message: m",
		`{"errors":[[[["deep"]]]],"title":"t"}`: "t",
		`"quoted"`:                              "quoted",
		"line one\r\nline two":                  "line one line two",
		"":                                      "",
		"null":                                  "",
		"<html><title>T</title><script>x</script>b</html>": "T b",
	} {
		contentType := "application/json"
		if strings.HasPrefix(body, "<") {
			contentType = ""
		}
		if got := explainBody(contentType, []byte(body)); got.text != want {
			t.Errorf("%s: %q, want %q", body, got.text, want)
		}
	}
}

type pinChanged struct{ p *problem.Problem }

func (e *pinChanged) Error() string { return e.p.Error() }
func (e *pinChanged) Unwrap() error { return e.p }

func TestBrokenConnections(t *testing.T) {
	s := newServer(t)
	greet := func(change func(*Options)) error {
		_, err := s.client(change).Greet(context.Background())
		return err
	}
	err := greet(func(o *Options) { o.TLS = nil })
	wantProblem(t, err, problem.Unreachable, "certificate of 127.0.0.1", "nps.trust")
	if s.clock.Waits() != "[]" {
		t.Error("a certificate that is not trusted was tried again")
	}
	own := &pinChanged{problem.New("the pin has changed").Try("compare it")}
	err = greet(func(o *Options) {
		o.TLS.VerifyConnection = func(tls.ConnectionState) error { return own }
	})
	wantProblem(t, err, problem.Unreachable, "the pin has changed")
	var pin *pinChanged
	if !errors.As(err, &pin) || s.clock.Waits() != "[]" {
		t.Errorf("the error's own type is gone, or it was tried again: %v", err)
	}
	err = greet(func(o *Options) {
		o.TLS = nil
		o.Explain = func(err error) error {
			var unknown x509.UnknownAuthorityError
			if !errors.As(err, &unknown) {
				t.Errorf("not the cause: %v", err)
			}
			return problem.New("explained").Try("read it")
		}
	})
	wantProblem(t, err, problem.Unreachable, "explained")
	for words, dial := range map[string]error{
		"not known to the name service": &net.DNSError{Name: "nps.contoso.com", IsNotFound: true, Err: "no such host"},
		"no connection: refused":        &net.OpError{Op: "dial", Err: errors.New("refused")},
		"took longer than":              &net.OpError{Op: "dial", Err: context.DeadlineExceeded},
	} {
		err = greet(func(o *Options) {
			o.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, dial }
		})
		wantProblem(t, err, problem.Unreachable, words, "port is reachable")
	}
}

func TestOldTLSIsRefused(t *testing.T) {
	s := newServer(t)
	s.TLS.MinVersion, s.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	_, err := s.client(func(o *Options) { o.TLS.MinVersion = tls.VersionTLS10 }).Greet(context.Background())
	wantProblem(t, err, problem.Unreachable)
}
