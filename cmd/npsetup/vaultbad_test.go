package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestHowAVaultSessionFails: each way in which no credential comes has its own words and its own way out, and none is taken for another.
func TestHowAVaultSessionFails(t *testing.T) {
	t.Parallel()
	for fault, want := range map[string]struct{ what, next string }{
		"vault-null":        {`Password Secure has no entry CONTOSO\app-admin for this key (null)`, "compare Domain and Username"},
		"vault-several":     {`Password Secure has several entries CONTOSO\app-admin`, "leave one of them"},
		"vault-seal":        {`the entry CONTOSO\app-admin asks for more than NPS gives`, "except the user of the API key"},
		"vault-refused":     {"Password Secure refuses the API key", "make a new key"},
		"vault-unreachable": {"NPS does not reach Password Secure", "DNS, firewall and proxy"},
		"vault-untrusted":   {"NPS does not trust the certificate of Password Secure", "Trusted Root"},
		"vault-dll":         {"the software kit in NPS does not fit this Password Secure", `C:\Program Files\Stealthbits\PAM\ActionServiceWorker\PsrApi`},
		"session-fails":     {"NPS may not do on the resource what the activity asks for", "service account"},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			st := newVaultSite(t, sandbox.Options{})
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			st.hands()
			if _, err := st.s.SetFaults([]string{fault}, nil); err != nil {
				t.Fatal(err)
			}
			r := st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitFailed)
			said := reported(t, r.out, "vault-verify") + "\n" + r.err
			says(t, said, "vault-verify failed ", want.what, want.next)
			if fault != "session-fails" {
				says(t, reported(t, r.out, "vault-verify"), "1 the Action Service starts the activity, 2 its worker asks for the credential")
			}
			if left := st.s.OpenSessions(); len(left) > 0 {
				t.Errorf("sessions are left open: %v", left)
			}
			// What failed is tried again, and proven once its cause is gone.
			if _, err := st.s.SetFaults(nil, []string{fault}); err != nil {
				t.Fatal(err)
			}
			v := st.do("verify").code
			if v != exitPending {
				t.Errorf("verify ends with %d", v)
			}
			again := st.do("resume", "--yes").want(t, exitOK)
			says(t, reported(t, again.out, "vault-verify"), "6 the credential is found and returned")
		})
	}
}

// TestNullIsNoOtherFailure looks at an entry that a person has not made, or that the key may not read: the session becomes active.
func TestNullIsNoOtherFailure(t *testing.T) {
	st := newVaultSite(t, sandbox.Options{})
	r := st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitFailed) // a word alone makes no entry
	says(t, reported(t, r.out, "vault-verify"), "5 it searches", "7 it is not found: null is returned", "(null)", "no entry found for CONTOSO\\app-admin")
	says(t, reported(t, r.out, "vault-entry"), "said to be done; nothing can be read back")
}

// TestWhatIsJudgedBeforeAnything: nothing is changed where the vault could not work.
func TestWhatIsJudgedBeforeAnything(t *testing.T) {
	for fault, words := range map[string][]string{
		"before-25.12":        {"this server is NPS 4.2.00001", "25.12 or newer"},
		"no-template":         {"NPS has no connector template Password Secure", "from NPS 25.12 on"},
		"profile-no-password": {`the connection profile "Default" gives users no password`, "accessPolicy.connectionProfile"},
		"key-expired":         {"the API key of Password Secure has expired", "5. Choose “Next” and copy the key"},
	} {
		st := newVaultSite(t, sandbox.Options{Faults: []string{fault}})
		r := st.do("apply", "-f", st.answers(), "--yes")
		if r.code != exitFailed && r.code != exitUsage {
			t.Errorf("%s: exit %d", fault, r.code)
		}
		says(t, r.err, words...)
		if st.changes() != 0 {
			t.Errorf("%s: something was changed", fault)
		}
	}
}

