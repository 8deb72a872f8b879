package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/client/trust"
	"npsetup/steps/run"
	"npsetup/tui/face"
)

// leafOf is the SHA-256 of the certificate that a site's server presents.
func leafOf(st *site) string { return strings.TrimPrefix(st.s.Pin(), "sha256:") }

// rootOf is the certificate of a site's authority: its file and its description.
func rootOf(t *testing.T, st *site) (string, trust.Cert) {
	t.Helper()
	path := filepath.Join(st.dir, "ca.pem")
	a, err := trust.ReadAnchor(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, a.Cert
}

// formerly is another certificate, of which a memory holds this.
func formerly(sha256 string) trust.Cert {
	day := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	return trust.Cert{SHA256: sha256, SHA1: strings.Repeat("cd", 20), Subject: "CN=formerly", NotBefore: day, NotAfter: day.AddDate(1, 0, 0)}
}

// seenBefore makes a site's memory hold another certificate for its server.
func seenBefore(t *testing.T, st *site) string {
	t.Helper()
	var d serverDoc
	if err := json.Unmarshal([]byte(st.do("trust", "show", st.s.URL(), "--output", "json").want(t, exitOK).out), &d); err != nil {
		t.Fatal(err)
	}
	list, err := trust.LoadSeen(st.state)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Repeat("ab", 32)
	if err := list.Remember(d.Host, d.Port, formerly(other), timeNow()); err != nil {
		t.Fatal(err)
	}
	if err := list.Save(); err != nil {
		t.Fatal(err)
	}
	return other
}

// remembered is what the memory holds of the one server in it.
func remembered(t *testing.T, st *site) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(st.state, trust.SeenFile))
	if err != nil {
		return ""
	}
	var list struct{ Hosts map[string]trust.Sighting }
	if err := json.Unmarshal(raw, &list); err != nil || len(list.Hosts) != 1 {
		t.Fatalf("%s: %v", raw, err)
	}
	for _, s := range list.Hosts {
		return s.SHA256
	}
	return ""
}

func holds(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%s lacks %q:\n%s", what, p, text)
		}
	}
}

func TestTrustShow(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	_, root := rootOf(t, st)
	r := st.do("trust", "show", st.s.URL()).want(t, exitOK)
	holds(t, "the text", r.out, "verified      no: it was issued by CN=npsetup sandbox authority", "seen before   no", "certificate 1 of 2, the server's own", "names       localhost, 127.0.0.1, ::1",
		face.Grouped(leafOf(st)), face.Grouped(root.SHA256), "a root: self-signed, an authority", "ECDSA P-256")
	if !strings.HasSuffix(r.out, "\ntrust: pin:"+st.s.Pin()+"\n") || r.err != "" {
		t.Errorf("the end is not the answer: %q, %q", r.out[len(r.out)-100:], r.err)
	}
	if remembered(t, st) != "" {
		t.Error("showing remembers")
	}
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
}

// TestTrustShowChanged: both certificates are shown with what they are compared by, it fails, and the next step names the one of now.
func TestTrustShowChanged(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	other := seenBefore(t, st)
	r := st.do("trust", "show", st.s.URL()).want(t, exitFailed)
	holds(t, "the text", r.out, "yes, with ANOTHER certificate", "then        CN=formerly, valid 2024-03-01 12:00 to 2025-03-01 12:00 UTC, first seen ", face.Grouped(other), face.Grouped(strings.Repeat("cd", 20))+"  (Thumbprint in Windows)",
		"now         CN=localhost, valid 20", face.Grouped(leafOf(st)))
	holds(t, "the talk", r.err, "another certificate than before", "npsetup trust pin "+st.s.URL()+" --sha256 "+leafOf(st), "pin:"+st.s.Pin(), "have the network between here and the server looked at")
	if strings.Contains(r.out, "\ntrust: pin:") {
		t.Errorf("the line for the answers is offered unasked:\n%s", r.out)
	}
	var d serverDoc
	j := st.do("trust", "show", st.s.URL(), "--output", "json").want(t, exitFailed)
	if err := json.Unmarshal([]byte(j.out), &d); err != nil {
		t.Fatal(err)
	}
	if d.Seen != "changed" || d.Before == nil || d.Before.SHA256 != other || d.Before.NotAfter == nil || d.Before.NotAfter.Year() != 2025 || len(d.Chain) != 2 || d.Chain[0].SHA256 != leafOf(st) || !d.Chain[1].Authority || d.Verified || d.Trust != "pin:"+st.s.Pin() || len(d.Faults) != 1 {
		t.Errorf("%+v", d)
	}
	if remembered(t, st) != other {
		t.Error("showing remembers")
	}
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
}

