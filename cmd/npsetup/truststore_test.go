package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestTrustInstallAndRemove is the whole way, of a file and of a server, on a machine of files.
func TestTrustInstallAndRemove(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	ca, root := rootOf(t, st)
	file := filepath.Join(d.root, "usr/local/share/ca-certificates/npsetup-"+root.SHA1+".crt")
	for _, way := range [][2]string{{ca, root.SHA1}, {st.s.URL(), st.s.URL()}, {ca, ca}, {ca, root.SHA256}} {
		args := []string{"trust", "install", way[0], "--sha256", root.SHA256}
		r := st.do(append(args, "--dry-run")...).want(t, exitPending)
		holds(t, "the plan", r.out, "+ create: trusted root certificate \"CN=npsetup sandbox authority\"", "SHA-256 "+root.SHA256, "runs /usr/sbin/update-ca-certificates", "needs root", "undo     takes", "can vouch to this machine for localhost")
		if len(d.anchors()) > 0 {
			t.Fatal("a dry run did something")
		}
		r = st.do(append(args, "--yes")...).want(t, exitOK)
		if !slices.Equal(d.anchors(), []string{file}) || !strings.HasPrefix(r.out, "trust-store done read back: this machine trusts CN=npsetup sandbox authority") {
			t.Fatalf("%q, %q", d.anchors(), r.out)
		}
		holds(t, "the talk", r.err, "npsetup trust remove "+root.SHA1+" takes it out again")
		calls := len(d.calls)
		holds(t, "a second time", st.do(append(args, "--yes")...).want(t, exitOK).out, "trust-store unchanged")
		st.do(append(args, "--dry-run")...).want(t, exitOK)
		if len(d.calls) != calls {
			t.Errorf("a second time something was done: %q", d.calls[calls:])
		}
		holds(t, "the plan", st.do("trust", "remove", way[1], "--dry-run").want(t, exitPending).out, "- delete: ", "undo     puts")
		holds(t, "removed", st.do("trust", "remove", way[1], "--yes").want(t, exitOK).out, "trust-store done read back: this machine does not trust")
		if len(d.anchors()) > 0 {
			t.Fatal(d.anchors())
		}
		st.do("trust", "remove", way[1], "--yes").want(t, exitOK)
	}
	if n := strings.Count(journals(t, st), `"state":"sending"`); n != 8 {
		t.Errorf("%d changes are in the journal:\n%s", n, journals(t, st))
	}
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
}

func journals(t *testing.T, st *site) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(st.state, "machine/runs/*/journal.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(raw)
	}
	return all.String()
}

// TestTrustInstallAsks: the SHA-256 stands above the question, and only yes is one.
func TestTrustInstallAsks(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	_, root := rootOf(t, st)
	st.answer = "no\n"
	r := st.do("trust", "install", st.s.URL()).want(t, exitCancelled)
	question := strings.Index(r.err, "Did you compare the SHA-256 on the server itself")
	if shown := strings.Index(r.err, "SHA-256 "+root.SHA256); question < 0 || shown < 0 || shown > question || len(d.calls)+len(d.anchors()) > 0 || journals(t, st) != "" {
		t.Errorf("%d, %d, %q:\n%s", shown, question, d.calls, r.err)
	}
	st.do("trust", "install", st.s.URL(), "--yes").want(t, exitUsage) // --yes leaves out the question, which is where it would be compared
	st.answer = "yes\n"
	st.do("trust", "install", st.s.URL()).want(t, exitOK)
	st.answer = "\n"
	st.do("trust", "remove", root.SHA1).want(t, exitCancelled)
	if len(d.anchors()) != 1 {
		t.Error(d.anchors())
	}
	st.answer = "yes\n"
	st.do("trust", "remove", root.SHA1).want(t, exitOK)
	if len(d.anchors()) != 0 {
		t.Error(d.anchors())
	}
	wrong := st.do("trust", "install", st.s.URL(), "--sha256", leafOf(st)).want(t, exitFailed)
	holds(t, "the leaf's SHA-256", wrong.err, "is not the one that --sha256 names")
}

