package main

import (
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/plan"
)

// TestTheScriptRepairsWhatApplyRepairs lets another administrator change and delete things on two sandboxes that are set up.
func TestTheScriptRepairsWhatApplyRepairs(t *testing.T) {
	t.Parallel()
	bash(t)
	var sites []*site
	for range 2 {
		st := newSite(t, sandbox.Options{})
		st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
		for _, d := range []struct {
			kind, name string
			set        map[string]any
		}{
			{"connectionProfiles", "Netwrix Auditor", map[string]any{"maxSessionLength": 15, "description": "by `me` $(x)"}},
			{"activities", "Netwrix Auditor Domain Admin", map[string]any{"createAccount": false}},
			{"applicationUsers", "NetwrixAuditor", map[string]any{"certificateSerialNumber": "00"}},
			{"policies", "Netwrix Auditor (resource)", map[string]any{"isDisabled": true}},
		} {
			if err := st.s.Drift(d.kind, d.name, d.set); err != nil {
				t.Fatal(err)
			}
		}
		sites = append(sites, st)
	}
	applied, st := sites[0], sites[1]
	applied.do("apply", "-f", applied.answers(), "--yes").want(t, exitPerson)
	script := st.do("plan", "-f", st.answers(), "--output", "curl").want(t, exitPending).out
	if !strings.Contains(script, "\tunchanged '{") {
		t.Fatal("the script checks nothing before it updates")
	}
	token := st.token()

	before, calls := st.canonical(), st.changes()
	if err := st.s.Drift("applicationUsers", "NetwrixAuditor", map[string]any{"displayName": "somebody's\x1b[2J"}); err != nil {
		t.Fatal(err)
	}
	stale := st.runScript(script, token)
	if stale.code != exitFailed || !strings.Contains(stale.said, "changed since the plan was made (displayName)") || st.changes() != calls {
		t.Errorf("exit %d, %d changes, %s", stale.code, st.changes()-calls, stale.said)
	}
	if err := st.s.Drift("applicationUsers", "NetwrixAuditor", map[string]any{"displayName": "NetwrixAuditor"}); err != nil {
		t.Fatal(err)
	}
	if st.canonical() != before {
		t.Fatal("the drift was not taken back")
	}
	if run := st.runScript(script, token); run.code != 0 {
		t.Fatalf("exit %d, %s", run.code, run.said)
	}
	if a, b := applied.canonical(), st.canonical(); a != b {
		t.Errorf("apply and the script made: %s", unlike(a, b))
	}
}

// TestTheScriptStops holds what it says when something is in its way, and that it sends nothing then.
func TestTheScriptStops(t *testing.T) {
	t.Parallel()
	bash(t)
	st := newSite(t, sandbox.Options{})
	script := st.do("plan", "-f", st.answers(), "--output", "curl").want(t, exitPending).out
	pin := regexp.MustCompile(`sha256//[A-Za-z0-9+/=]+`)
	token := st.token()
	before := len(st.s.Requests())
	for name, c := range map[string]struct {
		script, token, says string
		code                int
	}{
		"another public key": {pin.ReplaceAllString(script, "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="), token, "not the trusted one, nothing was sent", exitFailed},
		"no token":           {script, "", "NPS_TOKEN is not set", exitUsage},
		"no token at all":    {script, "a\"b\nheader = x", "does not look like a token", exitFailed},
		"half a script":      {script[:len(script)*3/4], token, "", 2},
	} {
		run := st.runScript(c.script, c.token)
		if run.code != c.code || !strings.Contains(run.said, c.says) || len(st.s.Requests()) != before {
			t.Errorf("%s: exit %d, %d requests, %s", name, run.code, len(st.s.Requests())-before, run.said)
		}
	}
	run := st.runScript(script, "eyJhbGciOiJub25lIn0.e30.x")
	if run.code != exitFailed || !strings.Contains(run.said, "401") || !strings.Contains(run.said, "Get a new one") || st.changes() != 0 {
		t.Errorf("exit %d, %s", run.code, run.said)
	}
}

// TestTheScriptNamesTheWayRound meets a server without the calls that are assumed.
func TestTheScriptNamesTheWayRound(t *testing.T) {
	t.Parallel()
	bash(t)
	st := newSite(t, sandbox.Options{API: "observed"})
	script := st.do("plan", "-f", st.answers(), "--output", "curl").want(t, exitPending).out
	run := st.runScript(script, st.token())
	if run.code != exitFailed || !strings.Contains(run.said, "does not offer the call") || !strings.Contains(run.said, "Max Duration: 60") || !strings.Contains(run.said, "by hand, then write the script anew") {
		t.Errorf("exit %d, %s", run.code, run.said)
	}
}

// TestTheTicketCarriesTheDigest approves what a change board has read.
func TestTheTicketCarriesTheDigest(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	file := filepath.Join(t.TempDir(), "change.json")
	ticket := st.do("plan", "-f", st.answers(), "--output", "markdown", "--out", file).want(t, exitPending).out
	command := regexp.MustCompile("(?m)^npsetup apply --plan '(.*)' --approve (sha256:[0-9a-f]{64})$").FindStringSubmatch(ticket)
	if command == nil || command[1] != file {
		t.Fatalf("the ticket names no command: %s", ticket)
	}
	for _, want := range []string{`CONTOSO\npsadmin`, st.s.URL(), "domain-admins", "becomes a member of Domain Admins", "## Undo", "the NPS server"} {
		if !strings.Contains(ticket, want) {
			t.Errorf("the ticket does not say %q", want)
		}
	}
	st.do("apply", "--plan", command[1], "--approve", command[2]).want(t, exitPerson)
	if len(st.s.State()) == 0 || st.changes() < 8 {
		t.Error("nothing was carried out")
	}
}

