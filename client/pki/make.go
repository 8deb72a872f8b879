package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"npsetup/steps/problem"
)

// KeyKind is what kind of key is made.
type KeyKind string

// The kinds of keys. DefaultKey is RSA, because programs on .NET Framework that use X509Certificate2.PrivateKey take no other,
// and what Auditor uses is not published; 3072 bits, because NIST SP 800-57 lets 2048 end with 2030, and every Windows that
// NPS runs on takes both.
const (
	RSA2048    KeyKind = "rsa-2048"
	RSA3072    KeyKind = "rsa-3072"
	RSA4096    KeyKind = "rsa-4096"
	ECDSAP256  KeyKind = "ecdsa-p256"
	DefaultKey         = RSA3072
)

// KeyKinds are all kinds, the default first.
func KeyKinds() []KeyKind { return []KeyKind{RSA3072, RSA2048, RSA4096, ECDSAP256} }

// NewKey makes a private key.
func NewKey(kind KeyKind) (crypto.Signer, error) {
	switch kind {
	case RSA2048:
		return rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		return rsa.GenerateKey(rand.Reader, 4096)
	case ECDSAP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	var known []string
	for _, k := range KeyKinds() {
		known = append(known, string(k))
	}
	return nil, problem.New("there is no kind of key " + problem.Plain(string(kind))).Try("take one of " + strings.Join(known, ", ")).Of(problem.Usage)
}

// longestName is RFC 5280's ub-common-name, which Windows' authorities enforce.
const longestName = 64

// CheckName says whether a text can be the common name of a certificate: 1 to 64 characters, none of them hidden. Umlauts,
// blanks and quotes are fine.
func CheckName(name string) error {
	bad := func(why, next string) error {
		return problem.New("the name " + problem.Plain(name) + " cannot stand in a certificate").Because(why).Try(next).Of(problem.Usage)
	}
	switch {
	case name == "":
		return problem.New("the certificate has no name").Try("give one, such as NetwrixAuditor").Of(problem.Usage)
	case !utf8.ValidString(name):
		return bad("it is not UTF-8", "type it anew")
	case problem.Plain(name) != name:
		return bad("it holds control characters or hidden marks", "type it instead of pasting it")
	case strings.TrimSpace(name) != name:
		return bad("it begins or ends with a blank", "leave the blank out")
	case utf8.RuneCountInString(name) > longestName:
		return bad(fmt.Sprintf("it has more than %d characters", longestName), "take a shorter one")
	}
	return nil
}

// NewSelfSigned makes the certificate of a client that vouches for nobody: CA:FALSE and digitalSignature, both critical,
// and clientAuth. keyEncipherment is left out: a client only signs (RFC 8446, 4.4.2.3). from and to are cut to seconds.
func NewSelfSigned(name string, key crypto.Signer, from, to time.Time) (Certificate, error) {
	if err := CheckName(name); err != nil {
		return Certificate{}, err
	}
	if !from.Before(to) {
		return Certificate{}, problem.New("the certificate would never be valid").Because("it would end before it begins").Try("give more days").Of(problem.Usage)
	}
	serial, err := newSerial()
	if err != nil {
		return Certificate{}, err
	}
	id, err := keyID(key.Public())
	if err != nil {
		return Certificate{}, err
	}
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: from.UTC(), NotAfter: to.UTC(), SignatureAlgorithm: signature(key),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true, SubjectKeyId: id,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return Certificate{}, problem.New("the certificate cannot be made").Because(problem.Plain(err.Error())).From(err)
	}
	c, err := parse(der)
	if err != nil {
		return Certificate{}, err
	}
	return describe(c), nil
}

// newSerial is a random number of 16 bytes whose first one lies between 40 and 7F: it has neither a 00 in front nor a digit
// that a careless program would drop, so that all programs write it alike.
func newSerial() (*big.Int, error) {
	b := make([]byte, 16)
	if _, err := rand.Read(b); err != nil {
		return nil, err
	}
	b[0] = b[0]&0x3f | 0x40
	return new(big.Int).SetBytes(b), nil
}

// signature is SHA-256 with whatever the key is.
func signature(key crypto.Signer) x509.SignatureAlgorithm {
	if _, is := key.Public().(*rsa.PublicKey); is {
		return x509.SHA256WithRSA
	}
	if _, is := key.Public().(*ecdsa.PublicKey); is {
		return x509.ECDSAWithSHA256
	}
	return x509.UnknownSignatureAlgorithm // crypto/x509 goes by the key
}

// keyID is RFC 7093's method 1: the first 160 bits of the SHA-256 of the key's bits.
func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, err
	}
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20], nil
}

// KeyFingerprint is what tells keys apart: the SHA-256 of the public key's SubjectPublicKeyInfo, lower-case hex. Empty for
// kinds of keys that crypto/x509 does not know.
func KeyFingerprint(public crypto.PublicKey) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// PEM writes certificates as text, one behind the other.
func PEM(certificates ...Certificate) []byte {
	var out []byte
	for _, c := range certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.X509.Raw})...)
	}
	return out
}
