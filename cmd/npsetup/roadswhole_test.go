package main

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// madeManual are the steps that a person does when the certificate does not come from Auditor.
const madeManual = "auditor-certificate,certificate-trust,auditor-key,monitoring-plan"

// road is the answers file of the sandbox for one road, with a kind of key that is made at once: RSA takes seconds where races
// are looked for.
func (st *site) road(name string) string {
	st.t.Helper()
	path := filepath.Join(st.dir, "answers-auditor-"+name+".yaml")
	if text := string(st.file(path)); !strings.Contains(text, "keyType") {
		text = strings.Replace(text, "  certificate: "+name+"\n", "  certificate: "+name+"\n  keyType: ecdsa-p256\n", 1)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil || !strings.Contains(text, "keyType") {
			st.t.Fatal(err, text)
		}
	}
	return path
}

// inFolder is a file in the folder of what is made.
func (st *site) inFolder(name string) string {
	return filepath.Join(st.dir, "netwrix-auditor-certificate", "NetwrixAuditor"+name)
}

func (st *site) file(path string) []byte {
	st.t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		st.t.Fatal(err)
	}
	return raw
}

// outcome is what the report says of a step.
func outcome(t *testing.T, out, step string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + step + ` (\S+ .*)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("the report has no %s:\n%s", step, out)
	}
	return m[1]
}

// TestTheWholeRoadOfOneMadeHere goes the whole road: key, certificate and PFX are made, a person imports them, and the sign-in is
// proven with them.
func TestTheWholeRoadOfOneMadeHere(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	p := st.do("plan", "-f", st.road("new")).want(t, exitPending)
	says(t, squeezed(p.out), "makes "+st.inFolder(".key"), "(serial number of the new client certificate, known after apply)", "a self-signed certificate of CN=NetwrixAuditor", "with (secret: passphrase of the PFX)", "deletes "+st.inFolder(".pfx"))
	if _, err := os.Stat(filepath.Dir(st.inFolder(""))); !os.IsNotExist(err) {
		t.Errorf("a plan made something: %v", err)
	}
	r := st.do("apply", "-f", st.road("new"), "--yes").want(t, exitPerson)
	for path, mode := range map[string]os.FileMode{st.inFolder(".key"): 0o600, st.inFolder(".cer"): 0o644, st.inFolder(".pfx"): 0o600, filepath.Dir(st.inFolder("")): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has %v, want %o: %v", path, info, mode, err)
		}
	}
	leaf, err := x509.ParseCertificate(st.file(st.inFolder(".cer")))
	if err != nil {
		t.Fatal(err)
	}
	serial := fmt.Sprintf("%X", leaf.SerialNumber.Bytes())
	says(t, st.canonical(), `"certificateSerialNumber": "`+serial+`"`)
	says(t, outcome(t, r.out, "certificate"), "done serial "+serial)
	says(t, squeezed(r.err), "Bring "+st.inFolder(".pfx"), "“Select an existing certificate” and take the one with the serial number "+serial, "Copy "+st.inFolder(".cer"), "npsetup resume --yes --done "+madeManual)
	if strings.Contains(r.err, "All Tasks > Export") || strings.Contains(r.err, "Export, 1-10") {
		t.Errorf("it tells to export what was made here:\n%s", r.err)
	}
	st.handsDone(t, "new")
}

// handsDone lets the person do the rest, and demands the proof, and that a second run changes nothing.
func (st *site) handsDone(t *testing.T, road string) {
	t.Helper()
	for _, d := range st.person() {
		t.Logf("the person did %s", d.Step)
	}
	before := st.folder(t)
	r := st.do("resume", "--yes", "--done", madeManual).want(t, exitOK)
	says(t, outcome(t, r.out, "verify"), "a session as NetwrixAuditor became active and ended", "Auditor opened a session itself")
	n := st.changes()
	r = st.do("apply", "-f", st.road(road), "--yes").want(t, exitOK)
	if st.changes() != n || st.folder(t) != before {
		t.Errorf("the second run changed something:\n%s", r.err)
	}
	says(t, outcome(t, r.out, "certificate"), "unchanged serial ")
	st.do("plan", "-f", st.road(road)).want(t, exitOK)
	st.do("verify", "-f", st.road(road)).want(t, exitOK)
}

// folder is what the folder holds.
func (st *site) folder(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	entries, err := os.ReadDir(filepath.Dir(st.inFolder("")))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		fmt.Fprintf(&b, "%s %x\n", e.Name(), st.file(filepath.Join(filepath.Dir(st.inFolder("")), e.Name())))
	}
	return b.String()
}

// TestTheWholeRoadOfARequest goes the whole road of a request: what needs no serial number is done first, and resume
// goes on when the authority has answered.
func TestTheWholeRoadOfARequest(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	st.do("plan", "-f", st.road("request")).want(t, exitPending)
	r := st.do("apply", "-f", st.road("request"), "--yes").want(t, exitPerson)
	st.waitsForTheAuthority(t, r)
	done := st.person()
	if len(done) != 1 || done[0].Step != "certificate" {
		t.Fatalf("the person did %v", done)
	}
	r = st.do("resume", "--yes").want(t, exitPerson)
	says(t, outcome(t, r.out, "certificate"), "done serial ", "issued by CN=Contoso Issuing CA")
	says(t, outcome(t, r.out, "application-user"), "done read back: serial ")
	says(t, squeezed(r.err), "copy the root certificate CN=Contoso Root CA, O=CONTOSO out of "+st.inFolder(".root.cer"), "Bring CN=Contoso Issuing CA, O=CONTOSO", st.inFolder(".intermediate-1.cer"), "certutil -addstore CA FILE.cer", "Never import Auditor's own certificate")
	st.handsDone(t, "request")
}

// waitsForTheAuthority demands that all is done that needs no serial number, and that it is told what is needed.
func (st *site) waitsForTheAuthority(t *testing.T, r result) {
	t.Helper()
	for step, has := range map[string]string{
		"certificate": "waiting ", "application-user": "waiting ", "connection-profile": "done ", "activity": "done ", "resource": "done ", "policy-resource": "waiting ", "verify": "waiting ",
	} {
		if got := outcome(t, r.out, step); !strings.HasPrefix(got, has) {
			t.Errorf("%s is %s, want %s", step, got, has)
		}
	}
	says(t, squeezed(r.err), `certreq -submit -config "SERVER\AUTHORITY" -attrib`, `certreq -retrieve -config "SERVER\AUTHORITY" NUMBER`, "Client Authentication", "when "+st.inFolder(".p7b")+" is there, npsetup resume --yes goes on")
	now := r.err[strings.LastIndex(r.err, "\nchanges: "):]
	if strings.Contains(now, "Paste it in the field") || strings.Contains(now, "Never import") || strings.Contains(now, "--done certificate-trust") {
		t.Errorf("it asks for what cannot be done yet:\n%s", now)
	}
	n := st.changes()
	again := st.do("resume", "--yes", "--done", "certificate").want(t, exitPerson)
	if st.changes() != n {
		t.Error("something was sent although nothing has changed")
	}
	if got := outcome(t, again.out, "certificate"); !strings.HasPrefix(got, "waiting ") {
		t.Errorf("a word stands for the file: %s", got)
	}
}
