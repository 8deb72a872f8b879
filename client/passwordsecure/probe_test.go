package passwordsecure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

func TestProbeFindsTheFormThatAnswers(t *testing.T) {
	s := serve(t, psr8(), webApp)
	var told []Exchange
	c := s.trusting(Options{Observe: func(e Exchange) { told = append(told, e) }})
	reports := c.Probe(t.Context(), forms(t, "https://ps.contoso.com:"+s.port()+"/vault"))
	best, ok := Best(reports)
	if !ok || best.Verdict != Answers || best.Err() != nil || best.Cause() != 0 || !strings.HasSuffix(best.Form.URL, "/vault/api/") {
		t.Fatalf("%+v %v", best, best.Err())
	}
	cert := best.Certificate
	if cert == nil || cert.Trusted || !cert.SelfSigned || len(cert.SHA256) != 64 || cert.Reason == "" || !strings.Contains(strings.Join(cert.Notes, "\n"), "9999") {
		t.Errorf("%+v", cert)
	}
	if needed, known := best.Needed(); !needed || !known {
		t.Error("a certificate that only a pin trusts does without Skip Certificate Check")
	}
	for _, e := range told {
		if e.Class != plan.Read || e.Method != http.MethodGet || e.Status == 0 {
			t.Errorf("%+v", e)
		}
	}
	if len(told) != 2 {
		t.Errorf("%d requests", len(told))
	}
	direct := serve(t, psr8(), func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
		}
	})
	reports = direct.trusting(Options{Chain: func(string, []*x509.Certificate) error { return nil }}).Probe(t.Context(), forms(t, "https://ps.contoso.com:"+direct.port()))
	best, _ = Best(reports)
	if len(reports) != 2 || reports[0].Cause() != Absent && reports[0].Verdict == Answers || best.Form.Kind != Direct || best.Verdict != Answers {
		t.Errorf("%+v", reports)
	}
	if needed, _ := best.Needed(); needed {
		t.Error("a trusted chain needs Skip Certificate Check")
	}
}

// TestFailures46And47 holds the published failures of the way to the server, each with its own cause.
func TestFailures46And47(t *testing.T) {
	day := time.Now().AddDate(1, 0, 0)
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<!DOCTYPE html><title>x")) }
	away := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://other.example/", http.StatusFound)
	}
	good := certificate{"ps", []string{"ps.contoso.com"}, []net.IP{net.IPv4(127, 0, 0, 1)}, day}
	for name, c := range map[string]struct {
		with    certificate
		h       http.HandlerFunc
		address string
		cause   Cause
		verdict Verdict
		says    string
	}{
		"nobody there":     {good, webApp, "https://nowhere.example/", NoName, Silent, "spelling"},
		"no folder":        {good, webApp, "https://ps.contoso.com:PORT/other", Absent, Doubtful, "sub-folder"},
		"service stopped":  {good, status(503), "https://ps.contoso.com:PORT/vault", ServerFault, Doubtful, "11016"},
		"page for the API": {good, page, "https://ps.contoso.com:PORT/x", PageForAPI, Doubtful, "browsers"},
		"elsewhere":        {good, away, "https://ps.contoso.com:PORT/x", Redirected, Doubtful, "another address"},
		"by IP, as a name": {psr8(), webApp, "https://127.0.0.1:PORT/vault", WrongName, Silent, "as a DNS name"},
		"wrong name":       {certificate{"ps", []string{"other.contoso.com"}, nil, day}, webApp, "https://ps.contoso.com:PORT/vault", WrongName, Silent, "other.contoso.com"},
		"expired":          {certificate{"ps", []string{"ps.contoso.com"}, nil, time.Now().AddDate(0, 0, -1)}, webApp, "https://ps.contoso.com:PORT/vault", OutOfDate, Silent, "renew"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, c.with, c.h)
			r := s.trusting(Options{}).Probe(t.Context(), forms(t, strings.Replace(c.address, "PORT", s.port(), 1))[:1])[0]
			err := r.Err()
			if r.Cause() != c.cause || r.Verdict != c.verdict || err == nil {
				t.Fatalf("cause %d, verdict %d: %v", r.Cause(), r.Verdict, err)
			}
			p := problem.All(err)[0]
			if text := p.What + p.Why + strings.Join(p.Next, "\n"); !strings.Contains(text, c.says) || p.Why == "" || len(p.Next) == 0 {
				t.Errorf("it does not say %q: %s", c.says, text)
			}
		})
	}
	t.Run("not trusted", func(t *testing.T) {
		s := serve(t, psr8(), webApp)
		r := s.trusting(Options{TLS: &tls.Config{RootCAs: x509.NewCertPool()}}).Probe(t.Context(), forms(t, "https://ps.contoso.com:"+s.port()+"/vault"))[0]
		next := strings.Join(problem.All(r.Err())[0].Next, "\n")
		if r.Cause() != Untrusted || r.Certificate == nil || !strings.Contains(next, r.Certificate.SHA256) || !strings.Contains(next, "certutil -addstore -f Root FILE.cer") || !strings.Contains(next, "Trusted Root Certification Authorities") || len(s.seen) != 0 {
			t.Errorf("%+v %v", r, r.Err())
		}
	})
}

