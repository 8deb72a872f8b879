//go:build full

package main

import (
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"npsetup/client/pki"
	"npsetup/client/sandbox"
)

// certutil stands in for Windows' tool: its store is a folder of files that are named by their SHA-1. A file in that folder makes
// it fail, or the connection.
const certutil = `#!/bin/sh
store=STORE
echo "$*" >>$store/said
case "$1 $2" in
"-store Root")
	[ -f "$store/$3" ] || { echo "CertUtil: -store command FAILED: 0x80090011 (-2146893807 NTE_NOT_FOUND)"; exit 17; }
	echo "Cert Hash(sha1): $3"
	;;
"-f -addstore")
	[ ! -f $store/fails ] || { echo "CertUtil: -addstore command FAILED: 0x80070005 (WIN32: 5 ERROR_ACCESS_DENIED)"; exit 5; }
	cp "$4" "$store/$(sha1sum <"$4" | cut -c1-40)"
	if [ -f $store/cuts ]; then
		rm $store/cuts
		kill -9 $PPID
	fi
	;;
"-delstore Root") rm "$store/$3" ;;
*) exit 87 ;;
esac
`

// windows is an NPS server with an SSH server of its own, as far as it is one here.
type windows struct {
	sshd
	t           *testing.T
	store, home string
	hostKey     string
}

func newWindows(t *testing.T) *windows {
	t.Helper()
	w := &windows{t: t, store: t.TempDir()}
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "certutil"), []byte(strings.ReplaceAll(certutil, "STORE", w.store)), 0o755); err != nil {
		t.Fatal(err)
	}
	w.sshd = newSSHD(t, "Subsystem sftp internal-sftp", "SetEnv PATH="+bin+":/usr/bin:/bin")
	w.hostKey = fingerprintOf(t, filepath.Join(w.dir, "host.pub"))
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	w.home = me.HomeDir
	t.Cleanup(func() {
		if left, _ := filepath.Glob(filepath.Join(w.home, "npsetup-*.cer")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
			for _, f := range left {
				_ = os.Remove(f)
			}
		}
	})
	return w
}

func fingerprintOf(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	key, _, _, _, err := ssh.ParseAuthorizedKey(raw)
	if err != nil {
		t.Fatal(err)
	}
	return ssh.FingerprintSHA256(key)
}

// answers are those of a site, with the SSH server in them.
func (w *windows) answers(st *site, edits ...string) string {
	w.t.Helper()
	own := st.s.ClientCertificate()
	if err := st.s.Import(own, own.Leaf); err != nil { // what certutil brings there, the stand-in of NPS trusts
		w.t.Fatal(err)
	}
	me, err := user.Current()
	if err != nil {
		w.t.Fatal(err)
	}
	block := strings.Join([]string{"  ssh:", "    address: 127.0.0.1:" + w.port, "    user: " + me.Username, "    hostKey: " + w.hostKey, "    key: file:" + filepath.Join(w.dir, "user"), ""}, "\n")
	return st.edited(append([]string{"application:\n", block + "application:\n"}, edits...)...)
}

func (w *windows) set(name string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.store, name), nil, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *windows) trusts(st *site) bool {
	w.t.Helper()
	c, err := pki.ReadCertificate(filepath.Join(st.dir, "auditor-client.cer"))
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = os.Stat(filepath.Join(w.store, c.SHA1))
	return err == nil
}

// TestTheCertificateGoesOverSSH brings it there by a real SSH server, once, and takes what is there as it is.
func TestTheCertificateGoesOverSSH(t *testing.T) {
	w, st := newWindows(t), newSite(t, sandbox.Options{})
	answers := w.answers(st)
	p := st.do("plan", "-f", answers).want(t, exitPending)
	says(t, p.out, "over SSH on 127.0.0.1:"+w.port, w.hostKey, "certutil -f -addstore Root npsetup-", "takes CN=Netwrix Auditor")
	if w.trusts(st) {
		t.Fatal("plan changed something")
	}
	r := st.do("apply", "-f", answers, "--yes").want(t, exitPerson)
	says(t, r.out, "certificate-trust done in Trusted Root on the NPS server, read over SSH")
	if !w.trusts(st) || strings.Contains(r.err, "--done auditor-start,certificate-trust") {
		t.Errorf("it is not there, or asked for by hand\n%s", r.err)
	}
	st.person()
	st.do("apply", "-f", answers, "--yes", "--done", notTrust).want(t, exitOK)
	before, _ := os.ReadFile(filepath.Join(w.store, "said"))
	st.do("apply", "-f", answers, "--yes").want(t, exitOK)
	after, _ := os.ReadFile(filepath.Join(w.store, "said"))
	if strings.Contains(strings.TrimPrefix(string(after), string(before)), "addstore") {
		t.Errorf("the second run added it again\n%s", after)
	}
}

