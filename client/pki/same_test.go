package pki_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"

	"npsetup/client/pki"
	"npsetup/client/trust"
)

// TestSameWordsAsTrust holds the two descriptions of one certificate together: neither package imports the other.
func TestSameWordsAsTrust(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(0xf1b2), Subject: pkix.Name{
		CommonName: "a=b", Organization: []string{`Contoso "East", Ltd`}, Country: []string{"DE"},
		ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: []int{0, 9, 2342, 19200300, 100, 1, 25}, Value: "contoso"}, {Type: []int{1, 2, 840, 113549, 1, 9, 1}, Value: "x@y"}, {Type: []int{1, 2, 3, 4}, Value: "y"},
		},
	}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a, err := pki.ParseCertificate("x.cer", der)
	if err != nil {
		t.Fatal(err)
	}
	b := trust.Describe(a.X509)
	for what, pair := range map[string][2]string{
		"subject": {a.Subject, b.Subject}, "issuer": {a.Issuer, b.Issuer}, "serial": {a.Serial, b.Serial}, "key": {a.Key(), b.KeyDescription},
		"SHA-1": {a.SHA1, b.SHA1}, "SHA-256": {a.SHA256, b.SHA256},
	} {
		if pair[0] != pair[1] || pair[0] == "" {
			t.Errorf("%s: %q here, %q there", what, pair[0], pair[1])
		}
	}
}
