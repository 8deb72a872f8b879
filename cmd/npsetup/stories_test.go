package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/tui/face"
)

// tale is a story as it is told on one face.
type tale struct {
	t    *testing.T
	st   *site
	face string // "screen" or "line"
	p    player
	said map[string]string // what stands for a word in braces
	late *lateness

	sentences []sentence
	breath    int // of the line player
	sent      int // changing requests before the story
}

// lateness is by how much the server's clock is ahead.
type lateness struct {
	sync.Mutex
	by time.Duration
}

func (l *lateness) now() time.Time {
	l.Lock()
	defer l.Unlock()
	return time.Now().Add(l.by)
}

// sentence is one thing that can be said in a story, and what it means.
type sentence struct {
	words *regexp.Regexp
	means func(*tale, []string)
}

// vocabulary is all that can be said. Words in "quotes" are given; words in {braces} stand for what the site has.
func vocabulary() []sentence {
	say := func(words string, means func(*tale, []string)) sentence {
		return sentence{regexp.MustCompile("^" + strings.ReplaceAll(words, "TEXT", `"([^"]*)"`) + "$"), means}
	}
	return []sentence{
		say(`as in (\S+)`, func(a *tale, w []string) { a.tell(storyText(a.t, w[0])) }),
		say(`run npsetup ?(.*)`, func(a *tale, w []string) { a.run(strings.Fields(a.expand(w[0]))) }),
		say(`choose TEXT`, func(a *tale, w []string) { a.p.choose(w[0]) }),
		say(`pass TEXT`, func(a *tale, w []string) { a.p.pass(w[0]) }),
		say(`answer TEXT with TEXT`, func(a *tale, w []string) { a.p.answer(w[0], w[1]) }),
		say(`take TEXT from the list for TEXT`, func(a *tale, w []string) { a.p.take(w[1], w[0]) }),
		say(`look at the list for TEXT`, func(a *tale, w []string) { a.p.list(w[0]) }),
		say(`clear TEXT`, func(a *tale, w []string) { a.p.clear(w[0]) }),
		say(`keep the answers of TEXT`, func(a *tale, w []string) { a.p.keep(w[0]) }),
		say(`go back to TEXT`, func(a *tale, w []string) { a.p.back(w[0]) }),
		say(`go back to the first page`, func(a *tale, _ []string) { a.p.first() }),
		say(`answer again`, func(a *tale, _ []string) { a.p.again() }),
		say(`accept TEXT`, func(a *tale, w []string) { a.p.accept(w[0]) }),
		say(`refuse TEXT`, func(a *tale, w []string) { a.p.refuse(w[0]) }),
		say(`say yes to TEXT`, func(a *tale, w []string) { a.p.agree(w[0]) }),
		say(`give the code`, func(a *tale, _ []string) {
			a.p.await("MFA code")
			a.p.give("MFA code", a.st.authenticator(a.late.now()))
		}),
		say(`give TEXT for TEXT`, func(a *tale, w []string) { a.p.give(w[1], w[0]) }),
		say(`read the plan`, func(a *tale, _ []string) { a.p.plan() }),
		say(`carry it out`, func(a *tale, _ []string) { a.p.carryOut() }),
		say(`carry out what is left`, func(a *tale, _ []string) { a.p.carryRest() }),
		say(`end the dry run`, func(a *tale, _ []string) { a.p.endDry() }),
		say(`do TEXT by hand`, func(a *tale, w []string) { a.p.byHand(w[0]); a.st.person(); a.p.done(w[0]) }),
		say(`say that TEXT is done`, func(a *tale, w []string) { a.p.done(w[0]) }),
		say(`by hand comes TEXT`, func(a *tale, w []string) { a.p.byHand(w[0]) }),
		say(`leave TEXT for later`, func(a *tale, w []string) { a.p.later(w[0]) }),
		say(`let the demo do it`, func(a *tale, _ []string) { a.p.demo() }),
		say(`no kill loses that TEXT is done`, func(a *tale, w []string) { a.noted(w[0]) }),
		say(`read the report`, func(a *tale, _ []string) { a.p.report() }),
		say(`write the answers to TEXT`, func(a *tale, w []string) { a.p.write(w[0]) }),
		say(`leave`, func(a *tale, _ []string) { a.p.leave() }),
		say(`finish`, func(a *tale, _ []string) { a.p.finish() }),
		say(`see TEXT`, func(a *tale, w []string) { a.p.see(w[0]) }),
		say(`find TEXT`, func(a *tale, w []string) { a.p.find(w[0]) }),
		say(`do not see TEXT`, func(a *tale, w []string) { a.notSee(w[0]) }),
		say(`it ends with (\d+)`, func(a *tale, w []string) { a.ends(w[0]) }),
		say(`npsetup (.+) ends with (\d+)`, func(a *tale, w []string) { a.command(a.expand(w[0]), w[1]) }),
		say(`while TEXT is done by hand, npsetup (.+) is turned away: TEXT`, func(a *tale, w []string) { a.p.byHand(w[0]); a.turnedAway(w[1], w[2]) }),
		say(`the server sets (\w+) of (\w+) TEXT to (.+)`, func(a *tale, w []string) { a.drift(w[1], w[2], w[0], w[3]) }),
		say(`(\w+) TEXT has (.+)`, func(a *tale, w []string) { a.has(w[0], w[1], w[2]) }),
		say(`nothing was changed`, func(a *tale, _ []string) { a.unchanged() }),
		say(`the token dies at change (\d+)`, func(a *tale, w []string) { a.expire(w[0]) }),
		say(`the server is as after an undisturbed run`, func(a *tale, _ []string) { a.asUndisturbed() }),
		say(`the server is as before the set-up`, func(a *tale, _ []string) { a.asBefore() }),
		say(`no secret is on the disk`, func(a *tale, _ []string) { a.st.noSecrets() }),
	}
}

