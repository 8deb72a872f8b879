package passwordsecure

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// SignInPath is where the first request of a sign-in goes, below the URL of a form.
const SignInPath = "auth/AuthenticateApiKey"

// SignInClass is the class of that request: it changes nothing and leaves a log entry.
const SignInClass = plan.Probe

// Proof is what the server made of a key.
type Proof int

// The proofs. NotProven is the zero value: it says nothing against the key.
const (
	NotProven Proof = iota
	Accepted
	KeyExpired // failure 50
	KeyRefused // failure 51: cut, of another database, or deleted
)

// SignIn is the outcome of the first request of a sign-in. It never is a reason to stop a set-up: the vendor publishes no description of
// the protocol, and only a session of NPS proves the chain.
type SignIn struct {
	Proof  Proof
	Status int    // 0: nothing was sent, or no answer came
	Why    string // in words, for every proof
	Said   string // the server's own words, made harmless, without the key; may be empty
}

// Problem is the outcome as a problem: nil for Accepted and NotProven.
func (s SignIn) Problem(k Key) error {
	switch s.Proof {
	case KeyExpired:
		if !k.Expires.IsZero() {
			return expired(k).Of(problem.Refused)
		}
		return problem.New("the API key of Password Secure has expired").Coded(problem.VaultKeyExpired).Because(s.Why).
			Try("make a new key in Password Secure under Tools > API Keys and put it into the service account in NPS").Of(problem.Refused)
	case KeyRefused:
		where := ""
		if k.Database != "" {
			where = "it is for the database " + k.Database + " and the user " + k.User + ": "
		}
		return problem.New("Password Secure does not take the API key").Coded(problem.VaultKeyRefused).Because(s.Why).
			Try(where+"check that they exist, and that the database has \"Access via Web Application\" switched on", "see under Tools > API Keys whether the key still exists", "paste the key again, or make a new one").Of(problem.Refused)
	case NotProven, Accepted:
	}
	return nil
}

// Assumptions lists what the sign-in and the offline reading of a key take for granted.
func Assumptions() []npsapi.Assumption {
	return []npsapi.Assumption{
		{Topic: "Password Secure: API key", Text: "a token (JWT) and a private key in base64 with one colon between; dbn is its database, usrn its user: after the provider for external-secrets, which seems to be the vendor's; exp is read when it is there"},
		{Topic: "Password Secure: POST " + SignInPath, Text: "the first request of the same provider's sign-in; a challenge or a completed sign-in means that the key is accepted; it leaves a log entry, completes no session, and an unknown answer proves nothing"},
		{Topic: "Password Secure: GET of the API's base", Text: "404 points to a missing or doubled api, 5xx to a service that does not run, anything else but a page to the API: the vendor does not say what the base answers"},
	}
}

// credential is the body of the provider for external-secrets, which seems to be the vendor's: everything that a key does not need is null, and ClientMacAdress
// is spelt so.
type credential struct {
	Credential struct {
		AuthType               int
		Type                   string `json:"$type"`
		JSONWebToken           string `json:"JsonWebToken"`
		RequiredFieldsFromUser struct{ AuthenticationFields struct{} }
		Database, Username     *string
		SessionID              *string `json:"SessionId"`
		OperationMode          int
		ClientInformation      struct {
			ClientComputerName, ClientUser *string
			ClientType, ClientVersion      string
			ClientMacAdress                *string
			ClientInstanceID               string `json:"ClientInstanceId"`
			OS, Browser                    *string
		}
	} `json:"credential"`
}

func (c *Client) body(k Key) ([]byte, error) {
	var b credential
	b.Credential.AuthType, b.Credential.Type, b.Credential.JSONWebToken = 14, "AuthenticationApiKeyCredential", k.token.Wire()
	name, version, _ := strings.Cut(c.o.UserAgent, "/")
	b.Credential.ClientInformation.ClientType, b.Credential.ClientInformation.ClientVersion = name, version
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, err
	}
	h := hex.EncodeToString(id)
	b.Credential.ClientInformation.ClientInstanceID = h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	return json.Marshal(b)
}

