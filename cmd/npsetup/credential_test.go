package main

import (
	"testing"

	"npsetup/client/sandbox"
)

// credentialAnswers are the sandbox's own for a kind of policy.
func (st *site) credentialAnswers(kind string) string { return st.dir + "/answers-auditor-" + kind + ".yaml" }

func TestX(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	f := st.credentialAnswers("credential")
	r := st.do("plan", "-f", f)
	t.Log(r.code, r.out, r.err)
	r = st.do("plan", "-f", f, "--accept-risk", "rotate-password", "--calls")
	t.Log(r.code, r.out, r.err)
	r = st.do("apply", "-f", f, "--accept-risk", "rotate-password", "--yes")
	t.Log(r.code, r.out, r.err)
	t.Log(st.canonical())
	t.Log(st.person())
	r = st.do("apply", "-f", f, "--accept-risk", "rotate-password", "--yes", "--done", allManual)
	t.Log(r.code, r.out, r.err)
	t.Log(st.s.Events())
}
