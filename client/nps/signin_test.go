package nps

import (
	"context"
	"encoding/base32"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func TestSignInInTwoSteps(t *testing.T) {
	s := newServer(t)
	s.on("POST /signinBody", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "mfa", Value: "x", Path: "/", Secure: true})
		s.token(w)
	})
	var second *http.Request
	s.on("POST /signin2fa", func(w http.ResponseWriter, r *http.Request) { second = r; s.token(w) })
	c := s.client(nil)
	id, err := c.SignIn(context.Background(), credentials())
	if err != nil {
		t.Fatal(err)
	}
	if s.bodies[0] != `{"login":"CONTOSO\\npsadmin","password":"`+marker+`"}` || s.bodies[1] != `"012345"` {
		t.Errorf("sent %q", s.bodies)
	}
	if ck, err := second.Cookie("mfa"); err != nil || ck.Value != "x" {
		t.Error("the cookie of the first half is missing in the second")
	}
	if !strings.HasPrefix(second.Header.Get("Authorization"), "Bearer ") {
		t.Error("the token of the first half is missing in the second")
	}
	if id.User != "npsadmin" || !id.Admin || !id.Expires.Equal(s.clock.Now().Add(15*time.Minute)) {
		t.Errorf("%+v", id)
	}
	if _, err = c.SignIn(context.Background(), credentials()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.Join(s.log, " "), marker) {
		t.Error("the password is in an address")
	}
}

func TestSignInKeepsNoCookieForTheNext(t *testing.T) {
	s := newServer(t)
	n := 0
	s.on("POST /signinBody", func(w http.ResponseWriter, r *http.Request) {
		if len(r.Cookies()) > 0 {
			t.Error("a sign-in began with the cookie of another")
		}
		n++
		http.SetCookie(w, &http.Cookie{Name: "mfa", Value: "x", Path: "/"})
		s.token(w)
	})
	c := s.client(nil)
	for range 2 {
		if _, err := c.SignIn(context.Background(), credentials()); err != nil {
			t.Fatal(err)
		}
	}
	if n != 2 {
		t.Errorf("%d sign-ins", n)
	}
}

func TestRefusedSignIns(t *testing.T) {
	for name, c := range map[string]struct {
		route  string
		status int
		body   string
		kind   problem.Kind
		words  []string
	}{
		"password, 400":      {"POST /signinBody", 400, `{"title":"Bad Request","traceId":"00-7"}`, problem.Refused, []string{"password of CONTOSO", "00-7", "tried once"}},
		"password, 401":      {"POST /signinBody", 401, ``, problem.Refused, []string{"user name or the password"}},
		"password, 403":      {"POST /signinBody", 403, `"no ` + marker + `"`, problem.Refused, []string{"user name or the password", "••••"}},
		"locked":             {"POST /signinBody", 401, `{"detail":"Account is locked out"}`, problem.Refused, []string{"is locked", "unlock"}},
		"locked, 423":        {"POST /signinBody", 423, ``, problem.Refused, []string{"is locked"}},
		"locked at the code": {"POST /signin2fa", 400, `{"detail":"User locked"}`, problem.Refused, []string{"is locked"}},
		"single sign-on":     {"POST /signinBody", 400, `{"detail":"User must use SAML"}`, problem.Refused, []string{"single sign-on", "nps.signIn.token"}},
		"code":               {"POST /signin2fa", 400, `{"detail":"Invalid MFA code"}`, problem.Refused, []string{"MFA code", "Invalid MFA code", "next code"}},
		"code, 401":          {"POST /signin2fa", 401, ``, problem.Refused, []string{"MFA code"}},
		"not NPS":            {"POST /signinBody", 404, ``, problem.Failed, []string{"no NPS sign-in", "6500"}},
		"no token":           {"POST /signinBody", 200, `"hello"`, problem.Failed, []string{"no token"}},
		"page":               {"POST /signin2fa", 200, `{}`, problem.Failed, []string{"no token"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on(c.route, func(w http.ResponseWriter, _ *http.Request) { reply(w, c.status, c.body) })
			_, err := s.client(nil).SignIn(context.Background(), credentials())
			wantProblem(t, err, c.kind, c.words...)
			if n := s.came(c.route); n != 1 || s.clock.Waits() != "[]" {
				t.Errorf("it came %d times", n)
			}
		})
	}
}

