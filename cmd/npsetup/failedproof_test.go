package main

import (
	"testing"

	"npsetup/client/sandbox"
)

// TestAFailedProofIsTold by the next verify, with its cause and its remedy, and opens the step again whose word it refutes.
func TestAFailedProofIsTold(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	says(t, outcome(t, st.do("verify", "-f", st.answers()).want(t, exitPerson).out, "verify"), "no session has proven it yet", "no session of Auditor was seen yet")
	st.faulted("client-untrusted")
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitFailed)
	r := st.do("verify", "-f", st.answers()).want(t, exitPending)
	says(t, outcome(t, r.out, "verify"), "the last session of npsetup's own", "403.16", "does not trust the client certificate", "next: import the root of the authority")
	says(t, outcome(t, r.out, "certificate-trust"), "waiting ", "it was said to be done", "--done certificate-trust")
	p := st.do("plan", "-f", st.answers()).want(t, exitPending)
	says(t, squeezed(p.out), "certificate-trust", "it was said to be done, and after that NPS refused the certificate")
	if _, err := st.s.SetFaults(nil, []string{"client-untrusted"}); err != nil {
		t.Fatal(err)
	}
	n := st.changes()
	st.do("resume", "--yes").want(t, exitPerson)
	if st.changes() != n {
		t.Error("a session was opened although nobody has looked at the trust again")
	}
	st.person()
	st.do("resume", "--yes", "--done", "certificate-trust").want(t, exitOK)
	st.do("verify", "-f", st.answers()).want(t, exitOK)
	st.do("plan", "-f", st.answers()).want(t, exitOK)
}

// TestPlanAndVerifyJudgeAlike what no session of npsetup's own has proven and Auditor's has.
func TestPlanAndVerifyJudgeAlike(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes", "--set", "application.key=").want(t, exitPerson)
	st.person()
	says(t, outcome(t, st.do("verify", "-f", st.answers()).want(t, exitPending).out, "verify"), "a session of npsetup's own is due")
	st.do("plan", "-f", st.answers()).want(t, exitPending)
	st.do("apply", "-f", st.answers(), "--yes", "--set", "application.key=", "--done", allManual).want(t, exitOK)
	st.state = t.TempDir() // nobody knows of a change any longer
	st.do("verify", "-f", st.answers()).want(t, exitOK)
	st.do("plan", "-f", st.answers(), "--set", "application.key=").want(t, exitOK)
	st.do("plan", "-f", st.answers()).want(t, exitOK)
}

// TestPlanWarnsOfAnOpenSession that a stopped run left behind.
func TestPlanWarnsOfAnOpenSession(t *testing.T) {
	t.Parallel()
	st, hold := setUp(t), true
	st.s.OnRequest(func(r sandbox.Request) {
		if hold && r.Method == "POST" && r.Path == "/api/v1/ActivitySession" {
			_, _ = st.s.SetFaults([]string{"webdav"}, nil)
		}
	})
	st.do("verify", "-f", st.answers(), "--session", "--yes").want(t, exitFailed)
	hold = false
	if _, err := st.s.SetFaults(nil, []string{"webdav"}); err != nil {
		t.Fatal(err)
	}
	n := st.changes()
	says(t, st.do("plan", "-f", st.answers()).err, `warning: the session "npsetup proof `, "npsetup resume --yes ends it")
	if st.changes() != n {
		t.Error("a plan has changed something")
	}
	st.do("verify", "-f", st.answers()).want(t, exitOK)
}
