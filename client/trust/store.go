package trust

import (
	"context"
	"crypto/sha1" //nolint:gosec // Windows' thumbprint: for finding, not for trusting
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"

	"npsetup/steps/problem"
)

// Machine is an operating system as a Store sees it. The zero value is this one, as this process may use it.
type Machine struct {
	GOOS     string      // empty: runtime.GOOS
	Root     string      // the folder that stands for /; empty: /. Windows has none
	Run      Tool        // nil: the program is started
	Elevated func() bool // whether machine-wide trust may be changed; nil: the operating system is asked
}

// Tool runs a program by its absolute path and gives its standard output. A program that fails is an error with what it
// said.
type Tool func(ctx context.Context, program string, args ...string) ([]byte, error)

// Store is the operating system's store of trusted root certificates, the one that counts for every user of the machine.
type Store struct {
	sys      system
	elevated func() bool
}

// system is how one family of operating systems keeps trusted roots.
type system interface {
	name() string
	needs() string                                      // the privilege
	does(c *x509.Certificate, remove bool) []string     // what add and take come to, for people
	each(ctx context.Context, f func(der []byte)) error // everything that is trusted
	own(f func(der []byte)) error                       // what npsetup put there, whether or not it has come into force
	holder(c *x509.Certificate) string                  // who else holds it, as far as that can be told
	add(ctx context.Context, c *x509.Certificate) error
	take(ctx context.Context, c *x509.Certificate) error
	takesAny() bool // whether it can also take what npsetup did not put there
}

// Standing is how a certificate stands in a store.
type Standing struct {
	Trusted bool   // programs of this machine trust it
	Ours    bool   // npsetup put it there
	Holder  string // who else did, such as a file; empty when that is not known
}

// OpenStore finds out which operating system this is. It changes nothing. The error is a problem: a family that npsetup does
// not know, or a tool that is missing.
func OpenStore(m Machine) (*Store, error) {
	if m.GOOS == "" {
		m.GOOS = runtime.GOOS
	}
	if m.Root == "" {
		m.Root = "/"
	}
	if m.Run == nil {
		m.Run = runTool
	}
	if m.Elevated == nil {
		m.Elevated = elevated
	}
	var sys system
	var err error
	switch m.GOOS {
	case "linux":
		sys, err = linuxStore(m)
	case "darwin":
		sys, err = macStore(m)
	case "windows":
		sys, err = windowsStore()
	default:
		err = unknownSystem(m.GOOS)
	}
	if err != nil {
		return nil, err
	}
	return &Store{sys: sys, elevated: m.Elevated}, nil
}

// Name is what the operating system calls the store, such as LocalMachine\Root or a folder.
func (s *Store) Name() string { return s.sys.name() }

// Needs is the privilege that a change takes, in words.
func (s *Store) Needs() string { return s.sys.needs() }

// Does says what putting a certificate in, or taking it out, comes to: each file and each program with its arguments.
func (s *Store) Does(c *x509.Certificate, remove bool) []string { return s.sys.does(c, remove) }

// TakesAny says whether Remove can also take what npsetup did not put there. Where the store is made of files it cannot: a
// file that somebody else made is not touched.
func (s *Store) TakesAny() bool { return s.sys.takesAny() }

// Find tells how exactly this certificate, by its SHA-256, stands in the store. It needs no privilege.
func (s *Store) Find(ctx context.Context, c *x509.Certificate) (Standing, error) {
	var out Standing
	same := func(hit *bool) func([]byte) {
		return func(der []byte) { *hit = *hit || sha256.Sum256(der) == sha256.Sum256(c.Raw) }
	}
	if err := s.sys.each(ctx, same(&out.Trusted)); err != nil {
		return out, s.unreadable(err)
	}
	if err := s.sys.own(same(&out.Ours)); err != nil {
		return out, s.unreadable(err)
	}
	if out.Trusted && !out.Ours {
		out.Holder = s.sys.holder(c)
	}
	return out, nil
}

// ByThumbprint finds a certificate in the store by the hex digits of its SHA-1 or SHA-256. Nil: none has it, or none that can
// be parsed.
func (s *Store) ByThumbprint(ctx context.Context, digits string) (*x509.Certificate, error) {
	var found *x509.Certificate
	look := func(der []byte) {
		if found == nil && hasThumbprint(der, digits) {
			found, _ = x509.ParseCertificate(der)
		}
	}
	if err := s.sys.own(look); err != nil || found != nil {
		return found, s.unreadable(err)
	}
	err := s.sys.each(ctx, look)
	return found, s.unreadable(err)
}

func hasThumbprint(der []byte, digits string) bool {
	s1, s256 := sha1.Sum(der), sha256.Sum256(der) //nolint:gosec // see above
	return strings.EqualFold(digits, hex.EncodeToString(s1[:])) || strings.EqualFold(digits, hex.EncodeToString(s256[:]))
}

