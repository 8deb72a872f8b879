package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

const allManual = "auditor-start,certificate-trust,auditor-key,monitoring-plan"

// TestTheMainJob is the story of a run from the first look to the second run that changes nothing.
func TestTheMainJob(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	before := st.canonical()
	p := st.do("plan", "-f", st.answers()).want(t, exitPending)
	if st.changes() != 0 || st.canonical() != before {
		t.Fatal("plan changed something")
	}
	for _, must := range []string{"+ create: connection profile \"Netwrix Auditor\"", "POST /api/v1/ConnectionProfile", "assumed", "Max Duration (maxSessionLength): 60", "accepted domain-admins", "digest sha256:"} {
		if !strings.Contains(p.out, must) {
			t.Errorf("the plan lacks %q", must)
		}
	}
	first := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	for _, step := range strings.Split(allManual, ",") {
		if !regexp.MustCompile(`(?m)^` + step + ` waiting `).MatchString(first.out) {
			t.Errorf("the report does not name %s as waiting:\n%s", step, first.out)
		}
	}
	if !strings.Contains(first.err, "--done "+allManual) {
		t.Error("it is not said how to go on")
	}
	var did []string
	for _, d := range st.person() {
		did = append(did, d.Step)
	}
	if got := strings.Join(did, ","); got != allManual {
		t.Errorf("the person did %s", got)
	}
	sent := st.changes()
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	st.do("plan", "-f", st.answers()).want(t, exitOK)
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitOK)
	v := st.do("verify", "-f", st.answers()).want(t, exitOK)
	if !regexp.MustCompile(`(?m)^verify proven NPS grants`).MatchString(v.out) {
		t.Errorf("verify says\n%s", v.out)
	}
	if st.changes() != sent+proving {
		t.Errorf("%d changing requests after the first apply", st.changes()-sent)
	}
	if err := st.s.Drift("connectionProfiles", "Netwrix Auditor", map[string]any{"maxSessionLength": 15}); err != nil {
		t.Fatal(err)
	}
	v = st.do("verify", "-f", st.answers()).want(t, exitPending)
	if !strings.Contains(v.out, "Max Duration is 15, should be 60") {
		t.Errorf("after drift, verify says\n%s", v.out)
	}
	p = st.do("plan", "-f", st.answers()).want(t, exitPending)
	if !strings.Contains(p.out, "~ update: connection profile") || !strings.Contains(p.out, "15 → 60") {
		t.Errorf("after drift, plan says\n%s", p.out)
	}
	st.do("resume", "--yes").want(t, exitOK) // the one open run
	st.do("verify").want(t, exitOK)
}

// TestDoubtsAreTold says what DNS answers about the domain controller, without making it part of the plan.
func TestDoubtsAreTold(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	before := st.do("plan", "-f", st.answers()).want(t, exitPending)
	st.pdc = func(context.Context, string) (string, error) { return "dc02.contoso.com", nil }
	r := st.do("plan", "-f", st.answers()).want(t, exitPending)
	if !strings.Contains(r.err, "note: PDC emulator of contoso.com: dc02.contoso.com") || r.out != before.out {
		t.Errorf("it says\n%s", r.err)
	}
}

func TestReportNamesEveryStepOnce(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	r := st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	want := strings.Fields("auditor-start server trust signin application certificate certificate-trust application-user auditor-key connection-profile policy-kind activity resource policy-resource monitoring-plan verify")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d lines for %d steps:\n%s", len(lines), len(want), r.out)
	}
	for i, l := range lines {
		parts := strings.SplitN(l, " ", 3)
		if len(parts) != 3 || parts[0] != want[i] || parts[2] == "" {
			t.Errorf("line %d is %q, want %s, an outcome and a proof", i+1, l, want[i])
		}
	}
}

func TestSilenceIsNotConsent(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	r := st.do("apply", "-f", st.answers()).want(t, exitUsage)
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
	if !strings.Contains(r.err, "--yes") || !strings.Contains(r.err, "--approve") {
		t.Errorf("the way out is not named:\n%s", r.err)
	}
	st.answer = "no\n"
	st.do("apply", "-f", st.answers()).want(t, exitCancelled)
	st.answer = "yes\n"
	st.do("apply", "-f", st.answers()).want(t, exitCancelled) // the question for the host eats the only line; the end of input is a no
	if st.changes() != 0 {
		t.Error("something was changed without a yes")
	}
}

func planFile(t *testing.T, st *site) (path, digest string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "plan.json")
	r := st.do("plan", "-f", st.answers(), "--out", path).want(t, exitPending)
	digest = regexp.MustCompile(`sha256:[0-9a-f]{64}\n`).FindString(r.out[strings.LastIndex(r.out, "digest"):])
	return path, strings.TrimSpace(digest)
}

