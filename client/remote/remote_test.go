package remote

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func TestHostKeysAreReadWithoutSigningIn(t *testing.T) {
	ed, ec, rsa := signer(t, "ed25519"), signer(t, "ecdsa"), signer(t, "rsa")
	for _, c := range []struct {
		has  []ssh.Signer
		want []Key
	}{
		{[]ssh.Signer{rsa, ec, ed}, []Key{{"ssh-ed25519", printOf(ed)}, {"ecdsa-sha2-nistp256", printOf(ec)}, {"ssh-rsa", printOf(rsa)}}},
		{[]ssh.Signer{rsa}, []Key{{"ssh-rsa", printOf(rsa)}}},
		{[]ssh.Signer{ec}, []Key{{"ecdsa-sha2-nistp256", printOf(ec)}}},
	} {
		s := newServer(t, c.has...)
		got, err := HostKeys(t.Context(), s.target())
		must(t, err)
		if !slices.Equal(got, c.want) || Check(got[0].SHA256) != nil {
			t.Errorf("%v, not %v", got, c.want)
		}
		if n := s.Tries(); n > 0 {
			t.Errorf("%d attempts to sign in", n)
		}
	}
}

// TestHostKeysOfNoServer: a server without a safe key, no server, and what is none.
func TestHostKeysOfNoServer(t *testing.T) {
	old, err := ssh.NewSignerWithAlgorithms(signer(t, "rsa").(ssh.AlgorithmSigner), []string{ssh.KeyAlgoRSA})
	must(t, err)
	_, err = HostKeys(t.Context(), newServer(t, old).target())
	wantProblem(t, err, problem.Unreachable, "no SSH with 127.0.0.1:", "no host key of a kind that is still safe", "Get-Service sshd")

	gone := listen(t)
	must(t, gone.Close())
	hostKey := printOf(signer(t, "ed25519"))
	for _, try := range []func(context.Context, Target) error{hostKeys, opened} {
		wantProblem(t, try(t.Context(), Target{Address: gone.Addr().String(), HostKey: hostKey}), problem.Unreachable, "no SSH with "+gone.Addr().String(), "refused")
		wantProblem(t, try(t.Context(), Target{Address: greets(t, "HTTP/1.1 400 \x1b[2JBad\r\n"), HostKey: hostKey}), problem.Unreachable, "no SSH with")
	}
}

// TestASilentServerIsGivenUp, when time is over and when a person leaves, before and behind the host key.
func TestASilentServerIsGivenUp(t *testing.T) {
	silent := Target{Address: greets(t, ""), HostKey: printOf(signer(t, "ed25519"))}
	stalls := newServer(t)
	stalls.Stalls = true
	for what, c := range map[string]struct {
		try    func(context.Context, Target) error
		target Target
	}{"keys": {hostKeys, silent}, "open": {opened, silent}, "sign-in": {opened, stalls.target()}} {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		wantProblem(t, c.try(ctx, c.target), problem.Unreachable, "no SSH with 127.0.0.1:", "deadline exceeded")
		left, leave := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, leave)
		wantProblem(t, c.try(left, c.target), problem.Cancelled, "no SSH with 127.0.0.1:", "canceled")
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %s", what, took)
		}
	}
}

func hostKeys(ctx context.Context, t Target) error {
	_, err := HostKeys(ctx, t)
	return err
}

func opened(ctx context.Context, t Target) error {
	m, err := Open(ctx, t)
	if err == nil {
		_ = m.Close()
	}
	return err
}

// greets is a server that says one thing and leaves, or nothing and stays.
func greets(t *testing.T, with string) string {
	t.Helper()
	l := listen(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_, _ = io.WriteString(conn, with)
				if with == "" {
					_, _ = io.Copy(io.Discard, conn)
				}
			}()
		}
	}()
	return l.Addr().String()
}

func TestAnyKindOfHostKeyIsTheRightOne(t *testing.T) {
	keys := []ssh.Signer{signer(t, "ed25519"), signer(t, "ecdsa"), signer(t, "rsa")}
	for _, agreed := range keys {
		s := newServer(t, keys...)
		user := signer(t, "ed25519")
		s.LetsIn = user.PublicKey()
		target := s.target()
		target.HostKey = printOf(agreed)
		must(t, s.openAs(target).Remove(t.Context(), thumbprint))
		target.Key, target.Password = user, secret.Secret{}
		must(t, s.openAs(target).Remove(t.Context(), thumbprint))
	}
}

func TestAnotherServerGetsNothing(t *testing.T) {
	agreed := printOf(signer(t, "ed25519"))
	for _, kinds := range [][]string{{"ed25519"}, {"rsa"}, {"ed25519", "ecdsa", "rsa"}} {
		var keys []ssh.Signer
		for _, k := range kinds {
			keys = append(keys, signer(t, k))
		}
		s := newServer(t, keys...)
		target := s.target()
		target.HostKey = agreed
		_, err := Open(t.Context(), target)
		wantProblem(t, err, problem.Stale, "another host key", "agreed was "+agreed, "it presents "+printOf(keys[0])+" ("+keys[0].PublicKey().Type()+")", "nps.ssh.hostKey")
		if n := s.Tries(); n > 0 {
			t.Errorf("%v: %d attempts to sign in", kinds, n)
		}
	}
}

// TestRefusedAtTheSignIn is not of the kind that means a refusal by NPS, which stops a whole run.
func TestRefusedAtTheSignIn(t *testing.T) {
	s := newServer(t)
	s.LetsIn = signer(t, "ed25519").PublicKey()
	target := s.target()
	target.User = "CONTOSO\\admin\x1b[2J"
	target.Password = secret.New("S3CR3T wrong")
	_, err := Open(t.Context(), target)
	wantProblem(t, err, problem.Failed, "refused CONTOSO\\admin[2J", "the password is not taken there", "nps.ssh.password", "PasswordAuthentication")
	target.Key = signer(t, "rsa") // and the right password is not tried then
	target.Password = secret.New(password)
	_, err = Open(t.Context(), target)
	wantProblem(t, err, problem.Failed, "refused CONTOSO\\admin[2J", "the key is not taken there", "administrators_authorized_keys")
	if n := s.Signed(); n > 0 {
		t.Errorf("%d signed in", n)
	}
}

func TestAHostKeyThatIsNoneReachesNoServer(t *testing.T) {
	right := printOf(signer(t, "ed25519"))
	must(t, Check(right))
	for _, bad := range []string{"", "SHA256:", strings.TrimPrefix(right, "SHA256:"), right + "=", " " + right, right[:49], "MD5:" + right[7:], "SHA256:" + strings.Repeat("-", 43)} {
		_, err := Open(t.Context(), Target{
			Address: "nps\x1b[2J:22", HostKey: bad, Password: secret.New(password),
			Dial: func(context.Context, string, string) (net.Conn, error) {
				t.Errorf("%q: a connection", bad)
				return nil, io.EOF
			},
		})
		wantProblem(t, err, problem.Failed, "the host key of nps[2J:22 is not known", "ssh-keygen -lf")
		if Check(bad) == nil {
			t.Errorf("%q is a fingerprint", bad)
		}
	}
}
