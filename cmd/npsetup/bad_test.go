package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// certificateFile writes certificates, and the key when asked for, as PEM.
func certificateFile(t *testing.T, dir string, n int, withKey bool, template x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	parent := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: template.Issuer, NotBefore: template.NotBefore, NotAfter: template.NotAfter, IsCA: true, BasicConstraintsValid: true}
	if template.Issuer.CommonName == "" {
		parent = &template
	}
	var out []byte
	for range n {
		template.SerialNumber = big.NewInt(77)
		der, err := x509.CreateCertificate(rand.Reader, &template, parent, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	}
	if withKey {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
	}
	if err := os.WriteFile(filepath.Join(dir, "other.cer"), out, 0o600); err != nil {
		t.Fatal(err)
	}
}

func auditorCertificate() x509.Certificate {
	return x509.Certificate{
		Subject: pkix.Name{CommonName: "Auditor"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
}

// TestBadInput demands for each mistake its own message, with cause and next step, and that nothing was changed.
func TestBadInput(t *testing.T) {
	t.Parallel()
	other := []string{"file:auditor-client.cer", "file:other.cer", "  key: file:auditor-client.key\n", ""}
	issued, expired := auditorCertificate(), auditorCertificate()
	issued.Issuer = pkix.Name{CommonName: "Contoso CA"}
	expired.NotAfter = time.Now().Add(-time.Minute)
	for _, c := range []struct {
		name   string
		fault  string
		edit   []string
		env    map[string]string
		before func(t *testing.T, st *site)
		code   int
		says   []string
	}{
		{name: "wrong password", env: map[string]string{"NPS_PASSWORD": "wrong-password"}, code: exitRefused, says: []string{"the password of", "tried once"}},
		{name: "wrong code", env: map[string]string{"NPS_TOTP_SECRET": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}, code: exitRefused, says: []string{"MFA code", "clocks"}},
		{name: "locked account", fault: "locked", code: exitRefused, says: []string{"is locked", "unlock"}},
		{name: "no Admin role", fault: "wrong-role", code: exitRefused, says: []string{"no Admin role", "only: User", "Role Management"}},
		{name: "expired licence", fault: "expired-licence", code: exitFailed, says: []string{"licence", "has expired", "About page"}},
		{name: "old version", fault: "old-version", code: exitFailed, says: []string{"NPS 4.1.0", "4.2 or newer"}},
		{name: "expired server certificate", fault: "expired-cert", code: exitFailed, says: []string{"expired", "renew the certificate"}},
		{name: "broken hosting", fault: "hosting", code: exitFailed, says: []string{"500.19", "hosting bundle"}},
		{name: "unknown service account", edit: []string{"serviceAccount: svc-nps", "serviceAccount: nobody"}, code: exitFailed, says: []string{`no service account "nobody"`, "Configuration > Service Accounts"}},
		{name: "service account of another domain", edit: []string{"serviceAccount: svc-nps", `serviceAccount: 'FABRIKAM\svc-nps'`}, code: exitFailed, says: []string{"no service account"}},
		{name: "unknown domain controller", edit: []string{"[dc01.contoso.com]", "[dc77.contoso.com]"}, code: exitFailed, says: []string{"does not know the host dc77.contoso.com", "Synchronize Now"}},
		{name: "both unknown", edit: []string{"[dc01.contoso.com]", "[dc77.contoso.com]", "serviceAccount: svc-nps", "serviceAccount: nobody"}, code: exitFailed, says: []string{"dc77", "nobody"}},
		{name: "changed pin", edit: []string{"trust: pin:sha256:", "trust: pin:sha256:" + strings.Repeat("0", 64) + " #"}, code: exitFailed, says: []string{"is not the pinned one", strings.Repeat("0", 64), "in between"}},
		{name: "no trust", edit: []string{"trust: pin:", "trust: system #"}, code: exitFailed, says: []string{"does not verify", "compare the fingerprint"}},
		{name: "name with a blank", edit: []string{"name: NetwrixAuditor", "name: Netwrix Auditor App"}, code: exitUsage, says: []string{"must not hold a blank", "Entra ID", ":11:"}},
		{name: "certificate with key", edit: other, before: func(t *testing.T, st *site) { certificateFile(t, st.dir, 1, true, auditorCertificate()) }, code: exitFailed, says: []string{"private key"}},
		{name: "several certificates", edit: other, before: func(t *testing.T, st *site) { certificateFile(t, st.dir, 2, false, auditorCertificate()) }, code: exitFailed, says: []string{"2 certificates"}},
		{name: "expired certificate", edit: other, before: func(t *testing.T, st *site) { certificateFile(t, st.dir, 1, false, expired) }, code: exitFailed, says: []string{"expired"}},
		{name: "certificate of a CA", edit: other, before: func(t *testing.T, st *site) { certificateFile(t, st.dir, 1, false, issued) }, code: exitFailed, says: []string{"not self-signed", "403.16", "Contoso CA"}},
		{name: "no certificate yet", edit: other, code: exitFailed, says: []string{"has to be exported first", "DER encoded binary"}},
		{name: "key of another certificate", edit: []string{"file:auditor-client.cer", "file:other.cer"}, before: func(t *testing.T, st *site) { certificateFile(t, st.dir, 1, false, auditorCertificate()) }, code: exitFailed, says: []string{"application.key is not the key of", "auditor-client.key, the certificate ", "other.cer; "}},
		{name: "literal secret", edit: []string{"env:NPS_PASSWORD", "S3CR3T-in-the-file"}, code: exitUsage, says: []string{"a secret stands in", ":8:", "env:NPS_PASSWORD"}},
		{name: "literal secret beside a token", edit: []string{"env:NPS_PASSWORD", "S3CR3T-in-the-file\n    token: env:NPS_PASSWORD"}, code: exitUsage, says: []string{"a secret stands in", ":8:", "env:NPS_PASSWORD"}},
		{name: "key that is to be made", edit: []string{"file:auditor-client.key", "new"}, code: exitUsage, says: []string{"(application.key)", "file:PATH"}},
		{name: "a host named twice", edit: []string{"resources: [dc01.contoso.com]", "resources: [dc01.contoso.com, dc02.contoso.com, DC01.contoso.com]"}, code: exitUsage, says: []string{"entries 1 and 3", ":23:17 and ", ":23:53", "named-twice"}},
		{name: "missing consent", edit: []string{"acceptRisks: [domain-admins]", ""}, code: exitUsage, says: []string{"domain-admins", "--accept-risk"}},
		{name: "missing variable", env: map[string]string{"NPS_PASSWORD": ""}, code: exitUsage, says: []string{"NPS_PASSWORD is not set"}},
		{name: "unknown key", edit: []string{"monitoringPlan:", "monitorPlan:"}, code: exitUsage, says: []string{"no such key", "monitoringPlan", ":25:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := sandbox.Options{}
			if c.fault != "" {
				o.Faults = []string{c.fault}
			}
			st := newSite(t, o)
			for k, v := range c.env {
				st.env[k] = v
			}
			if c.before != nil {
				c.before(t, st)
			}
			file := st.answers()
			if c.edit != nil {
				file = st.edited(c.edit...)
			}
			r := st.do("apply", "-f", file, "--yes").want(t, c.code)
			for _, says := range c.says {
				if !strings.Contains(r.err, says) {
					t.Errorf("it does not say %q:\n%s", says, r.err)
				}
			}
			if c.code != exitUsage && !strings.Contains(r.err, "\n  next: ") {
				t.Errorf("no next step is named:\n%s", r.err)
			}
			if strings.Contains(r.err, "S3CR3T-in-the-file") {
				t.Error("the literal secret is repeated")
			}
			if st.changes() != 0 {
				t.Errorf("%d changes were made", st.changes())
			}
			if c.code == exitUsage && len(st.s.Requests()) != 0 {
				t.Error("something was sent")
			}
		})
	}
}

// TestEveryFaultOfAFileAtOnce reads a file with many mistakes and demands every one, with its line.
func TestEveryFaultOfAFileAtOnce(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	file := st.edited("maxDuration: 60", "maxDuration: soon", "kind: resource", "kind: other", "user: CONTOSO", "usr: CONTOSO", "acceptRisks: [domain-admins]", "acceptRisks: [everything]")
	r := st.do("validate", "-f", file).want(t, exitUsage)
	for _, says := range []string{":16:", ":18:", ":7:", "(nps.signIn.user)", "NPSETUP_NPS_SIGN_IN_USER", "--set nps.signIn.user", "(acceptRisks)"} {
		if !strings.Contains(r.err, says) {
			t.Errorf("it does not say %q:\n%s", says, r.err)
		}
	}
}

func TestAddressesAreCompleted(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	host := strings.TrimSuffix(strings.TrimPrefix(st.s.URL(), "https://"), "/")
	file := st.edited("url: "+st.s.URL(), "url: "+host)
	r := st.do("plan", "-f", file).want(t, exitPending)
	if !strings.Contains(r.err, "completed to "+st.s.URL()) {
		t.Errorf("it is not said:\n%s", r.err)
	}
}
