package nps

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"regexp"
	"strings"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// alert is what the other side says of a handshake, in the words of crypto/tls; empty when it said nothing.
func alert(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return op.Err.Error()
	}
	return ""
}

// alerts are those of RFC 8446, section 6.2, about the client's certificate, in the words of crypto/tls, and the sub-status
// that IIS has for the same.
var alerts = map[string]string{
	"tls: certificate required":          "403.7",
	"tls: bad certificate":               "403.16",
	"tls: unknown certificate":           "403.16",
	"tls: unknown certificate authority": "403.16",
	"tls: unsupported certificate":       "403.16",
	"tls: access denied":                 "403.16",
	"tls: revoked certificate":           "403.13",
	"tls: expired certificate":           "403.17",
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
		return final, problem.New("the web server of NPS refused " + r.text() + " (" + forbidden.FindString(text) + ")").
			Because(c.plain(shorten(text)) + "; the web server refuses by itself, before NPS hears of the sign-in").
			Try("look in IIS Manager on the NPS server at what restricts the site WebAppApi: IP addresses, TLS, authorization").Of(problem.Refused)
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
	p := problem.New(what).Coded(certificateCode(code)).Of(problem.Refused)
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
	return p.From(plan.ErrUntrusted).Because(why("the web server does not trust the client certificate")).
		Try("import the root of the authority that issued the certificate (a self-signed certificate itself) into Trusted Root Certification Authorities of the Local Machine on the NPS server, not of the user",
			"look in that store for certificates that are not self-signed: one of them makes IIS refuse every client certificate; move it to Intermediate Certification Authorities")
}

// certificateCode is what a sub-status of IIS is called in the catalogue.
func certificateCode(code string) problem.Code {
	switch code {
	case "403.7":
		return problem.ClientCertificateNotAsked
	case "403.13":
		return problem.ClientCertificateRevoked
	case "403.17":
		return problem.ClientCertificateExpired
	}
	return problem.ClientCertificateNotTrusted
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
		return problem.New(what).Coded(problem.TokenWithoutRole).Because("the token of an application user carries no role: it serves the user's own sessions and nothing else").
			Try("check that one access policy holds the application user, the activity and the resource", "sign in as an administrator for everything else").Of(problem.Refused)
	}
	return problem.New(what).Coded(problem.TokenWithoutRole).Because("the token carries no role at all; an application user's API key brings such a token at /signinBody").
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
		return problem.New("NPS does not find the activity "+c.plain(named.ActivityName)+" for a session").Coded(problem.ActivityUnknown).
			Because("it was renamed, or no access policy of this user holds it").
			Try("write the activity exactly as NPS shows it, capitals and spaces too", "add it to the access policy of the application user")
	case "resource":
		return problem.New("NPS does not find the resource " + c.plain(named.ManagedResourceName) + " for a session").Coded(problem.ResourceUnknown).
			Because("a label or a short name was given: NPS looks for the DNS host name").
			Try("write the DNS host name of the resource as NPS shows it")
	}
	return problem.New("NPS does not find the credential for a session").Coded(problem.CredentialUnknown).
		Because("the user name is not that of a managed credential, or no credential based policy gives it to this user").
		Try("write the user name as NPS shows it", "add the credential and the application user to a credential based access policy")
}

// untrusted is the cause of a refusal by which a plan is made anew; nil for others.
func untrusted(code string) error {
	if code == "403.16" {
		return plan.ErrUntrusted
	}
	return nil
}
