//go:build bench

package benchmark

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// keyed is what came of many keys.
type keyed struct {
	bytes, took []float64     // took in ms
	cpu         time.Duration // of all keys
}

// press types one key and waits for all that it brings. The programs draw 60 times a second: the pause before the key is of a
// random length, so that keys come at every moment between two frames.
func (k *keyed) press(w *terminal, key string) {
	w.t.Helper()
	time.Sleep(time.Duration(rand.N(17_000)) * time.Microsecond)
	from, at := w.count(), time.Now()
	if _, err := w.pty.WriteString(key); err != nil {
		w.t.Fatal(err)
	}
	got := w.until(from, keySettle)
	k.bytes = append(k.bytes, float64(sum(got)))
	k.took = append(k.took, ms(got[len(got)-1].at.Sub(at)))
}

// trio are the three programs that are compared: npsetup, gum, raw.
type trio [3]*terminal

func (r *rig) typing(s site) {
	w := trio{r.atStep(s, 3), open(r.t, manners{}, nil, r.gum, "input", "--char-limit", "0"), open(r.t, manners{}, nil, r.raw, "input")}
	w[1].until(0, frameSettle, "submit")
	w[2].until(0, frameSettle, "Name")
	var short, long, both [3]keyed
	const rounds = 4
	for range rounds {
		for i, one := range w {
			one.send("x")
			one.send("\x15") // ctrl+u clears it
			letters(one, &short[i], 60)
			one.send(strings.Repeat("-", 30))
			letters(one, &long[i], 60)
		}
	}
	for i := range w {
		both[i] = keyed{took: slices.Concat(short[i].took, long[i].took), cpu: short[i].cpu + long[i].cpu}
	}
	r.out.add("typed character", "bytes", mean(short[0].bytes), mean(short[1].bytes), mean(short[2].bytes), halfOf(mean(short[1].bytes)))
	r.out.add("typed character, field scrolls", "bytes", mean(long[0].bytes), mean(long[1].bytes), mean(long[2].bytes), halfOf(mean(long[1].bytes)))
	r.latency("typing", both, none)
	r.idle("text field", w)
}

// latency tells the time from a key to the last byte that it brings, and the processor time.
func (r *rig) latency(what string, k [3]keyed, cpu judge) {
	at := func(i int, share float64) float64 { return quantile(k[i].took, share) }
	r.out.add("key to last byte, "+what+", p50", "ms", at(0, 0.5), at(1, 0.5), at(2, 0.5), none)
	r.out.add("key to last byte, "+what+", p99", "ms", at(0, 0.99), at(1, 0.99), at(2, 0.99), atMost(at(1, 0.99)))
	each := func(i int) float64 { return ms(k[i].cpu) / float64(len(k[i].took)) }
	r.out.add("processor time of a key, "+what, "ms", each(0), each(1), each(2), cpu)
}

// letters types n of them, no two neighbours alike.
func letters(w *terminal, k *keyed, n int) {
	before := w.used()
	for i := range n {
		k.press(w, string(rune('a'+i%26)))
	}
	k.cpu += w.used() - before
}

func (r *rig) moves(s site) {
	w := trio{r.atStep(s, 14), r.choose(manners{}), open(r.t, manners{}, nil, r.raw, append([]string{"choose"}, r.names...)...)}
	w[1].until(0, frameSettle, "submit")
	w[2].until(0, frameSettle, r.names[16])
	w[0].send("\x0c", "of 106") // ctrl+l opens the list
	w[0].send("new", "50 that fit")
	r.out.add("resident memory, list open", "MB", mb(w[0].resident()), mb(w[1].resident()), mb(w[2].resident()), below(30))
	var k [3]keyed
	const rounds = 8
	for range rounds {
		for i, one := range w {
			through(one, &k[i], entries)
			one.send(home)
		}
	}
	gum := mean(k[1].bytes)
	r.out.add("move in a list of 50", "bytes", mean(k[0].bytes), gum, mean(k[2].bytes), halfOf(gum))
	r.out.add("the same, the page stays (median)", "bytes", median(k[0].bytes), median(k[1].bytes), median(k[2].bytes), none)
	r.latency("list", k, below(6))
	r.idle("list", w)
}

// through goes through a list from its first to its last entry.
func through(w *terminal, k *keyed, n int) {
	before := w.used()
	for range n - 1 {
		k.press(w, down)
	}
	k.cpu += w.used() - before
}

