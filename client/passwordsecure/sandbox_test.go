package passwordsecure_test

import (
	"crypto/tls"
	"crypto/x509"
	"net/url"
	"strings"
	"testing"

	"npsetup/assets"
	"npsetup/client/passwordsecure"
	"npsetup/client/sandbox"
	"npsetup/client/sandbox/contract"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func start(t *testing.T, faults ...string) (*sandbox.Server, *passwordsecure.Client) {
	t.Helper()
	check, err := contract.New(assets.PasswordSecureContract)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sandbox.Start(t.Context(), sandbox.Options{Faults: faults, CheckVault: check})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Errorf("against the contract: %v", v)
		}
		_ = s.Close()
	})
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(s.VaultCAPEM())
	return s, passwordsecure.New(passwordsecure.Options{UserAgent: "npsetup/test", TLS: &tls.Config{RootCAs: pool}})
}

func probe(t *testing.T, c *passwordsecure.Client, address string) passwordsecure.Report {
	t.Helper()
	forms, err := passwordsecure.Forms(address)
	if err != nil {
		t.Fatal(err)
	}
	best, _ := passwordsecure.Best(c.Probe(t.Context(), forms))
	return best
}

// TestAgainstTheSandbox goes the levels 0 to 3 against the stand-in, both held against the contract.
func TestAgainstTheSandbox(t *testing.T) {
	s, c := start(t)
	k, err := passwordsecure.ParseKey(secret.New(s.VaultKey()))
	if err != nil || k.Database == "" || k.User == "" || k.Expires.IsZero() || len(k.Notes) != 0 {
		t.Fatalf("%+v %v", k, err)
	}
	for address, want := range map[string]string{s.VaultURL(): s.VaultURL() + "api/", strings.TrimSuffix(s.VaultURL(), "/") + "/api/api": s.VaultURL() + "api/", s.VaultDirectURL(): s.VaultDirectURL()} {
		r := probe(t, c, address)
		if r.Verdict != passwordsecure.Answers || r.Form.URL != want || r.Certificate == nil {
			t.Errorf("%s: %+v %v", address, r, r.Err())
			continue
		}
		if got := c.SignIn(t.Context(), r.Form, k); got.Proof != passwordsecure.Accepted {
			t.Errorf("%s: %+v", address, got)
		}
	}
	if r := probe(t, c, strings.TrimSuffix(s.VaultURL(), "vault/")+"api/"); r.Verdict == passwordsecure.Answers || r.Cause() != passwordsecure.Absent {
		t.Errorf("without its folder: %+v", r)
	}
}

// TestFailuresOfTheSandbox holds the published failures 46, 47, 50 and 51 from the stand-in's faults to the client's words.
func TestFailuresOfTheSandbox(t *testing.T) {
	for fault, want := range map[string]passwordsecure.Proof{"key-expired": passwordsecure.KeyExpired, "key-deleted": passwordsecure.KeyRefused, "vault-refused": passwordsecure.KeyRefused, "vault-down": passwordsecure.NotProven} {
		s, c := start(t, fault)
		k, err := passwordsecure.ParseKey(secret.New(s.VaultKeyMade()))
		if err != nil {
			t.Fatal(err)
		}
		got := c.SignIn(t.Context(), passwordsecure.Form{URL: s.VaultDirectURL()}, k)
		if got.Proof != want || got.Status == 0 {
			t.Errorf("%s: %+v", fault, got)
		}
		if err := got.Problem(k); (err != nil) != (want >= passwordsecure.KeyExpired) {
			t.Errorf("%s: %v", fault, err)
		}
		if r := probe(t, c, s.VaultURL()); (r.Cause() == passwordsecure.ServerFault) != (fault == "vault-down") {
			t.Errorf("%s: %+v", fault, r)
		}
	}
	s, c := start(t, "vault-self-signed")
	r := probe(t, c, s.VaultURL())
	if r.Cause() != passwordsecure.WrongName || r.Certificate == nil || !r.Certificate.SelfSigned || len(r.Certificate.Notes) != 3 {
		t.Errorf("by IP number: %+v %v", r, r.Err())
	}
	if text := strings.Join(problem.All(r.Err())[0].Next, "\n"); !strings.Contains(text, "localhost") || !strings.Contains(text, "9999") {
		t.Errorf("%s", text)
	}
	u, _ := url.Parse(s.VaultURL())
	u.Host = "localhost:" + u.Port()
	if r := probe(t, c, u.String()); r.Verdict != passwordsecure.Answers || r.Certificate.Trusted {
		t.Errorf("by name: %+v %v", r, r.Err())
	}
}
