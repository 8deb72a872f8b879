package sandbox

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The stand-in for Password Secure answers in the two forms of the product: through the Web Application, which is installed in a sub-folder
// here, with api/ behind it; and at a port of the server's own, without. What it says in words is our guess, and so is what the base
// answers to a GET: the vendor describes neither.

// vaultFolder is where the Web Application is installed.
const vaultFolder = "/vault/"

// vaultServer is the stand-in for Password Secure.
type vaultServer struct {
	tls         authority
	web, direct *http.Server
	webA        string
	directA     string
}

// startVault opens both forms beside the NPS stand-in, at free ports of its address.
func (s *Server) startVault(ctx context.Context, beside net.Addr) error {
	host, _, err := net.SplitHostPort(beside.String())
	if err != nil {
		return err
	}
	listen := func() (net.Listener, error) { return net.Listen("tcp", net.JoinHostPort(host, "0")) }
	web, err := listen()
	if err != nil {
		return err
	}
	direct, err := listen()
	if err != nil {
		return errors.Join(err, web.Close())
	}
	v := &s.vault
	v.webA, v.directA = web.Addr().String(), direct.Addr().String()
	if s.faults.has("vault-self-signed") {
		v.tls, err = selfMade(s.o.Now())
	} else {
		v.tls, err = newAuthority(beside, s.o.Now(), false)
	}
	if err != nil {
		return errors.Join(err, web.Close(), direct.Close())
	}
	server := func(h http.Handler) *http.Server {
		return &http.Server{
			Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: quietLog(),
			TLSConfig: &tls.Config{Certificates: []tls.Certificate{v.tls.leaf}, MinVersion: tls.VersionTLS12},
		}
	}
	v.web, v.direct = server(s.vaultHandler(vaultFolder, vaultFolder+"api/")), server(s.vaultHandler("", "/"))
	go func() { _ = v.web.ServeTLS(web, "", "") }()
	go func() { _ = v.direct.ServeTLS(direct, "", "") }()
	context.AfterFunc(ctx, func() { _ = s.closeVault() })
	return nil
}

func (s *Server) closeVault() error { return errors.Join(s.vault.web.Close(), s.vault.direct.Close()) }

// VaultURL is the address of the Web Application of the Password Secure stand-in; api/ is below it.
func (s *Server) VaultURL() string { return "https://" + s.vault.webA + vaultFolder }

// VaultDirectURL is the address of the Password Secure stand-in's own port, which the product has at 11016.
func (s *Server) VaultDirectURL() string { return "https://" + s.vault.directA + "/" }

// VaultPin is the certificate of both as a trust answer: pin:sha256:HEX without its first word.
func (s *Server) VaultPin() string { return s.vault.tls.pin }

// VaultCAPEM is the certificate of the authority that issued it, or itself with the fault vault-self-signed.
func (s *Server) VaultCAPEM() []byte { return s.vault.tls.caPEM }

// VaultKey is the newest API key that works, or "".
func (s *Server) VaultKey() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.livingKey(); r != nil {
		return s.world.vault.tokens[r.text("id")].whole
	}
	return ""
}

// VaultKeyMade is the newest API key, whatever became of it, or "" while a person has made none.
func (s *Server) VaultKeyMade() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.world.vault.newestKey()
}

// VaultRequests lists what was asked of Password Secure, by its path as it arrived.
func (s *Server) VaultRequests() []Request {
	return s.requestsWhere(func(r Request) bool { return r.vault })
}

