package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"npsetup/client/pki"
	"npsetup/client/sandbox"
	"npsetup/steps/secret"
)

// byRoad are the steps that a person does where the certificate does not come from Auditor.
const byRoad = "auditor-certificate,certificate-trust,auditor-key,monitoring-plan"

// onRoad is a site whose answers say that the certificate is made here, or requested.
func onRoad(t *testing.T, road string) (st *site, answers string) {
	t.Helper()
	st = newSite(t, sandbox.Options{})
	st.env["NPS_PFX_PASSPHRASE"] = "S3CR3T of the PFX"
	answers = st.edited("  certificate: file:auditor-client.cer\n  key: file:auditor-client.key\n", "  certificate: "+road+"\n  passphrase: env:NPS_PFX_PASSPHRASE\n")
	return st, answers
}

func (st *site) made(name string) string {
	return filepath.Join(st.dir, "netwrix-auditor-certificate", "NetwrixAuditor"+name)
}

// importPFX is a person at Auditor's server and at the NPS server: the PFX goes into the one, a root into the other.
func (st *site) importPFX(root *x509.Certificate) {
	st.t.Helper()
	held, err := pki.ReadPFX(st.made(".pfx"), secret.New(st.env["NPS_PFX_PASSPHRASE"]))
	if err != nil {
		st.t.Fatal(err)
	}
	c := tls.Certificate{PrivateKey: held.Key, Leaf: held.Certificates[0].X509}
	for _, one := range held.Certificates {
		c.Certificate = append(c.Certificate, one.X509.Raw)
	}
	if root == nil {
		root = c.Leaf
	}
	if err := st.s.Import(c, root); err != nil {
		st.t.Fatal(err)
	}
}

// proven sees that a run came to its end: the proof is made, and nothing is left to do.
func (st *site) proven(answers string) {
	st.t.Helper()
	r := st.do("apply", "-f", answers, "--yes", "--done", byRoad).want(st.t, exitOK)
	says(st.t, r.out, "a session as NetwrixAuditor became active and ended; Auditor opened a session itself")
	sent := st.changes()
	st.do("plan", "-f", answers).want(st.t, exitOK)
	st.do("apply", "-f", answers, "--yes").want(st.t, exitOK)
	if st.changes() != sent {
		st.t.Errorf("the second run changed something: %d requests", st.changes()-sent)
	}
	v := st.do("verify").want(st.t, exitOK)
	says(st.t, v.out, "verify proven NPS grants")
}

