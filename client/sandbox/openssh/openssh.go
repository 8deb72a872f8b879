// Package openssh stands in for a Windows server that is changed over SSH: OpenSSH with a folder for files, and whatever plays certutil. It
// is for tests, shares no code with the client, and judges nothing: a test looks at what ran there.
package openssh

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// NoStatus is the number of a tool that ends without any.
const NoStatus = 1<<32 - 1

// Tool stands for certutil. Its context ends with the session it runs in.
type Tool func(ctx context.Context, command string) (said string, code uint32)

// Server is the stand-in. What is set before Start is not changed while it runs.
type Server struct {
	Address  string // host:port, from Start on
	Dir      string // where its files are
	Password string
	LetsIn   ssh.PublicKey // beside the password
	Keys     []ssh.Signer  // host keys
	Tool     Tool
	Stalls   bool        // at the sign-in
	NoFiles  bool        // there is no SFTP
	OnErr    bool        // the tool speaks on the second stream
	Locked   atomic.Bool // files can be neither written nor removed
	Mute     atomic.Bool // after the sign-in, nothing is answered any longer

	// Meddle is told of each step that changes something, "put NAME", "remove NAME" or a command, before it is carried out and behind that, and may
	// cut the connection then. One that is cut before is not carried out; nil: nobody meddles.
	Meddle func(step string, done bool) (cut bool)

	over     context.Context
	end      context.CancelFunc
	listener net.Listener
	working  sync.WaitGroup
	mu       sync.Mutex
	ran      []string
	tries    int
	signed   int
	live     []net.Conn
}

// Start listens on loopback until Close.
func (s *Server) Start() (err error) {
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	s.Address = s.listener.Addr().String()
	s.over, s.end = context.WithCancel(context.Background())
	s.working.Go(func() {
		for {
			conn, err := s.listener.Accept()
			if err != nil {
				return
			}
			s.mu.Lock()
			s.live = append(s.live, conn)
			s.mu.Unlock()
			if s.over.Err() != nil {
				_ = conn.Close()
			}
			s.working.Go(func() { s.serve(conn) })
		}
	})
	return nil
}

// Close ends everything, and waits for it.
func (s *Server) Close() {
	s.end()
	s.Shut()
	s.working.Wait()
}

// Cut ends all connections.
func (s *Server) Cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.live {
		_ = c.Close()
	}
	s.live = nil
}

// Shut ends all connections, and there will be no others.
func (s *Server) Shut() {
	_ = s.listener.Close()
	s.Cut()
}

// Become puts another host key in place.
func (s *Server) Become(key ssh.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Keys = []ssh.Signer{key}
}

// Ran lists the commands that were run.
func (s *Server) Ran() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.ran...)
}

// Tries counts the methods by which somebody tried to sign in; Signed, who succeeded.
func (s *Server) Tries() int { return s.told(&s.tries) }

// Signed: see Tries.
func (s *Server) Signed() int { return s.told(&s.signed) }

func (s *Server) told(what *int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *what
}

func (s *Server) count(what *int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*what++
}

func (s *Server) config() *ssh.ServerConfig {
	config := &ssh.ServerConfig{
		AuthLogCallback: func(ssh.ConnMetadata, string, error) { s.count(&s.tries) },
		PasswordCallback: func(_ ssh.ConnMetadata, given []byte) (*ssh.Permissions, error) {
			if s.Stalls {
				<-s.over.Done()
			}
			if string(given) != s.Password {
				return nil, errors.New("no")
			}
			return nil, nil
		},
		PublicKeyCallback: func(_ ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
			if s.LetsIn == nil || string(key.Marshal()) != string(s.LetsIn.Marshal()) {
				return nil, errors.New("no")
			}
			return nil, nil
		},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range s.Keys {
		config.AddHostKey(k)
	}
	return config
}

func (s *Server) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	_, chans, reqs, err := ssh.NewServerConn(conn, s.config())
	if err != nil {
		return
	}
	s.count(&s.signed)
	s.working.Go(func() { ssh.DiscardRequests(reqs) })
	for c := range chans {
		if s.Mute.Load() {
			continue
		}
		if ch, reqs, err := c.Accept(); err == nil {
			s.working.Go(func() { s.channel(conn, ch, reqs) })
		}
	}
}

