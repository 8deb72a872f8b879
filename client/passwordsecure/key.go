package passwordsecure

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// maxKey is the longest paste that is looked at, in bytes: a key has a token of about 1 KiB and a private key of at most some KiB.
const maxKey = 32 << 10

// Key is an API key of Password Secure, read offline: <JWT>:<base64 private key>. No method prints it, not even in parts; what it says of
// itself is in the other members. That format and the claims dbn and usrn are those of the vendor's software kit; exp is read when it is there.
type Key struct {
	Database string    // dbn: the one database that the key is for; "" when it does not tell
	User     string    // usrn: the user whose rights the key has; "" when it does not tell
	Expires  time.Time // exp, UTC; zero when it does not tell
	Notes    []string  // what was mended in the paste, and what is doubtful, in words

	whole, token secret.Secret
}

// Secret is the key as NPS takes it, without what a paste had put into it.
func (k Key) Secret() secret.Secret { return k.whole }

// Fingerprint tells one key from another: 16 hex digits of the SHA-256 of its token, which give nothing of it away. Empty without a key.
func (k Key) Fingerprint() string {
	if k.token.Empty() {
		return ""
	}
	sum := sha256.Sum256([]byte(k.token.Wire()))
	return hex.EncodeToString(sum[:8])
}

// Expiry is what the end date of a key means now.
type Expiry int

// The expiries.
const (
	ExpiryUnknown Expiry = iota // the key does not tell it
	ExpiryFar
	ExpiryNear // within 30 days
	ExpiryPast
)

// Expiry judges the end date of the key.
func (k Key) Expiry(now time.Time) Expiry {
	switch {
	case k.Expires.IsZero():
		return ExpiryUnknown
	case !now.Before(k.Expires):
		return ExpiryPast
	case now.AddDate(0, 0, 30).After(k.Expires):
		return ExpiryNear
	}
	return ExpiryFar
}

// Check is the problem of a key that has run out, or nil.
func (k Key) Check(now time.Time) error {
	if k.Expiry(now) != ExpiryPast {
		return nil
	}
	return expired(k).Of(problem.Usage)
}

// ParseKey reads a pasted key. The error is a problem of kind Usage that says what is wrong with the paste and repeats nothing of it;
// KeyFaultOf tells which fault it is.
func ParseKey(pasted secret.Secret) (Key, error) {
	text := pasted.Wire()
	if len(text) > maxKey {
		return Key{}, faulty(KeyTooLong)
	}
	text, hidden := tidy(text)
	if text == "" {
		return Key{}, faulty(KeyEmpty)
	}
	token, private, fault := split(text)
	if fault != 0 {
		return Key{}, faulty(fault)
	}
	k := Key{}
	if hidden {
		k.Notes = append(k.Notes, "quotation marks or invisible characters around or in the paste were left out")
	}
	for _, part := range []*string{&token, &private} {
		var notes []string
		*part, notes = compact(*part)
		for _, n := range notes {
			if len(k.Notes) == 0 || k.Notes[len(k.Notes)-1] != n {
				k.Notes = append(k.Notes, n)
			}
		}
	}
	payload, fault := readToken(token)
	if fault == 0 {
		fault = k.readPrivate(private)
	}
	if fault != 0 {
		return Key{}, faulty(fault)
	}
	k.claims(payload)
	k.token, k.whole = secret.New(token), secret.New(token+":"+private)
	return k, nil
}

// tidy drops white space at both ends, quotation marks around it, and characters that nobody sees.
func tidy(text string) (out string, dropped bool) {
	out = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) || unicode.IsControl(r) && !unicode.IsSpace(r) {
			dropped = true
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	out = strings.TrimSpace(out)
	if bare := strings.TrimSpace(strings.Trim(out, "\"'`\u201c\u201d\u201e")); bare != out {
		out, dropped = bare, true
	}
	return out, dropped
}

// compact takes white space out: neither part of a key has any, so it came with the paste.
func compact(part string) (string, []string) {
	var notes []string
	if strings.ContainsAny(part, "\r\n") {
		notes = append(notes, "line ends in the paste were left out")
	}
	out := strings.Join(strings.Fields(part), "")
	if strings.ContainsFunc(strings.Trim(part, "\r\n"), func(r rune) bool { return unicode.IsSpace(r) && r != '\r' && r != '\n' }) {
		notes = append(notes, "blanks in the paste were left out")
	}
	return out, notes
}

var (
	tokenFirst = regexp.MustCompile(`^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+`)
	private64  = regexp.MustCompile(`^[A-Za-z0-9+/\s]{16,}={0,2}$`)
)