// vaultHandler answers at one of the forms: page is the path of the Web Application or "", base that of the API.
func (s *Server) vaultHandler(page, base string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
		if err != nil {
			return
		}
		path, under := strings.CutPrefix(r.URL.Path, base)
		class := "outside"
		switch {
		case r.Method == http.MethodGet && (r.URL.Path == base || page != "" && r.URL.Path == page):
			class = "read"
		case under && path == "auth/AuthenticateApiKey" && r.Method == http.MethodPost:
			class = "probe"
		}
		n := s.record(Request{Class: class, Method: r.Method, Path: r.URL.RequestURI(), Body: body, vault: true})
		below := r.Clone(r.Context())
		below.URL = &url.URL{Path: "/" + path}
		isAPI := class != "outside" && r.URL.Path != page
		if isAPI {
			s.checkVault(func(c Checker) error { return c.Request(below, body) })
		}
		a := s.vaultAnswer(r, body, class, isAPI)
		s.mu.Lock()
		s.requests[n].Status = a.status
		s.mu.Unlock()
		w.Header().Set("Content-Type", a.kind)
		w.Header().Set("Date", s.o.Now().UTC().Format(http.TimeFormat))
		if isAPI {
			s.checkVault(func(c Checker) error { return c.Response(below, a.status, w.Header(), a.raw) })
		}
		w.WriteHeader(a.status)
		_, _ = w.Write(a.raw)
	})
}

func (s *Server) checkVault(f func(Checker) error) {
	if s.o.CheckVault == nil {
		return
	}
	if err := f(s.o.CheckVault); err != nil {
		s.mu.Lock()
		s.violations = append(s.violations, err)
		s.mu.Unlock()
	}
}

const vaultPage = `<!DOCTYPE html><html><head><title>Netwrix Password Secure</title></head><body>Netwrix Password Secure Web Application</body></html>`

func (s *Server) vaultAnswer(r *http.Request, body []byte, class string, isAPI bool) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.vault.asked = true
	says := func(status int, text string) answer {
		return answer{status: status, kind: "text/plain; charset=utf-8", raw: []byte("\xef\xbb\xbf" + text)}
	}
	switch {
	case class == "outside":
		return answer{status: http.StatusNotFound, kind: "text/html; charset=utf-8", raw: []byte("<html><title>404 - File or directory not found.</title></html>")}
	case !isAPI:
		return answer{status: http.StatusOK, kind: "text/html; charset=utf-8", raw: []byte(vaultPage)}
	case s.faults.has("vault-down"):
		return says(http.StatusServiceUnavailable, "The service is not available")
	case class == "read":
		return answer{status: http.StatusOK, kind: "application/json; charset=utf-8"}
	case s.faults.always("vault-refused"):
		return says(http.StatusForbidden, "The database is not enabled for access via Web Application")
	}
	return s.authenticateKey(r, body, says)
}

// authenticateKey is the first request of a sign-in: JSON that travels as text. It answers a challenge, which nobody here ever meets.
func (s *Server) authenticateKey(r *http.Request, body []byte, says func(int, string) answer) answer {
	var in struct {
		Credential struct {
			Type         string `json:"$type"`
			AuthType     int
			JSONWebToken string `json:"JsonWebToken"`
		} `json:"credential"`
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "text/plain" || json.Unmarshal(body, &in) != nil || in.Credential.Type != "AuthenticationApiKeyCredential" || in.Credential.AuthType != 14 {
		return says(http.StatusBadRequest, "The credential cannot be read")
	}
	key, state := s.judgeKey(func(k apiKey) bool { return k.jwt == in.Credential.JSONWebToken })
	switch state {
	case keyUnknown:
		return says(http.StatusUnauthorized, "The API key is malformed or unknown")
	case keyDeleted:
		return says(http.StatusUnauthorized, "The API key does not exist")
	case keyExpired:
		return says(http.StatusUnauthorized, "The API key has expired")
	case keyGood:
	}
	noise := func() string { return base64.StdEncoding.EncodeToString([]byte(randomHex(24))) }
	raw, _ := json.Marshal(row{ // texts and numbers always encode
		"$type": "AuthenticationChallengeResult", "IsCompleted": false, "SessionId": newID(), "Database": key["database"], "UserName": key["user"],
		"Challenge": noise(), "ChallengeSignature": noise(), "UserKey": noise(), "EncryptionVersion": 2,
	})
	return answer{status: http.StatusOK, kind: "application/json; charset=utf-8", raw: append([]byte("\xef\xbb\xbf"), raw...)}
}
