package pki

import (
	"crypto"
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func TestKeysComeBack(t *testing.T) {
	for kind, key := range map[KeyKind]crypto.Signer{RSA2048: rsaKey(t, 2048), ECDSAP256: ecKey(t)} {
		for _, words := range []string{"", "a passphrase", "Grüße 😀"} {
			path := filepath.Join(t.TempDir(), "new", "auditor.key")
			if err := WriteKey(path, key, secret.New(words)); err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			got, err := ReadKeyWith(path, secret.New(words))
			if err != nil || !sameKey(got.Public(), key.Public()) {
				t.Fatalf("%s: %v", kind, err)
			}
			raw, err := os.ReadFile(path)
			must(t, err)
			if encrypted := strings.Contains(string(raw), "BEGIN ENCRYPTED PRIVATE KEY"); encrypted != (words != "") {
				t.Errorf("%s with %q: encrypted %v", kind, words, encrypted)
			}
			if runtime.GOOS != "windows" {
				for what, want := range map[string]fs.FileMode{path: 0o600, filepath.Dir(path): 0o700 | fs.ModeDir} {
					if info, err := os.Stat(what); err != nil || info.Mode() != want {
						t.Errorf("%s has mode %v, %v", what, info.Mode(), err)
					}
				}
			}
		}
	}
}

func TestEncryptedKeyNeedsItsPassphrase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "auditor.key")
	must(t, WriteKey(path, ecKey(t), secret.New("the right one")))
	if _, err := ReadKey(path); !errors.Is(err, ErrPassphrase) || !strings.Contains(err.Error(), "encrypted with a passphrase") {
		t.Errorf("none: %v", err)
	}
	if _, err := ReadKeyWith(path, secret.New("a wrong one")); !errors.Is(err, ErrPassphrase) || !problem.Is(err, problem.Usage) {
		t.Errorf("wrong: %v", err)
	}
}

func TestFilesAreNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	there, dangling := filepath.Join(dir, "there.key"), filepath.Join(dir, "dangling.key")
	must(t, os.WriteFile(there, []byte("mine"), 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "folder.key"), 0o700))
	if err := os.Symlink(filepath.Join(dir, "elsewhere"), dangling); err != nil {
		t.Skip("SKIPPED: symbolic links cannot be made, so it was not tested that none is followed: ", err)
	}
	for _, path := range []string{there, dangling, filepath.Join(dir, "folder.key")} {
		err := WriteKey(path, ecKey(t), secret.Secret{})
		if !errors.Is(err, fs.ErrExist) || len(problem.All(err)[0].Next) == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
	if raw, err := os.ReadFile(there); err != nil || string(raw) != "mine" {
		t.Errorf("%q %v", raw, err)
	}
	entries, err := os.ReadDir(dir)
	must(t, err)
	if len(entries) != 3 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestFoldersThatAreNotSafe(t *testing.T) {
	dir := t.TempDir()
	real, link, open, file := filepath.Join(dir, "real"), filepath.Join(dir, "link"), filepath.Join(dir, "open"), filepath.Join(dir, "file")
	must(t, os.Mkdir(real, 0o700))
	must(t, os.Mkdir(open, 0o700))
	must(t, os.WriteFile(file, nil, 0o600))
	if err := os.Symlink(real, link); err != nil {
		t.Skip("SKIPPED: symbolic links cannot be made, so it was not tested that none is followed: ", err)
	}
	for folder, says := range map[string]string{link: "symbolic link", open: "others than its owner", file: "not a directory"} {
		if runtime.GOOS == "windows" && folder != link {
			continue
		}
		if folder == open {
			must(t, os.Chmod(open, 0o777))
		}
		err := WriteKey(filepath.Join(folder, "a.key"), ecKey(t), secret.Secret{})
		if err == nil || !strings.Contains(err.Error(), says) || len(problem.All(err)[0].Next) == 0 {
			t.Errorf("%s: %v", folder, err)
		}
	}
	if entries, _ := os.ReadDir(real); len(entries) != 0 {
		t.Errorf("written through the link: %v", entries)
	}
}

// Of several who write one file at a time one succeeds, and what it wrote is there whole.
func TestWritingHasOneWinner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	texts := []string{"one", "two", "three", "four"}
	errs := make([]error, len(texts))
	var wg sync.WaitGroup
	for i, text := range texts {
		wg.Go(func() { errs[i] = WriteFile(path, []byte(text), 0o600) })
	}
	wg.Wait()
	raw, err := os.ReadFile(path)
	must(t, err)
	won := 0
	for i, err := range errs {
		if err == nil {
			won++
			if string(raw) != texts[i] {
				t.Errorf("%s won, and %q is there", texts[i], raw)
			}
		} else if !errors.Is(err, fs.ErrExist) {
			t.Error(err)
		}
	}
	entries, _ := os.ReadDir(filepath.Dir(path))
	if won != 1 || len(entries) != 1 {
		t.Errorf("%d won, %v", won, entries)
	}
}

func TestReadKeyInDER(t *testing.T) {
	rs, ec := rsaKey(t, 2048), ecKey(t)
	rsa8, err := x509.MarshalPKCS8PrivateKey(rs)
	must(t, err)
	ec8, err := x509.MarshalPKCS8PrivateKey(ec)
	must(t, err)
	sec1, err := x509.MarshalECPrivateKey(ec)
	must(t, err)
	sealed, err := sealKey(rsa8, secret.New("x"), 1000)
	must(t, err)
	for name, c := range map[string]struct {
		raw  []byte
		pass string
	}{"PKCS #8 RSA": {rsa8, ""}, "SEC 1": {sec1, ""}, "PKCS #8 EC": {ec8, ""}, "PKCS #1": {x509.MarshalPKCS1PrivateKey(rs), ""}, "encrypted": {sealed, "x"}} {
		if _, err := ParseKey("a.key", c.raw, secret.New(c.pass)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
