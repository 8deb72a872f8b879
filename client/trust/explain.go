package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"

	"npsetup/steps/problem"
)

// Explain turns errors of a connection, as net/http and crypto/tls return them, into the same problems that Probe
// and the pin give. What is a problem already stays as it is; what has nothing to do with the connection comes back unchanged.
func Explain(err error) error {
	if err == nil {
		return nil
	}
	var mismatch *PinMismatch
	if errors.As(err, &mismatch) {
		return mismatch
	}
	var known *problem.Problem
	var list problem.List
	if errors.As(err, &known) || errors.As(err, &list) {
		return err
	}
	if p := unverified(err); p != nil {
		return p
	}
	where := peer(err)
	if p := notTLS(err, where); p != nil {
		return p
	}
	if p := network(err, where); p != nil {
		return p
	}
	return err
}

// peer is the address that an error names, or "".
func peer(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Addr != nil {
		return op.Addr.String()
	}
	return ""
}

// unverified words the refusal of a chain, or is nil.
func unverified(err error) *problem.Problem {
	var refusal *tls.CertificateVerificationError
	var chain []*x509.Certificate
	if errors.As(err, &refusal) {
		chain = refusal.UnverifiedCertificates
	}
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var noRoots x509.SystemRootsError
	host, f := "", flaw{}
	switch {
	case errors.As(err, &name) && name.Certificate != nil:
		chain = append([]*x509.Certificate{name.Certificate}, chain...)
		host, f = name.Host, nameFlaw(name.Certificate, name.Host)
	case errors.As(err, &unknown) && (len(chain) > 0 || unknown.Cert != nil):
		if len(chain) == 0 {
			chain = []*x509.Certificate{unknown.Cert}
		}
		f = chainFlaw(chain[0], len(chain) > 1, unknown)
	case errors.As(err, &invalid):
		f = whoseDates(chain, invalid)
		if len(chain) == 0 && invalid.Cert != nil {
			chain = []*x509.Certificate{invalid.Cert}
		}
	case errors.As(err, &noRoots) && len(chain) > 0:
		f = chainFlaw(chain[0], len(chain) > 1, err)
	case errors.As(err, &noRoots):
		f = flaw{UnknownAuthority, "this machine's list of trusted authorities cannot be read"}
	case refusal != nil:
		f = flaw{Unfit, problem.Plain(refusal.Err.Error())}
	default:
		return nil
	}
	p := problem.New("the certificate of " + named(host) + " does not verify").Coded(f.fault.code()).Because(f.text).From(err)
	if len(chain) == 0 {
		return p.Try("npsetup trust show URL shows what the server presents")
	}
	return p.Try(remedy(f.fault, Describe(chain[0]))...)
}

// whoseDates tells an expired server certificate from an expired authority above it. Detail holds Go's wording with its time.
func whoseDates(chain []*x509.Certificate, e x509.CertificateInvalidError) flaw {
	if e.Reason != x509.Expired || e.Cert == nil || len(chain) > 0 && !e.Cert.Equal(chain[0]) {
		return invalidFlaw(e)
	}
	if strings.Contains(e.Detail, "before") {
		return flaw{NotYetValid, "it is valid only from " + minute(e.Cert.NotBefore) + " on, by this machine's clock"}
	}
	return flaw{Expired, "it expired on " + minute(e.Cert.NotAfter) + ", by this machine's clock"}
}

// unreachable words what stopped DNS or TCP.
func unreachable(ctx context.Context, err error, where string) *problem.Problem {
	if p := stopped(ctx, err, where); p != nil {
		return p
	}
	if p := network(err, where); p != nil {
		return p
	}
	return problem.New("no connection to " + named(where)).Coded(problem.NoAnswer).Because(problem.Plain(err.Error())).
		Try("check the address and the network between here and the server").Of(problem.Unreachable).From(err)
}

// noHandshake words what stopped TLS after TCP had connected.
func noHandshake(ctx context.Context, err error, where string) *problem.Problem {
	if p := stopped(ctx, err, where); p != nil {
		return p
	}
	if p := notTLS(err, where); p != nil {
		return p
	}
	var p *problem.Problem
	switch {
	case timeout(err):
		p = problem.New(named(where)+" takes connections but does not finish the TLS handshake").Coded(problem.TLSHandshakeFailed).
			Because("what listens there is stuck, or does not speak TLS, or something in between holds the traffic back").
			Try("check the port: the IIS site SbPAM Web Service has 6500 unless it was changed", "look at the CPU and the services of the server")
	case closed(err):
		p = problem.New(named(where)+" closed the connection during the TLS handshake").Coded(problem.TLSHandshakeFailed).
			Because("an IIS binding without a certificate does that, and so does a firewall that inspects TLS").
			Try("on the NPS server, look in IIS Manager whether the https binding of the site SbPAM Web Service has a certificate selected", "try from a machine in the server's own network")
	default:
		p = problem.New("the TLS handshake with " + named(where) + " fails").Coded(problem.TLSHandshakeFailed).Because(problem.Plain(err.Error())).
			Try("check that the address leads to the NPS server itself, and that TLS 1.2 is not switched off there")
	}
	return p.Of(problem.Unreachable).From(err)
}

