package sandbox_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

func TestApplicationSignIn(t *testing.T) {
	b := start(t, sandbox.Options{})
	s := b.integrated()
	own := b.s.ClientCertificate()
	right := login("NetwrixAuditor", s.key, s.serial)
	want := func(what string, c *bench, path string, body any, status int, kind, text string) {
		t.Helper()
		got, content, raw := c.do("POST", path, body)
		if got != status || !strings.Contains(content, kind) || !bytes.Contains(raw, []byte(text)) {
			t.Errorf("%s: %d %s %s; want %d %s %s", what, got, content, raw, status, kind, text)
		}
	}
	want("no certificate", b.with(), tokenPath, right, 403, "text/html", "403.7")
	want("before it is trusted", b.with(own), tokenPath, right, 403, "text/html", "403.16")
	b.s.Person()
	app := b.with(own)
	want("a stranger's certificate", b.with(stranger(t)), tokenPath, right, 403, "text/html", "403.16")
	want("another serial", app, tokenPath, login("NetwrixAuditor", s.key, "00AB"), 403, "json", "serial number")
	want("wrong key", app, tokenPath, login("NetwrixAuditor", "wrong", s.serial), 401, "json", "Invalid user name")
	want("unknown name", app, tokenPath, login("Nobody", s.key, s.serial), 401, "json", "Invalid user name")
	want("the short path", app, "/api/v1/AppUserToken", right, 404, "", "")
	want("right", app, tokenPath, right, 200, "json", "ey")
	for fault, page := range map[string]string{"client-not-asked": "403.7", "client-untrusted": "403.16", "client-expired": "403.17", "client-serial": "serial"} {
		b.faults(fault)
		want(fault, app, tokenPath, right, 403, "", page)
		b.clear(fault)
	}
	b.faults("token-short-path")
	want("the long path", app, tokenPath, right, 404, "", "")
	want("the short path, where it is offered", app, "/api/v1/AppUserToken", right, 200, "json", "ey")
	b.clear("token-short-path")
	b.later(6 * 365 * 24 * time.Hour)
	want("after the certificate's end", app, tokenPath, right, 403, "text/html", "403.17")
}

// stranger makes a certificate that nobody trusts.
func stranger(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(77), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(20, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestApplicationTokensHaveNoRole(t *testing.T) {
	b, s := trusting(t, sandbox.Options{})
	app := b.application(s)
	claims := func(token string) map[string]any {
		raw, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
		var c map[string]any
		if err != nil || json.Unmarshal(raw, &c) != nil {
			t.Fatalf("%v in %s", err, token)
		}
		return c
	}
	c := claims(app.token)
	if c["ManagedAccountId"] != s.user || c["isMFA"] != true {
		t.Errorf("claims %v", c)
	}
	for name := range c {
		if strings.Contains(name, "role") {
			t.Errorf("the claim %s", name)
		}
	}
	app.must("GET", "/api/v1/AccessControlPolicy/PolicySearch?managedAccountId="+s.user+"&activityName=Netwrix%20Auditor%20Domain%20Admin&resourceName=dc01.contoso.com", nil, nil)
	app.must("GET", "/api/v1/UserToken", nil, &app.token)

	// The key at the administrator's door gives a token that is good for nothing.
	half := b.with()
	half.must("POST", "/signinBody", map[string]string{"login": "NetwrixAuditor", "password": s.key}, &half.token)
	for _, call := range [][2]string{{"GET", "/api/v1/Platform"}, {"GET", "/api/v1/UserToken"}, {"GET", "/api/v1/ActivitySession/Search?skip=0&take=10"}} {
		if status, _, _ := half.do(call[0], call[1], nil); status != 403 {
			t.Errorf("%s with the token of signinBody: %d", call[1], status)
		}
	}
	for _, path := range []string{"/api/v1/Platform", "/api/v1/ActivitySession/Search?skip=0&take=10"} {
		if status, _, _ := app.do("GET", path, nil); status != 403 {
			t.Errorf("%s as the application user: %d", path, status)
		}
	}
	b.must("POST", "/api/v1/ManagedAccount/DeleteMultipleApplicationUsers", []string{s.user}, nil)
	if status, _, _ := app.do("GET", "/api/v1/Version", nil); status != 401 {
		t.Errorf("the token of a deleted account: %d", status)
	}
}
