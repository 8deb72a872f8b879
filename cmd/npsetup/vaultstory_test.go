package main

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"npsetup/assets"
	"npsetup/client/sandbox"
	"npsetup/client/sandbox/contract"
)

const (
	vaultGuide  = "password-secure"
	vaultManual = "vault-entry"
)

var readVaultContract = sync.OnceValues(func() (*contract.Checker, error) { return contract.New(assets.PasswordSecureContract) })

// newVaultSite is a site that is set up by the guide for Password Secure.
func newVaultSite(t *testing.T, o sandbox.Options) *site {
	t.Helper()
	c, err := readVaultContract()
	if err != nil {
		t.Fatal(err)
	}
	o.CheckVault = c
	st := newSite(t, o)
	st.guide = vaultGuide
	st.env["PASSWORD_SECURE_API_KEY"] = st.s.VaultKeyMade()
	return st
}

// hands lets the person do what is to be done now, and gives the step ids with commas between.
func (st *site) hands() string {
	var did []string
	for _, d := range st.person() {
		did = append(did, d.Step)
	}
	st.env["PASSWORD_SECURE_API_KEY"] = st.s.VaultKeyMade()
	return strings.Join(did, ",")
}

// reported is the line of a step in a report.
func reported(t *testing.T, report, step string) string {
	t.Helper()
	l := regexp.MustCompile(`(?m)^` + step + ` .*$`).FindString(report)
	if l == "" {
		t.Fatalf("no line of %s in\n%s", step, report)
	}
	return l
}

// TestTheVaultsJob is the story of a run from the first look to the second run that changes nothing.
func TestTheVaultsJob(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	before := st.canonical()
	p := st.do("plan", "-f", st.answers()).want(t, exitPending)
	if st.changes() != 0 || st.canonical() != before {
		t.Fatal("plan changed something")
	}
	says(t, p.out, `+ create: service account "NPS Password"`, "POST /api/v1/IntegrationConnector", "Login Account (loginAccount): Vault", `Login Account Template (loginAccountNameFormat): CONTOSO\app-admin`, "Skip Certificate Check: False",
		"Users: CONTOSO\\npsadmin", "Activities: Password Secure Logon", "Resources: app01.contoso.com", "opens a session as CONTOSO\\npsadmin", "assumed", "digest sha256:")
	for _, r := range st.s.VaultRequests() {
		if r.Class != "read" {
			t.Errorf("plan sent %s %s to Password Secure", r.Method, r.Path)
		}
	}
	first := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	for _, step := range []string{"vault-entry", "vault-verify"} {
		says(t, reported(t, first.out, step), " waiting ")
	}
	says(t, reported(t, first.out, "vault-key"), "database Contoso, user svc-nps-vault", "Password Secure takes it")
	says(t, first.err, "when it is done: npsetup resume --yes --done vault-entry\n", "the first half of the key goes there")
	if got := st.hands(); got != vaultManual {
		t.Errorf("the person did %s", got)
	}
	second := st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	says(t, reported(t, second.out, "vault-verify"), "1 the Action Service starts the activity", "2 its worker", "3 the module VaultConnector", "4 it signs in", "5 it searches", "6 the credential is found and returned")
	says(t, reported(t, second.out, "vault-entry"), "done seen: a session got the credential of CONTOSO\\app-admin")
	sent := st.changes()
	st.do("plan", "-f", st.answers()).want(t, exitOK)
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitOK)
	v := st.do("verify", "-f", st.answers()).want(t, exitOK)
	says(t, reported(t, v.out, "vault-verify"), "vault-verify proven NPS grants Password Secure Logon on app01.contoso.com to CONTOSO\\npsadmin")
	if st.changes() != sent {
		t.Errorf("%d changing requests of a second run", st.changes()-sent)
	}
	asked := 0
	for _, r := range st.s.VaultRequests() {
		if r.Class == "probe" {
			asked++
		}
	}
	if asked != 3 {
		t.Errorf("Password Secure was asked %d times for a key in three runs", asked)
	}
}

// TestTheVaultDrifts changes what another administrator can change: verify tells it, and the next run mends it.
func TestTheVaultDrifts(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	if err := st.s.Drift("activities", "Password Secure Logon", map[string]any{"loginAccountNameFormat": `CONTOSO\other`}); err != nil {
		t.Fatal(err)
	}
	v := st.do("verify").want(t, exitPending) // the one open run
	says(t, reported(t, v.out, "vault-activity"), `Login Account Template is CONTOSO\other, should be CONTOSO\app-admin`)
	st.do("resume", "--yes").want(t, exitOK)
	st.do("verify").want(t, exitOK)
	open := st.do("verify", "--session", "--yes").want(t, exitOK)
	says(t, open.err, `opens a session as CONTOSO\npsadmin`)
	if left := st.s.OpenSessions(); len(left) > 0 {
		t.Errorf("sessions are left open: %v", left)
	}
}

// TestANewKeyReachesTheServiceAccount: another key in the answers is written, the same one never again.
func TestANewKeyReachesTheServiceAccount(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	if _, err := st.s.SetFaults([]string{"key-deleted"}, nil); err != nil {
		t.Fatal(err)
	}
	refused := st.do("verify", "--session", "--yes").want(t, exitFailed)
	says(t, refused.err, "Password Secure refuses the API key", "the API key was deleted")
	if got := st.hands(); got != "vault-key" {
		t.Errorf("the person did %s", got)
	}
	p := st.do("plan").want(t, exitPending)
	says(t, p.out, `~ update: service account "NPS Password"`, "the key that it had before is known to nobody here")
	r := st.do("resume", "--yes", "--done", "vault-key").want(t, exitOK)
	says(t, reported(t, r.out, "service-account"), "service-account done ")
	st.do("plan").want(t, exitOK)
}
