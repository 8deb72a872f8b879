package nps

import (
	"context"
	"net/http"
	"sync"
	"time"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const (
	// renewBefore is how long before its end a token is renewed; the vendor's scripts keep the same distance.
	renewBefore = 7 * time.Minute
	// renewPause is waited after a renewal that failed although the token is still good.
	renewPause = 30 * time.Second
)

// session holds the token.
type session struct {
	mu      sync.Mutex
	state   state
	changed chan struct{} // closed when the state changes
}

type state struct {
	token     secret.Secret
	identity  Identity
	expires   time.Time // zero: not known
	refreshAt time.Time // zero: never
	dead      error     // why signing in again failed; it is not tried on and on
}

func (s *session) get() (state, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.changed
}

func (s *session) set(change func(*state)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.state)
	close(s.changed)
	s.changed = make(chan struct{})
}

// acquire takes the turn of replacing the token.
func (c *Client) acquire(ctx context.Context) (release func(), err error) {
	select {
	case c.turn <- struct{}{}:
		return func() { <-c.turn }, nil
	case <-ctx.Done():
		return nil, problem.New("stopped while waiting for the sign-in").Of(problem.Cancelled).From(ctx.Err())
	}
}

// keep makes a token that has just arrived the session's.
func (c *Client) keep(token secret.Secret, cl claims, date time.Time) Identity {
	now := c.now()
	st := state{token: token, identity: cl.identity()}
	if life, ok := cl.life(date, now); ok {
		st.expires = now.Add(life)
		st.refreshAt = st.expires.Add(-min(renewBefore, life/2))
		st.identity.Expires = st.expires
	}
	c.session.set(func(s *state) { *s = st })
	return st.identity
}

// tokenless says whether an operation may be asked before anybody has signed in; of listDomains the refusal is the answer.
func tokenless(id string) bool {
	return id == "health" || id == "version" || id == "licenseInfo" || id == "listDomains"
}

// tokenFor gives a token that is good for a while yet.
func (c *Client) tokenFor(ctx context.Context, r request) (secret.Secret, error) {
	s, _ := c.session.get()
	if s.token.Empty() {
		if tokenless(r.op.ID) {
			return secret.Secret{}, nil
		}
		return secret.Secret{}, problem.New("nobody is signed in to NPS").Try("sign in first").Of(problem.SignInAgain)
	}
	if s.refreshAt.IsZero() || c.now().Before(s.refreshAt) {
		return s.token, nil
	}
	return c.refresh(ctx, s.token, true)
}

// refresh renews old while it is valid. Of several callers one does it, the others take its result. With ask, a token that
// cannot be renewed leads to a new sign-in.
func (c *Client) refresh(ctx context.Context, old secret.Secret, ask bool) (secret.Secret, error) {
	release, err := c.acquire(ctx)
	if err != nil {
		return secret.Secret{}, err
	}
	defer release()
	s, _ := c.session.get()
	switch {
	case !s.token.Equal(old):
		return s.token, nil
	case s.dead != nil:
		return secret.Secret{}, s.dead
	case c.now().Before(s.refreshAt):
		return s.token, nil
	}
	err = c.userToken(ctx, old)
	if err == nil {
		s, _ = c.session.get()
		return s.token, nil
	}
	rejected := problem.Is(err, problem.SignInAgain) || problem.Is(err, problem.Refused)
	valid := s.expires.IsZero() || c.now().Before(s.expires)
	// An application user has its key at hand: it needs no renewal where the server has none for it.
	rejected = rejected || c.app != nil && (!valid || problem.Is(err, problem.NotOffered))
	switch {
	case rejected && ask:
		return c.signInAgain(ctx)
	case !rejected && valid:
		c.session.set(func(s *state) { s.refreshAt = c.now().Add(renewPause) })
		return old, nil
	}
	return secret.Secret{}, err
}

// userToken changes the session's token for a new one.
func (c *Client) userToken(ctx context.Context, old secret.Secret) error {
	r, err := c.authRequest("userToken", nil)
	if err != nil {
		return err
	}
	a, err := c.authenticate(ctx, c.httpClient(c.pooled, stay), r, old, 2, repeatRead)
	if err != nil {
		return err
	}
	if a.status >= http.StatusBadRequest {
		return c.refusal(r, a.status, a.contentType, a.body)
	}
	_, err = c.take(r, a)
	return err
}

// renew finds a token in place of one that the server has just refused.
func (c *Client) renew(ctx context.Context, refused secret.Secret) (secret.Secret, error) {
	release, err := c.acquire(ctx)
	if err != nil {
		return secret.Secret{}, err
	}
	defer release()
	s, _ := c.session.get()
	if !s.token.Equal(refused) {
		return s.token, nil
	}
	if s.dead != nil {
		return secret.Secret{}, s.dead
	}
	return c.signInAgain(ctx)
}

// signInAgain asks for new credentials. The caller holds the turn.
func (c *Client) signInAgain(ctx context.Context) (secret.Secret, error) {
	err := c.askAgain(ctx)
	if err == nil {
		s, _ := c.session.get()
		return s.token, nil
	}
	// A person is not asked twice. A key is not refused by a broken connection, and a session that it began is to be ended.
	if ctx.Err() == nil && (c.app == nil || problem.Is(err, problem.Refused)) {
		c.session.set(func(s *state) { s.dead = err })
	}
	return secret.Secret{}, err
}

// SignInEnded is the problem of a token that has run out where nothing is at hand to sign in again with.
func SignInEnded() error {
	return problem.New("the sign-in to NPS has ended").Coded(problem.SignInEnded).
		Because("a token lives about 15 minutes and cannot be renewed once it has expired").
		Try("run npsetup resume and sign in with a new code; nothing that was done is lost").Of(problem.SignInAgain)
}

func (c *Client) askAgain(ctx context.Context) error {
	if c.app != nil {
		_, err := c.signInApplication(ctx)
		return err
	}
	if c.again == nil {
		return SignInEnded()
	}
	cr, err := c.again(ctx)
	if err != nil {
		return err
	}
	_, err = c.signIn(ctx, cr)
	return err
}

// KeepFresh renews the token in time until ctx ends, and then answers nil. It never asks for a new sign-in: when the token
// cannot be renewed it leaves that to the next request, and goes on after it.
func (c *Client) KeepFresh(ctx context.Context) error {
	for ctx.Err() == nil {
		s, changed := c.session.get()
		due := !s.token.Empty() && !s.refreshAt.IsZero() && s.dead == nil
		if due {
			if d := s.refreshAt.Sub(c.now()); d > 0 {
				if err := c.wait(ctx, d); err != nil && ctx.Err() == nil {
					return err
				}
				continue
			}
			if _, err := c.refresh(ctx, s.token, false); err == nil {
				continue
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
		}
	}
	return nil
}

// Identity is who is signed in; the zero value when nobody is.
func (c *Client) Identity() Identity {
	s, _ := c.session.get()
	return s.identity
}
