package nps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"encoding/json"
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
	asked atomic.Bool // the server asked for the certificate since the last sign-in began
}

// hitch says whether the second way of showing the certificate may help where the first did not.
type hitch int

const (
	final hitch = iota // it does not
	late               // the server answered that it saw no certificate
	cut                // the connection broke
)

// SignInApplication signs an application user in and answers a client of its own for it: own connections, cookies and token.
// What is approved, and what was used up of it, it has in common with c.
//
// IIS may ask for the certificate only after it knows the path. That takes a renegotiation, which TLS 1.3 does not have: a
// connection that breaks, or an answer that no certificate came, is followed by one try with TLS 1.2.
func (c *Client) SignInApplication(ctx context.Context, a Application) (*Client, error) {
	if a.Login == "" || a.Key.Empty() || len(a.Certificate.Certificate) == 0 || a.Certificate.PrivateKey == nil {
		return nil, problem.New("the application user cannot sign in").
			Because("its name, its API key, or its certificate with the private key is missing").
			Try("give all three; the private key is in the file that Netwrix Auditor exports with a password").Of(problem.Usage)
	}
	c.scrub.Add(a.Key)
	first, err := c.applicationClient(a, false)
	if err != nil {
		return nil, err
	}
	how, err := first.signInApplication(ctx)
	if err == nil {
		return first, nil
	}
	if how == final {
		return nil, err
	}
	second, otherErr := c.applicationClient(a, true)
	if otherErr != nil {
		return nil, otherErr
	}
	otherHow, otherErr := second.signInApplication(ctx)
	switch {
	case otherErr == nil:
		return second, nil
	case otherHow == cut && how == late:
		otherErr = err // an answer tells more than a break
	}
	return nil, otherErr
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
		if r, _, err = c.gate.admit(npsapi.SignInApplication(plan.String(c.app.Login), key, plan.String(c.app.Serial), short), nil); err != nil {
			return final, err
		}
		if a, err = c.authenticate(ctx, h, r, secret.Secret{}, 2, repeatAuth); err != nil {
			return c.applicationCut(ctx, r, err)
		}
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
	if op != nil && op.Op == "remote error" { // an alert: the handshake itself may judge the certificate
		if code := alerts[op.Err.Error()]; code != "" {
			return cut, c.certificateRefused(r, code, op.Err.Error()).From(cause)
		}
	}
	return cut, c.lateRequest(r, c.reason(ctx, cause)).Of(problem.Unreachable).From(cause)
}

// alerts are those of RFC 8446, section 6.2, about the client's certificate, in the words of crypto/tls, and the sub-status
// that IIS has for the same.
var alerts = map[string]string{
	"tls: certificate required":          "403.7",
	"tls: bad certificate":               "403.16",
	"tls: unknown certificate":           "403.16",
	"tls: unknown certificate authority": "403.16",
	"tls: expired certificate":           "403.17",
}

