package main

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestTheScriptOfACredentialPolicy does what apply does, waits for the rotation, and run again rotates nothing.
func TestTheScriptOfACredentialPolicy(t *testing.T) {
	t.Parallel()
	bash(t)
	applied := newSite(t, sandbox.Options{})
	st := newSite(t, sandbox.Options{})
	applied.lend("both", "apply", "--yes").want(t, exitPerson)
	r := st.lend("both", "plan", "--output", "curl").want(t, exitPending)
	token := st.token()
	run := st.runScript(r.out, token)
	if run.code != 0 || !strings.Contains(run.said, `waiting: the password of CONTOSO\svc-auditor is rotated and verified`) {
		t.Fatalf("exit %d\n%s", run.code, run.said)
	}
	if a, b := applied.canonical(), st.canonical(); a != b {
		t.Errorf("apply and the script made: %s", unlike(a, b))
	}
	if a, b := sent(applied), sent(st); !slices.Equal(a, b) {
		t.Errorf("apply sent\n%s\nthe script sent\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	made := len(st.s.Requests())
	if again := st.runScript(r.out, token); again.code != 0 || !strings.Contains(again.said, "it is so already, or on its way: nothing is sent") {
		t.Errorf("run again: exit %d, %s", again.code, again.said)
	}
	for _, q := range st.s.Requests()[made:] {
		if q.Method == http.MethodPost {
			t.Errorf("run again, it sends POST %s", q.Path)
		}
	}
}

// TestWhatArrivesOfACredentialPolicyWasShown compares byte for byte.
func TestWhatArrivesOfACredentialPolicyWasShown(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	planned := filepath.Join(t.TempDir(), "plan.json")
	st.lend("both", "plan", "--out", planned).want(t, exitPending)
	raw, err := os.ReadFile(planned)
	if err != nil {
		t.Fatal(err)
	}
	st.lend("both", "apply", "--yes").want(t, exitPerson)
	matchRequests(t, previewed(t, raw), st.s.Requests())
}