func TestRefusedCodeNamesTheClocks(t *testing.T) {
	s := newServer(t)
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) { reply(w, 400, `{"detail":"Invalid MFA code"}`) })
	c := s.client(func(o *Options) { o.Now = func() time.Time { return s.clock.Now().Add(-95 * time.Second) } })
	_, err := c.SignIn(context.Background(), credentials())
	wantProblem(t, err, problem.Refused, "-1m35s")
}

func TestSignInRepeatsPassingFaultsOnly(t *testing.T) {
	faulty := func(s *server, route string, faults, status int) {
		n := 0
		s.on(route, func(w http.ResponseWriter, _ *http.Request) {
			if n++; n <= faults {
				reply(w, status, ``)
				return
			}
			s.token(w)
		})
	}
	for _, c := range []struct {
		route  string
		faults int
		came   int
		fine   bool
		waits  string
	}{
		{"POST /signinBody", 1, 2, true, "[1s]"},
		{"POST /signinBody", 2, 3, true, "[1s 2s]"},
		{"POST /signinBody", 3, 3, false, "[1s 2s]"},
		{"POST /signin2fa", 1, 2, true, "[1s]"},
		{"POST /signin2fa", 2, 2, false, "[1s]"},
	} {
		s := newServer(t)
		faulty(s, c.route, c.faults, 500)
		_, err := s.client(nil).SignIn(context.Background(), credentials())
		if (err == nil) != c.fine || s.came(c.route) != c.came || s.clock.Waits() != c.waits {
			t.Errorf("%+v: came %d, waited %s, %v", c, s.came(c.route), s.clock.Waits(), err)
		}
	}
	// A code whose time is over is not sent again.
	s := newServer(t)
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) { s.clock.Advance(29 * time.Second); reply(w, 500, ``) })
	_, err := s.client(nil).SignIn(context.Background(), credentials())
	wantProblem(t, err, problem.Failed, "signin2fa")
	if n := s.came("POST /signin2fa"); n != 1 {
		t.Errorf("an old code came %d times", n)
	}
	// A broken connection may have counted the password.
	s = newServer(t)
	s.on("POST /signinBody", hangUp)
	_, err = s.client(nil).SignIn(context.Background(), credentials())
	wantProblem(t, err, problem.Unreachable)
	if n := s.came("POST /signinBody"); n != 1 {
		t.Errorf("a password came %d times", n)
	}
}

func TestPastedToken(t *testing.T) {
	s := newServer(t)
	now := s.clock.Now().Unix()
	good := jwt(map[string]any{claimName: "CONTOSO\\sso", claimOldRole: []string{"User", "ADMINISTRATOR"}, "managedaccountid": "m1", "iat": now - 300, "exp": now + 600})
	c := s.client(nil)
	id, err := c.SignIn(context.Background(), Credentials{Token: secret.New(" \"" + good + "\"\n")})
	if err != nil || !id.Admin || id.User != `CONTOSO\sso` || id.ManagedAccountID != "m1" || !slices.Equal(id.Roles, []string{"User", "ADMINISTRATOR"}) {
		t.Errorf("%+v %v", id, err)
	}
	if want := s.clock.Now().Add(10 * time.Minute); !id.Expires.Equal(want) { // not 15: it is five minutes old
		t.Errorf("expires %s, want %s", id.Expires, want)
	}
	if s.came("POST /signinBody") != 0 || s.came("GET /api/v1/Version") != 1 || c.Identity().User != id.User {
		t.Errorf("%v", s.log)
	}
	s.on("GET /api/v1/Version", func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, ``) })
	_, err = s.client(nil).SignIn(context.Background(), Credentials{Token: secret.New(good)})
	wantProblem(t, err, problem.Refused, "pasted token", "expired")
	for _, bad := range []string{"S3CR3T-not-a-token-" + marker, "a.b", "eyJ.eyJ.", "eyJ.!.x", "aa.bb.cc", "a\r\nb.c.d"} {
		_, err = s.client(nil).SignIn(context.Background(), Credentials{Token: secret.New(bad)})
		wantProblem(t, err, problem.Refused, "not a token")
	}
}

