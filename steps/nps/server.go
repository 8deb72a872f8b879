package nps

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// DefaultPort is the port of the IIS site "SbPAM Web Service" that NPS is installed with.
const DefaultPort = "6500"

const serverStep = "server"

// Server is step A1: is there an NPS at the address.
func Server(w World) steps.Step {
	return steps.Step{
		ID: serverStep, Title: "NPS server", Article: "Initial Setup, 2",
		Why: "every call of this set-up goes to this address, and Auditor gets the same one",
		Fields: []steps.Field{{
			Key: "nps.url", Kind: steps.Text, Prompt: "Address of the NPS server",
			Help: "The address that Auditor will use too. Take the name that stands in the server's certificate.", Example: "https://nps.contoso.com:6500/",
			Check: checkURL, Complete: CompleteURL,
		}},
		Look: func(ctx context.Context, s *steps.Scene) error { return w.lookServer(ctx, s) },
		Verify: func(context.Context, *steps.Scene) steps.Proof {
			return steps.Proof{State: steps.Proven, Text: "answered over TLS"}
		},
	}
}

// CompleteURL adds what people leave out, https, the port and the slash at the end, and says so.
func CompleteURL(text string) (string, string) {
	completed := strings.TrimSpace(text)
	if completed == "" {
		return text, ""
	}
	if !strings.Contains(completed, "://") {
		completed = "https://" + completed
	}
	u, err := url.Parse(completed)
	if err != nil || u.Host == "" || u.User != nil { // a password in it must not be repeated
		return text, ""
	}
	if u.Port() == "" && u.Scheme == "https" {
		u.Host = net.JoinHostPort(strings.Trim(u.Hostname(), "[]"), DefaultPort)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/"
	}
	completed = u.String()
	if completed == strings.TrimSpace(text) {
		return completed, ""
	}
	return completed, "completed to " + completed
}

func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return fmt.Errorf("not an address such as https://nps.contoso.com:6500/")
	case u.Scheme != "https":
		return fmt.Errorf("NPS is reached over https only; the plain port of the server is for its own use")
	case u.User != nil:
		return fmt.Errorf("an address must not hold a user or a password")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return fmt.Errorf("an address ends after its path: nothing behind ? or #")
	case strings.Trim(u.Path, "/") != "":
		return fmt.Errorf("give the server's address without a path; NPS answers at its root")
	case strings.IndexFunc(u.Hostname(), func(r rune) bool { return r <= ' ' || r > '~' }) >= 0:
		return fmt.Errorf("a host name has the letters, digits, dots and hyphens of DNS only: write an international one in its xn-- form")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("the port is no number from 1 to 65535")
		}
	}
	return nil
}

func (w World) lookServer(ctx context.Context, s *steps.Scene) error {
	s.Server = s.Answers.Text("nps.url")
	p, err := w.Probe(ctx, s.Server)
	if err != nil {
		return err
	}
	steps.Put(s, PresentedKey, p)
	if net.ParseIP(p.Host) != nil {
		s.Warn("the address is an IP number: certificates and Kerberos go by name; prefer the name in the server's certificate", problem.AddressNotFullName)
	} else if !strings.Contains(p.Host, ".") && p.Host != "localhost" {
		s.Warn("the address is a short name: prefer the full name in the server's certificate", problem.AddressNotFullName)
	}
	state, text := judged(s.Answers, p)
	s.See(steps.Finding{Kind: steps.CertificateFinding, Title: "certificate of " + problem.Plain(p.Host), State: state, Rows: certificateRows(p), Text: text})
	if p.Note != "" {
		s.Warn(p.Note, noteCode(p))
	}
	return nil
}

// slowHandshake is from when on a handshake waits for revocation lists, as far as a note tells.
const slowHandshake = 10 * time.Second

func noteCode(p Presented) problem.Code {
	if p.Took > slowHandshake {
		return problem.HandshakeSlow
	}
	return problem.WarningCode
}

// judged says how a certificate stands: verified, pinned by the answers, or to be compared.
func judged(a steps.Answers, p Presented) (steps.State, string) {
	pin, pinned := strings.CutPrefix(a.Text("nps.trust"), "pin:sha256:")
	switch {
	case p.Verified:
		return steps.Fits, p.Reason
	case pinned && !p.Expired && len(p.Chain) > 0 && strings.EqualFold(strings.ReplaceAll(pin, ":", ""), p.Chain[0].SHA256):
		return steps.Fits, "it is the one that the answers pin"
	}
	return steps.Doubtful, p.Reason
}

func certificateRows(p Presented) []steps.Row {
	var rows []steps.Row
	for i, c := range p.Chain {
		label := "certificate"
		if i > 0 {
			label = fmt.Sprintf("issuer %d", i)
		}
		rows = append(rows,
			steps.Row{Label: label, Value: problem.Plain(c.Subject)},
			steps.Row{Label: "  issued by", Value: problem.Plain(c.Issuer)},
			steps.Row{Label: "  names", Value: problem.Plain(strings.Join(c.Names, ", "))},
			steps.Row{Label: "  valid", Value: c.NotBefore.UTC().Format("2006-01-02") + " to " + c.NotAfter.UTC().Format("2006-01-02")},
			steps.Row{Label: "  SHA-256", Value: c.SHA256},
			steps.Row{Label: "  SHA-1 (Windows' Thumbprint)", Value: c.SHA1},
		)
	}
	return rows
}
