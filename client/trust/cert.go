package trust

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// Cert is one certificate in words. All texts are harmless to print.
type Cert struct {
	Subject, Issuer     string   // most specific part first, as Windows shows it
	SANs                []string // DNS names, IP numbers, mail addresses, URIs
	NotBefore, NotAfter time.Time
	SHA256, SHA1        string   // of the DER, lower-case hex without colons
	SelfSigned          bool     // issuer is subject, and its own key made the signature
	IsCA                bool     // basicConstraints says CA:TRUE
	PublicKey           string   // SHA-256 of the SubjectPublicKeyInfo, base64, as curl's --pinnedpubkey wants it
	KeyDescription      string   // such as RSA 2048, ECDSA P-256, Ed25519
	Serial              string   // upper-case hex of all DER bytes, even number of digits
	CRLs                []string // where its revocation lists are said to be
}

// Describe puts a parsed certificate into words.
func Describe(c *x509.Certificate) Cert {
	key := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	s256, s1 := sha256.Sum256(c.Raw), sha1.Sum(c.Raw) // SHA-1 is Windows' thumbprint: for finding, not for trusting
	out := Cert{
		Subject: distinguishedName(c.RawSubject, c.Subject.String()), Issuer: distinguishedName(c.RawIssuer, c.Issuer.String()),
		NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		SHA256: hex.EncodeToString(s256[:]), SHA1: hex.EncodeToString(s1[:]),
		SelfSigned: selfSigned(c), IsCA: c.BasicConstraintsValid && c.IsCA,
		PublicKey: base64.StdEncoding.EncodeToString(key[:]), KeyDescription: keyDescription(c), Serial: serial(c),
	}
	for _, n := range c.DNSNames {
		out.SANs = append(out.SANs, problem.Plain(n))
	}
	for _, ip := range c.IPAddresses {
		out.SANs = append(out.SANs, ip.String())
	}
	for _, n := range c.EmailAddresses {
		out.SANs = append(out.SANs, problem.Plain(n))
	}
	for _, u := range c.URIs {
		out.SANs = append(out.SANs, problem.Plain(u.String()))
	}
	for _, u := range c.CRLDistributionPoints {
		out.CRLs = append(out.CRLs, problem.Plain(u))
	}
	return out
}

// selfSigned counts an outdated signature algorithm, which Go does not verify any more, as its own: the names are equal,
// and nothing is trusted because of the answer.
func selfSigned(c *x509.Certificate) bool {
	if string(c.RawSubject) != string(c.RawIssuer) {
		return false
	}
	err := c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	var old x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &old)
}

func keyDescription(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	default:
		return c.PublicKeyAlgorithm.String()
	}
}

// serial goes by the DER: a number printed by math/big loses a leading zero digit and the 00 in front of a high bit.
func serial(c *x509.Certificate) string {
	der, err := asn1.Marshal(c.SerialNumber)
	if err != nil {
		return ""
	}
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return ""
	}
	return strings.ToUpper(hex.EncodeToString(v.Bytes))
}

func orNone(s string) string {
	if s == "" {
		return "(none)"
	}
	return s
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02") }

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// named is a host as a text for people.
func named(host string) string {
	if host == "" {
		return "the server"
	}
	return problem.Plain(host)
}
