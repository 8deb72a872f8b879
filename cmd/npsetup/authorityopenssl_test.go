package main

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// opensslCA is a certificate authority of openssl's making: a root, and one below it that issues.
type opensslCA struct {
	t   *testing.T
	dir string
}

func newOpensslCA(t *testing.T) opensslCA {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("openssl is not installed: .ci/run installs it")
		}
		t.Skip("SKIPPED: openssl is not installed, so no request was signed by another program")
	}
	ca := opensslCA{t, t.TempDir()}
	ca.write("ca.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n")
	ca.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-subj", "/DC=com/DC=contoso/CN=Contoso Root", "-days", "30", "-out", "root.pem")
	ca.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "issuing.key", "-subj", "/DC=com/DC=contoso/CN=Contoso Issuing", "-out", "issuing.req")
	ca.run("x509", "-req", "-in", "issuing.req", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "20", "-extfile", "ca.ext", "-out", "issuing.pem")
	return ca
}

func (ca opensslCA) write(name, text string) {
	ca.t.Helper()
	if err := os.WriteFile(filepath.Join(ca.dir, name), []byte(text), 0o600); err != nil {
		ca.t.Fatal(err)
	}
}

func (ca opensslCA) run(args ...string) {
	ca.t.Helper()
	c := exec.CommandContext(ca.t.Context(), "openssl", args...)
	c.Dir = ca.dir
	if out, err := c.CombinedOutput(); err != nil {
		ca.t.Fatalf("openssl %v: %v\n%s", args, err, out)
	}
}

// answer signs a request with a serial number whose first bit is set, and writes leaf, issuing authority and root as the form says:
// p7b (DER), pem (several), leaf (DER, alone).
func (ca opensslCA) answer(request, form, to string) {
	ca.t.Helper()
	ca.write("leaf.ext", "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=clientAuth\n")
	ca.run("x509", "-req", "-in", request, "-CA", "issuing.pem", "-CAkey", "issuing.key", "-set_serial", "0xF1E2D3C4B5A69788", "-days", "10", "-extfile", "leaf.ext", "-out", "leaf.pem")
	switch form {
	case "p7b":
		ca.run("crl2pkcs7", "-nocrl", "-certfile", "root.pem", "-certfile", "leaf.pem", "-certfile", "issuing.pem", "-outform", "DER", "-out", to)
	case "pem":
		if err := os.WriteFile(to, append(append(ca.read("root.pem"), ca.read("issuing.pem")...), ca.read("leaf.pem")...), 0o600); err != nil {
			ca.t.Fatal(err)
		}
	default:
		ca.run("x509", "-in", "leaf.pem", "-outform", "DER", "-out", to)
	}
}

func (ca opensslCA) read(name string) []byte {
	ca.t.Helper()
	raw, err := os.ReadFile(filepath.Join(ca.dir, name))
	if err != nil {
		ca.t.Fatal(err)
	}
	return raw
}

func (ca opensslCA) certificate(name string) *x509.Certificate {
	ca.t.Helper()
	block, _ := pem.Decode(ca.read(name))
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		ca.t.Fatal(err)
	}
	return c
}

// TestTheWholeRoadOfAnAuthority goes from the request to the session: openssl signs, npsetup packs the PFX, makes the application
// user and signs in as it, and the person brings the authority's root, and only that, into NPS's Trusted Root.
func TestTheWholeRoadOfAnAuthority(t *testing.T) {
	t.Parallel()
	ca := newOpensslCA(t)
	for form, ending := range map[string]string{"p7b": ".p7b", "pem": ".crt"} {
		t.Run(form, func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			st.waitsForTheAuthority(t, st.do("apply", "-f", st.road("request"), "--yes").want(t, exitPerson))
			ca.answer(st.inFolder(".req"), form, st.inFolder(ending))
			r := st.do("resume", "--yes").want(t, exitPerson)
			says(t, outcome(t, r.out, "certificate"), "done serial 00F1E2D3C4B5A69788, valid to ", "issued by CN=Contoso Issuing, DC=contoso, DC=com")
			says(t, squeezed(r.err), "Auditor's client certificate ends on") // ten days are few
			says(t, st.canonical(), `"certificateSerialNumber": "00F1E2D3C4B5A69788"`)
			st.handsDone(t, "request")
			if root := st.file(st.inFolder(".root.cer")); !bytes.Equal(root, ca.certificate("root.pem").Raw) {
				t.Error("the root's own file holds something else")
			}
			st.spoiled(t, ca)
		})
	}
}

// spoiled puts a certificate that is not self-signed into Trusted Root: nobody can sign in any longer, and it is said why.
func (st *site) spoiled(t *testing.T, ca opensslCA) {
	t.Helper()
	st.s.ImportRoot(ca.certificate("leaf.pem"))
	r := st.do("verify", "-f", st.road("request"), "--session", "--yes")
	if r.code == exitOK {
		t.Error("a session was opened although Trusted Root holds what is not self-signed")
	}
	says(t, squeezed(r.err), "403.16", "look in that store for certificates that are not self-signed")
	st.s.RemoveRoot(ca.certificate("leaf.pem"))
	st.do("verify", "-f", st.road("request"), "--session", "--yes").want(t, exitOK)
}

