package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
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
		Long: "show ends the connection after the TLS handshake: nothing is sent over it, and nothing is remembered. It ends with 1 when the server presents another certificate than the remembered one.",
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
		if err := asJSON(o.c.OutOrStdout(), shownServer(p, s)); err != nil {
			return err
		}
		return anotherThanBefore(p, s, address)
	}
	if err := writePresented(o.c.OutOrStdout(), p, s); err != nil {
		return err
	}
	if err := anotherThanBefore(p, s, address); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.c.OutOrStdout(), "\n%s\n", answerLine(p))
	return err
}

// anotherThanBefore is the problem of a server that presents another certificate than the remembered one, or nil.
func anotherThanBefore(p trust.Presented, s sighting, address string) error {
	if s.sight != trust.Changed {
		return nil
	}
	leaf := p.Chain[0]
	return problem.New(problem.Plain(p.Host)+" presents another certificate than before").
		Because("either it was renewed, or the IIS binding lost it in an upgrade, or somebody is in between: since "+s.before.FirstSeen.UTC().Format(time.DateOnly)+" it was "+s.before.SHA256+", now it is "+leaf.SHA256).
		Try("compare on the server itself, not over this connection; if it is the server's own: npsetup trust pin "+quoted(problem.Plain(address), runtime.GOOS)+" --sha256 "+leaf.SHA256+", and where nps.trust pins the former one: "+pinOf(p),
			"if nobody changed the certificate, do not sign in, and have the network between here and the server looked at").Of(problem.Stale)
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
		before, leaf := s.before, p.Chain[0]
		then := "since " + before.FirstSeen.UTC().Format(time.DateOnly)
		if !before.NotAfter.IsZero() {
			then = before.Subject + ", " + validity(before.NotBefore, before.NotAfter) + ", first seen " + before.FirstSeen.UTC().Format(time.DateOnly)
		}
		writeCompared(row, "  then", then, before.SHA256, before.SHA1)
		writeCompared(row, "  now", leaf.Subject+", "+validity(leaf.NotBefore, leaf.NotAfter), leaf.SHA256, leaf.SHA1)
	}
	for i, c := range p.Chain {
		b.WriteString("\n")
		row(fmt.Sprintf("certificate %d", i+1), fmt.Sprintf("of %d%s", len(p.Chain), map[bool]string{true: ", the server's own"}[i == 0]))
		writeCert(row, c)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeCompared shows what two certificates are told apart by.
func writeCompared(row func(label, text string), label, what, sha256, sha1 string) {
	row(label, what)
	row("", "SHA-256 "+face.Grouped(sha256))
	if sha1 != "" {
		row("", "SHA-1   "+face.Grouped(sha1)+"  (Thumbprint in Windows)")
	}
}

func validity(from, to time.Time) string {
	return "valid " + from.UTC().Format(minute) + " to " + to.UTC().Format(minute) + " UTC"
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
	row("  valid", strings.TrimPrefix(validity(c.NotBefore, c.NotAfter), "valid "))
	row("  key", c.KeyDescription)
	row("  SHA-256", face.Grouped(c.SHA256)+"  (what a pin names)")
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
		Trust     string         `json:"trust"`             // the answer that pins it
		Outcome   string         `json:"outcome,omitempty"` // of trust pin
	}
	beforeDoc struct {
		SHA256    string     `json:"sha256"`
		SHA1      string     `json:"sha1,omitempty"`
		Subject   string     `json:"subject,omitempty"`
		NotBefore *time.Time `json:"notBefore,omitempty"`
		NotAfter  *time.Time `json:"notAfter,omitempty"`
		FirstSeen time.Time  `json:"firstSeen"`
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
		before := s.before
		d.Before = &beforeDoc{SHA256: before.SHA256, SHA1: before.SHA1, Subject: problem.Plain(before.Subject), FirstSeen: before.FirstSeen.UTC()}
		if !before.NotAfter.IsZero() {
			d.Before.NotBefore, d.Before.NotAfter = &before.NotBefore, &before.NotAfter
		}
	}
	for _, c := range p.Chain {
		d.Chain = append(d.Chain, presentedDoc{
			Subject: c.Subject, Issuer: c.Issuer, Names: c.SANs, NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
			Key: c.KeyDescription, SHA256: c.SHA256, SHA1: c.SHA1, SelfSigned: c.SelfSigned, Authority: c.IsCA,
		})
	}
	return d
}
