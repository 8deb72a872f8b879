package remote

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // as Windows does
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// server is an SSH server of this test, with a folder for files and a function for certutil.
type server struct {
	t       *testing.T
	address string
	key     ssh.Signer
	dir     string
	tool    func(command string) (said string, code uint32)
	noFiles bool
	mute    bool // after the sign-in, nothing is answered any longer

	mu   sync.Mutex
	ran  []string
	auth int
}

func signer(t *testing.T) ssh.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const password = "S3CR3T of the server"

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, key: signer(t), dir: t.TempDir(), tool: func(string) (string, uint32) { return "", 0 }}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = l.Addr().String()
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

func (s *server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	config := &ssh.ServerConfig{PasswordCallback: func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
		s.mu.Lock()
		s.auth++
		s.mu.Unlock()
		if string(given) != password {
			return nil, errors.New("no")
		}
		return nil, nil
	}}
	config.AddHostKey(s.key)
	_, chans, reqs, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(reqs)
	for c := range chans {
		if s.mute {
			continue
		}
		ch, reqs, err := c.Accept()
		if err != nil {
			return
		}
		go s.channel(ch, reqs)
	}
}

func (s *server) channel(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer func() { _ = ch.Close() }()
	for r := range reqs {
		switch {
		case r.Type == "subsystem" && !s.noFiles:
			_ = r.Reply(true, nil)
			files, err := sftp.NewServer(ch, sftp.WithServerWorkingDirectory(s.dir))
			if err == nil {
				_ = files.Serve()
			}
			return
		case r.Type == "exec":
			_ = r.Reply(true, nil)
			var exec struct{ Command string }
			_ = ssh.Unmarshal(r.Payload, &exec)
			s.mu.Lock()
			s.ran = append(s.ran, exec.Command)
			s.mu.Unlock()
			said, code := s.tool(exec.Command)
			_, _ = io.WriteString(ch, said)
			_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
			return
		default:
			_ = r.Reply(false, nil)
		}
	}
}

func (s *server) target() Target {
	return Target{Address: s.address, User: "admin", HostKey: ssh.FingerprintSHA256(s.key.PublicKey()), Password: secret.New(password)}
}

func (s *server) open() *Machine {
	s.t.Helper()
	m, err := Open(s.t.Context(), s.target())
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = m.Close() })
	return m
}

// left are the files that lie on the server.
func (s *server) left() []string {
	found, _ := filepath.Glob(filepath.Join(s.dir, "*"))
	return found
}

var closed = regexp.MustCompile(`^certutil (-store Root|-delstore Root) [0-9a-f]{40}$|^certutil -f -addstore Root npsetup-[0-9a-f]{40}\.cer$`)

func (s *server) harmless() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.ran {
		if !closed.MatchString(c) {
			s.t.Errorf("it ran %q", c)
		}
	}
}

func TestACertificateIsCarriedAndItsFileRemoved(t *testing.T) {
	der := []byte("a certificate")
	sum := sha1.Sum(der) //nolint:gosec // as Windows does
	name := "npsetup-" + hex.EncodeToString(sum[:]) + ".cer"
	for what, tool := range map[string]func(string) (string, uint32){
		"taken": func(string) (string, uint32) { return "", 0 },
		"fails": func(string) (string, uint32) { return "\x1b[31mCertUtil: 0x80070005 denied", 5 },
	} {
		s := newServer(t)
		if err := os.WriteFile(filepath.Join(s.dir, name), []byte("of a killed run"), 0o600); err != nil {
			t.Fatal(err)
		}
		var carried string
		s.tool = func(c string) (string, uint32) {
			raw, _ := os.ReadFile(filepath.Join(s.dir, name))
			carried = string(raw)
			return tool(c)
		}
		err := s.open().Add(t.Context(), der)
		if (err == nil) != (what == "taken") || carried != string(der) || len(s.left()) > 0 {
			t.Errorf("%s: %v, carried %q, left %v", what, err, carried, s.left())
		}
		if err != nil && (strings.Contains(err.Error(), "\x1b") || !strings.Contains(strings.Join(problem.All(err)[0].Next, " "), "administrator")) {
			t.Errorf("%q", err)
		}
		s.harmless()
	}
}

