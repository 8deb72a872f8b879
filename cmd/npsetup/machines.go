package main

import (
	"context"

	"npsetup/client/remote"
	"npsetup/steps"
	"npsetup/steps/auditor"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
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

// onMachine signs in to the server of an operation, does something there, and leaves.
func (l *link) onMachine(ctx context.Context, a steps.Answers, r plan.Remote, do func(*remote.Machine) error) error {
	t := remote.Target{Address: r.Host, User: r.User, HostKey: r.HostKey}
	if file := a.File("nps.ssh.key"); file != "" {
		key, err := remote.ReadKey(file)
		if err != nil {
			return err
		}
		t.Key = key
	} else if t.Password = l.sshPassword; t.Password.Empty() { // a typed one is asked for once
		ref, ok := a.Reference(sshPasswordKey)
		if !ok {
			return problem.New("nothing signs in to " + problem.Plain(r.Host)).Because("neither a key nor a password is answered").At(sshPasswordKey).Try("answer nps.ssh.key or nps.ssh.password").Of(problem.Usage)
		}
		password, err := l.app.fetch(ctx, sshPasswordKey, ref, "password of "+problem.Plain(r.User)+" on "+problem.Plain(r.Host))
		if err != nil {
			return err
		}
		t.Password, l.sshPassword = password, password
	}
	m, err := remote.Open(ctx, t)
	if err != nil {
		return err
	}
	defer func() { _ = m.Close() }()
	return do(m)
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
