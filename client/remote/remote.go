// Package remote changes what a Windows server trusts, over SSH: OpenSSH for Windows carries one file there and runs one fixed
// tool, certutil. It forwards nothing, asks no agent, opens no terminal, and decides nothing: what is done was planned.
package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"runtime"
	"time"

	"golang.org/x/crypto/ssh"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// Target is a server, and how to sign in to it: by a key, or else by a password.
type Target struct {
	Address  string // host:port
	User     string
	HostKey  string // SHA256:…, as ssh-keygen -l prints it; no other key is spoken to
	Key      ssh.Signer
	Password secret.Secret
	Dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil: as the operating system does
}

// Key is a host key as people compare it.
type Key struct {
	Kind   string // ssh-ed25519 and the like
	SHA256 string // SHA256:…
}

// connectWithin is how long connection and handshake may take, each.
const connectWithin = 20 * time.Second

// algorithms are host key algorithms by kind, the one that is shown first.
var algorithms = [][]string{
	{ssh.KeyAlgoED25519},
	{ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521},
	{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256},
}

var errSeen = errors.New("the host key was seen")

// HostKeyForm is how a fingerprint is spelled.
var HostKeyForm = regexp.MustCompile(`^SHA256:[A-Za-z0-9+/]{43}$`)

// HostKeys reads the keys that a server presents, at most one of each kind. Nobody signs in. The error is a problem.
func HostKeys(ctx context.Context, t Target) ([]Key, error) {
	var seen []Key
	for _, kind := range algorithms {
		_, key, err := t.handshake(ctx, kind, func(ssh.PublicKey) error { return errSeen })
		if key == nil {
			if errors.As(err, new(*ssh.AlgorithmNegotiationError)) {
				continue // it has no key of this kind
			}
			return nil, t.unreachable(err)
		}
		seen = append(seen, Key{key.Type(), ssh.FingerprintSHA256(key)})
	}
	if len(seen) == 0 {
		return nil, t.unreachable(errors.New("it has no host key of a kind that is still safe"))
	}
	return seen, nil
}

// handshake connects, and gives the host key also where the rest fails.
func (t Target) handshake(ctx context.Context, kinds []string, judge func(ssh.PublicKey) error) (*ssh.Client, ssh.PublicKey, error) {
	ctx, cancel := context.WithTimeout(ctx, connectWithin)
	defer cancel()
	dial := t.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, "tcp", t.Address)
	if err != nil {
		return nil, nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	var shown ssh.PublicKey
	config := &ssh.ClientConfig{
		User: t.User, HostKeyAlgorithms: kinds, Timeout: connectWithin, ClientVersion: "SSH-2.0-npsetup",
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			shown = key
			return judge(key)
		},
	}
	switch {
	case t.Key != nil:
		config.Auth = []ssh.AuthMethod{ssh.PublicKeys(t.Key)}
	case !t.Password.Empty():
		config.Auth = []ssh.AuthMethod{ssh.Password(t.Password.Wire())}
	}
	c, chans, reqs, err := ssh.NewClientConn(conn, t.Address, config)
	if !stop() {
		err = ctx.Err() // and not that the connection was closed
	}
	if err != nil {
		_ = conn.Close()
		return nil, shown, err
	}
	return ssh.NewClient(c, chans, reqs), shown, nil
}

func (t Target) unreachable(err error) error {
	p := problem.New("no SSH with "+problem.Plain(t.Address)).Because(problem.Plain(err.Error())).
		Try("see that the OpenSSH server runs there (Get-Service sshd) and that its port is open from here", "or leave nps.ssh out: the certificate is imported by hand then").Of(problem.Unreachable).From(err)
	if errors.Is(err, context.Canceled) {
		p.Kind = problem.Cancelled
	}
	return p
}

// Machine is a server that somebody is signed in to.
type Machine struct {
	target Target
	client *ssh.Client
	ended  chan struct{} // closed when the connection has ended
}

func signedIn(t Target, client *ssh.Client) *Machine {
	m := &Machine{t, client, make(chan struct{})}
	go func() {
		_ = client.Wait()
		close(m.ended)
	}()
	return m
}

