package sandbox

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"go.mozilla.org/pkcs7"
)

// issuing is a stand-in for an organisation's certificate authority: a root, and an authority below it that issues. Their keys
// never leave memory.
type issuing struct {
	root, below *x509.Certificate
	key         *ecdsa.PrivateKey // of the one below
}

func newIssuing(now time.Time) (*issuing, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	authority := func(name string, days int) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: serial(), Subject: pkix.Name{CommonName: name, Organization: []string{domainNetBIOS}}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, days),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}
	}
	root, err := signed(authority("Contoso Root CA", 3650), nil, &rootKey.PublicKey, rootKey)
	if err != nil {
		return nil, err
	}
	below, err := signed(authority("Contoso Issuing CA", 1825), root, &key.PublicKey, rootKey)
	return &issuing{root: root, below: below, key: key}, err
}

// signed makes a certificate; without a parent it is its own.
func signed(template, parent *x509.Certificate, public any, key *ecdsa.PrivateKey) (*x509.Certificate, error) {
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// sign issues a client certificate for a request in PEM. The answer is a .p7b with the chain, root first, as some authorities
// order it.
func (i *issuing) sign(request []byte, now time.Time) ([]byte, error) {
	block, _ := pem.Decode(request)
	if block == nil {
		return nil, errors.New("the request is not PEM")
	}
	r, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil {
		return nil, err
	}
	if err := r.CheckSignature(); err != nil {
		return nil, fmt.Errorf("the request was not signed by its own key: %w", err)
	}
	leaf, err := signed(&x509.Certificate{
		SerialNumber: serial(), Subject: r.Subject, NotBefore: now.Add(-10 * time.Minute), NotAfter: now.AddDate(1, 0, 0), BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, i.below, r.PublicKey, i.key)
	if err != nil {
		return nil, err
	}
	var all []byte
	for _, c := range []*x509.Certificate{i.root, leaf, i.below} {
		all = append(all, c.Raw...)
	}
	return pkcs7.DegenerateCertificate(all)
}
