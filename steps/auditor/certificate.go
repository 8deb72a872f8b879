package auditor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

var certificateKey = steps.Key[Certificate]{Name: "auditor.certificate"}

// certificate is A5: Auditor's client certificate, as a file.
func (w World) certificate() steps.Step {
	return steps.Step{
		ID: "certificate", Title: "Client certificate", Article: "Initial Setup, 5-6, 9; Export, 1-10",
		Why: "its serial number goes into the application user; read from the file, not typed",
		Fields: []steps.Field{
			{
				Key: keyCertificate, Kind: steps.FileField, Prompt: "Auditor's client certificate", Check: checkCertificateAnswer, Complete: completeFile,
				Help: "The certificate that Auditor generated, exported without its private key (.cer, DER or Base64).", Example: "file:auditor-client.cer",
			},
			{
				Key: keyPrivateKey, Kind: steps.FileField, Prompt: "Its private key", Optional: true, Check: checkFileAnswer, Complete: completeFile,
				Help: "Only when the key exists as a file: then it is checked to belong to the certificate.", Example: "file:auditor-client.key",
			},
		},
		Look: w.lookCertificate,
		Verify: func(_ context.Context, s *steps.Scene) steps.Proof {
			c, _ := steps.Get(s, certificateKey)
			return steps.Proof{State: steps.Proven, Text: fmt.Sprintf("serial %s, valid to %s", c.Serial, c.NotAfter.UTC().Format("2006-01-02"))}
		},
	}
}

// completeFile takes a bare path for a file.
func completeFile(text string) (string, string) {
	v := strings.TrimSpace(text)
	if v == "" || v == "new" || v == "request" || strings.HasPrefix(v, "file:") {
		return v, ""
	}
	return "file:" + v, "completed to file:" + v
}

func checkFileAnswer(v string) error {
	if !strings.HasPrefix(v, "file:") || v == "file:" {
		return errors.New("not of the form file:PATH")
	}
	return nil
}

func checkCertificateAnswer(v string) error {
	if v == "new" || v == "request" {
		return errors.New("this version reads an exported certificate: file:PATH")
	}
	return checkFileAnswer(v)
}

func (w World) lookCertificate(_ context.Context, s *steps.Scene) error {
	path := s.Answers.File(keyCertificate)
	c, err := w.ReadCertificate(path, w.Now())
	if errors.Is(err, fs.ErrNotExist) {
		return w.exportFirst(s, path)
	}
	if err != nil {
		return err
	}
	steps.Put(s, certificateKey, c)
	s.Observe("certificate", c.SHA256)
	s.Problem(c.Refused)
	for _, warning := range c.Warnings {
		s.Warn(warning)
	}
	s.See(steps.Finding{Kind: steps.CertificateFinding, Title: "Auditor's client certificate", State: steps.Fits, Rows: []steps.Row{
		{Label: "subject", Value: problem.Plain(c.Subject)},
		{Label: "issuer", Value: problem.Plain(c.Issuer)},
		{Label: "serial number", Value: c.Serial},
		{Label: "valid", Value: c.NotBefore.UTC().Format("2006-01-02") + " to " + c.NotAfter.UTC().Format("2006-01-02")},
		{Label: "thumbprint (SHA-1)", Value: c.Thumbprint},
		{Label: "SHA-256", Value: c.SHA256},
	}})
	if key := s.Answers.File(keyPrivateKey); key != "" {
		s.Problem(w.CheckKey(path, key))
	}
	return nil
}

// exportFirst is the error for a certificate that was not exported yet; its next steps are the article's clicks.
func (w World) exportFirst(s *steps.Scene, path string) error {
	p := problem.New("there is no certificate at " + problem.Plain(path)).Because("Auditor's client certificate has to be exported first").At(keyCertificate)
	var clicks []string
	for _, page := range []string{"auditor-start", "certificate"} {
		if page == "auditor-start" && s.Memory.ManualDone[page] {
			continue
		}
		clicks = append(clicks, w.Texts.Paragraph(page, s.Version, w.values(s))...)
	}
	p.Try("make and export it on the server of Netwrix Auditor:")
	for i, click := range clicks {
		p.Try(fmt.Sprintf("%d. %s", i+1, click))
	}
	return p
}

// certificateTrust is A6: the certificate in NPS's Trusted Root, by hand.
func (w World) certificateTrust() steps.Step {
	const id = "certificate-trust"
	return steps.Step{
		ID: id, Title: "Trust on the NPS server", Article: "Export, 11-13",
		Why: "IIS on the NPS server lets in only client certificates that it trusts",
		Look: func(_ context.Context, s *steps.Scene) error {
			if c, ok := steps.Get(s, certificateKey); ok && !c.SelfSigned {
				s.Problem(problem.New("Auditor's client certificate is not self-signed").
					Because(fmt.Sprintf("it was issued by %s; a certificate that is not self-signed in Trusted Root makes IIS refuse every client certificate (403.16)", problem.Plain(c.Issuer))).
					Try("do not import this file: the certificate of its issuer, "+problem.Plain(c.Issuer)+", is the one that belongs into Trusted Root on the NPS server",
						"then export a self-signed certificate from Auditor (Generate new certificate) and name it under application.certificate"))
			}
			return nil
		},
		Plan: func(s *steps.Scene) ([]plan.Action, error) {
			c, _ := steps.Get(s, certificateKey)
			actions, err := w.byHand(s, id, "trusted root certificate", c.Subject, trustedAbout(s), seenAs)
			for i := range actions {
				actions[i].UndoNote = "delete the certificate with thumbprint " + c.Thumbprint + " from Trusted Root Certification Authorities (Local Machine) on the NPS server"
			}
			return actions, err
		},
		Verify: byWord(id, trustedAbout, seenAs),
	}
}

// trustedAbout is the certificate that was imported: another one has to be imported anew.
func trustedAbout(s *steps.Scene) plan.Value {
	c, _ := steps.Get(s, certificateKey)
	return plan.String(c.Thumbprint)
}
