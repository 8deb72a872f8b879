package pki

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// remarks is what Check says, a line each with its level.
func remarks(c Certificate, now time.Time) string {
	var lines []string
	for _, r := range Check(c, now) {
		level := "warn "
		if r.Level == Refuse {
			level = "refuse "
		}
		lines = append(lines, level+r.Text+": "+r.Why)
	}
	return strings.Join(lines, "\n")
}

func TestCheckFindsNothing(t *testing.T) {
	c := template("auditor")
	c.NotBefore, c.NotAfter = today, today.AddDate(1, 0, 0)
	read := parsedOf(t, selfMade(t, c, ecKey(t)))
	for _, at := range []time.Time{today, today.AddDate(1, 0, 0)} { // both ends belong to the time in which it is valid
		if got := remarks(read, at); got != "" {
			t.Errorf("%s: %s", at, got)
		}
	}
}

func TestCheck(t *testing.T) {
	p224, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	must(t, err)
	change := func(edit func(*x509.Certificate)) []byte {
		c := template("auditor")
		edit(c)
		return selfMade(t, c, ecKey(t))
	}
	sha1 := template("auditor")
	sha1.SignatureAlgorithm = x509.SHA1WithRSA
	for name, c := range map[string]struct {
		der  []byte
		says string
	}{
		"expired":       {change(func(c *x509.Certificate) { c.NotAfter = today.Add(-time.Second) }), "refuse Auditor's client certificate has expired: it was valid to 2026-11-23 11:59 UTC"},
		"not yet valid": {change(func(c *x509.Certificate) { c.NotBefore = today.Add(time.Second) }), "refuse Auditor's client certificate is not valid yet"},
		"SHA-1":         {selfMade(t, sha1, rsaKey(t, 2048)), "refuse Auditor's client certificate is signed with SHA1-RSA"},
		"MD5":           {withMD5(t), "refuse Auditor's client certificate is signed with MD5-RSA"},
		"short RSA":     {selfMade(t, template("auditor"), rsaKey(t, 1024)), "refuse Auditor's client certificate has an RSA key of 1024 bits"},
		"short curve":   {selfMade(t, template("auditor"), p224), "refuse Auditor's client certificate has a key on the curve P-224"},
		"server only":   {change(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), "refuse Auditor's client certificate is not for client authentication (1.3.6.1.5.5.7.3.2)"},
		"unknown use only": {change(func(c *x509.Certificate) {
			c.ExtKeyUsage, c.UnknownExtKeyUsage = nil, []asn1.ObjectIdentifier{{1, 2, 3}}
		}), "refuse Auditor's client certificate is not for client authentication (1.3.6.1.5.5.7.3.2)"},
		"no purposes":     {change(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "warn Auditor's client certificate names no purposes"},
		"any purpose":     {change(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageAny} }), ""},
		"not for signing": {change(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), "refuse Auditor's client certificate is not for signing: its key usages are keyEncipherment: a client proves"},
		"a root": {change(func(c *x509.Certificate) {
			c.IsCA, c.ExtKeyUsage, c.KeyUsage = true, nil, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
		}), "refuse this is the certificate of an authority, and no client's"},
		"CA:TRUE": {change(func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign|x509.KeyUsageDigitalSignature
		}), "whoever holds its key can then vouch"},
		"no constraints": {change(func(c *x509.Certificate) { c.BasicConstraintsValid = false }), "whoever holds its key can then vouch"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range Check(parsedOf(t, c.der), today) {
				if r.Why == "" || r.Try == "" {
					t.Errorf("no reason or no next step: %+v", r)
				}
			}
			if got := remarks(parsedOf(t, c.der), today); !strings.HasPrefix(got, c.says) && !strings.Contains(got, c.says) || strings.Count(got, "\n") > 0 {
				t.Errorf("says %q, not only %q", got, c.says)
			}
		})
	}
}

