package trust

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"npsetup/steps/problem"
)

const host = "nps.contoso.com"

// today is the day on which all tests happen.
var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return today }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// identity is a certificate with its key.
type identity struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func template(cn string, names ...string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: cn}, SerialNumber: big.NewInt(0x1234), DNSNames: names,
		NotBefore: today.AddDate(-1, 0, 0), NotAfter: today.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
	}
}

func caTemplate(cn string) *x509.Certificate {
	c := template(cn)
	c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	return c
}

// make issues c; without an issuer it is self-signed.
func issue(t testing.TB, c *x509.Certificate, by *identity) identity {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	parent, signer := c, crypto.Signer(key)
	if by != nil {
		parent, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return identity{cert, key}
}

func inPEM(certs ...identity) string {
	var b strings.Builder
	for _, c := range certs {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw}))
	}
	return b.String()
}

func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func pool(certs ...identity) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c.cert)
	}
	return p
}

// server is a TLS server on loopback that greets each visitor with one byte.
type server struct {
	addr string
	got  atomic.Int64 // application bytes that visitors sent
}

func serve(t testing.TB, config *tls.Config, chain ...identity) *server {
	t.Helper()
	config.Certificates = []tls.Certificate{{PrivateKey: chain[0].key}}
	for _, c := range chain {
		config.Certificates[0].Certificate = append(config.Certificates[0].Certificate, c.cert.Raw)
	}
	s := &server{}
	s.addr = listen(t, func(raw net.Conn) {
		conn := tls.Server(raw, config)
		if _, err := conn.Write([]byte("x")); err != nil {
			return
		}
		n, _ := io.Copy(io.Discard, conn)
		s.got.Add(n)
	})
	return s
}

// listen answers each connection and closes it; the test waits for all of them.
func listen(t testing.TB, answer func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	t.Cleanup(func() { cancel(); _ = l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			answer(conn)
			stop()
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

type dns func(ctx context.Context, host string) ([]string, error)

func (d dns) LookupHost(ctx context.Context, host string) ([]string, error) { return d(ctx, host) }

// towards is a prober for which every address leads to addr.
func towards(addr string, roots *x509.CertPool) Prober {
	return Prober{
		Resolver: dns(func(context.Context, string) ([]string, error) { return []string{"192.0.2.1"}, nil }),
		Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
		Now: clock, Roots: roots,
	}
}

// wantProblem insists on a problem with a cause or next step that says everything in says.
func wantProblem(t *testing.T, err error, kind problem.Kind, says ...string) {
	t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) {
		t.Fatalf("no problem: %v", err)
	}
	all := p.Error() + "\n" + strings.Join(p.Next, "\n")
	if p.Kind != kind || len(p.Next) == 0 {
		t.Errorf("kind %d, not %d, or no next step: %s", p.Kind, kind, all)
	}
	for _, s := range says {
		if !strings.Contains(all, s) {
			t.Errorf("%q is missing in\n%s", s, all)
		}
	}
}
