//go:build bench

package benchmark

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// keyed is what came of many keys.
type keyed struct {
	bytes, took []float64 // took in ms
	cpu         float64   // ms a key
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

// press3 are the three programs that are compared.
type trio struct{ ours, gum, raw *terminal }

func (r *rig) typing(s site) {
	w := trio{
		ours: r.atStep(s, 2),
		gum:  open(r.t, manners{}, nil, r.gum, "input", "--char-limit", "0"),
		raw:  open(r.t, manners{}, nil, r.raw, "input"),
	}
	w.gum.until(0, frameSettle, "Type something")
	w.raw.until(0, frameSettle, "Name")
	var short, long, both [3]keyed
	for i, one := range []*terminal{w.ours, w.gum, w.raw} {
		short[i], long[i] = typed(one)
		both[i].took = append(short[i].took, long[i].took...)
		both[i].cpu = (short[i].cpu + long[i].cpu) / 2
	}
	mean3 := func(k [3]keyed) (float64, float64, float64) {
		return mean(k[0].bytes), mean(k[1].bytes), mean(k[2].bytes)
	}
	a, b, c := mean3(short)
	r.out.add("typed character", "bytes", a, b, c, halfOf(b))
	a, b, c = mean3(long)
	r.out.add("typed character, field scrolls", "bytes", a, b, c, halfOf(b))
	r.latency("typing", both)
	r.out.add("processor a typed character", "ms", both[0].cpu, both[1].cpu, both[2].cpu, none)
	r.idle("text field", w)
}

// latency tells the time from a key to the last byte that it brings.
func (r *rig) latency(what string, k [3]keyed) {
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50", 0.5}, {"p99", 0.99}} {
		gum, judge := quantile(k[1].took, q.at), none
		if q.name == "p99" {
			judge = atMost(gum)
		}
		r.out.add("key to last byte, "+what+", "+q.name, "ms", quantile(k[0].took, q.at), gum, quantile(k[2].took, q.at), judge)
	}
}

// typed types in a text field, before it scrolls and while it does.
func typed(w *terminal) (short, long keyed) {
	letter := 0
	type1 := func(k *keyed, n int) {
		before := w.used()
		for range n {
			k.press(w, string(rune('a'+letter%26)))
			letter++
		}
		k.cpu += ms(w.used()-before) / float64(n)
	}
	const rounds = 3
	for range rounds {
		w.send("x")
		w.send("\x15") // ctrl+u clears it
		type1(&short, 60)
		w.send(strings.Repeat("-", 30))
		type1(&long, 60)
	}
	short.cpu /= rounds
	long.cpu /= rounds
	return short, long
}

func (r *rig) moves(s site) {
	w := trio{ours: r.atStep(s, 13), gum: r.choose(manners{}), raw: open(r.t, manners{}, nil, r.raw, append([]string{"choose"}, r.names...)...)}
	w.gum.until(0, frameSettle, "submit")
	w.raw.until(0, frameSettle, r.names[16])
	w.ours.send("\x0c", "of 106") // ctrl+l opens the list
	w.ours.send("new", "50 of 106")
	r.out.add("resident memory with the list open", "MB", mb(w.ours.resident()), mb(w.gum.resident()), mb(w.raw.resident()), below(30))
	var k [3]keyed
	for i, one := range []*terminal{w.ours, w.gum, w.raw} {
		k[i] = moved(one, entries, func() { one.send(home) })
	}
	gum := mean(k[1].bytes)
	r.out.add("move in a list of 50", "bytes", mean(k[0].bytes), gum, mean(k[2].bytes), halfOf(gum))
	r.out.add("the same, without turning the page", "bytes", quantile(k[0].bytes, 0.5), quantile(k[1].bytes, 0.5), quantile(k[2].bytes, 0.5), none)
	r.latency("list", k)
	r.out.add("processor a move", "ms", k[0].cpu, k[1].cpu, k[2].cpu, below(6))
	r.idle("list", w)
}

// moved goes through a list from its first to its last entry, several times.
func moved(w *terminal, n int, back func()) (k keyed) {
	const rounds = 6
	for range rounds {
		before := w.used()
		for range n - 1 {
			k.press(w, down)
		}
		k.cpu += ms(w.used()-before) / float64(n-1) / rounds
		back()
	}
	return k
}

// overview moves in the list of steps, which is a select of huh.
func (r *rig) overview(s site) {
	w := r.atStep(s, 1)
	w.send("\x0f", "All steps") // ctrl+o
	const n = 16
	k := moved(w, n, func() { w.send(strings.Repeat(up, n-1)) })
	r.out.add("move in the overview of 16 steps", "bytes", mean(k.bytes), missing, missing, none)
	r.out.add("processor a move there", "ms", k.cpu, missing, missing, below(6))
}

func (r *rig) idle(what string, w trio) {
	r.out.add("idle in 10 s, "+what, "bytes", float64(w.ours.idle(idleTime)), float64(w.gum.idle(idleTime)), float64(w.raw.idle(idleTime)), atMost(0))
}

// waits measures the sign of a wait: what comes at one time is one tick.
func (r *rig) waits(site) {
	slow := r.sandbox("--latency", "20s")
	ours := r.atStep(slow, 2)
	ours.until(0, keySettle, "looking")
	gum := open(r.t, manners{}, nil, r.gum, "spin", "--spinner", "line", "--title", "waiting", "--", "sleep", "10")
	gum.until(0, keySettle, "waiting")
	raw := open(r.t, manners{}, nil, r.raw, "spin")
	raw.until(0, keySettle, "waiting")
	var per [3]float64
	for i, w := range []*terminal{ours, gum, raw} {
		from := w.count()
		bytes := float64(w.idle(spinTime))
		ticks, last := 0, time.Time{}
		for _, c := range w.chunks[from:] {
			if c.at.Sub(last) > keySettle {
				ticks++
			}
			last = c.at
		}
		per[i] = bytes / float64(max(ticks, 1))
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
		return quantile(took, 0.5)
	}
	r.out.add("--version, start to end; raw: a bare Go program", "ms", version(r.npsetup), version(r.gum), version(r.bare), none)

	s := r.sandbox("--resources", manyObjects)
	c := exec.CommandContext(r.t.Context(), r.npsetup, "plan", "-f", s.answers, "--state", r.t.TempDir())
	c.Env = append(os.Environ(), s.env...)
	began := time.Now()
	out, _ := c.CombinedOutput()
	took := time.Since(began)
	usage, is := c.ProcessState.SysUsage().(*syscall.Rusage)
	if c.ProcessState.ExitCode() != 2 || !is {
		r.t.Fatalf("plan: %v\n%s", c.ProcessState, out)
	}
	r.out.add(fmt.Sprintf("plan against %s resources", manyObjects), "ms", ms(took), missing, missing, none)
	r.out.add("its peak memory", "MB", mb(usage.Maxrss*1024), missing, missing, none)
}
