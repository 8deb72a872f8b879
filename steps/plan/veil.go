package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"npsetup/steps/secret"
)

// Veiled is a value that a server gave, with what is a secret by its name made one: it goes back to the server, and is shown and kept
// nowhere. Servers should not hand secrets out with their rows; that none does is nowhere promised.
func Veiled(v Value) Value {
	switch v := v.(type) {
	case Object:
		o := make(Object, len(v))
		for i, m := range v {
			o[i] = Member{m.Name, veil(m.Name, m.Value)}
		}
		if name := v.setting(); secretName(name) { // a row of settings: the name stands beside the value
			for i, m := range o {
				if settingValue(m.Name) {
					o[i].Value = veil(name, m.Value)
				}
			}
		}
		return o
	case Array:
		a := make(Array, len(v))
		for i, e := range v {
			a[i] = Veiled(e)
		}
		return a
	}
	return v
}

// setting is the name that a row gives to the value in it; empty where it holds none.
func (o Object) setting() string {
	if !slices.ContainsFunc(o, func(m Member) bool { return settingValue(m.Name) }) {
		return ""
	}
	for _, m := range o {
		if name, ok := plainText(m.Value); ok && strings.EqualFold(m.Name, "name") {
			return name
		}
	}
	return ""
}

func settingValue(member string) bool {
	return strings.EqualFold(member, "value") || strings.EqualFold(member, "defaultValue")
}

// veil makes a text under the name of a secret a secret.
func veil(name string, v Value) Value {
	text, ok := plainText(v)
	if !ok || text == "" || harmless.MatchString(text) || !secretName(name) {
		return Veiled(v)
	}
	return SecretLeaf{Name: name + ", as NPS has it", Secret: secret.New(text)}
}

// plainText is the text of a scalar that is one.
func plainText(v Value) (string, bool) {
	s, is := v.(scalar)
	var text string
	if !is || len(s) == 0 || s[0] != '"' || json.Unmarshal([]byte(s), &text) != nil {
		return "", false
	}
	return text, true
}

// harmless are texts that no secret consists of: ids, times, switches and small numbers.
var harmless = regexp.MustCompile(`^(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)?|true|false|\d{1,3})$`)

var secretWords = []string{"password", "passwd", "passphrase", "secret", "apikey", "privatekey", "accesskey", "sharedkey", "bearer"}

// secretName says whether a member or a setting is a secret by its name. Letters' case does not matter, in no language: the words are ASCII.
func secretName(name string) bool {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, name)
	return strings.HasSuffix(name, "token") || slices.ContainsFunc(secretWords, func(w string) bool { return strings.Contains(name, w) })
}

// Sealed is JSON for comparing within one process: a secret comes out as a sum that tells it from another one. It is never shown.
func Sealed(v Value) (json.RawMessage, error) {
	var b bytes.Buffer
	err := v.write(&b, leaves{
		secret: func(s SecretLeaf) (string, error) {
			sum := sha256.Sum256([]byte(s.Secret.Wire()))
			return "sealed " + hex.EncodeToString(sum[:]), nil
		},
		ref: func(r Ref) (string, error) { return "", fmt.Errorf("%s is not known yet", r.What) },
	})
	return b.Bytes(), err
}

// HasSecret says whether a secret is anywhere in a value.
func HasSecret(v Value) bool { return v != nil && len(Call{Body: v}.Secrets()) > 0 }

// open is an object without the members that have a secret in them, and their names.
func (o Object) open() (kept Object, secrets []string) {
	for _, m := range o {
		if HasSecret(m.Value) {
			secrets = append(secrets, m.Name)
			continue
		}
		kept = append(kept, m)
	}
	return kept, secrets
}
