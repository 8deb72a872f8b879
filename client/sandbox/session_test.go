package sandbox_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

const (
	ourActivity = "Netwrix Auditor Domain Admin"
	ourResource = "dc01.contoso.com"
	ourPolicy   = "Netwrix Auditor (resource)"
)

// set is what an integration consists of, by id, and the application user's key.
type set struct {
	user, policy, profile string
	key, serial           string
}

// integrated sets up what Auditor needs, as the administrator, over the API.
func (b *bench) integrated() set {
	b.t.Helper()
	b.signIn()
	id := func(o map[string]any) string { return o["id"].(string) }
	var user, profile, pre, post, activity, policy, resource map[string]any
	serial := serialOf(b.s.ClientCertificate().Leaf)
	b.must("POST", "/api/v1/ManagedAccount/CreateApplicationUser", map[string]any{"entityType": 2, "name": "NetwrixAuditor", "samAccountName": "NetwrixAuditor", "certificateSerialNumber": serial}, &user)
	b.must("POST", "/api/v1/ConnectionProfile", map[string]any{"name": "Netwrix Auditor", "type": 1, "maxSessionLength": 60, "allowPasswordAccess": true}, &profile)
	group := func(name, template string, class int, out *map[string]any) {
		t := pick(b.t, b.list("/api/v1/ActionTemplate"), "displayName", template)
		var values []any
		for _, p := range t["actionTemplateParameter"].([]any) {
			if p := p.(map[string]any); p["displayName"] == "Group" {
				values = append(values, map[string]any{"actionTemplateParameterId": p["id"], "value": "Domain Admins"})
			}
		}
		b.must("POST", "/api/v1/ActionGroup", map[string]any{"name": name, "action": []any{map[string]any{"actionTemplateId": t["id"], "displayName": name, "classification": class, "actionParameter": values}}}, out)
	}
	group("Pre", "Add User to Domain Group", 0, &pre)
	group("Post", "Remove User from Domain Group", 2, &post)
	ad := pick(b.t, b.list("/api/v1/Platform"), "name", "Active Directory")
	b.must("POST", "/api/v1/Activity", map[string]any{
		"name": ourActivity, "platformId": ad["id"], "startActionGroupId": pre["id"], "endActionGroupId": post["id"], "createAccount": true, "deleteAccount": true,
		"loginAccountNameFormat": `%targetDomain%\%samAccountName%`,
	}, &activity)
	var hosts, creds tableOf
	b.must("GET", "/api/v1/ManagedResource/Candidate/Search?filterText=dc01&filterServers=true&skip=0&take=10", nil, &hosts)
	b.must("GET", "/api/v1/Credential/Search?filterText=svc-nps&credentialType=0&managedType=-1&skip=0&take=10", nil, &creds)
	b.must("POST", "/api/v1/ManagedResource/Candidate/AddMultiple", map[string]any{"hostIds": []any{hosts.Data[0]["id"]}, "serviceAccountId": creds.Data[0]["credentialId"]}, nil)
	b.must("GET", "/api/v1/ManagedResource/ByHostId/"+id(hosts.Data[0]), nil, &resource)
	b.must("POST", "/api/v1/AccessControlPolicy", map[string]any{"name": ourPolicy, "policyType": 0, "activityConfigurationId": profile["id"]}, &policy)
	root := "/api/v1/AccessControlPolicy/" + id(policy)
	b.must("PUT", root+"/ManagedAccount", []any{map[string]any{"id": user["id"], "entityType": 2}}, nil)
	b.must("PUT", root+"/Activity", []any{map[string]any{"id": activity["id"], "entityType": 0}}, nil)
	b.must("PUT", root+"/ManagedResource", []any{map[string]any{"id": resource["id"], "entityType": 0}}, nil)
	s := set{user: id(user), policy: id(policy), profile: id(profile), serial: serial}
	b.must("GET", "/api/v1/ManagedAccount/RevealApiKey/"+s.user, nil, &s.key)
	return s
}

// serialOf is written as .NET does: all bytes of the DER integer.
func serialOf(c *x509.Certificate) string {
	raw := c.SerialNumber.Bytes()
	if raw[0] >= 0x80 {
		raw = append([]byte{0}, raw...)
	}
	return strings.ToUpper(hex.EncodeToString(raw))
}

