//go:build bench

package benchmark

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// How many objects one answers file names, and how far away the server is.
const (
	manyHosts    = 2000
	manyAccounts = 200
	manyLatency  = 20 * time.Millisecond
	sideBySide   = 4 // actions that npsetup carries out at once
)

// many measures one answers file with thousands of resources and hundreds of accounts, for both kinds of policy: its plan, and its apply
// against the time that the calls alone would take.
func (r *rig) many(site) {
	s := r.sandbox("--resources", fmt.Sprint(manyHosts), "--accounts", fmt.Sprint(manyAccounts), "--latency", manyLatency.String())
	file := r.manyAnswers(s)
	state := r.t.TempDir()
	run := func(args ...string) (time.Duration, float64) {
		c := exec.CommandContext(r.t.Context(), r.npsetup, append(args, "-f", file, "--accept-risk", "rotate-password", "--set", "application.key=", "--state", state)...)
		c.Env = append(os.Environ(), s.env...)
		began := time.Now()
		out, err := c.CombinedOutput()
		took := time.Since(began)
		if code := c.ProcessState.ExitCode(); code != 2 && code != 3 {
			r.t.Fatalf("%v: %v\n%s", args, err, out[max(0, len(out)-2000):])
		}
		return took, float64(c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss) / 1024
	}
	what := fmt.Sprintf("%d resources and %d accounts at %s latency: ", manyHosts, manyAccounts, manyLatency)
	took, peak := run("plan")
	r.out.add(what+"plan", "ms", ms(took), missing, missing, below(5000))
	r.out.add("its peak memory", "MB", peak, missing, missing, below(150))
	before := r.arrived(s)
	took, peak = run("apply", "--yes")
	calls := r.arrived(s) - before
	alone := time.Duration(calls) * manyLatency / sideBySide
	r.out.add(fmt.Sprintf("its apply, %d calls; raw: calls ÷ %d × latency", calls, sideBySide), "ms", ms(took), missing, ms(alone), below(2*ms(alone)))
	r.out.add("its peak memory", "MB", peak, missing, missing, below(150))
}

// manyAnswers are the sandbox's answers for both kinds of policy, with many names.
func (r *rig) manyAnswers(s site) string {
	r.t.Helper()
	dir := filepath.Dir(s.answers)
	raw, err := os.ReadFile(filepath.Join(dir, "answers-auditor-both.yaml"))
	if err != nil {
		r.t.Fatal(err)
	}
	list := func(n int, form string) string {
		names := make([]string, n)
		for i := range names {
			names[i] = "'" + fmt.Sprintf(form, i+1) + "'"
		}
		return "[" + strings.Join(names, ", ") + "]"
	}
	text := string(raw)
	for old, to := range map[string]string{
		"[dc01.contoso.com]": list(manyHosts, "new%05d.contoso.com"), `['CONTOSO\svc-auditor']`: list(manyAccounts, `CONTOSO\acct%05d`), "monitoringPlan:": "monitoringPlan:\n  dataSource: windows-server",
	} {
		if !strings.Contains(text, old) {
			r.t.Fatalf("the answers do not hold %s", old)
		}
		text = strings.Replace(text, old, to, 1)
	}
	path := filepath.Join(dir, "many.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	return path
}

// arrived counts the requests to the sandbox.
func (r *rig) arrived(s site) int {
	r.t.Helper()
	a, err := http.Get(s.admin + "/sandbox/requests")
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	var list []json.RawMessage
	if err := json.NewDecoder(a.Body).Decode(&list); err != nil {
		r.t.Fatal(err)
	}
	return len(list)
}
