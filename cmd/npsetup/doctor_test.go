package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/machine"
	"npsetup/client/sandbox"
	"npsetup/steps/problem"
)

// sheet is what doctor prints for a script.
type sheet struct {
	Checks []struct {
		Group, Name, Outcome, Code, Text string
		Remedy                           []string
	}
	Ports []struct{ From, To, Port, For string }
}

func (st *site) examine(code int, args ...string) sheet {
	st.t.Helper()
	var s sheet
	r := st.do(append([]string{"doctor", "--output", "json"}, args...)...).want(st.t, code)
	if err := json.Unmarshal([]byte(r.out), &s); err != nil {
		st.t.Fatalf("%v:\n%s", err, r.out)
	}
	return s
}

// find lists the outcomes and texts of the checks of a name.
func (s sheet) find(name string) string {
	var found []string
	for _, c := range s.Checks {
		if c.Name == name {
			found = append(found, c.Outcome+": "+c.Text+" "+c.Code)
		}
	}
	return strings.Join(found, "\n")
}

// TestDoctorChangesNothing neither on the server, nor in the state folder, nor asks for anything.
func TestDoctorChangesNothing(t *testing.T) {
	t.Parallel()
	st := complete(t)
	before, kept, changed := st.canonical(), st.tree(), st.changes()
	s := st.examine(exitOK, "-f", st.answers())
	for _, c := range s.Checks {
		if c.Outcome == "fault" {
			t.Errorf("%s: %s", c.Name, c.Text)
		}
		if c.Outcome != "ok" && c.Outcome != "not checked" && c.Code == "" {
			t.Errorf("%s has no code: %s", c.Name, c.Text)
		}
	}
	for _, name := range []string{"system", "clock", "state folder", "terminal", "connection", "clocks", "signin", "application-user", "connection-profile", "verify", "last session"} {
		if s.find(name) == "" {
			t.Errorf("%s was not looked at", name)
		}
	}
	if len(s.Ports) != 9 || s.Ports[0].From != "Auditor server" {
		t.Errorf("the ports are %v", s.Ports)
	}
	if st.canonical() != before || st.tree() != kept || st.changes() != changed {
		t.Error("something was changed")
	}
	if err := st.s.Drift("connectionProfiles", "Netwrix Auditor", map[string]any{"notesRequired": true}); err != nil {
		t.Fatal(err)
	}
	if got := st.examine(exitFailed, "-f", st.answers()).find("connection-profile"); !strings.Contains(got, "fault: ") || !strings.Contains(got, "Require Notes for Sessions") {
		t.Errorf("after a change it says %s", got)
	}
}

// tree is every file of the state folder with its content.
func (st *site) tree() string {
	st.t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(st.state, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			b.WriteString(path + "\n")
			return err
		}
		raw, err := os.ReadFile(path)
		b.WriteString(path + "\n" + string(raw) + "\n")
		return err
	})
	if err != nil {
		st.t.Fatal(err)
	}
	return b.String()
}

// TestDoctorBeforeAnyAnswer looks at this machine, and at a server that is only named.
func TestDoctorBeforeAnyAnswer(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	s := st.examine(exitOK)
	if got := s.find("server"); !strings.Contains(got, "not checked: no server was named") {
		t.Errorf("without a server it says %s", got)
	}
	if got := s.find("NPS"); !strings.Contains(got, "ok: not on this machine") {
		t.Errorf("of NPS it says %s", got)
	}
	s = st.examine(exitFailed, "--url", st.s.URL())
	if got := s.find("trust"); !strings.Contains(got, "certificate-not-trusted") {
		t.Errorf("of an unknown certificate it says %s", got)
	}
	if got := s.find("the rest"); !strings.Contains(got, "ended at the step trust") {
		t.Errorf("of the rest it says %s", got)
	}
	s = st.examine(exitOK, "--url", st.s.URL(), "--set", "nps.trust=pin:"+st.s.Pin())
	if got := s.find("the rest"); !strings.Contains(got, "the answer nps.signIn.user is missing") || !strings.Contains(s.find("clocks"), "ok: ") {
		t.Errorf("of the rest it says %s", got)
	}
	for _, r := range st.s.Requests() {
		if r.Class == "auth" {
			t.Error("it signed in without answers")
		}
	}
	if got := st.examine(exitFailed, "--url", "https://nowhere.contoso.com/").find("server"); !strings.Contains(got, "name-not-found") {
		t.Errorf("of an unknown name it says %s", got)
	}
	st.do("trust", "pin", st.s.URL(), "--sha256", strings.TrimPrefix(st.s.Pin(), "sha256:")).want(t, exitOK)
	if got := st.examine(exitOK, "--url", st.s.URL()).find("clocks"); !strings.Contains(got, "ok: ") {
		t.Error("the remembered certificate is not taken")
	}
}