// TestVaultAnswersThatCannotBe: mistakes in the answers are told before anything is changed, most before anything is sent.
func TestVaultAnswersThatCannotBe(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	for name, c := range map[string]struct {
		from, to string
		words    []string
	}{
		"http":        {"  url: " + st.s.VaultURL(), "  url: http://ps.contoso.com/", []string{"without TLS the API key"}},
		"old":         {"version: '9.2'", "version: '9.1.7'", []string{"Password Secure 9.1.7 is too old"}},
		"no version":  {"version: '9.2'", "version: latest", []string{"not a version"}},
		"template":    {`loginAccountTemplate: 'CONTOSO\app-admin'`, "loginAccountTemplate: app-admin", []string{`DOMAIN\user`}},
		"entry":       {"user: app-admin}", `user: 'CONTOSO\app-admin'}`, []string{"on their own"}},
		"user":        {`users: ['CONTOSO\npsadmin']`, "users: [nobody]", []string{`NPS has no user or group "nobody"`}},
		"resource":    {"app01.contoso.com", "app77.contoso.com", []string{"app77.contoso.com is no resource of NPS"}},
		"platform":    {"platform: Windows", "platform: Linux", []string{"app01.contoso.com has the platform Windows, and the activity Linux"}},
		"no platform": {"platform: Windows", "platform: Amiga", []string{`NPS has no platform "Amiga"`}},
		"profile":     {"connectionProfile: Default", "connectionProfile: Strict", []string{`NPS has no connection profile "Strict"`, "Default"}},
		"risk":        {"skipCertificateCheck: false", "skipCertificateCheck: true", []string{"vault-tls"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := st.do("plan", "-f", st.edited(c.from, c.to))
			if c.words != nil && r.code != exitFailed && r.code != exitUsage {
				t.Errorf("exit %d:\n%s", r.code, r.err)
			}
			says(t, r.err, c.words...)
		})
	}
	delete(st.env, "PASSWORD_SECURE_API_KEY")
	r := st.do("plan", "-f", st.answers()).want(t, exitUsage)
	says(t, r.err, "PASSWORD_SECURE_API_KEY", "2. Open “Tools > API Keys”", "5. Choose “Next” and copy the key")
	for _, cut := range []string{"", "S3CR3T", st.s.VaultKeyMade()[:60]} {
		st.env["PASSWORD_SECURE_API_KEY"] = cut
		r := st.do("plan", "-f", st.answers()).want(t, exitUsage)
		if n := strings.Count(r.err, "next: "); cut != "" && (n == 0 || n > 2 || strings.Count(r.err, "npsetup: ") != 1) {
			t.Errorf("not one cause with one or two steps:\n%s", r.err)
		}
		if cut != "" && strings.Contains(r.out+r.err, cut) {
			t.Errorf("a piece of the key is shown:\n%s", r.err)
		}
	}
}

// TestTheLookAtTheVaultStopsNothing: what this machine sees of Password Secure is told, and NPS decides.
func TestTheLookAtTheVaultStopsNothing(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{Faults: []string{"vault-refused"}})
	r := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	says(t, unwrapped(r.err), "warning: what Password Secure says of the key: it refuses the key", "(code: vault-key-refused)")
	says(t, reported(t, r.out, "vault-key"), "whether Password Secure takes it: it refuses the key")

	away := newVaultSite(t, sandbox.Options{})
	elsewhere := away.edited("  url: "+away.s.VaultURL(), "  url: https://localhost:1/")
	for _, format := range []string{"text", "json", "markdown"} {
		r := away.do("plan", "-f", elsewhere, "--output", format).want(t, exitPending)
		says(t, unwrapped(r.out), "Password Secure, seen from here: there is no connection to Password Secure", "(code: vault-not-reachable)")
		if strings.Contains(r.err, "note: Password Secure") {
			t.Errorf("%s: it is told twice:\n%s", format, r.err)
		}
	}
	r = away.do("plan", "-f", elsewhere, "--output", "curl").want(t, exitPending) // a script shows no warnings
	says(t, unwrapped(r.err), "note: Password Secure, seen from here: there is no connection to Password Secure", "(code: vault-not-reachable)")
	r = away.do("apply", "-f", elsewhere, "--yes").want(t, exitPerson)
	says(t, unwrapped(r.err), "warning: Password Secure, seen from here: there is no connection to Password Secure")
	says(t, reported(t, r.out, "vault-server"), "as answered: https://localhost:1/api/; from here: there is no connection")

	strange := newVaultSite(t, sandbox.Options{})
	r = strange.do("plan", "-f", strange.edited("trust: pin:"+strange.s.VaultPin(), "trust: system")).want(t, exitPending)
	says(t, unwrapped(r.out), "passwordSecure.trust to pin:sha256:", "certutil -addstore -f Root FILE.cer", "(code: vault-not-trusted)")

	pinned := newVaultSite(t, sandbox.Options{})
	r = pinned.do("apply", "-f", pinned.edited("trust: pin:"+pinned.s.VaultPin(), "trust: pin:sha256:"+strings.Repeat("0", 64)), "--yes").want(t, exitFailed)
	says(t, r.err, "the certificate of Password Secure is not the pinned one", pinned.s.VaultPin())

	off := newVaultSite(t, sandbox.Options{})
	r = off.do("apply", "-f", off.edited("  entry:", "  checkKey: false\n  entry:"), "--yes").want(t, exitPerson)
	says(t, reported(t, r.out, "vault-key"), "it was not asked: passwordSecure.checkKey is false")
	for _, q := range off.s.VaultRequests() {
		if q.Class == "probe" {
			t.Error("it was asked all the same")
		}
	}
}

