package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"npsetup/client/pki"
	"npsetup/steps/auditor"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func newCert(shared *options) *cobra.Command {
	c := &cobra.Command{
		Use: "cert", Short: "Make, request, pack and inspect Auditor's client certificate", Args: cobra.ArbitraryArgs,
		Long: `cert works with files only: it connects to nothing and installs nothing.

  new      a key and a certificate of its own (the guide's way; its .cer goes into Trusted Root on the NPS server)
  request  a key and a request for your authority (what Netwrix recommends: only the authority's root is trusted)
  bundle   the authority's answer, matched with the key and packed for Auditor's server
  inspect  what a file holds, and whether it can be used`,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return notACommand(append([]string{"cert"}, args...))
			}
			return problem.New("cert needs to know what to do").Try("npsetup cert new, request, bundle or inspect; npsetup help cert explains them").Of(problem.Usage)
		},
	}
	c.AddCommand(newCertNew(shared), newCertRequest(shared), newCertBundle(shared), newCertInspect(shared))
	return c
}

// passphraseOptions are the flags about one passphrase.
type passphraseOptions struct {
	reference string
	none      bool
}

// parsePassphrase reads what a flag refers to; nil when none was given.
func parsePassphrase(flag, text string) (*secret.Reference, error) {
	if text == "" {
		return nil, nil //nolint:nilnil // no flag is no fault
	}
	r, err := secret.ParseReference(text)
	if err != nil {
		return nil, problem.New("--" + flag + " cannot be read").Because(err.Error()).Try("--" + flag + " env:NAME, file:PATH, keyring:NAME or prompt").Of(problem.Usage)
	}
	return &r, nil
}

// newPassphrase gets the passphrase for a file that is to be written. One that is typed is typed twice.
func (a *app) newPassphrase(ctx context.Context, p passphraseOptions) (secret.Secret, error) {
	r, err := parsePassphrase("passphrase", p.reference)
	switch {
	case err != nil:
		return secret.Secret{}, err
	case r != nil && p.none:
		return secret.Secret{}, problem.New("--passphrase and --no-passphrase contradict each other").Try("leave one of them out").Of(problem.Usage)
	case p.none:
		return secret.Secret{}, nil
	case r == nil && !a.terminal:
		return secret.Secret{}, problem.New("the PFX has no passphrase").Because("it holds the private key, and travels to Auditor's server").
			Try("--passphrase env:NAME, file:PATH or keyring:NAME", "or --no-passphrase, if the file never leaves your hands").Of(problem.Usage)
	case r == nil:
		r = &secret.Reference{Source: secret.Prompt}
	}
	return a.fetchNew(ctx, "passphrase", *r, "passphrase for the new file")
}

// fetchNew gets a secret that is to be set. One that is typed is typed twice.
func (a *app) fetchNew(ctx context.Context, key string, r secret.Reference, what string) (secret.Secret, error) {
	words, err := a.fetch(ctx, key, r, what)
	if err != nil || r.Source != secret.Prompt {
		return words, err
	}
	again, err := a.fetch(ctx, key, r, what+", once more")
	if err == nil && !again.Equal(words) {
		return secret.Secret{}, problem.New("the two passphrases differ").Try("type the same one twice").Of(problem.Usage)
	}
	return words, err
}

// passphraseFor gets the passphrase of a file that is there.
func (a *app) passphraseFor(ctx context.Context, flag, reference, file string) func() (secret.Secret, error) {
	return func() (secret.Secret, error) {
		r, err := parsePassphrase(flag, reference)
		if err != nil {
			return secret.Secret{}, err
		}
		if r == nil && !a.terminal {
			return secret.Secret{}, problem.New(problem.Plain(file) + " is encrypted with a passphrase").Try("--" + flag + " env:NAME, file:PATH or keyring:NAME").Of(problem.Usage)
		}
		if r == nil {
			r = &secret.Reference{Source: secret.Prompt}
		}
		return a.fetch(ctx, flag, *r, "passphrase of "+problem.Plain(file))
	}
}

// passphraseWarnings says on the error stream what is unwise about a passphrase and an encryption.
func passphraseWarnings(w io.Writer, words secret.Secret, e pki.Encryption) {
	if words.Empty() {
		_, _ = fmt.Fprintln(w, "note: the PFX has no passphrase: whoever gets the file has the private key. Delete it once it is imported")
	} else if words.Arrived() == "received" { // under 16 characters
		_, _ = fmt.Fprintln(w, "note: the passphrase has under 16 characters: who gets the file can try passphrases as fast as machines go. Delete it once it is imported")
	}
	if e == pki.Legacy {
		_, _ = fmt.Fprintln(w, "note: legacy is 3DES with SHA-1, for Windows Server 2016. Delete the file once it is imported")
	}
}

// newFile is a file that a command is about to write.
type newFile struct {
	path    string
	use     string // where it goes next
	write   func() error
	content []byte
	holds   []pki.Certificate // a file that holds them does as well, in whatever form
}

// there says whether the file is there already: with the same content, or with the same certificates.
func (f newFile) there() bool {
	info, err := os.Lstat(f.path)
	if err != nil || !info.Mode().IsRegular() || len(f.content) == 0 { // a pipe would never end
		return false
	}
	if info.Size() == int64(len(f.content)) {
		if have, err := os.ReadFile(f.path); err == nil && bytes.Equal(have, f.content) {
			return true
		}
	}
	if len(f.holds) == 0 {
		return false
	}
	found, err := pki.ReadBundle(f.path)
	if err != nil || len(f.holds) == 1 && len(found) != 1 {
		return false
	}
	for _, c := range f.holds {
		if !slices.ContainsFunc(found, func(have pki.Certificate) bool { return have.SHA256 == c.SHA256 }) {
			return false
		}
	}
	return true
}

// writeAll writes all files or none. One that is there with what it is to hold stays, any other stops everything.
func writeAll(files []newFile) (err error) {
	var write []newFile
	for _, f := range files {
		if f.there() {
			continue
		}
		if _, err := os.Lstat(f.path); err == nil {
			return pki.Exists(f.path)
		}
		write = append(write, f)
	}
	var written []string
	for _, f := range write {
		if f.write != nil {
			err = f.write()
		} else {
			err = pki.WriteFile(f.path, f.content, 0o600)
		}
		if err != nil {
			for _, path := range written { // of this run, and in nobody's hands yet
				err = errors.Join(err, os.Remove(path))
			}
			return err
		}
		written = append(written, f.path)
	}
	return nil
}

// mustBeNew refuses files that are there, before a passphrase is asked and a key made.
func mustBeNew(paths ...string) error {
	var l problem.List
	for _, p := range paths {
		if _, err := os.Lstat(p); err == nil {
			l.Add(pki.Exists(p))
		}
	}
	return l.Err()
}

// stem is the beginning of the file names for a certificate, as a set-up has them for an application of that name.
func stem(dir, name string) string { return filepath.Join(dir, auditor.FileName(name)) }

// asJSON prints one document.
func asJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
