package sandbox_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"npsetup/assets"
	"npsetup/client/sandbox"
	"npsetup/client/sandbox/contract"
)

var readVaultContract = sync.OnceValues(func() (*contract.Checker, error) { return contract.New(assets.PasswordSecureContract) })

// vault asks Password Secure, trusting its authority.
func (b *bench) vault(method, address, body string) (int, string, string) {
	b.t.Helper()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b.s.VaultCAPEM())
	h := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "localhost"}, DisableKeepAlives: true}}
	r, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "text/plain; charset=utf-8")
	a, err := h.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	raw, _ := io.ReadAll(a.Body)
	return a.StatusCode, a.Header.Get("Content-Type"), string(raw)
}

func credential(token string) string {
	return `{"credential":{"AuthType":14,"$type":"AuthenticationApiKeyCredential","JsonWebToken":"` + token + `","RequiredFieldsFromUser":{"AuthenticationFields":{}},"Database":null,"Username":null,` +
		`"SessionId":null,"OperationMode":0,"ClientInformation":{"ClientType":"test","ClientVersion":"1","ClientInstanceId":"0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f"}}}`
}

func (b *bench) authenticate(base, key string) (int, string) {
	b.t.Helper()
	jwt, _, _ := strings.Cut(key, ":")
	status, _, body := b.vault("POST", base+"auth/AuthenticateApiKey", credential(jwt))
	return status, body
}

func TestVaultAnswersInBothForms(t *testing.T) {
	b := start(t, sandbox.Options{})
	web, direct := b.s.VaultURL(), b.s.VaultDirectURL()
	for address, want := range map[string]int{web: 200, web + "api/": 200, direct: 200, direct + "api/": 404, web + "api/api/": 404, strings.TrimSuffix(web, "vault/"): 404, strings.TrimSuffix(web, "vault/") + "api/": 404} {
		if status, _, _ := b.vault("GET", address, ""); status != want {
			t.Errorf("GET %s: %d, want %d", address, status, want)
		}
	}
	if _, kind, page := b.vault("GET", web, ""); !strings.HasPrefix(kind, "text/html") || !strings.Contains(page, "Password Secure") {
		t.Errorf("%s %s", kind, page)
	}
	for _, base := range []string{web + "api/", direct} {
		status, body := b.authenticate(base, b.s.VaultKey())
		var in struct {
			Challenge, ChallengeSignature, Database string
			IsCompleted                             bool
		}
		if !strings.HasPrefix(body, "\xef\xbb\xbf") || json.Unmarshal([]byte(strings.TrimPrefix(body, "\xef\xbb\xbf")), &in) != nil || status != 200 || in.Challenge == "" || in.ChallengeSignature == "" || in.IsCompleted {
			t.Errorf("%d %s", status, body)
		}
	}
	if status, body := b.authenticate(direct, "a.b.c:QQ=="); status != 401 || !strings.Contains(body, "unknown") {
		t.Errorf("another key: %d %s", status, body)
	}
	asked := b.s.VaultRequests()
	if n := len(asked); n != 11 || asked[n-1].Class != "probe" || asked[n-1].Status != 401 {
		t.Errorf("%d requests, the last %+v", n, asked[n-1])
	}
	if len(b.s.Requests()) != 0 {
		t.Error("Password Secure's requests are counted as those of NPS")
	}
}

// TestVaultContractIsHeld proves that the checking mode sees what goes to Password Secure.
func TestVaultContractIsHeld(t *testing.T) {
	c, err := readVaultContract()
	if err != nil {
		t.Fatal(err)
	}
	loose, err := sandbox.Start(t.Context(), sandbox.Options{CheckVault: c})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = loose.Close() }()
	free := &bench{t: t, s: loose}
	if status, _, _ := free.vault("POST", loose.VaultDirectURL()+"auth/AuthenticateApiKey", `{"credential":{}}`); status != 400 {
		t.Errorf("%d", status)
	}
	if len(loose.Violations()) != 1 {
		t.Errorf("%v", loose.Violations())
	}
}

