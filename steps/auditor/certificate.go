package auditor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// What is known of the certificate: itself, and who vouches for it. On the roads where it is still to be made or issued, it is
// not known.
var (
	certificateKey = steps.Key[Certificate]{Name: "auditor.certificate"}
	chainKey       = steps.Key[Chain]{Name: "auditor.chain"}
)

const certificateStep = "certificate"

// certificate is A5: Auditor's client certificate.
func (w World) certificate() steps.Step {
	return steps.Step{
		ID: certificateStep, Title: "Client certificate", Article: "Initial Setup, 5-6, 9; Export, 1-10",
		Why:    "its serial number goes into the application user; read from the file, not typed",
		Fields: w.certificateFields(),
		Look:   w.lookCertificate,
		Plan:   w.planCertificate,
		Verify: nps.ProvenBy(w.planCertificate, func(s *steps.Scene) string {
			c, _ := steps.Get(s, certificateKey)
			text := fmt.Sprintf("serial %s, valid to %s", c.Serial, c.NotAfter.UTC().Format("2006-01-02"))
			if !c.SelfSigned {
				text += ", issued by " + problem.Plain(c.Issuer)
			}
			return text
		}),
	}
}

func (w World) lookCertificate(ctx context.Context, s *steps.Scene) error {
	switch roadOf(s.Answers) {
	case roadNew:
		return w.lookNew(ctx, s)
	case roadRequest:
		return w.lookRequest(ctx, s)
	}
	return w.lookExported(ctx, s)
}

// lookExported reads the certificate that Auditor made, or took.
func (w World) lookExported(ctx context.Context, s *steps.Scene) error {
	if v := s.Answers.Text(keyCertificate); v == roadNew || v == roadRequest {
		return problem.New("no certificate file is named").Coded(problem.CertificateNotExported).At(keyCertificate).Try("name the certificate that Auditor has exported, for example file:auditor-client.cer", "or choose that it comes from elsewhere")
	}
	path := certificateFile(s.Answers)
	read := w.ReadCertificate
	if digits, is := strings.CutPrefix(s.Answers.Text(keyCertificate), storePrefix); is {
		read = func(_ string, now time.Time) (Certificate, error) { return w.Files.InStore(digits, now) }
	}
	c, err := read(path, w.serverNow(s))
	if errors.Is(err, fs.ErrNotExist) {
		return w.exportFirst(s, path)
	}
	if err != nil {
		return err
	}
	w.seen(s, c)
	s.Problem(c.Refused)
	if key := s.Answers.File(keyPrivateKey); key != "" {
		w.lookNamedKey(ctx, s, c, path, key)
	}
	if c.SelfSigned {
		steps.Put(s, chainKey, Chain{Leaf: c, Root: c})
		return nil
	}
	chain := Chain{Leaf: c, Missing: c.Issuer}
	if authorities := s.Answers.File(keyAuthorities); authorities != "" {
		if chain, err = w.Files.Chain("", []string{path, authorities}, w.serverNow(s)); errors.Is(err, fs.ErrNotExist) {
			return problem.New("the file " + problem.Plain(authorities) + " is not there").At(keyAuthorities).Try("name the file with the certificates of " + problem.Plain(c.Issuer))
		}
		if err != nil {
			return err
		}
	}
	w.vouched(s, chain)
	return nil
}

// serverNow is the time by the clock of the NPS server, which is the one that judges certificates.
func (w World) serverNow(s *steps.Scene) time.Time {
	skew, _ := steps.Get(s, nps.SkewKey)
	return w.Now().Add(-skew)
}

// seen shows a certificate and makes it known to later steps.
func (w World) seen(s *steps.Scene, c Certificate) {
	steps.Put(s, certificateKey, c)
	s.Observe("certificate", c.SHA256)
	for _, warning := range c.Warnings {
		s.Warn(warning)
	}
	if left := c.NotAfter.Sub(w.serverNow(s)); left > 0 && left < soon {
		s.Warn("Auditor's client certificate ends on "+c.NotAfter.UTC().Format("2006-01-02")+": renew it before that, or Auditor can no longer sign in", problem.ClientCertificateEndsSoon)
	}
	s.See(steps.Finding{Kind: steps.CertificateFinding, Title: "Auditor's client certificate", State: steps.Fits, Rows: []steps.Row{
		{Label: "subject", Value: problem.Plain(c.Subject)},
		{Label: "issuer", Value: problem.Plain(c.Issuer)},
		{Label: "serial number", Value: c.Serial},
		{Label: "valid", Value: c.NotBefore.UTC().Format("2006-01-02") + " to " + c.NotAfter.UTC().Format("2006-01-02")},
		{Label: "thumbprint (SHA-1)", Value: c.Thumbprint},
		{Label: "SHA-256", Value: c.SHA256},
	}})
}

// soon is how long before its end a certificate is worth a warning.
const soon = 30 * 24 * time.Hour

