package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"
	"software.sslmate.com/src/go-pkcs12"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// within fails the test when f takes a second of the processor, or allocates more than 64 MiB.
func within(t *testing.T, f func()) {
	t.Helper()
	took, allocated := spend(f)
	if took > time.Second*slowness {
		t.Errorf("it took %v", took)
	}
	if allocated > 64<<20 {
		t.Errorf("it allocated %d MiB", allocated>>20)
	}
}

// explained fails the test when an error is none that a person can act on.
func explained(t *testing.T, err error) {
	t.Helper()
	if p := problem.All(err); len(p) != 1 || p[0].Why == "" || len(p[0].Next) == 0 || problem.Plain(err.Error()) != err.Error() {
		t.Errorf("no problem with cause and remedy: %q", err)
	}
}

func FuzzBundle(f *testing.F) {
	c := newChain(f, ecKey(f))
	p7, err := P7B(c.all())
	must(f, err)
	for _, raw := range [][]byte{p7, ber(p7), []byte(inPEM("CERTIFICATE", p7)), PEM(c.all()...), []byte(base64.StdEncoding.EncodeToString(ber(p7))), utf16le(string(PEM(c.leaf))), c.leaf.X509.Raw, payload(200), deep(20), negative(f), []byte("RequestId: 7\nCertificate not issued (Denied) 0x80094800"), []byte("<html>Certificate Pending")} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var found []Certificate
		var err error
		within(t, func() { found, err = ParseBundle("f", raw) })
		if err != nil {
			explained(t, err)
			return
		}
		if len(found) == 0 || len(found) > bundleLimit {
			t.Fatalf("%d certificates", len(found))
		}
		again, err := ParseBundle("f", PEM(found...))
		if err != nil || len(again) != len(found) {
			t.Fatalf("written and read again: %d of %d, %v", len(again), len(found), err)
		}
		for i := range found {
			if found[i].SHA256 != again[i].SHA256 || found[i].Serial != again[i].Serial {
				t.Fatalf("%s became %s", found[i].SHA256, again[i].SHA256)
			}
		}
		ChainOf(found[0], found)
	})
}

// FuzzDefinite holds the guard: what it passes is DER in its outline, and the parser behind it neither panics nor wastes.
func FuzzDefinite(f *testing.F) {
	c := newChain(f, ecKey(f))
	p7, err := P7B(c.all())
	must(f, err)
	for _, raw := range [][]byte{p7, ber(p7), payload(200), deep(20), flat(50), {0x24, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0}, {0x30, 0x82, 0, 3, 2, 1, 5}} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > sizeLimit {
			return
		}
		within(t, func() {
			der, err := definite(raw)
			if err != nil {
				return
			}
			if again, err := definite(der); err != nil || !bytes.Equal(again, der) {
				t.Fatalf("% x is not the last word: % x, %v", der, again, err)
			}
			if len(der) > len(raw) {
				t.Fatalf("%d bytes became %d", len(raw), len(der))
			}
			var v asn1.RawValue
			if err := whole(der, &v); err != nil && der[0] != 0 {
				t.Fatalf("% x: %v", der, err)
			}
			_, _ = pkcs7.Parse(der)
		})
	})
}

func FuzzKey(f *testing.F) {
	ec, rs := ecKey(f), rsaKey(f, 1024)
	ec8, err := x509.MarshalPKCS8PrivateKey(ec)
	must(f, err)
	rs8, err := x509.MarshalPKCS8PrivateKey(rs)
	must(f, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	must(f, err)
	sealed, err := sealKey(ec8, secret.New("x"), 10)
	must(f, err)
	for _, raw := range [][]byte{
		ec8, rs8, sec1, x509.MarshalPKCS1PrivateKey(rs), sealed, []byte(inPEM("PRIVATE KEY", ec8)), []byte(inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs))),
		[]byte(inPEM("EC PARAMETERS", []byte{6, 0}) + inPEM("EC PRIVATE KEY", sec1)), []byte(inPEM(encryptedKey, sealed)), []byte("-----BEGIN PRIVATE KEY-----"),
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		within(t, func() {
			key, err := ParseKey("f", raw, secret.New("x"))
			if (err == nil) == (key == nil) {
				t.Fatalf("key and error disagree: %v", err)
			}
			if err != nil {
				explained(t, err)
			} else if KeyFingerprint(key.Public()) == "" {
				t.Fatal("the key has no fingerprint")
			}
		})
	})
}

func FuzzPFX(f *testing.F) {
	key := ecKey(f)
	leaf, err := x509.ParseCertificate(selfMade(f, template("auditor"), key))
	must(f, err)
	for _, e := range []*pkcs12.Encoder{pkcs12.Modern2023.WithIterations(10), pkcs12.Modern2026.WithIterations(10), pkcs12.LegacyDES.WithIterations(10), pkcs12.LegacyRC2.WithIterations(10), pkcs12.Passwordless} {
		words := "x"
		if e == pkcs12.Passwordless {
			words = ""
		}
		raw, err := e.Encode(key, leaf, []*x509.Certificate{leaf}, words)
		must(f, err)
		f.Add(raw)
		f.Add(ber(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, words := range []string{"x", ""} {
			within(t, func() {
				c, err := ParsePFX("f", raw, secret.New(words))
				if err != nil {
					explained(t, err)
				} else if c.Key == nil || len(c.Certificates) == 0 {
					t.Fatal("opened, and nothing was in it")
				}
			})
		}
	})
}

func FuzzRequest(f *testing.F) {
	for _, kind := range []KeyKind{RSA2048, ECDSAP256} {
		key, err := NewKey(kind)
		must(f, err)
		r, err := NewRequest("auditor", key)
		must(f, err)
		f.Add(r.X509.Raw)
		f.Add(r.PEM())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		within(t, func() {
			r, err := ParseRequest("f", raw)
			if (err == nil) == (r.X509 == nil) {
				t.Fatalf("request and error disagree: %v", err)
			}
			if err != nil {
				explained(t, err)
			}
		})
	})
}
