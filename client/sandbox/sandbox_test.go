package sandbox_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/assets"
	"npsetup/client/sandbox"
	"npsetup/client/sandbox/contract"
)

// bench is a sandbox in checking mode with a plain HTTP client and a clock that a test can move.
type bench struct {
	t     *testing.T
	s     *sandbox.Server
	http  *http.Client
	token string
	mu    sync.Mutex
	ahead time.Duration
	fixed time.Time // what the clock stands at; zero: it runs
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.fixed.IsZero() {
		return b.fixed.Add(b.ahead)
	}
	return time.Now().Add(b.ahead)
}

func (b *bench) later(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ahead += d
}

// readContract reads the contract once for all tests: that takes longer than most of them.
var readContract = sync.OnceValues(func() (*contract.Checker, error) { return contract.New(assets.NPSContract) })

func start(t *testing.T, o sandbox.Options) *bench {
	t.Helper()
	b := &bench{t: t}
	c, err := readContract()
	if err != nil {
		t.Fatal(err)
	}
	v, err := readVaultContract()
	if err != nil {
		t.Fatal(err)
	}
	o.Check, o.CheckVault, o.Now = c, v, b.now
	if b.s, err = sandbox.Start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b.s.CAPEM())
	jar, _ := cookiejar.New(nil)
	b.http = &http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(func() {
		for _, v := range b.s.Violations() {
			t.Errorf("against the contract: %v", v)
		}
		b.http.CloseIdleConnections()
		_ = b.s.Close()
	})
	return b
}

// still stops the clock: only later moves it then.
func (b *bench) still() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fixed = time.Now()
}

// do sends a request and gives status, content type and body.
func (b *bench) do(method, path string, body any) (int, string, []byte) {
	b.t.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), method, strings.TrimSuffix(b.s.URL(), "/")+path, in)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if b.token != "" {
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	a, err := b.http.Do(r)
	if err != nil {
		return 0, "", []byte(err.Error())
	}
	defer func() { _ = a.Body.Close() }()
	raw, err := io.ReadAll(a.Body)
	if err != nil {
		return 0, "", nil
	}
	return a.StatusCode, a.Header.Get("Content-Type"), raw
}

