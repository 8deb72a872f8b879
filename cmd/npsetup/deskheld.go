package main

import (
	"context"

	"npsetup/steps"
	"npsetup/steps/secret"
)

// typedFirst gives what was typed into a field before it asks.
type typedFirst struct {
	d *desk
	asker
}

// Secret implements asker.
func (t typedFirst) Secret(ctx context.Context, key, what string) (secret.Secret, error) {
	t.d.mu.Lock()
	s := t.d.held[key]
	t.d.mu.Unlock()
	if !s.Empty() {
		t.d.o.app.scrub.Add(s) // only now: while it was typed, every part of it would have been masked everywhere
		return s, nil
	}
	return t.asker.Secret(ctx, key, what)
}

// Keep implements face.Work.
func (d *desk) Keep(key string, s secret.Secret) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.held[key] = s
}

// Holds implements face.Work.
func (d *desk) Holds(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.held[key]
	return !s.Empty()
}

// forgetHeld forgets what was typed of secrets when those who get them would be others than those it was typed for.
func (d *desk) forgetHeld(m steps.Machine) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if receivers(m) != d.typedFor {
		clear(d.held)
	}
}

// receivers names to whom the secrets of a machine's answers go: by all that is answered in the steps up to the last one that asks for
// one, servers, users and files.
func receivers(m steps.Machine) string {
	a := m.Answers()
	said, upToSecret := m.Guide().ID, ""
	for _, s := range m.Guide().Applying(a) {
		secrets := false
		for _, f := range s.Fields {
			switch {
			case f.Kind == steps.SecretField || f.Kind == steps.Code:
				secrets = true
			case !f.Refers:
				said += "\x00" + f.Key + "\x00" + a.Text(f.Key)
			}
		}
		if secrets {
			upToSecret = said
		}
	}
	return upToSecret
}
