package nps

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

const platforms = "GET /api/v1/Platform"

func readPlatforms(c *Client) error {
	_, err := c.Read(context.Background(), npsapi.ListPlatforms())
	return err
}

// fine answers a read and notes the token that came.
func fine(s *server) (tokens func() map[string]bool) {
	var mu sync.Mutex
	seen := map[string]bool{}
	s.on(platforms, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Header.Get("Authorization")] = true
		mu.Unlock()
		reply(w, 200, `[]`)
	})
	return func() map[string]bool { mu.Lock(); defer mu.Unlock(); return seen }
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	s := newServer(t)
	fine(s)
	c := s.signedIn(nil)
	for _, step := range []struct {
		after   time.Duration
		renewed int
	}{{0, 0}, {7*time.Minute + 59*time.Second, 0}, {2 * time.Second, 1}, {7 * time.Minute, 1}, {2 * time.Minute, 2}} {
		s.clock.Advance(step.after)
		if err := readPlatforms(c); err != nil {
			t.Fatal(err)
		}
		if n := s.came("GET /api/v1/UserToken"); n != step.renewed {
			t.Errorf("after %s more: renewed %d times, want %d", step.after, n, step.renewed)
		}
	}
}

func TestShortTokensAreRenewedAtHalf(t *testing.T) {
	s := newServer(t)
	fine(s)
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) {
		now := s.clock.Now().Unix()
		reply(w, 200, quoted(jwt(map[string]any{"iat": now, "exp": now + 60})))
	})
	c := s.signedIn(nil)
	s.clock.Advance(29 * time.Second)
	_ = readPlatforms(c)
	if s.came("GET /api/v1/UserToken") != 0 {
		t.Error("renewed too early")
	}
	s.clock.Advance(2 * time.Second)
	if err := readPlatforms(c); err != nil || s.came("GET /api/v1/UserToken") != 1 {
		t.Errorf("not renewed at half of its life: %v", err)
	}
}

func TestOneRenewalForAll(t *testing.T) {
	s := newServer(t)
	tokens := fine(s)
	c := s.signedIn(nil)
	s.clock.Advance(10 * time.Minute)
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			if err := readPlatforms(c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := s.came("GET /api/v1/UserToken"); n != 1 || len(tokens()) != 1 {
		t.Errorf("%d renewals, %d tokens in use", n, len(tokens()))
	}
}

func TestFailingRenewalIsPutOffWhileTheTokenIsGood(t *testing.T) {
	s := newServer(t)
	fine(s)
	s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { reply(w, 500, ``) })
	c := s.signedIn(nil)
	s.clock.Advance(9 * time.Minute)
	for range 3 {
		if err := readPlatforms(c); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.came("GET /api/v1/UserToken"); n != 3 { // one renewal with its repetitions
		t.Errorf("asked %d times", n)
	}
	s.clock.Advance(time.Hour)
	wantProblem(t, readPlatforms(c), problem.Failed, "UserToken")
}

func TestExpiredTokenWithoutAgain(t *testing.T) {
	s := newServer(t)
	fine(s)
	s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, ``) })
	c := s.signedIn(nil)
	s.clock.Advance(16 * time.Minute)
	wantProblem(t, readPlatforms(c), problem.SignInAgain, "sign-in to NPS has ended", "nothing that was done is lost")
	if s.came(platforms) != 0 {
		t.Error("a request went out without a good token")
	}
	// A new sign-in revives the client.
	if _, err := c.SignIn(context.Background(), credentials()); err != nil {
		t.Fatal(err)
	}
	if err := readPlatforms(c); err != nil {
		t.Error(err)
	}
}

// refusesOld answers 401 to the first token and 200 to any other.
func refusesOld(s *server, route string) {
	var mu sync.Mutex
	first := ""
	s.on(route, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		token := r.Header.Get("Authorization")
		if first == "" {
			first = token
		}
		if token == first {
			reply(w, 401, ``)
			return
		}
		reply(w, 200, `{"id":"1"}`)
	})
}

func TestRefusedTokenLeadsToOneNewSignIn(t *testing.T) {
	s := newServer(t)
	refusesOld(s, platforms)
	refusesOld(s, policyRoute)
	asked := 0
	c := s.signedIn(func(o *Options) {
		o.Again = func(context.Context) (Credentials, error) { asked++; return credentials(), nil }
	})
	op := change(npsapi.CreatePolicy(named("a")))
	c.Approve(approved(op))
	if _, err := c.Send(context.Background(), op, nil); err != nil {
		t.Fatal(err)
	}
	if n := s.came(policyRoute); n != 2 || asked != 1 {
		t.Errorf("the change came %d times, asked %d times", n, asked)
	}
	var wg sync.WaitGroup
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) { s.token(w) })
	for range 8 {
		wg.Go(func() {
			if err := readPlatforms(c); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
}

func TestRefusedForGood(t *testing.T) {
	s := newServer(t)
	s.on(platforms, func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, `{"detail":"gone"}`) })
	asked := 0
	c := s.signedIn(func(o *Options) {
		o.Again = func(context.Context) (Credentials, error) { asked++; return credentials(), nil }
	})
	wantProblem(t, readPlatforms(c), problem.SignInAgain, "gone")
	if n := s.came(platforms); n != 2 || asked != 1 {
		t.Errorf("it came %d times, asked %d times", n, asked)
	}
	wantProblem(t, readPlatforms(s.signedIn(nil)), problem.SignInAgain, "has ended")
}