// What an authority issued is no client's when it may issue others itself; what was made here must not either.
func TestCheckTellsAuthorities(t *testing.T) {
	ca, caKey := template("contoso-CA"), ecKey(t)
	ca.IsCA = true
	flagged := template("auditor")
	flagged.IsCA = true
	plain := template("auditor")
	plain.BasicConstraintsValid = false
	refuses := func(rs []Remark) bool {
		return slices.ContainsFunc(rs, func(r Remark) bool {
			return r.Level == Refuse && strings.Contains(r.Text, "certificate of an authority") && strings.Contains(r.Try, "Workstation Authentication")
		})
	}
	below := parsedOf(t, issued(t, flagged, ca, ecKey(t), caKey))
	if !refuses(Check(below, today)) || !refuses(CheckAnswer(below, today)) {
		t.Error("an issued authority passes")
	}
	own := parsedOf(t, selfMade(t, flagged, ecKey(t)))
	if refuses(Check(own, today)) || len(Check(own, today)) != 1 || !refuses(CheckAnswer(own, today)) || len(CheckAnswer(own, today)) != 1 {
		t.Errorf("self-signed with the flag: %v; %v", Check(own, today), CheckAnswer(own, today))
	}
	if got := Check(parsedOf(t, issued(t, plain, ca, ecKey(t), caKey)), today); len(got) != 0 {
		t.Errorf("an issued one without constraints goes into no Trusted Root: %v", got)
	}
	limited := template("contoso-issuing")
	limited.IsCA, limited.KeyUsage, limited.ExtKeyUsage = true, x509.KeyUsageCertSign, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	got := CheckAuthority(parsedOf(t, issued(t, limited, ca, ecKey(t), caKey)), today)
	if len(got) != 1 || !strings.Contains(got[0].Text, "for clients") {
		t.Errorf("an authority for servers only: %v", got)
	}
}

func TestCheckTakesWhatWindowsSignsWith(t *testing.T) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	c := parsedOf(t, selfMade(t, template("auditor"), key))
	if got := remarks(c, today); !strings.HasPrefix(got, "refuse Auditor's client certificate has a key of the kind Ed25519: Windows signs") || c.SignedWith() != "Ed25519" {
		t.Errorf("%s, %s", got, c.SignedWith())
	}
	unknown := c
	unknown.X509 = &x509.Certificate{}
	if got := unknown.SignedWith(); got != "an algorithm that is not known here" {
		t.Error(got)
	}
}

func TestCheckSaysSeveralThingsAtOnce(t *testing.T) {
	c := template("auditor")
	c.NotAfter, c.BasicConstraintsValid, c.SignatureAlgorithm = today.AddDate(0, 0, -1), false, x509.SHA1WithRSA
	got := remarks(parsedOf(t, selfMade(t, c, rsaKey(t, 1024))), today)
	for _, s := range []string{"expired", "SHA1-RSA", "1024 bits", "vouch"} {
		if !strings.Contains(got, s) {
			t.Errorf("%q is missing in\n%s", s, got)
		}
	}
}

func TestSelfSigned(t *testing.T) {
	key, caKey := ecKey(t), ecKey(t)
	ca := template("contoso-CA")
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign
	sha1 := template("sha1")
	sha1.SignatureAlgorithm = x509.SHA1WithRSA
	sha1EC := template("sha1ec")
	sha1EC.SignatureAlgorithm = x509.ECDSAWithSHA1
	forged := negative(t)
	forged[indexOf(t, forged, []byte("negative"))] = 'N' // in issuer and subject alike, or the names alone would tell
	forged[bytes.LastIndex(forged, []byte("negative"))] = 'N'
	namesake := template("contoso-CA") // issuer and subject are equal, but another key signed
	for name, c := range map[string]struct {
		der  []byte
		want bool
	}{
		"own key": {selfMade(t, template("a"), key), true}, "an authority's": {issued(t, template("a"), ca, key, caKey), false},
		"namesake of its authority": {issued(t, namesake, ca, key, caKey), false},
		"SHA-1":                     {selfMade(t, sha1, rsaKey(t, 2048)), true}, "SHA-1 ECDSA": {selfMade(t, sha1EC, key), true},
		"negative serial": {negative(t), true}, "negative serial, forged": {forged, false},
	} {
		if got := parsedOf(t, c.der).SelfSigned; got != c.want {
			t.Errorf("%s: self-signed %v", name, got)
		}
	}
}

