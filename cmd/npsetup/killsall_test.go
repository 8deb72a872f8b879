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
		{"resource", newSite, func(st *site) []string { return []string{"apply", "-f", st.answers(), "--yes"} }, allManual, false},
		{"credential", newSite, lend("credential"), "auditor-start,certificate-trust,auditor-key,monitoring-plan", false},
		{"both", newSite, lend("both"), "auditor-start,certificate-trust,auditor-key,monitoring-plan", false},
		{"password-secure", newVaultSite, func(st *site) []string { return []string{"apply", "-f", st.answers(), "--yes"} }, "vault-key,vault-entry", false},
		{"certificate new", newSite, road("new"), "auditor-certificate,certificate-trust,auditor-key,monitoring-plan", false},
		{"certificate request", newSite, road("request"), "certificate,auditor-certificate,certificate-trust,auditor-key,monitoring-plan", true},
	}
}

func (k kill) String() string {
	return [...]string{"before it is sent", "after it is sent", "torn journal", "after its answer", "answer lost", "killed, then taken back at once"}[k]
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
	if st.ssh != nil {
		files = append(files, st.ssh.holds(t))
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

// TestEveryKill kills a run of every guide at every change in every way, resumes it, takes it back, and sets up once more; and one that
// is taken back without having been resumed.
func TestEveryKill(t *testing.T) {
	t.Parallel()
	counts := &killCounts{}
	t.Run("all", func(t *testing.T) { // ends when all of them have
		killsOfWords(t, counts)
		killsOverSSH(t, counts)
		for _, g := range killables() {
			want, first, then := g.count(t)
			for _, kind := range []kill{beforeSend, afterSend, tornAnswer, afterAnswer, answerLost} {
				one, two := first.of(kind), then.of(kind)
				for k := 1; k <= one+two; k++ {
					counts.plan(1)
					t.Run(fmt.Sprintf("%s, %v, change %d", g.name, kind, k), func(t *testing.T) {
						t.Parallel()
						defer func() { counts.ran(g.name, kind, t.Failed()) }()
						st, before := g.killed(t, kind, k, one)
						g.resumed(t, st, want)
						if sent := first.calls + then.calls; kind == answerLost && st.changes() != sent {
							t.Errorf("%d changing requests, a run that nothing stops has %d", st.changes(), sent)
						}
						g.endsWell(t, st, before, want)
					})
					if k > one || kind != afterSend && kind != answerLost {
						continue // what an authority's answer made, and what the journal knows to the full, is taken back by the cases before
					}
					counts.plan(1)
					t.Run(fmt.Sprintf("%s, %v, change %d, taken back at once", g.name, kind, k), func(t *testing.T) {
						t.Parallel()
						defer func() { counts.ran(g.name, takenBack, t.Failed()) }()
						st, before := g.killed(t, kind, k, one)
						g.takesBack(t, st, before)
					})
				}
			}
		}
	})
	counts.compare(t)
}

// TestUndoIsStoppedItself at every request of its own, and goes on.
func TestUndoIsStoppedItself(t *testing.T) {
	for _, g := range killables() {
		t.Run(g.name, func(t *testing.T) {
			t.Parallel()
			for k := 1; ; k++ {
				st := g.site(t, sandbox.Options{})
				before := g.end(t, st)
				g.whole(t, st)
				made := st.changes()
				r := st.stoppedAt(k, "undo", "--yes", "--done", g.word)
				switch {
				case r.code == exitCancelled:
					if strings.Contains(r.out+r.err, "npsetup resume") {
						t.Fatalf("a stopped undo is to go on with resume:\n%s", r.err)
					}
					g.takesBack(t, st, before)
					continue
				case k <= 3:
					t.Fatalf("an undo has only %d changing requests", st.changes()-made)
				case r.code == exitPerson: // a managed account is left, which a person unmanages
					g.takesBack(t, st, before)
				default:
					r.want(t, exitOK)
				}
				return
			}
		})
	}
}

// of is how many of the changes are killed in this way: only an answer to a request can be lost.
func (m many) of(kind kill) int {
	if kind == answerLost {
		return m.calls
	}
	return m.all
}

// killed is a site whose run was killed at its k-th change, the first command has so many, and how it was before.
func (g killable) killed(t *testing.T, kind kill, k, first int) (st *site, before string) {
	t.Helper()
	st = g.site(t, sandbox.Options{})
	before = g.end(t, st)
	args := g.apply(st)
	if k > first {
		st.do(args...).want(t, exitPerson)
		st.person()
		args, k = []string{"resume", "--yes"}, k-first
	}
	if _, dead := (&killer{st: st, kind: kind, k: k}).run(t, args...); !dead {
		t.Fatal("it was not killed")
	}
	return st, before
}

// resumed goes on until a person is needed for what the authority does not do.
func (g killable) resumed(t *testing.T, st *site, want string) {
	t.Helper()
	st.do("resume", "--yes").want(t, exitPerson)
	if g.then && g.end(t, st) != want {
		st.person()
		st.do("resume", "--yes").want(t, exitPerson)
	}
	if n := st.rotations(); n > 1 {
		t.Errorf("the password was rotated %d times", n)
	}
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
