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
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

const (
	password = "S3CR3T of the server"
	noStatus = 1<<32 - 1 // a tool that ends with this number ends without any
)

// tool stands for certutil. Its context ends with the session it runs in.
type tool func(ctx context.Context, command string) (said string, code uint32)

// server is an SSH server of a test, with a folder for files. Whatever ran there is looked at when the test ends.
type server struct {
	t       *testing.T
	address string
	dir     string
	tool    tool
	letsIn  ssh.PublicKey // beside the password
	stalls  bool          // at the sign-in
	noFiles bool
	onErr   bool        // the tool speaks on the second stream
	locked  atomic.Bool // files can be neither written nor removed
	mute    atomic.Bool // after the sign-in, nothing is answered any longer

	over     context.Context
	listener net.Listener
	mu       sync.Mutex
	keys     []ssh.Signer
	ran      []string
	tries    int // of signing in, by any method
	signed   int // in
	live     []net.Conn
}

func newServer(t *testing.T, keys ...ssh.Signer) *server {
	t.Helper()
	if len(keys) == 0 {
		keys = []ssh.Signer{signer(t, "ed25519")}
	}
	s := &server{t: t, dir: t.TempDir(), keys: keys, tool: says("", 0)}
	var done sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	s.over, s.listener = ctx, listen(t)
	s.address = s.listener.Addr().String()
	t.Cleanup(func() {
		cancel()
		s.shut()
		done.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.ran {
			if !closed.MatchString(c) {
				t.Errorf("it ran %q", c)
			}
		}
	})
	done.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.live = append(s.live, conn)
			s.mu.Unlock()
			if ctx.Err() != nil {
				_ = conn.Close()
			}
			done.Go(func() { s.serve(conn) })
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

func (s *server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	config := &ssh.ServerConfig{
		AuthLogCallback: func(ssh.ConnMetadata, string, error) { s.count(&s.tries) },
		PasswordCallback: func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if s.stalls {
				<-s.over.Done()
			}
			if string(given) != password {
				return nil, errors.New("no")
			}
			return nil, nil
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.letsIn == nil || string(key.Marshal()) != string(s.letsIn.Marshal()) {
				return nil, errors.New("no")
			}
			return nil, nil
		},
	}
	s.mu.Lock()
	for _, k := range s.keys {
		config.AddHostKey(k)
	}
	s.mu.Unlock()
	_, chans, reqs, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	s.count(&s.signed)
	go ssh.DiscardRequests(reqs)
	for c := range chans {
		if s.mute.Load() {
			continue
		}
		if ch, reqs, err := c.Accept(); err == nil {
			go s.channel(ch, reqs)
		}
	}
}

func (s *server) channel(ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer func() { _ = ch.Close() }()
	for r := range reqs {
		switch {
		case r.Type == "subsystem" && !s.noFiles:
			_ = r.Reply(true, nil)
			options := []sftp.ServerOption{sftp.WithServerWorkingDirectory(s.dir)}
			if s.locked.Load() {
				options = append(options, sftp.ReadOnly())
			}
			if files, err := sftp.NewServer(ch, options...); err == nil {
				_ = files.Serve()
			}
			return
		case r.Type == "exec":
			_ = r.Reply(true, nil)
			s.exec(ch, reqs, r.Payload)
			return
		default:
			_ = r.Reply(false, nil)
		}
	}
}

func (s *server) exec(ch ssh.Channel, reqs <-chan *ssh.Request, payload []byte) {
	var asked struct{ Command string }
	_ = ssh.Unmarshal(payload, &asked)
	s.mu.Lock()
	s.ran = append(s.ran, asked.Command)
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(s.over)
	go func() {
		ssh.DiscardRequests(reqs) // until the session ends
		cancel()
	}()
	said, code := s.tool(ctx, asked.Command)
	out := io.Writer(ch)
	if s.onErr {
		out = ch.Stderr()
	}
	_, _ = io.WriteString(out, said)
	if code != noStatus {
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
	}
}

func (s *server) count(what *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what++
}

// told gives a number that the server counts.
func (s *server) told(what *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *what
}

// cut ends all connections.
func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.live {
		_ = c.Close()
	}
	s.live = nil
}

// shut ends all connections, and there will be no others.
func (s *server) shut() {
	_ = s.listener.Close()
	s.cut()
}

// becomes puts another host key in place.
func (s *server) becomes(key ssh.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = []ssh.Signer{key}
}

func (s *server) target() Target {
	return Target{Address: s.address, User: "admin", HostKey: printOf(s.keys[0]), Password: secret.New(password)}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.ran, commands) {
		s.t.Errorf("it ran %q, not %q", s.ran, commands)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "*")); len(left) > 0 {
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