func (r *rig) overview(s site) {
	w := r.atStep(s, 1)
	w.send("\x0f", "All steps") // ctrl+o
	const n, rounds = 17, 4
	var k keyed
	for range rounds {
		through(w, &k, n)
		w.send(strings.Repeat(up, n-1))
	}
	r.out.add("move in the overview of 17 steps", "bytes", mean(k.bytes), missing, missing, none)
	r.out.add("processor time of a key there", "ms", ms(k.cpu)/float64(len(k.took)), missing, missing, below(6))
}

// idle tells what three programs do when nobody does anything.
func (r *rig) idle(what string, w trio) {
	var bytes, cpu [3]float64
	for i, one := range w {
		before := one.used()
		bytes[i] = float64(one.idle(idleTime))
		cpu[i] = ms(one.used()-before) / idleTime.Seconds()
	}
	r.out.add("idle in 10 s, "+what, "bytes", bytes[0], bytes[1], bytes[2], atMost(0))
	r.out.add("processor time of an idle second", "ms", cpu[0], cpu[1], cpu[2], none)
}

// waits measures the sign of a wait: what comes at one time is one tick.
func (r *rig) waits(site) {
	slow := r.sandbox("--latency", "20s")
	ours := r.atStep(slow, 4)
	ours.send(next, "Sign in there?", "No")
	ours.send("y", "[Yes]")
	ours.send(enter, "step 4 of", "looking") // it waits for the sign-in
	gum := open(r.t, manners{}, nil, r.gum, "spin", "--spinner", "line", "--title", "waiting", "--", "sleep", "15")
	gum.until(0, keySettle, "waiting")
	raw := open(r.t, manners{}, nil, r.raw, "spin")
	raw.until(0, keySettle, "waiting")
	var per [3]float64
	all := trio{ours, gum, raw}
	for i, w := range all {
		from := w.count()
		bytes := float64(w.idle(spinTime))
		ticks, last := 0, time.Time{}
		for _, c := range w.since(from) {
			if c.at.Sub(last) > keySettle {
				ticks++
			}
			last = c.at
		}
		per[i] = bytes / float64(max(ticks, 1))
	}
	if !strings.Contains(ours.text(), "looking") {
		r.t.Fatalf("it does not wait:\n%s", ours.text())
	}
	r.out.add("tick of a wait", "bytes", per[0], per[1], per[2], none)
}

// rest measures what needs no terminal.
func (r *rig) rest(site) {
	size := func(path string) float64 {
		st, err := os.Stat(path)
		if err != nil {
			r.t.Fatal(err)
		}
		return mb(st.Size())
	}
	r.out.add("binary, stripped", "MB", size(r.npsetup), size(r.gum), size(r.raw), below(20))
	version := func(path string) float64 {
		var took []float64
		for range starts {
			began := time.Now()
			if err := exec.CommandContext(r.t.Context(), path, "--version").Run(); err != nil {
				r.t.Fatal(err)
			}
			took = append(took, ms(time.Since(began)))
		}
		return median(took)
	}
	r.out.add("--version, start to end; raw: a bare Go program", "ms", version(r.npsetup), version(r.gum), version(r.bare), none)

	r.planned("10000", below(3000), below(120))
	r.planned("50000", none, below(120)) // candidates too: none of them is held longer than it is looked at
}

// planned measures a plan against so many resources, and as many candidates for import.
func (r *rig) planned(hosts string, time1, memory judge) {
	s := r.sandbox("--resources", hosts)
	c := exec.CommandContext(r.t.Context(), r.npsetup, "plan", "-f", s.answers, "--state", r.t.TempDir())
	c.Env = append(os.Environ(), s.env...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	began := time.Now()
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	highest := r.peak(c)
	took := time.Since(began)
	if c.ProcessState.ExitCode() != 2 {
		r.t.Fatalf("plan: %v\n%s", c.ProcessState, &out)
	}
	r.out.add("plan against "+hosts+" resources", "ms", ms(took), missing, missing, time1)
	r.out.add("its peak memory", "MB", mb(highest), missing, missing, memory)
}

// peak waits for a program and gives the most memory that it held. The figure of getrusage would not do: a child begins with
// its parent's.
func (r *rig) peak(c *exec.Cmd) (highest int64) {
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		select {
		case <-ended:
			tick.Stop()
			return highest
		case <-tick.C:
			raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.Process.Pid))
			if err != nil {
				continue // it is ending
			}
			if m := peakLine.FindSubmatch(raw); m != nil {
				kb, _ := strconv.ParseInt(string(m[1]), 10, 64) // digits
				highest = max(highest, kb*1024)
			}
		}
	}
}

var peakLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)
