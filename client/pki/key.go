package pki

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"runtime"
	"strings"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// encryptedKey is the PEM type of an encrypted PKCS #8 key.
const encryptedKey = "ENCRYPTED PRIVATE KEY"

// keyLimit is the largest private key in DER: one of 16384 bits has some nine kilobytes. Checking larger ones takes seconds.
const keyLimit = 16 << 10

// ReadKey reads an unencrypted private key: see ReadKeyWith.
func ReadKey(path string) (crypto.Signer, error) { return ReadKeyWith(path, secret.Secret{}) }

// ReadKeyWith reads a private key: PEM or DER with PKCS #8, PKCS #1 or SEC 1. An encrypted one (PKCS #8 with PBES2) needs the
// passphrase; the error is ErrPassphrase when that is missing or wrong, and fs.ErrNotExist for a file that is not there. A file that others can read is refused.
func ReadKeyWith(path string, passphrase secret.Secret) (crypto.Signer, error) {
	bad := func(why string, next ...string) (crypto.Signer, error) {
		return nil, problem.New("the private key " + problem.Plain(path) + " cannot be used").Because(why).Try(next...)
	}
	info, err := os.Stat(path) // opening a pipe would wait for its other end
	if err != nil {
		return nil, problem.New("the private key " + problem.Plain(path) + " cannot be used").Because(problem.Plain(err.Error())).
			Try("name a file that is there").From(err)
	}
	if !info.Mode().IsRegular() {
		return bad("a folder or a device is no key file", "name the key file itself")
	}
	f, err := os.Open(path)
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	defer func() { _ = f.Close() }()
	if info, err = f.Stat(); err != nil { // of what is read, whatever the name leads to by now
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return bad("others than its owner can read it", "chmod 600 '"+strings.ReplaceAll(problem.Plain(path), "'", `'\''`)+"'")
	}
	raw, err := io.ReadAll(io.LimitReader(f, sizeLimit+1))
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	return ParseKey(path, raw, passphrase)
}

// ParseKey reads the private key in what a file called name holds.
func ParseKey(name string, raw []byte, passphrase secret.Secret) (crypto.Signer, error) {
	key, err := privateKey(raw, passphrase)
	if err == nil {
		return key, nil
	}
	p := problem.New("the private key " + problem.Plain(name) + " cannot be used").Because(problem.Plain(err.Error())).From(err)
	switch {
	case !errors.Is(err, ErrPassphrase):
		p.Try("name the file of the private key itself: PKCS #8, PKCS #1 or SEC 1, as PEM or DER; npsetup cert inspect FILE tells what a file holds")
	case passphrase.Empty():
		p.Try("give a key without passphrase, mode 0600: openssl pkcs8 -topk8 -nocrypt -in FILE -out NEW")
	default:
		p.Try("give the passphrase that it was written with").Of(problem.Usage)
	}
	return nil, p
}

func privateKey(raw []byte, passphrase secret.Secret) (crypto.Signer, error) {
	if len(raw) > sizeLimit {
		return nil, errors.New("it is larger than 1 MiB")
	}
	raw = plainText(raw)
	block, is := keyBlock(raw)
	if !is {
		if decoded, ok := bareBase64(raw); ok {
			raw = decoded
		}
		what := otherContainer(raw)
		switch {
		case what == "":
			return nil, errors.New("it holds no private key that can be read")
		case !strings.HasPrefix(what, "a private key"):
			return nil, errors.New("it is " + what)
		}
		block = &pem.Block{Bytes: raw}
		if strings.HasSuffix(what, "encrypted") {
			block.Type = encryptedKey
		}
	}
	if len(block.Bytes) > keyLimit {
		return nil, errors.New("it is larger than any private key")
	}
	return parseKey(block, passphrase)
}

// keyBlock finds the private key in PEM text. openssl puts EC PARAMETERS in front of one, and people keep the certificate in
// the same file.
func keyBlock(raw []byte) (*pem.Block, bool) {
	var first *pem.Block
	for rest := raw; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return first, first != nil
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return block, true
		}
		if first == nil {
			first = block
		}
	}
}

func parseKey(block *pem.Block, passphrase secret.Secret) (crypto.Signer, error) {
	der := block.Bytes
	if block.Headers["DEK-Info"] != "" { // no passphrase would help
		return nil, errors.New("it is encrypted in an old way, which is not read; convert it: openssl pkcs8 -topk8 -v2 aes256 -in FILE -out NEW")
	}
	if strings.Contains(block.Type, "CERTIFICATE") {
		return nil, errors.New("it holds a certificate or a request, and no private key")
	}
	sealed := block.Type == encryptedKey
	if sealed {
		var err error
		if der, err = openKey(der, passphrase); err != nil {
			return nil, err
		}
	}
	key, err := plainKey(withoutLineEnd(der))
	if err != nil && sealed {
		return nil, ErrPassphrase // one wrong passphrase in 256 leaves a right padding
	}
	return key, err
}

func plainKey(der []byte) (crypto.Signer, error) {
	var key any
	var err error
	if key, err = x509.ParsePKCS1PrivateKey(der); err != nil {
		if key, err = x509.ParseECPrivateKey(der); err != nil {
			if key, err = x509.ParsePKCS8PrivateKey(der); err != nil {
				return nil, errors.New("it holds no private key that can be read")
			}
		}
	}
	if k, is := key.(*rsa.PrivateKey); is && k.N.BitLen() > largestRSA {
		return nil, errLargeKey
	}
	s, is := key.(crypto.Signer)
	if !is {
		return nil, errors.New("its kind of key cannot sign")
	}
	return s, nil
}

// Matches says whether a private key belongs to a certificate.
func Matches(c Certificate, key crypto.Signer) error {
	if !sameKey(key.Public(), c.X509.PublicKey) {
		return problem.New("application.key is not the key of application.certificate").Coded(problem.KeyDoesNotFit).
			Because(errMismatch.Error() + ": its public key is sha256:" + KeyFingerprint(key.Public()) + ", the certificate's sha256:" + KeyFingerprint(c.X509.PublicKey)).
			Try("name the key that was made with this certificate").From(errMismatch)
	}
	return nil
}
