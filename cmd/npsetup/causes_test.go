package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// waiting lets the pauses of a run pass on the server's clock alone.
func waiting(t *testing.T) (*site, *lateness) {
	t.Helper()
	late := &lateness{}
	st := newSite(t, sandbox.Options{Now: late.now})
	st.wait = func(ctx context.Context, d time.Duration) error {
		late.Lock()
		late.by += d
		late.Unlock()
		st.s.Tick()
		return ctx.Err()
	}
	return st, late
}

// faulted switches faults on.
func (st *site) faulted(names ...string) {
	st.t.Helper()
	if _, err := st.s.SetFaults(names, nil); err != nil {
		st.t.Fatal(err)
	}
}

// trouble is a published failure, how it comes about, and the words that name its cause and its remedy.
type trouble struct {
	name, fault string
	run         func(st *site, fault string) result // nil: verify --session on a set-up that is complete
	code        int
	cause, fix  string
}

func troubles() []trouble {
	collected := func(st *site, fault string) result { // what Auditor's own collection showed
		st.faulted(fault)
		st.person()
		st.do("apply", "-f", st.answers(), "--yes", "--done", allManual)
		return st.do("verify", "-f", st.answers())
	}
	applied := func(st *site, fault string) result {
		st.person()
		st.faulted(fault)
		return st.do("apply", "-f", st.answers(), "--yes", "--done", allManual)
	}
	return []trouble{
		{"the credential is unknown", "credential-unknown", nil, exitFailed, "credential", "credential"},
		{"the resource is unknown", "resource-unknown", nil, exitFailed, "DNS host name", "DNS host name"},
		{"the activity is unknown", "activity-unknown", nil, exitFailed, "does not find the activity", "exactly as NPS shows it"},
		{"the certificate is not trusted", "client-untrusted", nil, exitFailed, "403.16", "Trusted Root"},
		{"the certificate does not arrive", "client-not-asked", nil, exitFailed, "403.7", "certificate"},
		{"the certificate has expired", "client-expired", nil, exitFailed, "expired", "make a new certificate"},
		{"another serial number", "client-serial", nil, exitFailed, "serial number", "compare the serial number"},
		{"never active", "session-timeout", nil, exitFailed, "0x80072EE2", "MaxWaitForActiveStatusS"},
		{"never active, in apply", "session-timeout", applied, exitFailed, "0x80072EE2", "MaxWaitForActiveStatusS"},
		{"a credential-based collection takes too long", "credential-expires", collected, exitOK, "5801", "longer Max Duration"},
		{"a resource-based collection takes too long", "session-expires", collected, exitOK, "5802", "longer Max Duration"},
		{"somebody ends Auditor's session", "session-terminated", collected, exitOK, "event 5803", "do not end the sessions of NetwrixAuditor"},
		{"another domain controller", "dc-replication", nil, exitFailed, "several domain controllers", "PDC emulator"},
		{"the API key at the administrator's sign-in", "", asApplication, exitRefused, "no role", "sign in as an administrator"},
		{"slow", "session-slow", nil, exitOK, "WinRM", "Use HTTP"},
	}
}

// asApplication signs in as an administrator would, with the name and the API key of the application user.
func asApplication(st *site, _ string) result {
	to := filepath.Join(st.t.TempDir(), "key")
	st.do("key", "-f", st.answers(), "--to", to).want(st.t, exitOK)
	key, err := os.ReadFile(to)
	if err != nil {
		st.t.Fatal(err)
	}
	st.env["NPS_PASSWORD"] = strings.TrimSpace(string(key))
	return st.do("verify", "-f", st.answers(), "--set", "nps.signIn.user=NetwrixAuditor", "--set", "nps.signIn.mfa=none")
}

// TestCausesAreNamed puts the server into the states of the published failures. Each time the run names the cause and its remedy.
func TestCausesAreNamed(t *testing.T) {
	t.Parallel()
	var told strings.Builder
	for _, c := range troubles() {
		t.Run(c.name, func(t *testing.T) {
			st, _ := waiting(t)
			st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
			var r result
			if c.run == nil {
				st.person()
				st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
				st.faulted(c.fault)
				r = st.do("verify", "-f", st.answers(), "--session", "--yes")
			} else {
				r = c.run(st, c.fault)
			}
			text := st.sentences(r.want(t, c.code))
			says(t, text, c.cause, c.fix)
			told.WriteString("# " + c.name + "\n" + text + "\n")
		})
	}
	asKept(t, "causes.golden", told.String())
}

// sentences are what a run says went wrong, and what its report says of the proof, without what differs from run to run.
func (st *site) sentences(r result) string {
	var list []string
	for _, line := range strings.Split(r.err, "\n") {
		if regexp.MustCompile(`^(npsetup: |  because |  next: |  code: )`).MatchString(line) {
			list = append(list, line)
		}
	}
	for _, line := range strings.Split(r.out, "\n") {
		if strings.HasPrefix(line, "verify ") {
			list = append(list, line)
		}
	}
	text := strings.Join(list, "\n") + "\n"
	for _, v := range [][2]string{
		{regexp.QuoteMeta(st.s.URL()), "https://nps/"},
		{regexp.QuoteMeta(st.dir), "DIR"},
		{anyID.String(), "ID"},
		{`[0-9a-f]{32}-[0-9a-f]{16}`, "TRACE"},
		{`\d{4}-\d\d-\d\d \d\d:\d\d( UTC)?`, "TIME"},
		{`\b[0-9A-F]{28,34}\b`, "SERIAL"},
	} {
		text = regexp.MustCompile(v[0]).ReplaceAllString(text, v[1])
	}
	return text
}
