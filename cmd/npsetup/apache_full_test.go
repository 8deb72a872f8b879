//go:build full

package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// apache is a web server of this test in front of a sandbox. It asks for the client certificate where and when it is told, as
// IIS does, judges it by itself, and shows Auditor's own certificate to the sandbox behind it.
type apache struct {
	t         *testing.T
	dir, port string
	pin       string
	process   *exec.Cmd
}

// apacheConfig is what a case changes.
type apacheConfig struct {
	protocol string // SSLProtocol
	server   string // directives for the whole server
	path     string // directives for the address of the sign-in
	trusts   string // file of the authorities of client certificates; empty: Auditor's own certificate
}

func newApache(t *testing.T, s *sandbox.Server) *apache {
	t.Helper()
	needed(t, "apache2", "/usr/sbin/apache2")
	a := &apache{t: t, dir: t.TempDir(), port: freePort(t)}
	certificate, key := madeFor(t, "localhost", time.Now().Add(24*time.Hour))
	digest := sha256.Sum256(certificate)
	a.pin = hex.EncodeToString(digest[:])
	a.write("server.pem", certificatePEM(certificate)+key)
	other, _ := madeFor(t, "another", time.Now().Add(time.Hour))
	a.write("another.pem", certificatePEM(other))
	own := s.ClientCertificate()
	a.write("auditor.pem", certificatePEM(own.Certificate[0]))
	a.write("proxy.pem", certificatePEM(own.Certificate[0])+keyPEM(t, own))
	t.Cleanup(a.stop)
	return a
}

func (a *apache) write(name, text string) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

func certificatePEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func keyPEM(t *testing.T, c tls.Certificate) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func madeFor(t *testing.T, name string, until time.Time) (der []byte, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until}
	if der, err = x509.CreateCertificate(rand.Reader, c, c, k.Public(), k); err != nil {
		t.Fatal(err)
	}
	return der, keyPEM(t, tls.Certificate{PrivateKey: k})
}

// serve starts the server, or starts it anew with another configuration.
func (a *apache) serve(behind string, c apacheConfig) {
	a.t.Helper()
	a.stop()
	if c.trusts == "" {
		c.trusts = filepath.Join(a.dir, "auditor.pem")
	}
	lines := []string{"ServerRoot " + a.dir, "ServerName localhost", "Listen 127.0.0.1:" + a.port, "PidFile " + filepath.Join(a.dir, "pid"), "ErrorLog /dev/stderr", "LogLevel notice"}
	for _, m := range []string{"mpm_event", "authz_core", "socache_shmcb", "ssl", "proxy", "proxy_http"} {
		lines = append(lines, "LoadModule "+m+"_module /usr/lib/apache2/modules/mod_"+m+".so")
	}
	lines = append(
		lines, "SSLSessionCache none", "SSLEngine on", "SSLCertificateFile "+filepath.Join(a.dir, "server.pem"), "SSLProtocol "+c.protocol, "SSLCACertificateFile "+c.trusts,
		"SSLProxyEngine on", "SSLProxyVerify none", "SSLProxyCheckPeerName off", "SSLProxyMachineCertificateFile "+filepath.Join(a.dir, "proxy.pem"),
		"ProxyPass / "+behind, c.server, "<Location /WebAppApi/api/v1/AppUserToken>", c.path, "</Location>",
	)
	if os.Getuid() == 0 {
		lines = append(lines, "User nobody", "Group nogroup")
	}
	config := a.write("config", strings.Join(lines, "\n")+"\n")
	a.process = exec.Command("/usr/sbin/apache2", "-DFOREGROUND", "-f", config)
	log, err := a.process.StderrPipe()
	if err != nil {
		a.t.Fatal(err)
	}
	if err := a.process.Start(); err != nil {
		a.t.Fatal(err)
	}
	lines = nil
	for said := bufio.NewScanner(log); said.Scan(); {
		if lines = append(lines, said.Text()); strings.Contains(said.Text(), "resuming normal operations") {
			go func() { _, _ = io.Copy(io.Discard, log) }()
			return
		}
	}
	a.t.Fatalf("apache2 does not serve\n%s", strings.Join(lines, "\n"))
}

