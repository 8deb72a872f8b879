package pki

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/steps/secret"
)

// TestOpenSSLReadsWhatWeWrite writes every form and has openssl accept and print it.
func TestOpenSSLReadsWhatWeWrite(t *testing.T) {
	for _, kind := range []KeyKind{RSA2048, ECDSAP256} {
		t.Run(string(kind), func(t *testing.T) {
			dir := t.TempDir()
			key, err := NewKey(kind)
			must(t, err)
			own, err := NewSelfSigned("Prüfung \"Süd\"", key, today.AddDate(0, 0, -1), today.AddDate(9, 0, 0))
			must(t, err)
			write := func(name string, raw []byte) { must(t, os.WriteFile(filepath.Join(dir, name), raw, 0o600)) }
			write("own.cer", own.X509.Raw)
			write("own.pem", PEM(own))
			for _, args := range [][]string{{"-inform", "DER", "-in", "own.cer"}, {"-in", "own.pem"}} {
				said := openssl(t, dir, append([]string{"x509", "-noout", "-text", "-nameopt", "utf8", "-fingerprint", "-sha256"}, args...)...)
				for _, s := range []string{"Prüfung", "Version: 3", "sha256", "X509v3 Key Usage: critical\n                Digital Signature\n", "X509v3 Basic Constraints: critical\n                CA:FALSE", "TLS Web Client Authentication", "Subject Key Identifier"} {
					if !strings.Contains(said, s) {
						t.Errorf("openssl does not print %q in\n%s", s, said)
					}
				}
				if !strings.Contains(strings.ToLower(strings.ReplaceAll(said, ":", "")), own.SHA256) {
					t.Errorf("the fingerprint differs: %s", said)
				}
			}
			openssl(t, dir, "verify", "-x509_strict", "-check_ss_sig", "-purpose", "sslclient", "-CAfile", "own.pem", "own.pem")
			request, err := NewRequest("auditor", key)
			must(t, err)
			write("a.req", request.PEM())
			said := namesOf(openssl(t, dir, "req", "-in", "a.req", "-verify", "-noout", "-text"))
			for _, s := range []string{"CN=auditor", "Digital Signature", "TLS Web Client Authentication", "verify OK"} {
				if !strings.Contains(said, s) {
					t.Errorf("openssl does not print %q in\n%s", s, said)
				}
			}
			for words, name := range map[string]string{"": "plain.key", "Grüße": "sealed.key"} {
				must(t, WriteKey(filepath.Join(dir, name), key, secret.New(words)))
				openssl(t, dir, "pkey", "-in", name, "-passin", "pass:"+words, "-check", "-noout")
			}
		})
	}
}

func TestOpenSSLReadsOurBundles(t *testing.T) {
	legacy := providerOf(t)
	for _, kind := range []KeyKind{RSA2048, ECDSAP256} {
		dir := t.TempDir()
		key, err := NewKey(kind)
		must(t, err)
		c := newChain(t, key)
		p7, err := P7B(c.all())
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, "a.p7b"), p7, 0o600))
		said := namesOf(openssl(t, dir, "pkcs7", "-inform", "DER", "-in", "a.p7b", "-print_certs"))
		for _, s := range []string{"auditor", "Contoso Issuing", "Contoso Root"} {
			if !strings.Contains(said, "subject=CN="+s) {
				t.Errorf("openssl does not print %q in\n%s", s, said)
			}
		}
		chain, err := Chain(key, c.all())
		must(t, err)
		for _, x := range []struct {
			e    Encryption
			args []string
		}{{Modern, nil}, {Legacy, nil}, {Legacy, legacy}} {
			e, args := x.e, x.args
			raw, err := PFX(key, chain, secret.New("Grüße"), e)
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, "a.pfx"), raw, 0o600))
			said := openssl(t, dir, append([]string{"pkcs12", "-in", "a.pfx", "-passin", "pass:Grüße", "-noenc", "-info"}, args...)...)
			want := map[Encryption]string{Modern: "PBES2, PBKDF2, AES-256-CBC", Legacy: "pbeWithSHA1And3-KeyTripleDES-CBC"}[e]
			if strings.Count(said, "BEGIN CERTIFICATE") != 3 || strings.Count(said, "BEGIN PRIVATE KEY") != 1 || !strings.Contains(said, want) {
				t.Errorf("%s %s: openssl prints\n%s", kind, e, said)
			}
		}
	}
}

// namesOf evens out the blanks that openssl before 3.2 puts into names.
func namesOf(said string) string { return strings.ReplaceAll(said, " = ", "=") }

// providerOf gives the flag for old encryptions where openssl has them: a module of its own, which Debian packs apart since 13.
// It reads 3DES without.
func providerOf(t *testing.T) []string {
	t.Helper()
	openssl(t, t.TempDir(), "version")
	if exec.Command("openssl", "list", "-providers", "-provider", "legacy").Run() != nil {
		t.Log("SKIPPED: openssl has no provider for old encryptions; our legacy PFX is read without -legacy only")
		return nil
	}
	return []string{"-legacy"}
}
