package nps

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"regexp"
	"time"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Credentials are what a person signs in with: user, password and second factor, or a token from a browser in place of
// all three.
type Credentials struct {
	User     string
	Password secret.Secret
	MFA      MFA // nil: None
	Token    secret.Secret
}

// SignIn signs in. A refused password or code is never tried again: accounts lock. Refusals are problems of kind Refused.
// The role is not judged here.
func (c *Client) SignIn(ctx context.Context, cr Credentials) (Identity, error) {
	release, err := c.acquire(ctx)
	if err != nil {
		return Identity{}, err
	}
	defer release()
	return c.signIn(ctx, cr)
}

func (c *Client) signIn(ctx context.Context, cr Credentials) (Identity, error) {
	if !cr.Token.Empty() {
		return c.pasted(ctx, cr.Token)
	}
	c.scrub.Add(cr.Password)
	jar, err := cookiejar.New(nil) // of its own for each sign-in: NPS refuses two users in one
	if err != nil {
		return Identity{}, err
	}
	h := c.httpClient(c.pooled, stay)
	h.Jar = jar
	first, err := c.password(ctx, h, cr)
	if err != nil {
		return Identity{}, err
	}
	id, err := c.secondFactor(ctx, h, cr, first)
	if err == nil && id.User == "" {
		id.User = cr.User
		c.session.set(func(s *state) { s.identity.User = cr.User })
	}
	return id, err
}

// password is the first half: it brings a token that is good for the second half only.
func (c *Client) password(ctx context.Context, h *http.Client, cr Credentials) (secret.Secret, error) {
	r, err := c.authRequest("signIn", plan.Object{
		{Name: "login", Value: plan.String(cr.User)},
		{Name: "password", Value: plan.SecretLeaf{Name: "password of " + cr.User, Secret: cr.Password}},
	})
	if err != nil {
		return secret.Secret{}, err
	}
	a, err := c.authenticate(ctx, h, r, secret.Secret{}, 2, repeatAuth)
	if err != nil {
		return secret.Secret{}, err
	}
	if a.status >= 300 {
		return secret.Secret{}, c.signInRefused(r, a, cr.User, false)
	}
	token, err := parseToken(string(a.body))
	if err != nil {
		return secret.Secret{}, c.unreadable(r, err)
	}
	first := secret.New(token)
	c.scrub.Add(first)
	return first, nil
}

// secondFactor is the second half. It is repeated at most once, with the same code, and only while that is good.
func (c *Client) secondFactor(ctx context.Context, h *http.Client, cr Credentials, first secret.Secret) (Identity, error) {
	mfa := cr.MFA
	if mfa == nil {
		mfa = None()
	}
	code, err := c.freshCode(ctx, mfa)
	if err != nil {
		return Identity{}, err
	}
	got := c.now()
	c.scrub.Add(code)
	r, err := c.authRequest("signIn2FA", plan.SecretLeaf{Name: "code", Secret: code})
	if err != nil {
		return Identity{}, err
	}
	a, err := c.authenticate(ctx, h, r, first, 1, func(resp *http.Response, err error) bool {
		return repeatAuth(resp, err) && c.now().Add(time.Second).Sub(got) < codeLife
	})
	if err != nil {
		return Identity{}, err
	}
	if a.status >= 300 {
		return Identity{}, c.signInRefused(r, a, cr.User, true)
	}
	return c.take(r, a)
}

// pasted takes a token from a browser and asks the server whether it is good.
func (c *Client) pasted(ctx context.Context, pasted secret.Secret) (Identity, error) {
	text, err := parseToken(pasted.Wire())
	var cl claims
	if err == nil {
		cl, err = readClaims(text)
	}
	if err != nil {
		return Identity{}, problem.New("the pasted token cannot be used").Coded(problem.TokenRefused).
			Because("it is not a token of NPS: three parts of letters and digits with dots between").
			Try("copy it again from the browser: sessionStorage.getItem('Token')").Of(problem.Refused)
	}
	token := secret.New(text)
	c.scrub.Add(pasted)
	c.scrub.Add(token)
	r, _, err := c.gate.admit(npsapi.Version(), nil)
	if err != nil {
		return Identity{}, err
	}
	resp, err := c.once(ctx, r, token)
	if err != nil {
		return Identity{}, err
	}
	defer discard(resp)
	if resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		why := "it has expired, or belongs to another server, or its second factor is missing"
		if resp.StatusCode == http.StatusForbidden && len(cl.identity().Roles) == 0 {
			why = "it carries no role at all: its second factor is missing, or an application user's API key brought it at /signinBody"
		}
		return Identity{}, problem.New("NPS refused the pasted token").Coded(problem.TokenRefused).Because(why).
			Try("reload the NPS page in the browser and copy the token again; it lives about 15 minutes").Of(problem.Refused)
	}
	// Where the call is not offered, the first one that is tells whether the token is good.
	if err := c.statusFault(r, resp); err != nil && !problem.Is(err, problem.NotOffered) {
		return Identity{}, err
	}
	return c.keep(token, cl, dateOf(resp.Header)), nil
}

