package remote

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // Windows' thumbprint
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"npsetup/steps/problem"
)

// toolWithin is how long certutil may take.
const toolWithin = 60 * time.Second

// graceful is how long a session that was given up may take to end before its connection is ended.
const graceful = 2 * time.Second

// quotedAtMost is how many characters of it an error repeats.
const quotedAtMost = 600

// spoken is how much of what a tool says is read.
const spoken = 16 << 10

var thumbprintForm = regexp.MustCompile(`^[0-9a-f]{40}$`)

// Does lists what putting a certificate into Trusted Root comes to on the server.
func Does(thumbprint string) []string {
	return []string{
		"looks: " + lookFor(thumbprint),
		"copies the certificate to " + fileOf(thumbprint) + " in the user's folder",
		"runs " + add(thumbprint),
		"removes that file again, also when something fails, and looks again",
	}
}

// Undoes lists what taking it out comes to.
func Undoes(thumbprint string) []string { return []string{"runs " + take(thumbprint)} }

// The commands go through whatever shell the server has: they are fixed words and hex digits, which no shell reads otherwise.
func lookFor(thumbprint string) string { return "certutil -store Root " + thumbprint }
func add(thumbprint string) string     { return "certutil -f -addstore Root " + fileOf(thumbprint) }
func take(thumbprint string) string    { return "certutil -delstore Root " + thumbprint }
func fileOf(thumbprint string) string  { return "npsetup-" + thumbprint + ".cer" }

// absent are the numbers with which certutil says that a store does not have it.
var absent = regexp.MustCompile(`(?i)0x80090011|0x80092004|NTE_NOT_FOUND|CRYPT_E_NOT_FOUND`)

// Trusted says whether Trusted Root of the local machine has a certificate, by its thumbprint: SHA-1, lower-case hex.
func (m *Machine) Trusted(ctx context.Context, thumbprint string) (bool, error) {
	if !thumbprintForm.MatchString(thumbprint) {
		return false, noThumbprint(thumbprint)
	}
	said, code, err := m.run(ctx, lookFor(thumbprint))
	switch {
	case err != nil:
		return false, err
	case code == 0 && strings.Contains(digits(said), thumbprint):
		return true, nil
	case code == 0 || absent.MatchString(said):
		return false, nil
	}
	return false, failed(lookFor(thumbprint), code, said)
}

// digits keeps the hex digits of what certutil prints, which puts blanks between them in older versions.
func digits(said string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("0123456789abcdef", r) {
			return r
		}
		return -1
	}, strings.ToLower(strings.ReplaceAll(said, " ", "")))
}

// Add puts a certificate (DER) into Trusted Root of the local machine. The file that carries it is removed in any case.
func (m *Machine) Add(ctx context.Context, der []byte) (err error) {
	sum := sha1.Sum(der) //nolint:gosec // Windows' thumbprint
	thumbprint := hex.EncodeToString(sum[:])
	defer func() {
		if left := m.clear(context.WithoutCancel(ctx), fileOf(thumbprint)); left != nil && (err == nil || err.Error() != left.Error()) {
			err = errors.Join(err, left)
		}
	}()
	if err := m.upload(ctx, fileOf(thumbprint), der); err != nil {
		return err
	}
	return m.must(ctx, add(thumbprint))
}

// Remove takes a certificate out of Trusted Root of the local machine.
func (m *Machine) Remove(ctx context.Context, thumbprint string) error {
	if !thumbprintForm.MatchString(thumbprint) {
		return noThumbprint(thumbprint)
	}
	return m.must(ctx, take(thumbprint))
}

func noThumbprint(text string) error {
	return problem.New("no thumbprint: " + problem.Plain(text)).Because("that has 40 hex digits, lower case").Try("look at the plan anew")
}

func (m *Machine) must(ctx context.Context, command string) error {
	said, code, err := m.run(ctx, command)
	if err == nil && code != 0 {
		err = failed(command, code, said)
	}
	return err
}

func failed(command string, code int, said string) error {
	words := []rune(problem.Plain(strings.Join(strings.Fields(said), " ")))
	if len(words) > quotedAtMost {
		words = append(words[:quotedAtMost], '…')
	}
	p := problem.New(fmt.Sprintf("%s ended with %d", command, code)).Because(string(words))
	if strings.Contains(said, "0x80070005") || strings.Contains(strings.ToLower(said), "access is denied") {
		return p.Try("sign in with a user that is an administrator of that server: OpenSSH for Windows gives administrators their rights at once")
	}
	return p.Try("sign in there and run the same command: it says more", "or import the certificate by hand, and leave nps.ssh out")
}

