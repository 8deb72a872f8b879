//go:build full

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"npsetup/client/sandbox"
)

// builtBinary builds the shipped program once.
var builtBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "npsetup-binary-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "npsetup")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, nil
})

// process is the real binary on a site: nothing of this process but the answers and two variables reaches it.
func (st *site) process(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	binary, err := builtBinary()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), binary, append([]string{"--state", st.state}, args...)...)
	c.Env = []string{"HOME=" + st.state, "NPS_PASSWORD=" + st.env["NPS_PASSWORD"], "NPS_TOTP_SECRET=" + st.env["NPS_TOTP_SECRET"], "PASSWORD_SECURE_API_KEY=" + st.env["PASSWORD_SECURE_API_KEY"]}
	return c
}

func code(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -2
	}
	return 0
}

// killedAt runs the real binary and kills it with SIGKILL at its k-th changing request: carried out, and its answer never seen.
func (st *site) killedAt(t *testing.T, k int, args ...string) {
	t.Helper()
	var mu sync.Mutex
	seen := 0
	victim := st.process(t, args...)
	victim.Env = append(victim.Env, "NPS_PFX_PASSPHRASE="+st.env["NPS_PFX_PASSPHRASE"])
	st.s.OnRequest(func(r sandbox.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Class == "change" {
			if seen++; seen == k {
				_ = victim.Process.Kill()
			}
		}
	})
	var out bytes.Buffer
	victim.Stdout, victim.Stderr = &out, &out
	mu.Lock() // the first request must not come before the process is known
	err := victim.Start()
	mu.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	if err := victim.Wait(); err == nil || victim.ProcessState.Exited() {
		t.Fatalf("it was not killed: %v\n%s", err, out.Bytes())
	}
	st.printed.Write(out.Bytes())
}

// TestKilledForReal kills the real binary with SIGKILL at every changing request: carried out, and its answer never seen.
// The run that follows must come to the state of one that nothing stopped.
func TestKilledForReal(t *testing.T) {
	want, n := undisturbed(t, sandbox.Options{})
	for k := 1; k <= n; k++ {
		t.Run(fmt.Sprintf("at change %d", k), func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			st.killedAt(t, k, "apply", "-f", st.answers(), "--yes")
			again, err := st.process(t, "resume", "--yes").CombinedOutput()
			st.printed.Write(again)
			if code(err) != exitPerson {
				t.Fatalf("resume ended with %d\n%s", code(err), again)
			}
			if got := st.canonical(); got != want {
				t.Errorf("another end state:\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestEveryFault runs the real binary against every fault and demands an end in words. Those that may strike any call are TestFaults'.
func TestEveryFault(t *testing.T) {
	ends := map[string]int{
		"answer-lost": exitPerson, "auth-500": exitPerson, "expired-cert": exitFailed, "expired-licence": exitFailed, "hosting": exitFailed, "locked": exitRefused,
		"mfa-replay": exitPerson, "no-key": exitPerson, "keys-renewed": exitRefused, "pool-stopped": exitFailed, "old-version": exitFailed, "webdav": exitFailed, "wrong-role": exitRefused,
	}
	for _, fault := range sandbox.FaultNames() {
		if slices.ContainsFunc(sandbox.CallFaults(), func(k sandbox.FaultKind) bool { return k.Name == fault }) {
			continue
		}
		t.Run(fault, func(t *testing.T) {
			st := newSite(t, sandbox.Options{Faults: []string{fault}})
			out, err := st.process(t, "apply", "-f", st.answers(), "--yes").CombinedOutput()
			st.printed.Write(out)
			want, known := ends[fault]
			if !known {
				want = exitPerson // a fault of the application user, of its sessions or of Auditor: what an administrator sets up goes well
			}
			if code(err) != want {
				t.Errorf("ended with %d, want %d\n%s", code(err), want, out)
			}
		})
	}
}

// TestLostAnswersAtEveryChange loses each answer to the real binary, and resumes.
func TestLostAnswersAtEveryChange(t *testing.T) {
	want, n := undisturbed(t, sandbox.Options{})
	for k := 1; k <= n; k++ {
		st := newSite(t, sandbox.Options{Faults: []string{fmt.Sprintf("answer-lost@%d", k)}})
		out, _ := st.process(t, "apply", "-f", st.answers(), "--yes").CombinedOutput()
		again, err := st.process(t, "resume", "--yes").CombinedOutput()
		st.printed.Write(append(out, again...))
		if code(err) != exitPerson || st.canonical() != want {
			t.Errorf("change %d: resume ended with %d\n%s\n%s", k, code(err), out, again)
		}
	}
}