// authAnswer is the answer of a sign-in call.
type authAnswer struct {
	status      int
	contentType string
	location    string
	date        time.Time
	body        []byte
}

// authRequest makes one of the sign-in's own calls; like all others it passes the gate.
func (c *Client) authRequest(id string, body plan.Value) (request, error) {
	op, _ := npsapi.Lookup(id)
	r, _, err := c.gate.admit(plan.Call{Operation: id, Method: op.Method, Path: op.Path, Body: body}, nil)
	return r, err
}

func (c *Client) authenticate(ctx context.Context, h *http.Client, r request, token secret.Secret, retries int, more again) (authAnswer, error) {
	ctx, t := start(ctx, r)
	resp, err := c.repeat(ctx, h, r, token, retries, more)
	if err != nil {
		return authAnswer{}, c.broken(ctx, r, err, t.written.Load())
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil && resp.StatusCode < 300 {
		return authAnswer{}, c.broken(ctx, r, err, true)
	}
	return authAnswer{resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Location"), dateOf(resp.Header), raw}, nil
}

// take keeps the token of an answer.
func (c *Client) take(r request, a authAnswer) (Identity, error) {
	text, err := parseToken(string(a.body))
	var cl claims
	if err == nil {
		cl, err = readClaims(text)
	}
	if err != nil {
		return Identity{}, c.unreadable(r, err)
	}
	token := secret.New(text)
	c.scrub.Add(token)
	return c.keep(token, cl, a.date), nil
}

var (
	lockedWords = regexp.MustCompile(`(?i)\b(locked|lockout|lock-out)\b`)
	roleWords   = regexp.MustCompile(`(?i)\bno role\b`)
	ssoWords    = regexp.MustCompile(`(?i)\b(saml|oidc|openid|single sign|sso|identity provider)`)
)

// signInRefused tells apart why a sign-in was refused. No status for a wrong password is documented: 400, 401 and 403 all
// count as one.
func (c *Client) signInRefused(r request, a authAnswer, user string, second bool) error {
	if a.status < 400 {
		return c.pointedAway(r, a.location)
	}
	page := isPage(a.contentType, a.body)
	switch a.status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusLocked:
		if page {
			return c.refusal(r, a.status, a.contentType, a.body)
		}
	case http.StatusNotFound:
		return problem.New("there is no NPS sign-in at " + c.base.Host).Coded(problem.NotNPS).Because("the server answered " + r.text() + " with 404").
			Try("check host and port of nps.url; NPS is installed on port 6500")
	default:
		return c.refusal(r, a.status, a.contentType, a.body)
	}
	s := explainBody(a.contentType, a.body)
	who := c.plain(user)
	var p *problem.Problem
	switch {
	case lockedWords.MatchString(s.text) || a.status == http.StatusLocked:
		p = problem.New("the account " + who + " is locked").Coded(problem.AccountLocked).
			Try("wait until the lock ends or have an administrator unlock the account, then sign in once")
	case ssoWords.MatchString(s.text):
		p = problem.New(who + " signs in by single sign-on").Coded(problem.SingleSignOn).
			Because("password and code do not work for such users").
			Try("set nps.signIn.token to env:NPS_TOKEN with a token from the browser: sessionStorage.getItem('Token')")
	case second && roleWords.MatchString(s.text):
		p = problem.New("the token of " + who + " carries no role at all").Coded(problem.TokenWithoutRole).
			Because("an application user's API key brings such a token at /signinBody").
			Try("sign in as an administrator; an application user signs in with its client certificate, at AppUserToken")
	case second:
		p = problem.New("NPS refused the MFA code of "+who).Coded(problem.MFARefused).Because(c.clocks(a.date)).
			Try("wait for the next code and sign in again; the same code is not accepted twice everywhere",
				"if it stays, compare the clocks of this machine, the phone and the NPS server")
	default:
		p = problem.New("NPS refused the user name or the password of "+who).Coded(problem.PasswordRefused).
			Try(`write the user as DOMAIN\name and check the password; it was tried once, and a few wrong tries lock the account`,
				"if this user signs in by single sign-on, set nps.signIn.token instead")
	}
	p.Why = c.because(s, p.Why)
	return p.Of(problem.Refused)
}

func (c *Client) clocks(date time.Time) string {
	if date.IsZero() {
		return ""
	}
	if d := c.now().Sub(date); d > SkewLimit || d < -SkewLimit {
		return fmt.Sprintf("the clocks of this machine and of the server differ by %s", d.Round(time.Second))
	}
	return ""
}

func dateOf(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
