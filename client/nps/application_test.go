package nps

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const (
	appRoute   = "POST /WebAppApi/api/v1/AppUserToken"
	shortRoute = "POST /api/v1/AppUserToken"
)

// certificate makes a client certificate with the serial number 00BA12 that is valid around the test's time.
func certificate(t *testing.T, notAfter time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(0xBA12), NotBefore: newClock().at.Add(-time.Hour), NotAfter: notAfter}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func auditor(t *testing.T) Application {
	t.Helper()
	return Application{Login: "NetwrixAuditor", Key: secret.New(marker), Serial: "00BA12", Certificate: certificate(t, newClock().at.AddDate(1, 0, 0))}
}

// bare answers a token without a role, as application users get.
func (s *server) bare(w http.ResponseWriter) {
	now := s.clock.Now().Unix()
	s.mu.Lock()
	s.tokens++
	n := s.tokens
	s.mu.Unlock()
	reply(w, 200, quoted(jwt(map[string]any{"ManagedAccountId": objectID, "jti": n, "iat": now, "exp": now + 900})))
}

func TestApplicationSignIn(t *testing.T) {
	s := newServer(t)
	var shown []*x509.Certificate
	var token string
	s.on(appRoute, func(w http.ResponseWriter, r *http.Request) {
		shown = r.TLS.PeerCertificates
		if r.Header.Get("Authorization") != "" || len(r.Cookies()) > 0 {
			t.Error("the administrator's token or a cookie went along")
		}
		s.bare(w)
	})
	s.on("GET /api/v1/Version", func(w http.ResponseWriter, r *http.Request) {
		token = r.Header.Get("Authorization")
		reply(w, 200, `"25.12"`)
	})
	c := s.signedIn(nil)
	app, status, err := c.SignInApplication(context.Background(), auditor(t))
	if err != nil {
		t.Fatal(err)
	}
	if status != http.StatusOK {
		t.Errorf("the answer's status is told as %d", status)
	}
	if got, want := s.bodies[len(s.bodies)-1], `{"login":"NetwrixAuditor","password":"`+marker+`","certificateSerialNumber":"00BA12"}`; got != want {
		t.Errorf("sent %s", got)
	}
	if len(shown) != 1 || shown[0].SerialNumber.Int64() != 0xBA12 {
		t.Errorf("shown %v", shown)
	}
	id := app.Identity()
	if id.User != "NetwrixAuditor" || id.ManagedAccountID != objectID || id.Admin || c.Identity().User != "npsadmin" {
		t.Errorf("%+v, and the administrator is %+v", id, c.Identity())
	}
	if _, err := app.Version(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := token
	if _, err := c.Version(context.Background()); err != nil || token == before {
		t.Errorf("both have one token: %v", err)
	}
	if s.came(appRoute) != 1 || s.came(shortRoute) != 0 {
		t.Errorf("%v", s.log)
	}
}

func TestRefusedApplicationSignIns(t *testing.T) {
	iis := "<!DOCTYPE html><html><head><title>IIS 10.0 Detailed Error</title></head><body><h2>HTTP Error "
	generic := "<html><head><title>403 - Forbidden: Access is denied.</title></head></html>"
	told := map[string]string{}
	for name, c := range map[string]struct {
		status int
		body   string // a page when it begins with <
		alter  func(*Application)
		kind   problem.Kind
		came   int
		words  []string
	}{
		"not taken":       {403, iis + "403.7 - Forbidden", nil, problem.Refused, 2, []string{"(403.7)", "none reached it", "belong together"}},
		"not trusted":     {403, iis + "403.16 - Forbidden", nil, problem.Refused, 1, []string{"(403.16)", "Local Machine", "Trusted Root", "not self-signed", "every client certificate"}},
		"revoked":         {403, iis + "403.13 - Forbidden", nil, problem.Refused, 1, []string{"(403.13)", "revocation list"}},
		"expired":         {403, iis + "403.17 - Forbidden", nil, problem.Refused, 1, []string{"(403.17)", "expired", "to 2027-03-01", "new certificate"}},
		"another 403":     {403, iis + "403.6 - IP address rejected", nil, problem.Refused, 1, []string{"(403.6)", "IP address rejected", "IIS Manager"}},
		"page, no code":   {403, generic, nil, problem.Refused, 1, []string{"Access is denied.", "most likely", "does not trust"}},
		"page, expired":   {403, generic, func(a *Application) { a.Certificate = certificate(t, newClock().at.Add(-time.Minute)) }, problem.Refused, 1, []string{"most likely", "expired"}},
		"serial":          {403, `{"title":"Forbidden","detail":"The certificate serial number does not match","traceId":"00-3"}`, nil, problem.Refused, 1, []string{"serial number", "does not match", "another serial number than 00BA12", "leading zeros", "00-3"}},
		"serial, no body": {403, ``, nil, problem.Refused, 1, []string{"serial number"}},
		"serial, typed":   {403, `{}`, func(a *Application) { a.Serial = "BA12" }, problem.Refused, 1, []string{"has the serial number 00BA12, and BA12 was sent"}},
		"key":             {401, `{"detail":"Invalid user name or password ` + marker + `"}`, nil, problem.Refused, 1, []string{"name or the API key of the application user NetwrixAuditor", "••••", "died when a new one was generated", "letter by letter"}},
		"key, 400":        {400, `{}`, nil, problem.Refused, 1, []string{"name or the API key"}},
		"locked":          {401, `"User is locked"`, nil, problem.Refused, 1, []string{"is locked"}},
		"old build":       {500, `{"traceId":"00-4"}`, nil, problem.Failed, 3, []string{"3.7.1252", "4.2", "00-4"}},
		"late request":    {500, iis + "500.0 - 0x80070032", nil, problem.Failed, 6, []string{"0x80070032", "Negotiate Client Certificate"}},
		"hosting":         {500, iis + "500.19", nil, problem.Failed, 3, []string{"hosting bundle"}},
		"pool":            {503, "<html>Service Unavailable", nil, problem.Failed, 3, []string{"application pool"}},
		"body too large":  {413, "<html>Request Entity Too Large", nil, problem.Failed, 1, []string{"(413)", "uploadReadAheadSize"}},
		"absent":          {404, ``, nil, problem.NotOffered, 1, []string{"does not offer the sign-in of application users", "4.2"}},
		"absent page":     {404, iis + "404.0", nil, problem.NotOffered, 1, []string{"does not offer"}},
		"no token":        {200, `"hello"`, nil, problem.Failed, 1, []string{"no token"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			s.on(appRoute, func(w http.ResponseWriter, _ *http.Request) {
				if strings.HasPrefix(c.body, "<") {
					html(w, c.status, c.body)
				} else {
					reply(w, c.status, c.body)
				}
			})
			a := auditor(t)
			if c.alter != nil {
				c.alter(&a)
			}
			app, _, err := s.client(nil).SignInApplication(context.Background(), a)
			wantProblem(t, err, c.kind, c.words...)
			told[name] = sentence(err)
			if n := s.came(appRoute); n != c.came || app != nil {
				t.Errorf("it came %d times, want %d", n, c.came)
			}
			if n := s.came(shortRoute); (n == 1) != (name == "absent") {
				t.Errorf("the short form came %d times", n)
			}
		})
	}
	golden(t, "refused", told)
}

func TestApplicationSignInAtTheShortAddress(t *testing.T) {
	s := newServer(t)
	s.on(shortRoute, func(w http.ResponseWriter, _ *http.Request) { s.bare(w) })
	if _, _, err := s.client(nil).SignInApplication(context.Background(), auditor(t)); err != nil {
		t.Fatal(err)
	}
	s.on(shortRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, 405, ``) })
	_, status, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
	wantProblem(t, err, problem.NotOffered, "with 405")
	if status != http.StatusMethodNotAllowed {
		t.Errorf("the status is told as %d", status)
	}
	s.on(shortRoute, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "https://elsewhere/")
		w.WriteHeader(307)
	})
	_, _, err = s.client(nil).SignInApplication(context.Background(), auditor(t))
	wantProblem(t, err, problem.Failed, "redirected to https://elsewhere/")
}

