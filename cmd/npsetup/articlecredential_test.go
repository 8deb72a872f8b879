package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// newCredentialArticle is the credential-based half of the article: one run where NPS offers everything, and one where a person manages the
// account.
func newCredentialArticle(t *testing.T) *article {
	a := &article{full: newSite(t, sandbox.Options{}), hand: newSite(t, sandbox.Options{API: "observed"})}
	st, accept := a.full, []string{"--accept-risk", "rotate-password"}
	file := st.credentialAnswers("credential")
	a.planned = decoded[document](t, []byte(st.do(append(accept, "plan", "-f", file, "--output", "json")...).want(t, exitPending).out))
	a.shown = st.do(append(accept, "apply", "-f", file, "--yes")...).want(t, exitPerson).err
	for _, r := range st.s.Requests() {
		if r.Status < 300 {
			a.arrived = append(a.arrived, r)
		}
	}
	st.person()
	st.do(append(accept, "apply", "-f", file, "--yes", "--done", allManual)...).want(t, exitOK)
	a.state = decoded[map[string]any](t, []byte(st.canonical()))

	file = a.hand.credentialAnswers("credential")
	a.pages = a.hand.do(append(accept, "apply", "-f", file, "--yes")...).want(t, exitPerson).err
	a.byHand = decoded[document](t, []byte(a.hand.do(append(accept, "plan", "-f", file, "--output", "json")...).out))
	a.hand.person()
	a.hand.do(append(accept, "apply", "-f", file, "--yes", "--done", "auditor-start,certificate-trust,auditor-key,connection-profile")...).want(t, exitPerson)
	a.handState = decoded[map[string]any](t, []byte(a.hand.canonical()))
	return a
}

// credentialLines carries the seven lines. Those of the policy are calls wherever its connection profile is listed.
func credentialLines() []carried {
	const managed, path = `managed-credential/contoso\svc-auditor`, "/api/v1/AccessControlPolicy"
	const step, name, who = "policy-credential", "Netwrix Auditor (credential)", `CONTOSO\svc-auditor`
	of := func(line string, check func(*testing.T, *article)) carried {
		return carried{line, func(t *testing.T, a *article) { check(t, a.credential) }}
	}
	policy := func(t *testing.T, state map[string]any) map[string]any {
		return object(t, state, "policies", "name", name)
	}
	account := []labelled{{"account", who}}
	return []carried{
		of("Credential-based Policy 1", func(t *testing.T, a *article) {
			twice(managed, "Credential-based Policy 1", []string{"“Dashboard > Credentials”"}, account, func(t *testing.T, a *article) {
				a.looked(t, "/api/v1/Credential/Search?filterText=svc-auditor")
			}).check(t, a)
		}),
		of("Credential-based Policy 2", func(t *testing.T, a *article) {
			twice(managed, "Credential-based Policy 2", []string{"“Manage”", "“Automatic”"}, nil, func(t *testing.T, a *article) {
				a.once(t, "POST", "/api/v1/ManagedUser")
				a.once(t, "POST", "/api/v1/ManagedUser/RotateAccounts")
				manage, rotate := a.planned.body(t, managed, "manage"), a.planned.body(t, managed, "rotate")
				wants(t, manage, map[string]any{"managedType": 2, "credentialId": nil})
				if ids, _ := rotate["ids"].([]any); len(ids) != 1 || ids[0] != manage["userId"] {
					t.Errorf("%v is managed and %v rotated", manage["userId"], rotate["ids"])
				}
				for _, state := range []map[string]any{a.state, a.handState} {
					wants(t, object(t, state, "credentials", "name", who), map[string]any{"rotationType": 2, "passwordStatus": 1, "password": "(stored)"})
				}
			}).check(t, a)
		}),
		of("Credential-based Policy 3", func(t *testing.T, a *article) {
			a.looked(t, path+"?ignoreStatus=true")
			a.once(t, "POST", path)
		}),
		of("Credential-based Policy 4", func(t *testing.T, a *article) {
			wants(t, a.planned.body(t, step, "create"), map[string]any{"name": name})
			policy(t, a.handState)
		}),
		of("Credential-based Policy 5", func(t *testing.T, a *article) {
			wants(t, a.planned.body(t, step, "create"), map[string]any{"policyType": 1, "activityConfigurationId": `(id of connection profile "Netwrix Auditor", known after apply)`})
			wants(t, policy(t, a.state), map[string]any{"policyType": 1, "connectionProfile": "Netwrix Auditor"})
		}),
		of("Credential-based Policy 6", func(t *testing.T, a *article) {
			says(t, a.planned.list(t, step+"/user"), `"entityType": 2`)
			wants(t, policy(t, a.state), map[string]any{"users": "[NetwrixAuditor]"})
		}),
		of("Credential-based Policy 7", func(t *testing.T, a *article) {
			var sent []string
			for _, r := range a.arrived {
				if strings.HasSuffix(r.Path, "/Credential") && r.Method == "PUT" {
					sent = append(sent, string(r.Body))
				}
			}
			if len(sent) != 1 || !strings.Contains(sent[0], `"entityType":0`) || strings.Contains(sent[0], fmt.Sprint(a.planned.body(t, managed, "manage")["userId"])) {
				t.Errorf("sent is %v: the credential's id is not the user's", sent)
			}
			for _, state := range []map[string]any{a.state, a.handState} {
				if got, _ := policy(t, state)["credentialNames"].([]any); !slices.Equal(got, []any{who}) {
					t.Errorf("the credentials are %v", got)
				}
			}
		}),
	}
}
