package main

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"npsetup/client/pki"
	"npsetup/steps/secret"
)

// judging is an authority of a test, and a key that was made here.
type judging struct {
	t       *testing.T
	dir     string
	key     crypto.Signer
	keyFile string
	ca      *x509.Certificate
	caKey   crypto.Signer
}

func newJudging(t *testing.T) *judging {
	t.Helper()
	j := &judging{t: t, dir: filepath.Join(t.TempDir(), "certs")}
	var err [3]error
	j.key, err[0] = pki.NewKey(pki.ECDSAP256)
	j.caKey, err[1] = pki.NewKey(pki.ECDSAP256)
	j.keyFile = filepath.Join(j.dir, "a.key")
	err[2] = pki.WriteKey(j.keyFile, j.key, secret.Secret{})
	for _, e := range err {
		if e != nil {
			t.Fatal(e)
		}
	}
	j.ca = j.template("Contoso Root CA")
	j.ca.IsCA, j.ca.KeyUsage, j.ca.ExtKeyUsage = true, x509.KeyUsageCertSign, nil
	return j
}

func (j *judging) template(cn string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: cn}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
}

func (j *judging) file(name string, c, by *x509.Certificate, public crypto.PublicKey, key crypto.Signer) string {
	j.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, by, public, key)
	path := filepath.Join(j.dir, name)
	if err == nil {
		err = os.WriteFile(path, der, 0o600)
	}
	if err != nil {
		j.t.Fatal(err)
	}
	return path
}

// TestTheSetUpJudgesAnAnswerAsCertBundleDoes: both go by the same judgement, and issuers are judged as what they are.
func TestTheSetUpJudgesAnAnswerAsCertBundleDoes(t *testing.T) {
	j := newJudging(t)
	root := j.file("root.cer", j.ca, j.ca, j.caKey.Public(), j.caKey)
	for name, c := range map[string]struct {
		edit func(*x509.Certificate)
		says string
	}{
		"good":       {func(*x509.Certificate) {}, ""},
		"serverAuth": {func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }, "not for client authentication"},
		"authority":  {func(c *x509.Certificate) { c.IsCA = true }, "certificate of an authority"},
	} {
		leaf := j.template("NetwrixAuditor")
		c.edit(leaf)
		answer := j.file(name+".cer", leaf, j.ca, j.key.Public(), j.caKey)
		chain, err := readChain(j.keyFile, []string{answer, root}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if refused := chain.Leaf.Refused; (refused != nil) != (c.says != "") || refused != nil && !strings.Contains(refused.Error(), c.says) {
			t.Errorf("%s: the set-up says %v", name, refused)
		}
		if chain.Root.Refused != nil || len(chain.Root.Warnings) > 0 {
			t.Errorf("the root is judged as Auditor's: %v %q", chain.Root.Refused, chain.Root.Warnings)
		}
		o := certBundleOptions{options: &options{app: &app{now: time.Now}}, answers: []string{answer, root}}
		if _, err := o.match(j.key); (err != nil) != (c.says != "") || err != nil && err.Error() != chain.Leaf.Refused.Error() {
			t.Errorf("%s: cert bundle says %v, the set-up %v", name, err, chain.Leaf.Refused)
		}
	}
	own := j.template("NetwrixAuditor")
	own.IsCA = true
	self := j.file("self.cer", own, own, j.key.Public(), j.key)
	if chain, err := readChain(j.keyFile, []string{self}, time.Now()); err != nil || chain.Leaf.Refused == nil || chain.Root.SHA256 != chain.Leaf.SHA256 {
		t.Errorf("an own authority: %v, %v", err, chain.Leaf.Refused)
	}
	if c, err := readCertificate(self, time.Now()); err != nil || c.Refused != nil || len(c.Warnings) == 0 {
		t.Errorf("what Auditor may have generated is only warned of: %v, %v", err, c.Refused)
	}
}