func (a *apache) stop() {
	if a.process != nil {
		_ = a.process.Process.Signal(syscall.SIGTERM)
		_ = a.process.Wait()
		a.process = nil
	}
}

// atPath asks for the certificate late, when the path is known, as IIS does without Negotiate Client Certificate.
const atPath = "SSLVerifyClient require\nSSLVerifyDepth 2"

// TestTheProofThroughApache sets everything up through a server that asks for the client certificate late or at once, and
// proves it by a session of the application user.
func TestTheProofThroughApache(t *testing.T) {
	for name, c := range map[string]apacheConfig{
		"late, TLS 1.2":         {protocol: "-all +TLSv1.2", path: atPath},
		"late, TLS 1.2 and 1.3": {protocol: "-all +TLSv1.2 +TLSv1.3", path: atPath},
		"at once, TLS 1.2":      {protocol: "-all +TLSv1.2", server: "SSLVerifyClient optional\nSSLVerifyDepth 2"},
		"at once, TLS 1.3":      {protocol: "-all +TLSv1.3", server: "SSLVerifyClient optional\nSSLVerifyDepth 2"},
		"at once, not judged":   {protocol: "-all +TLSv1.2 +TLSv1.3", server: "SSLVerifyClient optional_no_ca"},
	} {
		t.Run(name, func(t *testing.T) {
			st, _ := behindApache(t, c)
			r := st.do("verify", "--session", "--yes").want(t, exitOK)
			says(t, r.out, "a session as NetwrixAuditor became active and ended")
		})
	}
}

// behindApache is a site that was set up, and proven, through a web server.
func behindApache(t *testing.T, c apacheConfig) (*site, *apache) {
	t.Helper()
	st := newSite(t, sandbox.Options{})
	a := newApache(t, st.s)
	a.serve(st.s.URL(), c)
	raw, err := os.ReadFile(st.answers())
	if err != nil {
		t.Fatal(err)
	}
	trust := regexp.MustCompile(`(?m)^  trust: .*$`).ReplaceAllString(string(raw), "  trust: pin:sha256:"+a.pin)
	answers := strings.Replace(trust, st.s.URL(), "https://localhost:"+a.port+"/", 1)
	if err := os.WriteFile(st.answers(), []byte(answers), 0o600); err != nil {
		t.Fatal(err)
	}
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	return st, a
}

// TestEachRefusalOfApacheHasItsSentence: what goes wrong with the client certificate at a real server is told apart in words.
func TestEachRefusalOfApacheHasItsSentence(t *testing.T) {
	const both = "-all +TLSv1.2 +TLSv1.3"
	st, a := behindApache(t, apacheConfig{protocol: both, path: atPath})
	other := filepath.Join(a.dir, "another.pem")
	var got strings.Builder
	for _, c := range []struct {
		name string
		apacheConfig
	}{
		{"late, not trusted", apacheConfig{protocol: both, path: atPath, trusts: other}},
		{"late, not trusted, TLS 1.2", apacheConfig{protocol: "-all +TLSv1.2", path: atPath, trusts: other}},
		{"at once, not trusted", apacheConfig{protocol: "-all +TLSv1.3", server: "SSLVerifyClient require\nSSLVerifyDepth 2", trusts: other}},
		{"late, TLS 1.3 only", apacheConfig{protocol: "-all +TLSv1.3", path: atPath}},
		{"late, renegotiation needs a larger buffer", apacheConfig{protocol: "-all +TLSv1.2", path: atPath + "\nSSLRenegBufferSize 1"}},
	} {
		a.serve(st.s.URL(), c.apacheConfig)
		r := st.do("verify", "--session", "--yes")
		fmt.Fprintf(&got, "== %s: exit %d\n%s\n", c.name, r.code, problems(r.err))
	}
	asKept(t, "apache.golden", strings.ReplaceAll(got.String(), a.port, "PORT"))
}

// problems are the lines that tell what happened, why, and what to do.
func problems(talk string) string {
	var lines []string
	for _, l := range strings.Split(talk, "\n") {
		if strings.HasPrefix(l, "npsetup: ") || strings.HasPrefix(l, "  because ") || strings.HasPrefix(l, "  next: ") {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
