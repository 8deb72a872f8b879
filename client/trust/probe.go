package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// slowHandshake is from when on a handshake points to revocation checks that wait for an internet they do not have.
const slowHandshake = 10 * time.Second

// Prober looks at what a server presents. Only Now is required.
type Prober struct {
	Resolver interface {
		LookupHost(ctx context.Context, host string) ([]string, error)
	} // nil: the operating system's
	Dial  func(ctx context.Context, network, addr string) (net.Conn, error) // nil: a plain TCP connection
	Now   func() time.Time
	Roots *x509.CertPool // nil: the operating system's

	ConnectLimit   time.Duration // for each address; zero: 10 seconds
	HandshakeLimit time.Duration // zero: 60 seconds, so that a slow one is still seen and explained
}

// Presented is what a server showed during the handshake, whether or not it verifies.
type Presented struct {
	Host, Port string
	Addresses  []string            // by DNS, in its order
	Chain      []Cert              // leaf first
	Raw        []*x509.Certificate // the same
	Version    string              // such as TLS 1.3
	Handshake  time.Duration
	Verified   bool    // by Prober.Roots
	Faults     []Fault // why not
	Reason     string  // the same in words
	Note       string  // what else is worth knowing; may be empty
}

// Has says whether f is among the faults.
func (p Presented) Has(f Fault) bool { return slices.Contains(p.Faults, f) }

// Probe resolves the host of an https URL, connects to the first address that answers, and ends the connection after the
// TLS handshake; nothing is sent over it. A port that is missing is 443. Each stage fails with a problem of its own, of
// kind Unreachable, or Usage for an URL that cannot be meant, or Cancelled when ctx was.
func (p Prober) Probe(ctx context.Context, rawURL string) (Presented, error) {
	if p.Now == nil {
		return Presented{}, errors.New("the probe has no clock")
	}
	out, err := target(rawURL)
	if err != nil {
		return out, err
	}
	if out.Addresses, err = p.resolve(ctx, out.Host); err != nil {
		return out, err
	}
	conn, err := p.connect(ctx, &out)
	if err != nil {
		return out, err
	}
	defer func() { _ = conn.Close() }()
	chain, err := p.handshake(ctx, conn, &out)
	if err != nil {
		return out, err
	}
	out.Raw = chain
	for _, c := range chain {
		out.Chain = append(out.Chain, Describe(c))
	}
	var words []string
	for _, f := range judge(chain, out.Host, p.Roots, p.Now()) {
		out.Faults, words = append(out.Faults, f.fault), append(words, f.text)
	}
	out.Verified, out.Reason = len(out.Faults) == 0, strings.Join(words, "; ")
	if out.Handshake > slowHandshake {
		out.note(slowNote(out))
	}
	return out, nil
}

func (p *Presented) note(text string) {
	if p.Note != "" {
		p.Note += "; "
	}
	p.Note += text
}

func target(rawURL string) (Presented, error) {
	next := "write it as https://nps.contoso.com:6500/"
	u, err := url.Parse(strings.TrimSpace(rawURL))
	switch {
	case err != nil || u.Hostname() == "":
		// The parser's error repeats the text, which may hold a password.
		return Presented{}, usage("the address of the server cannot be read", "", next)
	case !strings.EqualFold(u.Scheme, "https"):
		return Presented{}, usage("the address of the server does not begin with https://", "only TLS shows who answers", next)
	}
	out := Presented{Host: strings.ToLower(plainHost(u.Hostname())), Port: u.Port()}
	if out.Port == "" {
		out.Port = "443"
	}
	for _, r := range out.Host {
		if r <= ' ' || r > '~' {
			return out, usage("the host name in the address holds characters that DNS does not have", "", "write it in its ASCII form (xn--…)", next)
		}
	}
	return out, nil
}

func (p Prober) resolve(ctx context.Context, host string) ([]string, error) {
	if net.ParseIP(host) != nil {
		return []string{host}, nil
	}
	var resolver interface {
		LookupHost(ctx context.Context, host string) ([]string, error)
	} = net.DefaultResolver
	if p.Resolver != nil {
		resolver = p.Resolver
	}
	found, err := resolver.LookupHost(ctx, host)
	if err == nil && len(found) == 0 {
		err = &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if err != nil {
		return nil, unreachable(ctx, err, host)
	}
	return found, nil
}

// connect tries the addresses one after the other, as DNS ordered them.
func (p Prober) connect(ctx context.Context, out *Presented) (net.Conn, error) {
	dial := p.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	var first error
	var silent []string
	for _, address := range out.Addresses {
		limited, cancel := context.WithTimeout(ctx, either(p.ConnectLimit, 10*time.Second))
		conn, err := dial(limited, "tcp", net.JoinHostPort(address, out.Port))
		cancel()
		if err == nil {
			if len(silent) > 0 {
				out.note(fmt.Sprintf("%s has several addresses, and %s did not answer: every connection may begin with a wait", named(out.Host), problem.Plain(strings.Join(silent, ", "))))
			}
			return conn, nil
		}
		silent = append(silent, address)
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, unreachable(ctx, first, net.JoinHostPort(out.Host, out.Port))
}

func (p Prober) handshake(ctx context.Context, conn net.Conn, out *Presented) ([]*x509.Certificate, error) {
	limited, cancel := context.WithTimeout(ctx, either(p.HandshakeLimit, time.Minute))
	defer cancel()
	var seen tls.ConnectionState
	// Whatever is presented is taken, in order to show it; the connection is closed before anything is sent.
	config := ownVerify(out.Host, p.Now, func(s tls.ConnectionState) error { seen = s; return nil })
	asked := false // TLS 1.2 has no alert that says so
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		asked = true
		return new(tls.Certificate), nil
	}
	began := p.Now()
	c := tls.Client(conn, config)
	if err := c.HandshakeContext(limited); err != nil {
		if asked && ctx.Err() == nil && refusedByPeer(err) {
			return nil, wantsCertificate(err, net.JoinHostPort(out.Host, out.Port))
		}
		return nil, noHandshake(ctx, err, net.JoinHostPort(out.Host, out.Port))
	}
	out.Handshake = p.Now().Sub(began)
	out.Version = tls.VersionName(c.ConnectionState().Version)
	_ = c.Close()
	if len(seen.PeerCertificates) == 0 {
		return nil, problem.New(named(out.Host) + " presented no certificate").Because("without one nobody can tell who answers").Try("check that the address leads to the NPS server itself")
	}
	return seen.PeerCertificates, nil
}

// slowNote is after the vendor's article on revocation checks of servers without internet.
func slowNote(p Presented) string {
	text := fmt.Sprintf("the TLS handshake took %s: an NPS server without internet often waits for certificate revocation lists; shorten the retrieval time-outs to 1 second there (group policy, Public Key Policies, Certificate Path Validation Settings)",
		p.Handshake.Round(time.Second))
	if len(p.Chain) > 0 && len(p.Chain[0].CRLs) > 0 {
		text += "; this certificate names " + few(p.Chain[0].CRLs)
	}
	return text
}

func either(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}