// Thumbprint reads a SHA-1 or SHA-256 thumbprint as people copy it: 40 or 64 hex digits, in which colons, blanks, hidden marks
// and upper case are tolerated. Not ok for anything else.
func Thumbprint(text string) (digits string, ok bool) {
	digits, err := hexDigits(text)
	return digits, err == nil && (len(digits) == 40 || len(digits) == 64)
}

// Allowed is nil when this process may change the store. Otherwise it is a problem whose next step is the command line that
// may: npsetup starts neither sudo nor a window of Windows' own.
func (s *Store) Allowed(command []string) error {
	if s.elevated() {
		return nil
	}
	return s.forbidden(command)
}

func (s *Store) forbidden(command []string) *problem.Problem {
	p := problem.New("this process may not change " + problem.Plain(s.Name())).Because("that takes " + s.Needs() + ", and npsetup does not raise its own rights")
	line := problem.Plain(strings.Join(command, " "))
	if _, is := s.sys.(sudoer); is {
		return p.Try("run it with these rights: sudo " + line)
	}
	return p.Try("open a terminal with “Run as administrator”, and run there: " + line)
}

// sudoer is a system on which sudo gives the rights.
type sudoer interface{ sudo() }

// Install makes the machine trust a certificate. What is trusted already stays as it is. The error is a problem; what was begun
// is taken back as far as that can be done.
func (s *Store) Install(ctx context.Context, c *x509.Certificate) error {
	is, err := s.Find(ctx, c)
	if err != nil || is.Trusted {
		return err
	}
	return s.changed("put "+subject(c)+" into", s.sys.add(context.WithoutCancel(ctx), c))
}

// Remove ends the trust in a certificate that npsetup put there, and, with any, in one that somebody else did. What is not there
// needs no removal. begun says that an earlier removal was cut off, whose trace is not needed any more to know that it was ours.
func (s *Store) Remove(ctx context.Context, c *x509.Certificate, any, begun bool) error {
	is, err := s.Find(ctx, c)
	switch {
	case err != nil:
		return err
	case !is.Trusted && !is.Ours:
		return nil
	case !is.Ours && !begun && (!any || !s.TakesAny()):
		return s.NotOurs(c, is)
	}
	return s.changed("take "+subject(c)+" out of", s.sys.take(context.WithoutCancel(ctx), c))
}

// NotOurs is the problem of a certificate that somebody else put into the store.
func (s *Store) NotOurs(c *x509.Certificate, is Standing) error {
	p := problem.New(subject(c) + " was not put there by npsetup, and stays").Because("npsetup takes out what it put in itself")
	if is.Holder != "" {
		p.Because(p.Why + "; this one is held by " + is.Holder)
	}
	if s.TakesAny() {
		return p.Try("if it is to go all the same, add --not-ours")
	}
	return p.Try("if it is to go all the same, remove it by the means with which it came")
}

// changed words a failed change.
func (s *Store) changed(doing string, err error) error {
	var known *problem.Problem
	switch {
	case err == nil:
		return nil
	case errors.As(err, &known):
		return err
	case errors.Is(err, fs.ErrPermission):
		return problem.New("npsetup cannot " + doing + " " + problem.Plain(s.Name())).Because("that takes " + s.Needs()).Try("run the same command with these rights").From(err)
	}
	return problem.New("npsetup cannot " + doing + " " + problem.Plain(s.Name())).Because(problem.Plain(err.Error())).
		Try("mend that, then run the same command again: it looks what is there").From(err)
}

func (s *Store) unreadable(err error) error {
	if err == nil {
		return nil
	}
	return problem.New("the store " + problem.Plain(s.Name()) + " cannot be read").Because(problem.Plain(err.Error())).Try("mend its permissions").From(err)
}

func unknownSystem(what string) error {
	return problem.New("npsetup does not know how "+problem.Plain(what)+" keeps trusted certificates").Because("it knows Debian and Red Hat with their kin, macOS and Windows").
		Try("put the certificate there by the system's own means", "or trust exactly the server's certificate, for npsetup alone: npsetup trust show URL prints the line").Of(problem.Usage)
}

func subject(c *x509.Certificate) string { return orNone(Describe(c).Subject) }

// anchorFile is the name of a file that npsetup makes: by it, it knows its own.
func anchorFile(c *x509.Certificate) string { return filePrefix + Describe(c).SHA1 + ".crt" }

const filePrefix = "npsetup-"

// ownFile says whether a file name is one of those that npsetup gives.
func ownFile(name string) bool {
	digits, prefixed := strings.CutPrefix(strings.TrimSuffix(name, ".crt"), filePrefix)
	return prefixed && strings.HasSuffix(name, ".crt") && len(digits) == 40 && strings.Trim(digits, "0123456789abcdef") == ""
}

func (m Machine) path(parts ...string) string {
	return filepath.Join(append([]string{m.Root}, parts...)...)
}
