package pki

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// Level is how grave a remark is.
type Level int

// The levels.
const (
	Warn   Level = iota
	Refuse       // must not be used
)

// Remark is one thing about a certificate.
type Remark struct {
	Level          Level
	Text, Why, Try string
	Code           problem.Code // of a refusal
}

// Problem is the refusal as an error.
func (r Remark) Problem() *problem.Problem {
	return problem.New(r.Text).Because(r.Why).Coded(r.Code).Try(r.Try)
}

// Check judges a certificate as Auditor's at a moment, best by the server's clock, wherever it comes from. What its missing
// purposes forbid is Windows' reading: none named is every purpose, others named are those alone.
func Check(c Certificate, now time.Time) []Remark {
	rs := checkStrength(c, now, "Auditor's client certificate", renewal(c), false)
	if !windowsSigns(c) {
		rs = append(rs, Remark{Refuse, "Auditor's client certificate has a key " + keyWords(c), "Windows signs in TLS with RSA and ECDSA keys only", renewal(c), problem.ClientCertificateUnfit})
	}
	if authority(c) {
		return append(rs, authorityInstead(c))
	}
	rs = append(rs, checkUsages(c)...)
	if c.SelfSigned && (c.CAFlag || !c.CAFlagKnown) {
		rs = append(rs, Remark{
			Warn, "in Trusted Root, this certificate could vouch for others (its CA flag is set or missing): whoever holds its key can then vouch for any certificate to the NPS server; remove it there when it is no longer used",
			"basic constraints with CA:FALSE rule that out, and this certificate does not have them", "take a certificate that npsetup cert new makes, or one from an authority", "",
		})
	}
	return rs
}

// authority says whether a certificate is one of an authority. One that signs itself and says that its key is for signatures may be what
// Auditor generated.
func authority(c Certificate) bool {
	return c.CAFlag && (!c.SelfSigned || c.X509.KeyUsage != 0 && c.X509.KeyUsage&x509.KeyUsageDigitalSignature == 0)
}

// windowsSigns goes by Schannel's list of signature algorithms, which has neither Ed25519 nor, since TLS 1.2, DSA.
func windowsSigns(c Certificate) bool {
	switch c.X509.PublicKey.(type) {
	case *rsa.PublicKey, *ecdsa.PublicKey:
		return true
	}
	return false
}

func keyWords(c Certificate) string {
	if _, is := c.X509.PublicKey.(ed25519.PublicKey); is {
		return "of the kind Ed25519"
	}
	return c.Key()
}

// CheckAnswer judges what belongs to a key that was made here, as Check does, but lets no authority's certificate through: only
// what Auditor itself generated may have the flag of one, for nobody can tell Auditor otherwise.
func CheckAnswer(c Certificate, now time.Time) []Remark {
	rs := Check(c, now)
	if !c.CAFlag || authority(c) {
		return rs
	}
	return append(slices.DeleteFunc(rs, func(r Remark) bool { return r.Level == Warn }), authorityInstead(c))
}

func authorityInstead(c Certificate) Remark {
	return Remark{
		Refuse, "this is the certificate of an authority, and no client's", "its basic constraints say CA:TRUE: whoever has its key can issue certificates for anybody",
		"take the certificate that was issued for the request; if " + c.Subject + " is that one, " + forClients, problem.ClientCertificateUnfit,
	}
}

// renewal is how one gets another certificate of the same origin.
func renewal(c Certificate) string {
	if c.SelfSigned {
		return "generate a new certificate in Auditor (Settings > Privilege Secure) and export it again, or make one with npsetup cert new"
	}
	return "ask the authority for another one"
}

// forClients is what to ask an authority for. That of AD CS's own templates Workstation Authentication and Computer are for
// clients, and that Web Server is not, is in Microsoft's list of default templates.
const forClients = "ask for one of a template with Client Authentication (1.3.6.1.5.5.7.3.2) and digital signature: in AD CS a copy of Workstation Authentication or Computer that takes the subject from the request, and not Web Server"

// CheckServer judges the certificate of a server, such as NPS's own, at a moment; names and purposes aside.
func CheckServer(c Certificate, now time.Time) []Remark {
	return checkStrength(c, now, "the server's certificate", "have it issued anew, and select it in IIS for the https binding of its site", false)
}

