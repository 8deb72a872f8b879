package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"npsetup/steps/problem"
)

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func pkcs8(t *testing.T, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	return inPEM("PRIVATE KEY", der)
}

func openSSH(t *testing.T, key any, passphrase string) string {
	t.Helper()
	block, err := ssh.MarshalPrivateKey(key, "npsetup")
	if passphrase != "" {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(key, "npsetup", []byte(passphrase))
	}
	must(t, err)
	return string(pem.EncodeToMemory(block))
}

func TestReadKey(t *testing.T) {
	ed, ec, old := private(t, "ed25519"), private(t, "ecdsa"), private(t, "rsa")
	for what, c := range map[string]struct {
		key  any
		text string
		mode os.FileMode
	}{
		"OpenSSH ed25519":      {ed, openSSH(t, ed, ""), 0o600},
		"OpenSSH ecdsa":        {ec, openSSH(t, ec, ""), 0o400},
		"OpenSSH rsa":          {old, openSSH(t, old, ""), 0o600},
		"PKCS#8 ed25519":       {ed, pkcs8(t, ed), 0o600},
		"PKCS#8 rsa":           {old, pkcs8(t, old), 0o600},
		"PKCS#1":               {old, inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(old.(*rsa.PrivateKey))), 0o600},
		"with Windows' breaks": {ed, strings.ReplaceAll(openSSH(t, ed, ""), "\n", "\r\n"), 0o600},
	} {
		path := filepath.Join(t.TempDir(), "key")
		write(t, path, c.text, c.mode)
		key, err := ReadKey(path)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		want, err := ssh.NewSignerFromKey(c.key)
		must(t, err)
		signed, err := key.Sign(rand.Reader, []byte("x"))
		must(t, err)
		if printOf(key) != printOf(want) || want.PublicKey().Verify([]byte("x"), signed) != nil {
			t.Errorf("%s: another key", what)
		}
	}
}

func TestReadKeyRefuses(t *testing.T) {
	ed := private(t, "ed25519").(ed25519.PrivateKey)
	good := openSSH(t, ed, "")
	public, err := ssh.NewPublicKey(ed.Public())
	must(t, err)
	for what, c := range map[string]struct {
		text string
		mode os.FileMode
		says []string
	}{
		"readable by all":     {good, 0o644, []string{"others than its owner can read it", "chmod 600"}},
		"by the group":        {good, 0o640, []string{"others than its owner can read it"}},
		"a passphrase":        {openSSH(t, ed, "S3CR3T"), 0o600, []string{"it has a passphrase", "agents are not asked", "ssh-keygen -t ed25519"}},
		"one in PKCS#8":       {inPEM("ENCRYPTED PRIVATE KEY", []byte("0123456789")), 0o600, []string{"it has a passphrase"}},
		"one in old PEM":      {"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", 0o600, []string{"it has a passphrase"}},
		"the public half":     {string(ssh.MarshalAuthorizedKey(public)), 0o600, []string{"no private key that can be read", "not the .pub beside it"}},
		"half of it":          {good[:len(good)/2], 0o600, []string{"no private key that can be read"}},
		"damaged":             {strings.Replace(good, "AAAA", "AABA", 1), 0o600, []string{"no private key that can be read"}},
		"nothing":             {"", 0o600, []string{"no private key that can be read"}},
		"a certificate":       {inPEM("CERTIFICATE", []byte("0")), 0o600, []string{"no private key that can be read"}},
		"more than a key has": {good + strings.Repeat("\n", 64<<10), 0o600, []string{"it is no key file"}},
	} {
		if runtime.GOOS == "windows" && c.mode != 0o600 {
			continue
		}
		path := filepath.Join(t.TempDir(), "a key")
		write(t, path, c.text, c.mode)
		_, err := ReadKey(path)
		if err == nil {
			t.Errorf("%s is taken", what)
			continue
		}
		wantProblem(t, err, problem.Failed, append(c.says, "the SSH key "+path+" cannot be used")...)
		for line := range strings.SplitSeq(c.text, "\n") {
			if len(line) > 3 && strings.Contains(err.Error(), line) {
				t.Errorf("%s: what is in it is repeated: %v", what, err)
			}
		}
	}
	dir := t.TempDir()
	_, err = ReadKey(dir)
	wantProblem(t, err, problem.Failed, "it is no key file")
	_, err = ReadKey(filepath.Join(dir, "no\x1b[2Jne"))
	wantProblem(t, err, problem.Failed, "no[2Jne", "nps.ssh.password")
}