// TestAnAnswerWithoutItsChain goes on, says what is not checked, and checks it when the authority's certificates are named.
func TestAnAnswerWithoutItsChain(t *testing.T) {
	t.Parallel()
	ca := newOpensslCA(t)
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.road("request"), "--yes").want(t, exitPerson)
	ca.answer(st.inFolder(".req"), "leaf", st.inFolder(".cer"))
	r := st.do("resume", "--yes").want(t, exitPerson)
	says(t, squeezed(r.err), "the certificate of CN=Contoso Issuing, DC=contoso, DC=com is in no file: it is not checked", "save the authority's answer with its chain as "+st.inFolder(".p7b"), "application.authorities", "the root above CN=Contoso Issuing", "403.16")
	says(t, outcome(t, r.out, "application-user"), "done read back: serial 00F1E2D3C4B5A69788")
	if err := os.WriteFile(filepath.Join(st.dir, "authorities.pem"), append(ca.read("issuing.pem"), ca.read("root.pem")...), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(st.inFolder(".pfx")); err != nil {
		t.Error(err)
	}
	r = st.do("apply", "-f", st.road("request"), "--yes", "--set", "application.authorities=file:authorities.pem").want(t, exitPerson)
	says(t, squeezed(r.err), "copy the root certificate CN=Contoso Root, DC=contoso, DC=com out of "+st.inFolder(".root.cer"))
	if strings.Contains(squeezed(r.err), "is in no file") {
		t.Error("it warns of what was named")
	}
	st.person()
	r = st.do("resume", "--yes", "--done", madeManual).want(t, exitOK)
	says(t, outcome(t, r.out, "verify"), "a session as NetwrixAuditor became active and ended", "Auditor opened a session itself")
}

// TestAnAnswerForAnotherKey names both keys, and changes nothing.
func TestAnAnswerForAnotherKey(t *testing.T) {
	t.Parallel()
	ca := newOpensslCA(t)
	st, other := newSite(t, sandbox.Options{}), newSite(t, sandbox.Options{})
	for _, one := range []*site{st, other} {
		one.do("apply", "-f", one.road("request"), "--yes").want(t, exitPerson)
	}
	ca.answer(other.inFolder(".req"), "p7b", st.inFolder(".p7b"))
	n := st.changes()
	r := st.do("resume", "--yes").want(t, exitFailed)
	says(t, r.err, "the answer belongs to another key", "because the private key is "+st.inFolder(".key")+", the certificates are those of ", "; the public key of the private key is sha256:", "the certificate of CN=NetwrixAuditor has sha256:")
	if st.changes() != n {
		t.Error("something was changed")
	}
}

// TestAnExportedCertificateOfAnAuthority is the road of the article with a certificate that Auditor took from an authority: its
// root goes into Trusted Root, and the leaf never.
func TestAnExportedCertificateOfAnAuthority(t *testing.T) {
	t.Parallel()
	ca := newOpensslCA(t)
	st := newSite(t, sandbox.Options{})
	ca.run("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", filepath.Join(st.dir, "own.key"), "-subj", "/CN=Auditor", "-out", "own.req")
	ca.answer("own.req", "leaf", filepath.Join(st.dir, "own.cer"))
	file := st.edited("file:auditor-client.cer", "file:own.cer", "file:auditor-client.key", "file:own.key\n  authorities: file:authorities.pem")
	says(t, st.do("plan", "-f", file).want(t, exitFailed).err, "authorities.pem is not there", "CN=Contoso Issuing")
	if err := os.WriteFile(filepath.Join(st.dir, "authorities.pem"), append(ca.read("root.pem"), ca.read("issuing.pem")...), 0o600); err != nil {
		t.Fatal(err)
	}
	r := st.do("apply", "-f", file, "--yes").want(t, exitPerson)
	says(t, squeezed(r.err), "copy the root certificate CN=Contoso Root, DC=contoso, DC=com out of "+filepath.Join(st.dir, "authorities.pem"), "Bring CN=Contoso Issuing", "Generate new certificate")
	if _, err := os.Stat(filepath.Dir(st.inFolder(""))); !os.IsNotExist(err) {
		t.Errorf("a folder was made on the road of the article: %v", err)
	}
	st.s.ImportRoot(ca.certificate("root.pem"))
	r = st.do("resume", "--yes", "--done", "certificate-trust,auditor-start,auditor-key,monitoring-plan").want(t, exitPerson)
	says(t, outcome(t, r.out, "verify"), "a session as NetwrixAuditor became active and ended")
	says(t, outcome(t, r.out, "certificate-trust"), "done seen: ")
}
