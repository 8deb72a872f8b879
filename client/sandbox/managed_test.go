package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// account reads an account of CONTOSO as the search for credentials shows it.
func (b *bench) account(name string) map[string]any {
	b.t.Helper()
	var found tableOf
	b.must("GET", "/api/v1/Credential/Search?filterText="+name+"&managedType=-1&credentialType=-1&managedFilter=-1&skip=0&take=50", nil, &found)
	for _, r := range found.Data {
		if r["userName"] == name && r["domain"] == "CONTOSO" {
			return r
		}
	}
	b.t.Fatalf("no account %s", name)
	return nil
}

func (b *bench) refused(method, path string, body any, status int, words string) {
	b.t.Helper()
	if got, _, raw := b.do(method, path, body); got != status || !strings.Contains(string(raw), words) {
		b.t.Errorf("%s %s: %d %s, want %d %q", method, path, got, raw, status, words)
	}
}

const (
	managePath = "/api/v1/ManagedUser"
	rotatePath = "/api/v1/ManagedUser/RotateAccounts"
)

// TestARotationTakesTime: managed, an account has no password before its first rotation is over; then it has a credential.
func TestARotationTakesTime(t *testing.T) {
	b := start(t, sandbox.Options{SessionDelay: time.Minute}).signIn()
	b.still()
	a := b.account("svc-auditor")
	if a["rotationType"] != 0.0 || a["passwordStatus"] != 0.0 || a["credentialId"] != nil || a["lastPasswordChangeDateTimeUtc"] != nil {
		t.Errorf("at first: %v", a)
	}
	b.refused("POST", rotatePath, map[string]any{"ids": []any{a["id"]}}, 400, "no managed account")
	manage := map[string]any{"userId": a["id"], "credentialId": nil, "managedType": 2}
	b.must("POST", managePath, manage, nil)
	b.refused("POST", managePath, manage, 400, "managed already")
	b.refused("POST", managePath, map[string]any{"userId": b.account("svc-sql")["id"], "managedType": 2}, 400, "dependents")
	if a := b.account("svc-auditor"); a["rotationType"] != 2.0 || a["passwordStatus"] != 0.0 {
		t.Errorf("managed: %v", a)
	}
	b.must("POST", rotatePath, map[string]any{"ids": []any{a["id"]}}, nil)
	if a := b.account("svc-auditor"); a["passwordStatus"] != 2.0 || a["credentialId"] != nil {
		t.Errorf("on its way: %v", a)
	}
	b.later(61 * time.Second)
	done := b.account("svc-auditor")
	if done["passwordStatus"] != 1.0 || done["credentialId"] == nil || done["credentialId"] == done["id"] || done["lastPasswordChangeDateTimeUtc"] == nil {
		t.Errorf("rotated: %v", done)
	}
	secrets := 0
	for _, s := range b.s.Secrets() {
		if strings.HasPrefix(s, "S3CR3T-rotated-") {
			secrets++
		}
	}
	if secrets != 1 {
		t.Errorf("%d passwords", secrets)
	}
}

// TestRotationsThatGoWrong end as the fault says.
func TestRotationsThatGoWrong(t *testing.T) {
	for fault, want := range map[string]float64{"rotation-fails": 4, "rotation-mismatch": 5, "rotation-stuck": 2, "manage-rotates": 1} {
		b := start(t, sandbox.Options{SessionDelay: 1, Faults: []string{fault}}).signIn()
		a := b.account("svc-auditor")
		b.must("POST", managePath, map[string]any{"userId": a["id"], "managedType": 2}, nil)
		if fault != "manage-rotates" {
			b.must("POST", rotatePath, map[string]any{"ids": []any{a["id"]}}, nil)
		}
		b.later(time.Minute)
		if got := b.account("svc-auditor")["passwordStatus"]; got != want {
			t.Errorf("%s: status %v, want %v", fault, got, want)
		}
	}
}

