package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
	"npsetup/steps/problem"
)

// imports reads the set-up of a site into a new file beside its certificate, from a machine that remembers nothing.
func (st *site) imports(out string, more ...string) result {
	st.t.Helper()
	kept := st.state
	st.state = st.t.TempDir()
	defer func() { st.state = kept }()
	return st.do(append([]string{
		"import", "--url", st.s.URL(), "--trust", "pin:" + st.s.Pin(), "--user", `CONTOSO\npsadmin`, "--password", "env:NPS_PASSWORD", "--mfa", "totp:env:NPS_TOTP_SECRET",
		"--out", out,
	}, more...)...)
}

// elsewhere runs a command on a machine that remembers nothing.
func (st *site) elsewhere(args ...string) result {
	st.t.Helper()
	kept := st.state
	st.state = st.t.TempDir()
	defer func() { st.state = kept }()
	return st.do(args...)
}

func (st *site) read(path string) string {
	st.t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		st.t.Fatal(err)
	}
	return string(raw)
}

// TestImportDescribesWhatIsThere: of what apply has set up it writes answers with which nothing is left to do.
func TestImportDescribesWhatIsThere(t *testing.T) {
	t.Parallel()
	st := complete(t)
	changed, before := st.changes(), st.canonical()
	out := filepath.Join(st.dir, "imported.yaml")
	r := st.imports(out).want(t, exitOK)
	says(t, r.out, "found    application user NetwrixAuditor", "found    connection profile Netwrix Auditor", "in "+filepath.Join(st.dir, "auditor-client.cer"), "written to "+out)
	if strings.Contains(r.out, "differs ") || strings.Count(r.out, "open ") != 2 || strings.Count(r.out, "under monitoringPlan.") != 2 {
		t.Errorf("something is said to differ, or not what is open:\n%s", r.out)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	text := st.read(out)
	says(t, text, `password: "env:NPS_PASSWORD"`, `certificate: "file:auditor-client.cer"`, `acceptRisks: ["domain-admins"]`, "it is in force on the server already")
	st.elsewhere("plan", "-f", out).want(t, exitOK)
	st.elsewhere("verify", "-f", out).want(t, exitOK)
	for _, command := range [][]string{{"validate"}, {"apply", "--yes"}} { // what nobody answered is missing, where it belongs
		says(t, st.elsewhere(append(command, "-f", out)...).want(t, exitUsage).err, "imported.yaml:26:9 (monitoringPlan.name): missing", "imported.yaml:28:10 (monitoringPlan.items): missing")
	}
	st.elsewhere("validate", "-f", out, "--set", "monitoringPlan.name=AD Monitoring", "--set", "monitoringPlan.items=contoso.com").want(t, exitOK)
	if st.changes() != changed || st.canonical() != before {
		t.Error("something was changed")
	}
	says(t, st.imports(out).want(t, exitUsage).err, "exists already and is left as it is")
	if st.read(out) != text {
		t.Error("the file was written over")
	}
}

// TestImportTellsWhatDiffers: a number is somebody's choice and becomes an answer; what Auditor cannot work with is told, by import and by verify.
func TestImportTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	st := complete(t)
	if err := st.s.Drift("connectionProfiles", "Netwrix Auditor", map[string]any{"maxSessionLength": 240, "notesRequired": true}); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(st.dir, "imported.yaml")
	var told struct {
		File                 string
		Found, Differs, Open []string
	}
	r := st.imports(out, "--output", "json").want(t, exitOK)
	if err := json.Unmarshal([]byte(r.out), &told); err != nil {
		t.Fatal(err)
	}
	if told.File != out || len(told.Found) < 6 || len(told.Differs) != 2 || len(told.Open) != 2 {
		t.Errorf("%+v", told)
	}
	says(t, strings.Join(told.Differs, "\n"), "Require Notes for Sessions is True, the guide wants False", `connection profile "Netwrix Auditor": Max Duration is 240, the guide wants 60`)
	says(t, st.read(out), "# differs: connection profile \"Netwrix Auditor\": Require Notes for Sessions is True", "# differs: connection profile \"Netwrix Auditor\": Max Duration is 240, the guide wants 60",
		"    # Max Duration: the article says 60; this is what the server has\n    maxDuration: 240\n")
	says(t, st.elsewhere("verify", "-f", out).want(t, exitPending).out, "Require Notes for Sessions is True, should be False")
	if err := st.s.Drift("connectionProfiles", "Netwrix Auditor", map[string]any{"notesRequired": false}); err != nil {
		t.Fatal(err)
	}
	says(t, st.elsewhere("verify", "-f", out).want(t, exitOK).out, "all 18 settings as wanted by the answers (Max Duration 240, the article has 60)")
	st.elsewhere("plan", "-f", out).want(t, exitOK)
}

