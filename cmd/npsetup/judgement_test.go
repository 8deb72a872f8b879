package main

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/problem"
)

// vaultComplete sets Password Secure up to the end.
func vaultComplete(t *testing.T) *site {
	t.Helper()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	return st
}

// outcomes lists the outcome and the code of each check of a group, by name.
func (s sheet) outcomes(group string) map[string]string {
	found := map[string]string{}
	for _, c := range s.Checks {
		if c.Group == group {
			found[c.Name] += strings.TrimSpace(c.Outcome+" "+c.Code) + ";"
		}
	}
	return found
}

// TestDoctorNamesTheCauseOfAVaultSession: by its code, as a fault, with what to do.
func TestDoctorNamesTheCauseOfAVaultSession(t *testing.T) {
	t.Parallel()
	st := vaultComplete(t)
	for fault, code := range map[string]problem.Code{
		"vault-null": problem.VaultEntryNotFound, "vault-several": problem.VaultEntryAmbiguous, "vault-seal": problem.VaultEntryProtected,
		"vault-refused": problem.VaultKeyRefused, "vault-unreachable": problem.VaultNotReachable, "session-fails": problem.RemoteAccessDenied,
	} {
		st.faulted(fault)
		st.do("verify", "-f", st.answers(), "--session", "--yes").want(t, exitFailed)
		if _, err := st.s.SetFaults(nil, []string{fault}); err != nil {
			t.Fatal(err)
		}
		v := st.do("verify", "-f", st.answers()).want(t, exitPending)
		says(t, reported(t, v.out, "vault-verify"), "vault-verify differs ", "(code: "+string(code)+")")
		s := st.examine(exitFailed, "-f", st.answers())
		if got := s.find("vault-verify"); !strings.HasPrefix(got, "fault: ") || !strings.HasSuffix(got, " "+string(code)) {
			t.Errorf("%s: doctor says %s", fault, got)
		}
		for _, c := range s.Checks {
			if c.Name == "vault-verify" && len(c.Remedy) == 0 {
				t.Errorf("%s: doctor names no remedy", fault)
			}
		}
	}
}

// TestDoctorBeforeTheSetUp: what is not there yet is no finding; once it was, it is.
func TestDoctorBeforeTheSetUp(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	for _, kind := range []string{"credential", "both"} {
		s := st.examine(exitOK, "-f", st.credentialAnswers(kind), "--accept-risk", "rotate-password")
		for _, name := range []string{"application-user", "managed-credential", "policy-credential", "verify", "monitoring-plan"} {
			if got := s.find(name); !strings.HasPrefix(got, "not yet: ") {
				t.Errorf("%s: of %s it says %s", kind, name, got)
			}
		}
		for _, c := range s.Checks {
			if c.Outcome == "not yet" && (len(c.Remedy) > 0 || c.Code != "") {
				t.Errorf("%s: %s is told as a finding: %+v", kind, c.Name, c)
			}
		}
	}
	vault := newVaultSite(t, sandbox.Options{})
	if got := vault.examine(exitOK, "-f", vault.answers()).find("connector"); !strings.HasPrefix(got, "not yet: ") {
		t.Errorf("of the connector it says %s", got)
	}
	done := complete(t)
	if err := done.s.Drift("policies", "Netwrix Auditor (resource)", map[string]any{"isDeleted": true}); err != nil {
		t.Fatal(err)
	}
	if got := done.examine(exitFailed, "-f", done.answers()).find("policy-resource"); !strings.HasPrefix(got, "fault: ") {
		t.Errorf("of a policy that is gone it says %s", got)
	}
}

// TestDoctorAfterARotation names the code of what NPS shows of the account.
func TestDoctorAfterARotation(t *testing.T) {
	t.Parallel()
	for fault, code := range map[string]problem.Code{"rotation-fails": problem.CredentialMismatch, "rotation-mismatch": problem.CredentialMismatch} {
		st := newSite(t, sandbox.Options{Faults: []string{fault + "@1"}})
		st.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() } // the time of a rotation passes at once
		st.lend("credential", "apply", "--yes").want(t, exitFailed)
		got := st.examine(exitFailed, "-f", st.credentialAnswers("credential"), "--accept-risk", "rotate-password").find("managed-credential")
		if !strings.HasPrefix(got, "fault: ") || !strings.HasSuffix(got, " "+string(code)) {
			t.Errorf("%s: doctor says %s", fault, got)
		}
	}
}

