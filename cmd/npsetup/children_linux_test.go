package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"npsetup/client/sandbox"
)

// What the system's headers call PTRACE_O_… and __WNOTHREAD.
const (
	followAll  = syscall.PTRACE_O_TRACEFORK | syscall.PTRACE_O_TRACEVFORK | syscall.PTRACE_O_TRACECLONE | syscall.PTRACE_O_TRACEEXEC | 0x100000 // EXITKILL
	ownThreads = 0x20000000
)

// imagesOf runs a command to its end, and gives an image of each program that it or its children became: the kernel stops each of them as
// soon as it is there. It returns the exit code.
func imagesOf(t *testing.T, c *exec.Cmd) ([]image, int) {
	t.Helper()
	runtime.LockOSThread() // only the thread that has started it may watch it
	defer runtime.UnlockOSThread()
	if c.SysProcAttr == nil {
		c.SysProcAttr = &syscall.SysProcAttr{}
	}
	c.SysProcAttr.Ptrace = true
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Wait() }() // it was waited for; this ends what minds its context
	first := c.Process.Pid
	var images []image
	known, code := map[int]bool{}, -1
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WALL|ownThreads, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case errors.Is(err, syscall.ECHILD):
			return images, code
		case err != nil:
			t.Fatal(err)
		}
		if !status.Stopped() {
			if pid == first {
				code = status.ExitStatus()
			}
			continue
		}
		signal := status.StopSignal()
		switch {
		case pid == first && !known[pid]:
			if err := syscall.PtraceSetOptions(pid, followAll); err != nil {
				t.Fatal(err)
			}
			images, signal = append(images, imageOf(t, pid)), 0
		case signal == syscall.SIGTRAP && status.TrapCause() == syscall.PTRACE_EVENT_EXEC:
			images, signal = append(images, imageOf(t, pid)), 0
		case signal == syscall.SIGTRAP && status.TrapCause() > 0, signal == syscall.SIGSTOP && !known[pid]:
			signal = 0
		}
		known[pid] = true
		if err := syscall.PtraceCont(pid, int(signal)); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
	}
}

func imageOf(t *testing.T, pid int) image {
	t.Helper()
	read := func(name string) [][]byte {
		raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), name))
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Split(bytes.TrimSuffix(raw, []byte{0}), []byte{0})
	}
	return image{read("cmdline"), read("environ")}
}

// program is a link to this test binary that makes it the named command (TestMain).
func program(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAPlantedSecretIsFoundInAProcess proves that children are seen, and that what they give away is found.
func TestAPlantedSecretIsFoundInAProcess(t *testing.T) {
	c := exec.CommandContext(t.Context(), program(t, "leaky"))
	c.Env, c.Stderr = []string{}, os.Stderr
	images, code := imagesOf(t, c)
	if code != 0 || len(images) != 3 {
		t.Fatalf("exit %d, %v", code, images)
	}
	var got []string
	for _, i := range images {
		got = append(got, i.gives([]string{marker}))
	}
	if want := []string{"", "the command line of idle", "the variable PLANTED of idle"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := images[2].gives([]string{marker}, "PLANTED"); got != "" {
		t.Errorf("what the person gives himself is told: %s", got)
	}
}

// mute lets a terminal not show what is typed from the start: here it may be typed as soon as it is asked for.
func mute(t *testing.T, terminal *os.File) {
	t.Helper()
	modes, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err == nil {
		modes.Lflag &^= unix.ECHO
		err = unix.IoctlSetTermios(int(terminal.Fd()), unix.TCSETS, modes)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// asProcess runs npsetup as a process on a terminal, which is typed to when it asks for the password.
func (st *site) asProcess(env map[string]string, args ...string) ([]image, int, string) {
	st.t.Helper()
	screen, terminal, err := pty.Open()
	if err != nil {
		st.t.Fatal(err)
	}
	mute(st.t, terminal)
	ctx, cancel := context.WithTimeout(st.t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program(st.t, "npsetup"), append([]string{"--state", st.state}, args...)...)
	c.Stdin, c.Stdout, c.Stderr = terminal, terminal, terminal
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	c.Env = []string{"HOME=" + st.dir, "PATH=/usr/bin:/bin", "TERM=dumb"}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		c.Env = append(c.Env, name+"="+env[name])
	}
	said := make(chan string, 1)
	go func() {
		var all bytes.Buffer
		typed, prompt := false, regexp.MustCompile(`(?m)^.*[Pp]assword.*: $`)
		for b := make([]byte, 4096); ; {
			n, err := screen.Read(b)
			all.Write(b[:n])
			if !typed && prompt.Match(all.Bytes()) {
				typed = true
				_, _ = io.WriteString(screen, st.env["NPS_PASSWORD"]+"\n")
			}
			if err != nil { // nobody has the terminal open any more
				said <- all.String()
				return
			}
		}
	}()
	images, code := imagesOf(st.t, c)
	_ = terminal.Close()
	text := <-said
	_ = screen.Close()
	st.printed.WriteString(text)
	return images, code, text
}

// TestNoSecretInAnyProcess: whatever a secret is taken from, nobody sees it in a list of processes, and no child gets it.
func TestNoSecretInAnyProcess(t *testing.T) {
	st := newSite(t, sandbox.Options{SessionDelay: 20 * time.Millisecond})
	files := map[string]string{}
	for name, value := range st.env {
		files[name] = filepath.Join(st.dir, strings.ToLower(name))
		if err := os.WriteFile(files[name], []byte(value+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fromFile := []string{"--set", "nps.signIn.password=file:" + files["NPS_PASSWORD"], "--set", "nps.signIn.mfa=totp:file:" + files["NPS_TOTP_SECRET"]}
	prompted := []string{"--set", "nps.signIn.password=prompt", "--set", "nps.signIn.mfa=totp:file:" + files["NPS_TOTP_SECRET"]}
	for _, one := range []struct {
		what string
		env  map[string]string
		args []string
		code int
	}{
		{"from the environment", st.env, []string{"apply", "--yes", "-f", st.answers()}, exitPerson},
		{"from files", nil, append([]string{"resume", "--yes", "--done", allManual}, fromFile...), exitOK},
		{"asked for", nil, append([]string{"verify", "--session", "--yes"}, prompted...), exitOK},
		{"handed over", nil, append([]string{"key", "--to", filepath.Join(st.dir, "key.txt")}, fromFile...), exitOK},
		{"looked at", nil, append([]string{"doctor", "-f", st.answers()}, fromFile...), exitOK},
		{"taken back", nil, append([]string{"undo", "--yes", "--done", allManual}, fromFile...), exitOK},
	} {
		images, code, text := st.asProcess(one.env, one.args...)
		if code != one.code {
			t.Errorf("%s: exit %d, want %d\n%s", one.what, code, one.code, text)
		}
		own := slices.Collect(maps.Keys(one.env))
		for i, is := range images {
			if i > 0 {
				own = nil // a child has no business with it
			}
			if leak := is.gives(st.s.Secrets(), own...); leak != "" {
				t.Errorf("%s: a secret stands in %s", one.what, leak)
			}
		}
		st.person()
	}
}