// CheckAuthority judges the certificate of an authority at a moment.
func CheckAuthority(c Certificate, now time.Time) []Remark {
	const ask = "ask the authority for its present certificate"
	rs := checkStrength(c, now, "the authority's certificate", ask, c.SelfSigned)
	if c.X509.KeyUsage != 0 && c.X509.KeyUsage&x509.KeyUsageCertSign == 0 {
		rs = append(rs, Remark{Refuse, "the authority's certificate must not sign others", "its key usages are " + strings.Join(c.KeyUsages(), ", ") + ", without keyCertSign", ask, problem.ClientCertificateUnfit})
	}
	if purposes(c) > 0 && !c.ClientAuth && !c.SelfSigned {
		rs = append(rs, Remark{
			Refuse, "the authority's certificate does not let it issue certificates for clients", "its extended key usages are " + strings.Join(c.ExtKeyUsages(), ", ") + ", which limits what it signs",
			"have the certificate issued by another authority", problem.ClientCertificateUnfit,
		})
	}
	return rs
}

// checkStrength judges dates, key and signature. A root's signature proves nothing: it is trusted for itself.
func checkStrength(c Certificate, now time.Time, what, renew string, root bool) []Remark {
	var rs []Remark
	refuse := func(text, why, try string, code problem.Code) { rs = append(rs, Remark{Refuse, text, why, try, code}) }
	switch {
	case now.After(c.X509.NotAfter):
		refuse(what+" has expired", "it was valid to "+c.X509.NotAfter.UTC().Format("2006-01-02 15:04")+" UTC", renew, problem.ClientCertificateExpired)
	case now.Before(c.X509.NotBefore):
		refuse(what+" is not valid yet", "it is valid from "+c.X509.NotBefore.UTC().Format("2006-01-02 15:04")+" UTC", "compare the clocks of Auditor's server, of NPS and of this machine", problem.ClientCertificateExpired)
	}
	//exhaustive:ignore only the weak ones
	switch c.X509.SignatureAlgorithm {
	case x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.MD5WithRSA, x509.MD2WithRSA:
		if !root {
			refuse(what+" is signed with "+c.X509.SignatureAlgorithm.String(), "signatures of this kind can be forged, and Windows refuses them", renew, problem.ClientCertificateUnfit)
		}
	}
	if k, is := c.X509.PublicKey.(*rsa.PublicKey); is && k.N.BitLen() < 2048 {
		refuse(fmt.Sprintf("%s has an RSA key of %d bits", what, k.N.BitLen()), "keys under 2048 bits are too short", renew, problem.ClientCertificateUnfit)
	}
	if k, is := c.X509.PublicKey.(*ecdsa.PublicKey); is && k.Curve.Params().BitSize < 256 {
		refuse(what+" has a key on the curve "+k.Curve.Params().Name, "keys under 256 bits are too short", renew, problem.ClientCertificateUnfit)
	}
	return rs
}

// checkUsages judges what the certificate says its key is for.
func checkUsages(c Certificate) []Remark {
	var rs []Remark
	if c.X509.KeyUsage != 0 && c.X509.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		rs = append(rs, Remark{
			Refuse, "Auditor's client certificate is not for signing: its key usages are " + strings.Join(c.KeyUsages(), ", "),
			"a client proves by a signature that it has the key, and digitalSignature is not among them (RFC 8446, 4.4.2.3)", forClients, problem.ClientCertificateUnfit,
		})
	}
	switch {
	case purposes(c) == 0:
		rs = append(rs, Remark{
			Warn, "Auditor's client certificate names no purposes (extended key usages)", "Windows then takes it for every purpose, client authentication among them",
			"nothing has to be done; a certificate that names Client Authentication alone is good for less in wrong hands", "",
		})
	case !c.ClientAuth:
		rs = append(rs, Remark{
			Refuse, "Auditor's client certificate is not for client authentication (1.3.6.1.5.5.7.3.2)",
			"its extended key usages are " + strings.Join(c.ExtKeyUsages(), ", ") + ", and that one is not among them", forClients, problem.ClientCertificateUnfit,
		})
	}
	return rs
}

// purposes counts the extended key usages.
func purposes(c Certificate) int { return len(c.X509.ExtKeyUsage) + len(c.X509.UnknownExtKeyUsage) }