func TestTrustedGoesByTheToolsWords(t *testing.T) {
	thumbprint := strings.Repeat("a1", 20)
	for said, c := range map[string]struct {
		code  uint32
		there bool
		fails bool
	}{
		"Cert Hash(sha1): " + thumbprint:                {0, true, false},
		"Cert Hash(sha1): " + strings.Repeat("a1 ", 20): {0, true, false},
		"nothing": {0, false, false},
		"FAILED: 0x80090011 (-2146893807 NTE_NOT_FOUND)":             {17, false, false},
		"FAILED: 0x80092004":                                         {4, false, false},
		"'certutil' is not recognized":                               {1, false, true},
		strings.Repeat("x", 1<<20) + "\x1b]0;t\x07 access is denied": {5, false, true},
	} {
		s := newServer(t)
		s.tool = func(string) (string, uint32) { return said, c.code }
		there, err := s.open().Trusted(t.Context(), thumbprint)
		if there != c.there || (err != nil) != c.fails || err != nil && (len(err.Error()) > 2*spoken || strings.Contains(err.Error(), "\x1b")) {
			t.Errorf("%.40q: %v %.80v", said, there, err)
		}
		s.harmless()
	}
	s := newServer(t)
	m := s.open()
	for _, evil := range []string{"", "a1", thumbprint + "; x", strings.ToUpper(thumbprint)} {
		if _, err := m.Trusted(t.Context(), evil); err == nil {
			t.Errorf("%q is asked for", evil)
		}
		if m.Remove(t.Context(), evil) == nil {
			t.Errorf("%q is taken out", evil)
		}
	}
	if len(s.ran) > 0 {
		t.Errorf("it ran %v", s.ran)
	}
}

func TestAnotherServerGetsNothing(t *testing.T) {
	s := newServer(t)
	target := s.target()
	target.HostKey = ssh.FingerprintSHA256(signer(t).PublicKey())
	_, err := Open(t.Context(), target)
	if !problem.Is(err, problem.Stale) || !strings.Contains(err.Error(), target.HostKey) || !strings.Contains(err.Error(), s.target().HostKey) || s.auth > 0 {
		t.Errorf("%v, %d sign-ins", err, s.auth)
	}
	target = s.target()
	target.Password = secret.New("S3CR3T wrong")
	if _, err = Open(t.Context(), target); err == nil || strings.Contains(err.Error(), "S3CR3T") || !strings.Contains(err.Error(), "the password is not taken there") {
		t.Error(err)
	}
	keys, err := HostKeys(t.Context(), Target{Address: s.address})
	if err != nil || len(keys) != 1 || keys[0].SHA256 != s.target().HostKey || Check(keys[0].SHA256) != nil {
		t.Errorf("%v %v", keys, err)
	}
}

func TestAServerWithoutFilesIsTold(t *testing.T) {
	s := newServer(t)
	s.noFiles = true
	if err := s.open().Add(t.Context(), []byte("x")); err == nil || !strings.Contains(err.Error(), "SFTP") || len(s.ran) > 0 {
		t.Errorf("%v, ran %v", err, s.ran)
	}
}

// TestASilentConnectionIsGivenUp: a person who leaves does not wait for a server that says nothing more.
func TestASilentConnectionIsGivenUp(t *testing.T) {
	s := newServer(t)
	m := s.open()
	s.mute = true
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	over := make(chan error, 1)
	go func() {
		_, err := m.Trusted(ctx, strings.Repeat("a1", 20))
		over <- err
	}()
	select {
	case err := <-over:
		if err == nil {
			t.Error("it says that all is well")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("it still waits")
	}
}
