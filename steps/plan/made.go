package plan

import (
	"fmt"
	"strings"
)

// Making is what a Made is.
type Making int

// What can be made. Each is a file of its own.
const (
	MakeKey         Making = iota // a private key
	MakeSelfSigned                // a self-signed client certificate
	MakeRequest                   // a certificate request, PKCS #10
	MakeCertificate               // a certificate that lies in another file, alone
	MakePFX                       // a private key with its certificate and those that vouch for it, PKCS #12
)

func (m Making) String() string {
	switch m {
	case MakeKey:
		return "private key"
	case MakeSelfSigned:
		return "self-signed certificate"
	case MakeRequest:
		return "certificate request"
	case MakeCertificate:
		return "certificate"
	case MakePFX:
		return "PFX"
	}
	return "unknown"
}

// Made says what a file will hold that nobody can know before. Whoever makes it writes over no file.
type Made struct {
	What       Making
	Name       string      // common name of the subject
	KeyType    string      // of a private key
	Days       int         // how long a self-signed certificate is valid
	Key        string      // file of the private key to which it belongs
	From       []string    // files with the certificates that go in
	SHA256     string      // of the certificate that goes in; empty: that which an operation before it makes
	Encryption string      // of a PFX
	Passphrase *SecretLeaf // of a PFX; its value is fetched when it is needed
}

// The outputs of a certificate that is made, in the words that references show.
const (
	SerialOutput     = "serial number"
	ThumbprintOutput = "thumbprint"
	SHA256Output     = "SHA-256"
)

func (f File) whole() bool {
	n := 0
	for _, is := range []bool{f.Content != nil, f.Make != nil, f.Remove} {
		if is {
			n++
		}
	}
	return n == 1
}

// text is a file operation in one line.
func (f File) text() string {
	switch {
	case f.Remove:
		holding := ""
		if f.SHA256 != "" {
			holding = ", as long as its SHA-256 is " + f.SHA256
		}
		return fmt.Sprintf("deletes %s (%s, mode %04o)%s", f.Path, f.Source, f.Mode, holding)
	case f.Make != nil:
		what := f.Make.text()
		if f.Source != "" {
			what += "; " + f.Source
		}
		return fmt.Sprintf("makes %s (%s, mode %04o)", f.Path, what, f.Mode)
	}
	return fmt.Sprintf("writes %s (%s, mode %04o)", f.Path, f.Source, f.Mode)
}

func (m *Made) text() string {
	which := ""
	if m.SHA256 != "" {
		which = ", sha256:" + m.SHA256
	}
	from := strings.Join(m.From, ", ")
	switch m.What {
	case MakeKey:
		return "a private key of the type " + m.KeyType
	case MakeSelfSigned:
		return fmt.Sprintf("a self-signed certificate of CN=%s for client authentication, valid for %d days, of the key %s", m.Name, m.Days, m.Key)
	case MakeRequest:
		return fmt.Sprintf("a certificate request of CN=%s for client authentication, of the key %s", m.Name, m.Key)
	case MakeCertificate:
		return "the certificate in " + from + which
	case MakePFX:
		secret := "no passphrase"
		if m.Passphrase != nil {
			secret = "(secret: " + m.Passphrase.Name + ")"
		}
		return fmt.Sprintf("a PFX of the key %s and its certificate in %s%s, encryption %s, with %s", m.Key, from, which, m.Encryption, secret)
	}
	return "unknown"
}

type madeDoc struct {
	What       string   `json:"what"`
	Name       string   `json:"name,omitempty"`
	KeyType    string   `json:"keyType,omitempty"`
	Days       int      `json:"days,omitempty"`
	Key        string   `json:"key,omitempty"`
	From       []string `json:"from,omitempty"`
	SHA256     string   `json:"sha256,omitempty"`
	Encryption string   `json:"encryption,omitempty"`
	Passphrase string   `json:"passphrase,omitempty"`
}

func (m *Made) document() *madeDoc {
	if m == nil {
		return nil
	}
	d := &madeDoc{What: m.What.String(), Name: m.Name, KeyType: m.KeyType, Days: m.Days, Key: m.Key, From: m.From, SHA256: m.SHA256, Encryption: m.Encryption}
	if m.Passphrase != nil {
		d.Passphrase = "(secret: " + m.Passphrase.Name + ")"
	}
	return d
}

// Makes says whether an action makes something that is known only when it is made.
func (a Action) Makes() bool {
	for _, op := range a.Ops {
		if op.Kind == KindFile && op.File.Make != nil {
			return true
		}
	}
	return false
}

// Awaits is the file by which an action done by hand shows that it was done; empty: a person says so, or something else shows it.
func (a Action) Awaits() string {
	if m := a.Manual(); m != nil {
		return m.Awaits
	}
	return ""
}

// wordProof begins the proof of what only a person can tell.
const wordProof = "your word: --done "

// WordProof is the proof of a step that a person says to have done.
func WordProof(step string) string { return wordProof + step }

// ByWord says whether a person's word stands for an action done by hand. What is read back, or shows by a file, nobody has to say.
func (a Action) ByWord() bool {
	m := a.Manual()
	return m != nil && m.Awaits == "" && strings.HasPrefix(m.Proof, wordProof)
}

// Doable lists what a person can do by hand now: what needs nothing that waits for a file which is not there.
func (p Plan) Doable() []Action {
	waits := map[string]bool{}
	var list []Action
	for _, a := range p.Actions {
		blocked := false
		for _, need := range a.Needs() {
			blocked = blocked || waits[need]
		}
		if blocked || a.Effect == ByHand && a.Awaits() != "" {
			waits[a.Key] = true
		}
		if a.Effect == ByHand && !blocked {
			list = append(list, a)
		}
	}
	return list
}
