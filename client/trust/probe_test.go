package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"npsetup/steps/problem"
)

const address = "https://nps.contoso.com:6500/"

func TestProbeVerified(t *testing.T) {
	ca := issue(t, caTemplate("contoso-CA"), nil)
	c := template("nps", host, "alias.contoso.com")
	c.IPAddresses = []net.IP{net.ParseIP("192.0.2.1")}
	leaf := issue(t, c, &ca)
	s := serve(t, &tls.Config{}, leaf, ca)
	p, err := towards(s.addr, pool(ca)).Probe(context.Background(), "HTTPS://NPS.contoso.com.:6500/")
	must(t, err)
	if !p.Verified || p.Reason != "" || len(p.Faults) != 0 || p.Note != "" {
		t.Errorf("not verified: %+v", p)
	}
	if p.Host != host || p.Port != "6500" || p.Version != "TLS 1.3" || len(p.Addresses) != 1 || p.Addresses[0] != "192.0.2.1" || len(p.Chain) != 2 {
		t.Errorf("%+v", p)
	}
	got := p.Chain[0]
	if got.Subject != "CN=nps" || got.Issuer != "CN=contoso-CA" || strings.Join(got.SANs, " ") != host+" alias.contoso.com 192.0.2.1" ||
		got.SelfSigned || got.IsCA || got.KeyDescription != "ECDSA P-256" || got.Serial != "1234" || !got.NotAfter.Equal(leaf.cert.NotAfter) {
		t.Errorf("%+v", got)
	}
	if !p.Chain[1].SelfSigned || !p.Chain[1].IsCA || len(got.SHA256) != 64 || len(got.SHA1) != 40 {
		t.Errorf("%+v", p.Chain[1])
	}
	if p, err := towards(s.addr, pool(ca)).Probe(context.Background(), "https://192.0.2.1:6500"); err != nil || !p.Verified {
		t.Errorf("by its IP number: %+v %v", p, err)
	}
	if n := s.got.Load(); n != 0 {
		t.Errorf("%d bytes were sent", n)
	}
}

func TestProbeSaysWhyItDoesNotVerify(t *testing.T) {
	ca, oldCA := issue(t, caTemplate("contoso-CA"), nil), caTemplate("old-CA")
	oldCA.NotAfter = today.AddDate(0, -1, 0)
	old := issue(t, oldCA, nil)
	edit := func(c *x509.Certificate, f func(*x509.Certificate)) *x509.Certificate { f(c); return c }
	many := template("nps", "a", "b", "c", "d", "e", "f", "g", "h")
	for name, c := range map[string]struct {
		chain  []identity
		faults []Fault
		says   []string
	}{
		"self-signed": {[]identity{issue(t, template("nps", host), nil)}, []Fault{SelfSigned}, []string{"it is self-signed"}},
		"unknown":     {[]identity{issue(t, template("nps", host), ptr(issue(t, caTemplate("x-CA"), nil)))}, []Fault{UnknownAuthority}, []string{"CN=x-CA", "sends no certificate of an authority along"}},
		"wrong name":  {[]identity{issue(t, template("nps", "old.contoso.com"), &ca)}, []Fault{WrongName}, []string{host + " is not in it", "made out to old.contoso.com"}},
		"many names":  {[]identity{issue(t, many, &ca)}, []Fault{WrongName}, []string{"a, b, c, d, e, f and 2 more"}},
		"CN only":     {[]identity{issue(t, template(host), &ca)}, []Fault{WrongName}, []string{"no alternative names", "common name (" + host + ")"}},
		"no name":     {[]identity{issue(t, template(""), &ca)}, []Fault{WrongName}, []string{"holds no names at all"}},
		"expired": {
			[]identity{issue(t, edit(template("nps", host), func(c *x509.Certificate) { c.NotAfter = today.Add(-time.Hour) }), &ca)},
			[]Fault{Expired},
			[]string{"it expired on 2026-11-23 11:00 UTC, by this machine's clock (2026-11-23 12:00 UTC)"},
		},
		"not yet": {
			[]identity{issue(t, edit(template("nps", host), func(c *x509.Certificate) { c.NotBefore = today.Add(time.Hour) }), &ca)},
			[]Fault{NotYetValid},
			[]string{"only from 2026-11-23 13:00 UTC on, by this machine's clock"},
		},
		"several at once": {
			[]identity{issue(t, edit(template("SBPAM", "sbpam"), func(c *x509.Certificate) { c.NotAfter = today.Add(-time.Hour) }), nil)},
			[]Fault{SelfSigned, WrongName, Expired},
			[]string{"self-signed", "made out to sbpam", "expired on"},
		},
		"expired authority": {[]identity{issue(t, template("nps", host), &old), old}, []Fault{Unfit}, []string{"CN=old-CA in its chain is outside its dates"}},
		"not for servers": {
			[]identity{issue(t, edit(template("nps", host), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }), &ca)},
			[]Fault{Unfit},
			[]string{"not meant for servers"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := towards(serve(t, &tls.Config{}, c.chain...).addr, pool(ca, old)).Probe(context.Background(), address)
			must(t, err)
			if p.Verified || len(p.Faults) != len(c.faults) {
				t.Fatalf("faults %v: %s", p.Faults, p.Reason)
			}
			for _, f := range c.faults {
				if !p.Has(f) {
					t.Errorf("%s is missing in %v", f, p.Faults)
				}
			}
			for _, s := range c.says {
				if !strings.Contains(p.Reason, s) {
					t.Errorf("%q is missing in %q", s, p.Reason)
				}
			}
		})
	}
}

