package nps

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Identity is who signed in.
type Identity struct {
	User             string
	Roles            []string
	Admin            bool // one of the roles is the administrator's
	ManagedAccountID string
	Expires          time.Time // by this machine's clock; zero when the token does not say
}

// The claims of the role: since 25.12, and before.
const (
	claimRole    = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
	claimOldRole = "http://stealthbits.com/pam/roles"
	claimName    = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
)

var errNoToken = errors.New("the answer holds no token")

// parseToken takes a token out of an answer or a paste: a JSON string, or the bare text with or without quotes.
func parseToken(text string) (string, error) {
	text = strings.TrimSpace(text)
	var s string
	if json.Unmarshal([]byte(text), &s) != nil {
		s = strings.Trim(text, `"'`)
	}
	s = strings.TrimSpace(s)
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return "", errNoToken
	}
	for _, part := range parts {
		if part == "" || strings.Trim(part, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=") != "" {
			return "", errNoToken
		}
	}
	return s, nil
}

// claims are the claims of a token by name, letters' case aside.
type claims map[string]json.RawMessage

// readClaims decodes a token without verifying its signature. The key is the server's own, and the server judges each
// call; the claims only serve to tell a person early what the server would refuse later.
func readClaims(token string) (claims, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errNoToken
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return nil, errNoToken // not err: it repeats a part of the token
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return nil, errNoToken
	}
	c := make(claims, len(members))
	for name, v := range members {
		c[strings.ToLower(name)] = v
	}
	return c, nil
}

func (c claims) text(names ...string) string {
	for _, name := range names {
		var s string
		if json.Unmarshal(c[strings.ToLower(name)], &s) == nil && s != "" {
			return s
		}
	}
	return ""
}

// list reads a claim that is a text or an array of texts.
func (c claims) list(name string) []string {
	raw := c[strings.ToLower(name)]
	var one string
	if json.Unmarshal(raw, &one) == nil && one != "" {
		return []string{one}
	}
	var many []any
	_ = json.Unmarshal(raw, &many)
	var texts []string
	for _, v := range many {
		if s, ok := v.(string); ok && s != "" {
			texts = append(texts, s)
		}
	}
	return texts
}

// seconds reads a time in seconds since 1970.
func (c claims) seconds(name string) (time.Time, bool) {
	raw := strings.Trim(string(c[name]), `"`)
	var f float64
	if raw == "" || json.Unmarshal([]byte(raw), &f) != nil || f <= 0 || f > 1e11 {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0), true
}

func (c claims) identity() Identity {
	id := Identity{User: c.text(claimName, "unique_name", "sub"), ManagedAccountID: c.text("ManagedAccountId")}
	id.Roles = append(c.list(claimRole), c.list(claimOldRole)...)
	for _, r := range id.Roles {
		if strings.EqualFold(r, "admin") || strings.EqualFold(r, "administrator") {
			id.Admin = true
		}
	}
	return id
}

// life is how long a token that has just arrived lives on. It is reckoned by the server's own times, so that a wrong clock
// on this machine neither ends it early nor late. date is the Date header of the answer that brought it, or zero.
func (c claims) life(date, now time.Time) (time.Duration, bool) {
	exp, ok := c.seconds("exp")
	if !ok {
		return 0, false
	}
	byDate := exp.Sub(date)
	iat, issued := c.seconds("iat")
	byIssue := exp.Sub(iat)
	switch {
	case issued && byIssue > 0:
		// A token that was renewed or pasted may keep the time of the first sign-in.
		if !date.IsZero() && byDate > 0 && byDate < byIssue {
			return byDate, true
		}
		return byIssue, true
	case !date.IsZero() && byDate > 0:
		return byDate, true
	}
	return max(exp.Sub(now), 0), true
}
