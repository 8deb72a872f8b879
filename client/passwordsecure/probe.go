package passwordsecure

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Stage is a part of a probe, in its order.
type Stage int

// The stages.
const (
	StageName    Stage = iota // DNS
	StageConnect              // TCP
	StageTLS
	StagePage // GET of the Web Application's page
	StageBase // GET of the API's base
)

func (s Stage) String() string {
	switch s {
	case StageName:
		return "name"
	case StageConnect:
		return "connection"
	case StageTLS:
		return "TLS"
	case StagePage:
		return "page"
	case StageBase:
		return "API"
	}
	return "unknown"
}

// Cause is why a stage did not go well, so that nobody parses the words. 0 is none.
type Cause int

// The causes.
const (
	NoName      Cause = iota + 1 // DNS does not know the host
	Refused                      // nothing listens at the port
	NoAnswer                     // no way there, or no answer in time
	NotTLS                       // another protocol, or no TLS 1.2
	Untrusted                    // the certificate is not trusted
	WrongName                    // the host is not in the certificate
	OutOfDate                    // the certificate is not valid now
	Absent                       // 404
	PageForAPI                   // an HTML page where the API should be
	Redirected                   // somewhere else
	ServerFault                  // 5xx
	Unclear                      // anything else
)

// Finding is the outcome of one stage. Err is a problem, or nil when it went well.
type Finding struct {
	Stage  Stage
	Cause  Cause
	Status int // of an answer by HTTP
	Err    error
}

// Verdict is what a probe of one form came to.
type Verdict int

// The verdicts, the worst first.
const (
	Silent   Verdict = iota // nothing answers, or nothing that may be spoken to
	Doubtful                // something answers; whether it is the API is open
	Answers                 // the API seems to be there
)

// Report is a probe of one form. What it shows holds for this machine: NPS may see another DNS, proxy, firewall or trust store.
type Report struct {
	Form        Form
	Verdict     Verdict
	Findings    []Finding
	Addresses   []string     // by DNS
	Certificate *Certificate // nil: the TLS handshake did not get so far
}

// Cause is that of the first stage that did not go well, or 0.
func (r Report) Cause() Cause {
	for _, f := range r.Findings {
		if f.Cause != 0 {
			return f.Cause
		}
	}
	return 0
}

// Err is the problem of the first stage that did not go well, or nil.
func (r Report) Err() error {
	for _, f := range r.Findings {
		if f.Err != nil {
			return f.Err
		}
	}
	return nil
}

// Best is the report with the best verdict, the first of those; false when there is none.
func Best(reports []Report) (Report, bool) {
	var best Report
	for i, r := range reports {
		if i == 0 || r.Verdict > best.Verdict {
			best = r
		}
	}
	return best, len(reports) > 0
}

// Probe looks at each form, and stops behind the first that answers. It sends GET requests without any credential. It gives what it
// has when ctx ends.
func (c *Client) Probe(ctx context.Context, forms []Form) []Report {
	var reports []Report
	for _, f := range forms {
		r := c.probe(ctx, f)
		reports = append(reports, r)
		if r.Verdict == Answers || ctx.Err() != nil {
			break
		}
	}
	return reports
}

func (c *Client) probe(ctx context.Context, f Form) Report {
	r := Report{Form: f}
	note := func(found Finding) bool {
		r.Findings = append(r.Findings, found)
		return found.Err == nil
	}
	u, err := url.Parse(f.URL)
	if err != nil || u.Hostname() == "" {
		note(Finding{StageName, Unclear, 0, problem.New("the address of Password Secure cannot be read").Because("it is not a form that npsetup made").Of(problem.Usage)})
		return r
	}
	port := u.Port()
	if port == "" {
		port = "443"
	}
	conn, at, found := c.reach(ctx, u.Hostname(), port, &r)
	if !note(found) {
		return r
	}
	found = c.handshake(ctx, conn, u.Hostname(), at, &r)
	_ = conn.Close()
	if !note(found) {
		return r
	}
	pageHere := true
	if f.Page != "" {
		found, _ = c.get(ctx, StagePage, f.Page)
		pageHere = note(found)
	}
	found, ok := c.get(ctx, StageBase, f.URL)
	note(found)
	switch {
	case ok && pageHere:
		r.Verdict = Answers
	case found.Status != 0:
		r.Verdict = Doubtful
	}
	return r
}