func ptr[T any](v T) *T { return &v }

func TestProbeShowsNoControlCharacters(t *testing.T) {
	c := template("", "x")
	c.Subject = pkix.Name{CommonName: "a\x1b[2J\u202eb", Organization: []string{"x\ny"}}
	c.CRLDistributionPoints = []string{"http://x/\x1b"}
	p, err := towards(serve(t, &tls.Config{}, issue(t, c, nil)).addr, pool()).Probe(context.Background(), address)
	must(t, err)
	all := p.Reason + p.Chain[0].Subject + p.Chain[0].Issuer + strings.Join(p.Chain[0].CRLs, "")
	if problem.Plain(all) != all || !strings.Contains(all, "CN=a[2Jb") {
		t.Errorf("%q", all)
	}
}

func TestProbeSlowHandshake(t *testing.T) {
	c := template("nps", host)
	c.CRLDistributionPoints = []string{"http://crl.contoso.com/ca.crl"}
	leaf := issue(t, c, nil)
	var late atomic.Int64
	for seconds, slow := range map[int64]bool{10: false, 14: true} {
		late.Store(0)
		p := towards(serve(t, &tls.Config{}, leaf).addr, pool())
		p.Now = func() time.Time { return today.Add(time.Duration(late.Load()) * time.Second) }
		dial := p.Dial
		p.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dial(ctx, network, addr)
			return onWrite{conn, func() { late.Store(seconds) }}, err
		}
		got, err := p.Probe(context.Background(), address)
		must(t, err)
		if got.Handshake != time.Duration(seconds)*time.Second {
			t.Errorf("took %s", got.Handshake)
		}
		if says := strings.Contains(got.Note, "revocation lists") && strings.Contains(got.Note, "crl.contoso.com") && strings.Contains(got.Note, "14s"); says != slow {
			t.Errorf("%d s: note %q", seconds, got.Note)
		}
	}
}

// onWrite does something when the first handshake message goes out.
type onWrite struct {
	net.Conn
	do func()
}

func (c onWrite) Write(b []byte) (int, error) { c.do(); return c.Conn.Write(b) }

func TestProbeAddresses(t *testing.T) {
	for text, says := range map[string]string{
		"": "cannot be read", "://": "cannot be read", "nps.contoso.com": "cannot be read", "http://nps.contoso.com/": "https://", "https://": "cannot be read",
		"https://user:hunter2@[/": "cannot be read", "https://nps .contoso.com/": "cannot be read", "https://müller.example/": "xn--",
	} {
		_, err := towards("", nil).Probe(context.Background(), text)
		wantProblem(t, err, problem.Usage, says)
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is repeated: %v", err)
		}
	}
	if _, err := (Prober{}).Probe(context.Background(), address); err == nil {
		t.Error("a probe without a clock")
	}
}