func TestCertificateThatIsNotAskedFor(t *testing.T) {
	for name, body := range map[string]string{"code": "<html>HTTP Error 403.7 - Forbidden", "no code": "<html>403 - Forbidden: Access is denied."} {
		s := newServer(t)
		s.TLS.ClientAuth = tls.NoClientCert
		var versions []uint16
		s.on(appRoute, func(w http.ResponseWriter, r *http.Request) {
			versions = append(versions, r.TLS.Version)
			html(w, 403, body)
		})
		_, _, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
		wantProblem(t, err, problem.Refused, "did not ask for one", "Negotiate Client Certificate", "WebAppApi")
		if len(versions) != 2 || versions[0] != tls.VersionTLS13 || versions[1] != tls.VersionTLS12 {
			t.Errorf("%s: asked with %x", name, versions)
		}
	}
}

// A server that loses the connection under TLS 1.3 is asked again under TLS 1.2, once.
func TestSecondWayOfShowingTheCertificate(t *testing.T) {
	s := newServer(t)
	s.on(appRoute, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.Version == tls.VersionTLS13 {
			hangUp(w, r)
			return
		}
		s.bare(w)
	})
	if _, _, err := s.client(nil).SignInApplication(context.Background(), auditor(t)); err != nil {
		t.Fatal(err)
	}
	s.on(appRoute, hangUp)
	before := s.came(appRoute)
	_, none, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
	if none != 0 {
		t.Errorf("without an answer the status is %d", none)
	}
	wantProblem(t, err, problem.Unreachable, "did not get the client certificate", "TLS 1.2", "Negotiate Client Certificate", "closed before")
	if n := s.came(appRoute) - before; n != 2 {
		t.Errorf("it came %d times", n)
	}
	// An answer tells more than a break.
	s.on(appRoute, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.Version == tls.VersionTLS12 {
			hangUp(w, r)
			return
		}
		html(w, 403, "<html>403.7")
	})
	_, status, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
	wantProblem(t, err, problem.Refused, "(403.7)")
	if status != http.StatusForbidden {
		t.Errorf("the status of the answer that counts is told as %d", status)
	}
}