func (a *tale) run(args []string) {
	a.t.Helper()
	switch a.face {
	case "screen":
		a.p = &screenPlayer{played: newPlayed(a.t)}
	case "line":
		args = append(args, "--plain")
		a.p = &linePlayer{played: newPlayed(a.t), breath: a.breath}
	}
	a.p.run(args, a.st)
}

func (a *tale) notSee(text string) {
	a.t.Helper()
	if a.p.shows(text) {
		a.t.Fatalf("%q is shown", text)
	}
}

// ends waits for the end. Whatever was typed, no secret was printed by either face: all begin alike.
func (a *tale) ends(code string) {
	a.t.Helper()
	defer func() {
		if a.p.printed("S3CR3T-") {
			a.t.Error("a secret was printed")
		}
	}()
	if got := strconv.Itoa(a.p.end()); got != code {
		a.t.Fatalf("exit %s, want %s", got, code)
	}
}

func (a *tale) command(args, code string) {
	a.t.Helper()
	want, _ := strconv.Atoi(code)
	a.st.do(strings.Fields(args)...).want(a.t, want)
}

// expand puts in what the words in braces stand for.
func (a *tale) expand(line string) string {
	return regexp.MustCompile(`\{([a-z ]+)\}`).ReplaceAllStringFunc(line, func(word string) string {
		word = strings.Trim(word, "{}")
		value, known := a.said[word]
		if !known {
			a.t.Fatalf("nothing is known as {%s}", word)
		}
		return value
	})
}

// tell plays a text sentence by sentence.
func (a *tale) tell(text string) {
	a.t.Helper()
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		a.t.Logf("%d: %s", i+1, line)
		a.one(line)
	}
}

func (a *tale) one(line string) {
	a.t.Helper()
	for _, s := range a.sentences {
		if m := s.words.FindStringSubmatch(line); m != nil {
			var words []string
			for _, w := range m[1:] {
				words = append(words, a.expand(w))
			}
			s.means(a, words)
			return
		}
	}
	a.t.Fatalf("this cannot be said: %s", line)
}

// newTale is a story on one face of a new site.
func newTale(t *testing.T, o sandbox.Options, which string) *tale {
	t.Helper()
	late := &lateness{}
	o.Now = late.now
	st := newSite(t, o)
	st.env["TYPED"] = "S3CR3T-wrong-password"
	cr := st.s.Credentials()
	return &tale{t: t, st: st, face: which, late: late, sentences: vocabulary(), said: map[string]string{
		"url": st.s.URL(), "wrong url": "https://127.0.0.1:1/", "pin": st.s.Pin(), "fingerprint": face.Grouped(strings.TrimPrefix(st.s.Pin(), "sha256:")),
		"user": cr.User, "password": cr.Password, "wrong password": st.env["TYPED"],
		"folder": filepath.Dir(st.inFolder("")), "passphrase": st.s.Passphrase(),
		"certificate": filepath.Join(st.dir, "auditor-client.cer"), "key": filepath.Join(st.dir, "auditor-client.key"),
		"vault url": st.s.VaultURL(), "vault pin": st.s.VaultPin(), "vault key": st.s.VaultKeyMade(), "half a key": st.s.VaultKeyMade()[:60],
		"answers": st.answers(), "credential answers": st.credentialAnswers("credential"), "new answers": filepath.Join(st.dir, "written.yaml"),
	}}
}

