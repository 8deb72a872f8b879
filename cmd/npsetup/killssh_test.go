package main

import (
	"context"
	"crypto/sha1" //nolint:gosec // Windows' thumbprint
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"

	"npsetup/client/sandbox"
	"npsetup/client/sandbox/openssh"
)

const notTrust = "auditor-start,auditor-key,monitoring-plan"

// overSSH is an NPS server that is changed over SSH: its Trusted Root is a set of thumbprints.
type overSSH struct {
	openssh.Server
	mu     sync.Mutex
	store  map[string]bool
	victim *killer
}

// newSSHSite is a site whose NPS server has an SSH server.
func newSSHSite(t *testing.T, o sandbox.Options) *site {
	t.Helper()
	st := newSite(t, o)
	st.env["NPS_SSH_PASSWORD"], st.env["TYPED"] = "S3CR3T of the NPS server", "S3CR3T of the NPS server" // what is typed must be found nowhere
	w := &overSSH{store: map[string]bool{}}
	w.Dir, w.Password, w.Keys, w.Tool, w.Meddle = t.TempDir(), st.env["NPS_SSH_PASSWORD"], []ssh.Signer{hostKeyOf(t)}, w.certutil, w.meddle
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	st.ssh = w
	return st
}

// certificateOverSSH is the set-up whose certificate npsetup brings to the NPS server.
func certificateOverSSH() killable {
	return killable{"certificate over SSH", newSSHSite, func(st *site) []string {
		w := st.ssh
		return []string{"apply", "-f", st.edited(keyLine, "", "application:\n", fmt.Sprintf(
			"  ssh: {address: '%s', user: svradmin, hostKey: '%s', password: 'env:NPS_SSH_PASSWORD'}\napplication:\n", w.Address, ssh.FingerprintSHA256(w.Keys[0].PublicKey()),
		)), "--yes"}
	}, notTrust, false}
}

func (w *overSSH) certutil(_ context.Context, command string) (string, uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	words := strings.Fields(command)
	last := words[len(words)-1]
	switch strings.Join(words[:len(words)-1], " ") {
	case "certutil -store Root":
		if w.store[last] {
			return "Cert Hash(sha1): " + last, 0
		}
	case "certutil -f -addstore Root":
		if raw, err := os.ReadFile(filepath.Join(w.Dir, last)); err == nil {
			sum := sha1.Sum(raw) //nolint:gosec // Windows' thumbprint
			w.store[hex.EncodeToString(sum[:])] = true
			return "", 0
		}
	case "certutil -delstore Root":
		if w.store[last] {
			delete(w.store, last)
			return "", 0
		}
	}
	return "CertUtil: 0x80090011 (-2146893807 NTE_NOT_FOUND)", 17
}

// meddle hands each step that changes something to the killer.
func (w *overSSH) meddle(step string, done bool) bool {
	w.mu.Lock()
	victim := w.victim
	w.mu.Unlock()
	return victim != nil && !strings.Contains(step, "-store") && victim.meddles(done)
}

func (w *overSSH) killedBy(k *killer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.victim = k
}

// holds is the state of the server: how many certificates it trusts, and what files lie there.
func (w *overSSH) holds(t *testing.T) string {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(w.Dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("Trusted Root: %d; files: %d", len(w.store), len(left))
}

// meddles kills at a step over SSH, and cuts the connection. Who is dead does nothing more.
func (k *killer) meddles(done bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.dead {
		return true
	}
	if !done {
		k.steps++
	}
	if k.steps != k.step || k.done != done || k.lost {
		return false
	}
	if k.kind == answerLost {
		k.lost = true
		return true
	}
	k.dies()
	k.stop()
	return true
}

// stepsOverSSH are the file that is put there, certutil, and the removal of the file.
const stepsOverSSH = 3

// sshKills are all ways in which the delivery is killed. A step is killed before and behind it; behind its answer is before the next one. A connection
// that is cut costs the answer, also where the step was never carried out. The journal has one line for all steps.
func sshKills() []*killer {
	all := []*killer{{kind: beforeSend, k: 1, at: "remote"}, {kind: tornAnswer, k: 1, at: "remote"}, {kind: afterAnswer, k: 1, at: "remote"}}
	for step := 1; step <= stepsOverSSH; step++ {
		all = append(all, &killer{kind: beforeSend, step: step}, &killer{kind: afterSend, step: step, done: true}, &killer{kind: answerLost, step: step}, &killer{kind: answerLost, step: step, done: true})
	}
	return all
}

// killsOverSSH are the cases of the delivery over SSH.
func killsOverSSH(t *testing.T, counts *killCounts) {
	g := certificateOverSSH()
	st := g.site(t, sandbox.Options{})
	calm := &killer{st: st}
	r, _ := calm.run(t, g.apply(st)...)
	r.want(t, exitPerson)
	want := g.end(t, st)
	if calm.steps != stepsOverSSH {
		t.Fatalf("%d steps over SSH", calm.steps)
	}
	for i, k := range sshKills() {
		begun := func(t *testing.T) (*site, string) {
			t.Helper()
			st := g.site(t, sandbox.Options{})
			before := g.end(t, st)
			victim := &killer{st: st, kind: k.kind, k: k.k, at: k.at, step: k.step, done: k.done}
			if r, dead := victim.run(t, g.apply(st)...); !dead {
				t.Fatalf("it was not killed\n%s", r.err)
			}
			return st, before
		}
		counts.plan(1)
		t.Run(fmt.Sprintf("%s, %v, way %d", g.name, k.kind, i), func(t *testing.T) {
			t.Parallel()
			defer func() { counts.ran(g.name, k.kind, t.Failed()) }()
			st, before := begun(t)
			g.resumed(t, st, want)
			g.endsWell(t, st, before, want)
		})
		if k.kind != afterSend {
			continue
		}
		counts.plan(1)
		t.Run(fmt.Sprintf("%s, %v, way %d, taken back at once", g.name, k.kind, i), func(t *testing.T) {
			t.Parallel()
			defer func() { counts.ran(g.name, takenBack, t.Failed()) }()
			st, before := begun(t)
			g.takesBack(t, st, before)
		})
	}
}

// TestAnUndoOverSSHIsKilled before the certificate is taken out, behind that, and without its answer.
func TestAnUndoOverSSHIsKilled(t *testing.T) {
	t.Parallel()
	g := certificateOverSSH()
	for _, k := range []*killer{{kind: beforeSend, step: 1}, {kind: afterSend, step: 1, done: true}, {kind: answerLost, step: 1, done: true}, {kind: tornAnswer, k: 1, at: "remote"}} {
		t.Run(fmt.Sprint(k.kind), func(t *testing.T) {
			t.Parallel()
			st := g.site(t, sandbox.Options{})
			before := g.end(t, st)
			g.whole(t, st)
			victim := &killer{st: st, kind: k.kind, k: k.k, at: k.at, step: k.step, done: k.done}
			if r, dead := victim.run(t, "undo", "--yes", "--done", notTrust); !dead {
				t.Fatalf("it was not killed\n%s", r.err)
			}
			g.takesBack(t, st, before)
		})
	}
}
