package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// TestWhatAnUndoTookBackIsAskedForAgain, also before the undo is through: nobody's word outlives what it stood for, nor a session that was opened before.
func TestWhatAnUndoTookBackIsAskedForAgain(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.do("undo", "--yes", "--done", "monitoring-plan").want(t, exitPerson)
	r := st.do("verify", "-f", st.answers())
	for _, step := range []string{"auditor-start", "auditor-key", "monitoring-plan"} {
		says(t, r.out, step+" waiting by hand; say so with --done "+step)
	}
	says(t, r.out, "certificate-trust by-word said to be done") // nobody has taken it back
	says(t, st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson).err, "--done auditor-start,auditor-key,monitoring-plan")
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual)
	says(t, st.do("undo", "--yes").want(t, exitPerson).err, "auditor-key", "monitoring-plan") // what was done anew is taken back anew
	st.do("undo", "--yes", "--done", allManual).want(t, exitOK)
	r = st.do("verify", "-f", st.answers())
	if strings.Contains(r.out, "by-word") || strings.Contains(r.out, "seen: ") {
		t.Errorf("something is still taken for done:\n%s", r.out)
	}
}

// TestASessionBeforeAnUndoProvesNothing of what was taken back by it.
func TestASessionBeforeAnUndoProvesNothing(t *testing.T) {
	t.Parallel()
	st := newVaultSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.hands()
	st.do("resume", "--yes", "--done", vaultManual).want(t, exitOK)
	says(t, st.do("verify", "-f", st.answers()).want(t, exitOK).out, "seen: ")
	st.do("undo", "--yes", "--done", vaultManual).want(t, exitOK)
	if r := st.do("verify", "-f", st.answers()); strings.Contains(r.out, "seen: ") {
		t.Errorf("a session is taken for a proof:\n%s", r.out)
	}
}

// TestARunThatIsBeingTakenBack is gone on with by undo: resume leaves it alone, doctor and the wizard say so, and apply sets it up again.
func TestARunThatIsBeingTakenBack(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.do("undo", "--yes").want(t, exitPerson)
	sent := st.changes()
	for _, more := range []string{"--yes", "--dry-run"} {
		says(t, st.do("resume", more).want(t, exitUsage).err, "this run is being taken back", "npsetup undo --yes goes on taking it back", "npsetup apply -f FILE --yes sets it up again")
	}
	if st.changes() != sent {
		t.Error("it changed something")
	}
	sheet := st.examine(exitOK, "-f", st.answers())
	says(t, sheet.find("runs"), "is being taken back", string(problem.RunOpen))
	if n := strings.Count(sheet.everything(), "fault"); n > 0 {
		t.Errorf("what was taken back is a fault:\n%s", sheet.everything())
	}
	st.answer = "q\n"
	r := st.do("--plain").want(t, exitCancelled)
	back, again := strings.Index(r.out, "Take back what was set up"), strings.Index(r.out, "Set up again what is being taken back")
	if back < 0 || again < back {
		t.Errorf("it does not offer to take back first:\n%s", r.out)
	}
	st.answer = ""
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.do("resume", "--yes", "--done", allManual).want(t, exitOK)
}

// everything are all checks, one a line.
func (s sheet) everything() string {
	b := &strings.Builder{}
	for _, c := range s.Checks {
		fmt.Fprintln(b, c.Outcome, c.Name, c.Text)
	}
	return b.String()
}

// TestNoRunToTakeBack: where nothing is remembered nothing is said to be taken back, and nothing is written.
func TestNoRunToTakeBack(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.state = t.TempDir()
	for _, more := range [][]string{{"--yes"}, {"--dry-run"}, {"--approve", "sha256:00"}} {
		says(t, st.do(append([]string{"undo", "-f", st.answers()}, more...)...).want(t, exitUsage).err, "this state folder has no run for that server", "--state DIR")
	}
	if left, err := os.ReadDir(st.state); err != nil || len(left) > 0 {
		t.Error("something was written", left, err)
	}
}