// with gives the same sandbox to somebody else: with a client certificate, or none, and with no token yet.
func (b *bench) with(certificates ...tls.Certificate) *bench {
	other := &bench{t: b.t, s: b.s}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(b.s.CAPEM())
	// TLS 1.2 is what a client needs that lets itself be asked by renegotiation.
	other.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS12, Certificates: certificates}}}
	b.t.Cleanup(other.http.CloseIdleConnections)
	return other
}

const tokenPath = "/WebAppApi/api/v1/AppUserToken"

func login(name, key, serial string) map[string]string {
	return map[string]string{"login": name, "password": key, "certificateSerialNumber": serial}
}

// application signs the application user in, after the person's part.
func (b *bench) application(s set) *bench {
	b.t.Helper()
	app := b.with(b.s.ClientCertificate())
	app.must("POST", tokenPath, login("NetwrixAuditor", s.key, s.serial), &app.token)
	return app
}

// trusting is integrated, after the certificate was put into the Trusted Root, but before Auditor has a plan.
func trusting(t *testing.T, o sandbox.Options) (*bench, set) {
	t.Helper()
	b := start(t, o)
	b.s.Person()
	return b, b.integrated()
}

func (b *bench) faults(names ...string) {
	b.t.Helper()
	if _, err := b.s.SetFaults(names, nil); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) clear(names ...string) {
	b.t.Helper()
	if _, err := b.s.SetFaults(nil, names); err != nil {
		b.t.Fatal(err)
	}
}

func request(changes ...string) map[string]any {
	r := map[string]any{"activityName": ourActivity, "managedResourceName": ourResource, "note": "check"}
	for i := 0; i < len(changes); i += 2 {
		r[changes[i]] = changes[i+1]
	}
	return r
}

// session is what tests look at.
type session struct {
	ID                                                             string
	Status, SessionStatus                                          int
	ActivityName, ManagedResourceName, Note, LoginAccountName      string
	CreatedBy, CreatedByDisplayName, ManagedAccountID              string
	ActualStartDateTimeUTC, ActualEndDateTimeUTC, AccessPolicyName *string
	ExpirationDateTimeUTC                                          time.Time
}

func (b *bench) look(id string) session {
	b.t.Helper()
	var v session
	b.must("GET", "/api/v1/ActivitySession/SummaryById/"+id, nil, &v)
	return v
}

func (b *bench) want(id string, status int) session {
	b.t.Helper()
	v := b.look(id)
	if v.SessionStatus != status {
		b.t.Fatalf("the session is in the state %d, want %d", v.SessionStatus, status)
	}
	return v
}

// open starts a session that waits for the clock of b to be moved.
func (b *bench) open(app *bench) string {
	b.t.Helper()
	var v session
	app.must("POST", "/api/v1/ActivitySession", request(), &v)
	return v.ID
}

func (b *bench) log(id, query string) []string {
	b.t.Helper()
	var log struct {
		Lines []struct {
			LogMessage, StatusString string
			LineNumber               int
		}
		TotalCount int
	}
	b.must("GET", "/api/v1/ActivitySession/"+id+"/Log?"+query, nil, &log)
	var texts []string
	for _, l := range log.Lines {
		texts = append(texts, l.StatusString+" "+l.LogMessage)
	}
	return texts
}

