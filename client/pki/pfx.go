package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"time"

	"go.mozilla.org/pkcs7"
	"software.sslmate.com/src/go-pkcs12"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Encryption is how a PFX is encrypted.
type Encryption string

// The encryptions. Windows reads Modern from Server 2019 on (go-pkcs12, Modern2023); Server 2016 calls the passphrase wrong.
const (
	Modern Encryption = "modern" // PBES2 with PBKDF2 and AES-256, MAC with SHA-256
	Legacy Encryption = "legacy" // 3DES and SHA-1
)

// PFX packs a private key with its certificate and those that vouch for it. The error is for keys and certificates that do
// not fit, an encryption that does not exist, and passphrases outside of Unicode's first 65,536 characters, which PKCS #12
// cannot carry.
func PFX(key crypto.Signer, chain Chained, passphrase secret.Secret, e Encryption) ([]byte, error) {
	return PFXWith(key, chain, passphrase, e, Iterations)
}

// PFXWith is PFX with a key derivation of so many iterations: each makes guessing the passphrase a little slower.
func PFXWith(key crypto.Signer, chain Chained, passphrase secret.Secret, e Encryption, iterations int) ([]byte, error) {
	var encoder *pkcs12.Encoder
	switch e {
	case Modern:
		encoder = pkcs12.Modern2023.WithIterations(iterations)
	case Legacy:
		encoder = pkcs12.LegacyDES.WithIterations(min(iterations, 2048)) // more does not help 3DES, and old programs expect few
	default:
		return nil, problem.New("there is no PFX encryption " + problem.Plain(string(e))).Try("take modern, or legacy for Windows Server 2016").Of(problem.Usage)
	}
	if !sameKey(key.Public(), chain.Leaf.X509.PublicKey) {
		return nil, foreign(key, []Certificate{chain.Leaf})
	}
	var issuers []*x509.Certificate
	for _, c := range chain.Issuers {
		issuers = append(issuers, c.X509)
	}
	raw, err := encoder.Encode(key, chain.Leaf.X509, issuers, passphrase.Wire())
	if err != nil {
		return nil, problem.New("the PFX cannot be made").Because(problem.Plain(err.Error())).Try("take another passphrase, of letters, digits and signs").From(err)
	}
	return raw, nil
}

// P7B packs certificates, without any key, as PKCS #7 in DER.
func P7B(certificates []Certificate) ([]byte, error) {
	var all []byte
	for _, c := range certificates {
		all = append(all, c.X509.Raw...)
	}
	raw, err := pkcs7.DegenerateCertificate(all)
	if err != nil {
		return nil, problem.New("the bundle cannot be made").Because(problem.Plain(err.Error())).From(err)
	}
	return raw, nil
}

// Container is what a PFX holds.
type Container struct {
	Key          crypto.Signer
	Certificates []Certificate // in the order of the file, each once, at least one
}

// ReadPFX reads a PFX file: see ParsePFX.
func ReadPFX(path string, passphrase secret.Secret) (Container, error) {
	raw, err := readFile("PFX file", path)
	if err != nil {
		return Container{}, err
	}
	return ParsePFX(path, raw, passphrase)
}

// ParsePFX opens what a PFX file called name holds, in DER or BER or as Base64. The error is ErrPassphrase when the passphrase
// is missing or wrong.
func ParsePFX(name string, raw []byte, passphrase secret.Secret) (Container, error) {
	c, err := container(raw, passphrase)
	if err == nil {
		return c, nil
	}
	p := problem.New("the file " + problem.Plain(name) + " cannot be opened as PFX").Because(problem.Plain(err.Error())).From(err)
	if errors.Is(err, ErrPassphrase) {
		p.Try("give the passphrase that it was exported with").Of(problem.Usage)
	} else {
		p.Try("export it anew with its private key, encrypted with AES256-SHA256 or TripleDES-SHA1")
	}
	return Container{}, p
}

// openingLimit ends a key derivation that hides its count of iterations inside of what it encrypts: the guard cannot see
// that one.
const openingLimit = 10 * time.Second

