package sandbox

import (
	"crypto/x509"
	"encoding/json"
	"net/http"
	"strings"
)

func (s *Server) applicationRoutes() map[string]handler {
	return map[string]handler{
		"signInApplication": func(q *ask) answer {
			if s.faults.has("token-short-path") {
				return answer{status: http.StatusNotFound}
			}
			return s.signInApplication(q)
		},
		"signInApplicationShort": func(q *ask) answer {
			if !s.faults.has("token-short-path") {
				return answer{status: http.StatusNotFound}
			}
			return s.signInApplication(q)
		},
	}
}

// iisPage is what the web server says about a client certificate, before the API hears of the call.
func iisPage(code, title, text string) answer {
	page := "<!DOCTYPE html><html><head><title>IIS 10.0 Detailed Error - " + code + " - Forbidden</title></head>\n<body><h2>HTTP Error " + code + " - Forbidden</h2><h3>" + title + "</h3><p>" + text + "</p></body></html>"
	return answer{status: http.StatusForbidden, html: page}
}

// signInApplication is the sign-in of an application user: the web server judges the certificate of the connection, then the API
// the name, the key, and the serial number that the body names.
func (s *Server) signInApplication(q *ask) answer {
	switch {
	case s.faults.has("client-late"):
		return answer{status: http.StatusInternalServerError, html: latePage}
	case s.faults.has("application-500"):
		return answer{status: http.StatusInternalServerError}
	}
	if a, refused := s.judgeCertificate(q); refused {
		return a
	}
	var in struct{ Login, Password, CertificateSerialNumber string }
	if json.Unmarshal(q.body, &in) != nil || in.Login == "" {
		return invalid("login", "The login field is required.")
	}
	if !s.applicationKeyFits(in.Login, in.Password) {
		return refuse(http.StatusUnauthorized, "Unauthorized", "Invalid user name or password")
	}
	r := s.world.applicationNamed(in.Login)
	shown, err := serialText(q.TLS.PeerCertificates[0].Raw)
	wanted := r.text("certificateSerialNumber")
	if err != nil || in.CertificateSerialNumber != wanted || shown != wanted || s.faults.has("client-serial") {
		return refuse(http.StatusForbidden, "Forbidden", "The certificate serial number does not match the application user")
	}
	return ok(s.issue(applicationPerson(r), true))
}

// judgeCertificate is IIS: it wants a client certificate of a root that the machine trusts.
func (s *Server) judgeCertificate(q *ask) (answer, bool) {
	if q.TLS == nil || len(q.TLS.PeerCertificates) == 0 || s.faults.has("client-not-asked") {
		return iisPage("403.7", "The page you are attempting to access requires your browser to have a Secure Sockets Layer (SSL) client certificate that the Web server recognizes.", "Client certificate required."), true
	}
	shown := q.TLS.PeerCertificates[0]
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	spoiled := false // what is not self-signed in Trusted Root makes IIS refuse every certificate (KB 2802568)
	for _, c := range s.world.trusted {
		roots.AddCert(c)
		spoiled = spoiled || !selfSigned(c)
	}
	for _, c := range append(q.TLS.PeerCertificates[1:len(q.TLS.PeerCertificates):len(q.TLS.PeerCertificates)], s.world.between...) {
		between.AddCert(c)
	}
	now := s.o.Now()
	if s.faults.has("client-expired") || now.Before(shown.NotBefore) || now.After(shown.NotAfter) {
		return iisPage("403.17", "Your client certificate has expired or is not yet valid.", "Client certificate has expired or is not yet valid."), true
	}
	_, err := shown.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}})
	if err != nil || spoiled || s.faults.has("client-untrusted") {
		return iisPage("403.16", "Your client certificate is either not trusted or is invalid.", "Client certificate is untrusted or invalid."), true
	}
	return answer{}, false
}

func (w *world) applicationNamed(name string) row {
	for _, r := range w.accounts.rows {
		if r.number("entityType") == entityApplication && strings.EqualFold(r.text("name"), name) {
			return r
		}
	}
	return nil
}

func (s *Server) applicationKeyFits(name, key string) bool {
	r := s.world.applicationNamed(name)
	return r != nil && key != "" && s.world.apiKeys[r.text("id")] == key
}

// applicationPerson is an application user as somebody who is signed in.
func applicationPerson(r row) *person {
	return &person{name: r.text("name"), account: r.text("id"), application: true}
}

// whoIs finds whom a token was made for; nil when the account is gone.
func (w *world) whoIs(c claims) *person {
	if r := w.application(c.Account); r != nil {
		return applicationPerson(r)
	}
	return w.people[c.Name]
}