// Open connects and signs in. The error is a problem: another host key, a refused sign-in, no connection.
func Open(ctx context.Context, t Target) (*Machine, error) {
	if !HostKeyForm.MatchString(t.HostKey) {
		return nil, problem.New("the host key of " + problem.Plain(t.Address) + " is not known").Because("nps.ssh.hostKey is not of the form SHA256:…").Try("compare it on the server and name it: ssh-keygen -lf C:\\ProgramData\\ssh\\ssh_host_ed25519_key.pub")
	}
	errOther := errors.New("another key")
	var presented string
	for _, kind := range algorithms {
		client, key, err := t.handshake(ctx, kind, func(key ssh.PublicKey) error {
			if ssh.FingerprintSHA256(key) != t.HostKey {
				return errOther
			}
			return nil
		})
		switch {
		case err == nil:
			return signedIn(t, client), nil
		case errors.As(err, new(*ssh.AlgorithmNegotiationError)):
			continue
		case key == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded): // nobody was refused
			return nil, t.unreachable(err)
		case ssh.FingerprintSHA256(key) == t.HostKey:
			return nil, t.refused(err)
		}
		if presented == "" {
			presented = ssh.FingerprintSHA256(key) + " (" + key.Type() + ")"
		}
	}
	return nil, problem.New("the SSH server at "+problem.Plain(t.Address)+" has another host key").
		Because("agreed was "+t.HostKey+", it presents "+presented+": it is another machine, was set up anew, or somebody stands in between").
		Try("compare on the server itself: ssh-keygen -lf C:\\ProgramData\\ssh\\ssh_host_ed25519_key.pub", "only when it is the server's own, put it under nps.ssh.hostKey").Of(problem.Stale)
}

func (t Target) refused(err error) error {
	how := "the password"
	next := []string{"give it again: nps.ssh.password", "see whether that server takes passwords at all: PasswordAuthentication in C:\\ProgramData\\ssh\\sshd_config"}
	if t.Key != nil {
		how = "the key"
		next = []string{"for administrators Windows reads C:\\ProgramData\\ssh\\administrators_authorized_keys, and no other file"}
	}
	return problem.New("the SSH server at " + problem.Plain(t.Address) + " refused " + problem.Plain(t.User)).Because(how + " is not taken there: " + problem.Plain(err.Error())).
		Try(append(next, "see the OpenSSH log on the server")...).From(err)
}

// Close ends the connection.
func (m *Machine) Close() error { return m.client.Close() }

// ReadKey reads a private key in OpenSSH's or PEM form, without a passphrase. A file that others can read is refused.
func ReadKey(path string) (ssh.Signer, error) {
	bad := func(why string, next ...string) (ssh.Signer, error) {
		return nil, problem.New("the SSH key " + problem.Plain(path) + " cannot be used").Because(why).Try(next...)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return bad(problem.Plain(err.Error()), "name a file that is there, or sign in with nps.ssh.password")
	case !info.Mode().IsRegular() || info.Size() > 64<<10:
		return bad("it is no key file", "name the private key itself")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return bad("others than its owner can read it", "chmod 600 it")
	}
	f, err := os.Open(path)
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(io.LimitReader(f, 64<<10))
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	key, err := ssh.ParsePrivateKey(raw)
	if errors.As(err, new(*ssh.PassphraseMissingError)) || err != nil && bytes.Contains(raw, []byte("BEGIN ENCRYPTED PRIVATE KEY")) {
		return bad("it has a passphrase, and agents are not asked", "make a key for this set-up alone: ssh-keygen -t ed25519 -N '' -f FILE", "or sign in with nps.ssh.password")
	}
	if err != nil {
		return bad("it holds no private key that can be read", "name the private key, and not the .pub beside it")
	}
	return key, nil
}

// Check says whether a text is a fingerprint as ssh-keygen -l prints it.
func Check(text string) error {
	if !HostKeyForm.MatchString(text) {
		return errors.New("not of the form SHA256:… with 43 characters, as ssh-keygen -l prints it")
	}
	if raw, err := base64.RawStdEncoding.DecodeString(text[len("SHA256:"):]); err != nil || len(raw) != 32 {
		return fmt.Errorf("not a SHA-256")
	}
	return nil
}
