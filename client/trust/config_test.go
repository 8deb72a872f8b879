package trust

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"npsetup/steps/problem"
)

// visit connects, reads the greeting (with which TLS 1.3 sends its session tickets) and tells whether it was a resumption.
func visit(addr string, config *tls.Config) (resumed bool, err error) {
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		return false, err
	}
	conn := tls.Client(raw, config)
	defer func() { _ = conn.Close() }()
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return false, err
	}
	return conn.ConnectionState().DidResume, nil
}

func configOf(t *testing.T, text string, now func() time.Time) *tls.Config {
	t.Helper()
	c, err := ParseTrust(text)
	must(t, err)
	config, err := Config(c, host, now)
	must(t, err)
	if config.MinVersion != tls.VersionTLS12 {
		t.Errorf("least version %x", config.MinVersion)
	}
	return config
}

func TestTrustByFile(t *testing.T) {
	ca, other := issue(t, caTemplate("contoso-CA"), nil), issue(t, caTemplate("other-CA"), nil)
	leaf := issue(t, template("nps", host), &ca)
	s := serve(t, &tls.Config{}, leaf)
	for name, text := range map[string]string{
		"PEM": inPEM(ca), "several": inPEM(other, ca), "CRLF and BOM": "\xef\xbb\xbf" + strings.ReplaceAll(inPEM(ca), "\n", "\r\n"),
		"DER": string(ca.cert.Raw), "with a leaf in front": inPEM(leaf, ca), "text around": "subject=x\n" + inPEM(ca) + "bye",
	} {
		if _, err := visit(s.addr, configOf(t, "ca:"+file(t, "ca.pem", text), clock)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := visit(s.addr, configOf(t, "ca:"+file(t, "ca.pem", inPEM(other)), clock))
	wantProblem(t, Explain(err), problem.Failed, "does not verify", "contoso-CA", "ca:FILE")
	// A leaf beside an authority is not trusted by itself.
	alone := issue(t, template("nps", host), nil)
	_, err = visit(serve(t, &tls.Config{}, alone).addr, configOf(t, "ca:"+file(t, "ca.pem", inPEM(alone, ca)), clock))
	wantProblem(t, Explain(err), problem.Failed, "self-signed")
}

func TestTrustFileRefusals(t *testing.T) {
	ca := issue(t, caTemplate("contoso-CA"), nil)
	leaf := issue(t, template("nps", host), &ca)
	old := caTemplate("old-CA")
	old.NotAfter = today.AddDate(0, 0, -1)
	key, err := x509.MarshalPKCS8PrivateKey(ca.key)
	must(t, err)
	keyPEM := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	dir := t.TempDir()
	for name, c := range map[string]struct{ path, says string }{
		"missing": {filepath.Join(dir, "none.pem"), "there is no authorities' file"}, "folder": {dir, "is not a file"},
		"empty": {file(t, "ca.pem", " \n"), "is empty"}, "too large": {file(t, "ca.pem", strings.Repeat("a", 1<<20+1)), "1 MiB"},
		"key": {file(t, "ca.pem", inPEM(ca)+keyPEM), "holds a private key"}, "leaf only": {file(t, "ca.pem", inPEM(leaf)), "holds no authority: it holds the certificate of a server (CN=nps)"},
		"leaf's issuer": {file(t, "ca.pem", inPEM(leaf)), "CN=contoso-CA"}, "leaf's pin": {file(t, "ca.pem", inPEM(leaf)), "pin:sha256:" + Describe(leaf.cert).SHA256},
		"expired": {file(t, "ca.pem", inPEM(issue(t, old, nil))), "no authority that is valid now: CN=old-CA: it expired on 2026-11-22"},
		"text":    {file(t, "ca.pem", "hello"), "holds no certificate"}, "damaged DER": {file(t, "ca.pem", string(ca.cert.Raw[:99])), "no certificate that can be read"},
		"damaged second": {file(t, "ca.pem", inPEM(ca)+string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.cert.Raw[:99]}))), "certificate 2 is damaged"},
		"cut off":        {file(t, "ca.pem", inPEM(ca)+inPEM(ca)[:99]), "begins and does not end"},
		"PKCS #7":        {file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: []byte{0x30, 0}}))), "something else than certificates (PKCS7)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Config(Choice{Kind: CAFile, File: c.path}, host, clock)
			wantProblem(t, err, problem.Usage, c.says, problem.Plain(c.path))
			if name == "missing" && !errors.Is(err, fs.ErrNotExist) {
				t.Error("it is no fs.ErrNotExist")
			}
			if strings.Contains(err.Error(), keyPEM[40:60]) {
				t.Error("a piece of the key is in the error")
			}
		})
	}
}

