package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	if strings.Contains(r.out, "differs ") || strings.Contains(r.out, "open ") {
		t.Errorf("something is said to differ:\n%s", r.out)
	}
	if info, err := os.Stat(out); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	text := st.read(out)
	says(t, text, `password: "env:NPS_PASSWORD"`, `certificate: "file:auditor-client.cer"`, `acceptRisks: ["domain-admins"]`, "it is in force on the server already")
	st.elsewhere("validate", "-f", out).want(t, exitOK)
	st.elsewhere("plan", "-f", out).want(t, exitOK)
	st.elsewhere("verify", "-f", out).want(t, exitOK)
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
	if told.File != out || len(told.Found) < 6 || len(told.Differs) != 1 || !strings.Contains(told.Differs[0], "Require Notes for Sessions is True, the guide wants False") || len(told.Open) != 0 {
		t.Errorf("%+v", told)
	}
	says(t, st.read(out), "# differs: connection profile \"Netwrix Auditor\": Require Notes for Sessions is True", "    # Max Duration: the article says 60\n    maxDuration: 240\n")
	says(t, st.elsewhere("verify", "-f", out).want(t, exitPending).out, "Require Notes for Sessions is True, should be False")
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
	st.elsewhere("validate", "-f", out).want(t, exitOK)
}

// TestImportFindsNothing where there is nothing, and says what it lacks.
func TestImportFindsNothing(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	out := filepath.Join(st.dir, "imported.yaml")
	says(t, st.imports(out).want(t, exitFailed).err, "NPS has no application user", "npsetup plan -f FILE")
	says(t, st.do("import", "--url", st.s.URL()).want(t, exitUsage).err, "--out FILE")
	says(t, st.do("import", "--url", st.s.URL(), "--out", out).want(t, exitUsage).err, "nps.signIn.user", "NPSETUP_NPS_SIGN_IN_USER")
	says(t, st.imports(out, "--guide", "nothing").want(t, exitUsage).err, "--guide auditor")
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
	says(t, st.read(out), `certificate: "file:auditor-client.cer"`, "export Auditor's certificate with the serial number")
	named := filepath.Join(filepath.Dir(out), "named.yaml")
	st.imports(named, "--certificate", filepath.Join(st.dir, "auditor-client.cer")).want(t, exitOK)
	st.elsewhere("plan", "-f", named).want(t, exitOK)
}
