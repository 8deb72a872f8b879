package pki

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openssl runs the real one; another program's files are what people have.
func openssl(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed: .ci/run installs it")
		}
		t.Skip("SKIPPED: openssl is not installed, so nothing here was compared with files that another program made")
	}
	c := exec.Command("openssl", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func TestCertificatesMadeByOpenSSL(t *testing.T) {
	dir := t.TempDir()
	openssl(t, dir, "ecparam", "-name", "prime256v1", "-genkey", "-out", "ec.key") // an EC PARAMETERS block stands before the key
	openssl(t, dir, "genrsa", "-traditional", "-out", "rsa.key", "2048")
	openssl(t, dir, "genpkey", "-algorithm", "ed25519", "-out", "ed.key")
	for _, key := range []string{"ec.key", "rsa.key", "ed.key"} {
		for serial, want := range map[string]string{"0x00F1B2C3": "00F1B2C3", "0x0A1B": "0A1B", "-0x7AFF": "8501"} {
			openssl(t, dir, "req", "-x509", "-new", "-key", key, "-subj", "/O=Contoso/CN=auditor", "-days", "30", "-set_serial", serial, "-outform", "DER", "-out", "c.cer")
			c, err := ReadCertificate(filepath.Join(dir, "c.cer"))
			if err != nil {
				t.Fatalf("%s %s: %v", key, serial, err)
			}
			if c.Serial != want || !c.SelfSigned || c.Subject != "CN=auditor, O=Contoso" {
				t.Errorf("%s %s: serial %s, self-signed %v, subject %s", key, serial, c.Serial, c.SelfSigned, c.Subject)
			}
			if said := openssl(t, dir, "x509", "-in", "c.cer", "-inform", "DER", "-noout", "-fingerprint", "-sha256"); !strings.Contains(strings.ToLower(strings.ReplaceAll(said, ":", "")), c.SHA256) {
				t.Errorf("openssl says %s, not %s", said, c.SHA256)
			}
			must(t, os.Chmod(filepath.Join(dir, key), 0o600))
			k, err := ReadKey(filepath.Join(dir, key))
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			if err := Matches(c, k); err != nil {
				t.Errorf("%s: %v", key, err)
			}
		}
	}
}

func TestContainersMadeByOpenSSL(t *testing.T) {
	dir := t.TempDir()
	openssl(t, dir, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k.pem", "-subj", "/CN=auditor", "-out", "c.pem")
	openssl(t, dir, "crl2pkcs7", "-nocrl", "-certfile", "c.pem", "-outform", "DER", "-out", "c.p7b")
	openssl(t, dir, "crl2pkcs7", "-nocrl", "-certfile", "c.pem", "-out", "c.p7b.pem")
	openssl(t, dir, "pkcs12", "-export", "-in", "c.pem", "-inkey", "k.pem", "-passout", "pass:x", "-out", "c.pfx")
	openssl(t, dir, "pkcs8", "-topk8", "-in", "k.pem", "-passout", "pass:x", "-outform", "DER", "-out", "k.p8")
	openssl(t, dir, "pkcs8", "-topk8", "-in", "k.pem", "-passout", "pass:x", "-out", "k.p8.pem")
	for file, says := range map[string]string{"c.p7b": "PKCS #7", "c.p7b.pem": "PKCS #7", "c.pfx": "PKCS #12", "k.p8": "it is a private key", "k.p8.pem": "it holds a private key", "k.pem": "it holds a private key"} {
		if _, err := ReadCertificate(filepath.Join(dir, file)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", file, err)
		}
	}
	if c, err := ReadCertificate(filepath.Join(dir, "c.pem")); err != nil || !c.CAFlag || !c.CAFlagKnown {
		t.Errorf("openssl's own certificate is an authority's: %+v %v", c, err)
	}
}
