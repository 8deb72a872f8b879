package trust

import (
	"crypto/tls"
	"fmt"
	"time"

	"npsetup/steps/problem"
)

// ownVerify is the one place where Go's own check of the chain is replaced. What replaces it is called on every
// connection, resumed ones too, which VerifyPeerCertificate would not be.
func ownVerify(host string, now func() time.Time, verify func(tls.ConnectionState) error) *tls.Config {
	return &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12, Time: now,
		InsecureSkipVerify: true, VerifyConnection: verify,
	}
}

// pinned trusts the certificate with the SHA-256 want and no other. The name in it does not count, because the person
// compared the certificate itself; the dates do.
func pinned(host, want string, now func() time.Time) *tls.Config {
	return ownVerify(host, now, func(s tls.ConnectionState) error {
		if len(s.PeerCertificates) == 0 {
			return problem.New(named(host) + " presented no certificate").Because("a pin needs one to compare with").Try("check that the address leads to the NPS server itself")
		}
		leaf := Describe(s.PeerCertificates[0])
		if leaf.SHA256 != want {
			return &PinMismatch{Host: host, Want: want, Got: leaf.SHA256, Cert: leaf}
		}
		return outOfDate(host, leaf, now())
	})
}

// outOfDate is the problem of a pinned certificate outside its dates, or nil.
func outOfDate(host string, c Cert, now time.Time) error {
	flaw := dateFlaw(c.NotBefore, c.NotAfter, now)
	if flaw == nil {
		return nil
	}
	return problem.New("the pinned certificate of " + named(host) + " is outside its dates").Coded(problem.CertificateExpired).Because(flaw.text).Try(remedy(flaw.fault, c)...)
}

// PinMismatch says that a server presents another certificate than the pinned one. It stops a run: nothing was sent.
// errors.As finds it below the errors of net/http, and finds a *problem.Problem in it.
type PinMismatch struct {
	Host string
	Want string // 64 lower-case hex digits, the pin
	Got  string // 64 lower-case hex digits, what the server presents
	Cert Cert   // the certificate that the server presents
}

func (m *PinMismatch) Error() string { return m.problem().Error() }

// Unwrap gives the problem with both fingerprints and the next steps.
func (m *PinMismatch) Unwrap() error { return m.problem() }

// problem tells both readings. That the binding of the site SbPAM Web Service loses its certificate in an upgrade is from
// the vendor's knowledge base.
func (m *PinMismatch) problem() *problem.Problem {
	c := m.Cert
	return problem.New("the certificate of "+named(m.Host)+" is not the pinned one").Coded(problem.CertificateChanged).
		Because(fmt.Sprintf("pinned is SHA-256 %s, presented is SHA-256 %s (subject %s, issued by %s, valid %s to %s); either the certificate was renewed or the IIS binding lost it in an upgrade, or somebody is in between",
			m.Want, m.Got, orNone(c.Subject), orNone(c.Issuer), day(c.NotBefore), day(c.NotAfter))).
		Try("on the NPS server, look in IIS Manager which certificate the https binding of the site SbPAM Web Service has; after an upgrade select the right one again and run iisreset",
			"compare the SHA-256 on the NPS server itself, not over this connection; only if it is "+m.Got+", set nps.trust to pin:sha256:"+m.Got,
			"if nobody changed the certificate, do not sign in and have the network between here and the server looked at")
}
