package main

import (
	"regexp"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestVaultsThatAreDoneByHand runs the guide on servers that offer less: a person does the rest, page by page, and it is proven.
func TestVaultsThatAreDoneByHand(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o     sandbox.Options
		waits []string
		hands []string // what the person does, in rounds
	}{
		"observed":      {sandbox.Options{API: "observed"}, []string{"vault-entry", "connector", "vault-activity", "vault-policy", "vault-verify"}, []string{"vault-entry,connector,vault-activity"}},
		"documented":    {sandbox.Options{API: "documented"}, []string{"vault-entry", "connector", "vault-activity", "vault-policy", "vault-verify"}, []string{"vault-entry,connector,vault-activity,vault-policy"}},
		"no connectors": {sandbox.Options{Faults: []string{"connector-405"}}, []string{"vault-entry", "connector", "vault-activity", "vault-policy", "vault-verify"}, []string{"vault-entry,connector"}},
	} {
		t.Run(name, func(t *testing.T) {
			st := newVaultSite(t, c.o)
			r := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			for _, step := range c.waits {
				if !regexp.MustCompile(`(?m)^` + step + ` waiting `).MatchString(r.out) {
					t.Errorf("%s does not wait:\n%s", step, r.out)
				}
			}
			for _, want := range c.hands {
				got := st.hands()
				if got != want {
					t.Errorf("the person did %s, want %s", got, want)
				}
				r = st.do("apply", "-f", st.answers(), "--yes", "--done", got)
			}
			r.want(t, exitOK)
			says(t, reported(t, r.out, "vault-verify"), "6 the credential is found and returned")
			sent := st.changes()
			st.do("plan", "-f", st.answers()).want(t, exitOK)
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitOK)
			st.do("verify", "-f", st.answers()).want(t, exitOK)
			if st.changes() != sent {
				t.Errorf("%d changing requests of a second run", st.changes()-sent)
			}
			tried := 0
			for _, q := range st.s.Requests() {
				if q.Method == "POST" && strings.HasPrefix(q.Path, "/api/v1/IntegrationConnector") {
					tried++
				}
			}
			if tried > 1 {
				t.Errorf("the assumed call was tried %d times", tried)
			}
		})
	}
}
