package pki

import (
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func keyFile(t testing.TB, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "auditor's.key")
	must(t, os.WriteFile(path, []byte(text), mode))
	must(t, os.Chmod(path, mode)) // whatever the umask is
	return path
}

func TestReadKeyInEveryForm(t *testing.T) {
	ec, rs := ecKey(t), rsaKey(t, 2048)
	sec1, err := x509.MarshalECPrivateKey(ec)
	must(t, err)
	ec8, err := x509.MarshalPKCS8PrivateKey(ec)
	must(t, err)
	rsa8, err := x509.MarshalPKCS8PrivateKey(rs)
	must(t, err)
	ecCert, rsaCert := selfMade(t, template("ec"), ec), selfMade(t, template("rsa"), rs)
	for name, c := range map[string]struct {
		text string
		cert []byte
	}{
		"PKCS #8 EC": {inPEM("PRIVATE KEY", ec8), ecCert}, "SEC 1": {inPEM("EC PRIVATE KEY", sec1), ecCert},
		"PKCS #8 RSA": {inPEM("PRIVATE KEY", rsa8), rsaCert}, "PKCS #1": {inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs)), rsaCert},
		"parameters first":       {inPEM("EC PARAMETERS", []byte{6, 0}) + inPEM("EC PRIVATE KEY", sec1), ecCert},
		"behind its certificate": {inPEM("CERTIFICATE", ecCert) + inPEM("PRIVATE KEY", ec8), ecCert},
	} {
		t.Run(name, func(t *testing.T) {
			k, err := ReadKey(keyFile(t, c.text, 0o600))
			if err != nil {
				t.Fatal(err)
			}
			if err := Matches(parsedOf(t, c.cert), k); err != nil {
				t.Error(err)
			}
			other := parsedOf(t, ecCert)
			if strings.HasSuffix(name, "RSA") || name == "PKCS #1" {
				if err := Matches(other, k); !errors.Is(err, errMismatch) || len(problem.All(err)[0].Next) == 0 {
					t.Errorf("an RSA key for an EC certificate: %v", err)
				}
			}
		})
	}
	if err := Matches(parsedOf(t, selfMade(t, template("x"), ecKey(t))), ec); !errors.Is(err, errMismatch) {
		t.Errorf("another key of the same kind: %v", err)
	}
	if err := Matches(parsedOf(t, negative(t)), ec); !errors.Is(err, errMismatch) {
		t.Errorf("negative serial: %v", err)
	}
}

func TestReadKeyRefusals(t *testing.T) {
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ecKey(t))
	must(t, err)
	text := inPEM("PRIVATE KEY", pkcs8)
	dir := t.TempDir()
	for name, c := range map[string]struct{ path, says string }{
		"missing": {filepath.Join(dir, "none"), "name a file that is there"}, "folder": {dir, "folder"},
		"empty": {keyFile(t, "", 0o600), "no private key"}, "text": {keyFile(t, "hello", 0o600), "no private key"}, "too large": {keyFile(t, strings.Repeat("a", 1<<20+1), 0o600), "1 MiB"},
		"certificate":   {keyFile(t, inPEM("CERTIFICATE", []byte{0x30, 0}), 0o600), "holds a certificate"},
		"PFX":           {keyFile(t, "\x30\x03\x02\x01\x03", 0o600), "PKCS #12"},
		"damaged":       {keyFile(t, inPEM("PRIVATE KEY", pkcs8[:40]), 0o600), "no private key that can be read"},
		"encrypted":     {keyFile(t, inPEM("ENCRYPTED PRIVATE KEY", sealedKey(t)), 0o600), "openssl pkcs8 -topk8 -nocrypt"},
		"old encrypted": {keyFile(t, strings.Replace(text, "KEY-----\n", "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1), 0o600), "in an old way"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadKey(c.path)
			var p *problem.Problem
			if !errors.As(err, &p) || len(p.Next) == 0 {
				t.Fatalf("no problem with a next step: %v", err)
			}
			all := p.Error() + " " + strings.Join(p.Next, " ")
			if !strings.Contains(all, c.says) || strings.Contains(all, strings.Split(text, "\n")[1][:20]) {
				t.Error(all)
			}
		})
	}
}

func TestReadKeyMinds0600(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: file modes say nothing on Windows")
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ecKey(t))
	must(t, err)
	for _, mode := range []os.FileMode{0o640, 0o604, 0o620, 0o644, 0o666} {
		_, err := ReadKey(keyFile(t, inPEM("PRIVATE KEY", pkcs8), mode))
		if err == nil || !strings.Contains(strings.Join(problem.All(err)[0].Next, ""), "chmod 600 '") {
			t.Errorf("%o: %v", mode, err)
		}
	}
	for _, mode := range []os.FileMode{0o600, 0o400, 0o700} {
		if _, err := ReadKey(keyFile(t, inPEM("PRIVATE KEY", pkcs8), mode)); err != nil {
			t.Errorf("%o: %v", mode, err)
		}
	}
}

func sealedKey(t *testing.T) []byte {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(ecKey(t))
	must(t, err)
	der, err := sealKey(pkcs8, secret.New("some passphrase"), 1)
	must(t, err)
	return der
}
