package nps

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// SkewLimit is the difference of clocks from which on MFA codes fail; it deserves a warning.
const SkewLimit = 30 * time.Second

// Greeting is how a server answered without a token.
type Greeting struct {
	Health string        // usually "Healthy"; empty when the server wants a token for it
	Skew   time.Duration // this machine's clock minus the server's; 0 when the server tells no time
}

// Greet finds out whether NPS answers. 200, 401 and 403 all say yes; whether a token is wanted is not documented. Where neither
// health nor version is offered, a documented call with a short answer is asked.
func (c *Client) Greet(ctx context.Context) (Greeting, error) {
	var g Greeting
	var fault error // of an answer that is no 404
	for _, call := range []plan.Call{npsapi.Health(), npsapi.Version(), npsapi.ListDomains()} {
		if call.Operation == "listDomains" && fault != nil {
			break
		}
		began := c.now()
		status, header, body, err := c.ask(ctx, call)
		if header != nil {
			g.Skew = skew(header, began, c.now())
		}
		switch {
		case status == http.StatusUnauthorized || status == http.StatusForbidden && !isPage(header.Get("Content-Type"), nil):
			return g, nil
		case err == nil:
			if call.Operation == "health" {
				g.Health = strings.TrimSpace(text(body))
			}
			return g, nil
		case status == 0:
			return g, err
		}
		if fault == nil && !absent(status) {
			fault = err
		}
	}
	if fault == nil {
		return g, problem.New("there is no NPS at " + c.base.Host).Coded(problem.NotNPS).
			Because("a web server answers there, and knows neither health nor version nor domains of NPS").
			Try("check host and port of nps.url; NPS is installed on port 6500")
	}
	return g, fault
}

// ask sends a read and keeps status and head beside the error. Status 0: no answer.
func (c *Client) ask(ctx context.Context, call plan.Call) (int, http.Header, json.RawMessage, error) {
	r, err := c.admitRead(call, nil)
	if err != nil {
		return 0, nil, nil, err
	}
	resp, err := c.exchange(ctx, r)
	if err != nil {
		return 0, nil, nil, err
	}
	a, err := c.answer(ctx, r, resp)
	return resp.StatusCode, resp.Header, a.Body, err
}

// Skew is this machine's clock minus the server's, by the Date header, to about a second. 0 when the server tells no time.
func (c *Client) Skew(ctx context.Context) (time.Duration, error) {
	g, err := c.Greet(ctx)
	return g.Skew, err
}

func skew(h http.Header, began, ended time.Time) time.Duration {
	date := dateOf(h)
	if date.IsZero() {
		return 0
	}
	middle := began.Add(ended.Sub(began) / 2)
	return middle.Sub(date.Add(500 * time.Millisecond)) // the header cuts fractions off
}

// Health is what the server says of itself, usually "Healthy".
func (c *Client) Health(ctx context.Context) (string, error) {
	a, err := c.Read(ctx, npsapi.Health())
	return strings.TrimSpace(text(a.Body)), err
}

// Version is the server's version, such as 25.12.00002; empty when the server does not tell it: the call is not documented.
func (c *Client) Version(ctx context.Context) (string, error) {
	a, err := c.Read(ctx, npsapi.Version())
	if problem.Is(err, problem.NotOffered) {
		return "", nil
	}
	return strings.TrimSpace(text(a.Body)), err
}

// License is the state of the server's licence, as far as it tells.
type License struct {
	Known   bool // false: the server does not tell, or not this user
	Expired bool
	Until   time.Time // zero: not told
}

// String says it in words.
func (l License) String() string {
	switch {
	case !l.Known:
		return "not told by this server"
	case l.Expired && l.Until.IsZero():
		return "expired"
	case l.Expired:
		return "expired on " + l.Until.UTC().Format("2006-01-02")
	case l.Until.IsZero():
		return "not expired"
	}
	return "valid to " + l.Until.UTC().Format("2006-01-02")
}

// License reads the licence. Its members are not documented: isExpired and expirationDateTimeUtc are read where they are
// there, others are left alone.
func (c *Client) License(ctx context.Context) (License, error) {
	a, err := c.Read(ctx, npsapi.LicenseInfo())
	if problem.Is(err, problem.NotOffered) || problem.Is(err, problem.Refused) {
		return License{}, nil
	}
	if err != nil {
		return License{}, err
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(a.Body, &members) != nil {
		return License{}, nil
	}
	var l License
	for name, raw := range members {
		switch strings.ToLower(name) {
		case "isexpired":
			var expired *bool
			if json.Unmarshal(raw, &expired) == nil && expired != nil {
				l.Known, l.Expired = true, l.Expired || *expired
			}
		case "expirationdatetimeutc":
			if t, ok := utc(raw); ok {
				l.Known, l.Until = true, t
				l.Expired = l.Expired || t.Before(c.now())
			}
		}
	}
	return l, nil
}

// utc reads a time with or without its zone; without one it is UTC.
func utc(raw json.RawMessage) (time.Time, bool) {
	s := text(raw)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1 {
			return t, true
		}
	}
	return time.Time{}, false
}
