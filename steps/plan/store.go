package plan

import (
	"crypto/sha1" //nolint:gosec // Windows' thumbprint: for finding, not for trusting
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

// Genuine says whether the certificate that an operation carries is the one that it shows: both thumbprints are its own.
func (s Store) Genuine() bool {
	s1, s256 := sha1.Sum(s.Certificate), sha256.Sum256(s.Certificate) //nolint:gosec // see above
	return len(s.Certificate) > 0 && strings.EqualFold(s.Thumbprint, hex.EncodeToString(s1[:])) && strings.EqualFold(s.SHA256, hex.EncodeToString(s256[:]))
}

// trusts is the store that an operation changes, here or on another machine.
func (op Op) trusts() Store {
	switch {
	case op.Kind == KindStore && op.Store != nil:
		return *op.Store
	case op.Kind == KindRemote && op.Remote != nil:
		return op.Remote.Store
	}
	return Store{}
}

func (r Remote) text() string {
	return fmt.Sprintf("over SSH on %s as %s (host key %s, signs in with %s): %s", r.Host, r.User, r.HostKey, r.SignIn, r.Store.text())
}

func (s Store) text() string {
	verb := "puts %s (thumbprint %s) into the store %s"
	if s.Remove {
		verb = "takes %s (thumbprint %s) out of the store %s"
	}
	return fmt.Sprintf(verb, s.Subject, s.Thumbprint, s.Store)
}

// parts are the lines below that one: what tells the certificate from all others, what is done, and by which privilege.
func (s Store) parts() []string {
	var parts []string
	if s.SHA256 != "" {
		parts = append(parts, "SHA-256 "+s.SHA256)
	}
	parts = append(parts, s.Does...)
	if s.Needs != "" {
		parts = append(parts, "needs "+s.Needs)
	}
	return parts
}

type remoteDoc struct {
	Host    string    `json:"host"`
	User    string    `json:"user"`
	HostKey string    `json:"hostKey"`
	SignIn  string    `json:"signIn"`
	Store   *storeDoc `json:"store"`
}

func (r Remote) document() *remoteDoc {
	return &remoteDoc{Host: r.Host, User: r.User, HostKey: r.HostKey, SignIn: r.SignIn, Store: r.Store.document()}
}

type storeDoc struct {
	Store       string   `json:"store"`
	Thumbprint  string   `json:"thumbprint"`
	SHA256      string   `json:"sha256,omitempty"`
	Subject     string   `json:"subject"`
	Certificate []byte   `json:"certificate,omitempty"` // DER in Base64
	Remove      bool     `json:"remove"`
	Does        []string `json:"does,omitempty"`
	Needs       string   `json:"needs,omitempty"`
}

func (s Store) document() *storeDoc {
	d := storeDoc(s)
	return &d
}
