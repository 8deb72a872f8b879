package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/pki"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

type certBundleOptions struct {
	*options
	passphraseOptions
	key, keyPassphrase, dir, encryption string
	answers                             []string
}

func newCertBundle(shared *options) *cobra.Command {
	own := *shared
	o := certBundleOptions{options: &own}
	c := &cobra.Command{
		Use: "bundle --key FILE --answer FILE", Short: "Match an authority's answer with its key and pack it", Args: cobra.NoArgs,
		Long: `bundle takes the authority's answer in any form (.cer, .p7b, Base64, several files in any order), finds the certificate that belongs to the key,
orders those that vouch for it, and writes beside the key, or into DIR, under the key's name: NAME.pfx (key, certificate and those between, for Auditor's
server), NAME.cer (the certificate in DER), NAME.p7b (the chain), NAME.root.cer (the root, for Trusted Root on the NPS server) and
NAME.intermediate-1.cer and so on (those between, for its Intermediate Certification Authorities), as far as they are in the answer. What is not
for client authentication, or an authority's itself, is not packed.`,
		RunE: func(c *cobra.Command, _ []string) error { return runCertBundle(c.Context(), c, o) },
	}
	c.Flags().StringVar(&o.key, "key", "", "private key `FILE`")
	c.Flags().StringVar(&o.keyPassphrase, "key-passphrase", "", "passphrase of the private key, by `REFERENCE`; asked on a terminal")
	c.Flags().StringArrayVar(&o.answers, "answer", nil, "`FILE` from the authority; may be repeated")
	c.Flags().StringVar(&o.dir, "dir", "", "folder `DIR` for the files (default: that of the key)")
	passphraseFlags(c, &o.passphraseOptions, &o.encryption)
	o.formatFlag(c)
	return c
}

func runCertBundle(ctx context.Context, c *cobra.Command, o certBundleOptions) error {
	e, err := o.check()
	if err != nil {
		return err
	}
	key, err := o.readKey(ctx)
	if err != nil {
		return err
	}
	chain, err := o.match(key)
	if err != nil {
		return err
	}
	base := o.base()
	if err := mustBeNew(base + ".pfx"); err != nil {
		return err
	}
	words, err := o.app.newPassphrase(ctx, o.passphraseOptions)
	if err != nil {
		return err
	}
	files, err := answerFiles(base, key, chain, words, e)
	if err != nil {
		return err
	}
	if err := writeAll(files); err != nil {
		return err
	}
	passphraseWarnings(c.ErrOrStderr(), words, e)
	if chain.Missing != "" {
		_, _ = fmt.Fprintf(c.ErrOrStderr(), "note: the certificate of %s is not among the answer: add it with another --answer FILE, unless Windows has it on both servers\n", problem.Plain(chain.Missing))
	}
	return o.report(c, chain, files)
}

func (o certBundleOptions) check() (pki.Encryption, error) {
	var l problem.List
	l.Add(o.checkFormat())
	e, err := checkEncryption(o.encryption)
	l.Add(err)
	if o.key == "" {
		l.Add(problem.New("no private key was named").Try("--key FILE; npsetup cert request made it").Of(problem.Usage))
	}
	if len(o.answers) == 0 {
		l.Add(problem.New("no answer of an authority was named").Try("--answer FILE; may be repeated").Of(problem.Usage))
	}
	return e, l.Err()
}

func (o certBundleOptions) readKey(ctx context.Context) (crypto.Signer, error) {
	key, err := pki.ReadKey(o.key)
	switch {
	case errors.Is(err, pki.ErrPassphrase):
	case err != nil:
		return nil, problem.All(err)[0].At("--key")
	default:
		return key, nil
	}
	words, err := o.app.passphraseFor(ctx, "key-passphrase", o.keyPassphrase, o.key)()
	if err != nil {
		return nil, err
	}
	return pki.ReadKeyWith(o.key, words)
}

// match finds the key's certificate among all answers, and refuses one that cannot serve.
func (o certBundleOptions) match(key crypto.Signer) (pki.Chained, error) {
	var found []pki.Certificate
	for _, path := range o.answers {
		more, err := pki.ReadBundle(path)
		if err != nil {
			return pki.Chained{}, err
		}
		found = append(found, more...)
	}
	chain, err := pki.Chain(key, found)
	if err != nil {
		return chain, err
	}
	var l problem.List
	for _, r := range pki.CheckAnswer(chain.Leaf, o.app.now()) {
		if r.Level == pki.Refuse {
			l.Add(r.Problem())
		}
	}
	return chain, l.Err()
}

