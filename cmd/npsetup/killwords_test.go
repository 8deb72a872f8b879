package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/run"
)

// killedWords are runs that are killed around a person's word: before the person is asked, while the person is waited for, with the word in the
// record alone, with half its line in the journal, and behind that line. Of an answer there is none: the word is it.
type killedWords struct {
	killable
	words []string // steps, in order
	back  []string // those that leave something behind
	ends  int      // how a run ends when they are said
}

// keyLine of the answers lets npsetup open a session of its own.
const keyLine = "  key: file:auditor-client.key\n"

func (g killedWords) name() string { return g.killable.name + ", a person's word" }

func allKilledWords() []killedWords {
	all := killables()
	all[0].apply = func(st *site) []string { // no session of npsetup's own tells whether a word is true
		return []string{"apply", "-f", st.edited(keyLine, ""), "--yes"}
	}
	return []killedWords{
		{all[0], strings.Split(allManual, ","), []string{"certificate-trust", "auditor-key", "monitoring-plan"}, exitPerson}, // Auditor has to collect
		{all[3], []string{vaultManual}, []string{vaultManual}, exitOK},
	}
}

// heard is a file of the state folder as a kill around a person's word leaves it: was is from before the step, raw from behind the word.
func (k *killer) heard(t *testing.T, path string, was, raw []byte) []byte {
	t.Helper()
	noted := k.kind == answerLost || k.kind == tornAnswer || k.kind == afterAnswer
	switch filepath.Base(path) {
	case "record.json":
		var before, behind map[string]any
		if json.Unmarshal(was, &before) != nil || json.Unmarshal(raw, &behind) != nil {
			t.Fatal("the record cannot be read")
		}
		for _, member := range []string{"manualDone", "manualAbout"} {
			to, _ := before[member].(map[string]any)
			from, _ := behind[member].(map[string]any)
			if to == nil {
				to = map[string]any{}
			}
			if v, there := from[k.word]; noted && there {
				to[k.word] = v
			}
			before[member] = to
		}
		was, err := json.Marshal(before)
		if err != nil {
			t.Fatal(err)
		}
		return was
	case "journal.jsonl":
		state := func(s string) func(run.Entry) bool {
			return func(e run.Entry) bool { return e.Action == k.action && e.State == s }
		}
		told, line := upTo(raw[len(was):], state(run.Told))
		if line == nil {
			t.Fatal("the word was never noted down")
		}
		switch k.kind {
		case afterSend:
			before, asked := upTo(told, state(run.Asked))
			return slices.Concat(was, before, asked)
		case answerLost:
			return slices.Concat(was, told)
		case tornAnswer:
			return slices.Concat(was, told, line[:len(line)/2])
		case afterAnswer:
			return slices.Concat(was, told, line)
		case beforeSend, takenBack:
		}
	}
	return was
}

// end is that of killable without what a person did, which no undo of npsetup's takes back.
func (g killedWords) end(t *testing.T, st *site) string {
	t.Helper()
	_, state, _ := strings.Cut(g.killable.end(t, st), "{")
	var all map[string]any
	if err := json.Unmarshal([]byte("{"+state), &all); err != nil {
		t.Fatal(err)
	}
	delete(all, "person")
	delete(all, "vaultEntries")
	raw, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// waiting is a site whose run has only words to wait for. In Auditor nothing is done: what is done shows itself, and nobody's word is needed.
func (g killedWords) waiting(t *testing.T) (st *site, before string) {
	t.Helper()
	st = g.site(t, sandbox.Options{})
	before = g.end(t, st)
	st.do(g.apply(st)...).want(t, exitPerson)
	if st.guide != "" {
		st.hands()
	}
	return st, before
}

// through says all words, and is the end of a run that nothing stops.
func (g killedWords) through(t *testing.T, st *site) string {
	t.Helper()
	st.do("resume", "--yes", "--done", strings.Join(g.words, ",")).want(t, g.ends)
	return g.end(t, st)
}

// killAt kills the run at a word, all before it being said too, and insists on what the next run asks for.
func (g killedWords) killAt(t *testing.T, st *site, kind kill, n int) {
	t.Helper()
	sent := st.changes()
	if _, dead := (&killer{st: st, kind: kind, word: g.words[n]}).run(t, "resume", "--yes", "--done", strings.Join(g.words[:n+1], ",")); !dead {
		t.Fatal("it was not killed")
	}
	want := kind == beforeSend || kind == afterSend
	if asks := strings.Contains(st.do("resume", "--dry-run").out, "your word: --done "+g.words[n]+"\n"); asks != want {
		t.Errorf("%s is asked for again: %v, and it should be %v", g.words[n], asks, want)
	}
	if st.changes() != sent {
		t.Error("something was changed")
	}
}

// killed counts the cases of one way, over one site: a word changes nothing on the server.
func (g killedWords) killed(t *testing.T, counts *killCounts, kind kill, want string) {
	counts.plan(len(g.words))
	t.Run(fmt.Sprintf("%s, %v", g.name(), kind), func(t *testing.T) {
		t.Parallel()
		defer func() {
			for range g.words {
				counts.ran(g.name(), kind, t.Failed())
			}
		}()
		st, before := g.waiting(t)
		for n := range g.words {
			g.killAt(t, st, kind, n)
		}
		if got := g.through(t, st); got != want {
			t.Errorf("another end state: %s", unlike(got, want))
		}
		g.takesBack(t, st, before)
		if kind != tornAnswer && kind != answerLost {
			return // journal and record are those of a run that was stopped between two words
		}
		st.do(g.apply(st)...).want(t, exitPerson)
		if got := g.through(t, st); got != want {
			t.Errorf("another set-up gives another end: %s", unlike(got, want))
		}
	})
}

// takesBack undoes the run: a person is asked for what only a person takes back.
func (g killedWords) takesBack(t *testing.T, st *site, before string) {
	t.Helper()
	r := st.do("undo", "--yes").want(t, exitPerson)
	for _, word := range g.back {
		says(t, r.err, "your word: --done "+word+"\n")
	}
	st.do("undo", "--yes", "--done", g.word).want(t, exitOK)
	if got := g.end(t, st); got != before {
		t.Errorf("after undo it is not as before: %s", unlike(got, before))
	}
}

// killsOfWords are the cases of all ways, and one of each guide that is taken back without having been resumed.
func killsOfWords(t *testing.T, counts *killCounts) {
	for _, g := range allKilledWords() {
		st, _ := g.waiting(t)
		want := g.through(t, st)
		for _, kind := range []kill{beforeSend, afterSend, tornAnswer, afterAnswer, answerLost} {
			g.killed(t, counts, kind, want)
		}
		counts.plan(1)
		last := g.words[len(g.words)-1]
		t.Run(fmt.Sprintf("%s, %s, taken back at once", g.name(), last), func(t *testing.T) {
			t.Parallel()
			defer func() { counts.ran(g.name(), takenBack, t.Failed()) }()
			st, before := g.waiting(t)
			if _, dead := (&killer{st: st, kind: tornAnswer, word: last}).run(t, "resume", "--yes", "--done", strings.Join(g.words, ",")); !dead {
				t.Fatal("it was not killed")
			}
			g.takesBack(t, st, before)
		})
	}
}
