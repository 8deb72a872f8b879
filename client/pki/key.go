package pki

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"runtime"
	"strings"

	"npsetup/steps/problem"
)

// ReadKey reads an unencrypted private key: PEM with PKCS #8, PKCS #1 or SEC 1. A file that others can read is refused.
func ReadKey(path string) (crypto.Signer, error) {
	bad := func(why string, next ...string) (crypto.Signer, error) {
		return nil, problem.New("the private key " + problem.Plain(path) + " cannot be used").Because(why).Try(next...)
	}
	info, err := os.Stat(path)
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is there, or leave application.key out: it is optional")
	}
	if !info.Mode().IsRegular() {
		return bad("a folder or a device is no key file", "name the key file itself")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return bad("others than its owner can read it", "chmod 600 '"+strings.ReplaceAll(problem.Plain(path), "'", `'\''`)+"'")
	}
	if info.Size() > sizeLimit {
		return bad("it is larger than 1 MiB", "name the key file")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	// openssl puts EC PARAMETERS in front of a key, and people keep the certificate in the same file.
	block, rest := pem.Decode(raw)
	for block != nil && !strings.HasSuffix(block.Type, "PRIVATE KEY") {
		next, after := pem.Decode(rest)
		if next == nil {
			break
		}
		block, rest = next, after
	}
	if block == nil {
		return bad("it is not PEM", "convert it: openssl pkcs8 -topk8 -nocrypt")
	}
	key, err := parseKey(block)
	if err != nil {
		return bad(err.Error(), "give a key without passphrase, mode 0600, as PKCS #8 in PEM")
	}
	return key, nil
}

func parseKey(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, errors.New("it is encrypted with a passphrase")
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	if k, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, errors.New("it holds no private key that can be read")
	}
	s, is := k.(crypto.Signer)
	if !is {
		return nil, errors.New("its kind of key cannot sign")
	}
	return s, nil
}

// Matches says whether a private key belongs to a certificate.
func Matches(c Certificate, key crypto.Signer) error {
	public, is := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !is || !public.Equal(c.X509.PublicKey) {
		return problem.New("application.key is not the key of application.certificate").Because(errMismatch.Error()).
			Try("name the key that was made with this certificate, or leave application.key out: it is optional").From(errMismatch)
	}
	return nil
}
