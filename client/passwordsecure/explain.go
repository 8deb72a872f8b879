package passwordsecure

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"npsetup/steps/problem"
)

// elsewhere ends every finding of the network: this machine is not NPS's.
const elsewhere = "NPS's own server may see it otherwise: try from there too"

func cancelled(ctx context.Context, where string) *problem.Problem {
	if errors.Is(ctx.Err(), context.Canceled) {
		return problem.New("the look at " + where + " was cancelled").Of(problem.Cancelled).From(context.Canceled)
	}
	return nil
}

func noName(ctx context.Context, host string, err error) Finding {
	host = shorten(host, 253)
	if p := cancelled(ctx, host); p != nil {
		return Finding{StageName, NoAnswer, 0, p}
	}
	why := "DNS has no address for it"
	var dns *net.DNSError
	if errors.As(err, &dns) && !dns.IsNotFound {
		why = "DNS does not answer: " + shorten(dns.Err, 200)
	}
	return Finding{StageName, NoName, 0, problem.New("the name "+host+" of Password Secure is not found").Coded(problem.VaultNotReachable).Because(why).
		Try("check the spelling of the address", "use the full name, such as ps.contoso.com", elsewhere).Of(problem.Unreachable).From(err)}
}

// noConnection is failure 46.
func noConnection(ctx context.Context, at, port string, err error) Finding {
	if p := cancelled(ctx, at); p != nil {
		return Finding{StageConnect, NoAnswer, 0, p}
	}
	cause, why := NoAnswer, "it does not answer in time, or there is no way to it: a firewall, or the machine is off"
	if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.Errno(10061)) { // the second is Windows'
		cause, why = Refused, "the machine answers, but nothing listens at that port"
	}
	p := problem.New("there is no connection to Password Secure at " + at).Coded(problem.VaultNotReachable).Because(why)
	if port == Port {
		p.Try("on the Password Secure server, see whether its service runs and whether the firewall opens port 11016")
	} else {
		p.Try("see whether the Web Application's web server (IIS) runs and at which port", "or take the server's own address, port 11016")
	}
	return Finding{StageConnect, cause, 0, p.Try(elsewhere).Of(problem.Unreachable).From(err)}
}

// noTLS is failure 47.
func (c *Client) noTLS(ctx context.Context, at string, err error, seen *Certificate) Finding {
	if p := cancelled(ctx, at); p != nil {
		return Finding{StageTLS, NoAnswer, 0, p}
	}
	var shown *problem.Problem
	if seen == nil {
		if errors.As(err, &shown) { // the trust that was given has its own words, such as for a pin that does not fit
			return Finding{StageTLS, Untrusted, 0, shown}
		}
		cause, why := NotTLS, "it answers, but not with TLS 1.2 or later"
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			cause, why = NoAnswer, "it took the connection and said nothing more"
		}
		return Finding{StageTLS, cause, 0, problem.New("there is no TLS with Password Secure at "+at).Coded(problem.VaultNotReachable).Because(why).
			Try("check the port: 443 for the Web Application, 11016 for the server", elsewhere).Of(problem.Unreachable).From(err)}
	}
	var refused *tls.CertificateVerificationError
	if !errors.As(err, &refused) && errors.As(err, &shown) {
		if shown.Code == problem.CertificateChanged { // its words are about NPS
			shown = c.notPinned(at, seen)
		}
		return Finding{StageTLS, Untrusted, 0, shown}
	}
	cause, p := certificateCause(err), problem.New("the certificate of Password Secure at "+at+" is not trusted").Coded(problem.VaultNotTrusted)
	if cause == WrongName {
		p.Because("the host is not among its names (" + few(seen.Names) + ")").Try("use one of its names in the address")
	} else if cause == OutOfDate {
		p.Because("it is valid from "+seen.NotBefore.UTC().Format("2006-01-02")+" to "+seen.NotAfter.UTC().Format("2006-01-02")).Try("renew it on the Password Secure server", "check this machine's clock")
	} else {
		p.Because("no authority that is trusted here vouches for it (issued by " + seen.Issuer + ")").
			Try("for npsetup's own look: compare its SHA-256 on the Password Secure server (certlm.msc > Personal > Certificates > All Tasks > Export, as FILE.cer, then certutil -hashfile FILE.cer SHA256); if it is the same, set " + c.o.Setting + " to pin:sha256:" + seen.SHA256)
		if !seen.SelfSigned {
			p.Try("or set " + c.o.Setting + " to ca:FILE with the certificate of the root above " + seen.Issuer)
		}
	}
	if cause != OutOfDate && (cause != WrongName || seen.SelfSigned) {
		p.Try("for NPS: " + seen.Import + "; Skip Certificate Check would let anybody in between read the API key")
	}
	p.Try(seen.Notes...)
	return Finding{StageTLS, cause, 0, p.Of(problem.Unreachable).From(err)}
}

// notPinned is another certificate than the one that was pinned.
func (c *Client) notPinned(at string, seen *Certificate) *problem.Problem {
	return problem.New("the certificate of Password Secure at " + at + " is not the pinned one").Coded(problem.CertificateChanged).Because("it presents sha256:" + seen.SHA256 + " (" + seen.Subject + ")").
		Try("compare it on the Password Secure server, not over this connection; only if it is the same, set " + c.o.Setting + " to pin:sha256:" + seen.SHA256)
}

// broken is a request without an answer.
func broken(ctx context.Context, address string, err error) error {
	if p := cancelled(ctx, shorten(address, 300)); p != nil {
		return p
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err // the outer one repeats the address
	}
	var shown *problem.Problem
	if errors.As(err, &shown) {
		return shown
	}
	return problem.New("Password Secure gives no answer at "+shorten(address, 300)).Coded(problem.VaultNotReachable).Because(shorten(err.Error(), 300)).
		Try("try again", "see whether its service runs", elsewhere).Of(problem.Unreachable).From(err)
}

// unfit is an answer that is not what is looked for. 46 is among them: the vendor's list of what the Web Application needs.
func unfit(stage Stage, cause Cause, address string, status int) error {
	address = shorten(address, 300)
	said := " (" + strconv.Itoa(status) + ")"
	what := "the Web Application does not answer at " + address + said
	if stage == StageBase {
		what = "the API of Password Secure does not show itself at " + address + said
	}
	p := problem.New(what).Coded(problem.VaultAddress).Of(problem.Failed)
	switch cause {
	case Absent:
		p.Because("there is nothing at that path; api/ may be missing or doubled, or the Web Application is in a sub-folder").
			Try("open the Web Application in a browser and take its address as it stands there, then api/ behind it", "at the server's own port, 11016, there is no api/")
	case ServerFault:
		p.Coded(problem.VaultServiceDown).Because("the web server answers, and what is behind it does not: "+strings.ToLower(http.StatusText(status))).
			Try("see whether the service of Password Secure runs, and whether the web server reaches it at ports 11011 and 11016", "see whether the database has \"Access via Web Application\" switched on, and whether the CORS list is filled")
	case Redirected:
		p.Because("it points to another address").Try("open the Web Application in a browser and take the address at which it ends")
	case PageForAPI:
		p.Because("a page for browsers answers there").Try("take the address of the Web Application with api/ behind it")
	case NoName, Refused, NoAnswer, NotTLS, Untrusted, WrongName, OutOfDate, Unclear:
	}
	return p
}