// lending sets up a credential-based policy, and gives the application user's token holder and the policy.
func (b *bench) lending() (policy map[string]any) {
	b.t.Helper()
	s := b.integrated()
	a := b.account("svc-auditor")
	b.must("POST", managePath, map[string]any{"userId": a["id"], "managedType": 2}, nil)
	b.must("POST", rotatePath, map[string]any{"ids": []any{a["id"]}}, nil)
	b.later(time.Minute)
	b.must("POST", "/api/v1/AccessControlPolicy", map[string]any{"name": "Netwrix Auditor (credential)", "policyType": 1, "activityConfigurationId": s.profile}, &policy)
	root := "/api/v1/AccessControlPolicy/" + policy["id"].(string)
	b.must("PUT", root+"/ManagedAccount", []any{map[string]any{"id": s.user, "entityType": 2}}, nil)
	var found tableOf
	b.must("GET", "/api/v1/AccessControlPolicy/SearchCredentialCandidates/"+policy["id"].(string)+"?filterText=svc-auditor&skip=0&take=10", nil, &found)
	if len(found.Data) != 1 || found.Data[0]["username"] != "svc-auditor" || found.Data[0]["domain"] != "CONTOSO" || found.Data[0]["entityType"] != 0.0 || found.Data[0]["id"] != b.account("svc-auditor")["credentialId"] {
		b.t.Fatalf("the candidates are %v", found.Data)
	}
	b.must("PUT", root+"/Credential", []any{map[string]any{"id": found.Data[0]["id"], "entityType": 0}}, nil)
	b.refused("PUT", root+"/Activity", []any{map[string]any{"id": pick(b.t, b.list("/api/v1/Activity"), "name", ourActivity)["id"], "entityType": 0}}, 400, "type of the policy")
	b.must("GET", "/api/v1/AccessControlPolicy/SearchCredentials/"+policy["id"].(string)+"?filterText=&skip=0&take=10", nil, &found)
	if len(found.Data) != 1 || found.Data[0]["userId"] != a["id"] {
		b.t.Errorf("the members are %v", found.Data)
	}
	b.must("GET", "/api/v1/AccessControlPolicy/SearchCredentialCandidates/"+policy["id"].(string)+"?filterText=svc-auditor&skip=0&take=10", nil, &found)
	if len(found.Data) != 0 {
		b.t.Errorf("a member is a candidate: %v", found.Data)
	}
	return policy
}

// TestACredentialIsLent: Auditor gets the rotated password by the user name, and nobody else's.
func TestACredentialIsLent(t *testing.T) {
	b := start(t, sandbox.Options{SessionDelay: 1})
	b.lending()
	if did := b.person(); did != "auditor-start certificate-trust auditor-key monitoring-plan" {
		t.Errorf("the person did %s", did)
	}
	for _, e := range b.events(2) { // one of each kind of policy
		if e.ID != 0 {
			t.Errorf("%+v", e)
		}
	}
	var names []string
	for _, r := range b.s.AuditorRequests() {
		var asked struct{ ActivityName, CredentialUsername string }
		if r.Method == "POST" && json.Unmarshal(r.Body, &asked) == nil && asked.ActivityName != "" {
			names = append(names, asked.ActivityName+" "+asked.CredentialUsername)
		}
	}
	if got := strings.Join(names, ", "); got != ourActivity+" , Credential Release svc-auditor" {
		t.Errorf("Auditor asked for %s", got)
	}
	for name, words := range map[string]string{"svc-files": "Unable to find requested credential by username", "svc-auditor-test": "Unable to find requested credential by username"} {
		b.refused("POST", "/api/v1/ActivitySession", map[string]any{"activityName": "Credential Release", "credentialUsername": name}, 400, words)
	}
	b.refused("POST", "/api/v1/ActivitySession", map[string]any{"activityName": "Other", "credentialUsername": "svc-auditor"}, 400, "Unable to find requested activity")
}

func TestMoreAccountsOnRequest(t *testing.T) {
	b := start(t, sandbox.Options{Accounts: 30}).signIn()
	var found tableOf
	b.must("GET", "/api/v1/Credential/Search?filterText=acct&managedType=-1&credentialType=-1&managedFilter=1&skip=0&take=100", nil, &found)
	if found.RecordsTotal != 30 {
		t.Errorf("%d accounts", found.RecordsTotal)
	}
}