func TestTrustPin(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	pin := func(code int, args ...string) result {
		return st.do(append([]string{"trust", "pin", st.s.URL()}, args...)...).want(t, code)
	}
	holds(t, "silence", pin(exitUsage).err, "nobody compared the certificate", "--sha256")
	holds(t, "another one", pin(exitFailed, "--sha256", strings.Repeat("0", 64)).err, "is not the one that --sha256 names", leafOf(st))
	pin(exitUsage, "--sha256", "abc")
	pin(exitUsage, "--sha256", strings.Repeat("0", 40))
	st.answer = "no\n"
	holds(t, "a no", pin(exitCancelled).err, "Remember this certificate?", face.Grouped(leafOf(st)))
	if got := remembered(t, st); got != "" {
		t.Fatalf("remembered %s", got)
	}
	st.answer = "yes\n"
	r := pin(exitOK)
	if remembered(t, st) != leafOf(st) || r.out != "trust: pin:"+st.s.Pin()+"\n" {
		t.Errorf("%q", r.out)
	}
	st.answer = ""
	holds(t, "a second time", pin(exitOK, "--yes").err, "remembered already")
	holds(t, "grouped", pin(exitOK, "--sha256", strings.ToUpper(face.Grouped(leafOf(st)))).err, "remembered already")
}

// TestTrustPinChanged: another certificate than before is shown beside it, and --yes alone does not take it.
func TestTrustPinChanged(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	other := seenBefore(t, st)
	pin := func(code int, args ...string) result {
		return st.do(append([]string{"trust", "pin", st.s.URL()}, args...)...).want(t, code)
	}
	holds(t, "--yes", pin(exitUsage, "--yes").err, "is another one than before", other, leafOf(st), face.Grouped(other), face.Grouped(leafOf(st)), "--sha256 HEX")
	st.answer = "y\n"
	holds(t, "y", pin(exitCancelled).err, "Take the certificate of now in place of the one of then?")
	pin(exitUsage, "--yes")
	if got := remembered(t, st); got != other {
		t.Fatalf("remembered %s", got)
	}
	st.answer = "yes\n"
	pin(exitOK)
	if got := remembered(t, st); got != leafOf(st) {
		t.Errorf("remembered %s", got)
	}
	other, st.answer = seenBefore(t, st), ""
	var d serverDoc
	if err := json.Unmarshal([]byte(pin(exitOK, "--sha256", leafOf(st), "--output", "json").out), &d); err != nil || d.Seen != "changed" || d.Before.SHA256 != other || d.Outcome != "remembered in place of the former one" {
		t.Errorf("%+v, %v", d, err)
	}
	if got := remembered(t, st); got != leafOf(st) {
		t.Errorf("remembered %s", got)
	}
	expired := newSite(t, sandbox.Options{Faults: []string{"expired-cert"}})
	holds(t, "expired", expired.do("trust", "pin", expired.s.URL(), "--sha256", leafOf(expired)).want(t, exitFailed).err, "is outside its dates", "pinned or not")
}

func TestTrustMistakes(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	d := newDebian(t)
	st.machine = d.machine()
	ca, root := rootOf(t, st)
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{},
		{"nothing"},
		{"show"},
		{"show", "a", "b"},
		{"show", "nps.contoso.com"},
		{"show", "http://127.0.0.1/"},
		{"show", st.s.URL(), "--output", "xml"},
		{"install", ca},
		{"install", st.s.URL(), "--yes"},
		{"install", "", "--yes"},
		{"install", "/no/such/file", "--yes"},
		{"install", empty, "--yes"},
		{"install", ca, "--yes", "--sha256", "xyz"},
		{"remove", root.SHA1},
		{"remove", "abcd", "--yes"},
		{"install", root.SHA1, "--yes"},
	} {
		r := st.do(append([]string{"trust"}, args...)...).want(t, exitUsage)
		if r.out != "" || !strings.Contains(r.err, "next: ") {
			t.Errorf("%q prints %q and %q", args, r.out, r.err)
		}
	}
	if len(d.calls)+len(d.anchors()) > 0 {
		t.Errorf("something was done: %q, %q", d.calls, d.anchors())
	}
	st.machine = trust.Machine{GOOS: "plan9", Root: "/"}
	holds(t, "an unknown system", st.do("trust", "install", ca, "--yes").want(t, exitUsage).err, "does not know how plan9 keeps trusted certificates")
}

func TestTrustQuotesCommandLines(t *testing.T) {
	for _, c := range [][3]string{
		{"linux", "/opt/npsetup", "/opt/npsetup"},
		{"linux", "a b", "'a b'"},
		{"linux", "it's", `'it'\''s'`},
		{"linux", "$(rm)", "'$(rm)'"},
		{"linux", "", "''"},
		{"linux", `a\b`, `'a\b'`},
		{"windows", `C:\np\npsetup.exe`, `C:\np\npsetup.exe`},
		{"windows", `C:\Program Files\ca.cer`, `"C:\Program Files\ca.cer"`},
		{"windows", "a&b", `"a&b"`},
	} {
		if got := quoted(c[1], c[0]); got != c[2] {
			t.Errorf("%s: %s is %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

// TestTrustInterrupted names the command that goes on, which is not resume.
func TestTrustInterrupted(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := st.within(ctx, "trust", "show", st.s.URL()).want(t, exitCancelled)
	holds(t, "the end", r.err, "run the same command again")
	if strings.Contains(r.err, "resume") {
		t.Error(r.err)
	}
}

// reportLine is the last line of a run's JSON.
func reportLine(t *testing.T, out string) run.Line {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var r struct {
		Event string
		Steps []run.Line
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &r); err != nil || r.Event != "report" || len(r.Steps) != 1 {
		t.Fatalf("%v: %s", err, out)
	}
	return r.Steps[0]
}
