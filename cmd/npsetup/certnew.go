package main

import (
	"context"
	"crypto"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/pki"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// The life of a certificate of our own, in days.
const (
	usualDays   = 730
	longestDays = 3650
)

type certNewOptions struct {
	*options
	passphraseOptions
	name, dir, keyType, encryption string
	days                           int
	encryptKey                     bool
}

func newCertNew(shared *options) *cobra.Command {
	own := *shared
	o := certNewOptions{options: &own}
	c := &cobra.Command{
		Use: "new --name NAME --dir DIR", Short: "Make a key and a certificate of its own", Args: cobra.NoArgs,
		Long: `new writes NAME.key (the private key), NAME.cer (the certificate in DER) and NAME.pfx (both, for Auditor's server) into DIR, which is made with
mode 0700. It never writes over a file. The certificate vouches for nobody but itself (CA:FALSE) and serves for client authentication only.`,
		RunE: func(c *cobra.Command, _ []string) error { return runCertNew(c.Context(), c, o) },
	}
	c.Flags().StringVar(&o.name, "name", "", "`NAME` in the certificate and of the files, best the application name in NPS")
	c.Flags().StringVar(&o.dir, "dir", "", "folder `DIR` for the files")
	c.Flags().IntVar(&o.days, "days", usualDays, "valid for `N` days")
	keyTypeFlag(c, &o.keyType)
	passphraseFlags(c, &o.passphraseOptions, &o.encryption)
	c.Flags().BoolVar(&o.encryptKey, "encrypt-key", false, "encrypt NAME.key with the passphrase too; application.key in an answers file cannot be encrypted")
	o.formatFlag(c)
	return c
}

func keyTypeFlag(c *cobra.Command, to *string) {
	var kinds []string
	for _, k := range pki.KeyKinds() {
		kinds = append(kinds, string(k))
	}
	c.Flags().StringVar(to, "key-type", string(pki.DefaultKey), "`KIND` of key: "+strings.Join(kinds, ", "))
}

func passphraseFlags(c *cobra.Command, p *passphraseOptions, encryption *string) {
	c.Flags().StringVar(&p.reference, "passphrase", "", "passphrase of the PFX, by `REFERENCE`: env:NAME, file:PATH, keyring:NAME or prompt")
	c.Flags().BoolVar(&p.none, "no-passphrase", false, "write the PFX without a passphrase")
	c.Flags().StringVar(encryption, "pfx-encryption", string(pki.Modern), "modern (AES-256), or legacy (3DES) for Windows Server 2016")
}

func checkEncryption(text string) (pki.Encryption, error) {
	switch e := pki.Encryption(text); e {
	case pki.Modern, pki.Legacy:
		return e, nil
	}
	return "", problem.New("--pfx-encryption " + problem.Plain(text) + " is not known").Try("--pfx-encryption modern, or --pfx-encryption legacy for Windows Server 2016").Of(problem.Usage)
}

// checkNamed holds what new and request need.
func checkNamed(name, dir string) error {
	var l problem.List
	if name == "" {
		l.Add(problem.New("no name was given").Try("--name NAME; best the application name in NPS, such as NetwrixAuditor").Of(problem.Usage))
	} else {
		l.Add(pki.CheckName(name))
	}
	if dir == "" {
		l.Add(problem.New("no folder was named").Try("--dir DIR; it is made when it is not there").Of(problem.Usage))
	}
	return l.Err()
}

func runCertNew(ctx context.Context, c *cobra.Command, o certNewOptions) error {
	var l problem.List
	l.Add(o.checkFormat())
	l.Add(checkNamed(o.name, o.dir))
	e, err := checkEncryption(o.encryption)
	l.Add(err)
	if o.days < 1 || o.days > longestDays {
		l.Add(problem.New(fmt.Sprintf("--days %d cannot be", o.days)).Because(fmt.Sprintf("a certificate is valid for 1 to %d days", longestDays)).Try(fmt.Sprintf("--days %d", usualDays)).Of(problem.Usage))
	}
	if o.encryptKey && o.none {
		l.Add(problem.New("--encrypt-key needs a passphrase").Try("leave --no-passphrase out").Of(problem.Usage))
	}
	if err := l.Err(); err != nil {
		return err
	}
	base := stem(o.dir, o.name)
	if err := mustBeNew(base+".key", base+".cer", base+".pfx"); err != nil {
		return err
	}
	words, err := o.app.newPassphrase(ctx, o.passphraseOptions)
	if err != nil {
		return err
	}
	key, err := pki.NewKey(pki.KeyKind(o.keyType))
	if err != nil {
		return err
	}
	from := o.app.now().Add(-time.Hour) // for clocks that are behind
	made, err := pki.NewSelfSigned(o.name, key, from, from.AddDate(0, 0, o.days))
	if err != nil {
		return err
	}
	files, err := ownFiles(base, key, made, words, e, o.encryptKey)
	if err != nil {
		return err
	}
	if err := writeAll(files); err != nil {
		return err
	}
	passphraseWarnings(c.ErrOrStderr(), words, e)
	return o.report(c, made, files)
}

func ownFiles(base string, key crypto.Signer, made pki.Certificate, words secret.Secret, e pki.Encryption, encryptKey bool) ([]newFile, error) {
	pfx, err := pki.PFX(key, pki.Chained{Leaf: made}, words, e)
	if err != nil {
		return nil, err
	}
	keyWords, goes := secret.Secret{}, keyGoes
	if encryptKey {
		keyWords, goes = words, "stays here, encrypted; npsetup cert bundle --key reads it"
	}
	return []newFile{
		{path: base + ".key", use: goes, write: func() error { return pki.WriteKey(base+".key", key, keyWords) }},
		{path: base + ".cer", use: cerRoot, content: made.X509.Raw},
		{path: base + ".pfx", use: pfxGoes, content: pfx},
	}, nil
}

func (o certNewOptions) report(c *cobra.Command, made pki.Certificate, files []newFile) error {
	d := documentOf(made, nil, o.app.now())
	if o.format == "json" {
		return asJSON(c.OutOrStdout(), struct {
			Certificate certificateDocument `json:"certificate"`
			Files       []fileDocument      `json:"files"`
		}{d, fileDocuments(files)})
	}
	describeCertificate(c.OutOrStdout(), "", d)
	describeFiles(c.OutOrStdout(), fileDocuments(files))
	return nil
}
