package plan_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	os.Exit(m.Run())
}

// marker is a secret that must stand in no plan.
const marker = "S3CR3T~marker"

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew); got:\n%s", path, got)
	}
}

func profileRef() plan.Ref {
	return plan.Ref{Action: "connection-profile", Output: "id", What: `connection profile "Netwrix Auditor"`}
}

// everything is a plan that has every effect, every kind of operation and every member once.
func everything() plan.Plan {
	return plan.Plan{
		Guide: "auditor", Title: "Netwrix Auditor", Server: "https://nps.contoso.com:6500/", Version: "25.12.0", Identity: "NetwrixAuditor",
		Answers: map[string]string{"application.name": "NetwrixAuditor", "nps.url": "https://nps.contoso.com:6500/"}, AnswersDir: "/home/admin",
		Fingerprint: plan.FingerprintOf(map[string][]byte{"policy": []byte("null")}),
		Warnings:    []string{"the certificate of the server ends in 12 days: renew it before then, or Auditor can no longer sign in"},
		Sends:       []string{"the password of svc-nps goes to https://nps.contoso.com:6500/ and nowhere else"},
		Actions: []plan.Action{
			userAction(), profileAction(), policyAction(), restoreAction(), deleteAction(), machineAction(), manualAction(),
			madeAction(), submitAction(),
		},
	}
}

func userAction() plan.Action {
	return plan.Action{
		Key: "application-user", Step: "application-user", Effect: plan.Adopt, Object: "application user", Name: "NetwrixAuditor",
		Why: "Auditor signs in as it", Article: "Initial Setup, 7-10", Notes: []string{"it is there and as wanted; nothing is sent"},
	}
}

