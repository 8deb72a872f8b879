package pki

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"

	"npsetup/steps/problem"
)

// distinguishedName writes a name as Windows' certificate dialog does: most specific part first. Go's own writing shows
// the DC parts of every Active Directory authority as an object identifier with hex behind it. The package for servers'
// certificates has the same function, because neither of the two imports the other; a test holds them equal.
func distinguishedName(raw []byte, otherwise string) string {
	var sets pkix.RDNSequence
	if rest, err := asn1.Unmarshal(raw, &sets); err != nil || len(rest) > 0 {
		return problem.Plain(otherwise)
	}
	var parts []string
	for _, set := range slices.Backward(sets) {
		var same []string
		for _, a := range set {
			same = append(same, attribute(a))
		}
		parts = append(parts, strings.Join(same, " + "))
	}
	return problem.Plain(strings.Join(parts, ", "))
}

func attribute(a pkix.AttributeTypeAndValue) string {
	value, ok := a.Value.(string)
	if !ok {
		der, _ := asn1.Marshal(a.Value)
		value = "#" + hex.EncodeToString(der)
	}
	if strings.ContainsAny(value, ",+\"\\<>;=") || strings.TrimSpace(value) != value {
		value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
	}
	return attributeName(a.Type) + "=" + value
}

func attributeName(oid asn1.ObjectIdentifier) string {
	switch oid.String() {
	case "2.5.4.3":
		return "CN"
	case "2.5.4.4":
		return "SN"
	case "2.5.4.5":
		return "SERIALNUMBER"
	case "2.5.4.6":
		return "C"
	case "2.5.4.7":
		return "L"
	case "2.5.4.8":
		return "ST"
	case "2.5.4.9":
		return "STREET"
	case "2.5.4.10":
		return "O"
	case "2.5.4.11":
		return "OU"
	case "2.5.4.12":
		return "T"
	case "2.5.4.42":
		return "G"
	case "1.2.840.113549.1.9.1":
		return "E"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	}
	return oid.String()
}
