package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"npsetup/client/pki"
	"npsetup/steps/problem"
)

// certificateDocument is a certificate in JSON.
type certificateDocument struct {
	Subject     string           `json:"subject"`
	Issuer      string           `json:"issuer"`
	Serial      string           `json:"serial"`      // as DER and Windows have it
	SerialPlain string           `json:"serialPlain"` // without a 00 in front
	NotBefore   time.Time        `json:"notBefore"`
	NotAfter    time.Time        `json:"notAfter"`
	Key         string           `json:"key"`
	KeySHA256   string           `json:"keySha256"`
	Signature   string           `json:"signature"`
	KeyUsage    []string         `json:"keyUsage"`
	ExtKeyUsage []string         `json:"extKeyUsage"`
	CA          string           `json:"ca"` // true, false, or not said
	SelfSigned  bool             `json:"selfSigned"`
	SHA1        string           `json:"sha1"`
	SHA256      string           `json:"sha256"`
	Remarks     []remarkDocument `json:"remarks"`
	TrustedRoot bool             `json:"trustedRoot"`     // it may itself go into Trusted Root on the NPS server
	RootText    string           `json:"trustedRootText"` // what has to lie there for it
	Usable      bool             `json:"usable"`          // as Auditor's client certificate
	Verdict     string           `json:"verdict"`
}

type remarkDocument struct {
	Level string `json:"level"` // warn, refuse
	Text  string `json:"text"`
	Why   string `json:"why,omitempty"`
	Next  string `json:"next,omitempty"`
}

func remarkDocuments(rs []pki.Remark) []remarkDocument {
	out := []remarkDocument{}
	for _, r := range rs {
		out = append(out, remarkDocument{levelWord(r.Level), r.Text, r.Why, r.Try})
	}
	return out
}

func levelWord(l pki.Level) string {
	switch l {
	case pki.Refuse:
		return "refuse"
	case pki.Warn:
	}
	return "warn"
}

// role is as what a certificate is judged.
type role int

const (
	asClient    role = iota // Auditor's
	asServer                // a server's, such as that of NPS
	asAuthority             // one that vouches for others
)

// roleOf goes by what the certificate says of itself. One with the flag of an authority that is for clients all the same may be what
// Auditor generated.
func roleOf(c pki.Certificate) role {
	named := c.ExtKeyUsages()
	switch {
	case c.CAFlag && (slices.Contains(c.KeyUsages(), "keyCertSign") || len(c.KeyUsages()) == 0) && !slices.Contains(named, "clientAuth"):
		return asAuthority
	case slices.Contains(named, "serverAuth") && !c.ClientAuth:
		return asServer
	}
	return asClient
}

// documentOf describes a certificate at a moment. known are those among which its chain is looked for.
func documentOf(c pki.Certificate, known []pki.Certificate, at time.Time) certificateDocument {
	return documentFor(roleOf(c), c, known, at)
}

func authorityDocument(c pki.Certificate, known []pki.Certificate, at time.Time) certificateDocument {
	return documentFor(asAuthority, c, known, at)
}

func documentFor(as role, c pki.Certificate, known []pki.Certificate, at time.Time) certificateDocument {
	rs := judged(as, c, at)
	ca := "not said"
	if c.CAFlagKnown {
		ca = fmt.Sprint(c.CAFlag)
	}
	d := certificateDocument{
		Subject: c.Subject, Issuer: c.Issuer, Serial: c.Serial, SerialPlain: c.SerialPlain(), NotBefore: c.X509.NotBefore.UTC(), NotAfter: c.X509.NotAfter.UTC(),
		Key: c.Key(), KeySHA256: pki.KeyFingerprint(c.X509.PublicKey), Signature: c.SignedWith(), KeyUsage: append([]string{}, c.KeyUsages()...),
		ExtKeyUsage: append([]string{}, c.ExtKeyUsages()...), CA: ca, SelfSigned: c.SelfSigned, SHA1: c.SHA1, SHA256: c.SHA256, Remarks: remarkDocuments(rs),
	}
	d.TrustedRoot, d.RootText = pki.TrustedRoot(c, known...)
	d.Usable, d.Verdict = verdictOf(as, c, rs)
	return d
}

func judged(as role, c pki.Certificate, at time.Time) []pki.Remark {
	switch as {
	case asAuthority:
		return pki.CheckAuthority(c, at)
	case asServer:
		return pki.CheckServer(c, at)
	case asClient:
	}
	return pki.Check(c, at)
}

