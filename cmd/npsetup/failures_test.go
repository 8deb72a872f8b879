package main

import (
	"context"
	"encoding/xml"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"npsetup/client/machine"
	"npsetup/client/sandbox"
	"npsetup/steps/problem"
)

// meeting is a published failure as a tool meets it: by which code it is told, or why no tool can meet it.
type meeting struct {
	code problem.Code
	none string
}

// published are the failures of the vendor's knowledge base and community, in the order of our list of them.
func published() []meeting {
	met := func(c problem.Code) meeting { return meeting{code: c} }
	none := func(why string) meeting { return meeting{none: why} }
	return []meeting{
		1: met(problem.CredentialUnknown), 2: met(problem.ResourceUnknown), 3: met(problem.ActivityUnknown), 4: met(problem.SerialDiffers), 5: met(problem.SessionTimeout),
		6: met(problem.WaitSettingReset), 7: met(problem.CollectionTooLong), 8: met(problem.CollectionTooLong), 9: met(problem.SessionEndedInUse), 10: met(problem.DirectoryReplication),
		11: met(problem.ApplicationNameBlank), 12: met(problem.EntraAuthentication),
		13: met(problem.ApplicationSignInFails), 14: met(problem.TokenWithoutRole), 15: met(problem.WinRMFallback), 16: met(problem.CertificateChanged), 17: met(problem.CertificateNameDiffers),
		18: met(problem.NotSelfSigned), 19: met(problem.ClientCertificateNotTrusted), 20: met(problem.ClientCertificateOnTLS13), 21: met(problem.HandshakeSlow), 22: met(problem.ClockSkew),
		23: none("each sign-in has cookies of its own, so that two users never meet in them"),
		24: met(problem.SignInEnded), 25: met(problem.HostingBundle), 26: met(problem.WebDAV), 27: met(problem.ADExtensionBlocked), 28: met(problem.ServicesUnhealthy),
		29: none("a tool sees slow answers, which have many causes; the text of services-unhealthy names this one"),
		30: met(problem.ApplicationPool), 31: met(problem.LicenceExpired), 32: met(problem.LDAPSNotReachable),
		33: none("the keys of an account are read with rights in Active Directory that npsetup does not have; it shows as a host that NPS does not know, and that text names it"),
		34: met(problem.HostUnknown),
		35: none("the test of a domain is no call of the contract; it shows as a host that NPS does not know, and that text names it"),
		36: met(problem.WinRMRefused), 37: met(problem.WinRMNotReachable), 38: met(problem.RemoteAccessDenied), 39: met(problem.WinRMDisabled),
		40: met(problem.CredentialNotRotated), 41: met(problem.CredentialMismatch), 42: met(problem.CredentialNotManageable), 43: met(problem.RemoteAccessDenied),
		44: met(problem.VaultEntryNotFound), 45: met(problem.PasswordNotReadable), 46: met(problem.VaultNotReachable), 47: met(problem.VaultNotTrusted), 48: met(problem.VaultKitTooOld), 49: met(problem.VaultKitTooOld),
		50: met(problem.VaultKeyExpired), 51: met(problem.VaultKeyRefused), 52: met(problem.VaultEntryAmbiguous),
		53: none("it is NPS as its own vault, by a script that the vendor does not advise; no guide sets it up"),
		54: met(problem.VaultEntryProtected),
	}
}

// provoked brings a published failure about, and lets a command meet it.
type provoked struct {
	row  int
	name string
	meet func(t *testing.T) (*site, result)
	code problem.Code // empty: that of the row
	exit int
}