func TestProbeDNS(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		says string
	}{
		"not found": {&net.DNSError{Err: "no such host", Name: host, IsNotFound: true}, "the name " + host + " is not found"},
		"nothing":   {nil, "the name " + host + " is not found"},
		"time-out":  {&net.DNSError{Err: "i/o timeout", Name: host, IsTimeout: true}, "DNS does not tell the address of " + host},
		"broken":    {&net.DNSError{Err: "server misbehaving", Name: host}, "server misbehaving"},
		"other":     {errors.New("strange"), "no connection to " + host},
	} {
		t.Run(name, func(t *testing.T) {
			p := towards("", nil)
			p.Resolver = dns(func(context.Context, string) ([]string, error) { return nil, c.err })
			_, err := p.Probe(context.Background(), address)
			wantProblem(t, err, problem.Unreachable, c.says)
		})
	}
}

func TestProbeTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	closed := l.Addr().String()
	must(t, l.Close())
	_, err = towards(closed, nil).Probe(context.Background(), address)
	wantProblem(t, err, problem.Unreachable, host+":6500 refuses the connection", "nothing listens", "6500")

	silent := towards("", nil)
	silent.ConnectLimit = time.Millisecond
	silent.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	_, err = silent.Probe(context.Background(), address)
	wantProblem(t, err, problem.Unreachable, host+":6500 does not answer in time", "firewall")

	ended, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	silent.ConnectLimit = time.Hour
	_, err = silent.Probe(ended, address)
	wantProblem(t, err, problem.Unreachable, "does not answer in time")
}

func TestProbeTakesTheNextAddress(t *testing.T) {
	s := serve(t, &tls.Config{}, issue(t, template("nps", host), nil))
	p := towards(s.addr, nil)
	dial := p.Dial
	p.Resolver = dns(func(context.Context, string) ([]string, error) { return []string{"2001:db8::1", "192.0.2.1"}, nil })
	var tried []string
	p.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		if tried = append(tried, addr); len(tried) == 1 {
			return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
		}
		return dial(ctx, network, addr)
	}
	got, err := p.Probe(context.Background(), address)
	must(t, err)
	if strings.Join(tried, " ") != "[2001:db8::1]:6500 192.0.2.1:6500" || !strings.Contains(got.Note, "2001:db8::1 did not answer") {
		t.Errorf("%v, %q", tried, got.Note)
	}
}

func TestProbeIsCancelled(t *testing.T) {
	for _, stage := range []string{"DNS", "TCP", "TLS"} {
		t.Run(stage, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			// This server never answers; it waits for the visitor to go.
			p := towards(listen(t, func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); _, _ = c.Read(make([]byte, 1<<16)) }), nil)
			dial := p.Dial
			switch stage {
			case "DNS":
				p.Resolver = dns(func(ctx context.Context, _ string) ([]string, error) { cancel(); <-ctx.Done(); return nil, ctx.Err() })
			case "TCP":
				p.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
					cancel()
					<-ctx.Done()
					return nil, ctx.Err()
				}
			case "TLS":
				p.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					return onWrite{conn, cancel}, err
				}
			}
			_, err := p.Probe(ctx, address)
			if !problem.Is(err, problem.Cancelled) || !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestProbeTLS(t *testing.T) {
	leaf := issue(t, template("nps", host), nil)
	plain := httptest.NewServer(nil)
	defer plain.Close()
	banner := func(text string) string { return listen(t, func(c net.Conn) { _, _ = c.Write([]byte(text)) }) }
	for name, c := range map[string]struct{ addr, says string }{
		"plain HTTP": {plain.Listener.Addr().String(), "it answered plain HTTP"},
		"SSH":        {banner("SSH-2.0-OpenSSH_9.2\r\n"), "does not speak TLS: another service"},
		"hangs up":   {banner(""), "closed the connection during the TLS handshake"},
		"old TLS":    {serve(t, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, leaf).addr, "TLS 1.2 is the least"},
		"client certificate": {
			serve(t, &tls.Config{MaxVersion: tls.VersionTLS12, ClientAuth: tls.RequireAnyClientCert}, leaf).addr,
			"asks every visitor for a client certificate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := towards(c.addr, nil).Probe(context.Background(), address)
			wantProblem(t, err, problem.Unreachable, host+":6500", c.says)
		})
	}
	silent := towards(listen(t, func(c net.Conn) {
		_, _ = c.Read(make([]byte, 1))
		_, _ = c.Read(make([]byte, 1<<16))
		_, _ = c.Read(make([]byte, 1))
	}), nil)
	silent.HandshakeLimit = 5 * time.Millisecond
	_, err := silent.Probe(context.Background(), address)
	wantProblem(t, err, problem.Unreachable, "does not finish the TLS handshake")
}