// TestAnotherHostKeyIsRefused: nothing is sent to a server that is not the agreed one.
func TestAnotherHostKeyIsRefused(t *testing.T) {
	w, st := newWindows(t), newSite(t, sandbox.Options{})
	other := "SHA256:" + strings.Repeat("A", 43)
	r := st.do("apply", "-f", w.answers(st, w.hostKey, other), "--yes").want(t, exitFailed)
	says(t, r.err, "has another host key", "agreed was "+other, w.hostKey, "ssh-keygen -lf")
	if said, err := os.ReadFile(filepath.Join(w.store, "said")); err == nil || st.changes() > 0 {
		t.Errorf("something was done: %s", said)
	}
	wrong := st.do("apply", "-f", w.answers(st, "key: file:"+filepath.Join(w.dir, "user"), "key: file:"+filepath.Join(w.dir, "host")), "--yes").want(t, exitFailed)
	says(t, wrong.err, "refused", "the key is not taken there", "administrators_authorized_keys")
}

// TestAToolThatFailsLeavesNothing behind, and the run goes on when it works again.
func TestAToolThatFailsLeavesNothing(t *testing.T) {
	w, st := newWindows(t), newSite(t, sandbox.Options{})
	answers := w.answers(st)
	w.set("fails")
	r := st.do("apply", "-f", answers, "--yes").want(t, exitFailed)
	says(t, r.err, "certutil -f -addstore Root npsetup-", "0x80070005", "administrator of that server")
	if err := os.Remove(filepath.Join(w.store, "fails")); err != nil {
		t.Fatal(err)
	}
	w.set("cuts") // the connection breaks behind the change
	st.do("resume", "--yes")
	if !w.trusts(st) {
		t.Error("it is not there")
	}
	// As if the run had been killed before it removed the file: the next one does.
	own, err := pki.ReadCertificate(filepath.Join(st.dir, "auditor-client.cer"))
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(w.home, "npsetup-"+own.SHA1+".cer")
	if err := os.WriteFile(left, own.X509.Raw, 0o600); err != nil {
		t.Fatal(err)
	}
	last := st.do("resume", "--yes").want(t, exitPerson)
	says(t, last.err, "no file of the certificate "+own.SHA1+" is left")
	if _, err := os.Stat(left); err == nil {
		t.Error("the file of the killed run is still there")
	}
	says(t, last.out, "certificate-trust ", "in Trusted Root on the NPS server, read over SSH")
	said, _ := os.ReadFile(filepath.Join(w.store, "said"))
	if n := strings.Count(string(said), "-addstore"); n != 2 {
		t.Errorf("it was added %d times\n%s", n, said)
	}
}

// TestHostileNamesDoNothing: what a file or a user is called reaches no shell.
func TestHostileNamesDoNothing(t *testing.T) {
	w, st := newWindows(t), newSite(t, sandbox.Options{})
	evil := `$(touch pwned);'touch pwned'.cer`
	raw, err := os.ReadFile(filepath.Join(st.dir, "auditor-client.cer"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(st.dir, evil), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	st.do("apply", "-f", w.answers(st, "certificate: file:auditor-client.cer", `certificate: "file:`+evil+`"`), "--yes").want(t, exitPerson)
	for _, dir := range []string{w.home, st.dir, w.store, "."} {
		if _, err := os.Stat(filepath.Join(dir, "pwned")); err == nil {
			t.Errorf("a name was run in %s", dir)
		}
	}
	said, _ := os.ReadFile(filepath.Join(w.store, "said"))
	if strings.Contains(string(said), "pwned") || !w.trusts(st) {
		t.Errorf("it says %s", said)
	}
}
