package nps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"regexp"
	"strings"
	"sync/atomic"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Application is what an application user signs in with. Serial is the number that the application user has on NPS, in its
// spelling; Certificate is shown on the connection, with its key.
type Application struct {
	Login       string
	Key         secret.Secret
	Serial      string
	Certificate tls.Certificate
}

// application is an Application that a client is signed in as.
type application struct {
	Application
	asked  atomic.Bool  // the server asked for the certificate since the last sign-in began
	status atomic.Int32 // of the last answer to a sign-in; 0: none came
}

// hitch says whether the second way of showing the certificate may help where the first did not.
type hitch int

const (
	final hitch = iota // it does not
	late               // the server answered that it saw no certificate
	cut                // the connection broke
)

// SignInApplication signs an application user in and answers a client of its own for it: own connections, cookies and token.
// What is approved, and what was used up of it, it has in common with c. The status is that of the answer that decided; 0: none came.
//
// IIS may ask for the certificate only after it knows the path. That takes a renegotiation, which TLS 1.3 does not have: a
// connection that breaks, or an answer that no certificate came, is followed by one try with TLS 1.2.
func (c *Client) SignInApplication(ctx context.Context, a Application) (*Client, int, error) {
	if a.Login == "" || a.Key.Empty() || len(a.Certificate.Certificate) == 0 || a.Certificate.PrivateKey == nil {
		return nil, 0, problem.New("the application user cannot sign in").
			Because("its name, its API key, or its certificate with the private key is missing").
			Try("give all three; the private key is in the file that Netwrix Auditor exports with a password").Of(problem.Usage)
	}
	c.scrub.Add(a.Key)
	first, err := c.applicationClient(a, false)
	if err != nil {
		return nil, 0, err
	}
	how, err := first.signInApplication(ctx)
	if err == nil {
		return first, first.app.answered(), nil
	}
	if how == final {
		return nil, first.app.answered(), err
	}
	second, otherErr := c.applicationClient(a, true)
	if otherErr != nil {
		return nil, 0, otherErr
	}
	otherHow, otherErr := second.signInApplication(ctx)
	switch {
	case otherErr == nil:
		return second, second.app.answered(), nil
	case how == late && otherHow == cut && alert(otherErr) == "tls: protocol version not supported":
		return nil, first.app.answered(), c.beyondReach(err)
	case otherHow == cut && how == late:
		return nil, first.app.answered(), err // an answer tells more than a break
	}
	return nil, second.app.answered(), otherErr
}

func (a *application) answered() int { return int(a.status.Load()) }

// beyondReach is the problem of a server with nothing but TLS 1.3 that asks for the certificate when the connection stands: that
// takes its post-handshake authentication, which Go's client does not have (golang/go#40521). It says nothing about Auditor.
func (c *Client) beyondReach(err error) error {
	return problem.New("whether the application user can sign in cannot be tried from here").Coded(problem.ClientCertificateOnTLS13).
		Because("the web server of NPS asks for the client certificate when the connection stands already; npsetup can answer that with TLS 1.2 only, which this server does not speak").
		Try("switch on Negotiate Client Certificate at the HTTPS binding of NPS in IIS Manager, or allow TLS 1.2 there, then run the same command again",
			"Auditor may get in all the same: npsetup verify --watch 10m looks for its own session").From(err)
}

// applicationClient makes the client, not signed in yet. renegotiate is the second way.
func (c *Client) applicationClient(a Application, renegotiate bool) (*Client, error) {
	o := c.options
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	app := &application{Application: a}
	// Not Certificates: Go would keep the certificate back when the server names issuers and its own is not among them, and
	// the server would answer that none came.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		app.asked.Store(true)
		return &app.Certificate, nil
	}
	if renegotiate {
		config.MinVersion, config.MaxVersion, config.Renegotiation = tls.VersionTLS12, tls.VersionTLS12, tls.RenegotiateOnceAsClient
	}
	o.TLS, o.Scrub, o.Again = config, c.scrub, nil
	n, err := New(o)
	if err != nil {
		return nil, err
	}
	n.app, n.gate = app, c.gate
	return n, nil
}

