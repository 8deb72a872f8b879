package passwordsecure

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"npsetup/assets"
	"npsetup/client/sandbox/contract"
)

var checker = sync.OnceValues(func() (*contract.Checker, error) { return contract.New(assets.PasswordSecureContract) })

// server is a Password Secure that answers as a test wants, at ps.contoso.com by the client's resolver.
type server struct {
	*httptest.Server
	leaf *x509.Certificate
	mu   sync.Mutex
	seen []*http.Request
	sent [][]byte
}

type certificate struct {
	cn    string
	names []string
	ips   []net.IP
	until time.Time
}

// psr8 is the certificate that Password Secure makes for itself.
func psr8() certificate {
	return certificate{"PSR8Server", []string{"ps.contoso.com", "127.0.0.1"}, nil, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)}
}

func (c certificate) make(t *testing.T) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	in := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: c.cn}, NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: c.until, DNSNames: c.names, IPAddresses: c.ips,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, in, in, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

func serve(t *testing.T, with certificate, h http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	check, err := checker()
	if err != nil {
		t.Fatal(err)
	}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.seen, s.sent = append(s.seen, r), append(s.sent, body)
		s.mu.Unlock()
		if r.Method == http.MethodPost {
			plain := r.Clone(context.Background())
			plain.URL.Path = "/" + SignInPath
			if err := check.Request(plain, body); err != nil {
				t.Errorf("against the contract: %v", err)
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h(w, r)
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	var pair tls.Certificate
	pair, s.leaf = with.make(t)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

func (s *server) port() string {
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	return port
}

// trusting trusts the certificate of the server and no other, and resolves one name.
func (s *server) trusting(o Options) *Client {
	pool := x509.NewCertPool()
	pool.AddCert(s.leaf)
	if o.TLS == nil {
		o.TLS = &tls.Config{RootCAs: pool}
	}
	if o.Resolve == nil {
		o.Resolve = func(_ context.Context, host string) ([]string, error) {
			if host == "ps.contoso.com" {
				return []string{"127.0.0.1"}, nil
			}
			return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
		}
	}
	if o.Dial == nil {
		o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, _ := net.SplitHostPort(addr)
			if host == "ps.contoso.com" {
				host = "127.0.0.1" // net/http resolves by the dialer
			}
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(host, port))
		}
	}
	return New(o)
}

// webApp answers as a Web Application in the folder vault does.
func webApp(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/vault/":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!DOCTYPE html><title>Password Secure</title>")
	case "/vault/api/":
		w.WriteHeader(http.StatusMethodNotAllowed)
	default:
		http.NotFound(w, r)
	}
}

func forms(t *testing.T, text string) []Form {
	t.Helper()
	fs, err := Forms(text)
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

var errPin = errors.New("the chain is another")