func TestTrustedRootTakesSelfSignedOnly(t *testing.T) {
	key, caKey := ecKey(t), ecKey(t)
	ca := template("contoso-CA")
	ca.Subject = pkix.Name{CommonName: "contoso-CA", Organization: []string{"Contoso"}}
	ca.IsCA, ca.KeyUsage = true, x509.KeyUsageCertSign
	if got := CheckTrustedRoot(parsedOf(t, selfMade(t, template("a"), key))); len(got) != 0 {
		t.Errorf("self-signed: %v", got)
	}
	for name, der := range map[string][]byte{"issued": issued(t, template("a"), ca, key, caKey), "namesake": issued(t, template("contoso-CA"), &x509.Certificate{Subject: template("contoso-CA").Subject, SubjectKeyId: []byte{1}}, key, caKey)} {
		got := CheckTrustedRoot(parsedOf(t, der))
		if len(got) != 1 || got[0].Level != Refuse || !strings.Contains(got[0].Why, "403.16") {
			t.Fatalf("%s: %+v", name, got)
		}
		if text := fmt.Sprint(got[0]); name == "issued" && !strings.Contains(text, "CN=contoso-CA, O=Contoso") {
			t.Errorf("the issuer is not named: %s", text)
		}
	}
}

// When the chain is known, the one certificate that belongs there is named.
func TestTrustedRootNamesTheRoot(t *testing.T) {
	c := newChain(t, ecKey(t))
	for _, x := range []struct {
		of    Certificate
		known []Certificate
		says  []string
	}{
		{c.leaf, c.all(), []string{"CN=Contoso Root", c.root.SHA1, "CN=Contoso Issuing into Intermediate"}},
		{c.mid, c.all(), []string{"CN=Contoso Root", c.root.SHA1}},
		{c.leaf, []Certificate{c.mid}, []string{"CN=Contoso Root", "is not among"}},
		{c.leaf, nil, []string{"CN=Contoso Issuing", "is not among"}},
	} {
		got := CheckTrustedRoot(x.of, x.known...)
		itself, text := TrustedRoot(x.of, x.known...)
		if itself || !strings.HasPrefix(text, "not this one: it was issued by "+x.of.Issuer) || strings.Contains(text, "must not") || strings.Contains(text, c.root.SHA1) != strings.Contains(fmt.Sprint(x.says), c.root.SHA1) {
			t.Errorf("%v %s", itself, text)
		}
		if len(got) != 1 || got[0].Level != Refuse {
			t.Fatalf("%+v", got)
		}
		for _, s := range x.says {
			if !strings.Contains(got[0].Try, s) {
				t.Errorf("%s: %q is missing in %q", x.of.Subject, s, got[0].Try)
			}
		}
	}
	if got := CheckTrustedRoot(c.root, c.all()...); len(got) != 0 {
		t.Errorf("%+v", got)
	}
	if itself, text := TrustedRoot(c.root, c.all()...); !itself || !strings.Contains(text, "may go there") {
		t.Error(itself, text)
	}
}

func TestWordsOfACertificate(t *testing.T) {
	c := template("a")
	c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{{1, 3, 6, 1, 4, 1, 311, 20, 2, 2}}
	c.SerialNumber.SetInt64(0xf1b2)
	got := parsedOf(t, selfMade(t, c, rsaKey(t, 2048)))
	if s := strings.Join(got.KeyUsages(), " "); s != "digitalSignature keyEncipherment" {
		t.Error(s)
	}
	if s := strings.Join(got.ExtKeyUsages(), " "); s != "clientAuth 1.3.6.1.4.1.311.20.2.2" {
		t.Error(s)
	}
	if got.Key() != "RSA 2048" || got.Serial != "00F1B2" || got.SerialPlain() != "F1B2" {
		t.Error(got.Key(), got.Serial, got.SerialPlain())
	}
}
