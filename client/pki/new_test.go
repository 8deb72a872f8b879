package pki

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"npsetup/steps/problem"
)

func TestNewKey(t *testing.T) {
	for kind, want := range map[KeyKind]string{RSA2048: "RSA 2048", RSA3072: "RSA 3072", RSA4096: "RSA 4096", ECDSAP256: "ECDSA P-256"} {
		key, err := NewKey(kind)
		if err != nil {
			t.Fatal(err)
		}
		c, err := NewSelfSigned("x", key, today, today.AddDate(0, 0, 1))
		if err != nil || c.Key() != want {
			t.Errorf("%s: %s %v", kind, c.Key(), err)
		}
	}
	if _, err := NewKey("rsa-1024"); !problem.Is(err, problem.Usage) || !strings.Contains(strings.Join(problem.All(err)[0].Next, " "), "rsa-3072, rsa-2048, rsa-4096, ecdsa-p256") {
		t.Errorf("%v", err)
	}
}

func TestNewSelfSigned(t *testing.T) {
	for _, kind := range []KeyKind{RSA2048, ECDSAP256} {
		key, err := NewKey(kind)
		must(t, err)
		from, to := today.Add(-time.Hour), today.AddDate(2, 0, 0)
		c, err := NewSelfSigned("NetwrixAuditor", key, from, to)
		must(t, err)
		if c.Subject != "CN=NetwrixAuditor" || c.Issuer != c.Subject || !c.SelfSigned || !c.ClientAuth || !c.CAFlagKnown || c.CAFlag || !c.X509.NotBefore.Equal(from) || !c.X509.NotAfter.Equal(to) {
			t.Errorf("%+v", c)
		}
		if s := strings.Join(c.KeyUsages(), " ") + " " + strings.Join(c.ExtKeyUsages(), " "); s != "digitalSignature clientAuth" {
			t.Error(s)
		}
		if len(c.Serial) != 32 || c.Serial[0] < '4' || c.Serial[0] > '7' || c.SerialPlain() != c.Serial {
			t.Errorf("serial %s", c.Serial)
		}
		if a := c.X509.SignatureAlgorithm; a != x509.SHA256WithRSA && a != x509.ECDSAWithSHA256 {
			t.Error(a)
		}
		if len(c.X509.SubjectKeyId) != 20 || c.X509.MaxPathLen > 0 || c.X509.Version != 3 {
			t.Errorf("%x, path length %d, version %d", c.X509.SubjectKeyId, c.X509.MaxPathLen, c.X509.Version)
		}
		if got := critical(c.X509); got != "2.5.29.15 2.5.29.19" {
			t.Errorf("critical: %s", got)
		}
		if rs := append(Check(c, today), CheckTrustedRoot(c)...); len(rs) != 0 {
			t.Errorf("our own check complains: %v", rs)
		}
		other, err := NewSelfSigned("NetwrixAuditor", key, from, to)
		if err != nil || other.Serial == c.Serial {
			t.Errorf("the serial number came twice: %s %v", c.Serial, err)
		}
	}
}

func critical(c *x509.Certificate) string {
	var ids []string
	for _, e := range c.Extensions {
		if e.Critical {
			ids = append(ids, e.Id.String())
		}
	}
	return strings.Join(ids, " ")
}