// TestAPasswordThatNobodySees is one judgement in all commands: it proves nothing, and is no failure.
func TestAPasswordThatNobodySees(t *testing.T) {
	t.Parallel()
	st := complete(t)
	st.faulted("password-hidden")
	const code = "(code: password-not-readable)"
	r := st.do("verify", "-f", st.answers(), "--session", "--yes").want(t, exitOK)
	says(t, reported(t, r.out, "verify"), "not-proven", "its password is not proven", code)
	says(t, r.err, "AppUserToken: 200 in ")
	says(t, reported(t, st.do("verify", "-f", st.answers()).want(t, exitOK).out, "verify"), code)
	for _, c := range [][]string{{"resume", "--yes"}, {"apply", "-f", st.answers(), "--yes"}} {
		r := st.do(c...).want(t, exitOK)
		says(t, reported(t, r.out, "verify"), "verify unchanged ", code)
	}
	s := st.examine(exitOK, "-f", st.answers())
	if got := s.find("verify"); !strings.HasPrefix(got, "not checked: ") || !strings.HasSuffix(got, " password-not-readable") {
		t.Errorf("doctor says %s", got)
	}
}

// TestAFailureHasASentence: a run that ends with 1 since something cannot be read back says what.
func TestAFailureHasASentence(t *testing.T) {
	t.Parallel()
	st := complete(t)
	st.faulted("malformed@findPolicies")
	r := st.do("apply", "-f", st.answers(), "--yes").want(t, exitFailed)
	says(t, r.err, "npsetup: verify: whether all is as wanted could not be read back", "next: npsetup verify looks again", "code: ")
}

// TestDoctorTellsPasswordSecureOnce: one cause, what hangs on it as not looked at, and each heading once.
func TestDoctorTellsPasswordSecureOnce(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	text := st.do("doctor", "-f", st.answers()).want(t, exitOK).out
	for _, heading := range []string{"set-up", "NPS", "Password Secure", "this machine"} {
		if n := strings.Count("\n"+text, "\n"+heading+"\n"); n != 1 {
			t.Errorf("the heading %s stands there %d times:\n%s", heading, n, text)
		}
	}
	if n := strings.Count(text, "vault-server:"); n != 1 {
		t.Errorf("the server is told %d times:\n%s", n, text)
	}
	away := st.examine(exitOK, "-f", st.edited("  url: "+st.s.VaultURL(), "  url: https://localhost:1/"))
	want := map[string]string{"vault-server": "warning vault-not-reachable;", "vault-key": "ok;", keyThere: "not checked;"}
	if got := away.outcomes(vaultGroup); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("of a server that does not answer it says %v, want %v", got, want)
	}
	if got := away.find(keyThere); !strings.Contains(got, "not looked at, since") {
		t.Errorf("of the key it says %s", got)
	}
	if got := away.find("vault-verify"); !strings.HasPrefix(got, "not yet: ") {
		t.Errorf("of the proof it says %s", got)
	}
}

// TestDoctorWarnsOfTheVaultsEnd as of NPS's, by the answers and by a flag; one that is far away is told as it is.
func TestDoctorWarnsOfTheVaultsEnd(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	const soon = "warning certificate-ends-soon;"
	if got := st.examine(exitOK, "-f", st.answers()).outcomes(vaultGroup)["end of the certificate"]; got != soon {
		t.Errorf("by the answers it says %q", got)
	}
	flags := []string{"--password-secure", st.s.VaultURL(), "--password-secure-trust", "pin:" + st.s.VaultPin()}
	if got := st.examine(exitOK, flags...).outcomes(vaultGroup)["end of the certificate"]; got != soon {
		t.Errorf("by a flag it says %q", got)
	}
	own := newVaultSite(t, sandbox.Options{Faults: []string{"vault-self-signed"}})
	if got := own.examine(exitOK, "-f", own.answers()).outcomes(vaultGroup)["end of the certificate"]; got != "ok;" {
		t.Errorf("of one without an end it says %q", got)
	}
	pinned := st.do("doctor", "-f", st.edited("trust: pin:"+st.s.VaultPin(), "trust: pin:sha256:"+strings.Repeat("0", 64))).want(t, exitFailed)
	says(t, pinned.out, "fault       vault-server: the certificate of Password Secure is not the pinned one", "(code: certificate-changed)")
	if strings.Contains(pinned.out, "code: failed") {
		t.Errorf("a changed certificate is told as failed:\n%s", pinned.out)
	}
}

