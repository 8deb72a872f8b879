package remote

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // as Windows does
	"encoding/hex"
	"errors"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"npsetup/client/sandbox/openssh"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const password = "S3CR3T of the server"

const noStatus = openssh.NoStatus

type tool = openssh.Tool

// server is the stand-in of a test. Whatever ran there is looked at when the test ends.
type server struct {
	*openssh.Server
	t *testing.T
}

func newServer(t *testing.T, keys ...ssh.Signer) *server {
	t.Helper()
	if len(keys) == 0 {
		keys = []ssh.Signer{signer(t, "ed25519")}
	}
	s := &server{&openssh.Server{Dir: t.TempDir(), Password: password, Keys: keys, Tool: says("", 0)}, t}
	must(t, s.Start())
	t.Cleanup(func() {
		s.Close()
		for _, c := range s.Ran() {
			if !closed.MatchString(c) {
				t.Errorf("it ran %q", c)
			}
		}
	})
	return s
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func says(said string, code uint32) tool {
	return func(context.Context, string) (string, uint32) { return said, code }
}

func (s *server) target() Target {
	return Target{Address: s.Address, User: "admin", HostKey: printOf(s.Keys[0]), Password: secret.New(password)}
}

func (s *server) open() *Machine {
	s.t.Helper()
	return s.openAs(s.target())
}

func (s *server) openAs(t Target) *Machine {
	s.t.Helper()
	m, err := Open(s.t.Context(), t)
	must(s.t, err)
	s.t.Cleanup(func() { _ = m.Close() })
	return m
}

// wantRan insists on what ran, and that no file was left behind.
func (s *server) wantRan(commands ...string) {
	s.t.Helper()
	if ran := s.Ran(); !slices.Equal(ran, commands) {
		s.t.Errorf("it ran %q, not %q", ran, commands)
	}
	if left, _ := filepath.Glob(filepath.Join(s.Dir, "*")); len(left) > 0 {
		s.t.Errorf("left behind: %v", left)
	}
}

var closed = regexp.MustCompile(`^certutil (-store Root|-delstore Root) [0-9a-f]{40}$|^certutil -f -addstore Root npsetup-[0-9a-f]{40}\.cer$`)

func signer(t *testing.T, kind string) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(private(t, kind))
	must(t, err)
	return s
}

func private(t *testing.T, kind string) (key any) {
	t.Helper()
	var err error
	switch kind {
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	case "ecdsa":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	must(t, err)
	return key
}

func printOf(key ssh.Signer) string { return ssh.FingerprintSHA256(key.PublicKey()) }

func thumbprintOf(der []byte) string {
	sum := sha1.Sum(der) //nolint:gosec // as Windows does
	return hex.EncodeToString(sum[:])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
	must(t, os.Chmod(path, mode))
}

// wantProblem insists on problems that a person can act on, that say everything in says, and that show neither a secret nor
// anything that a terminal would obey. The kind is that of all together.
func wantProblem(t *testing.T, err error, kind problem.Kind, says ...string) {
	t.Helper()
	var p *problem.Problem
	if !errors.As(err, &p) {
		t.Fatalf("no problem: %v", err)
	}
	var all string
	told := map[string]bool{}
	for _, p := range problem.All(err) {
		if len(p.Next) == 0 || told[p.Error()] {
			t.Errorf("no next step, or told twice: %v", p)
		}
		told[p.Error()] = true
		all += p.Error() + " " + strings.Join(p.Next, " ") + " "
	}
	if got := problem.KindOf(err); got != kind {
		t.Errorf("kind %d, not %d: %.300s", got, kind, all)
	}
	if strings.Contains(all, "S3CR3T") || problem.Plain(all) != all || len(all) > spoken+1000 {
		t.Errorf("not fit to be shown: %.300q", all)
	}
	for _, s := range says {
		if !strings.Contains(all, s) {
			t.Errorf("%q is missing in\n%.1000s", s, all)
		}
	}
}
