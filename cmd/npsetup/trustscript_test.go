package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"npsetup/client/pki"
	"npsetup/client/sandbox"
)

func selfSignedFor(t *testing.T, name string) (der []byte, key *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, NotBefore: at, NotAfter: at.AddDate(1, 0, 0), BasicConstraintsValid: true}
	if der, err = x509.CreateCertificate(rand.Reader, c, c, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	return der, key
}

// TestTheScriptIsGolden reads the whole script. Nothing here runs PowerShell: docs/limits.md says so.
func TestTheScriptIsGolden(t *testing.T) {
	der, _ := selfSignedFor(t, "Netwrix Auditor")
	c, err := pki.ParseCertificate("x", der)
	if err != nil {
		t.Fatal(err)
	}
	for name, remove := range map[string]bool{"trust.ps1.golden": false, "untrust.ps1.golden": true} {
		got := trustScript(c, "trust.ps1", remove)
		for have, say := range map[string]string{strings.ToUpper(c.SHA1): "THUMBPRINT", strings.ToUpper(c.SHA256): "SHA256"} {
			got = strings.ReplaceAll(got, have, say)
		}
		got = strings.ReplaceAll(regexp.MustCompile(`(?s)@'\r\n.*\r\n'@`).ReplaceAllString(got, "@'\r\nBASE64\r\n'@"), "\r\n", "\n")
		asKept(t, name, got)
	}
}

// TestNoNameLeavesItsComment: a hostile subject or file name changes nothing but comments of the script.
func TestNoNameLeavesItsComment(t *testing.T) {
	code := func(script string) string {
		var lines []string
		for _, l := range regexp.MustCompile(`\r\n|\r|\n|\x{2028}|\x{2029}|\x{85}`).Split(script, -1) {
			if !strings.HasPrefix(l, "#") {
				lines = append(lines, l)
			}
		}
		return strings.Join(lines, "\n")
	}
	der, _ := selfSignedFor(t, "a")
	plain, err := pki.ParseCertificate("x", der)
	if err != nil {
		t.Fatal(err)
	}
	want := trustScript(plain, "trust.ps1", false)
	for _, evil := range []string{"'; Remove-Item C:\\ -Recurse #", "a\r\nRemove-Item x", "a\nb", "a\u2028Remove-Item", "\u2019; x", "#> x", "'@\r\nx", "$(x)", "`n", "{{Base64}}", "#[remove]", "\x1b[2J"} {
		c := plain
		c.Subject = evil
		got := trustScript(c, evil, false)
		if code(got) != code(want) {
			t.Errorf("%q changes the script:\n%s", evil, code(got))
		}
	}
}

// TestTheScriptIsForOneSelfSignedCertificate writes it, and writes none for what must not go there.
func TestTheScriptIsForOneSelfSignedCertificate(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	dir := t.TempDir()
	der, key := selfSignedFor(t, "Netwrix Auditor")
	issuer, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: "leaf"}, NotBefore: issuer.NotBefore, NotAfter: issuer.NotAfter}
	issued, err := x509.CreateCertificate(rand.Reader, leaf, issuer, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	own, other, out := filepath.Join(dir, "own.cer"), filepath.Join(dir, "issued.cer"), filepath.Join(dir, "trust.ps1")
	for path, content := range map[string][]byte{own: der, other: issued} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	says(t, st.do("trust", "script", own).want(t, exitOK).out, "Trusted Root", "subject     CN=Netwrix Auditor", "certutil -delstore Root")
	st.do("trust", "script", own, "--out", out).want(t, exitOK)
	raw, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(raw), "\ufeff#") {
		t.Errorf("%v %.20q", err, raw)
	}
	says(t, st.do("trust", "script", own, "--out", out).want(t, exitFailed).err, "was not written", "does not exist yet")
	says(t, st.do("trust", "script", other).want(t, exitFailed).err, "self-signed", "403.16")
	st.do("trust", "script", other, "--remove").want(t, exitOK)
}