func TestApprovedPlans(t *testing.T) {
	t.Parallel()
	t.Run("is carried out", func(t *testing.T) {
		st := newSite(t, sandbox.Options{})
		path, digest := planFile(t, st)
		st.do("apply", "--plan", path, "--approve", digest).want(t, exitPerson)
		if st.changes() == 0 {
			t.Error("nothing was changed")
		}
	})
	t.Run("is refused as stale", func(t *testing.T) {
		st := newSite(t, sandbox.Options{})
		path, digest := planFile(t, st)
		if err := st.s.Drift("connectionProfiles", "Default", map[string]any{"sessionRetryInterval": 99}); err != nil {
			t.Fatal(err)
		}
		r := st.do("apply", "--plan", path, "--approve", digest).want(t, exitFailed)
		if !strings.Contains(r.err, "stale") || st.changes() != 0 {
			t.Errorf("%d changes\n%s", st.changes(), r.err)
		}
	})
	t.Run("is refused when edited", func(t *testing.T) {
		st := newSite(t, sandbox.Options{})
		path, digest := planFile(t, st)
		raw, _ := os.ReadFile(path)
		for name, edit := range map[string][2]string{"a value": {"\"60\"", "\"61\""}, "a member": {"\"actions\"", "\"extra\": 1,\n  \"actions\""}, "a blank": {"\"guide\"", " \"guide\""}} {
			edited := strings.Replace(string(raw), edit[0], edit[1], 1)
			if edited == string(raw) {
				t.Fatalf("%s: nothing was edited", name)
			}
			if err := os.WriteFile(path, []byte(edited), 0o600); err != nil {
				t.Fatal(err)
			}
			if r := st.do("apply", "--plan", path, "--approve", digest).want(t, exitFailed); !strings.Contains(r.err, "edited") {
				t.Errorf("%s: %s", name, r.err)
			}
		}
		if len(st.s.Requests()) > 0 && st.changes() != 0 {
			t.Error("something was changed")
		}
	})
	t.Run("needs its own digest", func(t *testing.T) {
		st := newSite(t, sandbox.Options{})
		path, _ := planFile(t, st)
		st.do("apply", "--plan", path, "--approve", "sha256:"+strings.Repeat("0", 64)).want(t, exitUsage)
		st.do("apply", "--plan", path).want(t, exitUsage)
	})
}

// TestObservedServersAreDoneByHand is the run against a server that offers only what was seen of real ones.
func TestObservedServersAreDoneByHand(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{API: "observed"})
	r := st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	for _, step := range []string{"connection-profile", "activity", "policy-resource", "verify"} {
		if !regexp.MustCompile(`(?m)^` + step + ` waiting `).MatchString(r.out) {
			t.Errorf("%s does not wait:\n%s", step, r.out)
		}
	}
	if !strings.Contains(r.err, "Max Duration") || !strings.Contains(r.err, "%target_domain%") {
		t.Error("the manual pages are not shown in full")
	}
	// A word alone makes nothing: what is not there cannot be used, and that is said.
	word := st.do("apply", "-f", st.answers(), "--yes", "--done", "connection-profile").want(t, exitFailed)
	if !strings.Contains(word.err, `connection profile "Netwrix Auditor" was said to be made by hand and is not there`) {
		t.Errorf("it says\n%s", word.err)
	}
	st.person()
	again := st.do("apply", "-f", st.answers(), "--yes", "--done", "auditor-start,certificate-trust,auditor-key,connection-profile,activity")
	again.want(t, exitPerson)
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", "auditor-key,monitoring-plan").want(t, exitOK)
	st.do("verify", "-f", st.answers()).want(t, exitOK)
	posts := 0
	for _, q := range st.s.Requests() {
		if q.Method == "POST" && q.Path == "/api/v1/ConnectionProfile" {
			posts++
		}
	}
	if posts != 1 {
		t.Errorf("the assumed call was tried %d times, want once", posts)
	}
}

func TestTheKeyIsHandedOverOnce(t *testing.T) {
	t.Parallel()
	for _, faults := range [][]string{nil, {"no-key"}} {
		st := newSite(t, sandbox.Options{Faults: faults})
		st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
		to := filepath.Join(t.TempDir(), "key")
		sent := st.changes()
		if faults != nil {
			st.do("key", "-f", st.answers(), "--to", to).want(t, exitUsage)
			st.do("key", "-f", st.answers(), "--to", to, "--yes").want(t, exitOK)
			sent++
		} else {
			st.do("key", "-f", st.answers(), "--to", to).want(t, exitOK)
		}
		if st.changes() != sent {
			t.Errorf("%v: %d changes, want %d", faults, st.changes(), sent)
		}
		raw, err := os.ReadFile(to)
		if err != nil || !strings.HasPrefix(string(raw), "S3CR3T-apikey-") {
			t.Errorf("%v: the file holds no key (%v)", faults, err)
		}
		if info, _ := os.Stat(to); info.Mode().Perm() != 0o600 {
			t.Errorf("mode %o", info.Mode().Perm())
		}
		st.do("key", "-f", st.answers(), "--to", to).want(t, exitFailed) // an existing file stays
	}
}

func TestEventsAreOneJSONObjectALine(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	r := st.do("apply", "-f", st.answers(), "--yes", "--output", "json").want(t, exitPerson)
	seen := map[string]int{}
	for _, l := range strings.Split(strings.TrimSpace(r.out), "\n") {
		var e map[string]any
		if err := json.Unmarshal([]byte(l), &e); err != nil {
			t.Fatalf("%v in %s", err, l)
		}
		seen[e["event"].(string)]++
	}
	for _, name := range []string{"step.started", "op.sent", "op.done", "action.done", "waiting", "step.done", "run.done", "report"} {
		if seen[name] == 0 {
			t.Errorf("no event %s in %v", name, seen)
		}
	}
}

func TestDryRunEndsWithThePlan(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	r := st.do("apply", "-f", st.answers(), "--dry-run").want(t, exitPending)
	if st.changes() != 0 || !strings.Contains(r.out, "digest sha256:") {
		t.Error("a dry run that is none")
	}
}
