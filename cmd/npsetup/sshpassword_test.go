package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"npsetup/client/remote"
	"npsetup/client/sandbox/openssh"
	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

// typist is a face at which passwords are typed.
type typist struct {
	asker
	typed []string
	asked int
}

func (f *typist) Secret(context.Context, string, string) (secret.Secret, error) {
	f.asked++
	if f.asked > len(f.typed) {
		return secret.Secret{}, errors.New("asked too often")
	}
	return secret.New(f.typed[f.asked-1]), nil
}

// takesPasswords is an SSH server that takes one password and does nothing.
func takesPasswords(t *testing.T, password string) (address, hostKey string) {
	t.Helper()
	s := &openssh.Server{Dir: t.TempDir(), Password: password, Keys: []ssh.Signer{hostKeyOf(t)}, Tool: func(context.Context, string) (string, uint32) { return "", 0 }}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s.Address, ssh.FingerprintSHA256(s.Keys[0].PublicKey())
}

func hostKeyOf(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestATypedPasswordForSSHIsAskedForOnce, as soon as it is right: a mistyped one is not kept, and it goes to no other user.
func TestATypedPasswordForSSHIsAskedForOnce(t *testing.T) {
	address, hostKey := takesPasswords(t, "right-password")
	face := &typist{typed: []string{"mistyped-one", "right-password", "for-another-user"}}
	l := &link{app: &app{terminal: true, face: face, now: timeNow, scrub: &secret.Scrubber{}}, talk: &bytes.Buffer{}, state: t.TempDir(), yes: true}
	g, _ := l.guide("auditor")
	a := steps.NewAnswers(g, map[string]string{"nps.ssh.address": address, "nps.ssh.user": "svradmin", "nps.ssh.hostKey": hostKey, "nps.ssh.password": "prompt"}, t.TempDir())
	as := func(user string) error {
		return l.onMachine(t.Context(), a, plan.Remote{Host: address, User: user, HostKey: hostKey}, func(*remote.Machine) error { return nil })
	}
	if err := as("svradmin"); err == nil || !strings.Contains(err.Error(), "refused svradmin") || strings.Contains(err.Error(), "authorized_keys") {
		t.Fatalf("%v", err)
	}
	for range 3 {
		if err := as("svradmin"); err != nil {
			t.Fatal(err)
		}
	}
	if face.asked != 2 {
		t.Errorf("asked %d times", face.asked)
	}
	if err := as("another"); err == nil || face.asked != 3 {
		t.Errorf("%v, asked %d times", err, face.asked)
	}
}