// run runs one command and gives what it said and its exit code. A context that ends ends the command.
func (m *Machine) run(ctx context.Context, command string) (said string, code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, toolWithin)
	defer cancel()
	if ctx.Err() != nil { // nothing is begun for somebody who has left
		return "", 0, m.cut(ctx, command, ctx.Err())
	}
	dead := context.AfterFunc(ctx, func() { time.AfterFunc(graceful, func() { _ = m.client.Close() }) })
	defer dead()
	s, err := session(m, m.client.NewSession)
	if err != nil {
		return "", 0, m.cut(ctx, command, err)
	}
	defer func() { _ = s.Close() }()
	out := &bounded{}
	s.Stdout, s.Stderr = out, out
	stop := context.AfterFunc(ctx, func() { _ = s.Close() })
	defer stop()
	err = s.Run(command)
	var exit *ssh.ExitError
	switch {
	case ctx.Err() != nil:
		return "", 0, m.cut(ctx, command, ctx.Err())
	case errors.As(err, &exit):
		return out.String(), exit.ExitStatus(), nil
	case err != nil:
		return "", 0, m.cut(ctx, command, err)
	}
	return out.String(), 0, nil
}

// cut is the problem of a connection that ended before the command did.
func (m *Machine) cut(ctx context.Context, command string, err error) error {
	p := problem.New("the SSH connection to " + problem.Plain(m.target.Address) + " ended during " + command).Because(problem.Plain(err.Error())).
		Try("npsetup resume --yes looks what became of it and goes on").Of(problem.AnswerLost).From(err)
	if errors.Is(ctx.Err(), context.Canceled) {
		p.Kind = problem.Cancelled
	}
	return p
}

// bounded keeps the beginning of what two streams write.
type bounded struct {
	mu   sync.Mutex
	kept bytes.Buffer
}

func (b *bounded) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := spoken - b.kept.Len(); left > 0 {
		b.kept.Write(p[:min(left, len(p))])
	}
	return len(p), nil
}

func (b *bounded) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept.String()
}

func (m *Machine) upload(ctx context.Context, name string, content []byte) error {
	return m.files(ctx, "copying "+name, func(c *sftp.Client) error {
		_ = c.Remove(name) // of a run that was killed
		f, err := c.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL)
		if err != nil {
			return err
		}
		_, err = f.Write(content)
		return errors.Join(err, f.Close())
	})
}

// Clear removes the file with which a run that was killed had carried a certificate there, if it still lies there.
func (m *Machine) Clear(ctx context.Context, thumbprint string) error {
	if !thumbprintForm.MatchString(thumbprint) {
		return noThumbprint(thumbprint)
	}
	return m.clear(ctx, fileOf(thumbprint))
}

// clear removes the file that carried the certificate, over a new connection where the old one has ended.
func (m *Machine) clear(ctx context.Context, name string) error {
	remove := func(m *Machine) error {
		return m.files(ctx, "removing "+name, func(c *sftp.Client) error {
			if err := c.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			return nil
		})
	}
	err := remove(m)
	if err == nil {
		return nil
	}
	again, openErr := Open(ctx, m.target)
	if openErr != nil {
		return problem.New("the file " + name + " may still lie on " + problem.Plain(m.target.Address)).Because("the connection ended before it was removed; it holds the certificate and no secret").Try("remove it there, or let npsetup resume --yes do so").From(err)
	}
	defer func() { _ = again.Close() }()
	return remove(again)
}

// session opens a session. One that is asked for while the connection ends may never be answered, and no context ends that wait.
func session[T any](m *Machine, open func() (T, error)) (T, error) {
	type result struct {
		of  T
		err error
	}
	done := make(chan result, 1)
	go func() {
		of, err := open()
		done <- result{of, err}
	}()
	select {
	case r := <-done:
		return r.of, r.err
	case <-m.ended:
		var none T
		return none, net.ErrClosed
	}
}

// dead asks whether the server still answers on this connection: an end of input alone may be that of a channel.
func (m *Machine) dead() bool {
	_, _, err := m.client.SendRequest("keepalive@openssh.com", true, nil)
	return err != nil
}

// files does something with files over SFTP.
func (m *Machine) files(ctx context.Context, what string, do func(*sftp.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	// On a connection over which nothing arrives any longer, only its end ends a wait.
	stop := context.AfterFunc(ctx, func() { _ = m.client.Close() })
	defer stop()
	c, err := session(m, func() (*sftp.Client, error) { return sftp.NewClient(m.client) })
	switch {
	case ctx.Err() != nil:
		return m.cut(ctx, what, ctx.Err())
	case err != nil && (errors.Is(err, net.ErrClosed) || m.dead()):
		return m.cut(ctx, what, err)
	case err != nil:
		return problem.New("no files can be carried to " + problem.Plain(m.target.Address)).Because("its SSH server does not offer SFTP: " + problem.Plain(err.Error())).
			Try("put Subsystem sftp sftp-server.exe into C:\\ProgramData\\ssh\\sshd_config, as it stands by default, and restart sshd").From(err)
	}
	defer func() { _ = c.Close() }()
	err = do(c)
	switch {
	case err != nil && ctx.Err() != nil:
		return m.cut(ctx, what, ctx.Err())
	case err != nil:
		return problem.New("the certificate's file cannot be handled on " + problem.Plain(m.target.Address)).Because(problem.Plain(err.Error())).Try("see that the user may write into its own folder there").From(err)
	}
	return nil
}
