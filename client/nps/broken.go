package nps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// broken is the problem of a request that got no whole answer. written says whether the server may have seen it.
func (c *Client) broken(ctx context.Context, r request, err error, written bool) error {
	var away errAway
	if errors.As(err, &away) {
		return c.pointedAway(r, away.to)
	}
	why := c.reason(ctx, err)
	if written && (r.op.Class == plan.Change || r.op.Class == plan.Probe) {
		return lost(r, why, err)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return problem.New("stopped while waiting for " + r.text()).Of(problem.Cancelled).From(err)
	}
	if problem.NoFileLeft(err) {
		return problem.OutOfFiles(c.base.Host, err).Of(problem.Unreachable)
	}
	if told := c.told(err); told != nil {
		return told
	}
	if certificateFault(err) {
		return problem.New("the certificate of " + c.base.Host + " is not accepted").Coded(problem.CertificateNotTrusted).Because(why).
			Try("compare the fingerprint on the NPS server, then set nps.trust to pin:sha256:HEX or ca:FILE").Of(problem.Unreachable).From(err)
	}
	var tooLarge errTooLarge
	if errors.As(err, &tooLarge) {
		return problem.New("the answer to " + r.text() + " is too large").Because(why).
			Try("check that the address is that of the NPS server itself").From(err)
	}
	return problem.New("no answer from NPS at "+c.base.Host+" to "+r.text()).Coded(problem.NoAnswer).Because(why).
		Try("check that the address is right and that the port is reachable from this machine",
			"check on the NPS server that its web site runs (IIS Manager, Start-Service sbpam*), then run the same command again").
		Of(problem.Unreachable).From(err)
}

// told is the problem that stands in err already, or that Explain makes of it. err stays reachable beneath, since a
// changed pin has a type of its own.
func (c *Client) told(err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) && (c.explain == nil || !errors.As(c.explain(err), &p)) {
		return nil
	}
	whole := *p
	if whole.Kind == problem.Failed {
		whole.Kind = problem.Unreachable
	}
	return whole.From(err)
}

// lost is the problem of a change that may have been carried out.
func lost(r request, why string, err error) error {
	return problem.New("the answer to " + r.text() + " was lost").
		Because(why + "; the request had left already, so it may or may not have been carried out").
		Try("run npsetup resume: it looks at the server first and makes nothing twice").Of(problem.AnswerLost).From(err)
}

// unreadable is the problem of an answer that makes no sense. For a change it counts as lost.
func (c *Client) unreadable(r request, err error) error {
	why := c.plain(err.Error())
	if r.op.Class == plan.Change {
		return lost(r, why, err)
	}
	p := problem.New("the answer to " + r.text() + " cannot be read").Because(why).
		Try("check that the address is that of the NPS server itself, and no proxy or sign-in page stands before it").From(err)
	if errors.Is(err, errPage) {
		p.Coded(problem.SomethingInBetween)
	}
	return p
}

// pointedAway is the problem of a redirect that is not followed.
func (c *Client) pointedAway(r request, to string) error {
	if u, err := url.Parse(to); err == nil {
		u.RawQuery, u.Fragment, u.User = "", "", nil // a query may carry a token
		to = u.String()
	}
	return problem.New(r.text() + " was redirected to " + c.plain(to)).Coded(problem.SomethingInBetween).
		Because("credentials, changes and other servers' answers do not follow redirects").
		Try("set nps.url to the address of the NPS server itself")
}

// reason is the bare cause of a network error, without the address that the error types repeat.
func (c *Client) reason(ctx context.Context, err error) string {
	var (
		dns     *net.DNSError
		op      *net.OpError
		wrapped *url.Error
		timeout interface{ Timeout() bool }
		plainTo tls.RecordHeaderError
	)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return "it was stopped"
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the name " + c.plain(dns.Name) + " is not known to the name service"
	case errors.As(err, &plainTo):
		return "the server does not speak TLS on this port"
	case errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("it took longer than %s", c.timeout)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the answer was whole"
	case errors.As(err, &op) && op.Op == "dial":
		return "no connection: " + c.plain(op.Err.Error())
	case errors.As(err, &wrapped):
		return c.plain(wrapped.Err.Error())
	}
	return c.plain(err.Error())
}

// certificateFault says whether a connection failed on trust. Such a fault does not pass by itself.
func certificateFault(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		unknown      x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
		told         *problem.Problem
	)
	return errors.As(err, &verification) || errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) || errors.As(err, &told)
}