// TestACertificateMadeHere goes the second road to its end.
func TestACertificateMadeHere(t *testing.T) {
	st, answers := onRoad(t, "new")
	p := st.do("plan", "-f", answers).want(t, exitPending)
	says(t, p.out, "certificateSerialNumber", "known after apply")
	if _, err := os.Stat(filepath.Dir(st.made(""))); err == nil {
		t.Fatal("plan made a folder")
	}
	first := st.do("apply", "-f", answers, "--yes").want(t, exitPerson)
	says(t, first.out, "auditor-certificate waiting")
	for name, mode := range map[string]os.FileMode{".key": 0o600, ".pfx": 0o600} {
		if info, err := os.Stat(st.made(name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v %v", name, info, err)
		}
	}
	st.importPFX(nil)
	st.person()
	st.proven(answers)
}

// openssl runs a program of another make: in CI it has to be there.
func openssl(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed: .ci/run installs it")
		}
		t.Skip("SKIPPED: openssl is not installed, so no authority of another make issued a certificate for a request")
	}
	c := exec.CommandContext(t.Context(), "openssl", args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// authorityOf is a root and an issuing authority, made by openssl.
func authorityOf(t *testing.T) (dir string, root *x509.Certificate) {
	t.Helper()
	dir = t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ca.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
	write("leaf.ext", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n")
	openssl(t, dir, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Contoso Root CA", "-days", "30", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
	openssl(t, dir, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "issuing.key", "-out", "issuing.req", "-subj", "/CN=Contoso Issuing CA")
	openssl(t, dir, "x509", "-req", "-in", "issuing.req", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out", "issuing.pem", "-days", "20", "-extfile", "ca.ext")
	raw, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(raw)
	if root, err = x509.ParseCertificate(block.Bytes); err != nil {
		t.Fatal(err)
	}
	return dir, root
}

// TestACertificateOfAnAuthority goes the recommended road from the request to the session: an authority made by openssl answers
// with a chain in PKCS #7, out of order.
func TestACertificateOfAnAuthority(t *testing.T) {
	ca, root := authorityOf(t)
	st, answers := onRoad(t, "request")
	first := st.do("apply", "-f", answers, "--yes").want(t, exitPerson)
	says(t, first.out, "certificate waiting", "connection-profile done", "application-user waiting")
	says(t, first.err, "NetwrixAuditor.req", "NetwrixAuditor.p7b", "Client Authentication")
	if again := st.do("resume", "--yes").want(t, exitPerson); !strings.Contains(again.out, "certificate waiting") {
		t.Errorf("without an answer it says\n%s", again.out)
	}
	openssl(t, ca, "req", "-in", st.made(".req"), "-verify", "-noout")
	openssl(t, ca, "x509", "-req", "-in", st.made(".req"), "-CA", "issuing.pem", "-CAkey", "issuing.key", "-CAcreateserial", "-out", "leaf.pem", "-days", "10", "-extfile", "leaf.ext")
	openssl(t, ca, "crl2pkcs7", "-nocrl", "-certfile", "root.pem", "-certfile", "leaf.pem", "-certfile", "issuing.pem", "-outform", "DER", "-out", st.made(".p7b"))
	second := st.do("resume", "--yes").want(t, exitPerson)
	says(t, second.out, "application-user done", "auditor-certificate waiting")
	held, err := pki.ReadPFX(st.made(".pfx"), secret.New(st.env["NPS_PFX_PASSPHRASE"]))
	if err != nil || slices.ContainsFunc(held.Certificates, func(c pki.Certificate) bool { return c.SelfSigned }) {
		t.Errorf("the PFX brings a root along, or cannot be read: %v", err)
	}
	st.importPFX(root)
	st.person()
	st.proven(answers)
}

// TestTheLeafInTrustedRoot: who imports what the authority issued, and not its root, is told why nothing signs in any longer.
func TestTheLeafInTrustedRoot(t *testing.T) {
	ca, root := authorityOf(t)
	st, answers := onRoad(t, "request")
	st.do("apply", "-f", answers, "--yes").want(t, exitPerson)
	openssl(t, ca, "x509", "-req", "-in", st.made(".req"), "-CA", "issuing.pem", "-CAkey", "issuing.key", "-CAcreateserial", "-out", "leaf.pem", "-days", "10", "-extfile", "leaf.ext")
	openssl(t, ca, "crl2pkcs7", "-nocrl", "-certfile", "leaf.pem", "-certfile", "issuing.pem", "-certfile", "root.pem", "-out", st.made(".p7b"))
	st.do("resume", "--yes").want(t, exitPerson)
	issuing, err := pki.ReadCertificate(filepath.Join(ca, "issuing.pem"))
	if err != nil {
		t.Fatal(err)
	}
	st.importPFX(issuing.X509)
	st.person()
	r := st.do("apply", "-f", answers, "--yes", "--done", byRoad).want(t, exitFailed)
	says(t, r.err, "403.16", "certificates that are not self-signed", "Intermediate Certification Authorities")
	st.importPFX(root)
	st.s.Collect()
	if _, err := st.s.AwaitEvents(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	st.proven(answers)
}

// TestARoadGoesOnFromEveryFile: whichever files a killed run has left, the next one takes them as they are and makes the rest.
func TestARoadGoesOnFromEveryFile(t *testing.T) {
	for road, stages := range map[string][][]string{"new": {{".key"}, {".key", ".cer"}, {".key", ".cer", ".pfx"}}, "request": {{".key"}, {".key", ".req"}}} {
		before, answers := onRoad(t, road)
		before.do("apply", "-f", answers, "--yes").want(t, exitPerson)
		for _, left := range stages {
			t.Run(road+" "+strings.Join(left, ""), func(t *testing.T) {
				st, answers := onRoad(t, road)
				if err := os.Mkdir(filepath.Dir(st.made("")), 0o700); err != nil {
					t.Fatal(err)
				}
				kept := map[string]string{}
				for _, ending := range left {
					raw, err := os.ReadFile(before.made(ending))
					if err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(st.made(ending), raw, 0o600); err != nil {
						t.Fatal(err)
					}
					kept[ending] = string(raw)
				}
				st.do("apply", "-f", answers, "--yes").want(t, exitPerson)
				for ending, was := range kept {
					if raw, err := os.ReadFile(st.made(ending)); err != nil || string(raw) != was {
						t.Errorf("%s was made anew: %v", ending, err)
					}
				}
				if road == "new" {
					st.importPFX(nil)
					st.person()
					st.proven(answers)
				}
			})
		}
	}
}