// verdictOf sums up whether a certificate can be Auditor's.
func verdictOf(as role, c pki.Certificate, rs []pki.Remark) (usable bool, text string) {
	var refused []string
	for _, r := range rs {
		if r.Level == pki.Refuse {
			refused = append(refused, r.Text)
		}
	}
	switch {
	case as == asAuthority && c.SelfSigned:
		return false, "an authority's certificate, and not Auditor's: its place is Trusted Root on the NPS server"
	case as == asAuthority:
		return false, "an authority's certificate, and not Auditor's: its place is Intermediate Certification Authorities on the NPS server"
	case as == asServer:
		return false, "a server's certificate, not usable as Auditor's client certificate: it is not for client authentication (1.3.6.1.5.5.7.3.2)"
	case len(refused) > 0:
		return false, "not usable as Auditor's client certificate: " + strings.Join(refused, "; ")
	case len(rs) > 0:
		return true, "usable as Auditor's client certificate, with what is warned of above"
	}
	return true, "usable as Auditor's client certificate"
}

const minute = "2006-01-02 15:04"

// describeCertificate prints a certificate in lines of text, and what comes of it.
func describeCertificate(w io.Writer, indent string, d certificateDocument) {
	describeFacts(w, indent, d)
	describeVerdict(w, indent, d)
}

func describeFacts(w io.Writer, indent string, d certificateDocument) {
	line := func(label, value string) { _, _ = fmt.Fprintf(w, "%s%-12s %s\n", indent, label, problem.Plain(value)) }
	line("subject", d.Subject)
	if d.SelfSigned {
		line("issuer", "itself (self-signed)")
	} else {
		line("issuer", d.Issuer)
	}
	line("serial", serialLine(d.Serial, d.SerialPlain))
	line("valid", d.NotBefore.Format(minute)+" to "+d.NotAfter.Format(minute)+" UTC")
	line("key", d.Key+", sha256:"+d.KeySHA256)
	line("signed with", d.Signature)
	line("usages", strings.Join(orNone(d.KeyUsage), ", ")+"; "+strings.Join(orNone(d.ExtKeyUsage), ", ")+"; CA flag "+d.CA)
	line("thumbprint", d.SHA1)
	line("SHA-256", d.SHA256)
	describeRemarks(w, indent, d.Remarks)
	line("Trusted Root", d.RootText)
}

func describeVerdict(w io.Writer, indent string, d certificateDocument) {
	_, _ = fmt.Fprintf(w, "%s%-12s %s\n", indent, "verdict", problem.Plain(d.Verdict))
}

func describeRemarks(w io.Writer, indent string, rs []remarkDocument) {
	for _, r := range rs {
		_, _ = fmt.Fprintf(w, "%s%-12s %s\n", indent, r.Level, problem.Plain(r.Text))
		if r.Why != "" {
			_, _ = fmt.Fprintf(w, "%s%-12s because %s\n", indent, "", problem.Plain(r.Why))
		}
		if r.Next != "" {
			_, _ = fmt.Fprintf(w, "%s%-12s next: %s\n", indent, "", problem.Plain(r.Next))
		}
	}
}

func orNone(list []string) []string {
	if len(list) == 0 {
		return []string{"none named"}
	}
	return list
}

// serialLine shows a serial number as programs may: with and without the 00 in front of a first digit from 8 to F.
func serialLine(serial, plain string) string {
	if serial == plain {
		return serial + " (no 00 in front)"
	}
	return serial + " (without 00: " + plain + ")"
}

// fileDocument is a written file in JSON.
type fileDocument struct {
	Path string `json:"path"`
	Next string `json:"next"`
}

func fileDocuments(files []newFile) []fileDocument {
	var out []fileDocument
	for _, f := range files {
		out = append(out, fileDocument{f.path, f.use})
	}
	return out
}

func describeFiles(w io.Writer, files []fileDocument) {
	for _, f := range files {
		_, _ = fmt.Fprintf(w, "%s\n    %s\n", problem.Plain(f.Path), problem.Plain(f.Next))
	}
}

// Where files go next. The names are those of Windows' and Auditor's dialogs.
const (
	pfxGoes = "Auditor's server: import it into Certificates (Local Computer) > Personal > Certificates, without marking the key as exportable; then in Auditor: Settings > Privilege Secure, select an existing certificate; then delete the file"
	keyGoes = "stays here, readable by you alone: application.key in the answers file lets npsetup prove the set-up by a session; delete it when you do not want that"
	cerRoot = "NPS server: import it into Certificates (Local Computer) > Trusted Root Certification Authorities; application.certificate in the answers file: its serial number goes into the application user"
	cerLeaf = "application.certificate in the answers file: its serial number goes into the application user in NPS. It must not go into Trusted Root"
)