func (s *Server) channel(conn net.Conn, ch ssh.Channel, reqs <-chan *ssh.Request) {
	defer func() { _ = ch.Close() }()
	for r := range reqs {
		switch {
		case r.Type == "subsystem" && !s.NoFiles:
			_ = r.Reply(true, nil)
			f := folder{s, conn}
			_ = sftp.NewRequestServer(ch, sftp.Handlers{FileGet: f, FilePut: f, FileCmd: f, FileList: f}).Serve()
			return
		case r.Type == "exec":
			_ = r.Reply(true, nil)
			s.exec(conn, ch, reqs, r.Payload)
			return
		default:
			_ = r.Reply(false, nil)
		}
	}
}

func (s *Server) exec(conn net.Conn, ch ssh.Channel, reqs <-chan *ssh.Request, payload []byte) {
	var asked struct{ Command string }
	_ = ssh.Unmarshal(payload, &asked)
	ctx, cancel := context.WithCancel(s.over)
	s.working.Go(func() {
		ssh.DiscardRequests(reqs) // until the session ends
		cancel()
	})
	if s.meddles(conn, asked.Command, false) {
		return
	}
	s.mu.Lock()
	s.ran = append(s.ran, asked.Command)
	s.mu.Unlock()
	said, code := s.Tool(ctx, asked.Command)
	if s.meddles(conn, asked.Command, true) {
		return
	}
	out := io.Writer(ch)
	if s.OnErr {
		out = ch.Stderr()
	}
	_, _ = io.WriteString(out, said)
	if code != NoStatus {
		_, _ = ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Code uint32 }{code}))
	}
}

// meddles says whether the connection was cut at a step.
func (s *Server) meddles(conn net.Conn, step string, done bool) bool {
	if s.Meddle == nil || !s.Meddle(step, done) {
		return false
	}
	_ = conn.Close()
	return true
}

// folder is the folder of files, over one connection.
type folder struct {
	s    *Server
	conn net.Conn
}

var errCut = errors.New("the connection was cut")

func (f folder) path(name string) string { return filepath.Join(f.s.Dir, filepath.Base(name)) }

// Filewrite implements sftp.FileWriter.
func (f folder) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	if f.s.Locked.Load() {
		return nil, denied(r.Method, filepath.Base(r.Filepath))
	}
	if f.s.meddles(f.conn, "put "+filepath.Base(r.Filepath), false) {
		return nil, errCut
	}
	flags := os.O_WRONLY | os.O_CREATE
	if r.Pflags().Excl {
		flags |= os.O_EXCL
	}
	file, err := os.OpenFile(f.path(r.Filepath), flags, 0o600)
	if err != nil {
		return nil, err
	}
	return &upload{file, f}, nil
}

// upload is a file that is being written.
type upload struct {
	*os.File
	in folder
}

// Close implements io.Closer: the file is there.
func (u *upload) Close() error {
	err := u.File.Close()
	if err == nil && u.in.s.meddles(u.in.conn, "put "+filepath.Base(u.Name()), true) {
		return errCut
	}
	return err
}

// Filecmd implements sftp.FileCmder: what there is can be removed, and nothing else.
func (f folder) Filecmd(r *sftp.Request) error {
	name := filepath.Base(r.Filepath)
	info, err := os.Lstat(f.path(name))
	switch {
	case r.Method != "Remove" && r.Method != "Rmdir":
		return sftp.ErrSSHFxOpUnsupported
	case err != nil:
		return err
	case f.s.Locked.Load():
		return denied(r.Method, name)
	case info.IsDir() != (r.Method == "Rmdir"):
		return &fs.PathError{Op: r.Method, Path: name, Err: errors.ErrUnsupported}
	case f.s.meddles(f.conn, "remove "+name, false):
		return errCut
	}
	err = os.Remove(f.path(name))
	if err == nil && f.s.meddles(f.conn, "remove "+name, true) {
		return errCut
	}
	return err
}

func denied(what, name string) error {
	return errors.New(what + " " + name + ": permission denied")
}

// Fileread implements sftp.FileReader: nothing is read.
func (folder) Fileread(*sftp.Request) (io.ReaderAt, error) { return nil, sftp.ErrSSHFxOpUnsupported }

// Filelist implements sftp.FileLister: a file is looked at, and nothing is listed.
func (f folder) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	if r.Method != "Stat" {
		return nil, sftp.ErrSSHFxOpUnsupported
	}
	info, err := os.Lstat(f.path(r.Filepath))
	return one{info}, err
}

type one struct{ fs.FileInfo }

// ListAt implements sftp.ListerAt.
func (o one) ListAt(list []fs.FileInfo, offset int64) (int, error) {
	if offset > 0 {
		return 0, io.EOF
	}
	return copy(list, []fs.FileInfo{o.FileInfo}), io.EOF
}