// split takes the paste apart at its colon. Without exactly one, it finds out what stands there instead.
func split(text string) (token, private string, fault KeyFault) {
	parts := strings.Split(text, ":")
	switch {
	case len(parts) == 1:
		return "", "", noColon(text)
	case len(parts) == 3 && tokenFirst.MatchString(strings.TrimSpace(parts[1])) && strings.Count(parts[0], ".") == 0:
		return "", "", KeyLabelled
	case len(parts) > 2:
		if len(parts) == 3 && strings.Count(text, ".") == 4 {
			return "", "", KeyTwice
		}
		return "", "", KeyColons
	}
	token, private = parts[0], parts[1]
	if strings.Count(token, ".") == 0 && tokenFirst.MatchString(strings.TrimSpace(private)) {
		if private64.MatchString(strings.TrimSpace(token)) {
			return "", "", KeySwapped
		}
		return "", "", KeyLabelled
	}
	return token, private, 0
}

func noColon(text string) KeyFault {
	token := tokenFirst.FindString(text)
	rest := strings.TrimPrefix(text, token)
	switch {
	case token == "" && private64.MatchString(text):
		return KeyNoToken
	case token == "":
		return KeyForeign
	case rest == "":
		return KeyNoPrivate
	case strings.HasPrefix(strings.ToLower(rest), "%3a"):
		return KeyEncoded
	case strings.ContainsRune("\r\n", rune(rest[0])):
		return KeyLineForColon
	}
	r := []rune(rest)
	switch {
	case unicode.IsSpace(r[0]):
		return KeyBlankForColon
	case strings.ContainsRune(";,.|~#\uff1a\u2236", r[0]):
		return KeyWrongSeparator
	}
	return KeyNoColon
}

// readToken takes a JWT apart and gives its payload, which is not verified: only the server can do that.
func readToken(token string) (map[string]json.RawMessage, KeyFault) {
	parts := strings.Split(token, ".")
	switch {
	case len(parts) < 3:
		return nil, KeyTokenCut
	case len(parts) > 3:
		return nil, KeyForeign
	}
	var head, payload map[string]json.RawMessage
	for i, into := range []*map[string]json.RawMessage{&head, &payload} {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[i], "="))
		if err != nil || json.Unmarshal(raw, into) != nil || *into == nil {
			return nil, KeyTokenDamaged
		}
	}
	if raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[2], "=")); err != nil || len(raw) == 0 {
		return nil, KeyTokenCut
	}
	return payload, 0
}

// readPrivate looks at the private half only as far as a cut shows: its algorithm is the server's affair.
func (k *Key) readPrivate(private string) KeyFault {
	switch {
	case private == "":
		return KeyNoPrivate
	case strings.Trim(private, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") != "":
		return KeyNotBase64
	case len(private)%4 != 0:
		return KeyCut
	}
	raw, err := base64.StdEncoding.DecodeString(private)
	switch {
	case err != nil:
		return KeyNotBase64
	case derClaims(raw) > len(raw):
		k.Notes = append(k.Notes, "the private half may be cut: it begins as a structure that is longer than what is there")
	}
	return 0
}

// derClaims is how many bytes a DER sequence says to have, or 0 when raw does not begin with one.
func derClaims(raw []byte) int {
	if len(raw) < 4 || raw[0] != 0x30 || raw[1] < 0x81 || raw[1] > 0x83 {
		return 0
	}
	size := int(raw[1] & 0x0f)
	if len(raw) < 2+size {
		return math.MaxInt
	}
	n := 0
	for _, b := range raw[2 : 2+size] {
		n = n<<8 | int(b)
	}
	return 2 + size + n
}

func (k *Key) claims(payload map[string]json.RawMessage) {
	read := func(name string) string {
		var s string
		_ = json.Unmarshal(payload[name], &s) // another type is no name
		return shorten(s, 200)
	}
	k.Database, k.User = read("dbn"), read("usrn")
	if k.Database == "" || k.User == "" {
		k.Notes = append(k.Notes, "the key does not tell its database and its user, as keys of Password Secure do: make sure that it is one")
	}
	raw := bytes.Trim(payload["exp"], `"`)
	var at float64
	// Until the end of the year 9999, behind which no calendar of Go's or .NET's goes.
	if len(raw) > 0 && json.Unmarshal(raw, &at) == nil && at > 0 && at < 253402300800 {
		k.Expires = time.Unix(int64(at), 0).UTC()
	}
}