func storyText(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "stories", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// undisturbedState is a server's state when nothing went wrong and the person did all there is to do.
func undisturbedState(t *testing.T) string {
	t.Helper()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	return st.canonical()
}

// story is one file of testdata/stories, and the server on which it happens.
type story struct {
	name   string
	server sandbox.Options
	before func(*tale) // what was there before
	guide  string      // whose answers are meant; empty: auditor
}

func stories() []story {
	return []story{
		{name: "first-set-up"},
		{name: "back-keeps-the-text"},
		{name: "dry-run"},
		{name: "leave-and-continue"},
		{name: "token-dies"},
		{name: "wrong-code-in-between"},
		{name: "verify-after-drift", before: wasSetUp},
		{name: "take-back", before: wasBegun},
		{name: "take-back-after-others", before: wasChanged},
		{name: "take-back-managed", before: wasLent},
		{name: "take-back-contested", before: wasUpdated},
		{name: "take-back-stale", before: wasBegun},
		{name: "take-back-dry-run", before: wasBegun},
		{name: "webdav", server: sandbox.Options{Faults: []string{"webdav@1"}}},
		{name: "answer-lost", server: sandbox.Options{Faults: []string{"answer-lost@2"}}},
		{name: "observed", server: sandbox.Options{API: "observed"}},
		{name: "documented", server: sandbox.Options{API: "documented"}},
		{name: "change-an-answer"},
		{name: "hostile-names", before: hostile},
		{name: "demo"},
		{name: "made-here"},
		{name: "request"},
		{name: "credential"},
		{name: "credential-again", before: wasLent},
		{name: "both-kinds"},
		{name: "vault-first-set-up", guide: vaultGuide},
		{name: "vault-demo", guide: vaultGuide},
		{name: "vault-null", guide: vaultGuide},
		{name: "vault-observed", guide: vaultGuide, server: sandbox.Options{API: "observed"}},
		{name: "vault-documented", guide: vaultGuide, server: sandbox.Options{API: "documented"}},
	}
}

// wasSetUp is a set-up that is complete.
func wasSetUp(a *tale) {
	a.t.Helper()
	a.st.do("apply", "-f", a.st.answers(), "--yes").want(a.t, exitPerson)
	a.st.person()
	a.st.do("apply", "-f", a.st.answers(), "--yes", "--done", allManual).want(a.t, exitOK)
}

// wasBegun is a set-up of which a person has not done anything yet.
func wasBegun(a *tale) {
	a.t.Helper()
	a.said["before"] = a.st.canonical()
	a.st.do("apply", "-f", a.st.answers(), "--yes").want(a.t, exitPerson)
	a.sent = a.st.changes()
}

// wasLent is a set-up with a managed account, whose password was changed.
func wasLent(a *tale) {
	a.t.Helper()
	a.st.lend("credential", "apply", "--yes").want(a.t, exitPerson)
	a.sent = a.st.changes()
}

// wasChanged is a set-up for which a connection profile was changed, and that somebody else has changed since.
func wasChanged(a *tale) {
	a.t.Helper()
	wasUpdated(a)
	a.drift("connectionProfiles", "Netwrix Auditor", "maxSessionLength", "9")
	a.sent = a.st.changes()
}

// wasUpdated is a set-up for which a connection profile was changed.
func wasUpdated(a *tale) {
	a.t.Helper()
	wasSetUp(a)
	a.drift("connectionProfiles", "Netwrix Auditor", "maxSessionLength", "7")
	a.drift("connectionProfiles", "Netwrix Auditor", "record", "false")
	a.st.state = a.t.TempDir() // no run is remembered
	a.st.do("apply", "-f", a.st.answers(), "--yes", "--done", allManual)
	a.sent = a.st.changes()
}

// TestStories plays every story on both faces, from one text.
func TestStories(t *testing.T) {
	t.Parallel()
	undisturbed := undisturbedState(t)
	undisturbedVaults, _, _ := undisturbedVault(t)
	for _, s := range stories() {
		for _, face := range []string{"screen", "line"} {
			t.Run(s.name+" on the "+face, func(t *testing.T) {
				t.Parallel()
				a := newTale(t, s.server, face)
				a.said["undisturbed"] = undisturbed
				if s.guide != "" {
					a.st.guide, a.st.env["PASSWORD_SECURE_API_KEY"] = s.guide, a.st.s.VaultKeyMade()
					a.said["undisturbed"], a.said["answers"] = undisturbedVaults, a.st.answers()
				}
				if s.before != nil {
					s.before(a)
				}
				a.tell(storyText(t, s.name))
			})
		}
	}
}
