package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"npsetup/client/pki"
)

// authority answers a request as a company's authority with an issuing one below its root: authority REQUEST DIR [KIND]. It
// writes leaf.cer (Base64 without armour), issuing.cer (DER), root.cer (PEM) and certnew.p7b (PKCS #7, as AD CS writes it:
// under the words BEGIN CERTIFICATE). KIND spoils the certificate: server is for servers and for encipherment only, serverAuth for
// servers only, CA may issue others, purposeless names no purpose.
func authority(ts *testscript.TestScript, _ bool, args []string) {
	raw, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	block, _ := pem.Decode(raw)
	if block == nil {
		ts.Fatalf("%s is no PEM", args[0])
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	ts.Check(err)
	ts.Check(request.CheckSignature())
	now := time.Now()
	template := func(cn string, serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: cn}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
			BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
		}
	}
	root, issuing, leaf := template("Contoso Root CA", 1), template("Contoso Issuing CA", 2), template("", 0xF1B2C3)
	leaf.RawSubject, leaf.IsCA = request.RawSubject, false
	leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	switch strings.Join(args[2:], " ") {
	case "":
	case "server":
		leaf.KeyUsage, leaf.ExtKeyUsage = x509.KeyUsageKeyEncipherment, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case "serverAuth":
		leaf.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	case "CA":
		leaf.IsCA, leaf.KeyUsage = true, x509.KeyUsageDigitalSignature|x509.KeyUsageCertSign
	case "purposeless":
		leaf.ExtKeyUsage = nil
	default:
		ts.Fatalf("no kind of certificate: %v", args[2:])
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	issuingKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	sign := func(c, by *x509.Certificate, key any, byKey *ecdsa.PrivateKey) pki.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, c, by, key, byKey)
		ts.Check(err)
		made, err := pki.ParseCertificate("made", der)
		ts.Check(err)
		return made
	}
	r, i, l := sign(root, root, rootKey.Public(), rootKey), sign(issuing, root, issuingKey.Public(), rootKey), sign(leaf, issuing, request.PublicKey, issuingKey)
	p7, err := pki.P7B([]pki.Certificate{r, l, i})
	ts.Check(err)
	dir := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(dir, 0o700))
	for name, content := range map[string][]byte{
		"leaf.cer": []byte(base64.StdEncoding.EncodeToString(l.X509.Raw)), "issuing.cer": i.X509.Raw, "root.cer": pki.PEM(r),
		"certnew.p7b": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p7}),
	} {
		ts.Check(os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
}
