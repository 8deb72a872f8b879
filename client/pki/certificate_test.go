package pki

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"npsetup/steps/problem"
)

func utf16le(text string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func TestCertificateInEveryForm(t *testing.T) {
	der := selfMade(t, template("auditor"), ecKey(t))
	armour := inPEM("CERTIFICATE", der)
	bare := base64.StdEncoding.EncodeToString(der)
	body := strings.ReplaceAll(strings.TrimSuffix(strings.TrimPrefix(armour, "-----BEGIN CERTIFICATE-----\n"), "-----END CERTIFICATE-----\n"), "\n", "")
	for name, raw := range map[string][]byte{
		"DER":                    der,
		"DER with a line end":    append(bytes.Clone(der), "\r\n"...),
		"PEM":                    []byte(armour),
		"PEM, CRLF":              []byte(strings.ReplaceAll(armour, "\n", "\r\n")),
		"PEM, BOM":               []byte("\xef\xbb\xbf" + armour),
		"PEM, UTF-16":            utf16le(strings.ReplaceAll(armour, "\n", "\r\n")),
		"PEM with text around":   []byte("subject=CN=auditor\n\n" + armour + "\nbye\n"),
		"PEM on one line":        []byte("-----BEGIN CERTIFICATE-----" + body + "-----END CERTIFICATE-----"),
		"PEM indented":           []byte("  " + strings.ReplaceAll(armour, "\n", "\n  ")),
		"X509 CERTIFICATE":       []byte(inPEM("X509 CERTIFICATE", der)),
		"Base64":                 []byte(bare),
		"Base64, CRLF":           []byte(bare[:64] + "\r\n" + bare[64:] + "\r\n"),
		"Base64, BOM":            []byte("\xef\xbb\xbf" + bare),
		"Base64, UTF-16":         utf16le(bare + "\r\n"),
		"Base64 without padding": []byte(strings.TrimRight(bare, "=")),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := ParseCertificate("auditor.cer", raw)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(c.X509.Raw, der) || c.Serial != "1234" || !c.SelfSigned || !c.ClientAuth || !c.CAFlagKnown || c.CAFlag {
				t.Errorf("read as %+v", c)
			}
		})
	}
}

func TestCertificateRefusals(t *testing.T) {
	key := ecKey(t)
	der, other := selfMade(t, template("auditor"), key), selfMade(t, template("the other"), key)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	sec1, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	must(t, err)
	request, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "auditor"}}, key)
	must(t, err)
	p7 := append([]byte{0x30, 15, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}, 0xa0, 2, 0x30, 0)
	berP7 := append([]byte{0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2}, 0xa0, 0x80, 0, 0, 0, 0)
	pfx := []byte{0x30, 5, 2, 1, 3, 0x30, 0}
	encrypted := append([]byte{0x30, 0x11, 0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 13}, 5, 0, 4, 0)
	damaged := bytes.Clone(der)
	damaged[4] ^= 0x01 // the tag of the signed part
	for name, c := range map[string]struct {
		raw  []byte
		says []string
	}{
		"empty":                 {nil, []string{"empty"}},
		"blanks only":           {[]byte(" \r\n"), []string{"empty"}},
		"BOM only":              {[]byte("\xef\xbb\xbf"), []string{"empty"}},
		"too large":             {bytes.Repeat([]byte("A"), 1<<20+1), []string{"1 MiB"}},
		"key beside it":         {[]byte(inPEM("CERTIFICATE", der) + inPEM("PRIVATE KEY", pkcs8)), []string{"it holds a private key", "do not export the private key"}},
		"key, UTF-16":           {utf16le(inPEM("PRIVATE KEY", pkcs8)), []string{"it holds a private key"}},
		"half a key":            {[]byte(inPEM("EC PRIVATE KEY", sec1)[:90]), []string{"it holds a private key"}},
		"PKCS #8 in DER":        {pkcs8, []string{"it is a private key"}},
		"SEC 1 in DER":          {sec1, []string{"it is a private key"}},
		"PKCS #8 in Base64":     {[]byte(base64.StdEncoding.EncodeToString(pkcs8)), []string{"it is a private key"}},
		"encrypted key, DER":    {encrypted, []string{"it is a private key"}},
		"two in PEM":            {[]byte(inPEM("CERTIFICATE", der) + inPEM("CERTIFICATE", other)), []string{"2 certificates", "CN=auditor", "CN=the other"}},
		"two in DER":            {append(bytes.Clone(der), other...), []string{"2 certificates", "CN=auditor", "CN=the other"}},
		"PKCS #7":               {p7, []string{"PKCS", "DER encoded binary"}},
		"PKCS #7 in BER":        {berP7, []string{"PKCS", "DER encoded binary"}},
		"PKCS #7 in PEM":        {[]byte(inPEM("PKCS7", p7)), []string{"PKCS", "DER encoded binary"}},
		"PFX":                   {pfx, []string{"PKCS #12", "do not export the private key"}},
		"request in PEM":        {[]byte(inPEM("CERTIFICATE REQUEST", request)), []string{"request"}},
		"request in DER":        {request, []string{"request"}},
		"public key":            {public, []string{"public key"}},
		"cut off":               {der[:len(der)-9], []string{"cut off"}},
		"something behind it":   {append(bytes.Clone(der), "and more"...), []string{"behind"}},
		"damaged":               {damaged, []string{"no certificate that can be read"}},
		"text":                  {[]byte("Dear admin, the certificate is attached"), []string{"no certificate that can be read"}},
		"armour, nothing in":    {[]byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), []string{"no certificate that can be read"}},
		"armour without an end": {[]byte(inPEM("CERTIFICATE", der)[:120]), []string{"cut off"}},
	} {
		t.Run(name, func(t *testing.T) {
			checkRefusal(t, c.raw, base64.StdEncoding.EncodeToString(pkcs8)[40:60], c.says)
		})
	}
}

