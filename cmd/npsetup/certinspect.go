package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/pki"
	"npsetup/steps/problem"
)

type certInspectOptions struct {
	*options
	passphrase, at string
}

func newCertInspect(shared *options) *cobra.Command {
	own := *shared
	o := certInspectOptions{options: &own}
	c := &cobra.Command{
		Use: "inspect FILE...", Short: "Tell what certificate, request, PFX and key files hold", Args: cobra.ArbitraryArgs,
		Long: `inspect reads files of any form and tells subject, issuer, serial number as programs spell it, dates, key, usages and thumbprints, what speaks against
a certificate as Auditor's, and whether it may go into Trusted Root on the NPS server. Issuers are looked for in all files that are named.`,
		RunE: func(c *cobra.Command, args []string) error { return runCertInspect(c.Context(), c, o, args) },
	}
	c.Flags().StringVar(&o.passphrase, "passphrase", "", "passphrase of encrypted files, by `REFERENCE`; asked on a terminal")
	c.Flags().StringVar(&o.at, "at", "", "judge the dates at this `TIME`, such as 2027-06-30 or 2027-06-30T12:00:00Z (default: now)")
	o.formatFlag(c)
	return c
}

// requestDocument is a request in JSON.
type requestDocument struct {
	Subject   string `json:"subject"`
	Key       string `json:"key"`
	KeySHA256 string `json:"keySha256"`
	Proven    bool   `json:"proven"` // signed with the key that it names
}

func requestDocumentOf(r pki.Request) requestDocument {
	return requestDocument{r.Subject, r.Key(), pki.KeyFingerprint(r.X509.PublicKey), r.Proven}
}

func describeRequest(w io.Writer, indent string, d requestDocument) {
	line := func(label, value string) { _, _ = fmt.Fprintf(w, "%s%-12s %s\n", indent, label, problem.Plain(value)) }
	line("asks for", d.Subject)
	line("key", d.Key+", sha256:"+d.KeySHA256)
	if !d.Proven {
		line("refuse", "its signature is wrong: it was changed after it was made")
	}
}

// contentDocument is what one file holds, in JSON.
type contentDocument struct {
	File         string                `json:"file"`
	Kind         string                `json:"kind"`
	Form         string                `json:"form"`
	Certificates []certificateDocument `json:"certificates"`
	Request      *requestDocument      `json:"request,omitempty"`
	Key          string                `json:"key,omitempty"`
	KeySHA256    string                `json:"keySha256,omitempty"`
	Belongs      string                `json:"keyBelongsTo,omitempty"` // the subject of the certificate that belongs to the key
	Remarks      []remarkDocument      `json:"remarks"`
}

func runCertInspect(ctx context.Context, c *cobra.Command, o certInspectOptions, paths []string) error {
	if err := o.checkFormat(); err != nil {
		return err
	}
	at, err := o.moment()
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		return problem.New("no file was named").Try("npsetup cert inspect FILE").Of(problem.Usage)
	}
	var contents []pki.Content
	var read []string
	var known []pki.Certificate
	var l problem.List
	for _, path := range paths {
		content, err := pki.Inspect(path, o.app.passphraseFor(ctx, "passphrase", o.passphrase, path))
		if err != nil {
			l.Add(err)
			continue
		}
		contents, read, known = append(contents, content), append(read, path), append(known, content.Certificates...)
	}
	documents := []contentDocument{}
	for i, content := range contents {
		documents = append(documents, contentDocumentOf(read[i], content, known, at))
	}
	if o.format == "json" {
		if err := asJSON(c.OutOrStdout(), documents); err != nil {
			return err
		}
		return l.Err()
	}
	for i, d := range documents {
		if i > 0 {
			_, _ = fmt.Fprintln(c.OutOrStdout())
		}
		d.describe(c.OutOrStdout())
	}
	return l.Err()
}

func (o certInspectOptions) moment() (time.Time, error) {
	if o.at == "" {
		return o.app.now(), nil
	}
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04", minute, time.DateOnly} {
		if t, err := time.Parse(form, o.at); err == nil {
			return t, nil
		}
	}
	return time.Time{}, problem.New("--at " + problem.Plain(o.at) + " is no time").Try("--at 2027-06-30, or --at 2027-06-30T12:00:00Z").Of(problem.Usage)
}

func contentDocumentOf(path string, content pki.Content, known []pki.Certificate, at time.Time) contentDocument {
	d := contentDocument{File: path, Kind: content.Kind, Form: content.Form, Certificates: []certificateDocument{}, Remarks: remarkDocuments(content.Remarks)}
	for _, c := range content.Certificates {
		d.Certificates = append(d.Certificates, documentOf(c, known, at))
	}
	if content.Request != nil {
		r := requestDocumentOf(*content.Request)
		d.Request = &r
	}
	if content.Key != nil {
		d.Key, d.KeySHA256 = pki.DescribeKey(content.Key), pki.KeyFingerprint(content.Key)
	}
	if content.Chain != nil {
		d.Belongs = content.Chain.Leaf.Subject
	}
	return d
}

func (d contentDocument) describe(w io.Writer) {
	_, _ = fmt.Fprintf(w, "%s: %s (%s)\n", problem.Plain(d.File), d.Kind, d.Form)
	if d.Request != nil {
		describeRequest(w, "  ", *d.Request)
	}
	if d.Key != "" {
		_, _ = fmt.Fprintf(w, "  %-12s %s, sha256:%s\n", "private key", d.Key, d.KeySHA256)
		if d.Belongs != "" {
			_, _ = fmt.Fprintf(w, "  %-12s %s\n", "belongs to", problem.Plain(d.Belongs))
		}
	}
	describeRemarks(w, "  ", d.Remarks)
	for i, c := range d.Certificates {
		if len(d.Certificates) > 1 {
			_, _ = fmt.Fprintf(w, "  certificate %d\n", i+1)
		}
		describeCertificate(w, "  ", c)
	}
}