// signInApplication is the whole sign-in: one call, no second factor. It goes on new connections, since one of them is
// renegotiated once at most.
func (c *Client) signInApplication(ctx context.Context) (hitch, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return final, err
	}
	h := c.httpClient(c.fresh, stay)
	h.Jar = jar
	c.app.asked.Store(false)
	key := plan.SecretLeaf{Name: "API key of " + c.app.Login, Secret: c.app.Key}
	var r request
	var a authAnswer
	for _, short := range []bool{false, true} {
		c.app.status.Store(0) // of this address: the second may break off after the first has answered
		if r, _, err = c.gate.admit(npsapi.SignInApplication(plan.String(c.app.Login), key, plan.String(c.app.Serial), short), nil); err != nil {
			return final, err
		}
		if a, err = c.authenticate(ctx, h, r, secret.Secret{}, 2, repeatAuth); err != nil {
			return c.applicationCut(ctx, r, err)
		}
		c.app.status.Store(int32(a.status))
		// A page comes from the web server: what it says holds for the other address too.
		if a.status != http.StatusNotFound || isPage(a.contentType, a.body) {
			break
		}
	}
	if a.status >= 300 {
		return c.applicationRefused(r, a)
	}
	id, err := c.take(r, a)
	if err == nil && id.User == "" {
		c.session.set(func(s *state) { s.identity.User = c.app.Login })
	}
	return final, err
}

// applicationCut is the problem of a connection that brought no answer. Only what a late request for the certificate can
// have broken is worth the second way: not a name, a port, a clock, or the server's own certificate.
func (c *Client) applicationCut(ctx context.Context, r request, err error) (hitch, error) {
	var (
		op      *net.OpError
		plainTo tls.RecordHeaderError
		timeout interface{ Timeout() bool }
	)
	cause := errors.Unwrap(err)
	switch {
	case cause == nil || ctx.Err() != nil || certificateFault(cause) || errors.As(cause, &plainTo):
		return final, err
	case errors.As(cause, &op) && op.Op == "dial":
		return final, err
	case errors.Is(cause, os.ErrDeadlineExceeded) || errors.As(cause, &timeout) && timeout.Timeout():
		return final, err
	}
	if code := alerts[alert(cause)]; code != "" { // the handshake itself has judged the certificate
		return final, c.certificateRefused(r, code, alert(cause)).From(errors.Join(cause, untrusted(code)))
	}
	return cut, c.lateRequest(r, c.reason(ctx, cause)).Of(problem.Unreachable).From(cause)
}

// lateRequest is the problem of IIS asking for the certificate after the handshake. Windows Server 2022 breaks the connection
// where TLS 1.3 leaves no way to ask, 2025 answers 500 with 0x80070032 (techcommunity, IIS blog 4449362; golang/go#40521).
func (c *Client) lateRequest(r request, why string) *problem.Problem {
	return problem.New("the web server of NPS did not get the client certificate at "+r.text()).Coded(problem.ClientCertificateOnTLS13).
		Because(why+"; so it goes when IIS asks for the certificate after the handshake, which TLS 1.3 does not allow, and TLS 1.2 with a renegotiation did not help").
		Try("switch on Negotiate Client Certificate at the HTTPS binding of NPS in IIS Manager, then run the same command again",
			"if it is on, look in the System log of the NPS server for Schannel events of this minute")
}

