package main

import (
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestDoctorTellsOneCauseOnce: what the guide saw of Password Secure and of the key is neither asked nor told again for a key that is named.
func TestDoctorTellsOneCauseOnce(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.examine(exitOK, "-f", st.answers())
	looks := len(st.s.VaultRequests())
	st.examine(exitOK, "-f", st.answers(), "--api-key", "env:PASSWORD_SECURE_API_KEY")
	if more := len(st.s.VaultRequests()) - looks; more != looks+1 {
		t.Errorf("with a key Password Secure is asked %d times, without one %d times", more, looks)
	}
	st.env["CUT"] = "AQ"
	s := st.examine(exitFailed, "-f", st.answers(), "--api-key", "env:CUT")
	told := 0
	for _, c := range s.Checks {
		if c.Code == "vault-key-malformed" {
			told++
		}
	}
	if told != 1 {
		t.Errorf("a cut key is told %d times: %+v", told, s.Checks)
	}
}

// TestDoctorWarnsAsAPlanDoes of a certificate of Password Secure that NPS may not trust.
func TestDoctorWarnsAsAPlanDoes(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	says(t, st.do("plan", "-f", st.answers()).err+st.do("plan", "-f", st.answers()).out, "(code: vault-not-trusted)")
	if got := st.examine(exitOK, "-f", st.answers()).outcomes(vaultGroup)["vault-server"]; got != "warning vault-not-trusted;" {
		t.Errorf("doctor says %q", got)
	}
}

// TestDoctorNamesTheFlagThatItWasGiven where the trust of Password Secure comes from a flag, and no word of NPS for another certificate.
func TestDoctorNamesTheFlagThatItWasGiven(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	for _, more := range [][]string{nil, {"--password-secure-trust", "pin:sha256:" + strings.Repeat("0", 64)}} {
		text := st.do(append([]string{"doctor", "--password-secure", st.s.VaultURL()}, more...)...).want(t, exitFailed).out
		says(t, text, "set --password-secure-trust to pin:sha256:")
		for _, wrong := range []string{"passwordSecure.trust", "nps.trust", "IIS"} {
			if strings.Contains(text, wrong) {
				t.Errorf("%v: it names %s:\n%s", more, wrong, text)
			}
		}
	}
}

// TestDoctorFilesAFaultWhereItBelongs: what is wrong behind a good certificate is no matter of trust, and has a code of its own.
func TestDoctorFilesAFaultWhereItBelongs(t *testing.T) {
	t.Parallel()
	for fault, code := range map[string]string{"iis-page": "something-in-between", "pool-stopped": "application-pool", "hosting": "hosting-bundle"} {
		st := newSite(t, sandbox.Options{Faults: []string{fault}})
		got := st.examine(exitFailed, "-f", st.answers()).outcomes("NPS")
		if got["trust"] != "" || !strings.Contains(got["server"], "fault "+code+";") {
			t.Errorf("%s: doctor says %v", fault, got)
		}
		says(t, st.do("plan", "-f", st.answers()).want(t, exitFailed).err, "npsetup: server: ", "code: "+code)
	}
}

// TestDoctorJudgesTheLastSessionOnce: a proof that failed and a last session without a failure are not told side by side.
func TestDoctorJudgesTheLastSessionOnce(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{Faults: []string{"client-untrusted"}})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	if r := st.do("resume", "--yes", "--done", allManual); r.code == exitOK {
		t.Fatalf("the proof did not fail: %s", r.out)
	}
	got := st.examine(exitFailed, "-f", st.answers()).outcomes("set-up")
	if !strings.HasPrefix(got["verify"], "fault ") || got["last session"] != "" {
		t.Errorf("doctor says %q, and of the last session %q", got["verify"], got["last session"])
	}
}