// TestCallsShowsEveryRequest compares the requests that plan --calls prints with those that arrive, and looks for the reads.
func TestCallsShowsEveryRequest(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	text := st.do("plan", "-f", st.answers(), "--calls").want(t, exitPending).out
	var shown []plan.Request
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		call, is := strings.CutPrefix(line, "    sends    ")
		if !is {
			continue
		}
		call, _, _ = strings.Cut(call, "   (") // which operation of several
		method, path, _ := strings.Cut(call, " ")
		r := plan.Request{Method: method, Path: path}
		if body := strings.TrimSpace(lines[i+1]); strings.HasPrefix(body, "{") || strings.HasPrefix(body, "[") {
			r.Body = []byte(body)
		}
		shown = append(shown, r)
	}
	before := len(st.s.Requests())
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK) // the session that proves it waits for the person
	matchRequests(t, shown, st.s.Requests()[before:])
	for _, want := range []string{
		`looks GET /api/v1/ConnectionProfile, name = "Netwrix Auditor"`,
		`looks GET /api/v1/ManagedResource/ByHostId/`, "looked for again while NPS is at work on it",
		"reads GET /api/v1/ActionGroup/", "fetched only when you ask for it: GET /api/v1/ManagedAccount/RevealApiKey/",
	} {
		if !strings.Contains(unwrapped(text), want) {
			t.Errorf("--calls does not show %q", want)
		}
	}
	for _, d := range []string{"connectionProfiles", "policies"} {
		name := map[string]string{"connectionProfiles": "Netwrix Auditor", "policies": "Netwrix Auditor (resource)"}[d]
		if err := st.s.Drift(d, name, map[string]any{"isDeleted": true}); err != nil {
			t.Fatal(err)
		}
	}
	text = st.do("plan", "-f", st.answers(), "--calls").want(t, exitPending).out
	for _, want := range []string{"checks GET /api/v1/ConnectionProfile, id = ", "also a deleted one, still answers what the plan saw"} {
		if !strings.Contains(unwrapped(text), want) {
			t.Errorf("--calls does not show %q", want)
		}
	}
}

// TestEveryActionSaysWhy looks through whole plans: of nothing, of a set-up with differences, and of one that is deleted.
func TestEveryActionSaysWhy(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	look := func(when string) {
		t.Helper()
		text := st.do("plan", "-f", st.answers()).out
		blocks := regexp.MustCompile(`(?m)^[-+=~^!] `).Split(text, -1)[1:]
		if len(blocks) < 5 {
			t.Fatalf("%s: %s", when, text)
		}
		for _, b := range blocks {
			if !strings.Contains(b, "    why      ") || !strings.Contains(b, "    article  ") {
				t.Errorf("%s: %s", when, b)
			}
		}
	}
	look("nothing is there")
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	// an open run: what is adopted is shown while something is pending
	for _, kind := range []string{"connectionProfiles", "activities", "policies"} {
		name := map[string]string{"connectionProfiles": "Netwrix Auditor", "activities": "Netwrix Auditor Domain Admin", "policies": "Netwrix Auditor (resource)"}[kind]
		if err := st.s.Drift(kind, name, map[string]any{"isDeleted": true}); err != nil {
			t.Fatal(err)
		}
	}
	look("deleted")
}

// TestPreviewsKeepHostileTextsOut writes both forms of what a hostile server and hostile answers hold.
func TestPreviewsKeepHostileTextsOut(t *testing.T) {
	t.Parallel()
	a := newTale(t, sandbox.Options{}, "line")
	hostile(a)
	for _, format := range []string{"markdown", "curl"} {
		r := a.st.do("plan", "-f", a.said["hostile answers"], "--output", format).want(t, exitPending)
		for _, bad := range raw() {
			if strings.Contains(r.out+r.err, bad) {
				t.Errorf("%s prints %q", format, bad)
			}
		}
		if !strings.Contains(r.out, "evil") {
			t.Errorf("%s met nothing hostile", format)
		}
		if format != "curl" {
			continue
		}
		bash(t)
		if run := a.st.runScript(r.out, a.st.token()); run.code != 0 {
			t.Errorf("exit %d, %s", run.code, run.said)
		}
	}
	if p := a.st.canonical(); !strings.Contains(p, `evil\u001b[2Jtext`) {
		t.Errorf("the hostile name did not arrive as it is: %s", p)
	}
}

// TestAnAuthoritiesFileInDER is refused for the script: curl does not read it.
func TestAnAuthoritiesFileInDER(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	raw, err := os.ReadFile(filepath.Join(st.dir, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(st.dir, "ca.cer"), der(t, raw), 0o600); err != nil {
		t.Fatal(err)
	}
	file := st.edited("trust: pin:", "trust: \"ca:ca.cer\" #")
	st.do("plan", "-f", file).want(t, exitPending)
	if r := st.do("plan", "-f", file, "--output", "curl").want(t, exitUsage); r.out != "" || !strings.Contains(r.err, "openssl x509") {
		t.Errorf("%s\n%s", r.out, r.err)
	}
	for _, q := range st.s.Requests() {
		if q.Method != http.MethodGet && q.Class == "change" {
			t.Errorf("%s %s", q.Method, q.Path)
		}
	}
}

// der is the first block of a PEM file.
func der(t *testing.T, raw []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(raw)
	if block == nil {
		t.Fatal("no PEM")
	}
	return block.Bytes
}

// unwrapped is a text without its line breaks and indents.
func unwrapped(text string) string { return strings.Join(strings.Fields(text), " ") }
