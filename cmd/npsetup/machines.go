package main

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"

	"npsetup/client/remote"
	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/auditor"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// sshPasswordKey is the answer that says where the password for the NPS server's SSH server is fetched from.
const sshPasswordKey = "nps.ssh.password"

// ssh is what the guide needs of the NPS server's SSH server.
func (l *link) ssh() auditor.SSH {
	return auditor.SSH{
		HostKeys: func(ctx context.Context, address string) ([]auditor.HostKey, error) {
			keys, err := remote.HostKeys(ctx, remote.Target{Address: address, User: "npsetup"})
			var seen []auditor.HostKey
			for _, k := range keys {
				seen = append(seen, auditor.HostKey{Kind: k.Kind, SHA256: k.SHA256})
			}
			return seen, err
		},
		CheckHostKey: remote.Check,
		Trusted: func(ctx context.Context, a steps.Answers, r plan.Remote) (there bool, err error) {
			err = l.onMachine(ctx, a, r, func(m *remote.Machine) error {
				there, err = m.Trusted(ctx, r.Store.Thumbprint)
				return err
			})
			return there, err
		},
		Does: remote.Does, Undoes: remote.Undoes,
	}
}

// onMachine signs in to the server of an operation, does something there, and leaves. A password is fetched once, unless it was refused.
func (l *link) onMachine(ctx context.Context, a steps.Answers, r plan.Remote, do func(*remote.Machine) error) error {
	t, err := l.target(ctx, a, r)
	if err != nil {
		return err
	}
	seen, err := l.knownMachine(ctx, r)
	if err != nil {
		return err
	}
	m, err := remote.Open(ctx, t)
	if err != nil {
		l.sshPassword = sshPassword{}
		return err
	}
	defer func() { _ = m.Close() }()
	l.sshPassword = sshPassword{t.Password, sshSignedAs(a, r)}
	if err := seen(); err != nil {
		return err
	}
	return do(m)
}

// sshPassword is a password that an SSH server has taken, and what it was taken for.
type sshPassword struct {
	secret.Secret
	signedAs string
}

func sshSignedAs(a steps.Answers, r plan.Remote) string {
	return r.Host + "\x00" + r.User + "\x00" + r.HostKey + "\x00" + a.Text(sshPasswordKey)
}

// target is the server of an operation, with what signs in there.
func (l *link) target(ctx context.Context, a steps.Answers, r plan.Remote) (remote.Target, error) {
	t := remote.Target{Address: r.Host, User: r.User, HostKey: r.HostKey}
	if file := a.File("nps.ssh.key"); file != "" {
		key, err := remote.ReadKey(file)
		t.Key = key
		return t, err
	}
	if !l.sshPassword.Empty() && l.sshPassword.signedAs == sshSignedAs(a, r) {
		t.Password = l.sshPassword.Secret
		return t, nil
	}
	ref, ok := a.Reference(sshPasswordKey)
	if !ok {
		return t, problem.New("nothing signs in to " + problem.Plain(r.Host)).Because("neither a key nor a password is answered").At(sshPasswordKey).Try("answer nps.ssh.key or nps.ssh.password").Of(problem.Usage)
	}
	password, err := l.app.fetch(ctx, sshPasswordKey, ref, "password of "+problem.Plain(r.User)+" on "+problem.Plain(r.Host))
	t.Password = password
	return t, err
}