func TestVaultKeysEnd(t *testing.T) {
	for fault, words := range map[string]string{"key-expired": "expired", "key-deleted": "does not exist"} {
		b := start(t, sandbox.Options{Faults: []string{fault}, Dir: t.TempDir()})
		if b.s.VaultKey() != "" {
			t.Errorf("%s: a key works", fault)
		}
		first := b.s.VaultKeyMade()
		if status, body := b.authenticate(b.s.VaultDirectURL(), first); status != 401 || !strings.Contains(body, words) {
			t.Errorf("%s: %d %s", fault, status, body)
		}
		if got := did(b); !strings.HasPrefix(got, "vault-key vault-entry") {
			t.Errorf("%s: the person did %s", fault, got)
		}
		if status, body := b.authenticate(b.s.VaultDirectURL(), b.s.VaultKey()); status != 200 {
			t.Errorf("%s: the new key: %d %s", fault, status, body)
		}
	}
	b := start(t, sandbox.Options{})
	if err := b.s.Drift("vaultKeys", "NPS Integration", map[string]any{"isDeleted": true}); err != nil {
		t.Fatal(err)
	}
	if b.s.VaultKey() != "" {
		t.Error("a deleted key works")
	}
	b = start(t, sandbox.Options{})
	key := b.s.VaultKey()
	b.later(366 * 24 * 3600 * 1e9)
	if status, body := b.authenticate(b.s.VaultDirectURL(), key); status == 200 || body == "" {
		t.Errorf("after a year: %d %s", status, body)
	}
}

func did(b *bench) string {
	var steps []string
	for _, d := range b.s.Person() {
		steps = append(steps, d.Step)
	}
	return strings.Join(steps, " ")
}

func TestVaultFaultsOfTheServer(t *testing.T) {
	b := start(t, sandbox.Options{})
	b.faults("vault-down")
	if status, _, _ := b.vault("GET", b.s.VaultURL(), ""); status != 200 {
		t.Errorf("the page: %d", status)
	}
	if status, _, _ := b.vault("GET", b.s.VaultURL()+"api/", ""); status != 503 {
		t.Errorf("the API: %d", status)
	}
	b.clear("vault-down")
	b.faults("vault-refused")
	if status, _ := b.authenticate(b.s.VaultDirectURL(), b.s.VaultKey()); status != 403 {
		t.Errorf("refused: %d", status)
	}
	if _, err := b.s.SetFaults([]string{"vault-self-signed"}, nil); err == nil {
		t.Error("a certificate changed while the server ran")
	}
	own := start(t, sandbox.Options{Faults: []string{"vault-self-signed"}})
	block, _ := pem.Decode(own.s.VaultCAPEM())
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || c.NotAfter.Year() != 9999 || len(c.IPAddresses) != 0 || c.VerifyHostname("127.0.0.1") == nil || c.VerifyHostname("localhost") != nil {
		t.Errorf("%v %v", c.NotAfter, err)
	}
	if status, _, _ := own.vault("GET", own.s.VaultDirectURL(), ""); status != 200 {
		t.Errorf("%d", status)
	}
}

func TestVaultFilesFitTheServer(t *testing.T) {
	dir := t.TempDir()
	b := start(t, sandbox.Options{Dir: dir})
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	answers := read("answers-password-secure.yaml")
	for _, part := range []string{"guide: password-secure", "url: " + b.s.VaultURL(), "trust: pin:" + b.s.VaultPin(), "apiKey: env:PASSWORD_SECURE_API_KEY", "url: " + b.s.URL(), "skipCertificateCheck: false", `'CONTOSO\app-admin'`} {
		if !strings.Contains(answers, part) {
			t.Errorf("no %s in\n%s", part, answers)
		}
	}
	for _, secret := range b.s.Secrets() {
		if secret != "" && strings.Contains(answers, secret) {
			t.Error("the answers hold a secret")
		}
	}
	if env := read("env"); !strings.Contains(env, "export PASSWORD_SECURE_API_KEY='"+b.s.VaultKey()+"'\n") || b.s.VaultKey() == "" {
		t.Error("the environment has no key")
	}
	if read("ca-password-secure.pem") != string(b.s.VaultCAPEM()) {
		t.Error("another authority")
	}
	if a := b.s.Announcement(); a.PasswordSecure != b.s.VaultURL() {
		t.Errorf("%+v", a)
	}
	var asked []map[string]any
	b.vault("GET", b.s.VaultURL(), "")
	if b.admin("GET", "requests?of=password-secure", "", &asked); len(asked) != 1 || asked[0]["path"] != "/vault/" {
		t.Errorf("%v", asked)
	}
	state, err := json.Marshal(b.s.State())
	if err != nil || !bytes.Contains(state, []byte(`"vaultKeys":[{"accessRights":"Read"`)) {
		t.Errorf("%s %v", state, err)
	}
}
