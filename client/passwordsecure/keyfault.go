package passwordsecure

import (
	"errors"
	"fmt"

	"npsetup/steps/problem"
)

// KeyFault is what is wrong with a pasted key, so that nobody parses the words. 0 is none.
type KeyFault int

// The faults of a paste.
const (
	KeyEmpty          KeyFault = iota + 1
	KeyTooLong                 // more than a key can have
	KeyForeign                 // something else altogether
	KeyNoToken                 // only the half behind the colon
	KeyNoPrivate               // only the half before the colon
	KeyNoColon                 // the halves touch
	KeyWrongSeparator          // another sign in the colon's place
	KeyBlankForColon
	KeyLineForColon
	KeyEncoded  // %3A in the colon's place
	KeyColons   // more colons than one
	KeyTwice    // the whole key twice
	KeySwapped  // the halves in the wrong order
	KeyLabelled // a label of the dialog before it
	KeyTokenCut // the token has fewer than three parts
	KeyTokenDamaged
	KeyNotBase64 // the private half has signs that it cannot have
	KeyCut       // the end is missing
)

// keyFault carries the fault below the problem.
type keyFault struct{ fault KeyFault }

func (f keyFault) Error() string { return fmt.Sprintf("key fault %d", f.fault) }

// KeyFaultOf is the fault that an error of ParseKey stands for, or 0.
func KeyFaultOf(err error) KeyFault {
	var f keyFault
	if errors.As(err, &f) {
		return f.fault
	}
	return 0
}

func faulty(f KeyFault) error {
	what, why := words(f)
	p := problem.New(what).Coded(problem.VaultKeyMalformed).Because(why).Of(problem.Usage).From(keyFault{f})
	switch f {
	case KeyEmpty:
		return p.Try("paste what Password Secure showed under Tools > API Keys")
	case KeyNoToken, KeyNoPrivate, KeyNoColon, KeyTokenCut, KeyTokenDamaged, KeyNotBase64, KeyCut:
		return p.Try("copy the key again, from its first to its last character", "where it was kept nowhere, make another key: Password Secure shows each only once, and the old one stays valid until it is deleted")
	case KeyForeign, KeyTooLong, KeyColons, KeyTwice, KeySwapped, KeyLabelled, KeyWrongSeparator, KeyBlankForColon, KeyLineForColon, KeyEncoded:
	}
	return p.Try("paste the key alone, once, as Password Secure shows it: two halves with one colon between")
}

// words has a sentence for every fault, none with anything of the paste in it.
func words(f KeyFault) (what, why string) {
	const wrong = "this is no whole API key of Password Secure"
	switch f {
	case KeyEmpty:
		return "there is no API key", "nothing was pasted"
	case KeyTooLong:
		return wrong, "it is longer than any key: a file or a page seems to have been pasted"
	case KeyForeign:
		return "this is no API key of Password Secure", "a key begins with a token of three parts that two full stops part"
	case KeyNoToken:
		return wrong, "its first half is missing: the token before the colon"
	case KeyNoPrivate:
		return wrong, "its second half is missing: the private key behind the colon"
	case KeyNoColon:
		return wrong, "the colon between its halves is missing"
	case KeyWrongSeparator:
		return wrong, "another sign stands where the colon between its halves belongs"
	case KeyBlankForColon:
		return wrong, "a blank stands where the colon between its halves belongs"
	case KeyLineForColon:
		return wrong, "a line end stands where the colon between its halves belongs, or inside the token of a key without colon"
	case KeyEncoded:
		return wrong, "the colon between its halves is written as %3A, as addresses of web pages write it"
	case KeyColons:
		return wrong, "it has more than one colon: something else was pasted along"
	case KeyTwice:
		return wrong, "it seems to have been pasted twice"
	case KeySwapped:
		return wrong, "its halves are in the wrong order: the token comes first"
	case KeyLabelled:
		return wrong, "a label of the dialog was pasted along before it, or in place of its first half"
	case KeyTokenCut:
		return wrong, "its token is cut: it has fewer than three parts"
	case KeyTokenDamaged:
		return wrong, "its token cannot be read: its beginning is cut, or characters in it are changed"
	case KeyNotBase64:
		return wrong, "its second half has characters that a key cannot have there"
	case KeyCut:
		return wrong, "its end is missing: the second half stops in the middle"
	}
	return wrong, "it cannot be read"
}

// expired is failure 50.
func expired(k Key) *problem.Problem {
	return problem.New("the API key of Password Secure has expired").Coded(problem.VaultKeyExpired).
		Because("it ended on "+k.Expires.Format("2006-01-02 15:04")+" UTC, as it says itself").
		Try("make a new key in Password Secure under Tools > API Keys and put it into the service account in NPS", "then delete the old key in Password Secure", "check this machine's clock")
}