// base is where the files go, without their endings.
func (o certBundleOptions) base() string {
	name := filepath.Base(o.key)
	dir := o.dir
	if dir == "" {
		dir = filepath.Dir(o.key)
	}
	return filepath.Join(dir, strings.TrimSuffix(name, filepath.Ext(name)))
}

func answerFiles(base string, key crypto.Signer, chain pki.Chained, words secret.Secret, e pki.Encryption) ([]newFile, error) {
	carried := chain
	carried.Issuers = chain.Between() // importing it must not make Auditor's server trust another root
	pfx, err := pki.PFX(key, carried, words, e)
	if err != nil {
		return nil, err
	}
	p7b, err := pki.P7B(chain.All())
	if err != nil {
		return nil, err
	}
	leafGoes := cerLeaf
	root, complete := chain.Root()
	if complete && len(chain.Issuers) == 0 {
		leafGoes = cerRoot
	}
	files := []newFile{
		{path: base + ".cer", use: leafGoes, content: chain.Leaf.X509.Raw, holds: []pki.Certificate{chain.Leaf}},
		{path: base + ".p7b", use: "the certificate and those that vouch for it, to look at and to keep; it must not go into Trusted Root as a whole", content: p7b, holds: chain.All()},
	}
	if complete && len(chain.Issuers) > 0 {
		files = append(files, newFile{path: base + ".root.cer", use: "NPS server: Certificates (Local Computer) > Trusted Root Certification Authorities, if " + root.Subject + " is not there yet", content: root.X509.Raw, holds: []pki.Certificate{root}})
	}
	for i, c := range chain.Between() {
		files = append(files, newFile{
			path: fmt.Sprintf("%s.intermediate-%d.cer", base, i+1), content: c.X509.Raw, holds: []pki.Certificate{c},
			use: "NPS server: Certificates (Local Computer) > Intermediate Certification Authorities, if " + c.Subject + " is not there yet; never into Trusted Root",
		})
	}
	return append(files, newFile{path: base + ".pfx", use: pfxGoes, content: pfx}), nil
}

func (o certBundleOptions) report(c *cobra.Command, chain pki.Chained, files []newFile) error {
	at := o.app.now()
	leaf := answerDocument(chain, at)
	if o.format == "json" {
		issuers, others := []certificateDocument{}, []string{}
		for _, i := range chain.Issuers {
			issuers = append(issuers, authorityDocument(i, chain.Issuers, at))
		}
		for _, x := range chain.Others {
			others = append(others, x.Subject)
		}
		return asJSON(c.OutOrStdout(), struct {
			Certificate certificateDocument   `json:"certificate"`
			Issuers     []certificateDocument `json:"issuers"`
			Missing     string                `json:"missing,omitempty"`
			Others      []string              `json:"others"`
			Files       []fileDocument        `json:"files"`
		}{leaf, issuers, chain.Missing, others, fileDocuments(files)})
	}
	out := c.OutOrStdout()
	describeFacts(out, "", leaf)
	for i, x := range chain.Issuers {
		_, _ = fmt.Fprintf(out, "%s%-12s %s (thumbprint %s)\n", "", vouches(i, chain), problem.Plain(x.Subject), x.SHA1)
		describeRemarks(out, "", remarkDocuments(slices.DeleteFunc(pki.CheckAuthority(x, at), func(r pki.Remark) bool { return r.Level != pki.Refuse })))
	}
	if chain.Missing != "" {
		_, _ = fmt.Fprintf(out, "%-12s %s\n", "missing", problem.Plain(chain.Missing))
	}
	for _, x := range chain.Others {
		_, _ = fmt.Fprintf(out, "%-12s %s (does not belong to this certificate)\n", "left out", problem.Plain(x.Subject))
	}
	describeVerdict(out, "", leaf)
	describeFiles(out, fileDocuments(files))
	return nil
}

// answerDocument is that of the certificate of an answer, which also needs those that vouch for it.
func answerDocument(chain pki.Chained, at time.Time) certificateDocument {
	d := documentFor(asClient, chain.Leaf, chain.Issuers, at)
	for _, x := range chain.Issuers {
		for _, r := range pki.CheckAuthority(x, at) {
			if r.Level == pki.Refuse {
				d.Usable, d.Verdict = false, "not usable as Auditor's client certificate with this certificate of "+x.Subject+": "+r.Text
				return d
			}
		}
	}
	if d.Usable && chain.Missing != "" {
		d.Verdict += ", as soon as NPS trusts the root of its chain; the certificate of " + chain.Missing + " is not among the answer"
	}
	return d
}

func vouches(i int, chain pki.Chained) string {
	if i == len(chain.Issuers)-1 && chain.Missing == "" {
		return "root"
	}
	return "issued by"
}