// lateRequest is the problem of IIS asking for the certificate after the handshake. Windows Server 2022 breaks the connection
// where TLS 1.3 leaves no way to ask, 2025 answers 500 with 0x80070032 (techcommunity, IIS blog 4449362; golang/go#40521).
func (c *Client) lateRequest(r request, why string) *problem.Problem {
	return problem.New("the web server of NPS did not get the client certificate at "+r.text()).
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
		return problem.New(who + " is locked").
			Try("wait until the lock ends or unlock it in NPS, then run the same command again").Of(problem.Refused)
	case status == http.StatusForbidden || status < 500 && serialWords.MatchString(s.text):
		return problem.New("nps refused the certificate's serial number for "+who).Because(c.serials()).
			Try("compare the serial number of the certificate with the one at the application user in NPS: all hexadecimal digits, leading zeros too, without spaces",
				"if the certificate was renewed, enter the new serial number there").Of(problem.Refused)
	case status == http.StatusUnauthorized || status == http.StatusBadRequest:
		return problem.New("nps refused the name or the API key of "+who).
			Because("the key is another one, it died when a new one was generated, or there is no application user of this name").
			Try("compare the name with Users & Groups in NPS, letter by letter", "reveal the API key there again and use that one; a newly generated key has to be entered in Netwrix Auditor too").Of(problem.Refused)
	case status == http.StatusInternalServerError:
		return problem.New("nps failed at the sign-in of "+who+" (500)").
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

var forbidden = regexp.MustCompile(`\b403\.\d`)

// certificatePage is the problem of a 403 of the web server. To other machines IIS may answer a page without the sub-status;
// then what was seen of the connection has to do.
func (c *Client) certificatePage(r request, text string) (hitch, error) {
	code := subStatus.FindString(text)
	asked := c.app.asked.Load()
	leaf, now := c.app.leaf(), c.now()
	switch {
	case code == "403.7":
		return late, c.certificateRefused(r, code, "")
	case strings.HasPrefix(code, "403."):
		return final, c.certificateRefused(r, code, "")
	case forbidden.MatchString(text): // not about certificates
		return final, c.refusal(r, http.StatusForbidden, "text/html", []byte(text))
	case !asked:
		return late, c.certificateRefused(r, "403.7", c.plain(shorten(text)))
	case leaf != nil && (now.After(leaf.NotAfter) || now.Before(leaf.NotBefore)):
		return final, c.certificateRefused(r, "403.17", c.plain(shorten(text)))
	}
	return final, c.certificateRefused(r, "403.16", c.plain(shorten(text)))
}

// certificateRefused is the problem of a client certificate that IIS did not take, by IIS' own sub-status. words are those
// that came in its place, when it did not come itself; then the cause is a guess and is said to be one.
func (c *Client) certificateRefused(r request, code, words string) *problem.Problem {
	what, why := "the web server of NPS refused "+r.text()+" ("+code+")", func(text string) string { return text }
	if words != "" {
		what = "the web server of NPS refused " + r.text()
		why = func(text string) string { return c.plain(words) + "; most likely " + text }
	}
	p := problem.New(what).Of(problem.Refused)
	switch {
	case code == "403.7" && c.app != nil && !c.app.asked.Load():
		return p.Because(why("it wants a client certificate and did not ask for one on this connection")).
			Try("switch on Negotiate Client Certificate at the HTTPS binding of NPS in IIS Manager, and set SSL Settings of WebAppApi to accept client certificates")
	case code == "403.7":
		return p.Because(why("the web server wants a client certificate and none reached it")).
			Try("check that certificate and key belong together, and that the site negotiates client certificates")
	case code == "403.13":
		return p.Because(why("the client certificate was revoked, or the web server could not find out")).
			Try("let the NPS server reach the revocation list that the certificate names, then run the same command again")
	case code == "403.17":
		return p.Because(why("the client certificate has expired or is not valid yet"+c.validity())).
			Try("make a new certificate in Netwrix Auditor, trust it on the NPS server, and enter its serial number at the application user in NPS",
				"compare the clock of the NPS server")
	}
	return p.Because(why("the web server does not trust the client certificate")).
		Try("import the issuer of the certificate (a self-signed certificate itself) into Trusted Root Certification Authorities of the Local Machine on the NPS server, not of the user",
			"look in that store for certificates that are not self-signed: one of them makes IIS refuse every client certificate; move it to Intermediate Certification Authorities")
}

func (c *Client) validity() string {
	if c.app == nil || c.app.leaf() == nil {
		return ""
	}
	const day = "2006-01-02 15:04"
	leaf := c.app.leaf()
	return ": it is valid from " + leaf.NotBefore.UTC().Format(day) + " to " + leaf.NotAfter.UTC().Format(day) + " UTC"
}

// roleless is the problem of a 403 to a token without any role, or nil when it has one.
func (c *Client) roleless(what string) *problem.Problem {
	s, _ := c.session.get()
	switch {
	case s.token.Empty() || len(s.identity.Roles) > 0:
		return nil
	case c.app != nil:
		return problem.New(what).Because("the token of an application user carries no role: it serves the user's own sessions and nothing else").
			Try("check that one access policy holds the application user, the activity and the resource", "sign in as an administrator for everything else").Of(problem.Refused)
	}
	return problem.New(what).Because("the token carries no role at all; an application user's API key brings such a token at /signinBody").
		Try("sign in as an administrator; an application user signs in with its client certificate, at AppUserToken").Of(problem.Refused)
}

var notFoundWords = regexp.MustCompile(`(?i)unable to find requested (activity|resource|credential)\b`)

// sessionRefused is the problem of a session that NPS does not start since it does not find what was named, or nil. The texts
// are those that Netwrix Auditor's event 5804 repeats (KB 000009216).
func (c *Client) sessionRefused(r request, status int, s said) *problem.Problem {
	found := notFoundWords.FindStringSubmatch(s.text)
	if r.op.ID != "startSession" || status != http.StatusBadRequest || found == nil {
		return nil
	}
	var named struct{ ActivityName, ManagedResourceName string }
	_ = json.Unmarshal(r.shown.Body, &named) // without the names the sentence is shorter
	switch strings.ToLower(found[1]) {
	case "activity":
		return problem.New("nps does not find the activity "+c.plain(named.ActivityName)+" for a session").
			Because("it was renamed, or no access policy of this user holds it").
			Try("write the activity exactly as NPS shows it, capitals and spaces too", "add it to the access policy of the application user")
	case "resource":
		return problem.New("nps does not find the resource " + c.plain(named.ManagedResourceName) + " for a session").
			Because("a label or a short name was given: NPS looks for the DNS host name").
			Try("write the DNS host name of the resource as NPS shows it")
	}
	return problem.New("nps does not find the credential for a session").
		Because("the user name is not that of a managed credential, or no credential based policy gives it to this user").
		Try("write the user name as NPS shows it", "add the credential and the application user to a credential based access policy")
}