// TestWhatNPSHasToImport names the store and the command, and never the certificate itself where somebody else vouches for it.
func TestWhatNPSHasToImport(t *testing.T) {
	named := func(subject, issuer string) *x509.Certificate {
		as := func(cn string) pkix.Name { return pkix.Name{CommonName: cn} }
		return &x509.Certificate{Subject: as(subject), Issuer: as(issuer), RawSubject: []byte(subject), RawIssuer: []byte(issuer)}
	}
	leaf, between, root := named("ps.contoso.com", "Contoso Issuing"), named("Contoso Issuing", "Contoso Root"), named("Contoso Root", "Contoso Root")
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		own   bool
		says  string
	}{
		"self-signed":  {[]*x509.Certificate{named("PSR8Server", "PSR8Server")}, true, "export it on the Password Secure server"},
		"alone":        {[]*x509.Certificate{leaf}, false, "the root above CN=Contoso Issuing as FILE.cer"},
		"with between": {[]*x509.Certificate{leaf, between}, false, "the root above CN=Contoso Root as FILE.cer"},
		"whole":        {[]*x509.Certificate{leaf, between, root}, false, "the root CN=Contoso Root as FILE.cer"},
	} {
		text := imported(c.chain, c.own)
		for _, w := range []string{c.says, "every NPS node with an action service", "certutil -addstore -f Root FILE.cer", "Trusted Root Certification Authorities"} {
			if !strings.Contains(text, w) {
				t.Errorf("%s: it does not say %q: %s", name, w, text)
			}
		}
		if strings.Contains(text, "never the server's certificate itself") == c.own || strings.Contains(text, "certutil -addstore -f CA FILE.cer") == c.own {
			t.Errorf("%s: %s", name, text)
		}
	}
}

func TestProbeOfWhatDoesNotAnswer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	r := New(Options{}).Probe(t.Context(), forms(t, "https://127.0.0.1:"+port+"/x/"))[0]
	if r.Cause() != Refused || r.Verdict != Silent || !problem.Is(r.Err(), problem.Unreachable) {
		t.Errorf("%+v %v", r, r.Err())
	}
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.Close() })
	go func() {
		for {
			conn, err := plain.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			_ = conn.Close()
		}
	}()
	if r := New(Options{}).Probe(t.Context(), forms(t, "https://"+plain.Addr().String()+"/x/"))[0]; r.Cause() != NotTLS {
		t.Errorf("%+v %v", r, r.Err())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := New(Options{}).Probe(ctx, forms(t, "https://"+plain.Addr().String()))[0]; !problem.Is(r.Err(), problem.Cancelled) {
		t.Errorf("%v", r.Err())
	}
	silent := Options{Timeout: time.Millisecond, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }}
	if r := New(silent).Probe(t.Context(), forms(t, "https://127.0.0.1/"))[0]; r.Cause() != NoAnswer {
		t.Errorf("%+v %v", r, r.Err())
	}
	if _, ok := Best(nil); ok {
		t.Error("the best of nothing")
	}
}

// TestTrustHasItsOwnWords: what the given trust says of a pin that does not fit is kept.
func TestTrustHasItsOwnWords(t *testing.T) {
	s := serve(t, psr8(), webApp)
	own := problem.New("the pin does not fit").From(errPin)
	pool := x509.NewCertPool()
	pool.AddCert(s.leaf)
	config := &tls.Config{RootCAs: pool, VerifyConnection: func(tls.ConnectionState) error { return own }}
	c := s.trusting(Options{TLS: config})
	r := c.Probe(t.Context(), forms(t, "https://ps.contoso.com:"+s.port()+"/vault"))[0]
	if !errors.Is(r.Err(), errPin) || r.Cause() != Untrusted {
		t.Errorf("%+v %v", r, r.Err())
	}
}