func checkRefusal(t *testing.T, raw []byte, pieceOfKey string, says []string) {
	t.Helper()
	_, err := ParseCertificate("C:\\x\x1b[31m.cer", raw)
	var p *problem.Problem
	if !errors.As(err, &p) {
		t.Fatalf("no problem: %v", err)
	}
	all := p.Error() + "\n" + strings.Join(p.Next, "\n")
	for _, s := range says {
		if !strings.Contains(all, s) {
			t.Errorf("%q is missing in\n%s", s, all)
		}
	}
	if len(p.Next) == 0 || p.Why == "" || strings.Contains(all, "\x1b") {
		t.Errorf("no cause, no next step, or an escape sequence: %q", all)
	}
	if strings.Contains(all, pieceOfKey) {
		t.Error("a piece of the key is in the error")
	}
}

func TestReadCertificateFile(t *testing.T) {
	dir := t.TempDir()
	der := selfMade(t, template("auditor"), ecKey(t))
	path := filepath.Join(dir, "auditor.cer")
	must(t, os.WriteFile(path, der, 0o600))
	if c, err := ReadCertificate(path); err != nil || c.Serial != "1234" {
		t.Errorf("%+v %v", c, err)
	}
	_, err := ReadCertificate(filepath.Join(dir, "missing.cer"))
	if !errors.Is(err, fs.ErrNotExist) || len(problem.All(err)[0].Next) == 0 {
		t.Errorf("missing file: %v", err)
	}
	if _, err := ReadCertificate(dir); err == nil || len(problem.All(err)[0].Next) == 0 {
		t.Errorf("folder: %v", err)
	}
	large := filepath.Join(dir, "large.cer")
	must(t, os.WriteFile(large, make([]byte, 1<<20+1), 0o600))
	if _, err := ReadCertificate(large); err == nil || !strings.Contains(err.Error(), "1 MiB") {
		t.Errorf("large file: %v", err)
	}
}

func TestSubjectReadsAsInWindows(t *testing.T) {
	c := template("x")
	c.Subject = pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: []int{0, 9, 2342, 19200300, 100, 1, 25}, Value: "com"},
		{Type: []int{0, 9, 2342, 19200300, 100, 1, 25}, Value: "contoso"},
		{Type: []int{2, 5, 4, 10}, Value: "Contoso, Ltd"},
		{Type: []int{2, 5, 4, 3}, Value: "con\x1b[2Jtoso\u202e-CA"},
	}}
	got := parsedOf(t, selfMade(t, c, ecKey(t)))
	if want := `CN=con[2Jtoso-CA, O="Contoso, Ltd", DC=contoso, DC=com`; got.Subject != want || got.Issuer != want {
		t.Errorf("subject %q, issuer %q", got.Subject, got.Issuer)
	}
}

func FuzzParseCertificate(f *testing.F) {
	der := selfMade(f, template("auditor"), ecKey(f))
	f.Add(der)
	f.Add(negative(f))
	f.Add([]byte(inPEM("CERTIFICATE", der)))
	f.Add(utf16le(inPEM("CERTIFICATE", der)))
	f.Add([]byte(base64.StdEncoding.EncodeToString(der)))
	f.Add(append(bytes.Clone(der), der...))
	f.Add([]byte("-----BEGIN CERTIFICATE-----"))
	f.Add([]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x30, 0x80, 6, 9})
	f.Add([]byte{0xff, 0xfe, 0x30})
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseCertificate("f", raw)
		if (err == nil) == (c.X509 == nil) {
			t.Fatalf("certificate and error disagree: %v", err)
		}
		if err == nil {
			if s, e := NormaliseSerial(c.Serial); e != nil || s != c.Serial {
				t.Fatalf("serial %q normalises to %q, %v", c.Serial, s, e)
			}
			Check(c, today)
		}
	})
}
