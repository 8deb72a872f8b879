package trust

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// Fault is one way in which a certificate does not verify, so that nobody parses the words.
type Fault int

// The faults.
const (
	SelfSigned       Fault = iota // nobody but itself vouches for it
	UnknownAuthority              // its issuer is not trusted here
	WrongName                     // the host is not among its names
	Expired
	NotYetValid
	Unfit // anything else: not for servers, a constraint broken, an issuer out of date
)

func (f Fault) String() string {
	switch f {
	case SelfSigned:
		return "self-signed"
	case UnknownAuthority:
		return "unknown authority"
	case WrongName:
		return "wrong name"
	case Expired:
		return "expired"
	case NotYetValid:
		return "not yet valid"
	case Unfit:
		return "unfit"
	}
	return "unknown"
}

// code is what a fault is called in the catalogue.
func (f Fault) code() problem.Code {
	switch f {
	case WrongName:
		return problem.CertificateNameDiffers
	case Expired, NotYetValid:
		return problem.CertificateExpired
	case SelfSigned, UnknownAuthority, Unfit:
	}
	return problem.CertificateNotTrusted
}

type flaw struct {
	fault Fault
	text  string
}

// judge finds everything that is wrong with a chain at once; Go's verification ends at the first. No flaw means verified.
func judge(chain []*x509.Certificate, host string, roots *x509.CertPool, now time.Time) []flaw {
	leaf, others := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	_, whole := leaf.Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: others, CurrentTime: now})
	if whole == nil {
		return nil
	}
	var flaws []flaw
	at := now
	dates := dateFlaw(leaf.NotBefore, leaf.NotAfter, now)
	if dates != nil {
		// The chain is judged as of a day on which the certificate was valid, or its end would hide what else is wrong.
		if at = leaf.NotAfter; dates.fault == NotYetValid {
			at = leaf.NotBefore
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at}); err != nil {
		flaws = append(flaws, chainFlaw(leaf, len(chain) > 1, err))
	}
	if leaf.VerifyHostname(host) != nil {
		flaws = append(flaws, nameFlaw(leaf, host))
	}
	if dates != nil {
		flaws = append(flaws, *dates)
	}
	if len(flaws) == 0 {
		flaws = append(flaws, flaw{Unfit, problem.Plain(whole.Error())})
	}
	return flaws
}

func dateFlaw(from, to, now time.Time) *flaw {
	switch {
	case now.After(to):
		return &flaw{Expired, fmt.Sprintf("it expired on %s, by this machine's clock (%s)", minute(to), minute(now))}
	case now.Before(from):
		return &flaw{NotYetValid, fmt.Sprintf("it is valid only from %s on, by this machine's clock (%s)", minute(from), minute(now))}
	}
	return nil
}

func nameFlaw(leaf *x509.Certificate, host string) flaw {
	sans := Describe(leaf).SANs
	host = named(host)
	switch {
	case len(sans) == 0 && leaf.Subject.CommonName != "":
		return flaw{WrongName, fmt.Sprintf("%s is not in it: it has no alternative names, and its common name (%s) is not looked at any more", host, problem.Plain(leaf.Subject.CommonName))}
	case len(sans) == 0:
		return flaw{WrongName, host + " is not in it: it holds no names at all"}
	case net.ParseIP(host) != nil && len(leaf.IPAddresses) == 0:
		return flaw{WrongName, fmt.Sprintf("the IP number %s is not in it: it is made out to %s", host, few(sans))}
	}
	return flaw{WrongName, fmt.Sprintf("%s is not in it: it is made out to %s", host, few(sans))}
}

func few(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// chainFlaw words what Go found wrong with a chain. Which errors exist is documented in crypto/x509.
func chainFlaw(leaf *x509.Certificate, more bool, err error) flaw {
	c := Describe(leaf)
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var noRoots x509.SystemRootsError
	switch {
	case c.SelfSigned && (errors.As(err, &unknown) || errors.As(err, &noRoots)):
		return flaw{SelfSigned, "it is self-signed: no authority vouches for it"}
	case errors.As(err, &unknown) && more:
		return flaw{UnknownAuthority, "it was issued by " + orNone(c.Issuer) + ", and that authority, or the one above it, is not trusted here"}
	case errors.As(err, &unknown):
		return flaw{UnknownAuthority, "it was issued by " + orNone(c.Issuer) + ", which is not trusted here, and the server sends no certificate of an authority along"}
	case errors.As(err, &noRoots):
		return flaw{UnknownAuthority, "this machine's list of trusted authorities cannot be read"}
	case errors.As(err, &invalid):
		return invalidFlaw(invalid)
	}
	return flaw{Unfit, problem.Plain(err.Error())}
}

func invalidFlaw(e x509.CertificateInvalidError) flaw {
	whose := "it"
	if e.Cert != nil {
		whose = "the certificate " + orNone(distinguishedName(e.Cert.RawSubject, e.Cert.Subject.String()))
	}
	switch {
	case e.Reason == x509.Expired && e.Cert != nil:
		return flaw{Unfit, fmt.Sprintf("%s in its chain is outside its dates (%s to %s)", whose, day(e.Cert.NotBefore), day(e.Cert.NotAfter))}
	case e.Reason == x509.IncompatibleUsage:
		return flaw{Unfit, "it, or an authority above it, is not meant for servers (no serverAuth among its purposes)"}
	case e.Reason == x509.NotAuthorizedToSign:
		return flaw{Unfit, whose + " is no authority, yet it issued another certificate of the chain"}
	case e.Reason == x509.CANotAuthorizedForThisName:
		return flaw{Unfit, whose + " may not issue certificates for this name"}
	}
	return flaw{Unfit, problem.Plain(e.Error())}
}

// remedy names the next steps for a fault of certificate c.
func remedy(f Fault, c Cert) []string {
	pin := "compare the fingerprint on the NPS server: IIS Manager > the site SbPAM Web Service > Bindings > https > Edit > View > Details > Thumbprint is the SHA-1, " + c.SHA1 + "; if it is the same, set nps.trust to pin:sha256:" + c.SHA256
	switch f {
	case Expired:
		return []string{"renew the certificate on the NPS server and select it in IIS for the https binding of the site SbPAM Web Service", "check this machine's clock and date"}
	case NotYetValid:
		return []string{"check this machine's clock and date, then the server's"}
	case SelfSigned:
		return []string{pin}
	case UnknownAuthority:
		return []string{
			"have the certificate of the authority (" + orNone(c.Issuer) + ") as FILE: on a Windows machine that trusts it certlm.msc > Trusted Root Certification Authorities > Certificates > All Tasks > Export; then set nps.trust to ca:FILE",
			"or let this whole machine trust it: npsetup trust install FILE", "or " + pin,
		}
	case WrongName:
		return []string{"use a name that is in the certificate in nps.url", "or " + pin}
	case Unfit:
		return []string{"have the certificate of the NPS server issued anew", "or " + pin}
	}
	return nil
}