func TestTrustInstallJSON(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	ca, root := rootOf(t, st)
	var p struct {
		Digest  string
		Actions []struct {
			Effect string
			Ops    []struct {
				Store struct {
					SHA256      string
					Certificate []byte
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(st.do("trust", "install", ca, "--dry-run", "--output", "json").want(t, exitPending).out), &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Actions) != 1 || p.Actions[0].Effect != "create" || p.Actions[0].Ops[0].Store.SHA256 != root.SHA256 || len(p.Actions[0].Ops[0].Store.Certificate) == 0 || p.Digest == "" {
		t.Errorf("%+v", p)
	}
	if l := reportLine(t, st.do("trust", "install", ca, "--yes", "--output", "json").want(t, exitOK).out); l.Outcome != "done" {
		t.Errorf("%+v", l)
	}
	if l := reportLine(t, st.do("trust", "install", ca, "--yes", "--output", "json").want(t, exitOK).out); l.Outcome != "unchanged" {
		t.Errorf("%+v", l)
	}
	d.tool = func() error { return errors.New("no room") }
	r := st.do("trust", "remove", ca, "--yes", "--output", "json").want(t, exitFailed)
	if l := reportLine(t, r.out); l.Outcome != "failed" || !strings.HasPrefix(l.Proof, "read back: this machine still trusts") {
		t.Errorf("%+v", l)
	}
	holds(t, "the failure", r.err, "no room", "next: ")
}

// TestTrustWithoutRights shows the plan, and the command line that has the rights.
func TestTrustWithoutRights(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	d.rises = false
	st.machine = d.machine()
	ca, root := rootOf(t, st)
	r := st.do("trust", "install", ca, "--yes").want(t, exitFailed)
	holds(t, "the refusal", r.err, "+ create: ", "this process may not change /usr/local/share/ca-certificates", "next: run it with these rights: sudo ", " trust install "+ca+" --sha256 "+root.SHA256+" --yes")
	if len(d.calls)+len(d.anchors()) > 0 || journals(t, st) != "" {
		t.Errorf("something was done: %q", d.calls)
	}
	st.do("trust", "install", ca, "--dry-run").want(t, exitPending)
	st.do("trust", "remove", ca, "--yes").want(t, exitOK) // nothing to do needs no rights
}

// TestTrustRemovesOnlyItsOwn: what an administrator put there stays, and it is said where it is.
func TestTrustRemovesOnlyItsOwn(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	ca, root := rootOf(t, st)
	raw, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	d.write("usr/local/share/ca-certificates/somebody.crt", string(raw))
	d.write("etc/ssl/certs/ca-certificates.crt", string(raw))
	holds(t, "install", st.do("trust", "install", ca, "--yes").want(t, exitOK).err, "it is trusted already", "somebody.crt")
	for _, more := range [][]string{{}, {"--not-ours"}} {
		r := st.do(append([]string{"trust", "remove", root.SHA1, "--yes"}, more...)...).want(t, exitFailed)
		holds(t, "remove", r.err, "was not put there by npsetup, and stays", "somebody.crt", "next: ")
	}
	if len(d.calls) > 0 {
		t.Errorf("%q", d.calls)
	}
}

// TestTrustRemovesItsCopy: of a certificate that came twice, npsetup's own copy goes, and it is said that the other one counts.
func TestTrustRemovesItsCopy(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	ca, _ := rootOf(t, st)
	st.do("trust", "install", ca, "--yes").want(t, exitOK)
	raw, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	d.write("usr/local/share/ca-certificates/somebody.crt", string(raw))
	r := st.do("trust", "remove", ca, "--yes").want(t, exitOK)
	holds(t, "the report", r.out, "trust-store done", "this machine still trusts", "also held by the file /usr/local/share/ca-certificates/somebody.crt")
	if len(d.anchors()) != 0 {
		t.Error(d.anchors())
	}
}

// TestTrustAfterAKill: a removal that died between file and tool is ended by the next one, which cannot see any more whose it was.
func TestTrustAfterAKill(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	ca, root := rootOf(t, st)
	d.tool = func() error { panic("killed") }
	st.do("trust", "install", ca, "--yes").want(t, exitFailed)
	d.tool = nil
	holds(t, "install", st.do("trust", "install", ca, "--yes").want(t, exitOK).out, "trust-store done")
	d.tool = func() error { panic("killed") }
	st.do("trust", "remove", root.SHA1, "--yes").want(t, exitFailed)
	if len(d.anchors()) != 0 {
		t.Fatal("the file is there: this tests nothing")
	}
	d.tool = nil
	holds(t, "remove", st.do("trust", "remove", root.SHA1, "--yes").want(t, exitOK).out, "trust-store done read back: this machine does not trust")
	st.do("trust", "remove", root.SHA1, "--yes").want(t, exitOK)
}