func container(raw []byte, passphrase secret.Secret) (Container, error) {
	if len(raw) > sizeLimit {
		return Container{}, errors.New("it is larger than 1 MiB")
	}
	text := plainText(raw)
	if block, _ := pem.Decode(text); block != nil && (block.Type == "PKCS12" || block.Type == "PFX") {
		raw = block.Bytes
	} else if decoded, ok := bareBase64(text); ok {
		raw = decoded
	}
	der, err := definite(raw)
	if err != nil {
		return Container{}, err
	}
	if !strings.HasPrefix(otherContainer(der), "a PKCS #12") {
		return Container{}, errors.New("it is no PKCS #12 file")
	}
	if err := iterationsIn(der); err != nil {
		return Container{}, err
	}
	type opened struct {
		c   Container
		err error
	}
	done := make(chan opened, 1)
	go func() {
		c, err := open(der, passphrase)
		done <- opened{c, err}
	}()
	limit := time.NewTimer(openingLimit)
	defer limit.Stop()
	select {
	case o := <-done:
		return o.c, o.err
	case <-limit.C:
		return Container{}, tooManyIterations()
	}
}

func open(der []byte, passphrase secret.Secret) (out Container, err error) {
	defer func() {
		if recover() != nil {
			out, err = Container{}, errors.New("its parts are not where they should be")
		}
	}()
	key, leaf, issuers, err := pkcs12.DecodeChain(der, passphrase.Wire())
	switch {
	case err != nil && passphrase.Empty() && wrongPassword(err):
		return out, errNoPassphrase
	case err != nil && wrongPassword(err):
		return out, ErrPassphrase
	case err != nil && strings.Contains(err.Error(), "asn1: "):
		return out, errors.New("it is damaged: its parts are not what PKCS #12 has there")
	case err != nil:
		return out, errors.New(strings.TrimPrefix(err.Error(), "pkcs12: "))
	}
	signer, is := key.(crypto.Signer)
	if !is {
		return out, errors.New("its kind of key cannot sign")
	}
	if len(issuers) >= bundleLimit {
		return out, errors.New("it holds too many certificates")
	}
	out.Key = signer
	for _, c := range append([]*x509.Certificate{leaf}, issuers...) {
		if err := tooLarge(c.PublicKey); err != nil {
			return Container{}, err
		}
		out.Certificates = append(out.Certificates, describe(c))
	}
	out.Certificates = unique(out.Certificates)
	return out, nil
}

// wrongPassword goes by the MAC, or by the padding where there is none.
func wrongPassword(err error) bool {
	return errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption)
}

// iterationsIn refuses a PKCS #12 file that would keep the processor busy: all counts of iterations that can be seen, which
// are the integers behind a salt, must not come to more than the limit.
func iterationsIn(der []byte) error {
	sum := 0
	if !countIterations(der, 1, &sum) {
		return tooManyIterations()
	}
	return nil
}

// countIterations walks elements side by side, and into octet strings that hold elements: PKCS #12 nests that way. It is false
// when there are too many.
func countIterations(b []byte, depth int, sum *int) bool {
	salt := false
	for len(b) > 0 {
		w := berWalk{raw: b}
		content, length, err := w.header(0, len(b))
		if err != nil || length < 0 {
			return true // no elements; what reads it will say so
		}
		inside := b[content : content+length]
		switch {
		case b[0] == 0x02 && salt:
			n := number(inside)
			if n < 0 || n > iterationLimit {
				return false
			}
			if *sum += n; *sum > iterationLimit {
				return false
			}
		case (b[0]&0x20 != 0 || b[0] == 0x04) && depth < berDepth:
			if !countIterations(inside, depth+1, sum) {
				return false
			}
		}
		salt = b[0] == 0x04
		b = b[content+length:]
	}
	return true
}

// number reads an integer; what does not fit is -1.
func number(b []byte) int {
	b = bytes.TrimLeft(b, "\x00")
	if len(b) > 4 {
		return -1
	}
	n := 0
	for _, x := range b {
		n = n<<8 | int(x)
	}
	return n
}
