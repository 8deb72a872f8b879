package main

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// oneFile is the only file of a name in the state folder.
func (st *site) oneFile(name string) string {
	st.t.Helper()
	found, err := filepath.Glob(filepath.Join(st.state, "runs", "*", name))
	if err != nil || len(found) != 1 {
		st.t.Fatalf("%v, %v", found, err)
	}
	return found[0]
}

// rewrite changes a file of which nothing else is known.
func rewrite(t *testing.T, path string, change func(string) string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	now := change(string(raw))
	if err = errors.Join(err, os.WriteFile(path, []byte(now), 0o600)); err != nil {
		t.Fatal(err)
	}
	if now == string(raw) {
		t.Fatalf("%s was not changed", path)
	}
}

// summed is a line of the journal with the checksum that it should have.
func summed(object string) string {
	object = strings.TrimSuffix(object, "}")
	return fmt.Sprintf(`%s,"sum":"%08x"}`+"\n", object, crc32.Checksum([]byte(object), crc32.MakeTable(crc32.Castagnoli)))
}

// watching sees what is printed.
type watching func(text string)

func (w watching) Write(p []byte) (int, error) {
	w(string(p))
	return len(p), nil
}

// other is a second process at the same state folder.
func other(st *site) *site {
	return &site{t: st.t, s: st.s, dir: st.dir, state: st.state, env: st.env}
}

// TestEachRefusalHasItsSentence lets apply and undo meet what they must not carry out: each is refused with a sentence of its own, and nothing is
// changed.
func TestEachRefusalHasItsSentence(t *testing.T) {
	t.Parallel()
	digest := func(r result) string {
		return strings.TrimSpace(regexp.MustCompile(`sha256:[0-9a-f]{64}\n`).FindString(r.out[strings.LastIndex(r.out, "digest"):]))
	}
	begun := func(st *site) { st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson) }
	drift := func(st *site) { st.drift("connectionProfiles", "Default", map[string]any{"sessionRetryInterval": 99}) }
	seen := map[string]string{}
	for _, c := range []struct {
		name  string
		run   func(st *site) result
		code  int
		says  string
		coded string
	}{
		{"a stale plan", func(st *site) result {
			path, approved := planFile(t, st)
			drift(st)
			return st.do("apply", "--plan", path, "--approve", approved)
		}, exitFailed, "the approved plan is stale", "stale"},
		{"an edited plan", func(st *site) result {
			path, approved := planFile(t, st)
			rewrite(t, path, func(s string) string { return strings.Replace(s, "create", "delete", 1) })
			return st.do("apply", "--plan", path, "--approve", approved)
		}, exitFailed, "was edited", "stale"},
		{"another plan's digest", func(st *site) result {
			path, _ := planFile(t, st)
			return st.do("apply", "--plan", path, "--approve", "sha256:"+strings.Repeat("0", 64))
		}, exitUsage, "the approved digest is not the plan's", "usage"},
		{"a plan of a newer version", func(st *site) result {
			path, approved := planFile(t, st)
			rewrite(t, path, func(s string) string { return strings.Replace(s, `"format": 1`, `"format": 2, "actions": "other"`, 1) })
			return st.do("apply", "--plan", path, "--approve", approved)
		}, exitUsage, "the plan file PATH is of a newer version", "newer-version"},
		{"a plan that is none", func(st *site) result {
			path, approved := planFile(t, st)
			rewrite(t, path, func(string) string { return "version: 1\n" })
			return st.do("apply", "--plan", path, "--approve", approved)
		}, exitUsage, "cannot be used", "usage"},
		{"a second run at once", func(st *site) (second result) {
			once := false
			st.watch = watching(func(text string) { // the first run waits meanwhile
				if strings.Contains(text, "op.done") && !once {
					once = true
					second = other(st).do("apply", "-f", st.answers(), "--yes")
				}
			})
			st.do("apply", "-f", st.answers(), "--yes", "--output", "json").want(t, exitPerson)
			return second
		}, exitFailed, "another npsetup is at work on this run", "another-at-work"},
		{"a journal of a newer version", func(st *site) result {
			begun(st)
			rewrite(t, st.oneFile("journal.jsonl"), func(s string) string { return s + summed(`{"journal":3}`) })
			return st.do("resume", "--yes")
		}, exitFailed, "the journal PATH is of a newer version", "newer-version"},
		{"a journal that was edited", func(st *site) result {
			begun(st)
			rewrite(t, st.oneFile("journal.jsonl"), func(s string) string { return strings.Replace(s, "POST", "PUT", 1) })
			return st.do("undo", "--yes")
		}, exitFailed, "the journal PATH is damaged", "journal-damaged"},
		{"a record of a newer version", func(st *site) result {
			begun(st)
			rewrite(t, st.oneFile("record.json"), func(s string) string { return strings.Replace(s, `"format": 1`, `"format": 2`, 1) })
			return st.do("undo", "--yes")
		}, exitFailed, "the run record PATH is of a newer version", "newer-version"},
		{"a stale undo", func(st *site) result {
			begun(st)
			approved := digest(st.do("undo", "--dry-run"))
			st.drift("connectionProfiles", "Netwrix Auditor", map[string]any{"isDeleted": true})
			return st.do("undo", "--approve", approved)
		}, exitFailed, "the approved undo is stale", "stale"},
	} {
		st := newSite(t, sandbox.Options{})
		r := c.run(st).want(t, c.code)
		line, _, _ := strings.Cut(r.err[strings.LastIndex(r.err, "npsetup: "):], "\n")
		line = regexp.MustCompile(`/\S+`).ReplaceAllString(line, "PATH")
		if !strings.Contains(line, c.says) || !strings.Contains(r.err, "\n  next: ") || !strings.Contains(r.err, "\n  code: "+c.coded+" ") {
			t.Errorf("%s: %s\n%s", c.name, line, r.err[strings.LastIndex(r.err, "npsetup: "):])
		}
		if other := seen[line]; other != "" {
			t.Errorf("%s and %s have one sentence: %s", c.name, other, line)
		}
		seen[line] = c.name
	}
}

