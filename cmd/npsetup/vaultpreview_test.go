package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// masked are the requests with the vault's key as a preview shows it.
func masked(st *site, all []sandbox.Request) []sandbox.Request {
	list := slices.Clone(all)
	for i := range list {
		list[i].Body = bytes.ReplaceAll(list[i].Body, []byte(st.env["PASSWORD_SECURE_API_KEY"]), []byte("(secret: API key of Password Secure)"))
	}
	return list
}

// TestWhatArrivesAtAVaultsNPSIsWhatWasShown compares the changing requests that arrived with the plan, byte for byte but for the key.
func TestWhatArrivesAtAVaultsNPSIsWhatWasShown(t *testing.T) {
	st := newVaultSite(t, sandbox.Options{})
	planned := filepath.Join(t.TempDir(), "plan.json")
	st.do("plan", "-f", st.answers(), "--out", planned).want(t, exitPending)
	raw, err := os.ReadFile(planned)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(st.s.VaultKeyMade())) || !bytes.Contains(raw, []byte("(secret: API key of Password Secure)")) {
		t.Error("the plan holds the key, or does not name it")
	}
	shown := previewed(t, raw)
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	matchRequests(t, shown, masked(st, st.s.Requests()))
}

// TestAnApprovedVaultPlan is carried out by its digest, and refused when the key is another one.
func TestAnApprovedVaultPlan(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	path, digest := planFile(t, st)
	st.do("apply", "--plan", path, "--approve", digest).want(t, exitPerson)

	other := newVaultSite(t, sandbox.Options{Faults: []string{"key-deleted"}})
	path, digest = planFile(t, other)
	other.hands() // the person makes a new key
	r := other.do("apply", "--plan", path, "--approve", digest).want(t, exitFailed)
	if !strings.Contains(r.err, "stale") || other.changes() != 0 {
		t.Errorf("%d changes\n%s", other.changes(), r.err)
	}
}

// TestTheScriptSetsAVaultUp runs the script of plan --output curl, and compares with what apply made elsewhere.
func TestTheScriptSetsAVaultUp(t *testing.T) {
	t.Parallel()
	bash(t)
	applied, st := newVaultSite(t, sandbox.Options{}), newVaultSite(t, sandbox.Options{})
	applied.do("apply", "-f", applied.answers(), "--yes").want(t, exitPerson)
	ticket := st.do("plan", "-f", st.answers(), "--output", "markdown").want(t, exitPending).out
	says(t, ticket, "API key of Password Secure", "CONTOSO", "vault-verify")
	r := st.do("plan", "-f", st.answers(), "--output", "curl").want(t, exitPending)
	name := regexp.MustCompile(`\b[A-Z_]*PASSWORD_SECURE[A-Z_]*\b`).FindString(r.out)
	if name == "" {
		t.Fatalf("the script takes no key:\n%s", r.out)
	}
	st.scriptEnv = []string{name + "=" + st.s.VaultKeyMade()}
	run := st.runScript(r.out, st.token())
	if run.code != 0 {
		t.Fatalf("exit %d\n%s", run.code, run.said)
	}
	if a, b := applied.canonical(), st.canonical(); a != b {
		t.Errorf("apply and the script made: %s", unlike(a, b))
	}
	lists := regexp.MustCompile(`(?m)^`+name+`=.*$`).ReplaceAllString(run.argv, "") // the environment of its programs is where the person put it
	if strings.Contains(lists, st.s.VaultKeyMade()) || strings.Contains(run.said, st.s.VaultKeyMade()) {
		t.Error("an argument list holds the key")
	}
}

// TestATypedVaultKey is asked for once, and stands nowhere afterwards.
func TestATypedVaultKey(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.answer, st.env["TYPED"] = "\n", st.s.VaultKeyMade()
	file := st.edited("apiKey: env:PASSWORD_SECURE_API_KEY", "apiKey: prompt")
	st.do("apply", "-f", file, "--yes").want(t, exitPerson)
	if len(st.asked) != 1 || !strings.HasPrefix(st.asked[0], "API key of Password Secure") {
		t.Errorf("asked was %q", st.asked)
	}
	st.hands()
	st.do("resume", "--yes", "--done", vaultManual).want(t, exitOK)
	for _, secret := range []string{st.s.VaultKeyMade(), st.env["NPS_PASSWORD"]} {
		if !slices.Contains(st.s.Secrets(), secret) {
			t.Error("what is looked for is no secret of the sandbox")
		}
	}
	if leak := st.findSecret(); leak != "" {
		t.Errorf("a secret was found in %s", leak)
	}
	token, _, _ := strings.Cut(st.s.VaultKeyMade(), ":")
	for _, q := range st.s.VaultRequests() {
		_, half, _ := strings.Cut(st.s.VaultKeyMade(), ":")
		if bytes.Contains(q.Body, []byte(half)) {
			t.Error("the private half of the key went to Password Secure")
		}
		if q.Class == "probe" && !bytes.Contains(q.Body, []byte(token)) {
			t.Error("the first half of the key did not go there")
		}
	}
}