// vouched judges the chain of a certificate that is not self-signed, and makes it known: what goes into Trusted Root is its end.
func (w World) vouched(s *steps.Scene, chain Chain) {
	if chain.Missing != "" {
		issuer := problem.Plain(chain.Missing)
		s.Problem(problem.New("the certificate of "+issuer+" is missing").Coded(problem.NotSelfSigned).
			Because("Auditor's client certificate is not self-signed: it must not go into Trusted Root on the NPS server, where it would make IIS refuse every client certificate (403.16); the root of "+issuer+" goes there").
			At(keyAuthorities).
			Try("do not import this file there", "get the certificates of the authority as a file: on its server certutil -ca.cert root.cer, on its web page Download a CA certificate, certificate chain, or CRL",
				"then name that file under application.authorities"))
		return
	}
	steps.Put(s, chainKey, chain)
	s.Observe("root", chain.Root.SHA256)
	for _, c := range append(slices.Clone(chain.Between), chain.Root) {
		s.Problem(w.authorityRefused(s, c))
	}
	var rows []steps.Row
	for _, c := range chain.Between {
		rows = append(rows, steps.Row{Label: "issued by", Value: problem.Plain(c.Subject)})
	}
	rows = append(rows, steps.Row{Label: "root", Value: problem.Plain(chain.Root.Subject)}, steps.Row{Label: "thumbprint (SHA-1)", Value: chain.Root.Thumbprint}, steps.Row{Label: "SHA-256", Value: chain.Root.SHA256})
	s.See(steps.Finding{Kind: steps.CertificateFinding, Title: "the authority that vouches for it", State: steps.Fits, Rows: rows})
}

// unknownSerial stands in sentences for a serial number that nobody has read yet.
const unknownSerial = "not known before the export"

// exportFirst is the error for a certificate that was not exported yet; its next steps are the article's clicks.
func (w World) exportFirst(s *steps.Scene, path string) error {
	p := problem.New("there is no certificate at " + problem.Plain(path)).Coded(problem.CertificateNotExported).Because("Auditor's client certificate has to be exported first").At(keyCertificate)
	values := w.values(s)
	values["serial"] = unknownSerial
	var clicks []string
	for _, page := range []string{startStep, certificateStep} {
		if page == startStep && s.Memory.ManualDone[page] {
			continue
		}
		clicks = append(clicks, w.Texts.Paragraph(page, s.Version, values)...)
	}
	p.Try("make and export it on the server of Netwrix Auditor:")
	for i, click := range clicks {
		p.Try(fmt.Sprintf("%d. %s", i+1, click))
	}
	return p
}

// ofCertificate is a value of the certificate: a text, or a reference to what will give it.
func ofCertificate(s *steps.Scene, output string) plan.Value {
	c, known := steps.Get(s, certificateKey)
	switch {
	case !known && roadOf(s.Answers) == roadRequest:
		return plan.Ref{Action: submitAction, Output: output, What: "the certificate that the authority issues"}
	case !known && roadOf(s.Answers) == roadNew:
		return plan.Ref{Action: certificateAction, Output: output, What: "the new client certificate"}
	case output == plan.SerialOutput:
		return plan.String(c.Serial)
	case output == plan.ThumbprintOutput:
		return plan.String(c.Thumbprint)
	}
	return plan.String(c.SHA256)
}

// shownOf is how a value of the certificate is shown.
func shownOf(v plan.Value) string {
	if r, is := v.(plan.Ref); is {
		return r.String()
	}
	text, _ := plan.TextOf(v, nil)
	return text
}

// leafAbout is the certificate that was imported: another one has to be imported anew.
func leafAbout(s *steps.Scene) plan.Value { return ofCertificate(s, plan.ThumbprintOutput) }

// certificateValues are the values that the pages of the certificate need.
func certificateValues(s *steps.Scene, v map[string]string) {
	c, _ := steps.Get(s, certificateKey)
	root, file, _ := toTrust(s)
	v["subject"], v["file"], v["root"] = c.Subject, file, root.Subject
	v["serial"], v["thumbprint"] = shownOf(ofCertificate(s, plan.SerialOutput)), shownOf(trustedAbout(s))
	made := roadOf(s.Answers) != roadAuditor
	f := filesOf(s.Answers)
	if made {
		v["subject"], v["pfx"], v["request"], v["answer"] = "CN="+s.Answers.Text(keyApplication), f.pfx, f.req, f.answer
	}
	chain, known := steps.Get(s, chainKey)
	if !known && made {
		v["root"] = "(root of the authority that issues the certificate, known after apply)"
	}
	if issuer, is := steps.Get(s, loneKey); is {
		v["root"], v["issuer"], v["thumbprint"] = "", issuer, "" // the root is not known
	}
	var between []string
	for i, c := range chain.Between {
		where := file
		if made {
			where = f.intermediate(i + 1)
		}
		between = append(between, c.Subject+" (thumbprint "+c.Thumbprint+") in "+where)
	}
	v["intermediate"] = strings.Join(between, "\n")
}