// stopped is the problem of a person who cancelled, or nil. A time-out is none of those.
func stopped(ctx context.Context, err error, where string) *problem.Problem {
	if errors.Is(ctx.Err(), context.Canceled) || errors.Is(err, context.Canceled) {
		return problem.New("the connection to " + named(where) + " was cancelled").Of(problem.Cancelled).From(context.Canceled)
	}
	return nil
}

// network words errors of DNS and TCP, or is nil.
func network(err error, where string) *problem.Problem {
	var dns *net.DNSError
	var p *problem.Problem
	switch {
	case errors.Is(err, context.Canceled):
		return stopped(context.Background(), err, where)
	case problem.NoFileLeft(err):
		p = problem.OutOfFiles(named(where), err)
	case errors.As(err, &dns):
		p = noName(dns)
	case is(err, syscall.ECONNREFUSED, 10061):
		p = problem.New(named(where)+" refuses the connection").Coded(problem.ConnectionRefused).Because("the machine answers, but nothing listens on that port").
			Try("check the port: the IIS site SbPAM Web Service has 6500 unless it was changed", "look whether IIS and that site run on the server (Start-Service W3SVC)")
	case is(err, syscall.EHOSTUNREACH, 10065), is(err, syscall.ENETUNREACH, 10051):
		p = problem.New("there is no way to "+named(where)).Coded(problem.NoAnswer).Because("the network knows no route to that address").
			Try("check that this machine is in the right network or that the VPN is up", "check the address")
	case timeout(err):
		p = problem.New(named(where)+" does not answer in time").Coded(problem.NoAnswer).Because("a firewall drops the packets, or the machine is off").
			Try("check the address and the port", "have the port opened between this machine and the NPS server")
	case closed(err):
		p = problem.New(named(where)+" closed the connection").Coded(problem.ConnectionClosed).Because("the server or something in between ended it").
			Try("try again: IIS recycles its application pool about every 29 hours", "try from a machine in the server's own network")
	default:
		return nil
	}
	return p.Of(problem.Unreachable).From(err)
}

func noName(e *net.DNSError) *problem.Problem {
	name := named(e.Name)
	if e.IsNotFound {
		return problem.New("the name "+name+" is not found").Coded(problem.NameNotFound).Because("DNS has no address for it").
			Try("check the spelling of the address", "use the full name, such as nps.contoso.com", "ask DNS yourself: nslookup "+name)
	}
	return problem.New("DNS does not tell the address of "+name).Coded(problem.NameNotFound).Because(problem.Plain(e.Err)).
		Try("check that this machine reaches its DNS server", "try again")
}

// notTLS words answers that are no TLS, or a TLS that cannot be agreed on, or is nil.
func notTLS(err error, where string) *problem.Problem {
	var record tls.RecordHeaderError
	head := ""
	if errors.As(err, &record) {
		head = string(record.RecordHeader[:])
	}
	text := err.Error()
	var p *problem.Problem
	switch {
	case strings.HasPrefix(head, "HTTP/"), errors.Is(err, http.ErrSchemeMismatch):
		p = problem.New(named(where) + " does not speak TLS: it answered plain HTTP").Coded(problem.NotTLS).Because("the port belongs to an http binding").
			Try("take the port of the https binding of the IIS site SbPAM Web Service, 6500 unless it was changed")
	case head != "":
		p = problem.New(named(where) + " does not speak TLS").Coded(problem.NotTLS).Because("another service listens on that port").
			Try("take the port of the https binding of the IIS site SbPAM Web Service, 6500 unless it was changed")
	// Go has no types for these; the words are those of crypto/tls.
	case strings.Contains(text, "protocol version not supported"), strings.Contains(text, "server selected unsupported protocol version"):
		p = problem.New(named(where) + " offers no TLS that is safe enough").Coded(problem.TLSTooOld).Because("TLS 1.2 is the least; older versions are broken").
			Try("switch TLS 1.2 on on the NPS server (registry, SCHANNEL protocols) and restart it")
	case strings.Contains(text, "certificate required"):
		return wantsCertificate(err, where)
	case strings.Contains(text, "failed to parse certificate from server"):
		p = problem.New("the certificate of " + named(where) + " cannot be read").Because(problem.Plain(text)).
			Try("have the certificate of the NPS server issued anew")
	default:
		return nil
	}
	return p.Of(problem.Unreachable).From(err)
}

func wantsCertificate(err error, where string) *problem.Problem {
	return problem.New(named(where) + " asks every visitor for a client certificate").Coded(problem.ClientCertificateDemanded).Because("the https binding demands one, which sign-in with a password does not have").
		Try("on the NPS server, set SSL Settings of the IIS site to accept client certificates, not to require them").
		Of(problem.Unreachable).From(err)
}

// refusedByPeer says whether the other side ended a handshake, by an alert or by hanging up.
func refusedByPeer(err error) bool {
	return strings.Contains(err.Error(), "remote error: tls:") || closed(err)
}

func timeout(err error) bool {
	var n net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &n) && n.Timeout()
}

func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		is(err, syscall.ECONNRESET, 10054) || is(err, syscall.ECONNABORTED, 10053) || is(err, syscall.EPIPE, 10058)
}

// is compares with the number that Windows' sockets use too: there syscall's own constants are invented ones.
func is(err error, unix, windows syscall.Errno) bool {
	return errors.Is(err, unix) || runtime.GOOS == "windows" && errors.Is(err, windows)
}
