package main

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/run"
)

// TestTheDemoProves runs the demonstration without a terminal: its last line says what was proven.
func TestTheDemoProves(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	r := st.do("demo").want(t, exitOK)
	if !regexp.MustCompile(`(?m)^verify done NPS grants .*; a session as NetwrixAuditor became active and ended; Auditor opened a session itself at `).MatchString(r.out) {
		t.Errorf("the report is\n%s", r.out)
	}
	// A second report: the credential-based policy, step by step.
	says(t, r.out, `managed-credential unchanged read back: CONTOSO\svc-auditor, managed automatically, password verified`, "policy-credential unchanged read back: connection profile, user and credentials", `verify done NPS lends CONTOSO\svc-auditor to NetwrixAuditor; a session as NetwrixAuditor became active and ended`)
}

// failing is a site on which everything is done and its faults begin only then.
func failing(t *testing.T, faults ...string) *site {
	t.Helper()
	st := setUp(t)
	if _, err := st.s.SetFaults(faults, nil); err != nil {
		t.Fatal(err)
	}
	st.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() } // Auditor's five minutes pass at once
	return st
}

// TestASlowSessionIsTold: what becomes active only after 45 s works, and says why it is slow.
func TestASlowSessionIsTold(t *testing.T) {
	t.Parallel()
	late := &lateness{}
	st := newSite(t, sandbox.Options{Now: late.now})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	if _, err := st.s.SetFaults([]string{"session-slow"}, nil); err != nil {
		t.Fatal(err)
	}
	st.wait = func(ctx context.Context, d time.Duration) error {
		late.Lock()
		late.by += d
		late.Unlock()
		st.s.Tick()
		return ctx.Err()
	}
	r := st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	if !regexp.MustCompile(`it took (4[5-9]|5[0-9]) s, which is slow: .*set "Use HTTP", or give the resource a WinRM certificate`).MatchString(r.out) {
		t.Errorf("the report is\n%s", r.out)
	}
}

// TestAPasswordThatCannotBeReadIsNotProven: nothing failed, and nothing is proven.
func TestAPasswordThatCannotBeReadIsNotProven(t *testing.T) {
	t.Parallel()
	for fault, says := range map[string]string{"password-hidden": "its password is not proven: ", "password-empty": "its password is not proven: it is empty"} {
		st := failing(t, fault)
		r := st.do("verify", "--session", "--yes")
		if r.code != exitOK || !strings.Contains(r.out, "verify not-proven ") || !strings.Contains(r.out, says) {
			t.Errorf("%s: exit %d\n%s\n%s", fault, r.code, r.out, r.err)
		}
	}
}

// TestALookThatFailsIsNoSuccess: when nothing could be verified, a script does not read success.
func TestALookThatFailsIsNoSuccess(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.s.OnRequest(func(r sandbox.Request) {
		if strings.HasPrefix(r.Path, "/api/v1/ActivitySession/Search") { // the last look: from now on nothing can be read
			_, _ = st.s.SetFaults([]string{"hosting"}, nil)
		}
	})
	r := st.do("verify").want(t, exitFailed)
	says(t, r.out, "verify not-proven ", "hosting bundle")
}

// TestACollectionThatRanOutIsTold: Auditor's own session lasted until Max Duration ended it.
func TestACollectionThatRanOutIsTold(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{Faults: []string{"session-expires"}})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	r := st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	says(t, r.out, "event 5801 or 5802", "Max Duration (60 minutes)", "maxDuration")
}