// TestDoctorAsksNothing: a secret that has to be typed, and a server that was not used before, end the look in words.
func TestDoctorAsksNothing(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	for _, c := range []struct {
		terminal string
		edit     []string
		says     string
	}{
		{"", []string{"password: env:NPS_PASSWORD", "password: prompt"}, "nobody is asked here"},
		{"yes\n", []string{"password: env:NPS_PASSWORD", "password: prompt"}, "nobody is asked here"},
		{"yes\n", nil, "was not signed in to from here before"},
	} {
		st.answer = c.terminal
		got := st.examine(exitOK, "-f", st.edited(c.edit...)).find("the rest")
		if !strings.Contains(got, c.says) {
			t.Errorf("it says %s", got)
		}
	}
	for _, r := range st.s.Requests() {
		if r.Class == "auth" {
			t.Error("it signed in")
		}
	}
	if len(st.asked) > 0 {
		t.Errorf("it asked for %v", st.asked)
	}
	st.answer = ""
	st.do("plan", "-f", st.answers()).want(t, exitPending)
	st.answer = "yes\n"
	if got := st.examine(exitOK, "-f", st.answers()).find("signin"); !strings.Contains(got, "ok: signed in") {
		t.Errorf("on a known server it says %s", got)
	}
}

// TestDoctorFindsWhatIsLeft: an open run, a session whose end nobody saw, a state folder that cannot be used.
func TestDoctorFindsWhatIsLeft(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	if got := st.examine(exitOK).find("runs"); !strings.Contains(got, "warning: auditor for NetwrixAuditor") || !strings.Contains(got, string(problem.RunOpen)) {
		t.Errorf("of the open run it says %s", got)
	}
	journals, err := filepath.Glob(filepath.Join(st.state, "runs", "*", "journal.jsonl"))
	if err != nil || len(journals) != 1 {
		t.Fatal(journals, err)
	}
	// As the version before wrote it, without checksums.
	left := `{"time":"2026-11-26T12:00:00Z","seq":9999,"action":"verify/session","op":"start","marker":"npsetup proof 9","state":"sending","request":"POST /api/v1/ActivitySession"}` + "\n"
	if err := os.WriteFile(journals[0], []byte(left), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := st.examine(exitOK).find("sessions"); !strings.Contains(got, "npsetup proof 9") || !strings.Contains(got, string(problem.SessionLeftOpen)) {
		t.Errorf("of the session it says %q", got)
	}
	file := filepath.Join(st.dir, "a-file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	st.state = file
	if got := st.examine(exitFailed).find("state folder"); !strings.Contains(got, string(problem.StateFolderUnusable)) {
		t.Errorf("of a file it says %s", got)
	}
}

// TestDoctorOnServersOfNetwrix says what is installed, and takes what is seen on the NPS server itself for a fault.
func TestDoctorOnServersOfNetwrix(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.onAuditor("120")
	s := st.examine(exitOK)
	if got := s.find("Netwrix Auditor"); !strings.Contains(got, "on this machine, version 10.8.1") {
		t.Errorf("of Auditor it says %s", got)
	}
	if got := s.find("waiting time"); !strings.Contains(got, "warning: Auditor waits 120 s") {
		t.Errorf("of its waiting time it says %s", got)
	}
	if got := s.find("health log"); !strings.Contains(got, "no event about sessions") {
		t.Errorf("of its log it says %s", got)
	}
	st.here = machine.Machine{GOOS: "windows", Services: func() ([]machine.Service, error) {
		return []machine.Service{{Name: "sbpamActionService"}, {Name: "sbpamWeb", Running: true}}, nil
	}, Programs: func() ([]machine.Program, error) { return nil, errors.New("refused") }}
	st.controllers("389", "9389", "636")
	s = st.examine(exitFailed, "-f", st.answers())
	if got := s.find("NPS"); !strings.Contains(got, "fault: on this machine; stopped: sbpamActionService") || !strings.Contains(got, string(problem.ServicesUnhealthy)) {
		t.Errorf("of NPS it says %s", got)
	}
	if got := s.find("WinRM of dc01.contoso.com"); !strings.Contains(got, "fault: ") {
		t.Errorf("of a closed port it says %s", got)
	}
	st.here.Services = func() ([]machine.Service, error) { return nil, errors.New("refused") }
	if got := st.examine(exitOK).find("Netwrix Auditor"); !strings.Contains(got, "not checked: ") {
		t.Errorf("when Windows does not tell it says %s", got)
	}
}

// TestDoctorSaysWhatDNSDoesNotTell tells a DNS server that does not answer from a domain that it does not know.
func TestDoctorSaysWhatDNSDoesNotTell(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	if got := st.examine(exitOK, "-f", st.answers()).find("domain contoso.com"); !strings.Contains(got, "not checked: DNS names no domain controllers here") {
		t.Errorf("it says %s", got)
	}
	st.controllers()
	s := st.examine(exitOK, "-f", st.answers())
	if got := s.find("domain contoso.com"); !strings.Contains(got, "dc01.contoso.com, dc02.contoso.com") || !strings.Contains(got, string(problem.SeveralControllers)) {
		t.Errorf("it says %s", got)
	}
	if got := s.find("domain controller dc02.contoso.com"); !strings.Contains(got, string(problem.LDAPSNotReachable)) || !strings.Contains(got, "no connection to TCP 389, 9389; seen from this machine") {
		t.Errorf("it says %s", got)
	}
}
