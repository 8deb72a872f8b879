package nps

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // RFC 6238 as the authenticators speak it
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// codeLife is how long a one-time code is good: one step of RFC 6238.
const codeLife = 30 * time.Second

// MFA gives the second factor when the server asks for it.
type MFA interface {
	Code(ctx context.Context) (secret.Secret, error)
}

// Ask is an MFA that asks a person.
type Ask func(ctx context.Context) (secret.Secret, error)

// Code implements MFA.
func (a Ask) Code(ctx context.Context) (secret.Secret, error) { return a(ctx) }

// Given is a code that is known already.
func Given(code secret.Secret) MFA {
	return Ask(func(context.Context) (secret.Secret, error) { return code, nil })
}

// Push is the word that a push connector expects in place of digits.
func Push(word string) MFA { return Given(secret.New(word)) }

// None is for users of whom no second factor is asked: NPS wants the call nevertheless, with any code.
func None() MFA { return Given(secret.New("0")) }

// reckoned gives codes that change by themselves.
type reckoned struct{ Ask }

// TOTP reckons codes by RFC 6238 (SHA-1, six digits, 30 s) from a base32 secret. A wrong clock is not corrected: the
// error of a refused code names the difference.
func TOTP(base32Secret secret.Secret, now func() time.Time) MFA {
	return reckoned{func(context.Context) (secret.Secret, error) {
		key, err := totpKey(base32Secret)
		if err != nil {
			return secret.Secret{}, err
		}
		return secret.New(totp(key, now())), nil
	}}
}

// freshCode is a code that was not sent before. A server that takes each only once refuses the second sign-in within its 30 seconds.
func (c *Client) freshCode(ctx context.Context, mfa MFA) (secret.Secret, error) {
	code, err := mfa.Code(ctx)
	if _, changes := mfa.(reckoned); err != nil || !changes || !code.Equal(c.sentCode) {
		c.sentCode = code
		return code, err
	}
	at := c.now()
	if err := c.wait(ctx, at.Truncate(codeLife).Add(codeLife).Sub(at)+time.Second); err != nil {
		return secret.Secret{}, problem.New("stopped while waiting for the next MFA code").Of(problem.Cancelled).From(err)
	}
	c.sentCode, err = mfa.Code(ctx)
	return c.sentCode, err
}

// totpKey reads a secret as authenticators show it: any case, in groups, with or without padding.
func totpKey(s secret.Secret) ([]byte, error) {
	text := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "", "\t", "").Replace(strings.TrimSpace(s.Wire())))
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(key) == 0 { // not err: it tells of the secret
		return nil, problem.New("the TOTP secret cannot be read").
			Because("it is not base32: letters A to Z and digits 2 to 7").
			Try("take the setup key that stands beside the QR code, not a code and not the whole otpauth address").Of(problem.Usage)
	}
	return key, nil
}

func totp(key []byte, at time.Time) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(at.Unix()/int64(codeLife/time.Second)))
	mac := hmac.New(sha1.New, key)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	n := binary.BigEndian.Uint32(sum[offset:offset+4]) & 0x7fffffff
	return fmt.Sprintf("%06d", n%1_000_000)
}
