package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"strings"
)

// SerialPlain is the serial number without the 00 in front of a high bit, as openssl and others print it.
func (c Certificate) SerialPlain() string {
	s := c.Serial
	for len(s) > 2 && strings.HasPrefix(s, "00") {
		s = s[2:]
	}
	return s
}

// Key describes the public key, such as RSA 2048, ECDSA P-256 or Ed25519.
func (c Certificate) Key() string { return DescribeKey(c.X509.PublicKey) }

// Key describes the public key that the request names.
func (r Request) Key() string { return DescribeKey(r.X509.PublicKey) }

// DescribeKey describes a public key, such as RSA 2048, ECDSA P-256 or Ed25519.
func DescribeKey(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "of a kind that is not known here"
}

// SignedWith names the algorithm of the certificate's signature.
func (c Certificate) SignedWith() string {
	if c.X509.SignatureAlgorithm == x509.UnknownSignatureAlgorithm {
		return "an algorithm that is not known here"
	}
	return c.X509.SignatureAlgorithm.String()
}

// KeyUsages are RFC 5280's names of the key usages; none when the extension is missing.
func (c Certificate) KeyUsages() []string {
	names := []string{
		"digitalSignature", "contentCommitment", "keyEncipherment", "dataEncipherment", "keyAgreement", "keyCertSign", "cRLSign",
		"encipherOnly", "decipherOnly",
	}
	var out []string
	for bit, name := range names {
		if c.X509.KeyUsage&(1<<bit) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// ExtKeyUsages are RFC 5280's names of the extended key usages, or their object identifiers; none when the extension is
// missing, which Windows reads as every purpose.
func (c Certificate) ExtKeyUsages() []string {
	names := map[x509.ExtKeyUsage]string{
		x509.ExtKeyUsageAny: "anyExtendedKeyUsage", x509.ExtKeyUsageServerAuth: "serverAuth", x509.ExtKeyUsageClientAuth: "clientAuth",
		x509.ExtKeyUsageCodeSigning: "codeSigning", x509.ExtKeyUsageEmailProtection: "emailProtection",
		x509.ExtKeyUsageTimeStamping: "timeStamping", x509.ExtKeyUsageOCSPSigning: "OCSPSigning",
	}
	var out []string
	for _, u := range c.X509.ExtKeyUsage {
		name, ok := names[u]
		if !ok {
			name = fmt.Sprintf("purpose %d", u)
		}
		out = append(out, name)
	}
	for _, oid := range c.X509.UnknownExtKeyUsage {
		out = append(out, oid.String())
	}
	return out
}
