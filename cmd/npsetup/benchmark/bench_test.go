//go:build bench

// Package benchmark measures the built program on a pseudo-terminal, beside gum and a program that writes only the cells
// that change. It is no test of behaviour and is never shipped: make bench runs it. See docs/performance.md.
package benchmark

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	starts     = 20 // of each program
	slowStarts = 3  // of one that waits five seconds for an answer of the terminal
	entries    = 50 // of a list
	idleTime   = 10 * time.Second
	spinTime   = 5 * time.Second
)

// rig is what is measured, built.
type rig struct {
	t                       *testing.T
	npsetup, gum, raw, bare string
	names                   []string // entries of the lists
	out                     *table
}

// TestBench prints the table. A missed target is told, and does not fail the run.
func TestBench(t *testing.T) {
	r := build(t)
	before := load()
	on := r.sandbox("--resources", fmt.Sprint(entries))
	for _, measure := range []func(site){r.frames, r.typing, r.moves, r.overview, r.waits, r.rest, r.applying, r.many} {
		measure(on)
	}
	fmt.Printf("\nmachine: %d cores, %s, %s, %s/%s, load %s before and %s after\n\n%s\n", runtime.NumCPU(), processor(), runtime.Version(), runtime.GOOS, runtime.GOARCH, before, load(), r.out)
}

func build(t *testing.T) *rig {
	dir := t.TempDir()
	r := &rig{t: t, npsetup: filepath.Join(dir, "npsetup"), raw: filepath.Join(dir, "raw"), bare: filepath.Join(dir, "bare"), out: &table{}}
	for out, pkg := range map[string]string{r.npsetup: "..", r.raw: "./testdata/raw", r.bare: "./testdata/bare"} {
		c := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
		c.Env = append(os.Environ(), "CGO_ENABLED=0")
		if said, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", pkg, err, said)
		}
	}
	var err error
	if r.gum, err = filepath.Abs("../../../bin/tools/gum"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(r.gum); err != nil {
		t.Fatalf("%v: make bench builds it", err)
	}
	for i := range entries {
		r.names = append(r.names, fmt.Sprintf("new%05d.contoso.com · server", i+1))
	}
	return r
}

func processor() string {
	raw, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "unknown processor"
	}
	for _, l := range strings.Split(string(raw), "\n") {
		if name, value, is := strings.Cut(l, ":"); is && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// load is how many programs wanted a core in the last minute: figures of a busy machine are not worth much.
func load() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	first, _, _ := strings.Cut(string(raw), " ")
	return first
}

// site is a running sandbox and what the wizard needs to work on it.
type site struct {
	answers string
	admin   string
	env     []string
}

// sandbox starts one beside the measured programs, so that its work is not counted as theirs.
func (r *rig) sandbox(args ...string) site {
	r.t.Helper()
	dir := r.t.TempDir()
	c := exec.CommandContext(r.t.Context(), r.npsetup, append([]string{"sandbox", "--dir", dir}, args...)...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 5 * time.Second
	out, err := c.StdoutPipe()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = c.Wait() }) // the test's context has ended by then, and the sandbox with it
	var said map[string]string
	if err := json.NewDecoder(out).Decode(&said); err != nil { // its first line: it listens
		r.t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil {
		r.t.Fatal(err)
	}
	s := site{answers: filepath.Join(dir, "answers-auditor.yaml"), admin: said["admin"]}
	for _, m := range regexp.MustCompile(`(?m)^export (\w+)='(.*)'$`).FindAllStringSubmatch(string(raw), -1) {
		s.env = append(s.env, m[1]+"="+m[2])
	}
	return s
}

// wizard opens the wizard with the answers of a sandbox, on a state folder of its own.
func (r *rig) wizard(s site, m manners) *terminal {
	return open(r.t, m, s.env, r.npsetup, "-f", s.answers, "--state", r.t.TempDir())
}

const (
	enter = "\r"
	next  = "\x0e" // ctrl+n
	down  = "\x1b[B"
	up    = "\x1b[A"
	home  = "\x1b[H"
)

var started = []string{"Set up:", "q leave"}

// atStep opens the wizard and goes to a step by its number.
func (r *rig) atStep(s site, number int) *terminal {
	w := r.wizard(s, manners{})
	w.until(0, frameSettle, started...)
	w.send(enter, "step 1 of ")
	for i := 2; i <= number; i++ {
		if i == 5 { // it asks before it signs in where it never was
			w.send(next, "Sign in there?", "No")
			w.send("y", "[Yes]")
			w.send(enter, "step 5 of ")
			continue
		}
		w.send(next, fmt.Sprintf("step %d of ", i))
	}
	return w
}

// frames measures how long a person looks at nothing. The programs take turns, so that a busy moment hits all of them.
func (r *rig) frames(s site) {
	for _, m := range []struct {
		what    string
		manners manners
	}{
		{"terminal answers at once", manners{}},
		{"answers after 300 ms", manners{after: 300 * time.Millisecond}},
		{"never answers", manners{silent: true}},
	} {
		var ours, demo, input, choose, raw []float64
		for i := range starts {
			raw = append(raw, frame(open(r.t, m.manners, nil, r.raw, "spin"), "waiting"))
			ours = append(ours, frame(r.wizard(s, m.manners), started...))
			demo = append(demo, frame(open(r.t, m.manners, nil, r.npsetup, "demo"), started...))
			if m.manners.silent && i >= slowStarts {
				continue
			}
			input = append(input, frame(open(r.t, m.manners, nil, r.gum, "input"), "submit"))
			choose = append(choose, frame(r.choose(m.manners), r.names[16], "submit"))
		}
		r.out.add("first frame, "+m.what, "ms", median(ours), median(input), median(raw), below(80))
		r.out.add("the same of demo, with its sandbox; gum choose", "ms", median(demo), median(choose), median(raw), below(80))
	}
}

// frame is the time from the start of a program to the last byte of its first full frame.
func frame(w *terminal, words ...string) float64 {
	got := w.until(0, frameSettle, words...)
	w.close()
	return ms(got[len(got)-1].at.Sub(w.began))
}

func (r *rig) choose(m manners) *terminal {
	return open(r.t, m, nil, r.gum, append([]string{"choose", "--height", "17"}, r.names...)...)
}

// TestMany prints the lines about many objects alone, which TestBench measures too: go test -C cmd/npsetup/benchmark -tags bench -run TestMany -count=1
func TestMany(t *testing.T) {
	r := build(t)
	before := load()
	r.many(site{})
	fmt.Printf("\nload %s before and %s after\n\n%s\n", before, load(), r.out)
}
