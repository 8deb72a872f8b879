package pki

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

// chainOfThree is a leaf, the authority that issued it, and that one's root, with the leaf's key.
type chainOfThree struct {
	key             crypto.Signer
	leaf, mid, root Certificate
}

func newChain(t testing.TB, key crypto.Signer) chainOfThree {
	t.Helper()
	ca := func(cn string) *x509.Certificate {
		c := template(cn)
		c.IsCA, c.KeyUsage, c.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
		return c
	}
	rootKey, midKey := ecKey(t), ecKey(t)
	root, mid := ca("Contoso Root"), ca("Contoso Issuing")
	return chainOfThree{
		key: key, root: parsedOf(t, selfMade(t, root, rootKey)), mid: parsedOf(t, issued(t, mid, root, midKey, rootKey)),
		leaf: parsedOf(t, issued(t, template("auditor"), mid, key, midKey)),
	}
}

func (c chainOfThree) all() []Certificate { return []Certificate{c.leaf, c.mid, c.root} }

func subjectsOf(list []Certificate) string {
	var names []string
	for _, c := range list {
		names = append(names, strings.TrimPrefix(c.Subject, "CN="))
	}
	return strings.Join(names, ", ")
}

func TestBundleInEveryForm(t *testing.T) {
	c := newChain(t, ecKey(t))
	p7, err := P7B(c.all())
	must(t, err)
	text := string(PEM(c.all()...))
	der := bytes.Join([][]byte{c.leaf.X509.Raw, c.mid.X509.Raw, c.root.X509.Raw}, nil)
	for name, raw := range map[string][]byte{
		"DER, one behind the other": der,
		"PEM":                       []byte(text),
		"PEM, CRLF":                 []byte(strings.ReplaceAll(text, "\n", "\r\n")),
		"PEM, UTF-16":               utf16le(text),
		"PEM, twice":                []byte(text + text),
		"PEM with text between":     []byte("subject=auditor\n" + strings.ReplaceAll(text, "-----BEGIN", "issuer=CN=x\n-----BEGIN")),
		"DER in Base64":             []byte(base64.StdEncoding.EncodeToString(der)),
		"P7B":                       p7,
		"P7B with a line end":       append(bytes.Clone(p7), "\r\n"...),
		"P7B in PEM":                []byte(inPEM("PKCS7", p7)),
		"P7B as CMS":                []byte(inPEM("CMS", p7)),
		"P7B as AD CS writes it":    []byte(strings.ReplaceAll(inPEM("CERTIFICATE", p7), "\n", "\r\n")),
		"P7B in Base64":             []byte(base64.StdEncoding.EncodeToString(p7)),
		"P7B in BER":                ber(p7),
		"P7B in BER, line end":      append(ber(p7), "\r\n"...),
		"P7B in BER, Base64":        []byte(base64.StdEncoding.EncodeToString(ber(p7))),
		"P7B and PEM":               []byte(inPEM("PKCS7", p7) + text),
	} {
		t.Run(name, func(t *testing.T) {
			found, err := ParseBundle("certnew.p7b", raw)
			if err != nil {
				t.Fatal(err)
			}
			if got := subjectsOf(found); got != "auditor, Contoso Issuing, Contoso Root" {
				t.Error(got)
			}
			for i, c := range c.all() {
				if !bytes.Equal(found[i].X509.Raw, c.X509.Raw) {
					t.Errorf("%s has other bytes", c.Subject)
				}
			}
		})
	}
}

// A single one is read alike by both readers.
func TestBundleOfOne(t *testing.T) {
	der := selfMade(t, template("auditor"), ecKey(t))
	for name, raw := range map[string][]byte{"DER": der, "PEM": []byte(inPEM("CERTIFICATE", der)), "Base64": []byte(base64.StdEncoding.EncodeToString(der)), "negative": negative(t)} {
		found, err := ParseBundle("a.cer", raw)
		one, err2 := ParseCertificate("a.cer", raw)
		if err != nil || err2 != nil || len(found) != 1 || found[0].SHA256 != one.SHA256 || found[0].Serial != one.Serial {
			t.Errorf("%s: %d, %v, %v", name, len(found), err, err2)
		}
	}
}

func TestBundleRefusals(t *testing.T) {
	c := newChain(t, ecKey(t))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(c.key)
	must(t, err)
	p7, err := P7B(c.all())
	must(t, err)
	empty, err := P7B(nil)
	must(t, err)
	request, err := NewRequest("auditor", c.key)
	must(t, err)
	cut := bytes.Clone(p7)
	large := bytes.Repeat(PEM(c.leaf), 3000)
	for name, c := range map[string]struct {
		raw  []byte
		says []string
		key  bool
	}{
		"nothing":           {nil, []string{"empty"}, false},
		"too large":         {large, []string{"1 MiB"}, false},
		"key beside":        {append([]byte(inPEM("PRIVATE KEY", pkcs8)), PEM(c.leaf)...), []string{"private key"}, true},
		"key alone":         {[]byte(inPEM("ENCRYPTED PRIVATE KEY", pkcs8)), []string{"private key"}, true},
		"key in DER":        {pkcs8, []string{"it is a private key"}, true},
		"request":           {request.PEM(), []string{"request"}, false},
		"request in DER":    {request.X509.Raw, []string{"request"}, false},
		"PFX":               {[]byte{0x30, 5, 2, 1, 3, 0x30, 0}, []string{"PKCS #12"}, false},
		"P7B, cut off":      {cut[:len(cut)-40], []string{"cut off"}, false},
		"P7B, more behind":  {append(bytes.Clone(p7), "and more"...), []string{"PKCS #7", "behind"}, false},
		"P7B without any":   {empty, []string{"PKCS #7", "no certificate"}, false},
		"P7B of other kind": {[]byte{0x30, 15, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1, 0xa0, 2, 4, 0}, []string{"PKCS #7", "else than certificates"}, false},
		"text":              {[]byte("see attachment"), []string{"no certificate"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseBundle("a\x1b[31m.p7b", c.raw)
			var p *problem.Problem
			if !errors.As(err, &p) || p.Why == "" || len(p.Next) == 0 {
				t.Fatalf("no problem with cause and remedy: %v", err)
			}
			for _, s := range c.says {
				if !strings.Contains(err.Error(), s) {
					t.Errorf("%q is missing in %s", s, err)
				}
			}
			if errors.Is(err, errPrivateKey) != c.key || strings.Contains(err.Error(), "\x1b") {
				t.Errorf("%q, private key %v", err, errors.Is(err, errPrivateKey))
			}
		})
	}
}

func TestBundleHasALimit(t *testing.T) {
	key := ecKey(t)
	var many []byte
	for i := range bundleLimit + 1 {
		c := template("auditor")
		c.SerialNumber.SetInt64(int64(i + 1))
		many = append(many, selfMade(t, c, key)...)
	}
	p7, err := P7B([]Certificate{{X509: &x509.Certificate{Raw: many}}})
	must(t, err)
	for _, raw := range [][]byte{many, p7} {
		if _, err := ParseBundle("a", raw); err == nil || !strings.Contains(err.Error(), "more than 200") {
			t.Errorf("%v", err)
		}
	}
}

func TestReadBundleFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.cer")
	must(t, os.WriteFile(path, PEM(newChain(t, ecKey(t)).all()...), 0o600))
	if found, err := ReadBundle(path); err != nil || len(found) != 3 {
		t.Errorf("%d %v", len(found), err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "missing")} {
		if _, err := ReadBundle(path); err == nil || len(problem.All(err)[0].Next) == 0 {
			t.Errorf("%s: %v", path, err)
		}
	}
}
