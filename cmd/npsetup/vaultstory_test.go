package main

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

const vaultManual = "vault-entry"

// newVaultSite is a site that is set up by the guide for Password Secure.
func newVaultSite(t *testing.T, o sandbox.Options) *site {
	t.Helper()
	st := newSite(t, o)
	st.guide = "password-secure"
	st.env["PASSWORD_SECURE_API_KEY"] = st.s.VaultKeyMade()
	return st
}

// TestTheVaultsJob is the story of a run from the first look to the second run that changes nothing.
func TestTheVaultsJob(t *testing.T) {
	st := newVaultSite(t, sandbox.Options{})
	before := st.canonical()
	p := st.do("plan", "-f", st.answers()).want(t, exitPending)
	if st.changes() != 0 || st.canonical() != before {
		t.Fatal("plan changed something")
	}
	t.Log(p.out)
	first := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	t.Log(first.out, first.err)
	var did []string
	for _, d := range st.person() {
		did = append(did, d.Step)
	}
	if got := strings.Join(did, ","); got != vaultManual {
		t.Errorf("the person did %s", got)
	}
	second := st.do("apply", "-f", st.answers(), "--yes", "--done", vaultManual).want(t, exitOK)
	t.Log(second.out, second.err)
	sent := st.changes()
	st.do("plan", "-f", st.answers()).want(t, exitOK)
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitOK)
	v := st.do("verify", "-f", st.answers()).want(t, exitOK)
	if !regexp.MustCompile(`(?m)^vault-verify proven NPS grants`).MatchString(v.out) {
		t.Errorf("verify says\n%s", v.out)
	}
	if st.changes() != sent {
		t.Errorf("%d changing requests of a second run", st.changes()-sent)
	}
	_ = filepath.Join
}
