package pki

import (
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func given(words string) func() (secret.Secret, error) {
	return func() (secret.Secret, error) { return secret.New(words), nil }
}

func TestInspectTellsWhatItIs(t *testing.T) {
	c := newChain(t, ecKey(t))
	chain, err := Chain(c.key, c.all())
	must(t, err)
	p7, err := P7B(c.all())
	must(t, err)
	modern, err := PFXWith(c.key, chain, secret.New("x"), Modern, 1000)
	must(t, err)
	open, err := PFX(c.key, chain, secret.Secret{}, Legacy)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(c.key)
	must(t, err)
	sealed, err := sealKey(pkcs8, secret.New("x"), 100)
	must(t, err)
	request, err := NewRequest("auditor", c.key)
	must(t, err)
	b64 := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }
	for name, x := range map[string]struct {
		raw        []byte
		kind, form string
		n          int
		remarks    string
	}{
		"DER":             {c.leaf.X509.Raw, "certificate", "DER", 1, ""},
		"PEM":             {PEM(c.all()...), "certificates", "PEM", 3, ""},
		"P7B":             {p7, "certificates", "PKCS #7, DER", 3, ""},
		"P7B BER":         {ber(p7), "certificates", "PKCS #7, BER", 3, ""},
		"AD CS":           {[]byte(inPEM("CERTIFICATE", p7)), "certificates", "PKCS #7, PEM", 3, ""},
		"P7B Base64":      {b64(p7), "certificates", "PKCS #7, Base64", 3, ""},
		"request":         {request.PEM(), "certificate request", "PEM", 0, ""},
		"request in DER":  {request.X509.Raw, "certificate request", "DER", 0, ""},
		"PFX":             {modern, "PFX", "DER", 3, ""},
		"PFX BER":         {ber(modern), "PFX", "BER", 3, ""},
		"PFX Base64":      {b64(modern), "PFX", "Base64", 3, ""},
		"PFX PEM":         {[]byte(inPEM("PKCS12", modern)), "PFX", "PEM", 3, ""},
		"open PFX":        {open, "PFX", "DER", 3, "no passphrase"},
		"key":             {[]byte(inPEM("PRIVATE KEY", pkcs8)), "private key", "PEM", 0, ""},
		"key in DER":      {pkcs8, "private key", "DER", 0, ""},
		"key in Base64":   {b64(pkcs8), "private key", "Base64", 0, ""},
		"encrypted key":   {[]byte(inPEM(encryptedKey, sealed)), "private key", "PEM", 0, ""},
		"encrypted, DER":  {sealed, "private key", "DER", 0, ""},
		"key beside":      {append(PEM(c.leaf), inPEM("PRIVATE KEY", pkcs8)...), "private key", "PEM", 1, "beside the certificate"},
		"UTF-16":          {utf16le(string(PEM(c.leaf))), "certificate", "PEM", 1, ""},
		"negative serial": {negative(t), "certificate", "DER", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := InspectBytes("a", x.raw, given("x"))
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != x.kind || got.Form != x.form || len(got.Certificates) != x.n {
				t.Errorf("%s, %s, %d certificates", got.Kind, got.Form, len(got.Certificates))
			}
			said := ""
			for _, r := range got.Remarks {
				said += r.Text
			}
			if (x.remarks == "") != (said == "") || !strings.Contains(said, x.remarks) {
				t.Errorf("remarks: %s", said)
			}
			switch x.kind {
			case "certificate request":
				if got.Request == nil || !got.Request.Proven {
					t.Error("no request")
				}
			case "PFX":
				if got.Chain == nil || got.Chain.Leaf.SHA256 != c.leaf.SHA256 || len(got.Chain.Issuers) != 2 {
					t.Errorf("chain %+v", got.Chain)
				}
			}
			if hasKey := x.kind == "PFX" || x.kind == "private key"; hasKey != (got.Key != nil) || hasKey && !sameKey(got.Key, c.key.Public()) {
				t.Errorf("key %v", got.Key)
			}
		})
	}
}

func TestInspectAsksForThePassphraseOnce(t *testing.T) {
	key := ecKey(t)
	raw, err := PFXWith(key, Chained{Leaf: parsedOf(t, selfMade(t, template("auditor"), key))}, secret.New("right"), Modern, 1000)
	must(t, err)
	asked := 0
	_, err = InspectBytes("a.pfx", raw, func() (secret.Secret, error) { asked++; return secret.New("wrong"), nil })
	if asked != 1 || !errors.Is(err, ErrPassphrase) {
		t.Errorf("asked %d times: %v", asked, err)
	}
	if _, err := InspectBytes("a.pfx", raw, nil); !errors.Is(err, ErrPassphrase) {
		t.Errorf("%v", err)
	}
	mine := errors.New("nobody is there")
	if _, err := InspectBytes("a.pfx", raw, func() (secret.Secret, error) { return secret.Secret{}, mine }); !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
	if _, err := InspectBytes("a.cer", selfMade(t, template("auditor"), key), func() (secret.Secret, error) { t.Error("asked for nothing"); return secret.Secret{}, nil }); err != nil {
		t.Error(err)
	}
}

func TestInspectFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	must(t, os.WriteFile(path, selfMade(t, template("auditor"), ecKey(t)), 0o600))
	if got, err := Inspect(path, nil); err != nil || got.Kind != "certificate" {
		t.Errorf("%+v %v", got, err)
	}
	must(t, os.WriteFile(path, make([]byte, sizeLimit+1), 0o600))
	for _, p := range []string{path, dir, filepath.Join(dir, "missing")} {
		if _, err := Inspect(p, nil); err == nil || len(problem.All(err)[0].Next) == 0 {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func FuzzInspect(f *testing.F) {
	c := newChain(f, ecKey(f))
	p7, err := P7B(c.all())
	must(f, err)
	request, err := NewRequest("a", c.key)
	must(f, err)
	for _, raw := range [][]byte{p7, ber(p7), request.PEM(), PEM(c.leaf), []byte(inPEM("PKCS12", p7)), []byte("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----")} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		within(t, func() {
			got, err := InspectBytes("f", raw, given("x"))
			if err != nil {
				explained(t, err)
				return
			}
			if len(got.Certificates) == 0 && got.Request == nil && got.Key == nil {
				t.Fatalf("%s, and nothing is in it", got.Kind)
			}
		})
	})
}