// reach finds the host and opens a connection to the first address that takes one.
func (c *Client) reach(ctx context.Context, host, port string, r *Report) (net.Conn, string, Finding) {
	at := net.JoinHostPort(host, port)
	r.Addresses = []string{host}
	if net.ParseIP(host) == nil {
		limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
		found, err := c.o.Resolve(limited, host)
		cancel()
		if err != nil || len(found) == 0 {
			return nil, at, noName(ctx, host, err)
		}
		r.Addresses = found
	}
	var first error
	for _, a := range r.Addresses {
		limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
		conn, err := c.o.Dial(limited, "tcp", net.JoinHostPort(a, port))
		cancel()
		if err == nil {
			return conn, at, Finding{Stage: StageConnect}
		}
		if first == nil {
			first = err
		}
	}
	return nil, at, noConnection(ctx, at, port, first)
}

// handshake shows what the server presents, by the trust that was given; nothing is sent.
func (c *Client) handshake(ctx context.Context, conn net.Conn, host, at string, r *Report) Finding {
	limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	t := tls.Client(conn, c.config(host))
	err := t.HandshakeContext(limited)
	chain := t.ConnectionState().PeerCertificates
	var refused *tls.CertificateVerificationError
	if errors.As(err, &refused) {
		chain = refused.UnverifiedCertificates
	}
	if len(chain) > 0 {
		seen := c.describe(host, chain)
		r.Certificate = &seen
	}
	if err == nil {
		return Finding{Stage: StageTLS}
	}
	return c.noTLS(ctx, at, err, r.Certificate)
}

// get sends a GET and says whether the answer can be what is looked for.
func (c *Client) get(ctx context.Context, stage Stage, address string) (Finding, bool) {
	limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(limited, http.MethodGet, address, nil)
	if err != nil {
		return Finding{stage, Unclear, 0, broken(ctx, address, err)}, false
	}
	a, err := c.send(req, plan.Read)
	if err != nil {
		return Finding{stage, NoAnswer, 0, broken(ctx, address, err)}, false
	}
	defer func() { _ = a.Body.Close() }()
	head, _ := io.ReadAll(io.LimitReader(a.Body, 64<<10))
	cause := judge(stage, a, head)
	if cause == 0 {
		return Finding{Stage: stage, Status: a.StatusCode}, true
	}
	return Finding{stage, cause, a.StatusCode, unfit(stage, cause, address, a.StatusCode)}, false
}

// judge reads an answer. That 404 points to a missing or doubled api is our guess: no page of the vendor says what the base answers.
func judge(stage Stage, a *http.Response, head []byte) Cause {
	switch status := a.StatusCode; {
	case status == http.StatusNotFound:
		return Absent
	case status >= 500:
		return ServerFault
	case status/100 == 3 && stage == StageBase, status/100 == 3 && away(a):
		return Redirected
	case stage == StageBase && isPage(a.Header.Get("Content-Type"), head):
		return PageForAPI
	}
	return 0
}

// away says whether a redirect leaves the host.
func away(a *http.Response) bool {
	to, err := a.Location()
	return err == nil && (to.Host != a.Request.URL.Host || to.Scheme != "https")
}

func isPage(contentType string, head []byte) bool {
	media, _, _ := mime.ParseMediaType(contentType)
	if media == "text/html" || media == "application/xhtml+xml" {
		return true
	}
	start := strings.ToLower(string(head[:min(len(head), 64)]))
	return media == "" && (strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html"))
}

// certificateCause sorts what TLS found wrong with a certificate.
func certificateCause(err error) Cause {
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &name):
		return WrongName
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return OutOfDate
	}
	return Untrusted
}

// Needed says whether NPS would need Skip Certificate Check, as far as this machine can tell: false with a certificate that Options.Chain
// trusts. known is false without a certificate.
func (r Report) Needed() (needed, known bool) {
	if r.Certificate == nil {
		return false, false
	}
	return !r.Certificate.Trusted, true
}

// Until is the end of the certificate, or zero.
func (r Report) Until() time.Time {
	if r.Certificate == nil {
		return time.Time{}
	}
	return r.Certificate.NotAfter
}