// TestImportAsksWhichOneIsMeant lists what fits and names the flag.
func TestImportAsksWhichOneIsMeant(t *testing.T) {
	t.Parallel()
	st := complete(t)
	st.do("apply", "-f", st.answers(), "--yes", "--set", "application.name=Second", "--set", "accessPolicy.resource.name=Second policy").want(t, exitPerson)
	out := filepath.Join(st.dir, "imported.yaml")
	r := st.imports(out).want(t, exitUsage)
	says(t, r.err, "more than one application user", "NetwrixAuditor, Second", "--application NAME", "code: "+string(problem.SeveralCandidates))
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
	st.imports(out, "--application", "Second").want(t, exitOK)
	says(t, st.read(out), `name: "Second"`, `name: "Second policy"`)
	says(t, st.imports(filepath.Join(st.dir, "third.yaml"), "--application", "Third").want(t, exitUsage).err, "no application user named Third")
	says(t, st.imports(filepath.Join(st.dir, "fourth.yaml"), "--application", "Second", "--policy", "Third").want(t, exitUsage).err, "no resource-based access policy named Third")
}

// TestImportTakesOnlyTheSignInOfAFile: what else stands in it is read from the server.
func TestImportTakesOnlyTheSignInOfAFile(t *testing.T) {
	t.Parallel()
	st := complete(t)
	out := filepath.Join(st.dir, "imported.yaml")
	other := st.edited("name: Netwrix Auditor\n", "name: Another\n", "maxDuration: 60", "maxDuration: 99", "group: Domain Admins", "group: Nobody")
	st.elsewhere("import", "-f", other, "--out", out, "--set", "monitoringPlan.name=AD Monitoring").want(t, exitOK)
	text := st.read(out)
	says(t, text, `password: "env:NPS_PASSWORD"`, `group: "Domain Admins"`, `name: "AD Monitoring"`)
	if strings.Contains(text, "Another") || strings.Contains(text, "maxDuration: 99") {
		t.Errorf("the file's answers were taken over:\n%s", text)
	}
	st.elsewhere("plan", "-f", out).want(t, exitOK)
}

// TestImportFromAServerThatShowsLess takes what the documented calls tell, and says what they do not.
func TestImportFromAServerThatShowsLess(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{API: "documented"})
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	st.person()
	st.do("resume", "--yes", "--done", allManual+",connection-profile,activity")
	st.person()
	out := filepath.Join(st.dir, "imported.yaml")
	r := st.imports(out).want(t, exitOK)
	says(t, r.out, "open     the settings of the connection profile could not be read", "found    access policy Netwrix Auditor (resource)")
	says(t, st.read(out), "# open: the settings of the connection profile could not be read")
	st.elsewhere("validate", "-f", out, "--set", "monitoringPlan.name=AD Monitoring", "--set", "monitoringPlan.items=contoso.com").want(t, exitOK)
}

// TestImportFindsNothing where there is nothing, and says what it lacks.
func TestImportFindsNothing(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	out := filepath.Join(st.dir, "imported.yaml")
	says(t, st.imports(out).want(t, exitFailed).err, "NPS has no application user", "npsetup plan -f FILE")
	says(t, st.do("import").want(t, exitUsage).err, "--out FILE", "--url VALUE", "--user VALUE", "NPSETUP_NPS_SIGN_IN_USER", "nps.signIn.password", "nps.signIn.mfa")
	says(t, st.imports(out, "--guide", "nothing").want(t, exitUsage).err, "--guide auditor, or --guide password-secure")
	says(t, st.do("import", "--help").want(t, exitOK).out, "auditor          Netwrix Auditor takes", "password-secure  Privilege Secure takes", "when NPS has several (password-secure)")
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
}

// TestImportWithoutTheCertificate says which one to export; named from another folder, it is found.
func TestImportWithoutTheCertificate(t *testing.T) {
	t.Parallel()
	st := complete(t)
	out := filepath.Join(t.TempDir(), "imported.yaml")
	r := st.imports(out).want(t, exitOK)
	says(t, r.out, "is not beside the answers file", "--certificate")
	says(t, st.read(out), `certificate: ""`, "  # open: the client certificate with the serial number")
	says(t, st.elsewhere("verify", "-f", out).want(t, exitUsage).err, "(application.certificate): missing")
	named := filepath.Join(filepath.Dir(out), "named.yaml")
	st.imports(named, "--certificate", filepath.Join(st.dir, "auditor-client.cer")).want(t, exitOK)
	st.elsewhere("plan", "-f", named).want(t, exitOK)
}

// TestImportRefusesWhatItWouldNotUse: a flag or a file of another guide, and a flag that names something of what nothing was found.
func TestImportRefusesWhatItWouldNotUse(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{SessionDelay: 50 * time.Millisecond})
	st.lend("credential", "apply", "--yes").want(t, exitPerson)
	st.person()
	out := filepath.Join(st.dir, "imported.yaml")
	says(t, st.imports(out, "--connector", "X").want(t, exitUsage).err, "--connector is of another guide", "--guide password-secure")
	says(t, st.imports(out, "--guide", "password-secure", "--application", "X", "--certificate", "Y").want(t, exitUsage).err, "--application is of another guide", "--certificate is of another guide")
	says(t, st.imports(out, "--activity", "X").want(t, exitUsage).err, "--activity names nothing here", "leave --activity out")
	says(t, st.imports(out, "--set", "connector.name=X").want(t, exitUsage).err, "there is no answer connector.name")
	says(t, st.imports(out, "--guide", "password-secure", "-f", st.answers()).want(t, exitUsage).err, "is of another guide than --guide says")
	if _, err := os.Stat(out); err == nil {
		t.Error("a file was written")
	}
}