// TestDoctorSaysHowToGiveAKey: a key on the command line and one that would be asked for are refused, with the ways that work.
func TestDoctorSaysHowToGiveAKey(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	ways := []string{"--api-key env:NAME", "--api-key file:PATH", "--api-key keyring:NAME"}
	r := st.do("doctor", "--password-secure", st.s.VaultURL(), "--api-key", st.s.VaultKeyMade()).want(t, exitUsage)
	says(t, r.err, append([]string{"never the key itself", "make a new one in Password Secure"}, ways...)...)
	if strings.Contains(r.out+r.err, st.s.VaultKeyMade()[:40]) {
		t.Error("the key is shown")
	}
	says(t, st.do("doctor", "--password-secure", st.s.VaultURL(), "--api-key", "prompt").want(t, exitUsage).err, append([]string{"doctor asks nothing"}, ways...)...)
	file := st.edited("apiKey: env:PASSWORD_SECURE_API_KEY", "apiKey: prompt")
	if got := st.examine(exitOK, "-f", file).find("the rest"); !strings.Contains(got, "nobody is asked here") || !strings.Contains(got, "env:NAME, file:PATH or keyring:NAME") {
		t.Errorf("of a key that has to be asked for it says %s", got)
	}
	s := st.examine(exitOK, "-f", file, "--api-key", "env:PASSWORD_SECURE_API_KEY")
	if got := s.outcomes(vaultGroup); got["vault-key"] != "ok;" || !strings.HasPrefix(s.find("API key"), "ok: whole, and taken") {
		t.Errorf("with the flag it says %v", got)
	}
}

// TestPortsOfEachGuide: each has its own, by its answers.
func TestPortsOfEachGuide(t *testing.T) {
	t.Parallel()
	st, vault := newSite(t, sandbox.Options{}), newVaultSite(t, sandbox.Options{})
	told := func(s sheet) string {
		var b strings.Builder
		for _, p := range s.Ports {
			fmt.Fprintf(&b, "%s > %s %s\n", p.From, p.To, p.Port)
		}
		return b.String()
	}
	has := func(what, text string, musts, nots []string) {
		t.Helper()
		says(t, text, musts...)
		for _, not := range nots {
			if strings.Contains(text, not) {
				t.Errorf("%s: the ports have %q:\n%s", what, not, text)
			}
		}
	}
	has("resource", told(st.examine(exitOK, "-f", st.answers())), []string{"Auditor server > NPS server", "domain controllers of contoso.com TCP 9389", "resource TCP 5985"}, []string{"3389", "Password Secure", "local account"})
	lent := st.examine(exitOK, "-f", st.credentialAnswers("credential"), "--accept-risk", "rotate-password")
	has("credential", told(lent), []string{"Auditor server > NPS server", "NPS server > domain controllers of CONTOSO TCP/UDP 389, 636", "computer of a local account TCP 5985"}, []string{"> resource", "Password Secure"})
	if got := lent.find("rotation"); !strings.Contains(got, `not checked: NPS itself changes the passwords of CONTOSO\svc-auditor`) {
		t.Errorf("of the rotation it says %s", got)
	}
	port := strings.Split(strings.TrimPrefix(vault.s.VaultURL(), "https://127.0.0.1:"), "/")[0]
	has("vault", told(vault.examine(exitOK, "-f", vault.answers())), []string{"NPS server > Password Secure TCP " + port, "11011", "4489", "resource TCP 3389"}, []string{"Auditor"})
	has("beside", told(st.examine(exitFailed, "--password-secure", "https://localhost:1/")), []string{"Auditor server > NPS server TCP 6500", "NPS server > Password Secure TCP 1\n"}, nil)
}

// TestExplainFindsAnEvent by its number, and a code in any case; it names no code that is nothing like what was typed.
func TestExplainFindsAnEvent(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	for number, words := range map[string][]string{
		"5801": {"collection-too-long"}, "5802": {"collection-too-long"}, "5803": {"session-ended-in-use"},
		"5804":       {"credential-unknown", "resource-unknown", "activity-unknown", "session-timeout", "client-certificate-not-trusted", "npsetup explain CODE"},
		"event 5804": {"credential-unknown"}, "0x80072ee2": {"session-timeout"},
	} {
		says(t, st.do("explain", number).want(t, exitOK).out, words...)
	}
	says(t, st.do("explain", "WebDAV").want(t, exitOK).out, "webdav: ")
	if r := st.do("explain", "kerberos").want(t, exitUsage); strings.Contains(r.err, "nearest") {
		t.Errorf("a code that is nothing like it is named:\n%s", r.err)
	}
	unknown := st.do("plan", "-f", st.credentialAnswers("credential"), "--accept-risk", "rotate-password", "--set", `accessPolicy.credential.accounts=CONTOSO\svc-nobody`)
	says(t, unknown.want(t, exitFailed).err, "code: account-unknown")
}

// TestTheProofPageNamesTheActivity with which Auditor's sessions appear, by the kind of policy.
func TestTheProofPageNamesTheActivity(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	const resource = "Netwrix Auditor Domain Admin"
	for kind, want := range map[string]string{"credential": "Credential Release", "both": resource + " or Credential Release"} {
		r := st.do("plan", "-f", st.credentialAnswers(kind), "--accept-risk", "rotate-password").want(t, exitPending)
		says(t, strings.Join(strings.Fields(r.out), " "), "a session of NetwrixAuditor with the activity "+want+" appears")
	}
	says(t, strings.Join(strings.Fields(st.do("plan", "-f", st.answers()).want(t, exitPending).out), " "), "with the activity "+resource+" appears")
}