func TestRoleFromEitherClaim(t *testing.T) {
	for _, c := range []struct {
		claims map[string]any
		admin  bool
	}{
		{map[string]any{claimRole: "Admin"}, true},
		{map[string]any{claimRole: []any{"User", "admin", 3}}, true},
		{map[string]any{claimOldRole: "Administrator"}, true},
		{map[string]any{strings.ToUpper(claimRole): "Admin"}, true},
		{map[string]any{claimRole: "User"}, false},
		{map[string]any{claimRole: nil}, false},
		{map[string]any{claimRole: map[string]any{"Admin": true}}, false},
		{map[string]any{}, false},
	} {
		s := newServer(t)
		s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, quoted(jwt(c.claims))) })
		id, err := s.client(nil).SignIn(context.Background(), credentials())
		if err != nil || id.Admin != c.admin || id.User != `CONTOSO\npsadmin` {
			t.Errorf("%v: %+v %v", c.claims, id, err)
		}
	}
}

// The vectors of RFC 6238, cut to six digits.
func TestTOTP(t *testing.T) {
	key := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		for _, spelling := range []string{key, strings.ToLower(key), " " + key[:4] + " " + key[4:] + "==", key[:8] + "-" + key[8:]} {
			code, err := TOTP(secret.New(spelling), func() time.Time { return time.Unix(at, 0) }).Code(context.Background())
			if err != nil || !code.Equal(secret.New(want)) {
				t.Errorf("%d: another code, or %v", at, err)
			}
		}
	}
	for _, bad := range []string{"", "01890", marker} {
		_, err := TOTP(secret.New(bad), time.Now).Code(context.Background())
		wantProblem(t, err, problem.Usage, "base32")
	}
}

func TestKindsOfMFA(t *testing.T) {
	for want, mfa := range map[string]MFA{`"0"`: None(), `"push"`: Push("push"), `"000123"`: Given(secret.New("000123"))} {
		s := newServer(t)
		cr := credentials()
		cr.MFA = mfa
		if _, err := s.client(nil).SignIn(context.Background(), cr); err != nil || s.bodies[1] != want {
			t.Errorf("sent %s, want %s: %v", s.bodies[1], want, err)
		}
	}
	s := newServer(t)
	cr := credentials()
	cr.MFA = nil
	if _, err := s.client(nil).SignIn(context.Background(), cr); err != nil || s.bodies[1] != `"0"` {
		t.Errorf("%v %v", s.bodies, err)
	}
	cr.MFA = Ask(func(context.Context) (secret.Secret, error) {
		return secret.Secret{}, problem.New("no code was typed").Try("type it").Of(problem.Cancelled)
	})
	s = newServer(t)
	_, err := s.client(nil).SignIn(context.Background(), cr)
	wantProblem(t, err, problem.Cancelled, "no code")
	if s.came("POST /signin2fa") != 0 {
		t.Error("the second half was sent without a code")
	}
}

func TestBaseURL(t *testing.T) {
	for _, bad := range []string{"", "nps", "http://nps:6500/", "https://u:" + marker + "@nps/", "https://nps/path", "https://nps/?a=b", "https://", "https://nps/#x", "ftp://nps", "https://%zz/"} {
		_, err := New(Options{BaseURL: bad})
		wantProblem(t, err, problem.Usage, "nps.url")
	}
	for _, good := range []string{"https://nps:6500", "https://nps:6500/", "https://[::1]:6500/"} {
		if _, err := New(Options{BaseURL: good}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// Whatever the server says about a secret that it was sent does not come out.
func TestServersTextIsScrubbed(t *testing.T) {
	s := newServer(t)
	var last string
	echo := func(w http.ResponseWriter, r *http.Request) {
		last = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		reply(w, 400, `{"errors":{"Login":["bad `+marker+` and `+last+`"]},"traceId":"`+marker+`"}`)
	}
	s.on("GET /api/v1/Platform", echo)
	c := s.signedIn(nil)
	_, err := c.Read(context.Background(), npsapi.ListPlatforms())
	wantProblem(t, err, problem.Failed, "Login: bad •••• and ••••", "trace id ••••")
	if last == "" {
		t.Error("no token was sent")
	}
	s.on("GET /api/v1/Platform", func(w http.ResponseWriter, r *http.Request) {
		html(w, 500, "<title>boom</title><p>"+marker+" "+r.Header.Get("Authorization"))
	})
	_, err = c.Read(context.Background(), npsapi.ListPlatforms())
	wantProblem(t, err, problem.Failed, "boom", "••••")
}