func TestHandshakeThatJudgesTheCertificate(t *testing.T) {
	s := newServer(t)
	s.TLS.ClientAuth, s.TLS.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
	_, _, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
	wantProblem(t, err, problem.Refused, "does not trust", "unknown certificate authority", "Trusted Root")
}

func TestNoSecondWayForOtherFaults(t *testing.T) {
	s := newServer(t)
	dials := 0
	dial := func(err error) func(*Options) {
		return func(o *Options) {
			inner := (&net.Dialer{}).DialContext
			o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				dials++
				if err != nil {
					return nil, &net.OpError{Op: "dial", Err: err}
				}
				return inner(ctx, network, addr)
			}
		}
	}
	_, _, err := s.client(dial(errors.New("refused"))).SignInApplication(context.Background(), auditor(t))
	wantProblem(t, err, problem.Unreachable, "no connection: refused")
	_, _, err = s.client(func(o *Options) { dial(nil)(o); o.TLS = nil }).SignInApplication(context.Background(), auditor(t))
	wantProblem(t, err, problem.Unreachable, "nps.trust")
	own := &pinChanged{problem.New("the pin has changed").Try("compare it")}
	_, _, err = s.client(func(o *Options) {
		dial(nil)(o)
		o.TLS.VerifyConnection = func(tls.ConnectionState) error { return own }
	}).SignInApplication(context.Background(), auditor(t))
	wantProblem(t, err, problem.Unreachable, "the pin has changed")
	if dials != 3 || s.came(appRoute) != 0 {
		t.Errorf("%d connections", dials)
	}
	for _, a := range []Application{{}, {Login: "x", Key: secret.New(marker)}, {Key: secret.New(marker), Certificate: certificate(t, time.Now())}} {
		_, _, err = s.client(nil).SignInApplication(context.Background(), a)
		wantProblem(t, err, problem.Usage, "is missing")
	}
}

// TestTheStatusIsThatOfTheLastAddress: the first address answers 404, and the second breaks off.
func TestTheStatusIsThatOfTheLastAddress(t *testing.T) {
	s := newServer(t)
	s.on(appRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, 404, ``) })
	s.on(shortRoute, hangUp)
	_, status, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
	if err == nil || status != 0 || s.came(shortRoute) == 0 {
		t.Errorf("status %d, %v; asked %v", status, err, s.log)
	}
}

