package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"npsetup/assets"
	"npsetup/client/pki"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func newTrustScript(shared *options) *cobra.Command {
	c := &cobra.Command{
		Use: "script FILE", Short: "Write a PowerShell script that makes the NPS server trust a certificate",
		Long: "script writes a PowerShell script that puts the one certificate of FILE, or the one root in it, by its thumbprint, into Trusted Root of the computer that runs it, and nothing else.\n" +
			"Run it on the NPS server as administrator. A certificate that is not self-signed is refused: the root of its authority belongs there.",
	}
	var out string
	var remove bool
	c, _ = trustCommand(shared, c, "FILE", func(_ context.Context, o *trustOptions, path string) error {
		return runTrustScript(o, path, out, remove)
	})
	c.Flags().StringVar(&out, "out", "", "write it to a new `FILE`, with the mark by which Windows PowerShell reads UTF-8")
	c.Flags().BoolVar(&remove, "remove", false, "write the script that takes the certificate out again")
	_ = c.Flags().MarkHidden("output") // the script is the result
	return c
}

func runTrustScript(o *trustOptions, path, out string, remove bool) error {
	cert, err := forScript(path)
	if err != nil {
		return err
	}
	if !remove {
		var refused problem.List
		for _, r := range pki.CheckTrustedRoot(cert) {
			if r.Level == pki.Refuse {
				refused.Add(problem.New(r.Text).Because(r.Why).Try(r.Try))
			}
		}
		if err := refused.Err(); err != nil {
			return err
		}
	}
	name := "trust.ps1"
	if out != "" {
		name = filepath.Base(out)
	}
	script := trustScript(cert, name, remove)
	if out == "" {
		_, err = io.WriteString(o.c.OutOrStdout(), script)
		return err
	}
	bad := problem.New("the script was not written to " + problem.Plain(out))
	if err := ownPlace(out, bad, "name another place with --out FILE"); err != nil {
		return err
	}
	if err := run.Create(out, []byte("\ufeff"+script), 0o600); err != nil {
		return bad.Unwritten(err, elsewhere+": --out FILE")
	}
	o.talkf("written to %s; run it on the NPS server as administrator: powershell.exe -NoProfile -ExecutionPolicy Bypass -File %s\n", problem.Plain(out), problem.Plain(quoted(name, "windows")))
	return nil
}

// forScript is the only certificate of a file, or the only root among several.
func forScript(path string) (pki.Certificate, error) {
	all, err := pki.ReadBundle(path)
	if err != nil {
		return pki.Certificate{}, err
	}
	if len(all) == 1 {
		return all[0], nil
	}
	var roots []pki.Certificate
	for _, c := range all {
		if c.SelfSigned {
			roots = append(roots, c)
		}
	}
	if len(roots) == 1 {
		return roots[0], nil
	}
	return pki.Certificate{}, problem.New(fmt.Sprintf("the file %s holds %d certificates, of which %d are self-signed", problem.Plain(path), len(all), len(roots))).
		Because("the script brings one certificate: it has to be clear which").Try("name a file with the root alone: npsetup cert bundle and the set-up write it as NAME.root.cer; npsetup cert inspect FILE tells what a file holds").Of(problem.Usage)
}

// trustScript fills the script in. Only the comment in its head holds text of the certificate: one line, without control
// characters; everything that runs is hex digits and Base64. It is no text/template: that would keep every method of every type in the
// program (2.5 MB).
func trustScript(c pki.Certificate, name string, remove bool) string {
	does, part := "Puts exactly one certificate into", "put"
	if remove {
		does, part = "Takes exactly one certificate out of", "remove"
	}
	moment := "2006-01-02 15:04"
	filled := strings.NewReplacer(
		"{{Does}}", does, "{{Subject}}", oneLine(c.Subject), "{{From}}", c.X509.NotBefore.UTC().Format(moment), "{{To}}", c.X509.NotAfter.UTC().Format(moment),
		"{{Thumbprint}}", strings.ToUpper(c.SHA1), "{{SHA256}}", strings.ToUpper(c.SHA256), "{{Base64}}", wrapped(base64.StdEncoding.EncodeToString(c.X509.Raw)), "{{File}}", oneLine(name),
	).Replace(parted(assets.TrustScript, part))
	return strings.ReplaceAll(filled, "\n", "\r\n")
}

// parted keeps the lines for both purposes of a script and those for one: a line #[PART] begins such a part, #[both] ends it.
func parted(script, part string) string {
	var kept []string
	now := "both"
	for line := range strings.Lines(script) {
		if name, is := strings.CutPrefix(strings.TrimSpace(line), "#["); is {
			now = strings.TrimSuffix(name, "]")
			continue
		}
		if now == "both" || now == part {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// oneLine is a text that stays within its comment.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(problem.Plain(text)), " ")
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "?")
	}
	return text
}

func wrapped(text string) string {
	var lines []string
	for len(text) > 64 {
		lines, text = append(lines, text[:64]), text[64:]
	}
	return strings.Join(append(lines, text), "\n")
}
