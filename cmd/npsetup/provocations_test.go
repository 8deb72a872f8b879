package main

import (
	"context"
	"crypto/x509/pkix"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/problem"
)

// provocations bring the published failures about, by a fault of the sandbox, by what somebody changed there, or by this machine.
func provocations(w *whole) []provoked {
	list := []provoked{
		{1, "the plan names an unknown credential", collected("plan-credential"), "", exitFailed},
		{1, "a session asks for an unknown credential", w.opened("credential-unknown"), "", exitFailed},
		{2, "the plan names the resource by its short name", collected("plan-resource"), "", exitFailed},
		{2, "a session asks for an unknown resource", w.opened("resource-unknown"), "", exitFailed},
		{3, "the plan names the activity in other letters", collected("plan-activity"), "", exitFailed},
		{3, "a session asks for an unknown activity", w.opened("activity-unknown"), "", exitFailed},
		{4, "another serial number", w.opened("client-serial"), "", exitFailed},
		{4, "an expired certificate", w.opened("client-expired"), problem.ClientCertificateExpired, exitFailed},
		{4, "what Auditor logs of a 403", collected("client-untrusted"), problem.ClientCertificateNotTrusted, exitFailed},
		{5, "a session that stays pending", waited("session-timeout"), "", exitFailed},
		{6, "the waiting time of Auditor", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			st.onAuditor("300")
			return st, st.do("doctor")
		}, "", exitOK},
		{7, "a credential-based collection takes too long", collected("credential-expires"), "", exitFailed},
		{8, "a resource-based collection takes too long", func(t *testing.T) (*site, result) {
			st, _ := waiting(t)
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			st.faulted("session-expires")
			st.person()
			st.do("apply", "-f", st.answers(), "--yes", "--done", allManual)
			return st, st.do("verify", "-f", st.answers())
		}, "", exitOK},
		{9, "somebody ends Auditor's session", collected("session-terminated"), "", exitFailed},
		{10, "a domain controller does not know the account", w.opened("dc-replication"), "", exitFailed},
		{10, "the same in Auditor's log", collected("dc-replication"), "", exitFailed},
		{11, "a blank in the application name", examinedWith("name: NetwrixAuditor", "name: Netwrix Auditor"), "", exitFailed},
		{12, "Entra ID with modern authentication and a resource-based policy", examinedWith("kind: resource", "kind: resource", "\nmonitoringPlan:\n", "\nmonitoringPlan:\n  dataSource: entra-id-modern\n"), "", exitFailed},
		{13, "500 at the sign-in of the application user", w.opened("application-500"), "", exitFailed},
		{13, "a version that is too old", examined("old-version"), problem.VersionTooOld, exitFailed},
		{14, "the API key at the administrators' sign-in", func(t *testing.T) (*site, result) {
			st := complete(t)
			return st, asApplication(st, "")
		}, "", exitRefused},
	}
	return slices.Concat(list, serverProvocations(w), otherProvocations(w), accountProvocations(), vaultProvocations(), vaultSessionProvocations())
}

func serverProvocations(w *whole) []provoked {
	return []provoked{
		{15, "WinRM falls back to http", waited("session-slow"), "", exitOK},
		{15, "5985 is open and 5986 is not", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			st.controllers("5985")
			return st, st.do("doctor", "-f", st.answers())
		}, "", exitOK},
		{16, "the binding has another certificate", examinedWith("trust: pin:sha256:", "trust: pin:sha256:"+strings.Repeat("0", 64)+" #"), "", exitFailed},
		{17, "the certificate names another host", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			st.network.Hosts = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
			u, err := url.Parse(st.s.URL())
			if err != nil {
				t.Fatal(err)
			}
			return st, st.do("doctor", "--url", "https://nps2.contoso.com:"+u.Port()+"/")
		}, "", exitFailed},
		{18, "a certificate that is not self-signed", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			issued := auditorCertificate()
			issued.Issuer = pkix.Name{CommonName: "Contoso CA"}
			certificateFile(t, st.dir, 1, false, issued)
			return st, st.do("doctor", "-f", st.edited("file:auditor-client.cer", "file:other.cer", "  key: file:auditor-client.key\n", ""))
		}, "", exitFailed},
		{19, "the issuer is not in Trusted Root", w.opened("client-untrusted"), "", exitFailed},
		{20, "IIS asks for the certificate after the handshake", w.opened("client-late"), "", exitFailed},
		{20, "IIS gets no certificate", w.opened("client-not-asked"), problem.ClientCertificateNotAsked, exitFailed},
		{21, "a slow handshake", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			at := time.Now()
			st.now = func() time.Time { at = at.Add(11 * time.Second); return at } // each look at the clock takes its time
			return st, st.do("doctor", "--url", st.s.URL())
		}, "", exitFailed},
		{22, "clocks that differ", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			st.now = func() time.Time { return time.Now().Add(5 * time.Minute) }
			return st, st.do("doctor", "-f", st.answers())
		}, "", exitFailed},
		{22, "a code that is refused since clocks differ", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			st.now = func() time.Time { return time.Now().Add(5 * time.Minute) }
			return st, st.do("doctor", "-f", st.answers())
		}, problem.MFARefused, exitFailed},
		{24, "the key that signs tokens was renewed", examined("keys-renewed"), "", exitFailed},
		{25, "the hosting bundle is damaged", examined("hosting"), "", exitFailed},
		{26, "WebDAV", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{Faults: []string{"webdav"}})
			return st, st.do("apply", "-f", st.answers(), "--yes")
		}, "", exitFailed},
		{27, "a domain that ends in .ad", examinedWith("[dc01.contoso.com]", "[dc01.contoso.ad]"), "", exitFailed},
		{28, "a service is stopped", examined("unhealthy"), "", exitOK},
		{30, "the application pool is stopped", examined("pool-stopped"), "", exitFailed},
		{31, "the licence has expired", examined("expired-licence"), "", exitFailed},
	}
}

