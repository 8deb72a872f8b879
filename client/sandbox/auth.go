package sandbox

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238's default
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

const adminName = `CONTOSO\npsadmin`

// person is somebody who signs in.
type person struct {
	name, password, totp, role, push string
	account                          string
	bad                              int // wrong passwords in a row
	locked, noMFA                    bool
	application                      bool // an application user: it has no role
	lastCode, visit                  string
}

// visitCookie ties the second half of a sign-in to its first.
const visitCookie = "sbpam.visit"

// lockAfter is the number of wrong passwords that locks an account.
const lockAfter = 5

func newPeople() map[string]*person {
	people := map[string]*person{}
	for _, p := range []*person{
		{name: adminName, role: "Admin"},
		{name: `CONTOSO\npsuser`, role: "User"},
		{name: `CONTOSO\nomfa`, role: "Admin", noMFA: true},
		{name: `CONTOSO\pushadmin`, role: "Admin", push: "push"},
	} {
		p.password, p.account = marker("password"), newID()
		b := make([]byte, 20)
		if _, err := rand.Read(b); err != nil {
			panic(err)
		}
		p.totp = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
		people[p.name] = p
	}
	return people
}

// marker is a secret that can be recognised wherever it should not be.
func marker(what string) string { return "S3CR3T-" + what + "-" + randomHex(8) }

func (s *Server) authRoutes() map[string]handler {
	return map[string]handler{
		"health": func(*ask) answer {
			if s.faults.has("unhealthy") {
				return answer{status: http.StatusOK, value: "Unhealthy", text: true}
			}
			return answer{status: http.StatusOK, value: "Healthy", text: true}
		},
		"version": func(*ask) answer {
			if s.faults.has("old-version") {
				return ok("4.1.0")
			}
			if s.faults.has("before-25.12") {
				return ok("4.2.00001")
			}
			return ok("25.12.00002")
		},
		"licenseInfo": func(*ask) answer {
			end := s.o.Now().AddDate(1, 0, 0)
			expired := s.faults.has("expired-licence")
			if expired {
				end = s.o.Now().AddDate(0, 0, -3)
			}
			return ok(row{"isExpired": expired, "expirationDateTimeUtc": end.UTC().Format(time.RFC3339), "licensedUsers": 50})
		},
		"signIn": s.signIn, "signIn2FA": s.signIn2FA,
		"userToken": func(q *ask) answer { return ok(s.issue(q.who, true)) },
	}
}

func (s *Server) signIn(q *ask) answer {
	var form struct{ Login, Password string }
	if json.Unmarshal(q.body, &form) != nil || form.Login == "" {
		return invalid("login", "The login field is required.")
	}
	var p *person
	for name, candidate := range s.world.people {
		if strings.EqualFold(name, form.Login) {
			p = candidate
		}
	}
	switch {
	case p == nil && s.applicationKeyFits(form.Login, form.Password):
		// The token is good for little: it has no role, and the second half of this sign-in is not for application users.
		return ok(s.issue(applicationPerson(s.world.applicationNamed(form.Login)), false))
	case p == nil:
		return refuse(http.StatusUnauthorized, "Unauthorized", "Invalid user name or password")
	case p.locked || s.faults.has("locked"):
		return refuse(http.StatusForbidden, "Forbidden", "User account is locked")
	case p.password != form.Password:
		p.bad++
		p.locked = p.bad >= lockAfter
		return refuse(http.StatusUnauthorized, "Unauthorized", "Invalid user name or password")
	}
	p.bad = 0
	p.visit = randomHex(8)
	a := ok(s.issue(p, false))
	a.cookie = &http.Cookie{Name: visitCookie, Value: p.visit, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode}
	return a
}

func (s *Server) signIn2FA(q *ask) answer {
	if c, err := q.Cookie(visitCookie); err != nil || c.Value != q.who.visit {
		return refuse(http.StatusBadRequest, "Bad Request", "User Id Mismatch")
	}
	var code string
	if json.Unmarshal(q.body, &code) != nil {
		return invalid("$", "The JSON value could not be converted to System.String.")
	}
	if !s.codeFits(q.who, code) {
		return refuse(http.StatusBadRequest, "Bad Request", "Invalid MFA code")
	}
	return ok(s.issue(q.who, true))
}

func (s *Server) codeFits(p *person, code string) bool {
	switch {
	case p.noMFA:
		return true
	case p.push != "":
		return code == p.push
	case s.faults.has("mfa-replay") && code == p.lastCode:
		return false
	}
	step := s.o.Now().Unix() / 30
	for _, t := range []int64{step, step - 1, step + 1} {
		if totp(p.totp, t) == code {
			p.lastCode = code
			return true
		}
	}
	return false
}

func totp(secret string, step int64) string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return ""
	}
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, step)
	sum := m.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

type claims struct {
	Name    string `json:"http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"`
	Account string `json:"ManagedAccountId"`
	MFA     bool   `json:"isMFA"`
	Issued  int64  `json:"iat"`
	Expires int64  `json:"exp"`
	Nonce   string `json:"jti"`
	Role    string `json:"http://schemas.microsoft.com/ws/2008/06/identity/claims/role,omitempty"`
}

func (s *Server) issue(p *person, mfa bool) string {
	now := s.o.Now()
	c := claims{Name: p.name, Account: p.account, MFA: mfa, Issued: now.Unix(), Expires: now.Add(s.o.TokenLife).Unix(), Nonce: randomHex(6)}
	if mfa {
		c.Role = s.roleOf(p)
	}
	s.nonces = append(s.nonces, c.Nonce)
	payload, _ := json.Marshal(c) // a struct of scalars always encodes
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	token := head + "." + s.sign(head)
	s.world.secrets = append(s.world.secrets, token)
	return token
}

func (s *Server) roleOf(p *person) string {
	if s.faults.has("wrong-role") && !p.application {
		return "User"
	}
	return p.role
}

func (s *Server) sign(text string) string {
	m := hmac.New(sha256.New, []byte(s.world.jwtKey))
	_, _ = m.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// authorise demands what the operation needs: nothing for the first half of the sign-in, the half-way token for the second,
// a full one with the role Admin for the rest, except for what asks for no role. It answers true when it refuses.
func (s *Server) authorise(q *ask, op operation) (answer, bool) {
	switch op.ID {
	case "signIn", "health", "signInApplication", "signInApplicationShort":
		return answer{}, false
	}
	c, valid := s.token2claims(strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer "))
	q.who = s.world.whoIs(c)
	switch {
	case !valid, q.who == nil, op.Class != "auth" && s.faults.strikes(q, "keys-renewed"):
		return answer{status: http.StatusUnauthorized}, true
	case q.who.application && !c.MFA:
		return refuse(http.StatusForbidden, "Forbidden", "The token has no role"), true
	case op.ID != "signIn2FA" && !c.MFA:
		return answer{status: http.StatusUnauthorized}, true
	}
	open := op.Class == "auth" || op.ID == "version" || op.ID == "findPolicies" || sessionOfOne(op.ID)
	if !open && c.Role != "Admin" {
		return refuse(http.StatusForbidden, "Forbidden", "User is not an Administrator"), true
	}
	return answer{}, false
}

func (s *Server) token2claims(token string) (claims, bool) {
	var c claims
	head, signature, found := cutLast(token, ".")
	if !found || !hmac.Equal([]byte(s.sign(head)), []byte(signature)) {
		return c, false
	}
	_, payload, _ := strings.Cut(head, ".")
	raw, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return c, false
	}
	return c, s.o.Now().Unix() < c.Expires && !s.revoked[c.Nonce]
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