func TestApplicationTokenIsRenewed(t *testing.T) {
	s := newServer(t)
	s.on(appRoute, func(w http.ResponseWriter, _ *http.Request) { s.bare(w) })
	s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { s.bare(w) })
	fine(s)
	app, _, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
	if err != nil {
		t.Fatal(err)
	}
	step := func(after time.Duration, renewed, signedIn int) {
		t.Helper()
		s.clock.Advance(after)
		if err := readPlatforms(app); err != nil {
			t.Fatal(err)
		}
		if r, n := s.came("GET /api/v1/UserToken"), s.came(appRoute); r != renewed || n != signedIn {
			t.Errorf("renewed %d, signed in %d times; want %d, %d", r, n, renewed, signedIn)
		}
	}
	step(10*time.Minute, 1, 1)
	for i, status := range []int{401, 403, 404} { // the key is at hand where the renewal is refused or not offered
		s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { reply(w, status, ``) })
		step(10*time.Minute, i+2, i+2)
	}
	// Also where a token has expired that nothing could renew.
	s.on("GET /api/v1/UserToken", func(w http.ResponseWriter, _ *http.Request) { reply(w, 500, ``) })
	step(time.Hour, 7, 5)
	// And a 401 on a call.
	refusesOld(s, platforms)
	step(0, 7, 6)
	// A broken connection does not end it, a refused key does.
	refusesOld(s, platforms)
	s.on(appRoute, hangUp)
	wantProblem(t, readPlatforms(app), problem.Unreachable)
	s.on(appRoute, func(w http.ResponseWriter, _ *http.Request) { reply(w, 401, ``) })
	before := s.came(appRoute)
	for range 2 {
		wantProblem(t, readPlatforms(app), problem.Refused, "API key")
	}
	if n := s.came(appRoute) - before; n != 1 {
		t.Errorf("the refused key came %d times", n)
	}
}

func TestApplicationSharesTheApprovedPlan(t *testing.T) {
	s := newServer(t)
	s.on(appRoute, func(w http.ResponseWriter, _ *http.Request) { s.bare(w) })
	s.on("POST /api/v1/ActivitySession", func(w http.ResponseWriter, _ *http.Request) { reply(w, 201, `{"id":"`+objectID+`"}`) })
	s.on("GET /api/v1/ActivitySession/"+objectID+"/Password", func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, `"`+marker+`-of-session"`) })
	start := change(npsapi.StartSession(npsapi.SessionRequest{Account: plan.String(objectID), Activity: "Act", Resource: "dc01.contoso.com"}))
	password := npsapi.GetSessionPassword(plan.String(objectID))
	probe := plan.Op{ID: "password", Kind: plan.KindCall, Class: plan.Probe, Call: &password}
	for _, dry := range []bool{false, true} {
		c := s.client(func(o *Options) { o.DryRun = dry })
		c.Approve(approved(start, probe))
		app, _, err := c.SignInApplication(context.Background(), auditor(t))
		if err != nil {
			t.Fatal(err)
		}
		_, err = app.Send(context.Background(), start, nil)
		if dry {
			wantProblem(t, err, problem.GateClosed, "dry run")
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, again := range []*Client{app, c} {
			_, err = again.Send(context.Background(), start, nil)
			wantProblem(t, err, problem.GateClosed, "fewer times")
		}
		if _, err = app.Send(context.Background(), probe, nil); err != nil {
			t.Fatal(err)
		}
		if got := c.scrub.Scrub("x " + marker + "-of-session"); got != "x "+secret.Mask {
			t.Errorf("the password is not known to the scrubber: %s", got)
		}
	}
}

func TestSessionsThatAreNotStarted(t *testing.T) {
	for text, words := range map[string][]string{
		"Unable to find requested activity: Act":              {"does not find the activity Act", "renamed", "capitals"},
		"Unable to find requested resource by DnsHostName":    {"does not find the resource dc01", "DNS host name"},
		"Unable to find requested credential by username":     {"does not find the credential", "credential based", "managed credential"},
		"Something else that the server does not like at all": {"refused POST /api/v1/ActivitySession (400)"},
	} {
		s := newServer(t)
		s.on("POST /api/v1/ActivitySession", func(w http.ResponseWriter, _ *http.Request) {
			reply(w, 400, `{"detail":`+quoted(text)+`,"traceId":"00-9"}`)
		})
		op := change(npsapi.StartSession(npsapi.SessionRequest{Account: plan.String(objectID), Activity: "Act", Resource: "dc01"}))
		c := s.signedIn(nil)
		c.Approve(approved(op))
		_, err := c.Send(context.Background(), op, nil)
		wantProblem(t, err, problem.Failed, append(words, text, "00-9")...)
	}
}