// must is do for a call that has to succeed; the answer is decoded into out.
func (b *bench) must(method, path string, body, out any) {
	b.t.Helper()
	status, _, raw := b.do(method, path, body)
	if status/100 != 2 {
		b.t.Fatalf("%s %s: %d %s", method, path, status, raw)
	}
	if out != nil {
		if err := json.Unmarshal(raw, out); err != nil {
			b.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
}

func (b *bench) code() string {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(b.s.Credentials().TOTPSecret)
	if err != nil {
		b.t.Fatal(err)
	}
	m := hmac.New(sha1.New, key)
	_ = binary.Write(m, binary.BigEndian, b.now().Unix()/30)
	sum := m.Sum(nil)
	at := sum[19] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1e6)
}

func (b *bench) signIn() *bench {
	b.t.Helper()
	c := b.s.Credentials()
	b.must("POST", "/signinBody", map[string]string{"login": c.User, "password": c.Password}, &b.token)
	b.must("POST", "/signin2fa", b.code(), &b.token)
	return b
}

type tableOf struct {
	Data         []map[string]any
	RecordsTotal int
}

func TestSignIn(t *testing.T) {
	b := start(t, sandbox.Options{})
	c := b.s.Credentials()
	if status, _, _ := b.do("GET", "/api/v1/Version", nil); status != 401 {
		t.Errorf("Version without a token: %d", status)
	}
	if status, kind, raw := b.do("GET", "/api/v1/Health", nil); status != 200 || string(raw) != "Healthy" || !strings.HasPrefix(kind, "text/plain") {
		t.Errorf("Health: %d %s %s", status, kind, raw)
	}
	if status, _, _ := b.do("POST", "/signinBody", map[string]string{"login": c.User, "password": "wrong"}); status != 401 {
		t.Errorf("wrong password: %d", status)
	}
	b.must("POST", "/signinBody", map[string]string{"login": c.User, "password": c.Password}, &b.token)
	if status, _, _ := b.do("GET", "/api/v1/Platform", nil); status != 401 {
		t.Errorf("half a sign-in is enough for Platform: %d", status)
	}
	if status, _, raw := b.do("POST", "/signin2fa", "000000"); status != 400 || !strings.Contains(string(raw), "Invalid MFA code") {
		t.Errorf("wrong code: %d %s", status, raw)
	}
	b.must("POST", "/signin2fa", b.code(), &b.token)
	var version string
	b.must("GET", "/api/v1/Version", nil, &version)
	if !strings.HasPrefix(version, "25.12.") {
		t.Errorf("version %q", version)
	}
}

func TestTokenLives(t *testing.T) {
	b := start(t, sandbox.Options{}).signIn()
	b.later(14 * time.Minute)
	b.must("GET", "/api/v1/UserToken", nil, &b.token)
	b.later(14 * time.Minute)
	b.must("GET", "/api/v1/Platform", nil, nil)
	b.later(2 * time.Minute)
	if status, _, _ := b.do("GET", "/api/v1/UserToken", nil); status != 401 {
		t.Errorf("an expired token was renewed: %d", status)
	}
}

func TestLockout(t *testing.T) {
	b := start(t, sandbox.Options{})
	c := b.s.Credentials()
	for range 5 {
		b.do("POST", "/signinBody", map[string]string{"login": c.User, "password": "wrong"})
	}
	if status, _, raw := b.do("POST", "/signinBody", map[string]string{"login": c.User, "password": c.Password}); status != 403 || !strings.Contains(string(raw), "locked") {
		t.Errorf("after five wrong passwords: %d %s", status, raw)
	}
}

func TestKeysAreMadeRevealedAndInvalidated(t *testing.T) {
	for _, fault := range []string{"", "no-key"} {
		var faults []string
		if fault != "" {
			faults = []string{fault}
		}
		b := start(t, sandbox.Options{Faults: faults}).signIn()
		var user map[string]any
		b.must("POST", "/api/v1/ManagedAccount/CreateApplicationUser", map[string]any{"entityType": 2, "name": "App", "certificateSerialNumber": "00AB"}, &user)
		path := "/api/v1/ManagedAccount/RevealApiKey/" + user["id"].(string)
		var first, second string
		b.must("GET", path, nil, &first)
		if (first == "") != (fault == "no-key") {
			t.Errorf("fault %q: key %q", fault, first)
		}
		b.must("PUT", "/api/v1/ManagedAccount/GenerateApiKey/"+user["id"].(string), nil, nil)
		b.must("GET", path, nil, &second)
		if second == "" || second == first {
			t.Error("a new key was not made")
		}
		if user["tenantMark"] == nil {
			t.Error("no unknown member to keep")
		}
		if status, _, _ := b.do("POST", "/api/v1/ManagedAccount/CreateApplicationUser", map[string]any{"entityType": 2, "name": "App"}); status != 400 {
			t.Errorf("a second user of the name: %d", status)
		}
		state, _ := json.Marshal(b.s.State())
		for _, secret := range b.s.Secrets() {
			if secret != "" && bytes.Contains(state, []byte(secret)) {
				t.Error("the state holds a secret")
			}
		}
	}
}

func TestListsPageAndFilter(t *testing.T) {
	b := start(t, sandbox.Options{Resources: 10_000}).signIn()
	started := time.Now()
	var page tableOf
	b.must("GET", "/api/v1/ManagedResource/Search?filterType=0", nil, &page)
	if len(page.Data) != 10 || page.RecordsTotal != 10_001 {
		t.Errorf("default page: %d of %d", len(page.Data), page.RecordsTotal)
	}
	b.must("GET", "/api/v1/ManagedResource/Search?filterText=SRV09999&skip=0&take=50", nil, &page)
	if len(page.Data) != 1 || page.Data[0]["dnsHostName"] != "srv09999.contoso.com" || page.Data[0]["name"] != nil {
		t.Errorf("filter: %v", page.Data)
	}
	b.must("GET", "/api/v1/ManagedResource/Search?filterType=0&skip=9990&take=500", nil, &page)
	if len(page.Data) != 11 {
		t.Errorf("last page: %d", len(page.Data))
	}
	b.must("GET", "/api/v1/ManagedResource/Candidate/Search?filterText=contoso", nil, &page)
	if len(page.Data) != 100 || page.RecordsTotal != 20_006 {
		t.Errorf("candidates: %d of %d", len(page.Data), page.RecordsTotal)
	}
	if took := time.Since(started); took > 10*time.Second {
		t.Errorf("four pages took %s", took)
	}
}

func (b *bench) list(path string) []map[string]any {
	var rows []map[string]any
	b.must("GET", path, nil, &rows)
	return rows
}

func pick(t *testing.T, rows []map[string]any, member, value string) map[string]any {
	t.Helper()
	for _, r := range rows {
		if r[member] == value {
			return r
		}
	}
	t.Fatalf("no row with %s %q", member, value)
	return nil
}

func TestPolicyGrants(t *testing.T) {
	b := start(t, sandbox.Options{}).signIn()
	b.must("GET", "/api/v1/LicenseInfo", nil, nil)
	ad := pick(t, b.list("/api/v1/Platform"), "name", "Active Directory")
	var user, profile, group, activity, policy, resource map[string]any
	b.must("POST", "/api/v1/ManagedAccount/CreateApplicationUser", map[string]any{"entityType": 2, "name": "App"}, &user)
	b.must("POST", "/api/v1/ConnectionProfile", map[string]any{"name": "P", "type": 1}, &profile)
	template := pick(t, b.list("/api/v1/ActionTemplate"), "displayName", "Add User to Domain Group")
	b.must("POST", "/api/v1/ActionGroup", map[string]any{"name": "G", "action": []any{map[string]any{"actionTemplateId": template["id"], "displayName": "x", "classification": 0}}}, &group)
	b.must("GET", "/api/v1/ActionGroup/"+group["id"].(string), nil, &group)
	b.must("POST", "/api/v1/Activity", map[string]any{"name": "A", "platformId": ad["id"], "startActionGroupId": group["id"]}, &activity)
	var hosts, creds tableOf
	b.must("GET", "/api/v1/ManagedResource/Candidate/Search?filterText=dc01&filterServers=true&skip=0&take=10", nil, &hosts)
	b.must("GET", "/api/v1/Credential/Search?filterText=svc-nps&credentialType=0&managedType=-1&skip=0&take=10", nil, &creds)
	b.must("POST", "/api/v1/ManagedResource/Candidate/AddMultiple", map[string]any{"hostIds": []any{hosts.Data[0]["id"]}, "serviceAccountId": creds.Data[0]["credentialId"]}, nil)
	b.must("GET", "/api/v1/ManagedResource/ByHostId/"+hosts.Data[0]["id"].(string), nil, &resource)
	b.must("POST", "/api/v1/AccessControlPolicy", map[string]any{"name": "Pol", "policyType": 0, "activityConfigurationId": profile["id"]}, &policy)
	root := "/api/v1/AccessControlPolicy/" + policy["id"].(string)
	find := "/api/v1/AccessControlPolicy/PolicySearch?managedAccountId=" + user["id"].(string) + "&activityName=A&resourceName=dc01.contoso.com"
	if status, _, _ := b.do("GET", find, nil); status != 404 {
		t.Errorf("granted before it has members: %d", status)
	}
	member := func(id any, kind int) []any { return []any{map[string]any{"id": id, "entityType": kind}} }
	b.must("PUT", root+"/ManagedAccount", member(user["id"], 2), nil)
	b.must("PUT", root+"/Activity", member(activity["id"], 0), nil)
	var counts map[string]int
	b.must("PUT", root+"/ManagedResource", member(resource["id"], 0), &counts)
	if counts["item1"] != 1 {
		t.Errorf("counts %v", counts)
	}
	b.must("GET", find, nil, nil)
	for _, kind := range []string{"SearchManagedAccounts", "SearchActivities", "SearchResources"} {
		var rows tableOf
		b.must("GET", "/api/v1/AccessControlPolicy/"+kind+"/"+policy["id"].(string)+"?skip=0&take=10", nil, &rows)
		if len(rows.Data) != 1 {
			t.Errorf("%s: %d rows", kind, len(rows.Data))
		}
	}
	b.must("DELETE", root, nil, nil)
	if status, _, _ := b.do("POST", "/api/v1/AccessControlPolicy", map[string]any{"name": "Pol"}); status != 400 {
		t.Errorf("a deleted namesake does not block the name: %d", status)
	}
	b.must("PUT", root+"/Status?isDeleted=false&isDisabled=false", nil, nil)
	b.must("GET", find, nil, nil)
	b.must("PUT", root+"/Activity/Remove", member(activity["id"], 0), nil)
	if status, _, _ := b.do("GET", find, nil); status != 404 {
		t.Errorf("granted after the activity was removed: %d", status)
	}
	b.must("GET", "/api/v1/ActivitySession/Search?filterText=App&skip=0&take=10", nil, nil)
	b.must("PUT", "/api/v1/ManagedResource/Platform/Bulk", map[string]any{"resourceIds": []any{resource["id"], user["id"]}, "property": ad["id"]}, nil)
}

func TestPartsOfTheAPI(t *testing.T) {
	for api, want := range map[string][3]int{"full": {200, 200, 200}, "observed": {404, 200, 200}, "documented": {404, 404, 404}} {
		b := start(t, sandbox.Options{API: api}).signIn()
		create, _, _ := b.do("POST", "/api/v1/ConnectionProfile", map[string]any{"name": "X"})
		list, _, _ := b.do("GET", "/api/v1/ConnectionProfile", nil)
		version, _, _ := b.do("GET", "/api/v1/Version", nil)
		if got := [3]int{create, list, version}; got != want {
			t.Errorf("%s: create, list and version answer %v, want %v", api, got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	t.Run("auth-500 once", func(t *testing.T) {
		b := start(t, sandbox.Options{Faults: []string{"auth-500"}})
		if status, _, _ := b.do("POST", "/signinBody", map[string]string{"login": "x", "password": "y"}); status != 500 {
			t.Errorf("first: %d", status)
		}
		b.signIn()
	})
	t.Run("answer-lost at the second change", func(t *testing.T) {
		b := start(t, sandbox.Options{Faults: []string{"answer-lost@2"}}).signIn()
		b.must("POST", "/api/v1/ConnectionProfile", map[string]any{"name": "one"}, nil)
		if status, _, _ := b.do("POST", "/api/v1/ConnectionProfile", map[string]any{"name": "two"}); status != 0 {
			t.Errorf("an answer came: %d", status)
		}
		pick(t, b.list("/api/v1/ConnectionProfile"), "name", "two")
	})
	t.Run("webdav", func(t *testing.T) {
		b := start(t, sandbox.Options{Faults: []string{"webdav"}}).signIn()
		status, kind, raw := b.do("PUT", "/api/v1/ManagedAccount/UpdateApplicationUser", map[string]any{"id": "x"})
		if status != 405 || !strings.HasPrefix(kind, "text/html") || !bytes.Contains(raw, []byte("WebDAVModule")) {
			t.Errorf("%d %s", status, kind)
		}
	})
	t.Run("wrong-role", func(t *testing.T) {
		b := start(t, sandbox.Options{Faults: []string{"wrong-role"}}).signIn()
		if status, _, _ := b.do("GET", "/api/v1/Platform", nil); status != 403 {
			t.Errorf("%d", status)
		}
	})
	t.Run("expired-cert", func(t *testing.T) {
		b := start(t, sandbox.Options{Faults: []string{"expired-cert"}})
		if _, _, raw := b.do("GET", "/api/v1/Health", nil); !bytes.Contains(raw, []byte("expired")) {
			t.Errorf("%s", raw)
		}
	})
	t.Run("mfa-replay", func(t *testing.T) {
		b := start(t, sandbox.Options{Faults: []string{"mfa-replay"}}).signIn()
		var half string
		c := b.s.Credentials()
		b.must("POST", "/signinBody", map[string]string{"login": c.User, "password": c.Password}, &half)
		b.token = half
		if status, _, _ := b.do("POST", "/signin2fa", b.code()); status != 400 {
			t.Errorf("a code was taken twice: %d", status)
		}
	})
	if _, err := sandbox.Start(t.Context(), sandbox.Options{Faults: []string{"typo"}}); err == nil || !strings.Contains(err.Error(), "answer-lost") {
		t.Errorf("an unknown fault: %v", err)
	}
}

func TestAdminPortWantsItsTokenAndHost(t *testing.T) {
	b := start(t, sandbox.Options{})
	admin, _ := url.Parse(b.s.AdminURL())
	for name, c := range map[string]struct {
		url, host string
		status    int
	}{
		"right":       {b.s.AdminURL() + "/sandbox/state", "", 200},
		"no token":    {"http://" + admin.Host + "/sandbox/state", "", 404},
		"wrong host":  {b.s.AdminURL() + "/sandbox/state", "evil.example", 404},
		"wrong token": {"http://" + admin.Host + "/0123/sandbox/state", "", 404},
	} {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", c.url, nil)
		r.Host = c.host
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = a.Body.Close()
		if a.StatusCode != c.status {
			t.Errorf("%s: %d, want %d", name, a.StatusCode, c.status)
		}
	}
	if _, err := sandbox.Start(t.Context(), sandbox.Options{Listen: "0.0.0.0:0"}); err == nil {
		t.Error("listens beyond loopback without being told to")
	}
}

func TestPersonDoesWhatIsLeftOnce(t *testing.T) {
	b := start(t, sandbox.Options{API: "observed"}).signIn()
	b.must("POST", "/api/v1/ManagedAccount/CreateApplicationUser", map[string]any{"entityType": 2, "name": "NetwrixAuditor"}, nil)
	var did []string
	for _, d := range b.s.Person() {
		did = append(did, d.Step)
	}
	if got := strings.Join(did, " "); got != "auditor-start certificate-trust connection-profile activity auditor-key" {
		t.Errorf("did %s", got)
	}
	if again := b.s.Person(); len(again) != 0 {
		t.Errorf("again: %v", again)
	}
}

func TestDriftAndIDs(t *testing.T) {
	a, b := start(t, sandbox.Options{}).signIn(), start(t, sandbox.Options{}).signIn()
	if err := a.s.Drift("connectionProfiles", "Default", map[string]any{"maxSessionLength": 7}); err != nil {
		t.Fatal(err)
	}
	if got := pick(t, a.list("/api/v1/ConnectionProfile"), "name", "Default")["maxSessionLength"]; got != float64(7) {
		t.Errorf("drifted to %v", got)
	}
	for _, path := range []string{"/api/v1/Platform", "/api/v1/ActionTemplate"} {
		if a.list(path)[0]["id"] == b.list(path)[0]["id"] {
			t.Errorf("%s: the same id at two starts", path)
		}
	}
	if err := a.s.Drift("connectionProfiles", "nobody", nil); err == nil {
		t.Error("drift of what is not there")
	}
	if _, _, raw := a.do("GET", "/api/v1/Nothing", nil); a.s.Requests()[len(a.s.Requests())-1].Class != "outside" {
		t.Errorf("a call outside the contract: %s", raw)
	}
}