func TestSessionFromStartToEnd(t *testing.T) {
	b, s := trusting(t, sandbox.Options{SessionDelay: time.Minute})
	app := b.application(s)
	id := b.open(app)
	v := app.want(id, 0)
	if v.Status != 6 || v.ActivityName != ourActivity || v.ManagedResourceName != ourResource || v.Note != "check" || v.CreatedBy != s.user || v.ManagedAccountID != s.user || v.CreatedByDisplayName != "NetwrixAuditor" || v.ActualStartDateTimeUTC != nil {
		t.Errorf("%+v", v)
	}
	base := "/api/v1/ActivitySession/" + id
	if status, _, _ := app.do("GET", base+"/Password", nil); status != 404 {
		t.Errorf("the password of a session that is not active: %d", status)
	}
	b.later(time.Minute)
	v = app.want(id, 1)
	if v.Status != 1 || v.LoginAccountName != `CONTOSO\NetwrixAuditor` || v.ActualStartDateTimeUTC == nil || v.ActualEndDateTimeUTC != nil {
		t.Errorf("%+v", v)
	}
	var may bool
	var password string
	app.must("GET", base+"/CanViewPassword", nil, &may)
	app.must("GET", base+"/Password", nil, &password)
	if !may || password == "" || !slices.Contains(b.s.Secrets(), password) {
		t.Errorf("password readable: %v, known as a secret: %v", may, slices.Contains(b.s.Secrets(), password))
	}
	app.must("DELETE", base, nil, nil)
	app.want(id, 2)
	app.must("DELETE", base, nil, nil)
	b.later(time.Minute)
	if v = app.want(id, 3); v.Status != 4 || v.ActualEndDateTimeUTC == nil {
		t.Errorf("%+v", v)
	}
	lines := app.log(id, "skip=0&take=100")
	want := []string{
		"Session queued", "Connecting to dc01", `Creating account CONTOSO\NetwrixAuditor`, "created", "Running action 'Pre'", `Adding CONTOSO\NetwrixAuditor to group Domain Admins in domain contoso.com`,
		"Session active", "Session ended by NetwrixAuditor", "Running action 'Post'", "Removing CONTOSO", "removed", "Session complete",
	}
	for i, w := range want {
		if i >= len(lines) || !strings.Contains(lines[i], w) {
			t.Fatalf("line %d is not %q:\n%s", i, w, strings.Join(lines, "\n"))
		}
	}
	if last := app.log(id, "skip=0&take=1&orderDescending=true"); len(last) != 1 || last[0] != "Info Session complete" {
		t.Errorf("the newest line: %v", last)
	}
	if found := app.log(id, "filterText=domain%20admins&skip=0&take=10"); len(found) != 2 {
		t.Errorf("lines about the group: %v", found)
	}
	if sessions, _ := json.Marshal(b.s.State()); bytes.Contains(sessions, []byte(id)) || bytes.Contains(sessions, []byte("essionStatus")) {
		t.Error("sessions are in the state")
	}
}

func TestSessionsAreTheirOwners(t *testing.T) {
	b, s := trusting(t, sandbox.Options{SessionDelay: time.Minute})
	app := b.application(s)
	id := b.open(app)
	var found struct {
		Data         []session
		RecordsTotal int
	}
	b.must("GET", "/api/v1/ActivitySession/Search?filterText=auditor%20dom&skip=0&take=10&orderBy=createdDateTimeUtc&orderDescending=true", nil, &found)
	if found.RecordsTotal != 1 || found.Data[0].ID != id || found.Data[0].SessionStatus != 0 {
		t.Errorf("searched: %+v", found)
	}
	b.must("GET", "/api/v1/ActivitySession/Search?filterText=nobody&skip=0&take=10", nil, &found)
	if found.RecordsTotal != 0 {
		t.Errorf("searched for nobody: %+v", found)
	}
	var other map[string]any
	var key string
	b.must("POST", "/api/v1/ManagedAccount/CreateApplicationUser", map[string]any{"entityType": 2, "name": "Other", "certificateSerialNumber": s.serial}, &other)
	b.must("GET", "/api/v1/ManagedAccount/RevealApiKey/"+other["id"].(string), nil, &key)
	stranger := b.with(b.s.ClientCertificate())
	stranger.must("POST", tokenPath, login("Other", key, s.serial), &stranger.token)
	for _, call := range [][2]string{{"GET", "/api/v1/ActivitySession/SummaryById/" + id}, {"DELETE", "/api/v1/ActivitySession/" + id}, {"GET", "/api/v1/ActivitySession/" + id + "/Log?skip=0&take=10"}} {
		if status, _, _ := stranger.do(call[0], call[1], nil); status != 404 {
			t.Errorf("%s of somebody else's: %d", call[1], status)
		}
	}
	b.look(id)
	b.must("DELETE", "/api/v1/ActivitySession/"+id, nil, nil) // an administrator may
	b.later(time.Minute)
	app.want(id, 5)
}

