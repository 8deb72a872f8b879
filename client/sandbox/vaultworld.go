package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// vault is what Password Secure knows. Keys and entries are rows, so that they can drift and be shown; their secrets are beside them.
type vault struct {
	keys, entries *table
	tokens        map[string]apiKey // key id → what was shown once
	passwords     map[string]string // entry id → password
	asked         bool              // somebody has looked at it
}

// apiKey is <JWT>:<base64 private key>.
type apiKey struct{ jwt, whole string }

// Names in Password Secure, and those that the sandbox's own answers use.
const (
	vaultDatabase = "Contoso"
	vaultUser     = "svc-nps-vault" // the technical user under which the key was made
	vaultKeyName  = "NPS Integration"
	entryUser     = "app-admin"
	entryTemplate = "AD User"
)

func newVault() vault {
	v := vault{keys: newTable(), entries: newTable(), tokens: map[string]apiKey{}, passwords: map[string]string{}}
	v.entry(row{"name": "Fabrikam administrator", "domain": "FABRIKAM", "username": "administrator"}, vaultUser)
	v.entry(row{"name": "File server", "domain": domainNetBIOS, "username": "file-admin"}, "Administrator")
	return v
}

// entry adds a password of the standard form for domain users; readers see it.
func (v *vault) entry(e row, readers ...any) row {
	e["template"], e["readers"], e["isDeleted"] = entryTemplate, append([]any{}, readers...), false
	v.entries.add(e)
	v.passwords[e.text("id")] = marker("entry")
	return e
}

// newestKey is the API key that was made last, whatever became of it, or "".
func (v *vault) newestKey() string {
	if n := len(v.keys.rows); n > 0 {
		return v.tokens[v.keys.rows[n-1].text("id")].whole
	}
	return ""
}

// newVaultKey makes an API key as the dialog does: the right Read, the scope Password.
func (s *Server) newVaultKey(until time.Time) row {
	v := &s.world.vault
	r := v.keys.add(row{"name": vaultKeyName, "database": vaultDatabase, "user": vaultUser, "accessRights": "Read", "accessScopes": "Password", "expires": until.UTC().Format(time.RFC3339), "isDeleted": false})
	payload, _ := json.Marshal(map[string]any{"dbn": vaultDatabase, "usrn": vaultUser, "exp": until.Unix(), "jti": randomHex(8)}) // scalars always encode
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	k := apiKey{jwt: head + "." + s.sign(head)}
	half := privateHalf()
	k.whole = k.jwt + ":" + half
	v.tokens[r.text("id")] = k
	s.world.secrets = append(s.world.secrets, k.whole, k.jwt, half)
	return r
}

// privateHalf is of the family that the second version of the product's encryption uses.
func privateHalf() string {
	k, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		panic(err) // no randomness: nothing here may go on
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(der)
}

// keyState is what Password Secure makes of a token.
type keyState int

const (
	keyUnknown keyState = iota
	keyGood
	keyExpired
	keyDeleted
)

// judgeKey finds the key of a token. key-expired and key-deleted strike the key that was there at the start.
func (s *Server) judgeKey(fits func(apiKey) bool) (row, keyState) {
	v := &s.world.vault
	for i, r := range v.keys.rows {
		if !fits(v.tokens[r.text("id")]) {
			continue
		}
		until, err := time.Parse(time.RFC3339, r.text("expires"))
		switch {
		case r.truth("isDeleted"), i == 0 && s.faults.has("key-deleted"):
			return r, keyDeleted
		case err != nil || !s.o.Now().Before(until), i == 0 && s.faults.has("key-expired"):
			return r, keyExpired
		}
		return r, keyGood
	}
	return nil, keyUnknown
}

// livingKey is the last key that works, or nil.
func (s *Server) livingKey() row {
	v := &s.world.vault
	for i := len(v.keys.rows) - 1; i >= 0; i-- {
		id := v.keys.rows[i].text("id")
		if r, state := s.judgeKey(func(k apiKey) bool { return k == v.tokens[id] }); state == keyGood {
			return r
		}
	}
	return nil
}

// visible lists the entries of DOMAIN\user that a user sees. Letters' case does not count, as in Active Directory.
func (v *vault) visible(user, login string) []row {
	domain, name, found := strings.Cut(login, `\`)
	var rows []row
	for _, e := range v.entries.rows {
		if !found || e.truth("isDeleted") || !strings.EqualFold(e.text("domain"), domain) || !strings.EqualFold(e.text("username"), name) {
			continue
		}
		readers, _ := e["readers"].([]any)
		for _, r := range readers {
			if r == user {
				rows = append(rows, e)
				break
			}
		}
	}
	return rows
}

// vaultState is Password Secure as State shows it.
func (s *Server) vaultState(state map[string]any) {
	w := &s.world
	state["vaultEntries"] = w.list(w.vault.entries, "name")
	keys := w.list(w.vault.keys, "name")
	for _, k := range keys {
		delete(k, "expires") // a time
	}
	state["vaultKeys"] = keys
	state["connectors"] = w.stateConnectors()
}

// prepareVault makes the key with which a set-up begins, and what the faults at the start say.
func (s *Server) prepareVault() {
	until := s.o.Now().AddDate(1, 0, 0)
	if s.faults.has("key-expired") {
		until = s.o.Now().AddDate(0, 0, -1)
	}
	s.newVaultKey(until)
	s.settle(s.faults, nil)
}