func TestTokensWithoutRole(t *testing.T) {
	s := newServer(t)
	s.on(platforms, func(w http.ResponseWriter, _ *http.Request) { reply(w, 403, ``) })
	s.on(appRoute, func(w http.ResponseWriter, _ *http.Request) { s.bare(w) })
	app, _, err := s.client(nil).SignInApplication(context.Background(), auditor(t))
	if err != nil {
		t.Fatal(err)
	}
	wantProblem(t, readPlatforms(app), problem.Refused, "application user carries no role", "access policy")
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) { s.bare(w) })
	wantProblem(t, readPlatforms(s.signedIn(nil)), problem.Refused, "no role at all", "/signinBody", "AppUserToken")
	s.on("GET /api/v1/Version", func(w http.ResponseWriter, _ *http.Request) { reply(w, 403, ``) })
	_, err = s.client(nil).SignIn(context.Background(), Credentials{Token: secret.New(jwt(map[string]any{"sub": "x"}))})
	wantProblem(t, err, problem.Refused, "no role at all", "/signinBody")
}

// The stand-in of NPS judges the certificate as IIS does.
func TestApplicationAtTheSandbox(t *testing.T) {
	ctx := context.Background()
	b, err := sandbox.Start(ctx, sandbox.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b.CAPEM())
	c, err := New(Options{BaseURL: b.URL(), TLS: &tls.Config{RootCAs: pool}})
	if err != nil {
		t.Fatal(err)
	}
	who := b.Credentials()
	if _, err = c.SignIn(ctx, Credentials{User: who.User, Password: secret.New(who.Password), MFA: TOTP(secret.New(who.TOTPSecret), time.Now)}); err != nil {
		t.Fatal(err)
	}
	serial := serialText(b.ClientCertificate().Leaf)
	create := change(npsapi.CreateApplicationUser(plan.Object{
		{Name: "entityType", Value: plan.Int(2)},
		{Name: "name", Value: plan.String("NetwrixAuditor")},
		{Name: "samAccountName", Value: plan.String("NetwrixAuditor")},
		{Name: "certificateSerialNumber", Value: plan.String(serial)},
	}))
	c.Approve(approved(create))
	a, err := c.Send(ctx, create, nil)
	var user struct{ ID string }
	if err != nil || json.Unmarshal(a.Body, &user) != nil {
		t.Fatal(err, string(a.Body))
	}
	call := npsapi.RevealAPIKey(plan.String(user.ID))
	reveal := plan.Op{ID: "key", Kind: plan.KindCall, Class: plan.Probe, Call: &call}
	start := change(npsapi.StartSession(npsapi.SessionRequest{Account: plan.String(user.ID), Activity: "None", Resource: "dc01.contoso.com"}))
	c.Approve(approved(reveal, start))
	if a, err = c.Send(ctx, reveal, nil); err != nil {
		t.Fatal(err)
	}
	in := Application{Login: "NetwrixAuditor", Key: secret.New(text(a.Body)), Serial: serial, Certificate: b.ClientCertificate()}
	_, _, err = c.SignInApplication(ctx, in)
	wantProblem(t, err, problem.Refused, "(403.16)")
	b.Person()
	for fault, words := range map[string]string{"client-not-asked": "(403.7)", "client-untrusted": "(403.16)", "client-expired": "(403.17)", "client-serial": "serial number"} {
		_, _ = b.SetFaults([]string{fault}, nil)
		_, _, err = c.SignInApplication(ctx, in)
		wantProblem(t, err, problem.Refused, words)
		_, _ = b.SetFaults(nil, []string{fault})
	}
	_, _ = b.SetFaults([]string{"token-short-path"}, nil)
	app, _, err := c.SignInApplication(ctx, in)
	if err != nil {
		t.Fatal(err)
	}
	_, err = app.Send(ctx, start, nil)
	wantProblem(t, err, problem.Failed, "does not find the activity None")
	wantProblem(t, readPlatforms(app), problem.Refused, "carries no role")
}
