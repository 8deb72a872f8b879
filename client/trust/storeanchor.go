package trust

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// Anchor is a self-signed certificate: the only kind that belongs into a store of trusted roots.
type Anchor struct {
	X509  *x509.Certificate
	Cert  Cert
	Notes []string // what trusting it means
}

// longestChain bounds the signatures that are checked: a handshake has room for hundreds of certificates.
const longestChain = 16

// AnchorOf finds the topmost self-signed certificate of a chain that a server presented, leaf first, which also vouches for its
// leaf. The error names the certificate that belongs into the store instead.
func AnchorOf(chain []*x509.Certificate) (Anchor, error) {
	if len(chain) == 0 {
		return Anchor{}, problem.New("there is no certificate").Try("check that the address leads to the server itself")
	}
	if len(chain) > longestChain {
		return Anchor{}, usage(fmt.Sprintf("the server presents %d certificates", len(chain)), "a chain has a handful, and who sends more wants something else looked at than a chain",
			"get the certificate of the authority from whoever runs it, and install it from its file: npsetup trust install FILE")
	}
	for i := len(chain) - 1; i >= 0; i-- {
		if selfSigned(chain[i]) && vouches(chain[i], chain) {
			return anchor(chain[i]), nil
		}
	}
	for _, c := range chain[1:] {
		if selfSigned(c) {
			return Anchor{}, usage("the chain of "+subject(chain[0])+" cannot be trusted as a whole", subject(c)+" comes with it and does not vouch for it",
				"get the certificate of "+orNone(Describe(top(chain)).Issuer)+" from whoever runs that authority, and install it from its file: npsetup trust install FILE")
		}
	}
	return Anchor{}, notSelfSigned(chain[0], top(chain), "the server does not send it along")
}

// ReadAnchor reads a file with one self-signed certificate, PEM or DER. Others may stand beside it, such as the rest of a chain.
func ReadAnchor(path string) (Anchor, error) {
	certs, err := ReadAll(path)
	if err != nil {
		return Anchor{}, err
	}
	return AnchorAmong(path, certs)
}

// AnchorAmong finds the one self-signed certificate among those that a file called path holds, at least one.
func AnchorAmong(path string, certs []*x509.Certificate) (Anchor, error) {
	if len(certs) == 0 {
		return Anchor{}, usage("the certificate file "+problem.Plain(path)+" holds no certificate", "", "name a file that holds the certificate, as PEM or DER")
	}
	var found []*x509.Certificate
	var names []string
	for _, c := range certs {
		if selfSigned(c) {
			found, names = append(found, c), append(names, subject(c))
		}
	}
	switch len(found) {
	case 1:
		return anchor(found[0]), nil
	case 0:
		return Anchor{}, notSelfSigned(certs[0], top(certs), "the file does not hold it")
	}
	return Anchor{}, usage(fmt.Sprintf("the file %s holds %d self-signed certificates", problem.Plain(path), len(found)), "each is a decision of its own: "+few(names),
		"put the one that is meant into a file of its own")
}

// ReadAll reads the certificates of a file, PEM or DER: at least one.
func ReadAll(path string) ([]*x509.Certificate, error) {
	raw, err := readBounded(path, maxFile)
	if err != nil {
		return nil, usage("the certificate file "+problem.Plain(path)+" cannot be read", problem.Plain(err.Error()), "name a file that holds the certificate, as PEM or DER").From(err)
	}
	certs, p := readCertificates(bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")))
	if p != nil {
		p.What = "the certificate file " + problem.Plain(path) + " " + p.What
		return nil, p
	}
	return certs, nil
}

// top follows the issuers from the first certificate as far as the others reach.
func top(certs []*x509.Certificate) *x509.Certificate {
	certs = certs[:min(len(certs), longestChain)]
	at := certs[0]
	for range certs {
		for _, c := range certs {
			if c != at && bytes.Equal(c.RawSubject, at.RawIssuer) && at.CheckSignatureFrom(c) == nil {
				at = c
				break
			}
		}
	}
	return at
}

// notSelfSigned is the refusal of what another one vouches for, with the name of that one. That anything else but self-signed
// certificates in Trusted Root makes IIS refuse client certificates is Microsoft's KB 2802568.
func notSelfSigned(leaf, last *x509.Certificate, lacks string) error {
	issuer := orNone(Describe(last).Issuer)
	why := "it is not self-signed: " + orNone(Describe(leaf).Issuer) + " vouches for it, and only what vouches for itself is a root"
	if bytes.Equal(last.RawIssuer, last.RawSubject) {
		why = "it names itself as its issuer, but another key signed it: an authority of the same name vouches for it"
	}
	return usage(subject(leaf)+" does not belong among the trusted roots", why+"; "+lacks,
		"get the certificate of "+issuer+" from whoever runs that authority, and install that: npsetup trust install FILE",
		"or trust exactly the server's certificate, for npsetup alone: npsetup trust show URL prints the line")
}

// vouches says whether a chain leads from its leaf to root. Names and dates of the leaf are judged elsewhere.
func vouches(root *x509.Certificate, chain []*x509.Certificate) bool {
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	for _, at := range []time.Time{chain[0].NotAfter, chain[0].NotBefore} { // one in between may be younger, or end sooner
		if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err == nil {
			return true
		}
	}
	return bytes.Equal(root.Raw, chain[0].Raw) // it vouches for itself, whatever its usages say
}

func anchor(c *x509.Certificate) Anchor {
	a := Anchor{X509: c, Cert: Describe(c)}
	switch limits := allowedNames(c); {
	case !authority(c):
		a.Notes = append(a.Notes, "this is the certificate of one server, which vouches for itself and for nobody else: when the server gets a new one, that has to be installed in its turn")
		if !c.BasicConstraintsValid {
			a.Notes = append(a.Notes, "it does not say that it is no authority: some programs then take it for one, and whoever holds its key could vouch for any server to them")
		}
	case limits != "":
		a.Notes = append(a.Notes, "this is an authority: whoever holds its key can vouch to this machine for "+limits)
	default:
		a.Notes = append(a.Notes, "this is an authority: whoever holds its key can vouch to this machine for any server, also for those that have nothing to do with NPS")
	}
	return a
}

// allowedNames is what name constraints leave to an authority; empty: everything.
func allowedNames(c *x509.Certificate) string {
	names := append([]string{}, c.PermittedDNSDomains...)
	for _, n := range c.PermittedIPRanges {
		names = append(names, n.String())
	}
	if !c.PermittedDNSDomainsCritical || len(c.PermittedDNSDomains) == 0 || len(c.PermittedIPRanges) == 0 {
		return "" // what is not limited, or may be overlooked, is free
	}
	for i, n := range names {
		names[i] = problem.Plain(n)
	}
	return strings.Join(names, ", ")
}

// Check refuses to trust what cannot be of use now.
func (a Anchor) Check(now time.Time) error {
	if f := dateFlaw(a.X509.NotBefore, a.X509.NotAfter, now); f != nil {
		return usage(orNone(a.Cert.Subject)+" cannot be trusted now", f.text, "get the present certificate", "check this machine's clock and date")
	}
	if a.X509.IsCA && a.X509.KeyUsage != 0 && a.X509.KeyUsage&x509.KeyUsageCertSign == 0 {
		return usage(orNone(a.Cert.Subject)+" cannot vouch for servers", "it says that it is an authority and that its key signs no certificates", "have the authority's certificate issued anew")
	}
	return nil
}
