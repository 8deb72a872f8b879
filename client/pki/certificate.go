// Package pki reads certificates and keys from files and judges them. It connects to nothing and installs nothing.
package pki

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // Windows' thumbprint
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"npsetup/steps/problem"
)

// sizeLimit is the largest certificate file that is read: real ones have a few kilobytes.
const sizeLimit = 1 << 20

// Certificate is one certificate with what people compare.
type Certificate struct {
	X509        *x509.Certificate
	Subject     string
	Issuer      string
	Serial      string // as .NET and Windows write it: the bytes of the DER integer, upper-case hex
	SHA1        string // Windows' thumbprint, lower-case hex
	SHA256      string
	SelfSigned  bool
	CAFlag      bool
	CAFlagKnown bool // basicConstraints is there
	ClientAuth  bool
}

// ReadCertificate reads a file with exactly one certificate: DER, PEM, or bare Base64.
func ReadCertificate(path string) (Certificate, error) {
	raw, err := readFile("certificate file", path)
	if err != nil {
		return Certificate{}, err
	}
	return ParseCertificate(path, raw)
}

// ParseCertificate reads what a file called name holds.
func ParseCertificate(name string, raw []byte) (Certificate, error) {
	bad := func(why string, next ...string) (Certificate, error) {
		return Certificate{}, problem.New("the file " + problem.Plain(name) + " cannot be used as Auditor's certificate").Because(why).Try(next...)
	}
	const again = "export the certificate alone: No, do not export the private key, then DER encoded binary"
	if len(raw) > sizeLimit {
		return bad("it is larger than 1 MiB", again)
	}
	if raw = plainText(raw); len(bytes.TrimSpace(raw)) == 0 {
		return bad("it is empty", again)
	}
	found, key := pemCertificates(raw)
	if key {
		return bad("it holds a private key", "delete this copy: a private key belongs on Auditor's server only", again)
	}
	if len(found) == 0 {
		der := raw
		if decoded, ok := bareBase64(raw); ok {
			der = decoded
		}
		what := otherArmour(raw)
		if what == "" {
			what = otherContainer(der)
		}
		if what != "" {
			return bad("it is "+what, again)
		}
		if said, is := sayingIn(raw); is {
			return Certificate{}, problem.New("the file " + problem.Plain(name) + " cannot be used as Auditor's certificate").Because(said.why).Coded(problem.CertificateNotIssued).Try(said.next)
		}
		var why string
		if found, why = split(der); why != "" {
			return bad(why, again)
		}
	}
	if len(found) > 1 {
		return bad(fmt.Sprintf("it holds %d certificates: %s", len(found), subjects(found)), "export only the client certificate of Auditor, without its chain")
	}
	c, err := parse(found[0])
	if errors.Is(err, errLargeKey) {
		return bad(err.Error(), again)
	}
	if err != nil {
		return bad("it holds no certificate that can be read", again)
	}
	return describe(c), nil
}

// pemCertificates gives the certificates of PEM text and whether a private key stands beside them.
func pemCertificates(raw []byte) (found [][]byte, key bool) {
	for rest := raw; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found, key || bytes.Contains(raw, []byte("PRIVATE KEY-----"))
		}
		switch {
		case strings.Contains(block.Type, "PRIVATE KEY"):
			key = true
		case strings.Contains(block.Type, "CERTIFICATE") && !strings.Contains(block.Type, "REQUEST"):
			found = append(found, block.Bytes)
		}
	}
}

func bareBase64(raw []byte) ([]byte, bool) {
	text := strings.Join(strings.Fields(string(raw)), "")
	der, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text, "="))
	return der, err == nil && len(der) > 2 && der[0] == 0x30
}

// bundleWords names a PKCS #7 file.
const bundleWords = "a PKCS #7 bundle (.p7b)"

// otherContainer recognises by their first object what people take for a certificate.
func otherContainer(der []byte) string {
	if berBundle(der) {
		return bundleWords
	}
	var seq asn1.RawValue
	if _, err := asn1.Unmarshal(der, &seq); err != nil || seq.Tag != asn1.TagSequence {
		return ""
	}
	var first asn1.RawValue
	if _, err := asn1.Unmarshal(seq.Bytes, &first); err != nil {
		return ""
	}
	switch first.Tag {
	case asn1.TagOID:
		return bundleWords
	case asn1.TagInteger:
		var version int
		if _, err := asn1.Unmarshal(first.FullBytes, &version); err == nil && version == 3 {
			return "a PKCS #12 file (.pfx), which holds a private key"
		}
		return "a private key"
	case asn1.TagSequence:
		return otherSequence(seq.FullBytes, first.Bytes)
	}
	return ""
}

func subjects(ders [][]byte) string {
	var names []string
	for i, der := range ders {
		if i == 5 {
			names = append(names, "…")
			break
		}
		if c, err := parse(der); err == nil {
			names = append(names, describe(c).Subject)
		} else {
			names = append(names, "(cannot be read)")
		}
	}
	return strings.Join(names, "; ")
}

func describe(c *x509.Certificate) Certificate {
	s1, s256 := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // shown, not trusted
	d := Certificate{
		X509: c, Subject: distinguishedName(c.RawSubject, c.Subject.String()), Issuer: distinguishedName(c.RawIssuer, c.Issuer.String()), Serial: SerialOf(c), SHA1: hex.EncodeToString(s1[:]), SHA256: hex.EncodeToString(s256[:]),
		CAFlag: c.IsCA, CAFlagKnown: c.BasicConstraintsValid,
	}
	d.SelfSigned = bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
	for _, u := range c.ExtKeyUsage {
		d.ClientAuth = d.ClientAuth || u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageAny
	}
	return d
}

// errMismatch is kept apart so that callers can tell it from unreadable files.
var errMismatch = errors.New("the private key does not belong to the certificate")
