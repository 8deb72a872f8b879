// Package auditor is the guide that lets Netwrix Auditor take its data-collection accounts from NPS: one file per step,
// one slice that reads beside the article. It neither draws nor sends: it looks through a Reader, and plans.
package auditor

import (
	"context"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
)

// MinVersion is the oldest NPS version that Auditor's integration works with.
const MinVersion = "4.2"

// World is what this guide needs beyond the shared steps.
type World struct {
	nps.World
	// ReadCertificate reads a certificate file and judges it by the given time.
	ReadCertificate func(path string, now time.Time) (Certificate, error)
	// CheckKey says whether a private key file belongs to a certificate file.
	CheckKey func(certificate, key string) error
	// SSH brings a certificate to the NPS server.
	SSH SSH
	// Files looks at keys and certificates that lie on this machine.
	Files Files
	// SameSerial compares serial numbers in any spelling, with and without a leading 00.
	SameSerial func(a, b string) bool
	// Events reads Auditor's event log from a file, or with an empty path that of this machine; ErrNoEventLog when it has none.
	Events func(ctx context.Context, path string) (EventLog, error)
	// PDC finds the PDC emulator of a domain by DNS; nil or an error when it cannot be told from here.
	PDC func(ctx context.Context, domain string) (string, error)
}

// Files looks at keys and certificates on this machine. What is not there is an fs.ErrNotExist.
type Files struct {
	Exists func(path string) bool
	// Folder says whether files can be made in a folder, which need not be there yet. It changes nothing.
	Folder func(path string) error
	// CheckName says whether a name can stand in a certificate.
	CheckName func(name string) error
	// Key is the fingerprint of a private key: the SHA-256 of its public key, hex.
	Key func(path string) (string, error)
	// InStore reads a certificate of Windows' store LocalMachine\My by its thumbprint, and judges it by the given time.
	InStore func(thumbprint string, now time.Time) (Certificate, error)
	// Stored are all certificates of that store; nil on other systems.
	Stored func(now time.Time) ([]Certificate, error)
	// Beside lists the files of a folder whose names are those of certificates; nil when there is none to list.
	Beside func(folder string) []string
	// CheckRequest says whether a certificate request asks for the key.
	CheckRequest func(request, key string) error
	// Chain finds among the certificates in files the one that belongs to key, or without a key the only one of the first file,
	// and those that vouch for it. It judges the first by the given time.
	Chain func(key string, files []string, now time.Time) (Chain, error)
	// CheckPFX says whether a PFX holds the certificate with this SHA-256, as far as its passphrase can be had without asking.
	CheckPFX func(ctx context.Context, path string, a steps.Answers, sha256 string) error
}

// Chain is a certificate and who vouches for it.
type Chain struct {
	Leaf    Certificate
	Between []Certificate // from the one that signed Leaf upwards, without the root
	Root    Certificate   // self-signed; equal to Leaf when that is
	Missing string        // the issuer that is not there; then Root is not known
}

// Certificate is a certificate in words.
type Certificate struct {
	Subject, Issuer    string
	Serial             string // as Windows and .NET write it: upper-case hex of all bytes
	Thumbprint, SHA256 string // SHA-1 and SHA-256, hex
	NotBefore          time.Time
	NotAfter           time.Time
	SelfSigned         bool
	DER                []byte
	Refused            error    // why it must not be used; a problem.List
	Warnings           []string // what is worth knowing
}

// Guide is the guide "Integrating Netwrix Privilege Secure for Access Management with Netwrix Auditor".
func Guide(w World) steps.Guide {
	g := w.guide()
	for i, s := range g.Steps {
		if w.Texts.Has(s.ID) {
			g.Steps[i].Paragraph = func(a steps.Answers, known steps.Facts) []string {
				if s.ID == certificateStep && roadOf(a) == roadNew {
					return nil // nobody exports or requests what is made here
				}
				return w.paragraph(s.ID, known.Scene(a))
			}
		}
	}
	return g
}

func (w World) guide() steps.Guide {
	return steps.Guide{
		ID: "auditor", Title: "Netwrix Auditor takes its accounts from Privilege Secure",
		Steps: []steps.Step{
			w.origin(),
			w.auditorStart(),
			nps.Server(w.World),
			nps.Trust(w.World),
			nps.SignIn(w.World, MinVersion),
			w.application(),
			w.certificate(),
			w.auditorCertificate(),
			w.certificateTrust(),
			w.applicationUser(),
			w.auditorKey(),
			w.connectionProfile(),
			w.policyKind(),
			w.activity(),
			w.resource(),
			w.policyResource(),
			w.managedCredential(),
			w.policyCredential(),
			w.monitoringPlan(),
			w.verify(),
		},
		Risks: risks(), Identity: keyApplication, Proof: verifyStep, Listed: keyApplication, Cause: nps.SessionCause, Unopened: unopened, Awaited: "Auditor's own session",
		Trouble: trouble, Import: w.importer(), Ports: ports,
	}
}
