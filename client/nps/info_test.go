package nps

import (
	"context"
	"net/http"
	"testing"
	"time"

	"npsetup/steps/problem"
)

func answering(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func TestGreet(t *testing.T) {
	none := http.HandlerFunc(nil)
	for name, c := range map[string]struct {
		health, version http.HandlerFunc
		want            string
		fine            bool
		words           []string
	}{
		"healthy":           {answering(200, "text/plain", "Healthy"), none, "Healthy", true, nil},
		"wants a token":     {answering(401, "", ""), none, "", true, nil},
		"forbids":           {answering(403, "application/json", "{}"), none, "", true, nil},
		"version only":      {answering(404, "", ""), answering(401, "", ""), "", true, nil},
		"version answers":   {answering(404, "", ""), answering(200, "application/json", `"25.12"`), "", true, nil},
		"unhealthy":         {answering(503, "text/plain", "Unhealthy"), answering(200, "application/json", `"25.12"`), "", true, nil},
		"another server":    {answering(404, "", ""), answering(404, "", ""), "", false, []string{"no NPS at", "6500"}},
		"hosting is broken": {answering(500, "text/html", "HTTP Error 500.19"), answering(500, "text/html", "HTTP Error 500.19"), "", false, []string{"hosting bundle"}},
		"web page":          {answering(200, "text/html", "<html>shop</html>"), answering(200, "text/html", "<html>shop</html>"), "", false, []string{"web page"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on("GET /api/v1/ManagedResource/GetDomainNames", answering(404, "", ""))
			s.on("GET /api/v1/Health", c.health)
			s.on("GET /api/v1/Version", c.version)
			g, err := s.client(nil).Greet(context.Background())
			if c.fine && (err != nil || g.Health != c.want) {
				t.Errorf("%+v %v", g, err)
			}
			if !c.fine {
				wantProblem(t, err, problem.Failed, c.words...)
			}
		})
	}
}

// TestGreetByADocumentedCall is a server that offers only what the vendor documents.
func TestGreetByADocumentedCall(t *testing.T) {
	s := newServer(t)
	for _, path := range []string{"Health", "Version"} {
		s.on("GET /api/v1/"+path, answering(404, "", ""))
	}
	s.on("GET /api/v1/ManagedResource/GetDomainNames", answering(401, "", ""))
	if g, err := s.client(nil).Greet(context.Background()); err != nil || g.Health != "" {
		t.Errorf("%+v %v", g, err)
	}
}

func TestSkew(t *testing.T) {
	s := newServer(t)
	s.on("GET /api/v1/Health", answering(401, "", ""))
	c := s.client(func(o *Options) { o.Now = func() time.Time { return s.clock.Now().Add(2 * time.Minute) } })
	d, err := c.Skew(context.Background())
	if err != nil || d.Round(time.Second) != 2*time.Minute {
		t.Errorf("%s %v", d, err)
	}
	if d < SkewLimit {
		t.Error("two minutes are within the limit")
	}
}

func TestVersionAndHealth(t *testing.T) {
	s := newServer(t)
	c := s.client(nil)
	for contentType, body := range map[string]string{"application/json": `"25.12.00002"`, "text/plain": "25.12.00002", "": " \"25.12.00002\"\n"} {
		s.on("GET /api/v1/Version", answering(200, contentType, body))
		if v, err := c.Version(context.Background()); err != nil || v != "25.12.00002" {
			t.Errorf("%s: %q %v", body, v, err)
		}
	}
	s.on("GET /api/v1/Version", answering(200, "text/plain", "25.12"))
	if v, err := c.Version(context.Background()); err != nil || v != "25.12" {
		t.Errorf("%q %v", v, err)
	}
	s.on("GET /api/v1/Version", answering(404, "", ""))
	if v, err := s.client(nil).Version(context.Background()); err != nil || v != "" {
		t.Errorf("not offered: %q %v", v, err)
	}
	s.on("GET /api/v1/Health", answering(200, "text/plain", "Healthy\r\n"))
	if h, err := c.Health(context.Background()); err != nil || h != "Healthy" {
		t.Errorf("%q %v", h, err)
	}
}

func TestLicense(t *testing.T) {
	for _, c := range []struct {
		status int
		body   string
		want   string
	}{
		{200, `{"isExpired":false,"expirationDateTimeUtc":"2027-01-02T03:04:05Z","more":{"a":1}}`, "valid to 2027-01-02"},
		{200, `{"IsExpired":true}`, "expired"},
		{200, `{"isExpired":null,"expirationDateTimeUtc":"2025-01-02T03:04:05.123"}`, "expired on 2025-01-02"},
		{200, `{"isExpired":false}`, "not expired"},
		{200, `{"isExpired":false,"expirationDateTimeUtc":"0001-01-01T00:00:00"}`, "not expired"},
		{200, `{"isExpired":"x","type":"trial"}`, "not told by this server"},
		{200, `[]`, "not told by this server"},
		{200, ``, "not told by this server"},
		{404, ``, "not told by this server"},
		{403, ``, "not told by this server"},
	} {
		s := newServer(t)
		s.on("GET /api/v1/LicenseInfo", answering(c.status, "application/json", c.body))
		l, err := s.signedIn(nil).License(context.Background())
		if err != nil || l.String() != c.want {
			t.Errorf("%s: %s, want %s (%v)", c.body, l, c.want, err)
		}
	}
	s := newServer(t)
	s.on("GET /api/v1/LicenseInfo", answering(400, "application/json", `{}`))
	if _, err := s.signedIn(nil).License(context.Background()); err == nil {
		t.Error("a failure passed for a licence")
	}
}
