package nps

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

// trip is one request on its way. It travels in the context, so that the transport can tell what it carries.
type trip struct {
	request
	written atomic.Bool   // the first header was written: from here on the server may have seen it
	tries   int           // repetitions so far
	pause   time.Duration // that the server asked for before the next; 0: none
}

type tripKey struct{}

func tripOf(ctx context.Context) *trip {
	t, _ := ctx.Value(tripKey{}).(*trip)
	return t
}

// start puts a trip into the context. The first header is taken as the mark, and not the end of the request: a broken
// request cannot be told from a whole one on this side.
func start(ctx context.Context, r request) (context.Context, *trip) {
	t := &trip{request: r}
	ctx = context.WithValue(ctx, tripKey{}, t)
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaderField: func(string, []string) { t.written.Store(true) }}), t
}

// transport speaks HTTP/1.1 only: IIS asks for client certificates by renegotiation, which HTTP/2 does not have, and one
// way of speaking is enough. Environment proxies are not used: the address that was shown is the one that is reached.
func transport(o Options, fresh bool) *http.Transport {
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	if config.MinVersion < tls.VersionTLS12 {
		config.MinVersion = tls.VersionTLS12
	}
	config.NextProtos = []string{"http/1.1"}
	dial := o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: 15 * time.Second}).DialContext
	}
	only := &http.Protocols{}
	only.SetHTTP1(true)
	return &http.Transport{
		TLSClientConfig: config, DialContext: dial, Protocols: only, DisableKeepAlives: fresh,
		TLSHandshakeTimeout: 30 * time.Second, MaxIdleConnsPerHost: 8,
		IdleConnTimeout: 60 * time.Second, // below the 120 s after which IIS closes
	}
}

type observed struct {
	next http.RoundTripper
	now  func() time.Time
	tell func(Exchange)
	wait func(Exchange) (answered func())
}

// RoundTrip implements http.RoundTripper.
func (o observed) RoundTrip(req *http.Request) (*http.Response, error) {
	t := tripOf(req.Context())
	if t == nil {
		return o.next.RoundTrip(req)
	}
	e := Exchange{Operation: t.op.ID, Class: t.op.Class, Method: t.shown.Method, Path: t.shown.Path}
	if o.wait != nil {
		defer o.wait(e)()
	}
	began := o.now()
	resp, err := o.next.RoundTrip(req)
	if o.tell != nil {
		e.Duration = o.now().Sub(began)
		if resp != nil {
			e.Status = resp.StatusCode
		}
		o.tell(e)
	}
	return resp, err
}

// httpClient is the only place that makes one.
func (c *Client) httpClient(rt http.RoundTripper, redirect func(*http.Request, []*http.Request) error) *http.Client {
	return &http.Client{Transport: rt, CheckRedirect: redirect, Timeout: c.timeout}
}

// stay follows no redirect: credentials and changes go where they were meant to go, or nowhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// errAway is a redirect of a read to another server.
type errAway struct{ to string }

func (e errAway) Error() string { return "the server points to " + e.to }

// sameHost lets reads follow redirects that stay on the server.
func sameHost(next *http.Request, before []*http.Request) error {
	first := before[0].URL
	switch {
	case next.URL.Scheme != first.Scheme || next.URL.Host != first.Host:
		return errAway{next.URL.Scheme + "://" + next.URL.Host}
	case len(before) >= 5:
		return errAway{"itself again and again"}
	}
	return nil
}

// again says whether a try is to be repeated.
type again func(resp *http.Response, err error) bool

// longestPause is how long a server may ask to wait before the next try.
const longestPause = 30 * time.Second

// pauseOf is the Retry-After of an answer in seconds. One with a date is taken for none.
func pauseOf(resp *http.Response) time.Duration {
	if resp == nil {
		return 0
	}
	n, err := strconv.Atoi(resp.Header.Get("Retry-After"))
	if err != nil || n < 0 {
		return 0
	}
	return time.Duration(min(n, 3600)) * time.Second
}