// TestASessionThatIsOpenIsEndedFirst leaves a session open, and looks what the next commands do before everything else.
func TestASessionThatIsOpenIsEndedFirst(t *testing.T) {
	t.Parallel()
	for _, next := range [][]string{{"resume", "--yes"}, {"verify"}, {"verify", "--session", "--yes"}} {
		t.Run(strings.Join(next, " "), func(t *testing.T) {
			st, hold := setUp(t), true
			st.s.OnRequest(func(r sandbox.Request) {
				if hold && r.Method == "POST" && r.Path == "/api/v1/ActivitySession" {
					_, _ = st.s.SetFaults([]string{"webdav"}, nil) // it cannot be ended from now on
				}
			})
			r := st.do("verify", "--session", "--yes").want(t, exitFailed)
			says(t, r.err, "could not be ended", "npsetup resume --yes ends it first")
			hold = false
			if _, err := st.s.SetFaults(nil, []string{"webdav"}); err != nil {
				t.Fatal(err)
			}
			before := len(st.s.Requests())
			r = st.do(next...).want(t, exitOK)
			says(t, r.err, `ending the session "npsetup proof `)
			var changes []string
			for _, q := range st.s.Requests()[before:] {
				if q.Class == "change" {
					changes = append(changes, q.Method)
				}
			}
			if len(changes) == 0 || changes[0] != "DELETE" {
				t.Errorf("the changing requests are %v", changes)
			}
			again := st.changes()
			if r := st.do("verify").want(t, exitOK); strings.Contains(r.err, "ending the session") || st.changes() != again {
				t.Errorf("it is ended again: %s", r.err)
			}
		})
	}
}

// TestASessionNeedsConsentAndAKey refuses what nobody agreed to, and what cannot be done.
func TestASessionNeedsConsentAndAKey(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	before := st.changes()
	says(t, st.do("verify", "--session").want(t, exitUsage).err, "nobody agreed to the session", "--yes")
	says(t, st.do("verify", "--session", "--yes", "--set", "application.key=").want(t, exitUsage).err, "no session can be opened", "application.key")
	if st.changes() != before {
		t.Error("something was sent")
	}
	st.do("verify", "--session", "--yes").want(t, exitOK)
	if st.changes() != before+proving {
		t.Errorf("%d changing requests", st.changes()-before)
	}
}

// TestWatchWaitsForAuditor looks again and again until Auditor has collected.
func TestWatchWaitsForAuditor(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	waits := 0
	st.wait = func(ctx context.Context, d time.Duration) error {
		if d == watchEvery {
			if waits++; waits == 2 {
				st.person()
			}
		}
		return ctx.Err()
	}
	r := st.do("verify", "--watch", "1m", "--set", "application.key=").want(t, exitOK)
	if waits != 2 {
		t.Errorf("it waited %d times", waits)
	}
	says(t, r.err, "stopped waiting after 30s: a session of Auditor was seen")
	says(t, st.do("verify", "--watch", "1m", "--set", "application.key=").want(t, exitOK).err, "nothing was waited for: a session of Auditor was seen")
}

// TestWatchSaysThatTimeIsOver, and that something else is missing.
func TestWatchSaysThatTimeIsOver(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	says(t, st.do("verify", "--watch", "1m", "--set", "application.key=").want(t, exitPerson).err, "1m0s are over, and no session of Auditor was seen", "npsetup verify --watch 1m0s")
	st.drift("policies", "Netwrix Auditor (resource)", map[string]any{"isDeleted": true})
	if r := st.do("verify", "--watch", "1m"); !strings.Contains(r.err, "nothing was waited for: something else is missing") {
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
}

// TestASessionThatFailsIsReported in the line of its step, in words and as JSON.
func TestASessionThatFailsIsReported(t *testing.T) {
	t.Parallel()
	st := failing(t, "session-timeout")
	r := st.do("verify", "--session", "--yes").want(t, exitFailed)
	if !regexp.MustCompile(`(?m)^verify not-proven the last session of npsetup's own, at .*, failed: .*0x80072EE2.*; seen besides: NPS grants `).MatchString(r.out) || !strings.Contains(r.out, "\nconnection-profile proven ") {
		t.Errorf("the report is\n%s", r.out)
	}
	r = st.do("verify", "--session", "--yes", "--output", "json").want(t, exitFailed)
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	var report struct {
		Event string
		Steps []run.Line
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &report); err != nil || report.Event != "report" || len(report.Steps) < 10 {
		t.Fatalf("%v: the last line is %s", err, lines[len(lines)-1])
	}
	if last := report.Steps[len(report.Steps)-1]; last.Step != "verify" || last.Outcome != "not-proven" || !strings.HasPrefix(last.Proof, "the last session of npsetup's own, at ") {
		t.Errorf("%+v", last)
	}
}