// TestASessionOfSomebodyElse: who is no user of the policy opens none, and a user of it is asked to.
func TestASessionOfSomebodyElse(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	file := st.edited(`users: ['CONTOSO\npsadmin']`, "users: [NPS Administrators]")
	st.do("apply", "-f", file, "--yes").want(t, exitPerson)
	st.hands()
	r := st.do("resume", "--yes", "--done", vaultManual).want(t, exitPerson)
	says(t, reported(t, r.out, "vault-verify"), "waiting the policy is there; no session of the activity was seen yet: let a user of the policy start it once")
	says(t, r.err, "Start the activity Password Secure Logon on app01.contoso.com")
	none := st.do("verify", "--session", "--yes").want(t, exitUsage)
	says(t, none.err, "no session can be opened from here", "accessPolicy.users", "npsetup verify --watch 10m")
}

// TestAddressesOfTheVault: every form that an address can have leads to the API URL that the connector takes.
func TestAddressesOfTheVault(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	web, direct := st.s.VaultURL(), st.s.VaultDirectURL()
	for given, want := range map[string]string{
		web: web + "api/", strings.TrimSuffix(web, "/"): web + "api/", web + "api": web + "api/", web + "api/": web + "api/", web + "api/api/": web + "api/",
		strings.TrimPrefix(web, "https://"): web + "api/", direct: direct, strings.TrimSuffix(direct, "/"): direct,
	} {
		p := st.do("plan", "-f", st.edited("  url: "+web+"\n", "  url: "+given+"\n")).want(t, exitPending)
		says(t, strings.Join(strings.Fields(p.out), " "), "API URL: "+want+" ")
	}
}

// TestSkipCertificateCheck is off unless the risk is accepted by name; then it is written, shown and reported as open.
func TestSkipCertificateCheck(t *testing.T) {
	st := newVaultSite(t, sandbox.Options{Faults: []string{"vault-self-signed"}})
	file := st.edited("skipCertificateCheck: false", "skipCertificateCheck: true", "  url: "+st.s.VaultURL(), "  url: "+strings.Replace(st.s.VaultURL(), "127.0.0.1", "localhost", 1))
	says(t, st.do("plan", "-f", file).want(t, exitUsage).err, "vault-tls", "anyone in between can read the key")
	p := st.do("plan", "-f", file, "--accept-risk", "vault-tls").want(t, exitPending)
	says(t, p.out, "Skip Certificate Check: True", "accepted vault-tls")
	r := st.do("apply", "-f", file, "--accept-risk", "vault-tls", "--yes").want(t, exitPerson)
	says(t, reported(t, r.out, "connector"), "Skip Certificate Check on: an open risk (vault-tls)")
}

// TestKeyOfTheVault hands over the key that the answers refer to, where a person asks for it, and asks nobody for it.
func TestKeyOfTheVault(t *testing.T) {
	st := newVaultSite(t, sandbox.Options{})
	to := filepath.Join(t.TempDir(), "key")
	st.do("key", "-f", st.answers(), "--to", to).want(t, exitOK)
	raw, err := os.ReadFile(to)
	if info, statErr := os.Stat(to); err != nil || statErr != nil || info.Mode().Perm() != 0o600 || strings.TrimSpace(string(raw)) != st.s.VaultKeyMade() {
		t.Errorf("%v: %d bytes that are not the key", err, len(raw))
	}
	if n := len(st.s.Requests()) + len(st.s.VaultRequests()); n != 0 {
		t.Errorf("%d requests", n)
	}
	st.do("key", "-f", st.answers(), "--to", to).want(t, exitFailed) // an existing file stays
}

// TestAChangedConnectorGoesBackByHand: a write takes all its settings, and a read may lack some. The former values are named, and what the server
// shows decides whether it was done.
func TestAChangedConnectorGoesBackByHand(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes", "--accept-risk", "vault-tls", "--set", "connector.skipCertificateCheck=true", "--set", "connector.description=old").want(t, exitPerson)
	st.hands()
	st.state = t.TempDir() // another run
	st.do("apply", "-f", st.answers(), "--yes", "--set", "connector.description=new")
	says(t, st.canonical(), `"SkipCertificateCheck": "false"`)
	sent := st.changes()
	r := st.do("undo", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitPerson)
	says(t, unwrapped(r.err), "open “Configuration” > “Integration Connectors” and choose NPS Password", "set “Skip Certificate Check” back to True", "set “Connector Description” back to old")
	if st.changes() != sent || strings.Contains(r.err, "API URL") {
		t.Errorf("%d calls changed something:\n%s", st.changes()-sent, r.err)
	}
}