func profileAction() plan.Action {
	create := plan.Op{
		ID: "create", Kind: plan.KindCall, Class: plan.Change, Repeat: plan.ByName, Outputs: []plan.Output{{Name: "id", Pointer: "/id"}},
		Lookup:  &plan.Lookup{Call: plan.Call{Operation: "listProfiles", Method: "GET", Path: "/api/v1/ConnectionProfile"}, Member: "name", Value: "Netwrix Auditor", Also: []plan.Match{{Member: "kind", Value: "profile"}}},
		Assumed: "the vendor documents the object and not the call",
		Call: &plan.Call{Operation: "createProfile", Method: "POST", Path: "/api/v1/ConnectionProfile", Body: plan.Object{
			{Name: "name", Value: plan.String("Netwrix Auditor")},
			{Name: "maxSessionLength", Value: plan.Int(60)},
			{Name: "record", Value: plan.Bool(true)},
			{Name: "approvalWorkflowId", Value: plan.Null()},
		}},
	}
	return plan.Action{
		Key: "connection-profile", Step: "connection-profile", Effect: plan.Create, Object: "connection profile", Name: "Netwrix Auditor",
		Why: "it says how long a session of Auditor may last and what of it is recorded", Article: "Create a Connection Profile, 1-5",
		Difference: []plan.Difference{
			{Label: "Max Duration", Field: "maxSessionLength", To: "60"},
			{Label: "Login Account Template", Field: "template", To: "%targetDomain%\\ %samAccountName%", Mark: "match by name, not documented"},
			{Label: "Note", To: "two  blanks"},
			{Label: "Approval Workflow", Field: "approvalWorkflowId"},
		},
		Ops:        []plan.Op{create},
		Undo:       []plan.Op{{ID: "delete", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Operation: "deleteProfile", Method: "DELETE", Path: "/api/v1/ConnectionProfile/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: profileRef()}}}}},
		Assumption: "POST /api/v1/ConnectionProfile makes a connection profile; the vendor documents the object and not the call",
		Twin:       &plan.Manual{Where: "NPS, Policy > Connection Profiles", Clicks: []plan.Click{{Text: "Click “Add”."}}},
		Notes:      []string{"a copy of the profile \"Default\" with the article's settings"},
	}
}

func policyAction() plan.Action {
	id := plan.Param{Name: "policyId", Path: true, Value: plan.String("7f0c/11")}
	get := plan.Call{Operation: "getPolicy", Method: "GET", Path: "/api/v1/AccessControlPolicy/{policyId}", Params: []plan.Param{id}}
	was := plan.Object{{Name: "id", Value: plan.String("7f0c/11")}, {Name: "activityConfigurationId", Value: plan.String("aaa")}}
	return plan.Action{
		Key: "policy-resource", Step: "policy-resource", Effect: plan.Update, Object: "access policy", Name: "Netwrix Auditor (resource)",
		Difference: []plan.Difference{{Label: "Connection Profile", Field: "activityConfigurationId", From: "Default", To: "Netwrix Auditor"}},
		Ops: []plan.Op{
			{
				ID: "look", Kind: plan.KindCall, Class: plan.Read, Call: &plan.Call{
					Operation: "listMembers", Method: "GET", Path: "/api/v1/AccessControlPolicy/{policyId}/Member",
					Params: []plan.Param{id, {Name: "profile", Value: profileRef()}, {Name: "filterText", Value: plan.String("a b&c")}},
				},
			},
			{
				ID: "update", Kind: plan.KindCall, Class: plan.Change,
				Guard: &plan.Guard{Lookup: plan.Lookup{Call: get, Member: "id", Value: "7f0c/11", Deleted: true}, Want: was, Volatile: []string{"modifiedBy"}},
				Call:  &plan.Call{Operation: "updatePolicy", Method: "PUT", Path: "/api/v1/AccessControlPolicy/{policyId}", Params: []plan.Param{id}, Body: was.With("activityConfigurationId", profileRef())},
			},
		},
		Undo:  []plan.Op{{ID: "back", Kind: plan.KindCall, Class: plan.Change, Assumed: "no vendor page shows it", Call: &plan.Call{Operation: "updatePolicy", Method: "PUT", Path: "/api/v1/AccessControlPolicy/{policyId}", Params: []plan.Param{id}, Body: was}}},
		After: []string{"application-user"},
	}
}

func restoreAction() plan.Action {
	return plan.Action{
		Key: "resource/service-account", Step: "resource", Effect: plan.Restore, Object: "service account", Name: "svc-nps",
		Difference: []plan.Difference{{Label: "deleted", Field: "isDeleted", From: "true", To: "false"}},
		Ops: []plan.Op{{ID: "restore", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{
			Operation: "updateCredential", Method: "PUT", Path: "/api/v1/Credential",
			Body: plan.Object{{Name: "password", Value: plan.SecretLeaf{Name: "password of svc-nps", Secret: secret.New(marker)}}, {Name: "groups", Value: plan.Array{plan.String("<a>"), plan.Int(2)}}},
		}}},
		UndoNote: "the account is deleted again; its former password cannot be brought back",
	}
}

func deleteAction() plan.Action {
	return plan.Action{
		Key: "application-user/old-key", Step: "application-user", Effect: plan.Delete, Object: "API key", Name: "NetwrixAuditor (old)",
		Ops: []plan.Op{
			{ID: "probe", Kind: plan.KindCall, Class: plan.Probe, Call: &plan.Call{Operation: "reveal", Method: "GET", Path: "/api/v1/Key/9"}},
			{ID: "sign-in", Kind: plan.KindCall, Class: plan.Auth, Call: &plan.Call{Operation: "signIn", Method: "POST", Path: "/api/v1/UserToken"}},
			{ID: "delete", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Operation: "deleteKey", Method: "DELETE", Path: "/api/v1/Key/9"}},
		},
		UndoNote: "nothing brings a deleted key back", Consents: []string{"rotate-password", "domain-admins"},
	}
}

func machineAction() plan.Action {
	return plan.Action{
		Key: "certificate-trust", Step: "certificate-trust", Effect: plan.Create, Object: "certificate", Name: "CN=NetwrixAuditor",
		Ops: []plan.Op{
			{ID: "file", Kind: plan.KindFile, Class: plan.Change, File: &plan.File{Path: "/home/admin/trust.ps1", Mode: 0o600, Content: plan.String("Import-Certificate"), Source: "the script that trusts the certificate"}},
			{ID: "key", Kind: plan.KindFile, Class: plan.Change, File: &plan.File{Path: "/home/admin/key", Mode: 0o600, Content: plan.SecretLeaf{Name: "API key of NetwrixAuditor", Secret: secret.New(marker)}, Source: "the API key"}},
			{ID: "store", Kind: plan.KindStore, Class: plan.Change, Repeat: plan.ByName, Store: exampleStore()},
			{ID: "unstore", Kind: plan.KindStore, Class: plan.Change, Store: &plan.Store{Store: `LocalMachine\Root`, Thumbprint: "EF34", Subject: "CN=old", Remove: true}},
			{ID: "remote", Kind: plan.KindRemote, Class: plan.Change, Remote: &plan.Remote{Host: "nps.contoso.com", User: "admin", HostKey: "SHA256:abc", SignIn: "the key /home/admin/id_ed25519", Store: *exampleStore()}},
			{ID: "session", Kind: plan.KindSession, Class: plan.Change, Repeat: plan.ByMarker, Marker: "npsetup-verify", Session: exampleSession()},
		},
		Undo: []plan.Op{{ID: "unstore", Kind: plan.KindStore, Class: plan.Change, Store: &plan.Store{Store: `LocalMachine\TrustedPeople`, Thumbprint: "AB12CD", Subject: "CN=NetwrixAuditor", Remove: true}}},
	}
}

// exampleStore carries the bytes "certificate" in place of a certificate.
func exampleStore() *plan.Store {
	return &plan.Store{
		Store: "/usr/local/share/ca-certificates", Thumbprint: "735ad571c189d7ba84464bf4a9f1d2280175b128", SHA256: "03d66dd08835c1ca3f128cceacd1f31ac94163096b20f445ae84285bc0832d72",
		Subject: "CN=Contoso Root CA", Certificate: []byte("certificate"),
		Does: []string{"writes /usr/local/share/ca-certificates/npsetup-735ad571c189d7ba84464bf4a9f1d2280175b128.crt (the certificate, mode 0644)", "runs /usr/sbin/update-ca-certificates"}, Needs: "root",
	}
}

func exampleSession() *plan.Session {
	id := plan.Param{Name: "sessionId", Path: true, Value: plan.Ref{Action: "certificate-trust", Output: plan.SessionOutput, What: "the session npsetup-verify"}}
	on := func(method, operation, path string) plan.Call {
		return plan.Call{Operation: operation, Method: method, Path: "/api/v1/ActivitySession" + path, Params: []plan.Param{id}}
	}
	signIn := func(operation, path string) plan.Call {
		return plan.Call{Operation: operation, Method: "POST", Path: path, Body: plan.Object{
			{Name: "login", Value: plan.String("NetwrixAuditor")}, {Name: "password", Value: plan.SecretLeaf{Name: "API key of NetwrixAuditor"}},
		}}
	}
	return &plan.Session{
		Activity: "Netwrix Auditor Domain Admin", Resource: "dc01.contoso.com", Login: "NetwrixAuditor", Marker: "npsetup-verify", Certificate: "/home/admin/auditor.cer", PrivateKey: "/home/admin/auditor.key",
		Key:    plan.Call{Operation: "revealApiKey", Method: "GET", Path: "/api/v1/ManagedAccount/RevealApiKey/{managedAccountId}", Params: []plan.Param{{Name: "managedAccountId", Path: true, Value: plan.String("5f0c")}}},
		SignIn: signIn("signInApplication", "/WebAppApi/api/v1/AppUserToken"), Otherwise: signIn("signInApplicationShort", "/api/v1/AppUserToken"),
		Start:   plan.Call{Operation: "startSession", Method: "POST", Path: "/api/v1/ActivitySession", Body: plan.Object{{Name: "note", Value: plan.String("npsetup-verify")}}},
		Look:    on("GET", "getSession", "/SummaryById/{sessionId}"),
		CanView: on("GET", "canViewSessionPassword", "/{sessionId}/CanViewPassword"), Password: on("GET", "getSessionPassword", "/{sessionId}/Password"),
		Log: on("GET", "getSessionLog", "/{sessionId}/Log"), End: on("DELETE", "endSession", "/{sessionId}"),
		Found: plan.Lookup{Call: plan.Call{Operation: "searchSessions", Method: "GET", Path: "/api/v1/ActivitySession/Search"}, Member: "note", Value: "npsetup-verify", Patient: true},
	}
}

func manualAction() plan.Action {
	return plan.Action{
		Key: "monitoring-plan", Step: "monitoring-plan", Effect: plan.ByHand, Object: "monitoring plan", Name: "AD Monitoring", After: []string{"policy-resource"},
		Ops: []plan.Op{{ID: "manual", Kind: plan.KindManual, Class: plan.Change, Manual: &plan.Manual{
			Where: "Netwrix Auditor, on its server", Version: "NPS 25.12", Note: "menu names of NPS 25.12, the nearest to 26.1 that is known",
			Clicks: []plan.Click{
				{Text: "Open the monitoring plan “AD Monitoring” and its item contoso.com.", Lines: []string{"Enable Integration 1", "Enable Integration 2"}, Values: []plan.Labeled{{Label: "Item", Value: "contoso.com"}}},
				{Text: "Choose “Netwrix Privilege Secure” as the account, and enter the name of the access policy exactly as it is given below, because Auditor finds it by that name only.", Lines: []string{"Enable Integration 3"}},
			},
			Check: "The item shows no warning sign.", Proof: "your word: --done monitoring-plan",
			Values: []plan.Labeled{{Label: "Access policy", Value: "Netwrix Auditor (resource)"}, {Label: "Login account", Value: " %targetDomain%"}},
		}}},
	}
}
