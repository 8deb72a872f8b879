package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// proven is a site on which a road was gone to its end.
func proven(t *testing.T, road string) *site {
	t.Helper()
	st := newSite(t, sandbox.Options{})
	st.do("apply", "-f", st.road(road), "--yes").want(t, exitPerson)
	if road == roadOfRequest {
		st.person()
		st.do("resume", "--yes").want(t, exitPerson)
	}
	st.person()
	st.do("resume", "--yes", "--done", madeManual).want(t, exitOK)
	return st
}

const roadOfRequest = "request"

func (st *site) delete(paths ...string) {
	st.t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			st.t.Fatal(err)
		}
	}
}

// settled demands that plan, verify and apply find nothing to do and change nothing; the report of verify comes back.
func (st *site) settled(t *testing.T, answers string) result {
	t.Helper()
	n := st.changes()
	p := st.do("plan", "-f", answers).want(t, exitOK)
	r := st.do("verify", "-f", answers).want(t, exitOK)
	st.do("apply", "-f", answers, "--yes").want(t, exitOK)
	if st.changes() != n || strings.Contains(squeezed(p.out), "warning: the private key") {
		t.Errorf("%d changes\n%s%s%s", st.changes()-n, p.out, p.err, r.err)
	}
	return r
}

// TestWhatWasForTheWayMayGo: the key, the PFX and all that brought the certificate to its place, deleted as the plan advises; also
// when the passphrase is forgotten.
func TestWhatWasForTheWayMayGo(t *testing.T) {
	t.Parallel()
	for road, way := range map[string][]string{"new": {".pfx"}, roadOfRequest: {".pfx", ".req", ".p7b", ".root.cer", ".intermediate-1.cer"}} {
		t.Run(road, func(t *testing.T) {
			st := proven(t, road)
			answers := st.road(road)
			delete(st.env, "NPS_PFX_PASSPHRASE")
			for _, ending := range way {
				st.delete(st.inFolder(ending))
				st.settled(t, answers)
			}
			st.delete(st.inFolder(".key"))
			r := st.settled(t, answers)
			says(t, outcome(t, r.out, "verify"), st.inFolder(".key")+" is no longer there", "npsetup verify --session", "npsetup verify --watch 10m")
			says(t, st.do("verify", "-f", answers, "--session", "--yes").want(t, exitUsage).err, "no session can be opened as the application user")
		})
	}
}

// TestEvidenceStandsForTheRecord: the state folder is lost, and PFX and key are deleted.
func TestEvidenceStandsForTheRecord(t *testing.T) {
	t.Parallel()
	st := proven(t, "new")
	st.delete(st.inFolder(".key"), st.inFolder(".pfx"))
	st.state = t.TempDir()
	delete(st.env, "NPS_PFX_PASSPHRASE")
	n := st.changes()
	st.do("verify", "-f", st.road("new")).want(t, exitOK)
	p := st.do("plan", "-f", st.road("new")).want(t, exitOK)
	if strings.Contains(p.out, ".pfx") || st.changes() != n {
		t.Errorf("planned is\n%s", p.out)
	}
}

// TestAKeyThatIsNeededIsMissed: nobody has imported the PFX, and it is gone as well as the key.
func TestAKeyThatIsNeededIsMissed(t *testing.T) {
	t.Parallel()
	st := madeSite(t)
	st.delete(st.inFolder(".key"))
	r := st.do("plan", "-f", st.road("new"))
	if r.code == exitFailed { // the PFX has the key: nothing but our proof needs the file
		t.Errorf("exit %d\n%s", r.code, r.err)
	}
	says(t, r.out+r.err, "is no longer there: the sign-in cannot be proven from here")
	st.delete(st.inFolder(".pfx"))
	says(t, st.do("plan", "-f", st.road("new")).want(t, exitFailed).err, "the private key of "+st.inFolder(".cer")+" is missing", "put the key back")
}

// TestTheNamedKeyMayGoAfterTheProof: application.key, on Auditor's road; before the set-up a name that leads nowhere is a mistake.
func TestTheNamedKeyMayGoAfterTheProof(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	wrong := []string{"plan", "-f", st.answers(), "--set", "application.key=file:elsewhere.key"}
	says(t, st.do(wrong...).want(t, exitFailed).err, "elsewhere.key", "name a file that is there")
	st = setUp(t)
	key := filepath.Join(st.dir, "auditor-client.key")
	st.delete(key)
	r := st.settled(t, st.answers())
	says(t, outcome(t, r.out, "verify"), key+" is no longer there", "Auditor opened a session itself")
}

// TestAProofDoesWithoutSSH: the server that the certificate went to cannot be reached, and all is proven by sessions.
func TestAProofDoesWithoutSSH(t *testing.T) {
	t.Parallel()
	st := setUp(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	ssh := []string{"--set", "nps.ssh.address=" + address, "--set", "nps.ssh.user=admin", "--set", "nps.ssh.hostKey=SHA256:" + strings.Repeat("A", 43), "--set", "nps.ssh.password=env:NOT_SET"}
	r := st.do(append([]string{"verify", "-f", st.answers()}, ssh...)...).want(t, exitOK)
	says(t, outcome(t, r.out, "certificate-trust"), "proven seen: ", "not read over SSH: ", address)
	says(t, st.do(append([]string{"plan", "-f", st.answers()}, ssh...)...).want(t, exitUsage).err, "NOT_SET is not set")
	st.env["NOT_SET"] = "words"
	st.do(append([]string{"plan", "-f", st.answers()}, ssh...)...).want(t, exitFailed)
}