func otherProvocations(w *whole) []provoked {
	return []provoked{
		{32, "LDAP over TLS is closed", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			st.controllers("389", "9389", "5985", "5986")
			return st, st.do("doctor", "-f", st.answers())
		}, "", exitOK},
		{34, "a host that NPS does not know", examinedWith("[dc01.contoso.com]", "[dc77.contoso.com]"), "", exitFailed},
		{36, "the resource accepts no remote shell", w.opened("winrm-shell"), "", exitFailed},
		{37, "WinRM does not answer NPS", w.opened("winrm-off"), problem.WinRMRefused, exitFailed},
		{37, "WinRM is closed", examinedWith("maxDuration: 60", "maxDuration: 60"), "", exitOK},
		{38, "access is denied on the resource", w.opened("session-fails"), "", exitFailed},
		{39, "WinRM is marked as disabled", func(t *testing.T) (*site, result) {
			st := complete(t)
			if err := st.s.Drift("resources", "dc01.contoso.com", map[string]any{"disableWinRm": true}); err != nil {
				t.Fatal(err)
			}
			return st, st.do("doctor", "-f", st.answers())
		}, "", exitOK},
		{43, "what Auditor's failed session tells doctor", func(t *testing.T) (*site, result) {
			st, _ := waiting(t)
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			st.faulted("session-fails")
			st.person()
			return st, st.do("doctor", "-f", st.answers())
		}, "", exitFailed},
		{45, "the password of a session is not shown", func(t *testing.T) (*site, result) {
			st := complete(t)
			st.faulted("password-hidden")
			st.do("verify", "-f", st.answers(), "--session", "--yes")
			return st, st.do("doctor", "-f", st.answers())
		}, "", exitOK},
		{45, "the profile shows no password", func(t *testing.T) (*site, result) {
			st := complete(t)
			if err := st.s.Drift("connectionProfiles", "Netwrix Auditor", map[string]any{"allowPasswordAccess": false}); err != nil {
				t.Fatal(err)
			}
			return st, st.do("doctor", "-f", st.answers())
		}, problem.DiffersFromGuide, exitFailed},
	}
}

// vaultProvocations are those of Password Secure.
func vaultProvocations() []provoked {
	vault := func(fault, expect string, key func(*site) string) func(*testing.T) (*site, result) {
		return func(t *testing.T) (*site, result) {
			o := sandbox.Options{}
			if fault != "" {
				o.Faults = []string{fault}
			}
			st := newSite(t, o)
			st.env["PS_KEY"] = key(st)
			trust := "pin:" + st.s.VaultPin()
			if expect == "system" {
				trust = "system"
			}
			return st, st.do("doctor", "--password-secure", st.s.VaultURL(), "--password-secure-trust", trust, "--api-key", "env:PS_KEY")
		}
	}
	made := func(st *site) string { return st.s.VaultKeyMade() }
	return []provoked{
		{46, "Password Secure does not listen", func(t *testing.T) (*site, result) {
			st := newSite(t, sandbox.Options{})
			return st, st.do("doctor", "--password-secure", "https://127.0.0.1:1/")
		}, "", exitFailed},
		{46, "the service behind the Web Application is down", vault("vault-down", "", made), problem.VaultServiceDown, exitFailed},
		{47, "Password Secure shows its own certificate", vault("vault-self-signed", "system", made), "", exitFailed},
		{50, "the API key has expired", vault("key-expired", "", made), "", exitFailed},
		{51, "the API key was deleted", vault("key-deleted", "", made), "", exitFailed},
		{51, "the API key is cut", vault("", "", func(st *site) string { token, _, _ := strings.Cut(made(st), ":"); return token }), problem.VaultKeyMalformed, exitFailed},
	}
}
