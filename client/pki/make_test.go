package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// today is the day on which all tests happen.
var today = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return k
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	must(t, err)
	return k
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// template is a certificate with nothing to complain about.
func template(cn string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: cn}, SerialNumber: big.NewInt(0x1234),
		NotBefore: today.AddDate(-1, 0, 0), NotAfter: today.AddDate(1, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
}

// selfMade is the DER of a self-signed certificate.
func selfMade(t testing.TB, c *x509.Certificate, key crypto.Signer) []byte {
	t.Helper()
	return issued(t, c, c, key, key)
}

func issued(t testing.TB, c, by *x509.Certificate, key, byKey crypto.Signer) []byte {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), byKey)
	must(t, err)
	return der
}

func parsedOf(t testing.TB, der []byte) Certificate {
	t.Helper()
	c, err := ParseCertificate("auditor.cer", der)
	must(t, err)
	return c
}

func inPEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

type rawCertificate struct {
	TBS       asn1.RawValue
	Algorithm pkix.AlgorithmIdentifier
	Signature asn1.BitString
}

// negative is a self-signed certificate whose serial number is 85 01 in DER, which crypto/x509 neither makes nor reads.
func negative(t testing.TB) []byte {
	t.Helper()
	key := ecKey(t)
	c := template("negative")
	c.SerialNumber = big.NewInt(0x0501)
	return resigned(t, selfMade(t, c, key), func(tbs []byte) {
		i := indexOf(t, tbs, []byte{2, 2, 5, 1})
		tbs[i+2] = 0x85
	}, func(tbs []byte) []byte {
		sum := sha256.Sum256(tbs)
		sig, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
		must(t, err)
		return sig
	})
}

// withMD5 is a self-signed certificate with a signature that crypto/x509 does not make.
func withMD5(t testing.TB) []byte {
	t.Helper()
	key := rsaKey(t, 2048)
	c := template("md5")
	c.SignatureAlgorithm = x509.SHA256WithRSA
	edit := func(b []byte) {
		i := indexOf(t, b, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11})
		b[i+8] = 4
	}
	der := resigned(t, selfMade(t, c, key), edit, func(tbs []byte) []byte {
		sum := md5.Sum(tbs)
		sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.MD5, sum[:])
		must(t, err)
		return sig
	})
	var raw rawCertificate
	_, err := asn1.Unmarshal(der, &raw)
	must(t, err)
	raw.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 4}
	der, err = asn1.Marshal(raw)
	must(t, err)
	return der
}

// resigned edits the signed part of a certificate and signs it again.
func resigned(t testing.TB, der []byte, edit func(tbs []byte), sign func(tbs []byte) []byte) []byte {
	t.Helper()
	var raw rawCertificate
	_, err := asn1.Unmarshal(append([]byte(nil), der...), &raw)
	must(t, err)
	edit(raw.TBS.FullBytes)
	raw.Signature.Bytes = sign(raw.TBS.FullBytes)
	raw.Signature.BitLength = 8 * len(raw.Signature.Bytes)
	der, err = asn1.Marshal(raw)
	must(t, err)
	return der
}

func indexOf(t testing.TB, b, part []byte) int {
	t.Helper()
	for i := range len(b) - len(part) + 1 {
		if string(b[i:i+len(part)]) == string(part) {
			return i
		}
	}
	t.Fatalf("% x is not in the certificate", part)
	return 0
}
