package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// credentialAnswers are the sandbox's own for a kind of policy: credential or both.
func (st *site) credentialAnswers(kind string) string {
	return filepath.Join(st.dir, "answers-auditor-"+kind+".yaml")
}

// lend runs a command on those answers, with the risk accepted.
func (st *site) lend(kind, command string, args ...string) result {
	st.t.Helper()
	return st.do(append([]string{command, "-f", st.credentialAnswers(kind), "--accept-risk", "rotate-password"}, args...)...)
}

// rotations counts the passwords that were asked to be changed.
func (st *site) rotations() int {
	n := 0
	for _, r := range st.s.Requests() {
		if strings.HasSuffix(r.Path, "/ManagedUser/RotateAccounts") {
			n++
		}
	}
	return n
}

// TestNoPasswordIsChangedWithoutConsent names the risk and the account, and sends nothing at all.
func TestNoPasswordIsChangedWithoutConsent(t *testing.T) {
	for _, kind := range []string{"credential", "both"} {
		for _, command := range [][]string{{"apply", "--yes"}, {"plan"}, {"apply", "--dry-run"}, {"validate"}} {
			st := newSite(t, sandbox.Options{})
			r := st.do(append(command, "-f", st.credentialAnswers(kind))...).want(t, exitUsage)
			says(t, r.err, "missing consent: rotate-password", `this changes the password of CONTOSO\svc-auditor; is it used elsewhere?`, "--accept-risk rotate-password")
			if n := len(st.s.Requests()); n != 0 {
				t.Errorf("%s: %d requests were sent", command[0], n)
			}
		}
	}
	st := newSite(t, sandbox.Options{})
	st.do("plan", "-f", st.answers()).want(t, exitPending) // a resource-based policy changes no password
}

// TestTheConsentIsForARotationThatIsSent: once the password was changed nobody has to agree to it again, and what only reads or takes back never
// asks. Where it would be changed again the plan asks, before any change.
func TestTheConsentIsForARotationThatIsSent(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{SessionDelay: 50 * time.Millisecond})
	file := st.credentialAnswers("credential")
	st.lend("credential", "apply", "--yes").want(t, exitPerson)
	st.person()
	st.lend("credential", "apply", "--yes", "--done", allManual).want(t, exitOK)
	changed := st.changes()
	for _, command := range [][]string{{"verify"}, {"plan"}, {"apply", "--yes"}, {"validate"}, {"resume", "--yes"}} {
		st.do(append(command, "-f", file)...).want(t, exitOK)
	}
	back := st.do("undo", "-f", file, "--dry-run").want(t, exitPending)
	says(t, squeezed(back.out), "Rotation (rotationType): Automatic → Not Managed", "not taken back: ", "(code: not-taken-back)")
	st.elsewhere("verify", "-f", file).want(t, exitOK)
	says(t, st.elsewhere("apply", "--yes", "-f", file).want(t, exitUsage).err, "missing consent: rotate-password") // nothing is known there
	if err := st.s.Drift("credentials", "svc-auditor", map[string]any{"rotationType": 0, "passwordStatus": 0, "lastPasswordChangeDateTimeUtc": nil}); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"plan"}, {"apply", "--yes"}, {"resume", "--yes"}} {
		says(t, st.do(append(command, "-f", file)...).want(t, exitUsage).err, "missing consent: rotate-password", `this changes the password of CONTOSO\svc-auditor`, "--accept-risk rotate-password")
	}
	st.do("verify", "-f", file).want(t, exitPending)
	if n := st.changes(); n != changed {
		t.Errorf("%d changes were made without consent", n-changed)
	}
	st.do("undo", "-f", file, "--dry-run").want(t, exitPending)
}

// TestCredentialBased is the whole way for each kind of policy and for each part of the API that a server may offer; then all is left alone.
func TestCredentialBased(t *testing.T) {
	for _, c := range []struct{ kind, api string }{
		{"credential", "full"}, {"credential", "observed"}, {"credential", "documented"}, {"both", "full"}, {"both", "observed"}, {"both", "documented"},
	} {
		t.Run(c.kind+" "+c.api, func(t *testing.T) {
			t.Parallel()
			st := newSite(t, sandbox.Options{API: c.api})
			st.lend(c.kind, "apply", "--yes").want(t, exitPerson)
			var did []string
			for n := 0; n < 3; n++ { // what is read back lets more be done by hand
				for _, d := range st.person() {
					did = append(did, d.Step)
				}
				if r := st.lend(c.kind, "apply", "--yes", "--done", strings.Join(did, ",")); r.code == exitOK {
					break
				} else if n == 2 {
					r.want(t, exitOK)
				}
			}
			before, state := st.changes(), st.canonical()
			st.lend(c.kind, "plan").want(t, exitOK)
			st.lend(c.kind, "apply", "--yes").want(t, exitOK)
			r := st.lend(c.kind, "verify").want(t, exitOK)
			if st.changes() != before || st.canonical() != state {
				t.Errorf("%d changing requests when all was done", st.changes()-before)
			}
			says(t, r.out, `managed-credential proven read back: CONTOSO\svc-auditor, managed automatically, password verified`, `NPS lends CONTOSO\svc-auditor to NetwrixAuditor`,
				"a session as NetwrixAuditor became active and ended; Auditor opened a session itself")
			if n := st.rotations(); n > 1 {
				t.Errorf("the password was rotated %d times", n)
			}
			wants(t, object(t, decoded[map[string]any](t, []byte(state)), "credentials", "name", `CONTOSO\svc-auditor`), map[string]any{"rotationType": 2, "passwordStatus": 1, "password": "(stored)"})
			want := map[string]int{"credential": 1, "both": 2}[c.kind]
			if events := st.s.Events(); len(events) < want || events[len(events)-1].ID != 0 {
				t.Errorf("Auditor's events are %+v", events)
			}
		})
	}
}

// TestARotationThatDoesNotEndWell tells what is wrong and goes on later, without a rotation more than is needed.
func TestARotationThatDoesNotEndWell(t *testing.T) {
	t.Parallel()
	for fault, words := range map[string]string{
		"rotation-fails": "the right to reset this password", "rotation-mismatch": "it was changed elsewhere", "rotation-stuck": "within 10m0s",
	} {
		t.Run(fault, func(t *testing.T) {
			st := newSite(t, sandbox.Options{Faults: []string{fault + "@1"}})
			st.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() } // the ten minutes pass at once
			r := st.lend("credential", "apply", "--yes").want(t, exitFailed)
			says(t, r.err, words, `CONTOSO\svc-auditor is rotated and verified`)
			if fault == "rotation-stuck" {
				st.do("resume", "--yes").want(t, exitFailed)
				if n := st.rotations(); n != 1 {
					t.Errorf("rotated %d times while one was under way", n)
				}
				return
			}
			st.do("resume", "--yes").want(t, exitPerson)
			if n := st.rotations(); n != 2 {
				t.Errorf("rotated %d times", n)
			}
		})
	}
	st := newSite(t, sandbox.Options{Faults: []string{"manage-rotates"}, SessionDelay: 50 * time.Millisecond})
	st.lend("credential", "apply", "--yes").want(t, exitPerson)
	if n := st.rotations(); n != 0 {
		t.Errorf("rotated %d times beside NPS's own", n)
	}
}
