package trust

import (
	"crypto/x509"
	"net"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

func certs(list ...identity) []*x509.Certificate {
	var all []*x509.Certificate
	for _, c := range list {
		all = append(all, c.cert)
	}
	return all
}

// says fails unless err is a problem that holds every part, and a next step.
func says(t *testing.T, what string, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("%s: no error", what)
		return
	}
	p := problem.All(err)[0]
	text := p.Error() + "\n" + strings.Join(p.Next, "\n")
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s lacks %q: %s", what, part, text)
		}
	}
	if len(p.Next) == 0 {
		t.Errorf("%s has no next step", what)
	}
}

func TestAnchorOfAChain(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	mid := issue(t, caTemplate("Contoso Issuing CA"), &root)
	leaf := issue(t, template("nps", host), &mid)
	own := issue(t, template("nps", host), nil)
	stranger := issue(t, caTemplate("Stranger CA"), nil)
	impostor := issue(t, caTemplate("Contoso Root CA"), nil)
	for what, c := range map[string]struct {
		chain []*x509.Certificate
		want  identity
	}{
		"leaf, issuing, root":      {certs(leaf, mid, root), root},
		"out of order":             {certs(leaf, root, mid), root},
		"self-signed":              {certs(own), own},
		"self-signed and stranger": {certs(own, stranger), own},
		"with a stranger on top":   {certs(leaf, mid, root, stranger), root},
		"with a namesake on top":   {certs(leaf, mid, root, impostor), root},
	} {
		a, err := AnchorOf(c.chain)
		if err != nil || !a.X509.Equal(c.want.cert) {
			t.Errorf("%s: %v, %v", what, a.Cert.Subject, err)
		}
	}
	_, err := AnchorOf(certs(leaf, mid))
	says(t, "without the root", err, "CN=nps does not belong among the trusted roots", "get the certificate of CN=Contoso Root CA", "does not send it along")
	_, err = AnchorOf(certs(leaf))
	says(t, "the leaf alone", err, "get the certificate of CN=Contoso Issuing CA")
	_, err = AnchorOf(certs(leaf, mid, impostor))
	says(t, "with a namesake in place of the root", err, "CN=Contoso Root CA comes with it and does not vouch for it")
	crowd := certs(leaf)
	for range longestChain {
		crowd = append(crowd, impostor.cert)
	}
	_, err = AnchorOf(crowd)
	says(t, "a crowd", err, "presents 17 certificates", "npsetup trust install FILE")
	_, err = AnchorOf(nil)
	says(t, "nothing", err, "no certificate")
}

func TestAnchorInAFile(t *testing.T) {
	root := issue(t, caTemplate("Contoso Root CA"), nil)
	mid := issue(t, caTemplate("Contoso Issuing CA"), &root)
	leaf := issue(t, template("nps", host), &mid)
	other := issue(t, caTemplate("Other CA"), nil)
	for name, text := range map[string]string{"pem": inPEM(root), "der": string(root.cert.Raw), "chain": inPEM(leaf, mid, root), "bom": "\xef\xbb\xbf" + inPEM(root)} {
		a, err := ReadAnchor(file(t, name, text))
		if err != nil || !a.X509.Equal(root.cert) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for text, parts := range map[string][]string{
		inPEM(leaf):                    {"CN=nps does not belong", "get the certificate of CN=Contoso Issuing CA"},
		inPEM(leaf, mid):               {"get the certificate of CN=Contoso Root CA"},
		inPEM(root, other):             {"holds 2 self-signed certificates", "CN=Other CA"},
		"text":                         {"holds no certificate"},
		"":                             {"is empty"},
		strings.Repeat("x", maxFile+1): {"larger than 1 MiB"},
		"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n": {"private key"},
	} {
		_, err := ReadAnchor(file(t, "c.pem", text))
		says(t, text[:min(len(text), 40)], err, parts...)
		if !problem.Is(err, problem.Usage) {
			t.Errorf("%v is no mistake of usage", err)
		}
	}
	_, err := ReadAnchor(t.TempDir())
	says(t, "a folder", err, "is not a file")
}

func TestAnchorIsJudged(t *testing.T) {
	limited := caTemplate("Limited CA")
	limited.PermittedDNSDomainsCritical, limited.PermittedDNSDomains = true, []string{"contoso.com"}
	limited.PermittedIPRanges = []*net.IPNet{{IP: net.IPv4(10, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}
	half := caTemplate("Half-limited CA")
	half.PermittedDNSDomainsCritical, half.PermittedDNSDomains = true, []string{"contoso.com"}
	silent := template("nps", host)
	silent.BasicConstraintsValid = false
	for cn, c := range map[*x509.Certificate]string{
		caTemplate("Contoso Root CA"): "can vouch to this machine for any server", limited: "can vouch to this machine for contoso.com, 10.0.0.0/8", half: "for any server",
		template("nps", host): "vouches for itself and for nobody else", silent: "does not say that it is no authority",
	} {
		a := anchor(issue(t, cn, nil).cert)
		if err := a.Check(today); err != nil || !strings.Contains(strings.Join(a.Notes, "; "), c) {
			t.Errorf("%s: %q, %v", cn.Subject.CommonName, a.Notes, err)
		}
	}
	a := anchor(issue(t, caTemplate("Old CA"), nil).cert)
	says(t, "expired", a.Check(today.AddDate(2, 0, 0)), "CN=Old CA cannot be trusted now", "expired")
	says(t, "not yet valid", a.Check(today.AddDate(-2, 0, 0)), "valid only from")
	cannot := caTemplate("Keyless CA")
	cannot.KeyUsage = x509.KeyUsageCRLSign
	says(t, "cannot sign", anchor(issue(t, cannot, nil).cert).Check(today), "signs no certificates")
}