func TestConfigNeedsItsParts(t *testing.T) {
	for name, err := range map[string]error{
		"host": second(Config(Choice{}, " ", clock)), "clock": second(Config(Choice{}, host, nil)), "kind": second(Config(Choice{Kind: 9}, host, clock)),
		"pin": second(Config(Choice{Kind: Pin, SHA256: "00"}, host, clock)), "empty pin": second(Config(Choice{Kind: Pin}, host, clock)),
	} {
		if err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func second(_ *tls.Config, err error) error { return err }

func TestPin(t *testing.T) {
	leaf := issue(t, template("SBPAM", "another.name"), nil) // neither the chain nor the name counts for a pin
	other := issue(t, template("SBPAM", host), nil)
	pin := "pin:sha256:" + Describe(leaf.cert).SHA256
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := serve(t, &tls.Config{MaxVersion: version}, leaf)
		if _, err := visit(s.addr, configOf(t, pin, clock)); err != nil {
			t.Fatal(err)
		}
		_, err := visit(serve(t, &tls.Config{MaxVersion: version}, other).addr, configOf(t, pin, clock))
		checkMismatch(t, Explain(err), leaf, other)

		for at, says := range map[time.Time]string{
			leaf.cert.NotAfter.Add(time.Second):   "it expired on 2027-11-23 12:00 UTC, by this machine's clock (2027-11-23 12:00 UTC)",
			leaf.cert.NotBefore.Add(-time.Second): "valid only from 2025-11-23",
		} {
			_, err := visit(s.addr, configOf(t, pin, func() time.Time { return at }))
			wantProblem(t, Explain(err), problem.Failed, "the pinned certificate of "+host+" is outside its dates", says, "clock")
		}
	}
}

func checkMismatch(t *testing.T, err error, want, got identity) {
	t.Helper()
	var m *PinMismatch
	if !errors.As(err, &m) {
		t.Fatalf("no mismatch: %v", err)
	}
	if m.Want != Describe(want.cert).SHA256 || m.Got != Describe(got.cert).SHA256 || m.Cert.SHA256 != m.Got || m.Host != host {
		t.Errorf("%+v", m)
	}
	wantProblem(t, err, problem.Failed, m.Want, m.Got, "IIS binding", "upgrade", "somebody is in between", "iisreset", "CN=SBPAM")
}

func TestPinHoldsForResumedSessions(t *testing.T) {
	leaf := issue(t, template("SBPAM", host), nil)
	pin := "pin:sha256:" + Describe(leaf.cert).SHA256
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		s := serve(t, &tls.Config{MaxVersion: version}, leaf)
		cache := tls.NewLRUClientSessionCache(4)
		right, wrong := configOf(t, pin, clock), configOf(t, "pin:sha256:"+hex64, clock)
		right.ClientSessionCache, wrong.ClientSessionCache = cache, cache
		if _, err := visit(s.addr, right); err != nil {
			t.Fatal(err)
		}
		if resumed, err := visit(s.addr, right); err != nil || !resumed {
			t.Fatalf("%x: resumed %v, %v: the test shows nothing", version, resumed, err)
		}
		var m *PinMismatch
		if _, err := visit(s.addr, wrong); !errors.As(err, &m) {
			t.Errorf("%x: a resumed session got round the pin: %v", version, err)
		}
	}
}

func TestSystemTrustDoesNotTakeAnything(t *testing.T) {
	s := serve(t, &tls.Config{}, issue(t, template("SBPAM", host), nil))
	config := configOf(t, "system", clock)
	if config.InsecureSkipVerify || config.RootCAs != nil {
		t.Error("the operating system's authorities are not asked")
	}
	_, err := visit(s.addr, config)
	wantProblem(t, Explain(err), problem.Failed, "self-signed", "pin:sha256:")
}

func FuzzAuthorities(f *testing.F) {
	ca := issue(f, caTemplate("contoso-CA"), nil)
	f.Add(ca.cert.Raw)
	f.Add([]byte(inPEM(ca)))
	f.Add([]byte(inPEM(issue(f, template("nps"), &ca))))
	f.Add([]byte("\xef\xbb\xbf"))
	f.Add([]byte{0x30, 0x80})
	f.Fuzz(func(t *testing.T, raw []byte) {
		if pool, p := parseAuthorities(raw, today); (pool == nil) == (p == nil) {
			t.Fatal("authorities and problem disagree")
		}
	})
}

func TestMain(m *testing.M) {
	// So that nothing here depends on what the machine trusts.
	_ = os.Setenv("SSL_CERT_FILE", os.DevNull)
	_ = os.Setenv("SSL_CERT_DIR", os.DevNull)
	goleak.VerifyTestMain(m)
}
