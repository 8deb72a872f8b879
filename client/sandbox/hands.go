package sandbox

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"os"
	"path/filepath"

	"software.sslmate.com/src/go-pkcs12"
)

// certificateFolder is where npsetup puts what it makes for the sandbox's own answers.
const certificateFolder = "netwrix-auditor-certificate"

// made is the path of a file that npsetup makes when Auditor does not make its certificate itself.
func (s *Server) made(ending string) string {
	return filepath.Join(s.o.Dir, certificateFolder, applicationName+ending)
}

// isMade says whether the certificate does not come from Auditor: then something of it lies in the folder.
func (s *Server) isMade() bool {
	if s.o.Dir == "" {
		return false
	}
	_, err := os.Stat(filepath.Join(s.o.Dir, certificateFolder))
	return err == nil
}

// handCertificate does the person's part of a certificate that does not come from Auditor: hands the request in to the
// authority, imports the PFX on Auditor's server, and brings what NPS has to trust into the machine's stores.
func (s *Server) handCertificate(did func(step string, flag *bool)) {
	h := &s.world.human
	if s.handIn() {
		did("certificate", &h.handedIn)
	}
	raw, err := os.ReadFile(s.made(".pfx"))
	if err != nil {
		return // it is not made yet: there is nothing to import, and nothing to trust
	}
	if hex.EncodeToString(raw) != h.imported && s.importPFX(raw) {
		h.imported = hex.EncodeToString(raw)
		did("auditor-certificate", &h.AuditorDialog)
	}
	if s.bringTrust() {
		did("certificate-trust", &h.CertificateTrusted)
	}
}

// handIn lets the authority answer a request that has no answer yet.
func (s *Server) handIn() bool {
	request, err := os.ReadFile(s.made(".req"))
	if err != nil {
		return false
	}
	for _, ending := range []string{".p7b", ".p7c", ".crt", ".pem", ".cer"} {
		if _, err := os.Stat(s.made(ending)); err == nil {
			return false
		}
	}
	if s.world.issuing == nil {
		if s.world.issuing, err = newIssuing(s.o.Now()); err != nil {
			return false
		}
	}
	answer, err := s.world.issuing.sign(request, s.o.Now())
	return err == nil && putFile(s.made(".p7b"), answer) == nil
}

// importPFX brings key and certificate into the store of Auditor's server. It takes what Windows takes: the right passphrase, and
// a certificate that belongs to the key.
func (s *Server) importPFX(raw []byte) bool {
	key, leaf, issuers, err := pkcs12.DecodeChain(raw, s.world.passphrase)
	if err != nil {
		return false
	}
	number, err := serialText(leaf.Raw)
	if err != nil {
		return false
	}
	c := tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, by := range issuers {
		c.Certificate = append(c.Certificate, by.Raw)
	}
	s.auditor.certificate, s.world.clientSerial = c, number
	return true
}

// bringTrust imports what the manual page names: the root of the authority and those between, each into its store, or the
// certificate itself when it is self-signed.
func (s *Server) bringTrust() bool {
	w := &s.world
	if c := certificateFile(s.made(".root.cer")); c != nil {
		fresh := w.trust(&w.trusted, c)
		if below := certificateFile(s.made(".intermediate-1.cer")); below != nil {
			w.trust(&w.between, below)
		}
		return fresh
	}
	if _, err := os.Stat(s.made(".req")); err == nil {
		return false // issued: never the certificate itself
	}
	c := certificateFile(s.made(".cer"))
	return c != nil && w.trust(&w.trusted, c)
}

func certificateFile(path string) *x509.Certificate {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil
	}
	return c
}

// trust puts a certificate into a store of the machine; false: it is there already.
func (w *world) trust(store *[]*x509.Certificate, c *x509.Certificate) bool {
	for _, have := range *store {
		if have.Equal(c) {
			return false
		}
	}
	*store = append(*store, c)
	return true
}

// Import is what the person does with a certificate that does not come from Auditor: the PFX goes into the store of Auditor's
// server, where Auditor takes it, and roots, instead of Auditor's own certificate, into Trusted Root on the NPS server.
func (s *Server) Import(c tls.Certificate, roots ...*x509.Certificate) error {
	number, err := serialText(c.Certificate[0])
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auditor.certificate, s.world.clientSerial = c, number
	s.world.trusted, s.world.human.CertificateTrusted, s.world.human.AuditorDialog = roots, true, true
	return nil
}

// ImportRoot puts a certificate into the machine's Trusted Root, whatever it is: tests make a person's mistake with it.
func (s *Server) ImportRoot(c *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.trust(&s.world.trusted, c)
}

// RemoveRoot takes it out again.
func (s *Server) RemoveRoot(c *x509.Certificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var kept []*x509.Certificate
	for _, have := range s.world.trusted {
		if !have.Equal(c) {
			kept = append(kept, have)
		}
	}
	s.world.trusted = kept
}

// selfSigned says whether a certificate is its own issuer.
func selfSigned(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}