// SignIn sends the first request of a sign-in with the key, once, and reads what the server makes of it. Only the token leaves, never the
// private half; the sign-in is not completed.
func (c *Client) SignIn(ctx context.Context, f Form, k Key) SignIn {
	switch {
	case c.o.NoSignIn:
		return SignIn{Why: "the sign-in is switched off"}
	case c.o.DryRun:
		return SignIn{Why: "a dry run does not sign in: that leaves a log entry"}
	case k.token.Empty():
		return SignIn{Why: "there is no key"}
	}
	c.o.Scrub.Add(k.token)
	c.o.Scrub.Add(k.whole)
	body, err := c.body(k)
	if err != nil {
		return SignIn{Why: "this machine gives no random numbers"}
	}
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL+SignInPath, bytes.NewReader(body))
	if err != nil {
		return SignIn{Why: "the address cannot be read"}
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8") // so the provider sends its JSON
	a, err := c.send(r, SignInClass)
	if err != nil {
		return SignIn{Why: c.o.Scrub.Scrub(broken(ctx, f.URL, err).Error())}
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(a.Body)
	if err != nil {
		return SignIn{Status: a.StatusCode, Why: "the answer broke off or is too long"}
	}
	return c.read(a, bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf")), k)
}

func (c *Client) read(a *http.Response, raw []byte, k Key) SignIn {
	s := SignIn{Status: a.StatusCode}
	if a.StatusCode == http.StatusOK {
		s.Proof, s.Why = completion(raw)
		return s
	}
	// Cut after the scrubbing, or half a key could remain. Invisible characters go first, since they could part one.
	s.Said = shorten(k.hide(c.o.Scrub.Scrub(problem.Plain(string(raw)))), 400)
	s.Why = "the answer (" + http.StatusText(a.StatusCode) + ") is none that is known"
	if a.StatusCode != http.StatusUnauthorized && a.StatusCode != http.StatusForbidden {
		return s
	}
	if a.Header.Get("WWW-Authenticate") != "" || isPage(a.Header.Get("Content-Type"), raw) {
		s.Said, s.Why = "", "the web server refuses, before Password Secure hears of the key"
		return s
	}
	said := strings.ToLower(s.Said)
	if k.Expiry(c.o.Now()) == ExpiryPast || strings.Contains(said, "expired") || strings.Contains(said, "abgelaufen") {
		s.Proof, s.Why = KeyExpired, "the server refuses it, and its time is over"
		return s
	}
	s.Proof, s.Why = KeyRefused, "it may be cut, of another database, or deleted"
	if s.Said != "" {
		s.Why += "; the server says: " + s.Said
	}
	return s
}

var keyRun = regexp.MustCompile(`[A-Za-z0-9_.+/=:-]{12,}`)

// hide masks every piece of the key in a text: a server may repeat a part of what it was sent.
func (k Key) hide(text string) string {
	whole := k.whole.Wire()
	return keyRun.ReplaceAllStringFunc(text, func(run string) string {
		for at := 0; at+12 <= len(run); at++ {
			if strings.Contains(whole, run[at:at+12]) {
				return secret.Mask
			}
		}
		return run
	})
}

// completion reads an answer to the first request.
func completion(raw []byte) (Proof, string) {
	var in struct {
		Type                          string `json:"$type"`
		IsCompleted                   bool
		Challenge, ChallengeSignature string
	}
	switch err := json.Unmarshal(raw, &in); {
	case err != nil:
		return NotProven, "the answer is not understood"
	case in.IsCompleted || strings.Contains(in.Type, "Completed"):
		return Accepted, "the server completed the sign-in with the key"
	case in.Challenge != "" && in.ChallengeSignature != "":
		return Accepted, "the server took the key and asks for its signature, which npsetup does not give"
	}
	return NotProven, "the answer has neither a challenge nor the end of a sign-in"
}
