//go:build bench

package benchmark

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"time"
)

// latency is what the sandbox adds to each answer.
const latency = 50 * time.Millisecond

// event is a line of apply --output json, as far as it is needed here.
type event struct {
	Time          time.Time
	Event, Action string
	Op            *struct{ Method string }
}

// applying measures the changes of apply against their own critical path: the longest chain of calls of which each needs the
// one before it, each of which takes the latency. No session is opened: how long one takes is the matter of NPS.
func (r *rig) applying(site) {
	s := r.sandbox("--latency", latency.String())
	run := func(args ...string) []byte {
		c := exec.CommandContext(r.t.Context(), r.npsetup, append(args, "-f", s.answers, "--set", "application.key=", "--output", "json", "--state", r.t.TempDir())...)
		c.Env = append(os.Environ(), s.env...)
		out, err := c.Output()
		if code := c.ProcessState.ExitCode(); code != 2 && code != 3 {
			r.t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	var plan struct {
		Actions []struct {
			Key   string
			Needs []string
		}
	}
	if err := json.Unmarshal(run("plan"), &plan); err != nil {
		r.t.Fatal(err)
	}
	began := time.Now()
	out := run("apply", "--yes")
	whole := time.Since(began)

	calls := map[string]int{}
	var first, last time.Time
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, len(out)+1)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Time.IsZero() {
			continue
		}
		if first.IsZero() {
			first = e.Time
		}
		switch {
		case e.Event == "op.done" && e.Op != nil && e.Op.Method != "":
			calls[e.Action]++
		case e.Event == "run.done":
			last = e.Time
		}
	}
	longest, chain := 0, map[string]int{}
	for _, a := range plan.Actions { // they stand in the order of their needs
		before := 0
		for _, need := range a.Needs {
			before = max(before, chain[need])
		}
		chain[a.Key] = before + calls[a.Key]
		longest = max(longest, chain[a.Key])
	}
	if longest == 0 || last.IsZero() {
		r.t.Fatalf("nothing was carried out:\n%s", out)
	}
	critical := time.Duration(longest) * latency
	r.out.add("changes of apply at 50 ms latency; raw: its critical path", "ms", ms(last.Sub(first)), missing, ms(critical), below(1.5*ms(critical)))
	r.out.add("apply with its looks and proofs, start to end", "ms", ms(whole), missing, missing, none)
}