// TestHostileJournals puts what nobody should have written in place of the journal and the record. It is refused in few words, or harmless; it is
// left as it is, and nothing is changed on the server.
func TestHostileJournals(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	head, entry := summed(`{"journal":2}`), func(more string) string {
		return summed(`{"time":"2026-01-02T03:04:05Z","seq":1,"action":"a","op":"create","state":"sending","request":"POST /x"` + more + `}`)
	}
	escapes := `evil\u001b[2J\u001b]52;c;ZXZ\u0007\u202e`
	journals := map[string]string{
		"escapes":            head + summed(`{"seq":1,"action":"`+escapes+`","op":"`+escapes+`","state":"sending","request":"`+escapes+`"}`),
		"escapes in an undo": head + entry(`,"back":{"step":"`+escapes+`","object":"`+escapes+`","name":"`+escapes+`","effect":"create","note":"`+escapes+`"}`),
		"a call of its own":  head + entry(`,"back":{"step":"activity","object":"activity","name":"x","effect":"create","ops":[{"id":"u","kind":"call","call":{"operation":"deleteEverything","method":"DELETE","path":"/api/v1/Everything"}}]}`),
		"ops that are none":  head + entry(`,"back":{"step":"activity","object":"activity","name":"x","effect":"create","ops":{"a":1}}`),
		"a long text":        head + entry(`,"body":"`+strings.Repeat("x", 10<<20)+`"`),
		"a huge number":      head + summed(`{"seq":1e999,"action":"a","op":"b","state":"sending","request":"c"}`),
		"a far number":       head + summed(`{"seq":9223372036854775807,"action":"a","op":"b","state":"sending","request":"c"}`),
		"deep":               head + entry(`,"finds":`+strings.Repeat("[", 20000)+strings.Repeat("]", 20000)),
		"invalid UTF-8":      head + entry(",\"body\":\"\xff\xfe\""),
		"zeros":              string(make([]byte, 1<<20)),
		"nothing":            "",
		"no journal":         "version: 1\nguide: auditor\n",
	}
	path, record := st.oneFile("journal.jsonl"), st.oneFile("record.json")
	whole, err := os.ReadFile(path)
	was, err2 := os.ReadFile(record)
	if errors.Join(err, err2) != nil {
		t.Fatal(err, err2)
	}
	state := st.canonical()
	try := func(what, at, text string, args ...string) {
		if err := errors.Join(os.WriteFile(path, whole, 0o600), os.WriteFile(record, was, 0o600), os.WriteFile(at, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
		r := st.do(args...)
		failed := r.code == exitUsage || r.code == exitFailed
		if failed && !strings.Contains(r.out+r.err, " next: ") || strings.Contains(r.err, "has a defect") || len(r.out+r.err) > 128<<10 {
			t.Errorf("%s, %v: exit %d and %d bytes: %.400s", what, args, r.code, len(r.out+r.err), r.err)
		}
		for _, bad := range controls() {
			if strings.Contains(r.out+r.err, bad) {
				t.Errorf("%s, %v: %q comes out", what, args, bad)
			}
		}
		if now, err := os.ReadFile(at); err != nil || failed && !strings.HasPrefix(string(now), text) { // an undo that is refused at its calls has begun
			t.Errorf("%s, %v: the file was changed, %v", what, args, err)
		}
		if st.canonical() != state {
			t.Fatalf("%s, %v: the server was changed", what, args)
		}
	}
	for what, text := range journals {
		for _, args := range [][]string{{"undo", "--yes"}, {"undo", "--dry-run", "--output", "json"}, {"plan", "-f", st.answers()}, {"verify", "-f", st.answers()}, {"doctor", "-f", st.answers()}} {
			if args[1] == "--yes" && (what == "nothing" || what == "zeros") {
				continue
			}
			try(what, path, text, args...)
		}
	}
	for what, text := range map[string]string{
		"escapes": strings.Replace(string(was), "NetwrixAuditor", escapes, 1), "invalid UTF-8": strings.Replace(string(was), "NetwrixAuditor", "\xff\xfe", 1), "huge number": strings.Replace(string(was), `"format": 1`, `"format": 1e999`, 1),
		"deep": strings.Repeat("[", 20000), "zeros": string(make([]byte, 1<<20)), "a long text": strings.Replace(string(was), "NetwrixAuditor", strings.Repeat("x", 10<<20), 1), "nothing": "",
	} {
		for _, args := range [][]string{{"undo", "--dry-run"}, {"resume", "--dry-run"}, {"verify"}, {"plan", "-f", st.answers()}} {
			try("record: "+what, record, text, args...)
		}
	}
}