// passing are the statuses that a recycled application pool or a proxy answers for a moment; 500 is among them since the
// sign-in of NPS answers it now and then.
func passing(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

func repeatRead(resp *http.Response, err error) bool {
	if err != nil {
		var away errAway
		return !errors.As(err, &away) && !certificateFault(err)
	}
	// 500.19 and its like are pages of the web server and do not pass.
	return passing(resp.StatusCode) && !(resp.StatusCode == http.StatusInternalServerError && isPage(resp.Header.Get("Content-Type"), nil))
}

// repeatAuth repeats on answers only: when the connection breaks, a password may have been counted.
func repeatAuth(resp *http.Response, err error) bool { return err == nil && passing(resp.StatusCode) }

// retry sends a request up to 1+max times, waiting 1 s, 2 s, 4 s between.
func (c *Client) retry(h *http.Client, req *retryablehttp.Request, maximum int, more again) (*http.Response, error) {
	r := retryablehttp.Client{
		HTTPClient: h, RetryMax: maximum, ErrorHandler: retryablehttp.PassthroughErrorHandler,
		CheckRetry: func(ctx context.Context, resp *http.Response, err error) (bool, error) {
			if ctx.Err() != nil {
				return false, ctx.Err()
			}
			pause := pauseOf(resp)
			if t := tripOf(ctx); t != nil {
				t.pause = pause
			}
			return more(resp, err) && pause <= longestPause, nil
		},
		// The waiting is done below, where it can be handed in.
		Backoff: func(time.Duration, time.Duration, int, *http.Response) time.Duration { return 0 },
		PrepareRetry: func(req *http.Request) error {
			t := tripOf(req.Context())
			t.tries++
			return c.wait(req.Context(), max(t.pause, time.Second<<(t.tries-1)))
		},
	}
	resp, err := r.Do(req)
	if err != nil && resp != nil {
		_ = resp.Body.Close()
		resp = nil
	}
	return resp, err
}

// once sends a request that passed the gate. Errors are problems; an answer of any status is none.
func (c *Client) once(ctx context.Context, r request, token secret.Secret) (*http.Response, error) {
	ctx, t := start(ctx, r)
	var resp *http.Response
	var err error
	if r.op.Class == plan.Read {
		resp, err = c.repeat(ctx, c.reads, r, token, 2, repeatRead)
	} else {
		resp, err = c.single(ctx, r, token)
	}
	if err != nil {
		return nil, c.broken(ctx, r, err, t.written.Load())
	}
	resp.Body = &limited{ReadCloser: resp.Body, left: c.limit, limit: c.limit}
	return resp, nil
}

// repeat sends a request with tries in reserve.
func (c *Client) repeat(ctx context.Context, h *http.Client, r request, token secret.Secret, maximum int, more again) (*http.Response, error) {
	var content any // an empty []byte would count as a body
	if r.wire.Body != nil {
		content = r.wire.Body
	}
	req, err := retryablehttp.NewRequestWithContext(ctx, r.wire.Method, c.base.String()+r.wire.Path, content)
	if err != nil {
		return nil, err
	}
	c.head(req.Request, r.wire, token)
	return c.retry(h, req, maximum, more)
}

// single sends a request that changes something or leaves a trace: once, on a connection of its own.
func (c *Client) single(ctx context.Context, r request, token secret.Secret) (*http.Response, error) {
	var content io.Reader
	if r.wire.Body != nil {
		content = bytes.NewReader(r.wire.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.wire.Method, c.base.String()+r.wire.Path, content)
	if err != nil {
		return nil, err
	}
	c.head(req, r.wire, token)
	return c.sends.Do(req)
}

func (c *Client) head(req *http.Request, r plan.Request, token secret.Secret) {
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	if r.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !token.Empty() {
		req.Header.Set("Authorization", "Bearer "+token.Wire())
	}
}

// errTooLarge is an answer over the limit.
type errTooLarge struct{ limit int64 }

func (e errTooLarge) Error() string {
	return fmt.Sprintf("the answer is larger than %d bytes", e.limit)
}

// limited ends an answer with an error, and not with a silent end, when it is too long.
type limited struct {
	io.ReadCloser
	left, limit int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLarge{l.limit}
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n - 1, errTooLarge{l.limit}
	}
	return n, err
}

// discard gives a connection back for the next request.
func discard(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	_ = resp.Body.Close()
}