func TestSessionIsGrantedOrRefusedInWords(t *testing.T) {
	b, s := trusting(t, sandbox.Options{SessionDelay: time.Minute})
	app := b.application(s)
	want := func(what string, body map[string]any, status int, text string) {
		t.Helper()
		got, _, raw := app.do("POST", "/api/v1/ActivitySession", body)
		if got != status || !bytes.Contains(raw, []byte(text)) {
			t.Errorf("%s: %d %s; want %d %s", what, got, raw, status, text)
		}
	}
	want("right", request("managedAccountId", s.user, "accessPolicyId", s.policy), 201, `"status":0`)
	want("other letters", request("activityName", strings.ToLower(ourActivity)), 400, "Unable to find requested activity: netwrix auditor domain admin")
	want("an activity of no policy", request("activityName", "Allow Log On Locally"), 400, "Unable to find requested activity: Allow Log On Locally")
	want("a short name", request("managedResourceName", "dc01"), 400, "Unable to find requested resource by DnsHostName")
	want("a resource of no policy", request("managedResourceName", "app01.contoso.com"), 404, "No access policy")
	want("a credential", map[string]any{"activityName": "Credential Release", "credentialUsername": "svc_na"}, 400, "Unable to find requested credential by username")
	want("for somebody else", request("managedAccountId", s.policy), 403, "oneself")
	for fault, text := range map[string]string{"activity-unknown": "requested activity: " + ourActivity, "resource-unknown": "resource by DnsHostName", "credential-unknown": "credential by username"} {
		b.faults(fault)
		want(fault, request(), 400, text)
		b.clear(fault)
	}
	b.must("PUT", "/api/v1/AccessControlPolicy/"+s.policy+"/Status?isDeleted=false&isDisabled=true", nil, nil)
	want("a disabled policy", request(), 404, "No access policy")
	b.must("PUT", "/api/v1/AccessControlPolicy/"+s.policy+"/Status?isDeleted=false&isDisabled=false", nil, nil)
	want("right again", request(), 201, "")
}

func TestSessionPasswordsAreHidden(t *testing.T) {
	b, s := trusting(t, sandbox.Options{SessionDelay: time.Minute})
	app := b.application(s)
	id := b.open(app)
	b.later(time.Minute)
	base := "/api/v1/ActivitySession/" + id
	hidden := func(what string) {
		t.Helper()
		var may bool
		app.must("GET", base+"/CanViewPassword", nil, &may)
		if status, _, _ := app.do("GET", base+"/Password", nil); status != 404 || may {
			t.Errorf("%s: %d, may %v", what, status, may)
		}
	}
	b.faults("password-hidden")
	hidden("by the fault")
	b.clear("password-hidden")
	b.faults("password-empty")
	var password string
	app.must("GET", base+"/Password", nil, &password)
	if password != "" {
		t.Error("the password is not empty")
	}
	b.clear("password-empty")
	if err := b.s.Drift("connectionProfiles", "Netwrix Auditor", map[string]any{"allowPasswordAccess": false}); err != nil {
		t.Fatal(err)
	}
	hidden("by the profile")
}

func TestSessionFaults(t *testing.T) {
	for fault, c := range map[string]struct {
		after  time.Duration
		before int // the state just before
		status int
		line   string
	}{
		"session-timeout": {10 * time.Minute, 0, 0, "Info Session queued for the Action Service"},
		"session-slow":    {45 * time.Second, 0, 1, "Warn WinRM: no answer over HTTPS from dc01.contoso.com, falling back to HTTP (port 5985)"},
		"session-fails":   {time.Second, 0, 4, "Error Unable to create New-PSSSession for dc01.contoso.com. Access is denied."},
		"winrm-shell":     {time.Second, 0, 4, "Error The WS-Management service cannot process the request. The service is configured to not accept any remote shell requests."},
		"winrm-off":       {time.Second, 0, 4, "Error Connecting to remote server dc01.contoso.com failed. The client cannot connect to the destination specified in the request. Error code 2150858770"},
		"dc-replication":  {time.Second, 0, 4, "Error The user name or password is incorrect"},
	} {
		t.Run(fault, func(t *testing.T) {
			b, s := trusting(t, sandbox.Options{SessionDelay: time.Second, Faults: []string{fault}, TokenLife: 3 * time.Hour})
			app := b.application(s)
			b.still()
			id := b.open(app)
			b.later(c.after - time.Millisecond)
			app.want(id, c.before)
			b.later(time.Millisecond)
			app.want(id, c.status)
			if lines := app.log(id, "skip=0&take=100"); !slices.Contains(lines, c.line) {
				t.Errorf("no %q in\n%s", c.line, strings.Join(lines, "\n"))
			}
			b.clear(fault)
			again := b.open(app)
			b.later(time.Second)
			app.want(again, 1)
			b.later(time.Hour)
			if v := app.look(again); v.SessionStatus != 3 && v.SessionStatus != 2 {
				t.Errorf("after its longest time: %+v", v)
			}
		})
	}
}