// A person who gave a wrong code is not asked by each waiting request anew.
func TestFailedSignInIsNotTriedOnAndOn(t *testing.T) {
	s := newServer(t)
	s.on(platforms, func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, ``) })
	asked := 0
	own := errors.New("mine")
	c := s.signedIn(func(o *Options) {
		o.Again = func(context.Context) (Credentials, error) { asked++; return Credentials{}, own }
	})
	for range 3 {
		if err := readPlatforms(c); !errors.Is(err, own) {
			t.Errorf("got %v", err)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestPersonIsAskedWhenRenewalIsRefused(t *testing.T) {
	s := newServer(t)
	fine(s)
	s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, ``) })
	asked := 0
	c := s.signedIn(func(o *Options) {
		o.Again = func(context.Context) (Credentials, error) { asked++; return credentials(), nil }
	})
	s.clock.Advance(20 * time.Minute)
	if err := readPlatforms(c); err != nil || asked != 1 {
		t.Errorf("asked %d times, %v", asked, err)
	}
}

// KeepFresh renews as the clock goes and ends with its context.
func TestKeepFresh(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	waits := 0
	c := s.signedIn(func(o *Options) {
		o.Wait = func(ctx context.Context, d time.Duration) error {
			if waits++; waits > 5 {
				cancel()
				return ctx.Err()
			}
			return s.clock.Wait(ctx, d)
		}
	})
	if err := c.KeepFresh(ctx); err != nil {
		t.Error(err)
	}
	if n := s.came("GET /api/v1/UserToken"); n != 5 {
		t.Errorf("renewed %d times in five waits", n)
	}
	if got, want := s.clock.Waits(), "[8m0s 8m0s 8m0s 8m0s 8m0s]"; got != want {
		t.Errorf("waited %s, want %s", got, want)
	}
}

// A renewal that is refused in the background asks nobody; the next sign-in wakes it.
func TestKeepFreshAsksNobody(t *testing.T) {
	s := newServer(t)
	refused := make(chan struct{}, 1)
	s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, ``); refused <- struct{}{} })
	ctx, cancel := context.WithCancel(context.Background())
	woken := make(chan struct{})
	rounds := 0
	c := s.signedIn(func(o *Options) {
		o.Again = func(context.Context) (Credentials, error) { t.Error("a person was asked"); return credentials(), nil }
		o.Wait = func(ctx context.Context, d time.Duration) error {
			if rounds++; rounds == 1 {
				return s.clock.Wait(ctx, d)
			}
			close(woken)
			<-ctx.Done()
			return ctx.Err()
		}
	})
	done := make(chan error)
	go func() { done <- c.KeepFresh(ctx) }()
	<-refused
	if _, err := c.SignIn(context.Background(), credentials()); err != nil {
		t.Fatal(err)
	}
	<-woken
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestWaitingForTheSignInCanBeCancelled(t *testing.T) {
	s := newServer(t)
	c := s.client(nil)
	c.turn <- struct{}{} // somebody else signs in and does not end
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := c.SignIn(ctx, credentials())
	wantProblem(t, err, problem.Cancelled)
}

func TestLife(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for name, c := range map[string]struct {
		claims map[string]any
		date   time.Time
		want   time.Duration
		known  bool
	}{
		"fresh":                     {map[string]any{"iat": at(0), "exp": at(15 * time.Minute)}, now, 15 * time.Minute, true},
		"this clock an hour behind": {map[string]any{"iat": at(time.Hour), "exp": at(75 * time.Minute)}, now.Add(time.Hour), 15 * time.Minute, true},
		"old when it came":          {map[string]any{"iat": at(-10 * time.Minute), "exp": at(5 * time.Minute)}, now, 5 * time.Minute, true},
		"no date":                   {map[string]any{"iat": at(time.Hour), "exp": at(75 * time.Minute)}, time.Time{}, 15 * time.Minute, true},
		"no time of issue":          {map[string]any{"exp": at(70 * time.Minute)}, now.Add(time.Hour), 10 * time.Minute, true},
		"end only":                  {map[string]any{"exp": at(9 * time.Minute)}, time.Time{}, 9 * time.Minute, true},
		"end in quotes":             {map[string]any{"exp": "1772367000"}, time.Time{}, 10 * time.Minute, true},
		"past end":                  {map[string]any{"exp": at(-9 * time.Minute)}, time.Time{}, 0, true},
		"no end":                    {map[string]any{"iat": at(0)}, now, 0, false},
		"absurd end":                {map[string]any{"exp": 1e300}, now, 0, false},
	} {
		cl, err := readClaims(jwt(c.claims))
		if err != nil {
			t.Fatal(err)
		}
		if got, known := cl.life(c.date, now); got != c.want || known != c.known {
			t.Errorf("%s: %s %v, want %s %v", name, got, known, c.want, c.known)
		}
	}
}

func TestTokenWithoutEndIsUsedUntilRefused(t *testing.T) {
	s := newServer(t)
	fine(s)
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, quoted(jwt(map[string]any{"sub": "x"}))) })
	c := s.signedIn(nil)
	s.clock.Advance(24 * time.Hour)
	if err := readPlatforms(c); err != nil || !c.Identity().Expires.IsZero() {
		t.Error(err)
	}
}