// TestDoctorAfterAnUndo finds no fault in what was taken back and NPS keeps as deleted.
func TestDoctorAfterAnUndo(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	st.do("undo", "--yes", "--done", allManual).want(t, exitOK)
	sheet := st.examine(exitOK, "-f", st.answers())
	for _, step := range []string{"application-user", "connection-profile", "activity", "policy-resource", "monitoring-plan", "verify"} {
		if got := sheet.find(step); !strings.Contains(got, "not yet: ") || strings.Contains(got, "fault: ") {
			t.Errorf("of %s it says %s", step, got)
		}
	}
	says(t, sheet.find("runs"), "ok: none is unfinished")
}

// TestAFinishedRun is no unfinished one, and may still be taken back.
func TestAFinishedRun(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	says(t, st.examine(exitOK).find("runs"), "ok: none is unfinished")
	st.do("undo", "--dry-run").want(t, exitPending)
}

// TestTheNextCommandNamesTheRun where several are open: without that it would be refused.
func TestTheNextCommandNamesTheRun(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	other := st.edited("name: NetwrixAuditor", "name: NetwrixOther")
	st.do("apply", "-f", other, "--yes").want(t, exitPerson)
	file := plan.ShellWord(st.answers())
	says(t, st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson).err, "when it is done: npsetup resume -f "+file+" --yes --done ")
	if _, err := st.s.SetFaults([]string{"server-500"}, nil); err != nil {
		t.Fatal(err)
	}
	says(t, st.do("resume", "-f", st.answers(), "--yes").want(t, exitFailed).err, "next: run npsetup resume -f "+file+" to go on")
	if _, err := st.s.SetFaults(nil, []string{"server-500"}); err != nil {
		t.Fatal(err)
	}
	says(t, st.do("doctor").want(t, exitOK).out, "next: npsetup resume -f FILE goes on with it")
	says(t, st.do("undo", "-f", st.answers(), "--yes").want(t, exitPerson).err, "when it is done: npsetup undo -f "+file+" --yes --done ")
}

// TestAdviceNamesTheStateFolder that a command was given: without it, the next one would find no run.
func TestAdviceNamesTheStateFolder(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	place := " --state " + plan.ShellWord(st.state)
	said := strings.Join(strings.Fields(st.do("apply", "-f", st.answers(), "--yes", "--state", st.state).want(t, exitPerson).err), " ")
	says(t, said, "npsetup key"+place+" --to FILE", "when it is done: npsetup resume"+place+" --yes --done ")
	says(t, st.do("doctor", "--state", st.state).want(t, exitOK).out, "next: npsetup resume"+place+" goes on with it")
	if strings.Contains(said, "waiting: it waits") {
		t.Error("what waits is told twice, and not for what")
	}
	says(t, said, `"session npsetup proof 1": it waits for certificate-trust; a person does that first`)
}

// TestWhatIsNoCommandIsAMistake, also behind completion and help.
func TestWhatIsNoCommandIsAMistake(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	says(t, st.do("completion", "tcsh").want(t, exitUsage).err, "no completion for the shell tcsh", "bash, fish, powershell or zsh")
	says(t, st.do("help", "nothing").want(t, exitUsage).err, "there is no command nothing")
	says(t, st.do("help", "trust", "pin").want(t, exitOK).out, "npsetup trust pin")
	says(t, st.do("completion").want(t, exitOK).out, "powershell")
	says(t, st.do("completion", "bash").want(t, exitOK).out, "bash completion")
}

// TestAStoppedPlan has no run to go on with.
func TestAStoppedPlan(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for command, want := range map[string]string{"plan": "it only reads, and changed nothing: run the same command again", "apply": "npsetup resume --yes continues it", "undo": "npsetup undo --yes looks again"} {
		args := []string{command, "-f", st.answers()}
		if command == "undo" {
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
		}
		if command != "plan" {
			args = append(args, "--yes")
		}
		r := st.within(ctx, args...).want(t, exitCancelled)
		if got := strings.Join(strings.Fields(r.err), " "); !strings.Contains(got, want) && !strings.Contains(strings.ReplaceAll(got, " next", ""), want) {
			t.Errorf("%s: %s", command, got)
		}
	}
}
