package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"npsetup/client/pki"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

type certRequestOptions struct {
	*options
	name, dir, keyType, passphrase string
}

func newCertRequest(shared *options) *cobra.Command {
	own := *shared
	o := certRequestOptions{options: &own}
	c := &cobra.Command{
		Use: "request --name NAME --dir DIR", Short: "Make a key and a request for your authority", Args: cobra.NoArgs,
		Long: `request writes NAME.key (the private key) and NAME.req (PKCS #10 in PEM, as certreq -submit and the web pages of AD CS take it) into DIR, which
is made with mode 0700. It never writes over a file. When the authority has answered: npsetup cert bundle.`,
		RunE: func(c *cobra.Command, _ []string) error { return runCertRequest(c.Context(), c, o) },
	}
	c.Flags().StringVar(&o.name, "name", "", "`NAME` to ask for and of the files, best the application name in NPS")
	c.Flags().StringVar(&o.dir, "dir", "", "folder `DIR` for the files")
	keyTypeFlag(c, &o.keyType)
	c.Flags().StringVar(&o.passphrase, "passphrase", "", "encrypt NAME.key, by `REFERENCE`: env:NAME, file:PATH, keyring:NAME or prompt; application.key in an answers file cannot be encrypted")
	o.formatFlag(c)
	return c
}

func runCertRequest(ctx context.Context, c *cobra.Command, o certRequestOptions) error {
	var l problem.List
	l.Add(o.checkFormat())
	l.Add(checkNamed(o.name, o.dir))
	if err := l.Err(); err != nil {
		return err
	}
	base := stem(o.dir, o.name)
	if err := mustBeNew(base+".key", base+".req"); err != nil {
		return err
	}
	var words secret.Secret
	if o.passphrase != "" {
		var err error
		if words, err = o.app.newPassphrase(ctx, passphraseOptions{reference: o.passphrase}); err != nil {
			return err
		}
	}
	key, err := pki.NewKey(pki.KeyKind(o.keyType))
	if err != nil {
		return err
	}
	made, err := pki.NewRequest(o.name, key)
	if err != nil {
		return err
	}
	files := []newFile{
		{path: base + ".key", use: "stays here, readable by you alone: without it the authority's answer is worth nothing", write: func() error { return pki.WriteKey(base+".key", key, words) }},
		{path: base + ".req", use: submission(base), content: made.PEM()},
	}
	if err := writeAll(files); err != nil {
		return err
	}
	return o.report(c, made, base, files)
}

// submission is how a request is handed in. Without file names certreq opens windows; without the third one the chain does not come
// along (Microsoft's reference of certreq).
func submission(base string) string {
	const authority = `-config "SERVER\AUTHORITY"`
	return "your authority: on its web page, or on Windows: certreq -submit " + authority + ` -attrib "CertificateTemplate:TEMPLATE" ` + problem.Plain(quoted(filepath.Base(base)+".req", "windows")) +
		" certnew.cer certnew.p7b; when it is to be approved first, later: certreq -retrieve " + authority + " NUMBER certnew.cer certnew.p7b, with the RequestId that the first one printed"
}

func (o certRequestOptions) report(c *cobra.Command, made pki.Request, base string, files []newFile) error {
	const ask = "a template with Client Authentication (1.3.6.1.5.5.7.3.2) and digital signature, that takes the subject from the request"
	next := fmt.Sprintf("npsetup cert bundle --key %s --answer FILE --passphrase prompt", problem.Plain(quoted(base+".key", runtime.GOOS)))
	d := requestDocumentOf(made)
	if o.format == "json" {
		return asJSON(c.OutOrStdout(), struct {
			Request requestDocument `json:"request"`
			Files   []fileDocument  `json:"files"`
			AskFor  string          `json:"askFor"`
			Next    string          `json:"next"`
		}{d, fileDocuments(files), ask, next})
	}
	out := c.OutOrStdout()
	describeRequest(out, "", d)
	describeFiles(out, fileDocuments(files))
	_, err := fmt.Fprintf(out, "ask for %s\nthen: %s\n", ask, next)
	return err
}