// knownMachine asks, as knownHost does, before an SSH server that was not used before gets a sign-in, also when the answers name its
// host key. remember is for when that has worked.
func (l *link) knownMachine(ctx context.Context, r plan.Remote) (remember func() error, err error) {
	host, port, err := net.SplitHostPort(r.Host)
	key, badKey := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(r.HostKey, "SHA256:"))
	if err != nil || badKey != nil || len(key) != sha256.Size {
		return func() error { return nil }, nil // nobody is spoken to by such an address or key: remote.Open says so
	}
	seen, err := trust.LoadSeen(l.state)
	if err != nil {
		return nil, err
	}
	sight, before := seen.Look(host, port, hex.EncodeToString(key))
	if sight == trust.Changed {
		raw, _ := hex.DecodeString(before.SHA256)
		_, _ = fmt.Fprintf(l.talk, "note: the host key of %s is another one than before\n  then  SHA256:%s, seen since %s\n  now   %s\n",
			problem.Plain(r.Host), base64.RawStdEncoding.EncodeToString(raw), before.FirstSeen.UTC().Format("2006-01-02"), problem.Plain(r.HostKey))
	}
	if sight != trust.Same && l.app.terminal && !l.yes {
		ok, err := l.app.confirm(ctx, l.talk, "Sign in there?", problem.Plain(r.Host)+" was not used over SSH before from here, as "+problem.Plain(r.User)+".", "  host key    "+problem.Plain(r.HostKey))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.New("stopped before the sign-in over SSH").Of(problem.Cancelled)
		}
	}
	return func() error {
		if err := seen.Remember(host, port, trust.Cert{SHA256: hex.EncodeToString(key)}, l.app.now()); err != nil {
			return err
		}
		return seen.Save()
	}, nil
}

// carriedThere is how the journal tells a certificate that was to be put into the store of another machine: plan.Remote in words.
var carriedThere = regexp.MustCompile(`^over SSH on (\S+) as .*\(thumbprint ([0-9a-f]{40})\) into the store [^()]*$`)

// leftOn lists the thumbprints of certificates whose file may still lie on a host, because the run that carried them there was
// stopped before it removed it.
func leftOn(host string, lost []run.Entry) []string {
	var left []string
	for _, e := range lost {
		if m := carriedThere.FindStringSubmatch(e.Request); m != nil && m[1] == host && !slices.Contains(left, m[2]) {
			left = append(left, m[2])
		}
	}
	return left
}

// clearLeft removes those files. That they are removed in any case was agreed to with the plan that brought them there. One that
// cannot be removed holds no secret, and stops nothing: it is named.
func (j *job) clearLeft(ctx context.Context) {
	r := plan.Remote{Host: j.answers.Text("nps.ssh.address"), User: j.answers.Text("nps.ssh.user"), HostKey: j.answers.Text("nps.ssh.hostKey")}
	left := leftOn(r.Host, j.store.Lost())
	if r.Host == "" || len(left) == 0 || j.link.dry {
		return
	}
	err := j.link.onMachine(ctx, j.answers, r, func(on *remote.Machine) error {
		for _, thumbprint := range left {
			if err := on.Clear(ctx, thumbprint); err != nil {
				return err
			}
			_, _ = fmt.Fprintf(j.talk(), "on %s, no file of the certificate %s is left by the run that was stopped\n", problem.Plain(r.Host), thumbprint)
		}
		return nil
	})
	if err != nil {
		_, _ = fmt.Fprintf(j.talk(), "note: on %s, in the folder of %s, npsetup-THUMBPRINT.cer of a run that was stopped may still lie (it holds no secret): %s\n", problem.Plain(r.Host), problem.Plain(r.User), problem.Plain(err.Error()))
	}
}

// machines carries out what changes the trust of the NPS server.
type machines struct{ l *link }

var _ run.Machines = machines{}

// AsWanted implements run.Machines.
func (m machines) AsWanted(ctx context.Context, r plan.Remote) (bool, error) {
	there, err := m.l.ssh().Trusted(ctx, m.l.answers, r)
	return there != r.Store.Remove, err
}

// Carry implements run.Machines.
func (m machines) Carry(ctx context.Context, r plan.Remote) error {
	return m.l.onMachine(ctx, m.l.answers, r, func(on *remote.Machine) error {
		if r.Store.Remove {
			return on.Remove(ctx, r.Store.Thumbprint)
		}
		return on.Add(ctx, r.Store.Certificate)
	})
}
