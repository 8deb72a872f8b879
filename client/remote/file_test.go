package remote

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/steps/problem"
)

// der stands for a certificate: every byte there is, and more of them than one packet carries.
var der = bytes.Repeat(func() (all []byte) {
	for b := range 256 {
		all = append(all, byte(b))
	}
	return all
}(), 300)

var (
	carrier = "npsetup-" + thumbprintOf(der) + ".cer"
	adding  = "certutil -f -addstore Root " + carrier
)

// reads has a tool see that the file is there, exactly, before it does what it does.
func (s *server) reads(then tool) {
	s.Tool = func(ctx context.Context, command string) (string, uint32) {
		raw, err := os.ReadFile(filepath.Join(s.Dir, carrier))
		if err != nil || !bytes.Equal(raw, der) {
			s.t.Errorf("the file has %d bytes of %d, or others: %v", len(raw), len(der), err)
		}
		return then(ctx, command)
	}
}

func TestAdd(t *testing.T) {
	for what, prepare := range map[string]func(path string){
		"first":              func(string) {},
		"after a killed run": func(path string) { write(t, path, strings.Repeat("longer", len(der)), 0o600) },
		"an empty folder":    func(path string) { must(t, os.Mkdir(path, 0o700)) },
	} {
		s := newServer(t)
		prepare(filepath.Join(s.Dir, carrier))
		s.reads(says("", 0))
		if err := s.open().Add(t.Context(), der); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		s.wantRan(adding)
		if n := s.Signed(); n != 1 {
			t.Errorf("%s: %d signed in", what, n)
		}
	}
}

// TestClear takes away what a killed run left, and only that.
func TestClear(t *testing.T) {
	s := newServer(t)
	other := filepath.Join(s.Dir, "npsetup-"+thumbprint+".cer")
	write(t, filepath.Join(s.Dir, carrier), "left", 0o600)
	write(t, other, "of another one", 0o600)
	m := s.open()
	for range 2 { // the second time it is not there
		must(t, m.Clear(t.Context(), thumbprintOf(der)))
	}
	if _, err := os.Stat(filepath.Join(s.Dir, carrier)); err == nil {
		t.Error("it is still there")
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
	if err := m.Clear(t.Context(), "../../x"); err == nil || !strings.Contains(err.Error(), "no thumbprint") {
		t.Errorf("%v", err)
	}
	must(t, os.Remove(other))
	s.wantRan()
}

func TestAToolThatFailsLeavesNoFile(t *testing.T) {
	s := newServer(t)
	s.reads(says("\x1b[31mCertUtil: 0x80070005 denied", 5))
	wantProblem(t, s.open().Add(t.Context(), der), problem.Failed, adding+" ended with 5", "[31mCertUtil: 0x80070005 denied", "administrator")
	s.wantRan(adding)
}

func TestACancelLeavesNoFile(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.reads(func(session context.Context, _ string) (string, uint32) {
		cancel()
		<-session.Done()
		return "", 0
	})
	wantProblem(t, s.open().Add(ctx, der), problem.Cancelled, "ended during "+adding)
	s.wantRan(adding)
}

func TestAConnectionThatIsCutLeavesNoFile(t *testing.T) {
	s := newServer(t)
	s.reads(func(context.Context, string) (string, uint32) { s.Cut(); return "", 0 })
	err := s.open().Add(t.Context(), der)
	wantProblem(t, err, problem.AnswerLost, "ended during "+adding)
	if n := s.Signed(); strings.Contains(err.Error(), "may still lie") || n != 2 {
		t.Errorf("%d signed in: %v", n, err)
	}
	s.wantRan(adding)
}

// TestAFileThatStaysIsNamed, and nobody signs in to another machine for its sake.
func TestAFileThatStaysIsNamed(t *testing.T) {
	for what, c := range map[string]struct {
		then   func(s *server)
		kind   problem.Kind
		says   string
		signed int
	}{
		"no second connection": {(*server).Shut, problem.AnswerLost, "may still lie on 127.0.0.1:", 1},
		"another machine now":  {func(s *server) { s.Become(signer(t, "ed25519")); s.Cut() }, problem.AnswerLost, "may still lie on 127.0.0.1:", 1},
		"it is held":           {func(s *server) { s.Locked.Store(true) }, problem.Failed, "cannot be handled", 2},
	} {
		s := newServer(t)
		s.reads(func(context.Context, string) (string, uint32) { c.then(s); return "", 0 })
		err := s.open().Add(t.Context(), der)
		wantProblem(t, err, c.kind, c.says)
		if all := problem.All(err); !strings.Contains(all[len(all)-1].Error(), carrier) {
			t.Errorf("%s: the file is not named: %v", what, err)
		}
		if n := s.Signed(); n != c.signed {
			t.Errorf("%s: %d signed in", what, n)
		}
		must(t, os.Remove(filepath.Join(s.Dir, carrier)))
		s.wantRan(adding)
	}
}

// TestAFileThatCannotBeWritten runs nothing.
func TestAFileThatCannotBeWritten(t *testing.T) {
	s := newServer(t)
	s.NoFiles = true
	wantProblem(t, s.open().Add(t.Context(), der), problem.Failed, "no files can be carried to 127.0.0.1:", "does not offer SFTP", "Subsystem sftp sftp-server.exe")
	s.wantRan()

	s = newServer(t)
	s.Locked.Store(true)
	wantProblem(t, s.open().Add(t.Context(), der), problem.Failed, carrier, "cannot be handled on 127.0.0.1:", "may write into its own folder")
	s.wantRan()

	s = newServer(t)
	in := filepath.Join(s.Dir, carrier)
	must(t, os.Mkdir(in, 0o700))
	write(t, filepath.Join(in, "somebody's"), "", 0o600)
	wantProblem(t, s.open().Add(t.Context(), der), problem.Failed, carrier, "cannot be handled on 127.0.0.1:")
	must(t, os.RemoveAll(in))
	s.wantRan()
}

// hole is a connection over which, from some moment on, nothing arrives any longer, and which does not end.
type hole struct {
	net.Conn
	dug   <-chan struct{}
	ended chan struct{}
	once  sync.Once
}

func (h *hole) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	select {
	case <-h.dug:
		<-h.ended
		return 0, net.ErrClosed
	default:
		return n, err
	}
}