func TestNamesOfCertificates(t *testing.T) {
	key := ecKey(t)
	for _, name := range []string{"NetwrixAuditor", "Prüfung Süd", `O'Brien "A" & Co, Ltd=x+y<z>;\`, "监视", strings.Repeat("ä", 64), "😀"} {
		c, err := NewSelfSigned(name, key, today, today.AddDate(1, 0, 0))
		if err != nil || c.X509.Subject.CommonName != name || !c.SelfSigned {
			t.Errorf("%q: %q %v", name, c.X509.Subject.CommonName, err)
			continue
		}
		r, err := NewRequest(name, key)
		if err != nil || r.X509.Subject.CommonName != name {
			t.Errorf("%q in a request: %v", name, err)
		}
	}
	for _, name := range []string{"", " ", "a ", "\ta", "a\x00b", "a\nb", "a\x1b[31m", "a\u202eb", "a\u200bb", "a\xffb", strings.Repeat("a", 65)} {
		_, err := NewSelfSigned(name, key, today, today.AddDate(1, 0, 0))
		_, err2 := NewRequest(name, key)
		if !problem.Is(err, problem.Usage) || !problem.Is(err2, problem.Usage) || strings.ContainsAny(err.Error(), "\x1b\u202e\n") || len(problem.All(err)[0].Next) == 0 {
			t.Errorf("%q: %v, %v", name, err, err2)
		}
	}
	if _, err := NewSelfSigned("a", key, today, today); !problem.Is(err, problem.Usage) {
		t.Errorf("never valid: %v", err)
	}
}

func TestNewRequest(t *testing.T) {
	for _, kind := range []KeyKind{RSA2048, ECDSAP256} {
		key, err := NewKey(kind)
		must(t, err)
		r, err := NewRequest("NetwrixAuditor", key)
		must(t, err)
		if r.Subject != "CN=NetwrixAuditor" || !r.Proven || KeyFingerprint(r.X509.PublicKey) != KeyFingerprint(key.Public()) {
			t.Errorf("%+v", r)
		}
		var usage asn1.BitString
		var purposes []asn1.ObjectIdentifier
		if len(r.X509.Extensions) != 2 {
			t.Fatal(r.X509.Extensions)
		}
		must(t, whole(r.X509.Extensions[0].Value, &usage))
		must(t, whole(r.X509.Extensions[1].Value, &purposes))
		if usage.At(0) != 1 || usage.BitLength != 1 || len(purposes) != 1 || purposes[0].String() != "1.3.6.1.5.5.7.3.2" || !r.X509.Extensions[0].Critical {
			t.Errorf("asks for %v %v", usage, purposes)
		}
		for name, raw := range map[string][]byte{
			"PEM": r.PEM(), "as certreq writes": bytes.ReplaceAll(r.PEM(), []byte("CERTIFICATE REQUEST"), []byte("NEW CERTIFICATE REQUEST")), "DER": r.X509.Raw, "DER, line end": append(bytes.Clone(r.X509.Raw), '\n'),
			"Base64": []byte(base64.StdEncoding.EncodeToString(r.X509.Raw)),
		} {
			if got, err := ParseRequest("a.req", raw); err != nil || !bytes.Equal(got.X509.Raw, r.X509.Raw) {
				t.Errorf("%s: %v", name, err)
			}
		}
		forged := bytes.Clone(r.X509.Raw)
		forged[indexOf(t, forged, []byte("NetwrixAuditor"))] = 'X'
		if got, err := ParseRequest("a.req", forged); err != nil || got.Proven {
			t.Errorf("a forged one counts: %v", err)
		}
	}
	if _, err := ParseRequest("a.req", []byte("hello")); err == nil || len(problem.All(err)[0].Next) == 0 {
		t.Errorf("%v", err)
	}
}

// A key that fills the file would keep the check of its signature busy for minutes.
func TestHugeKeysAreRefused(t *testing.T) {
	key := ecKey(t)
	n := rsaKey(t, 2048).N
	for range 4 { // 32768 bits
		n.Mul(n, n)
	}
	n.SetBit(n, 0, 1)
	der := issued(t, template("auditor"), template("auditor"), key, key)
	huge, err := x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: 65537})
	must(t, err)
	raw := withKey(t, der, huge)
	p7, err := P7B([]Certificate{{X509: &x509.Certificate{Raw: raw}}})
	must(t, err)
	for name, b := range map[string][]byte{"DER": raw, "P7B": p7} {
		if _, err := ParseBundle("a", b); err == nil || !strings.Contains(err.Error(), "16384 bits") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ParseCertificate("a", raw); err == nil || !strings.Contains(err.Error(), "16384 bits") {
		t.Error(err)
	}
}

// withKey puts another public key into a certificate; its signature is no longer right.
func withKey(t testing.TB, der, public []byte) []byte {
	t.Helper()
	var c rawCertificate
	must(t, whole(der, &c))
	var fields []asn1.RawValue
	must(t, whole(c.TBS.FullBytes, &fields))
	fields[6] = asn1.RawValue{FullBytes: public}
	tbs, err := asn1.Marshal(fields)
	must(t, err)
	c.TBS = asn1.RawValue{FullBytes: tbs}
	out, err := asn1.Marshal(c)
	must(t, err)
	return out
}