// TestPublishedFailuresAreNamed provokes the published failures one by one. Each time the code of the row is told, with sentences that
// name cause and remedy: they are kept in testdata/failures.golden.
func TestPublishedFailuresAreNamed(t *testing.T) {
	t.Parallel()
	known, err := codes()
	if err != nil {
		t.Fatal(err)
	}
	rows, met := published(), map[int]bool{}
	var told strings.Builder
	for _, p := range provocations(&whole{t: t}) {
		t.Run(fmt.Sprintf("%d %s", p.row, p.name), func(t *testing.T) {
			code := rows[p.row].code
			if p.code != "" {
				code = p.code
			}
			if code == "" || known[code].Title == "" {
				t.Fatalf("row %d has no code", p.row)
			}
			st, r := p.meet(t)
			r.want(t, p.exit)
			said := st.named(r, code)
			if said == "" {
				t.Fatalf("nothing says %s:\n%s\n%s", code, r.out, r.err)
			}
			met[p.row] = true
			fmt.Fprintf(&told, "# %d %s: %s\n%s\n", p.row, p.name, known[code].Title, said)
		})
	}
	if len(met) < 30 {
		t.Errorf("only %d of the published failures were met", len(met))
	}
	for i, row := range rows[1:] {
		switch {
		case (row.code == "") == (row.none == ""):
			t.Errorf("row %d is neither met nor out of reach", i+1)
		case row.code != "" && !met[i+1]:
			t.Errorf("row %d (%s) was not provoked", i+1, row.code)
		}
	}
	if len(rows)-1 != 54 {
		t.Errorf("there are %d rows", len(rows)-1)
	}
	asKept(t, "failures.golden", told.String())
}

// named are the first sentences that carry a code: a problem with cause and next steps, or a line of doctor or of a report. What
// differs from run to run is left out.
func (st *site) named(r result, code problem.Code) string {
	lines := strings.Split(r.err, "\n")
	for i, line := range lines {
		if line != "  code: "+string(code)+"   (npsetup explain "+string(code)+")" {
			continue
		}
		begin := i
		for begin > 0 && !strings.HasPrefix(lines[begin], "npsetup: ") {
			begin--
		}
		return st.steady(strings.Join(lines[begin:i+1], "\n"))
	}
	mark := "(code: " + string(code) + ")"
	lines = strings.Split(r.out, "\n")
	for i, line := range lines {
		if !strings.Contains(line, mark) {
			continue
		}
		said := []string{strings.TrimSpace(line)}
		for _, next := range lines[i+1:] {
			if !strings.HasPrefix(strings.TrimSpace(next), "next: ") {
				break
			}
			said = append(said, "  "+strings.TrimSpace(next))
		}
		return st.steady(strings.Join(said, "\n"))
	}
	return ""
}

// steady leaves out what differs from run to run.
func (st *site) steady(text string) string {
	for _, v := range [][2]string{
		{regexp.QuoteMeta(st.dir), "DIR"},
		{`127\.0\.0\.1:\d+`, "SERVER"},
		{`localhost:\d+`, "SERVER"},
		{`nps2\.contoso\.com:\d+`, "SERVER"},
		{anyID.String(), "ID"},
		{`[0-9a-f]{32}-[0-9a-f]{16}`, "TRACE"},
		{`\b[0-9a-f]{64}\b`, "SHA256"},
		{`\d{4}-\d\d-\d\d( \d\d:\d\d)?( UTC)?`, "TIME"},
		{`\b[0-9A-F]{28,34}\b`, "SERIAL"},
		{`differ by [0-9hms]+`, "differ by SOME"},
	} {
		text = regexp.MustCompile(v[0]).ReplaceAllString(text, v[1])
	}
	return text + "\n"
}

