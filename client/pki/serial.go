package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"
)

// SerialOf writes a serial number as .NET and Windows do: every byte of the DER integer in upper-case hex. big.Int would
// drop leading zeros, among them the 00 that keeps the number positive.
func SerialOf(c *x509.Certificate) string {
	der, err := asn1.Marshal(c.SerialNumber)
	if err != nil || len(der) < 3 {
		return ""
	}
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return ""
	}
	return strings.ToUpper(hex.EncodeToString(v.Bytes))
}

// NormaliseSerial makes one spelling of what people paste: blanks, colons, hidden marks, 0x and lower case go, and a digit
// that was left out in front comes back.
func NormaliseSerial(text string) (string, error) {
	if strings.HasPrefix(strings.TrimFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) }), "-") {
		return "", fmt.Errorf("a minus sign is how openssl writes a serial number whose first bit is set; take the bytes as Windows shows them")
	}
	text = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) || unicode.IsControl(r) || r == ':' || r == '-' {
			return -1
		}
		return unicode.ToUpper(r)
	}, text)
	text = strings.TrimPrefix(text, "0X")
	if text == "" {
		return "", fmt.Errorf("a serial number has hex digits")
	}
	if len(strings.TrimLeft(text, "0")) > 128 {
		return "", fmt.Errorf("a serial number has 40 hex digits, or a few more; these are over 128")
	}
	if len(text)%2 == 1 {
		text = "0" + text
	}
	if _, err := hex.DecodeString(text); err != nil {
		return "", fmt.Errorf("a serial number has hex digits only")
	}
	return text, nil
}

// SerialSpellings gives the spellings under which programs show one serial number: as DER and Windows have it, with 00 in front
// of a first digit from 8 to F, and without that 00 when there is one.
func SerialSpellings(text string) ([]string, error) {
	s, err := NormaliseSerial(text)
	if err != nil {
		return nil, err
	}
	bare := s
	for len(bare) > 2 && strings.HasPrefix(bare, "00") {
		bare = bare[2:]
	}
	if bare[0] >= '8' {
		return []string{"00" + bare, bare}, nil
	}
	if bare != s {
		return []string{s, bare}, nil
	}
	return []string{bare}, nil
}

// SameSerial compares two spellings, with and without leading 00. Two that cannot be read are never the same.
func SameSerial(a, b string) bool {
	na, errA := NormaliseSerial(a)
	nb, errB := NormaliseSerial(b)
	return errA == nil && errB == nil && withoutZeros(na) == withoutZeros(nb)
}

func withoutZeros(s string) string { return strings.TrimLeft(s, "0") }