// applicationRefused tells apart why the sign-in was refused: the web server judges the certificate and answers pages, NPS
// judges name, key and serial number.
func (c *Client) applicationRefused(r request, a authAnswer) (hitch, error) {
	page := isPage(a.contentType, a.body)
	switch {
	case a.status < 400:
		return final, c.pointedAway(r, a.location)
	case page && a.status == http.StatusForbidden:
		return c.certificatePage(r, pageText(a.body))
	case page && a.status == http.StatusRequestEntityTooLarge:
		return final, problem.New("the web server of NPS refused " + r.text() + " (413)").
			Because("it asks for the client certificate late, and holds back less of a request meanwhile than this one has").
			Try("switch on Negotiate Client Certificate at the HTTPS binding of NPS in IIS Manager, or raise uploadReadAheadSize of the NPS site, then run the same command again")
	case page && a.status == http.StatusInternalServerError && strings.Contains(string(a.body), "0x80070032"):
		return late, c.lateRequest(r, "the web server answers 500 with 0x80070032")
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed:
		return final, problem.New("this server does not offer the sign-in of application users").
			Because(fmt.Sprintf("it answered %s with %d", r.text(), a.status)).
			Try("check that nps.url leads to NPS itself, on port 6500 where nothing else was chosen", "update NPS: the integration needs 4.2 or newer").Of(problem.NotOffered)
	case page:
		return final, c.refusal(r, a.status, a.contentType, a.body)
	}
	s := explainBody(a.contentType, a.body)
	p := c.applicationJudged(a.status, s)
	if p == nil {
		return final, c.refusal(r, a.status, a.contentType, a.body)
	}
	p.Why = c.because(s, p.Why)
	return final, p
}

var serialWords = regexp.MustCompile(`(?i)\bserial`)

// applicationJudged is NPS' own refusal. It does not tell a wrong key from an unknown name.
func (c *Client) applicationJudged(status int, s said) *problem.Problem {
	who := "the application user " + c.plain(c.app.Login)
	switch {
	case status == http.StatusLocked || lockedWords.MatchString(s.text):
		return problem.New(who + " is locked").Coded(problem.ApplicationUserLocked).
			Try("wait until the lock ends or unlock it in NPS, then run the same command again").Of(problem.Refused)
	case status == http.StatusForbidden || status < 500 && serialWords.MatchString(s.text):
		return problem.New("NPS refused the certificate's serial number for "+who).Coded(problem.SerialDiffers).Because(c.serials()).
			Try("compare the serial number of the certificate with the one at the application user in NPS: all hexadecimal digits, leading zeros too, without spaces",
				"if the certificate was renewed, enter the new serial number there").Of(problem.Refused)
	case status == http.StatusUnauthorized || status == http.StatusBadRequest:
		return problem.New("NPS refused the name or the API key of "+who).Coded(problem.APIKeyRefused).
			Because("the key is another one, it died when a new one was generated, or there is no application user of this name").
			Try("compare the name with Users & Groups in NPS, letter by letter", "reveal the API key there again and use that one; a newly generated key has to be entered in Netwrix Auditor too").Of(problem.Refused)
	case status == http.StatusInternalServerError:
		return problem.New("NPS failed at the sign-in of "+who+" (500)").Coded(problem.ApplicationSignInFails).
			Because("builds before 3.7.1252 answer so to every application user").
			Try("look up the version of NPS and update it when it is older than 4.2", "on a newer version look for the trace id, or the time, in the web log on the NPS server")
	}
	return nil
}

// serials compares the serial number that was sent with the certificate's own.
func (c *Client) serials() string {
	own := serialText(c.app.leaf())
	switch {
	case own == "" || strings.EqualFold(own, c.app.Serial):
		return "the application user has another serial number than " + c.plain(c.app.Serial)
	}
	return "the certificate has the serial number " + own + ", and " + c.plain(c.app.Serial) + " was sent"
}

func (a *application) leaf() *x509.Certificate {
	if a.Certificate.Leaf != nil {
		return a.Certificate.Leaf
	}
	leaf, err := x509.ParseCertificate(a.Certificate.Certificate[0])
	if err != nil {
		return nil
	}
	return leaf
}

// serialText is a serial number as .NET writes it: all bytes of the DER integer, a leading zero byte too.
func serialText(leaf *x509.Certificate) string {
	if leaf == nil {
		return ""
	}
	var whole asn1.RawValue
	der, err := asn1.Marshal(leaf.SerialNumber)
	if err == nil {
		_, err = asn1.Unmarshal(der, &whole)
	}
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%X", whole.Bytes)
}
