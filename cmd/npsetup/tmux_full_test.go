//go:build full

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// needed finds a program. In CI it must be there; elsewhere the test is skipped, and says so.
func needed(t *testing.T, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed: .ci/run installs it", names[0])
	}
	t.Skipf("SKIPPED: %s is not installed, so this was not tested", names[0])
	return ""
}

// window is a shell on a tmux server of its own.
type window struct {
	t     *testing.T
	tmux  string
	name  string
	dir   string
	moved chan struct{} // something was printed
	gone  chan struct{} // the server has ended
	n     int
}

const shellPrompt = "ready> "

// newWindow starts a shell on a terminal of 80x24. The environment is only what is given.
func newWindow(t *testing.T, env ...string) *window {
	t.Helper()
	w := &window{t: t, tmux: needed(t, "tmux"), dir: t.TempDir(), moved: make(chan struct{}, 1), gone: make(chan struct{})}
	w.name = fmt.Sprintf("npsetup-%d-%s", os.Getpid(), filepath.Base(filepath.Dir(w.dir)))
	shell := append([]string{"env", "-i", "PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "LANG=C.UTF-8", "TERM=screen-256color", "PS1=" + shellPrompt}, append(env, "/bin/sh", "-i")...)
	w.do(append([]string{"-f", "/dev/null", "new-session", "-d", "-s", "w", "-x", "80", "-y", "24", "--"}, shell...)...)
	t.Cleanup(func() { _ = exec.Command(w.tmux, "-L", w.name, "kill-server").Run() })
	w.do("set-option", "-g", "status", "off")
	w.do("set-option", "-g", "window-size", "manual")
	w.watch()
	w.size(80, 24)
	w.see(strings.TrimSpace(shellPrompt))
	return w
}

func (w *window) do(args ...string) string {
	w.t.Helper()
	out, err := exec.CommandContext(w.t.Context(), w.tmux, append([]string{"-L", w.name}, args...)...).CombinedOutput()
	if err != nil {
		w.t.Fatalf("tmux %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// watch attaches a client that draws nothing and hears of all that is printed.
func (w *window) watch() {
	w.t.Helper()
	c := exec.Command(w.tmux, "-L", w.name, "-C", "attach-session", "-t", "w")
	in, err := c.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		defer close(w.gone)
		for r := bufio.NewReader(out); ; {
			if _, err := r.ReadString('\n'); err != nil {
				return
			}
			select {
			case w.moved <- struct{}{}:
			default:
			}
		}
	}()
	w.t.Cleanup(func() { // before the server is killed
		_ = in.Close()
		<-w.gone
		_ = c.Wait()
	})
}

func (w *window) shown() string { return w.do("capture-pane", "-p", "-t", "w") }

// until looks after everything that is printed.
func (w *window) until(what string, ready func(shown string) bool) {
	w.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for !ready(w.shown()) {
		select {
		case <-w.moved:
		case <-late.C:
			w.t.Fatalf("this did not come: %s\n%s", what, w.shown())
		}
	}
}

func (w *window) see(text string) {
	w.t.Helper()
	w.until(strconv.Quote(text), func(shown string) bool { return strings.Contains(squeezed(shown), text) })
}

func (w *window) size(columns, rows int) {
	w.t.Helper()
	w.do("resize-window", "-t", "w", "-x", strconv.Itoa(columns), "-y", strconv.Itoa(rows))
}

func (w *window) typed(text string) { w.t.Helper(); w.do("send-keys", "-t", "w", "-l", "--", text) }
func (w *window) key(name string)   { w.t.Helper(); w.do("send-keys", "-t", "w", name) }

// shell runs a command that ends at once.
func (w *window) shell(command string) {
	w.t.Helper()
	w.n++
	w.typed(fmt.Sprintf("%s; echo 'did'%d", command, w.n))
	w.key("Enter")
	w.see(fmt.Sprintf("did%d", w.n))
}

// stty is the state of the terminal.
func (w *window) stty() string {
	w.t.Helper()
	file := filepath.Join(w.dir, "stty")
	w.shell("stty -g > " + file)
	raw, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(raw)
}

// prompt waits until the shell is back on its own screen, with a cursor.
func (w *window) prompt() {
	w.t.Helper()
	w.until("the shell", func(shown string) bool {
		lines := strings.Split(strings.TrimSpace(shown), "\n")
		return strings.HasSuffix(lines[len(lines)-1], strings.TrimSpace(shellPrompt)) && strings.TrimSpace(w.do("display-message", "-p", "-t", "w", "#{alternate_on} #{cursor_flag}")) == "0 1"
	})
}

// code waits for the end of a program, and demands its exit code.
func (w *window) code(want int) {
	w.t.Helper()
	w.prompt()
	w.shell("echo code-$?")
	w.see(fmt.Sprintf("code-%d", want))
}

// npsetup starts the built program and gives the file in which its process id stands.
func (w *window) npsetup(st *site, before string, args ...string) string {
	w.t.Helper()
	binary, err := builtBinary()
	if err != nil {
		w.t.Fatal(err)
	}
	w.n++
	file := filepath.Join(w.dir, fmt.Sprintf("pid%d", w.n))
	script := filepath.Join(w.dir, fmt.Sprintf("go%d", w.n))
	text := fmt.Sprintf("echo $$ > %s\n%sexec %s --state %s %s\n", file, before, binary, st.state, strings.Join(args, " "))
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		w.t.Fatal(err)
	}
	w.typed("clear; sh " + script)
	w.key("Enter")
	return file
}

// kill sends a signal to a started program.
func (w *window) kill(signal, file string) {
	w.t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		w.t.Fatal(err)
	}
	if out, err := exec.Command("kill", "-"+signal, strings.TrimSpace(string(raw))).CombinedOutput(); err != nil {
		w.t.Fatalf("%v: %s", err, out)
	}
}

// pipe copies all that is printed from now on to a file.
func (w *window) pipe() func() string {
	w.t.Helper()
	file := filepath.Join(w.dir, "printed")
	w.do("pipe-pane", "-t", "w", "-O", "cat >> "+file)
	return func() string {
		f, err := os.Open(file)
		if err != nil {
			w.t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		raw, err := io.ReadAll(f)
		if err != nil {
			w.t.Fatal(err)
		}
		return string(raw)
	}
}