// onAuditor makes this machine Auditor's server: its health log holds the sandbox's events, its file the waiting time.
func (st *site) onAuditor(wait string) {
	st.t.Helper()
	drive := st.t.TempDir()
	file := filepath.Join(drive, "Program Files (x86)", "Netwrix Auditor", "Audit Core", "CredentialResolverService.acconf")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		st.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("<root><MaxWaitForActiveStatusS>"+wait+"</MaxWaitForActiveStatusS></root>"), 0o600); err != nil {
		st.t.Fatal(err)
	}
	st.here = machine.Machine{
		GOOS: "windows", Files: drive, Hostname: func() (string, error) { return "AUDITOR01", nil },
		Services: func() ([]machine.Service, error) {
			return []machine.Service{{Name: "NwCfgServerSvc", Running: true}}, nil
		},
		Programs: func() ([]machine.Program, error) {
			return []machine.Program{{Name: "Netwrix Auditor", Version: "10.8.1"}}, nil
		},
	}
	st.windows = func(context.Context, string, ...string) ([]byte, error) {
		var b strings.Builder
		for _, e := range st.s.Events() {
			if e.ID == 0 {
				continue
			}
			text := e.Text
			if e.Reason != "" {
				text += " (" + e.Reason + ")"
			}
			fmt.Fprintf(&b, "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><EventID>%d</EventID><TimeCreated SystemTime='%s'/></System><RenderingInfo><Message>", e.ID, time.Now().UTC().Format(time.RFC3339Nano))
			_ = xml.EscapeText(&b, []byte(text)) // a strings.Builder takes everything
			b.WriteString("</Message></RenderingInfo></Event>\n")
		}
		return []byte(b.String()), nil
	}
}

// collected lets Auditor collect under a fault, and doctor look on Auditor's server.
func collected(fault string) func(*testing.T) (*site, result) {
	return func(t *testing.T) (*site, result) {
		st, _ := waiting(t)
		st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
		st.faulted(fault)
		st.person()
		st.onAuditor("300")
		return st, st.do("doctor")
	}
}

// complete is a site with everything set up.
func complete(t *testing.T) *site {
	t.Helper()
	st, _ := waiting(t)
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.do("apply", "-f", st.answers(), "--yes", "--done", allManual).want(t, exitOK)
	return st
}

// whole is a complete set-up that several provocations use, one after the other.
type whole struct {
	t  *testing.T // the test that they are part of
	st *site
}

// waited is opened on a set-up of its own: the time that passes for its sessions parts the clocks.
func waited(fault string) func(*testing.T) (*site, result) {
	return func(t *testing.T) (*site, result) { return (&whole{t: t}).opened(fault)(t) }
}

// opened opens a session under a fault, and takes the fault away again.
func (w *whole) opened(fault string) func(*testing.T) (*site, result) {
	return func(*testing.T) (*site, result) {
		if w.st == nil {
			w.st = complete(w.t)
		}
		w.st.faulted(fault)
		r := w.st.do("verify", "-f", w.st.answers(), "--session", "--yes")
		if _, err := w.st.s.SetFaults(nil, []string{fault}); err != nil {
			w.t.Fatal(err)
		}
		return w.st, r
	}
}

// examined lets doctor look at a server with a fault.
func examined(fault string) func(*testing.T) (*site, result) {
	return func(t *testing.T) (*site, result) {
		st := newSite(t, sandbox.Options{Faults: []string{fault}})
		return st, st.do("doctor", "-f", st.answers())
	}
}

// examinedWith lets doctor look with other answers.
func examinedWith(oldnew ...string) func(*testing.T) (*site, result) {
	return func(t *testing.T) (*site, result) {
		st := newSite(t, sandbox.Options{})
		return st, st.do("doctor", "-f", st.edited(oldnew...))
	}
}

// controllers lets DNS name domain controllers, to none of which a connection comes about; ports that are open take one.
func (st *site) controllers(open ...string) {
	st.network.LookupSRV = func(context.Context, string, string, string) (string, []*net.SRV, error) {
		return "", []*net.SRV{{Target: "dc01.contoso.com."}, {Target: "dc02.contoso.com."}}, nil
	}
	st.network.Hosts = func(_ context.Context, host string) ([]string, error) { return []string{"192.0.2.1"}, nil }
	st.network.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, _ := net.SplitHostPort(addr)
		for _, p := range open {
			if p == port {
				near, far := net.Pipe()
				_ = far.Close()
				return near, nil
			}
		}
		if host == "127.0.0.1" {
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		return nil, &net.OpError{Op: "dial", Net: network, Err: os.ErrDeadlineExceeded}
	}
}
