package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// leakless are tests that fail when one of their goroutines is left behind.
type leakless struct{ m *testing.M }

// Run implements testscript.TestingM.
func (l leakless) Run() int {
	code := l.m.Run()
	if code != 0 {
		return code
	}
	left := []goleak.Option{ // left by libraries when something ends
		goleak.IgnoreTopFunction("golang.org/x/crypto/ssh.(*mux).openChannel"),                        // see client/remote
		goleak.IgnoreTopFunction("github.com/charmbracelet/ultraviolet.(*TerminalReader).sendEvents"), // what is typed while the screen ends is read by nobody
	}
	if err := goleak.Find(left...); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// TestMain lets scripts run npsetup as a process of its own.
func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){"npsetup": func() { os.Exit(start(os.Args[1:], fromProcess())) }, "leaky": leaky, "idle": func() {}})
}

// TestScripts tells the line mode from outside: a process, its streams, its exit code.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("XDG_STATE_HOME", e.WorkDir+"/state")
			e.Setenv("TMPDIR", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"ends": ends, "authority": authority},
	})
}

// ends runs a command and demands its exit code: ends CODE COMMAND…
func ends(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit %d, want %d\n%s\n%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}
