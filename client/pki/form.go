package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf16"
)

// plainText drops byte order marks, decodes UTF-16, in which PowerShell 5 writes what is piped into a file, and puts the
// lines of PEM back that mail and tickets join or indent. DER comes back as it is.
func plainText(raw []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(raw, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(raw, []byte("\xfe\xff")):
		order = binary.BigEndian
	}
	if order != nil {
		var units []uint16
		for i := 2; i+1 < len(raw); i += 2 {
			units = append(units, order.Uint16(raw[i:]))
		}
		raw = []byte(string(utf16.Decode(units)))
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if isDER(raw) || !bytes.Contains(raw, []byte("-----BEGIN ")) {
		return raw
	}
	var b strings.Builder
	for part := range strings.SplitSeq(string(raw), "-----") {
		if strings.HasPrefix(part, "BEGIN ") || strings.HasPrefix(part, "END ") {
			b.WriteString("\n-----" + part + "-----\n")
			continue
		}
		// No blank line may follow BEGIN, or what is written in front of the content would count as content.
		for line := range strings.Lines(strings.TrimLeft(part, " \t\r\n")) {
			b.WriteString(strings.TrimSpace(line) + "\n")
		}
	}
	return []byte(b.String())
}

// isDER goes by the header of a sequence in the long form, which everything of the size of a certificate has.
func isDER(b []byte) bool { return len(b) > 1 && b[0] == 0x30 && b[1] >= 0x80 }

// otherArmour names what stands in PEM without being a certificate; empty when nothing of that kind does.
func otherArmour(text []byte) string {
	for _, kind := range []struct{ mark, what string }{
		{"-----BEGIN PKCS7-----", bundleWords},
		{"-----BEGIN CMS-----", bundleWords},
		{"CERTIFICATE REQUEST-----", "a certificate request: an authority has yet to issue the certificate"},
		{"-----BEGIN X509 CRL-----", "a revocation list"},
		{"PUBLIC KEY-----", "a bare public key, without a certificate around it"},
	} {
		if bytes.Contains(text, []byte(kind.mark)) {
			return kind.what
		}
	}
	if bytes.Contains(text, []byte("-----BEGIN ")) && !bytes.Contains(text, []byte("-----END ")) {
		return "cut off: its text has a BEGIN line and no END line"
	}
	return ""
}

// otherSequence names what begins with two sequences, as a certificate does, without being one.
func otherSequence(der, inner []byte) string {
	const oid = 0x06
	pkcs5, pkcs12 := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5}, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1}
	if len(inner) > 2 && inner[0] == oid {
		if bytes.HasPrefix(inner[2:], pkcs5) || bytes.HasPrefix(inner[2:], pkcs12) {
			return "a private key, encrypted"
		}
		return "a bare public key, without a certificate around it"
	}
	if _, err := x509.ParseCertificateRequest(der); err == nil {
		return "a certificate request: an authority has yet to issue the certificate"
	}
	if _, err := x509.ParseRevocationList(der); err == nil {
		return "a revocation list"
	}
	return ""
}

// berBundle recognises PKCS #7 in BER's indefinite length, which encoding/asn1 does not read.
func berBundle(der []byte) bool {
	return bytes.HasPrefix(der, []byte{0x30, 0x80, 0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7})
}

// split takes apart certificates that stand one behind the other in DER, up to one more than are read. why says what else is wrong with the bytes.
func split(der []byte) (found [][]byte, why string) {
	for len(der) > 0 && len(found) <= bundleLimit {
		n, ok := derLength(der)
		switch {
		case !ok:
			if len(found) == 0 {
				return [][]byte{der}, "" // the parser says that it is none
			}
			return nil, fmt.Sprintf("%d bytes stand behind the certificate", len(der))
		case n > len(der):
			return nil, fmt.Sprintf("it is cut off: it announces %d bytes and has %d", n, len(der))
		}
		found = append(found, der[:n])
		der = bytes.TrimLeft(der[n:], "\r\n\t \x00")
	}
	return found, ""
}

// derLength is the length of the first element with its header, as the header claims it; not ok for the indefinite form.
func derLength(b []byte) (int, bool) {
	if !isDER(b) {
		return 0, false
	}
	n := int(b[1] & 0x7f)
	if n == 0 || n > 4 || len(b) < 2+n {
		return 0, false
	}
	length := 0
	for _, x := range b[2 : 2+n] {
		length = length<<8 | int(x)
	}
	return 2 + n + length, true
}

// withoutLineEnd drops blanks and line ends behind the first element; its own last byte may look like one.
func withoutLineEnd(der []byte) []byte {
	if n, ok := derLength(der); ok && n < len(der) && len(bytes.Trim(der[n:], "\r\n\t \x00")) == 0 {
		return der[:n]
	}
	return der
}
