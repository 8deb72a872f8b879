package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"npsetup/client/trust"
	"npsetup/steps/problem"
	"npsetup/tui/face"
)

func newTrustShow(shared *options) *cobra.Command {
	c := &cobra.Command{
		Use: "show URL", Short: "Show the certificates that a server presents, and the answer that pins them",
		Long: "show ends the connection after the TLS handshake: nothing is sent over it, and nothing is remembered.",
	}
	c, _ = trustCommand(shared, c, "URL", runTrustShow)
	return c
}

func runTrustShow(ctx context.Context, o *trustOptions, address string) error {
	p, err := o.probe(ctx, address)
	if err != nil {
		return err
	}
	s, err := o.seen(p)
	if err != nil {
		return err
	}
	if o.format == "json" {
		return asJSON(o.c.OutOrStdout(), shownServer(p, s))
	}
	if err := writePresented(o.c.OutOrStdout(), p, s); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.c.OutOrStdout(), "\n%s\n", answerLine(p))
	return err
}

// answerLine is what the answers take: below nps.
func answerLine(p trust.Presented) string { return "trust: " + pinOf(p) }

func pinOf(p trust.Presented) string {
	return trust.Choice{Kind: trust.Pin, SHA256: p.Chain[0].SHA256}.String()
}

// writePresented shows a server as people read it. Everything in it is harmless to print already.
func writePresented(w io.Writer, p trust.Presented, s sighting) error {
	var b strings.Builder
	row := func(label, text string) { _, _ = fmt.Fprintf(&b, "%-14s%s\n", label, problem.Plain(text)) }
	row("server", fmt.Sprintf("%s:%s at %s, %s", p.Host, p.Port, strings.Join(p.Addresses, ", "), p.Version))
	if p.Verified {
		row("verified", "yes, by the operating system's authorities: trust: system does as well")
	} else {
		row("verified", "no: "+p.Reason)
	}
	if p.Note != "" {
		row("note", p.Note)
	}
	switch s.sight {
	case trust.New:
		row("seen before", "no")
	case trust.Same:
		row("seen before", "yes, the same certificate since "+s.before.FirstSeen.UTC().Format(time.DateOnly))
	case trust.Changed:
		row("seen before", "yes, with ANOTHER certificate")
		row("  then", face.Grouped(s.before.SHA256)+"  (SHA-256, since "+s.before.FirstSeen.UTC().Format(time.DateOnly)+")")
		row("  now", face.Grouped(p.Chain[0].SHA256))
	}
	for i, c := range p.Chain {
		b.WriteString("\n")
		row(fmt.Sprintf("certificate %d", i+1), fmt.Sprintf("of %d%s", len(p.Chain), map[bool]string{true: ", the server's own"}[i == 0]))
		writeCert(row, c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCert(row func(label, text string), c trust.Cert) {
	kind := "issued by another one"
	switch {
	case c.SelfSigned && c.IsCA:
		kind = "a root: self-signed, an authority"
	case c.SelfSigned:
		kind = "self-signed, no authority"
	case c.IsCA:
		kind = "an authority, issued by another one"
	}
	row("  subject", c.Subject)
	row("  issuer", c.Issuer)
	row("  kind", kind)
	if len(c.SANs) > 0 {
		row("  names", strings.Join(c.SANs, ", "))
	}
	row("  valid", c.NotBefore.UTC().Format("2006-01-02 15:04")+" to "+c.NotAfter.UTC().Format("2006-01-02 15:04")+" UTC")
	row("  key", c.KeyDescription)
	row("  SHA-256", face.Grouped(c.SHA256))
	row("  SHA-1", face.Grouped(c.SHA1)+"  (Thumbprint in Windows)")
}

// The JSON of trust show and trust pin.
type (
	serverDoc struct {
		Host      string         `json:"host"`
		Port      string         `json:"port"`
		Addresses []string       `json:"addresses"`
		TLS       string         `json:"tls"`
		Verified  bool           `json:"verified"`
		Faults    []string       `json:"faults,omitempty"`
		Reason    string         `json:"reason,omitempty"`
		Note      string         `json:"note,omitempty"`
		Seen      string         `json:"seen"` // new, same, changed
		Before    *beforeDoc     `json:"before,omitempty"`
		Chain     []presentedDoc `json:"chain"`
		Trust     string         `json:"trust"` // the answer that pins it
	}
	beforeDoc struct {
		SHA256    string    `json:"sha256"`
		FirstSeen time.Time `json:"firstSeen"`
	}
	presentedDoc struct {
		Subject    string    `json:"subject"`
		Issuer     string    `json:"issuer"`
		Names      []string  `json:"names,omitempty"`
		NotBefore  time.Time `json:"notBefore"`
		NotAfter   time.Time `json:"notAfter"`
		Key        string    `json:"key"`
		SHA256     string    `json:"sha256"`
		SHA1       string    `json:"sha1"`
		SelfSigned bool      `json:"selfSigned"`
		Authority  bool      `json:"authority"`
	}
)

func shownServer(p trust.Presented, s sighting) serverDoc {
	d := serverDoc{
		Host: problem.Plain(p.Host), Port: p.Port, Addresses: p.Addresses, TLS: p.Version, Verified: p.Verified, Reason: p.Reason, Note: p.Note,
		Seen: s.sight.String(), Trust: pinOf(p),
	}
	for _, f := range p.Faults {
		d.Faults = append(d.Faults, f.String())
	}
	if s.sight != trust.New {
		d.Before = &beforeDoc{SHA256: s.before.SHA256, FirstSeen: s.before.FirstSeen.UTC()}
	}
	for _, c := range p.Chain {
		d.Chain = append(d.Chain, presentedDoc{
			Subject: c.Subject, Issuer: c.Issuer, Names: c.SANs, NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
			Key: c.KeyDescription, SHA256: c.SHA256, SHA1: c.SHA1, SelfSigned: c.SelfSigned, Authority: c.IsCA,
		})
	}
	return d
}
