// Package passwordsecure looks at a Password Secure server as far as that needs no software kit of the vendor: it reads an API key offline,
// tells forms of addresses apart, sees what answers there, and asks whether the server takes the key. It never completes a sign-in, never
// reads an entry, decides nothing about trust (the TLS configuration comes in as a value), and what it finds on this machine says
// nothing for sure of NPS's own.
package passwordsecure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const (
	defaultTimeout = 10 * time.Second
	bodyLimit      = 1 << 20
)

// Options says how to look. The zero value is usable.
type Options struct {
	TLS       *tls.Config      // whom to trust; nil: the operating system's authorities
	Now       func() time.Time // nil: the machine's clock
	Timeout   time.Duration    // of each stage of a probe, and of the sign-in; 0: 10 s
	DryRun    bool             // refuses the sign-in, which leaves a log entry
	NoSignIn  bool             // switches the sign-in off
	Scrub     *secret.Scrubber // learns the key; nil: one of its own
	UserAgent string           // npsetup/VERSION; empty: npsetup
	Setting   string           // where the trust is given, as advice names it; empty: passwordSecure.trust
	Resolve   func(ctx context.Context, host string) ([]string, error)
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	Observe   func(Exchange) // called after each request

	// Chain judges what the server presented, whatever TLS says: nil means that a machine with usual authorities trusts it, so that NPS
	// needs no Skip Certificate Check. Nil: by the operating system's authorities.
	Chain func(host string, chain []*x509.Certificate) error
}

// Exchange is one request that was sent. It holds no secret and no body.
type Exchange struct {
	Class    plan.Class // Read for a page, Probe for the sign-in
	Method   string
	URL      string
	Status   int // 0: no answer came
	Duration time.Duration
}

// Client looks at servers. It may be used from several goroutines.
type Client struct {
	o    Options
	http *http.Client
}

// New makes a client. It opens no connection.
func New(o Options) *Client {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.Scrub == nil {
		o.Scrub = &secret.Scrubber{}
	}
	if o.UserAgent == "" {
		o.UserAgent = "npsetup"
	}
	if o.Setting == "" {
		o.Setting = "passwordSecure.trust"
	}
	if o.Resolve == nil {
		o.Resolve = net.DefaultResolver.LookupHost
	}
	if o.Dial == nil {
		o.Dial = new(net.Dialer).DialContext
	}
	if o.Chain == nil {
		o.Chain = func(host string, chain []*x509.Certificate) error { return verify(host, chain, o.Now()) }
	}
	c := &Client{o: o}
	only := &http.Protocols{}
	only.SetHTTP1(true)
	// Environment proxies are not used: the address that was shown is the one that is reached. No redirect is followed: a key goes
	// where it was meant to go, or nowhere.
	c.http = &http.Client{
		Transport:     &http.Transport{TLSClientConfig: c.config(""), DialContext: o.Dial, Protocols: only, DisableKeepAlives: true, TLSHandshakeTimeout: o.Timeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// config is the TLS configuration for a host; "" leaves the name to net/http.
func (c *Client) config(host string) *tls.Config {
	config := &tls.Config{}
	if c.o.TLS != nil {
		config = c.o.TLS.Clone()
	}
	config.MinVersion = max(config.MinVersion, tls.VersionTLS12)
	config.NextProtos = []string{"http/1.1"}
	if config.Time == nil {
		config.Time = c.o.Now
	}
	if config.ServerName == "" {
		config.ServerName = host
	}
	return config
}

// send sends a request and tells of it. The answer's body is bounded.
func (c *Client) send(r *http.Request, class plan.Class) (*http.Response, error) {
	r.Header.Set("User-Agent", c.o.UserAgent)
	began := c.o.Now()
	a, err := c.http.Do(r)
	if c.o.Observe != nil {
		e := Exchange{Class: class, Method: r.Method, URL: r.URL.String(), Duration: c.o.Now().Sub(began)}
		if a != nil {
			e.Status = a.StatusCode
		}
		c.o.Observe(e)
	}
	if err == nil {
		a.Body = http.MaxBytesReader(nil, a.Body, bodyLimit)
	}
	return a, err
}

// shorten makes text from outside harmless and not longer than n characters.
func shorten(text string, n int) string {
	text = strings.Join(strings.Fields(problem.Plain(text)), " ")
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	return string([]rune(text)[:n]) + "…"
}
