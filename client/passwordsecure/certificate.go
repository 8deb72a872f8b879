package passwordsecure

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// Certificate is what a server presented. Trusted says whether Options.Chain took it; Reason why not, in words. Notes tell what is peculiar
// to certificates that Password Secure makes for itself.
type Certificate struct {
	Subject, Issuer     string
	Names               []string // DNS names and IP numbers
	NotBefore, NotAfter time.Time
	SHA256              string // 64 lower-case hex digits
	SelfSigned          bool
	Trusted             bool
	Reason              string
	Import              string // what has to lie in which store of NPS so that it trusts this certificate, and how it gets there
	Notes               []string
}

// verify is Options.Chain by the operating system's authorities.
func verify(host string, chain []*x509.Certificate, now time.Time) error {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Intermediates: between, CurrentTime: now})
	return err
}

// describe judges the certificates that a host presented; chain has at least one.
func (c *Client) describe(host string, chain []*x509.Certificate) Certificate {
	leaf := chain[0]
	sum := sha256.Sum256(leaf.Raw)
	out := Certificate{
		Subject: shorten(leaf.Subject.String(), 200), Issuer: shorten(leaf.Issuer.String(), 200), NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter,
		SHA256: hex.EncodeToString(sum[:]), SelfSigned: leaf.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil && slices.Equal(leaf.RawSubject, leaf.RawIssuer),
	}
	for _, n := range leaf.DNSNames {
		out.Names = append(out.Names, shorten(n, 200))
	}
	for _, ip := range leaf.IPAddresses {
		out.Names = append(out.Names, ip.String())
	}
	err := c.o.Chain(host, chain)
	if out.Trusted = err == nil; err != nil {
		out.Reason = shorten(err.Error(), 400)
	}
	out.Import = imported(chain, out.SelfSigned)
	out.Notes = pitfalls(host, leaf, out.SelfSigned)
	return out
}

// imported says which certificate NPS has to have for a chain. What is not self-signed never goes into Trusted Root, where it would make IIS refuse
// every client certificate (Microsoft KB 2802568).
func imported(chain []*x509.Certificate, selfSigned bool) string {
	const root = "import it on every NPS node with an action service, as an administrator: certutil -addstore -f Root FILE.cer (certlm.msc shows it under Trusted Root Certification Authorities)"
	if selfSigned {
		return "export it on the Password Secure server as FILE.cer (certlm.msc > Personal > Certificates > All Tasks > Export, without the private key), and " + root
	}
	top := chain[len(chain)-1]
	what := "the root above " + shorten(top.Issuer.String(), 200)
	if slices.Equal(top.RawSubject, top.RawIssuer) {
		what = "the root " + shorten(top.Subject.String(), 200)
	}
	return "have the certificate of " + what + " as FILE.cer, and " + root + "; an authority between the two: certutil -addstore -f CA FILE.cer (Intermediate Certification Authorities); never the server's certificate itself"
}

// pitfalls explains what is peculiar to the connection certificate of Password Secure, by the vendor's page on it: it is self-made,
// in the machine's personal store as PSR8Server, holds host name and IP numbers all as DNS names, and has no end before the year 9999.
func pitfalls(host string, leaf *x509.Certificate, selfSigned bool) []string {
	var notes []string
	own := strings.EqualFold(leaf.Subject.CommonName, "PSR8Server")
	if own || selfSigned {
		notes = append(notes, "it is one that Password Secure makes for itself (PSR8Server), or its like: better give Password Secure a certificate of your authority than tick Skip Certificate Check")
	}
	if ip := net.ParseIP(host); ip != nil && asName(leaf, ip) {
		notes = append(notes, "it holds the IP number "+host+" as a DNS name, which does not count for connections to an IP number: use a host name out of "+few(hosts(leaf)))
	}
	if leaf.NotAfter.Year() >= 9999 {
		notes = append(notes, fmt.Sprintf("it is valid to the year %d, which is how Password Secure writes that it never ends: nothing will remind of it, and a lost key stays good for ever", leaf.NotAfter.Year()))
	}
	return notes
}

// asName says whether a number stands in a certificate as a DNS name and not as what it is.
func asName(leaf *x509.Certificate, ip net.IP) bool {
	is := func(other net.IP) bool { return other.Equal(ip) }
	return !slices.ContainsFunc(leaf.IPAddresses, is) && slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return is(net.ParseIP(n)) })
}

// hosts are the names of a certificate that are names.
func hosts(leaf *x509.Certificate) []string {
	var names []string
	for _, n := range leaf.DNSNames {
		if net.ParseIP(n) == nil {
			names = append(names, shorten(n, 200))
		}
	}
	return names
}

func few(names []string) string {
	switch {
	case len(names) == 0:
		return "none: it holds no host name"
	case len(names) > 6:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:6], ", "), len(names)-6)
	}
	return strings.Join(names, ", ")
}
