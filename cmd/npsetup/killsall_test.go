package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// killable is one guide, kind of policy or road whose runs are killed.
type killable struct {
	name  string
	site  func(t *testing.T, o sandbox.Options) *site
	apply func(st *site) []string
	word  string // steps that a person says to have taken back
	then  bool   // an authority answers after the first command, and resume does the rest
	every int    // of so many changes one is tried where not all are
}

func killables() []killable {
	lend := func(kind string) func(st *site) []string {
		return func(st *site) []string {
			return []string{"apply", "-f", st.credentialAnswers(kind), "--accept-risk", "rotate-password", "--yes"}
		}
	}
	road := func(name string) func(st *site) []string {
		return func(st *site) []string { return []string{"apply", "-f", st.road(name), "--yes"} }
	}
	return []killable{
		{"resource", newSite, func(st *site) []string { return []string{"apply", "-f", st.answers(), "--yes"} }, allManual, false, 1 + roadStops/2},
		{"credential", newSite, lend("credential"), "auditor-start,certificate-trust,auditor-key,monitoring-plan", false, 1 + roadStops/2},
		{"both", newSite, lend("both"), "auditor-start,certificate-trust,auditor-key,monitoring-plan", false, 1 + roadStops},
		{"password-secure", newVaultSite, func(st *site) []string { return []string{"apply", "-f", st.answers(), "--yes"} }, "vault-key,vault-entry", false, 1 + roadStops/2},
		{"certificate new", newSite, road("new"), "auditor-certificate,certificate-trust,auditor-key,monitoring-plan", false, 1 + roadStops},
		{"certificate request", newSite, road("request"), "certificate,auditor-certificate,certificate-trust,auditor-key,monitoring-plan", true, 1 + roadStops},
	}
}

func (k kill) String() string {
	return [...]string{"before it is sent", "after it is sent", "torn journal", "after its answer", "answer lost"}[k]
}

// whole goes through everything that needs no person but the authority, and gives how it ended.
func (g killable) whole(t *testing.T, st *site) string {
	t.Helper()
	st.do(g.apply(st)...).want(t, exitPerson)
	if g.then {
		st.person()
		st.do("resume", "--yes").want(t, exitPerson)
	}
	return g.end(t, st)
}

var serialNumber = regexp.MustCompile(`"certificateSerialNumber": "[0-9A-F]+"`)

// end is the state of the server, and the names of the files that are made.
func (g killable) end(t *testing.T, st *site) string {
	t.Helper()
	files, err := filepath.Glob(st.inFolder("") + "*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return strings.Join(files, "\n") + "\n" + serialNumber.ReplaceAllString(st.canonical(), "SERIAL")
}

// many are the changes of a run: all, and those that are requests to NPS.
type many struct{ all, calls int }

// count is a run that nothing stops: how it ends, and how many changes the command and the one after the authority's answer make.
func (g killable) count(t *testing.T) (want string, first, then many) {
	t.Helper()
	st := g.site(t, sandbox.Options{})
	counts := &killer{st: st}
	r, _ := counts.run(t, g.apply(st)...)
	r.want(t, exitPerson)
	first = many{counts.n, counts.calls}
	if g.then {
		st.person()
		counts = &killer{st: st}
		r, _ := counts.run(t, "resume", "--yes")
		r.want(t, exitPerson)
		then = many{counts.n, counts.calls}
	}
	return g.end(t, st), first, then
}

// TestEveryKill kills a run of every guide at its changes in every way, resumes it, takes it back, and sets up once more.
func TestEveryKill(t *testing.T) {
	counts := &killCounts{}
	for _, g := range killables() {
		want, first, then := g.count(t)
		for _, kind := range []kill{beforeSend, afterSend, tornAnswer, afterAnswer, answerLost} {
			one, two := first.all, then.all
			if kind == answerLost {
				one, two = first.calls, then.calls
			}
			for k := 1; k <= one+two; k += g.every {
				counts.planned++
				t.Run(fmt.Sprintf("%s, %v, change %d", g.name, kind, k), func(t *testing.T) {
					defer func() { counts.ran(g.name, kind, t.Failed()) }()
					g.killed(t, kind, k, one, want)
				})
			}
		}
	}
	counts.compare(t)
}

func (g killable) killed(t *testing.T, kind kill, k, first int, want string) {
	st := g.site(t, sandbox.Options{})
	before := g.end(t, st)
	args := g.apply(st)
	if k > first {
		st.do(args...).want(t, exitPerson)
		st.person()
		args, k = []string{"resume", "--yes"}, k-first
	}
	if _, dead := (&killer{st: st, kind: kind, k: k}).run(t, args...); !dead {
		t.Fatal("it was not killed")
	}
	st.do("resume", "--yes").want(t, exitPerson)
	if g.then && g.end(t, st) != want {
		st.person()
		st.do("resume", "--yes").want(t, exitPerson)
	}
	g.endsWell(t, st, before, want)
}

// endsWell compares the state with that of a run that nothing stopped, takes it back, and sets up once more.
func (g killable) endsWell(t *testing.T, st *site, before, want string) {
	t.Helper()
	if got := g.end(t, st); got != want {
		t.Errorf("another end state: %s", unlike(got, want))
	}
	g.takesBack(t, st, before)
	if got := g.whole(t, st); got != want {
		t.Errorf("another set-up gives another end: %s", unlike(got, want))
	}
}

// takesBack undoes the run, its person's part too, and compares the state with that before the run.
func (g killable) takesBack(t *testing.T, st *site, before string) {
	t.Helper()
	undo := []string{"undo", "--yes", "--done", g.word}
	r := st.do(undo...)
	if strings.Contains(r.err, "choose Unmanage") {
		r.want(t, exitPerson)
		says(t, r.err, "when it is done: npsetup undo --yes\n") // the server shows it: nobody has to say so
		says(t, r.err, "the former password cannot be brought back")
		st.drift("credentials", "svc-auditor", map[string]any{"rotationType": 0})
		r = st.do(undo...)
	}
	r.want(t, exitOK)
	if g.then { // what the authority answered is not npsetup's
		if err := os.RemoveAll(filepath.Dir(st.inFolder(""))); err != nil {
			t.Fatal(err)
		}
	}
	if got := g.end(t, st); got != before {
		t.Errorf("after undo it is not as before: %s", unlike(got, before))
	}
}
