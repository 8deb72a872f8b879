package pki

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/steps/secret"
)

// opensslCA makes an authority with an issuing one below it and a client's certificate, all by openssl, and gives the folder:
// root.pem, mid.pem, leaf.pem and leaf.key. kind is what genpkey takes.
func opensslCA(t *testing.T, kind ...string) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "ca.ext"), []byte("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "leaf.ext"), []byte("basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n"), 0o600))
	for _, name := range []string{"root", "mid", "leaf"} {
		openssl(t, dir, append([]string{"genpkey", "-out", name + ".key"}, kind...)...)
		openssl(t, dir, "req", "-new", "-key", name+".key", "-subj", "/O=Contoso/CN="+name, "-out", name+".req")
	}
	openssl(t, dir, "x509", "-req", "-in", "root.req", "-signkey", "root.key", "-extfile", "ca.ext", "-days", "30", "-out", "root.pem")
	openssl(t, dir, "x509", "-req", "-in", "mid.req", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "0xF1B2", "-extfile", "ca.ext", "-days", "30", "-out", "mid.pem")
	openssl(t, dir, "x509", "-req", "-in", "leaf.req", "-CA", "mid.pem", "-CAkey", "mid.key", "-set_serial", "0x0A1B", "-extfile", "leaf.ext", "-days", "30", "-out", "leaf.pem")
	return dir
}

func kindsOfOpenSSL() map[string][]string {
	return map[string][]string{
		"RSA":   {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
		"P-256": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
	}
}

func TestBundlesMadeByOpenSSL(t *testing.T) {
	for kind, args := range kindsOfOpenSSL() {
		t.Run(kind, func(t *testing.T) {
			dir := opensslCA(t, args...)
			p7 := []string{"crl2pkcs7", "-nocrl", "-certfile", "root.pem", "-certfile", "leaf.pem", "-certfile", "mid.pem"}
			openssl(t, dir, append(p7, "-outform", "DER", "-out", "der.p7b")...)
			openssl(t, dir, append(p7, "-out", "pem.p7b")...)
			openssl(t, dir, "crl2pkcs7", "-nocrl", "-certfile", "leaf.pem", "-outform", "DER", "-out", "one.p7b")
			must(t, os.WriteFile(filepath.Join(dir, "text"), []byte("hello"), 0o600))
			// Streaming writes BER with indefinite lengths and the content in pieces.
			sign := []string{"-sign", "-binary", "-nodetach", "-stream", "-in", "text", "-signer", "leaf.pem", "-inkey", "leaf.key", "-certfile", "mid.pem", "-outform", "DER"}
			openssl(t, dir, append([]string{"cms", "-out", "cms.p7b"}, sign...)...)
			openssl(t, dir, append([]string{"smime", "-out", "smime.p7b"}, sign...)...)
			if raw, err := os.ReadFile(filepath.Join(dir, "cms.p7b")); err != nil || !bytes.HasPrefix(raw, []byte{0x30, 0x80}) {
				t.Fatalf("openssl no longer streams BER: % x %v", raw[:4], err)
			}
			joined := ""
			for _, f := range []string{"mid.pem", "root.pem", "leaf.pem"} {
				raw, err := os.ReadFile(filepath.Join(dir, f))
				must(t, err)
				joined += string(raw)
			}
			must(t, os.WriteFile(filepath.Join(dir, "chain.pem"), []byte(joined), 0o600))
			must(t, os.Chmod(filepath.Join(dir, "leaf.key"), 0o600))
			key, err := ReadKey(filepath.Join(dir, "leaf.key"))
			must(t, err)
			for file, want := range map[string]struct{ chain, missing string }{
				"der.p7b": {"leaf mid root", ""}, "pem.p7b": {"leaf mid root", ""}, "chain.pem": {"leaf mid root", ""}, "one.p7b": {"leaf", "CN=mid, O=Contoso"},
				"cms.p7b": {"leaf mid", "CN=root, O=Contoso"}, "smime.p7b": {"leaf mid", "CN=root, O=Contoso"},
			} {
				found, err := ReadBundle(filepath.Join(dir, file))
				if err != nil {
					t.Errorf("%s: %v", file, err)
					continue
				}
				chain, err := Chain(key, found)
				names := strings.NewReplacer(", O=Contoso", "", ", ", " ").Replace(subjectsOf(chain.All()))
				if err != nil || names != want.chain || chain.Missing != want.missing || len(chain.Others) != 0 {
					t.Errorf("%s: %s, missing %q, %v", file, names, chain.Missing, err)
				}
			}
		})
	}
}

func TestPFXMadeByOpenSSL(t *testing.T) {
	for kind, args := range kindsOfOpenSSL() {
		t.Run(kind, func(t *testing.T) {
			dir := opensslCA(t, args...)
			raw, err := os.ReadFile(filepath.Join(dir, "root.pem"))
			must(t, err)
			mid, err := os.ReadFile(filepath.Join(dir, "mid.pem"))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(dir, "ca.pem"), append(raw, mid...), 0o600))
			for name, how := range map[string][]string{
				"usual": nil, "3DES": {"-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"}, "many iterations": {"-iter", "20000"}, "SHA-512": {"-macalg", "sha512"},
				"AES-128": {"-keypbe", "AES-128-CBC", "-certpbe", "AES-128-CBC"}, "certificates in the open": {"-certpbe", "NONE"},
			} {
				openssl(t, dir, append([]string{"pkcs12", "-export", "-inkey", "leaf.key", "-in", "leaf.pem", "-certfile", "ca.pem", "-passout", "pass:Grüße", "-out", "a.pfx"}, how...)...)
				got, err := ReadPFX(filepath.Join(dir, "a.pfx"), secret.New("Grüße"))
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				chain, err := Chain(got.Key, got.Certificates)
				if err != nil || len(chain.Issuers) != 2 || chain.Missing != "" {
					t.Errorf("%s: %s %v", name, subjectsOf(got.Certificates), err)
				}
				if name != "usual" {
					continue // a wrong passphrase costs as much as a right one
				}
				if _, err := ReadPFX(filepath.Join(dir, "a.pfx"), secret.New("grüße")); !errors.Is(err, ErrPassphrase) {
					t.Errorf("%s, wrong passphrase: %v", name, err)
				}
			}
			openssl(t, dir, "pkcs12", "-export", "-inkey", "leaf.key", "-in", "leaf.pem", "-passout", "pass:x", "-iter", "250000", "-out", "a.pfx")
			if _, err := ReadPFX(filepath.Join(dir, "a.pfx"), secret.New("x")); err == nil || !strings.Contains(err.Error(), "iterations") {
				t.Errorf("thrice 250,000 iterations: %v", err)
			}
		})
	}
}

