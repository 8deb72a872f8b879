// Package nps carries calls to an NPS server: the gate, the sign-in, refresh, paging, and the meaning of errors. It does
// not know what the calls are for, builds none but those of the sign-in, and decides nothing about trust: the TLS
// configuration comes in as a value.
package nps

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const (
	defaultTimeout = 60 * time.Second
	defaultLimit   = 64 << 20
)

// Options says how to reach one NPS server. BaseURL is needed; everything else has a default.
type Options struct {
	BaseURL   string           // https://HOST:PORT/, without a path
	TLS       *tls.Config      // nil: the operating system's roots
	Now       func() time.Time // nil: the machine's clock
	Timeout   time.Duration    // of one request with its answer; 0: 60 s
	DryRun    bool             // refuses changes and probes, whatever is approved
	Scrub     *secret.Scrubber // learns every secret that passes; nil: one of its own
	Limit     int64            // bytes of one answer; 0: 64 MiB
	UserAgent string           // npsetup/VERSION; empty: npsetup
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error)
	Wait      func(ctx context.Context, d time.Duration) error // between tries; returns early with ctx's error
	Observe   func(Exchange)                                   // called after each request, also from several goroutines
	Waiting   func(Exchange) (answered func())                 // called before each request, and what it gives when the answer begins; so too
	Explain   func(error) error                                // turns TLS errors into problems; nil: a general text
	// Again fetches new credentials when the token has run out and cannot be renewed. Nil: the run stops with
	// problem.SignInAgain. It must not use the client: requests wait for it.
	Again func(ctx context.Context) (Credentials, error)
}

// Exchange is one request that was sent, for events and logs. It holds no secret and no body.
type Exchange struct {
	Operation string // its id in the contract
	Class     plan.Class
	Method    string
	Path      string        // redacted, with the query
	Status    int           // 0: no answer came
	Duration  time.Duration // until the head of the answer
}

// Client speaks to one server. It may be used from several goroutines.
type Client struct {
	base      *url.URL
	now       func() time.Time
	wait      func(context.Context, time.Duration) error
	timeout   time.Duration
	limit     int64
	scrub     *secret.Scrubber
	userAgent string
	explain   func(error) error
	again     func(context.Context) (Credentials, error)
	options   Options      // as they came, for the client of an application user
	app       *application // who signed in; nil: a person

	pooled http.RoundTripper // reads and sign-in
	fresh  http.RoundTripper // changes and probes: a new connection each, so that a stale one is never written to
	reads  *http.Client
	sends  *http.Client

	gate    *gate // an application user's client has its maker's
	session session
	turn    chan struct{} // held while the token is replaced

	sentCode secret.Secret // the MFA code of the last sign-in; the holder of turn may touch it
}

// New makes a client. It opens no connection. The error is a problem of kind Usage.
func New(o Options) (*Client, error) {
	base, err := baseURL(o.BaseURL)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base: base, now: o.Now, wait: o.Wait, timeout: o.Timeout, limit: o.Limit, scrub: o.Scrub, userAgent: o.UserAgent,
		explain: o.Explain, again: o.Again, gate: &gate{dry: o.DryRun}, options: o, turn: make(chan struct{}, 1),
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.wait == nil {
		c.wait = Sleep
	}
	if c.timeout == 0 {
		c.timeout = defaultTimeout
	}
	if c.limit == 0 {
		c.limit = defaultLimit
	}
	if c.scrub == nil {
		c.scrub = &secret.Scrubber{}
	}
	if c.userAgent == "" {
		c.userAgent = "npsetup"
	}
	c.session.changed = make(chan struct{})
	c.pooled = observed{transport(o, false), c.now, o.Observe, o.Waiting}
	c.fresh = observed{transport(o, true), c.now, o.Observe, o.Waiting}
	c.reads = c.httpClient(c.pooled, sameHost)
	c.sends = c.httpClient(c.fresh, stay)
	return c, nil
}

func baseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		// The text is not repeated: it may hold a password.
		return nil, problem.New("the address of the NPS server cannot be used").
			Because("it has to be https://HOST:PORT/ and nothing else").
			Try("set nps.url to an address such as https://nps.contoso.com:6500/").Of(problem.Usage)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// Sleep waits by the machine's clock, or until ctx ends; then it gives ctx's error.
func Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// plain makes a server's text harmless: known secrets are masked, control characters dropped.
func (c *Client) plain(text string) string {
	return c.scrub.Scrub(problem.Plain(c.scrub.Scrub(text)))
}
