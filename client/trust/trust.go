// Package trust shows what a server presents during the TLS handshake, and turns a person's answer (system, ca:FILE or
// pin:sha256:HEX) into a TLS configuration. It sends nothing over the connections that it opens, it never decides in the
// person's place, and it never switches verification off: a pin replaces the chain by one exact certificate, nothing else.
package trust

import (
	"strings"
	"unicode"

	"npsetup/steps/problem"
)

// Kind is by what a certificate is trusted.
type Kind int

// The kinds. System is the zero value.
const (
	System Kind = iota // the operating system's authorities
	CAFile             // the authorities in a file, and only those
	Pin                // exactly one server certificate
)

// Choice is a parsed trust answer.
type Choice struct {
	Kind   Kind
	File   string // CAFile: as given, not made absolute
	SHA256 string // Pin: 64 lower-case hex digits of the leaf's DER
}

// String is the spelling that ParseTrust reads.
func (c Choice) String() string {
	switch c.Kind {
	case System:
		return "system"
	case CAFile:
		return "ca:" + c.File
	case Pin:
		return "pin:sha256:" + c.SHA256
	}
	return "unknown"
}

// ParseTrust reads `system`, `ca:FILE` or `pin:sha256:HEX`. In the fingerprint, colons, blanks, hidden marks (Windows'
// certificate dialog puts one in front of what it lets people copy) and upper case are tolerated. The error, a
// problem of kind Usage, does not repeat the text.
func ParseTrust(text string) (Choice, error) {
	text = strings.TrimSpace(strings.TrimFunc(text, hiddenMark))
	if strings.EqualFold(text, "system") {
		return Choice{}, nil
	}
	kind, rest, _ := strings.Cut(text, ":")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "ca":
		if rest = strings.TrimSpace(rest); rest == "" {
			return Choice{}, usage("ca: names no file", "an authority is trusted by its certificate in a file", "write ca:FILE")
		}
		return Choice{Kind: CAFile, File: rest}, nil
	case "pin":
		return parsePin(rest)
	}
	return Choice{}, usage("the trust is none of system, ca:FILE and pin:sha256:HEX", "",
		"write system for the operating system's authorities, ca:FILE for an authority's certificate, pin:sha256:HEX for exactly one server certificate")
}

func parsePin(rest string) (Choice, error) {
	algorithm, digits, named := strings.Cut(rest, ":")
	if !named || !strings.EqualFold(strings.TrimSpace(algorithm), "sha256") {
		return Choice{}, usage("the pin does not begin with pin:sha256:", "only SHA-256 fingerprints are taken", "npsetup trust show URL prints the whole line")
	}
	sha, err := fingerprint(digits)
	if err != nil {
		return Choice{}, err
	}
	return Choice{Kind: Pin, SHA256: sha}, nil
}

// fingerprint normalises the hex digits of a SHA-256.
func fingerprint(text string) (string, error) {
	digits, err := hexDigits(text)
	if err != nil {
		return "", err
	}
	switch len(digits) {
	case 64:
		return digits, nil
	case 40:
		return "", usage("the pin has 40 hex digits", "that is the length of a SHA-1 thumbprint, as Windows shows it; SHA-256 has 64", "take the SHA-256 fingerprint: "+shownBy)
	default:
		return "", usage("the pin does not have 64 hex digits", "a SHA-256 fingerprint that is cut off proves nothing", "take the fingerprint whole: "+shownBy)
	}
}

// shownBy says where a fingerprint is had.
const shownBy = "npsetup trust show URL prints it"

// hexDigits drops what people copy along with hex digits, and lowers their case.
func hexDigits(text string) (string, error) {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == ':' || unicode.IsSpace(r) || hiddenMark(r):
		case r >= '0' && r <= '9' || r >= 'a' && r <= 'f':
			b.WriteRune(r)
		case r >= 'A' && r <= 'F':
			b.WriteRune(unicode.ToLower(r))
		default:
			return "", usage("the pin holds something that is no hex digit", "a SHA-256 fingerprint is written with 0-9 and a-f", "take the fingerprint whole: "+shownBy)
		}
	}
	return b.String(), nil
}

func hiddenMark(r rune) bool { return unicode.Is(unicode.Cf, r) }

func usage(what, why string, next ...string) *problem.Problem {
	return problem.New(what).Because(why).Try(next...).Of(problem.Usage)
}