func (h *hole) Write(p []byte) (int, error) {
	select {
	case <-h.dug:
		return len(p), nil
	default:
		return h.Conn.Write(p)
	}
}

func (h *hole) Close() error {
	h.once.Do(func() { close(h.ended) })
	return h.Conn.Close()
}

// TestAHoleInTheNetwork: a person who leaves does not wait for an answer that never comes, and the file goes over a second
// connection.
func TestAHoleInTheNetwork(t *testing.T) {
	s := newServer(t)
	dug := make(chan struct{})
	target := s.target()
	target.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		select {
		case <-dug:
			return conn, err
		default:
			return &hole{Conn: conn, dug: dug, ended: make(chan struct{})}, err
		}
	}
	m := s.openAs(target)
	ctx, cancel := context.WithCancel(t.Context())
	s.reads(func(session context.Context, _ string) (string, uint32) {
		close(dug)
		cancel()
		<-session.Done()
		return "", 0
	})
	start := time.Now()
	wantProblem(t, m.Add(ctx, der), problem.Cancelled, "ended during "+adding)
	if took := time.Since(start); took > 15*time.Second {
		t.Errorf("it took %s", took)
	}
	s.wantRan(adding)
}

// TestAConnectionThatEndedBefore: the server is not said to be without SFTP, and nothing runs.
func TestAConnectionThatEndedBefore(t *testing.T) {
	s := newServer(t)
	m := s.open()
	s.Cut()
	<-m.ended
	wantProblem(t, m.Add(t.Context(), der), problem.AnswerLost, "ended during copying "+carrier)
	s.wantRan()
}