func TestKeysMadeByOpenSSL(t *testing.T) {
	for kind, args := range kindsOfOpenSSL() {
		t.Run(kind, func(t *testing.T) {
			dir := t.TempDir()
			openssl(t, dir, append([]string{"genpkey", "-out", "plain.key"}, args...)...)
			must(t, os.Chmod(filepath.Join(dir, "plain.key"), 0o600))
			want, err := ReadKey(filepath.Join(dir, "plain.key"))
			must(t, err)
			for how, says := range map[string]string{
				"-v2 aes256": "", "-v2 aes128 -v2prf hmacWithSHA1": "", "-v2 aes192 -v2prf hmacWithSHA512": "", "-v2 aes256 -iter 50000": "", "-v2 aes256 -v2prf hmacWithSHA384 -outform DER": "",
				"-v2 des3": "not AES", "-v1 PBE-SHA1-3DES": "no PBES2", "-scrypt": "not PBKDF2", "-v2 aes256 -iter 2000000": "iterations",
			} {
				path := filepath.Join(dir, "a.key")
				openssl(t, dir, append([]string{"pkcs8", "-topk8", "-in", "plain.key", "-passout", "pass:Grüße", "-out", path}, strings.Fields(how)...)...)
				must(t, os.Chmod(path, 0o600))
				got, err := ReadKeyWith(path, secret.New("Grüße"))
				switch {
				case says == "" && (err != nil || !sameKey(got.Public(), want.Public())):
					t.Errorf("%s: %v", how, err)
				case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
					t.Errorf("%s: %v, not %q", how, err, says)
				}
			}
		})
	}
}
