//go:build bench

package benchmark

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// How long a terminal must be silent before what a program drew counts as complete: a frame, and what one key brings.
const (
	frameSettle = 150 * time.Millisecond
	keySettle   = 40 * time.Millisecond
	deadline    = 20 * time.Second
)

// manners are how a terminal answers when it is asked for its background colour.
type manners struct {
	after  time.Duration
	silent bool
}

// chunk is one read from the terminal.
type chunk struct {
	at    time.Time
	bytes int
}

// terminal is a program on an 80x24 pseudo-terminal.
type terminal struct {
	t       testing.TB
	c       *exec.Cmd
	pty     *os.File
	manners manners
	began   time.Time
	ended   chan error
	moved   chan struct{}

	mu     sync.Mutex
	screen vt10x.Terminal
	chunks []chunk
	bare   bool // the last byte was a carriage return
}

// open starts a program on a terminal such as one over SSH: 256 colours, no synchronized output.
func open(t testing.TB, m manners, env []string, program string, args ...string) *terminal {
	t.Helper()
	home := t.TempDir()
	c := exec.CommandContext(t.Context(), program, args...)
	c.Env = append([]string{"TERM=xterm-256color", "SSH_TTY=/dev/pts/0", "LANG=C.UTF-8", "PATH=" + os.Getenv("PATH"), "HOME=" + home, "TMPDIR=" + home}, env...)
	w := &terminal{
		t: t, c: c, manners: m, began: time.Now(), ended: make(chan error, 1), moved: make(chan struct{}, 1),
		screen: vt10x.New(vt10x.WithSize(80, 24)),
	}
	var err error
	if w.pty, err = pty.StartWithSize(c, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		t.Fatal(err)
	}
	go w.read()
	go func() { w.ended <- c.Wait() }()
	t.Cleanup(w.close)
	return w
}

// close ends the program as a person would not: it is asked by a signal, and killed when it does not listen.
func (w *terminal) close() {
	if w.pty == nil {
		return
	}
	_ = w.c.Process.Signal(syscall.SIGTERM)
	select {
	case <-w.ended:
	case <-time.After(2 * time.Second):
		_ = w.c.Process.Kill()
		<-w.ended
	}
	_ = w.pty.Close()
	w.pty = nil
}

func (w *terminal) read() {
	buf := make([]byte, 1<<16)
	for f := w.pty; ; {
		n, err := f.Read(buf)
		at := time.Now()
		if n > 0 {
			w.answer(f, buf[:n])
			w.mu.Lock()
			w.chunks = append(w.chunks, chunk{at, n})
			_, _ = w.screen.Write(w.returned(buf[:n]))
			w.mu.Unlock()
			select {
			case w.moved <- struct{}{}:
			default:
			}
		}
		if err != nil {
			return
		}
	}
}

// returned gives every line feed the carriage return that the emulator needs.
func (w *terminal) returned(p []byte) []byte {
	var out []byte
	for _, c := range p {
		if c == '\n' && !w.bare {
			out = append(out, '\r')
		}
		out = append(out, c)
		w.bare = c == '\r'
	}
	return out
}

// answer tells a dark background and the place of the cursor to a program that asks, as this terminal's manners are.
func (w *terminal) answer(f *os.File, p []byte) {
	reply := ""
	if bytes.Contains(p, []byte("\x1b]11;?")) {
		reply += "\x1b]11;rgb:1e1e/1e1e/1e1e\x1b\\"
	}
	if bytes.Contains(p, []byte("\x1b[6n")) {
		reply += "\x1b[1;1R"
	}
	if reply == "" || w.manners.silent {
		return
	}
	time.AfterFunc(w.manners.after, func() { _, _ = f.WriteString(reply) })
}

// text is what the screen shows.
func (w *terminal) text() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.screen.String()
}

// until waits until more than from reads came, all words are on the screen and nothing more came for the settle time. It
// gives the reads since from.
func (w *terminal) until(from int, settle time.Duration, words ...string) []chunk {
	w.t.Helper()
	late := time.After(deadline)
	for {
		w.mu.Lock()
		since, wait := w.chunks[from:], settle
		ready := len(since) > 0
		for _, word := range words {
			ready = ready && strings.Contains(w.screen.String(), word)
		}
		if len(since) > 0 {
			wait = settle - time.Since(since[len(since)-1].at)
		}
		w.mu.Unlock()
		if ready && wait <= 0 {
			return since
		}
		if !ready {
			wait = deadline
		}
		select {
		case <-w.moved:
		case <-time.After(max(wait, time.Millisecond)):
		case err := <-w.ended:
			w.ended <- err
			w.t.Fatalf("%s ended (%v) before %q was shown:\n%s", filepath.Base(w.c.Path), err, words, w.text())
		case <-late:
			w.t.Fatalf("%s does not show %q:\n%s", filepath.Base(w.c.Path), words, w.text())
		}
	}
}

func (w *terminal) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.chunks)
}

// send writes keys and waits until all words are shown.
func (w *terminal) send(keys string, words ...string) []chunk {
	w.t.Helper()
	from := w.count()
	if _, err := w.pty.WriteString(keys); err != nil {
		w.t.Fatal(err)
	}
	return w.until(from, frameSettle, words...)
}

// used is the processor time of the program so far, all threads.
func (w *terminal) used() time.Duration {
	w.t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", w.c.Process.Pid))
	if err != nil || len(files) == 0 {
		w.t.Fatalf("no schedstat: %v", err)
	}
	var sum time.Duration
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(raw))[0], 10, 64)
		if err != nil {
			w.t.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// resident is the memory that the program holds now, in bytes.
func (w *terminal) resident() int64 {
	w.t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", w.c.Process.Pid))
	if err != nil {
		w.t.Fatal(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(raw))[1], 10, 64)
	if err != nil {
		w.t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}

// idle counts what comes while nothing is done.
func (w *terminal) idle(d time.Duration) int {
	from := w.count()
	time.Sleep(d) // the measure itself: nothing is waited for
	return sum(w.since(from))
}

// since gives the reads behind the first from.
func (w *terminal) since(from int) []chunk {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.chunks[from:len(w.chunks):len(w.chunks)]
}

func sum(list []chunk) (n int) {
	for _, c := range list {
		n += c.bytes
	}
	return n
}
