package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"

	"github.com/zalando/go-keyring"

	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// keyringService is the name under which secrets lie in the operating system's keyring.
const keyringService = "npsetup"

// secretLimit is the longest secret that is read from a file.
const secretLimit = 64 << 10

// asker is a face that asks for what cannot stand in the answers. Without one, the terminal is asked line by line.
type asker interface {
	// Secret asks for the secret of an answer. what says which one it is.
	Secret(ctx context.Context, key, what string) (secret.Secret, error)
	// Agree asks a question that only yes answers; details stand above it.
	Agree(ctx context.Context, question string, details []string) (bool, error)
}

// fetch gets the secret of an answer from where a reference points. what says which one it is; it stands in prompts and
// errors.
func (a *app) fetch(ctx context.Context, key string, r secret.Reference, what string) (secret.Secret, error) {
	s, err := a.fetchFrom(ctx, key, r, what)
	if err != nil {
		return s, err
	}
	if s.Empty() {
		return s, problem.New("the " + what + " is empty").Because(problem.Plain(r.String()) + " holds nothing").Try("put the value there").Of(problem.Usage)
	}
	a.scrub.Add(s)
	return s, nil
}

func (a *app) fetchFrom(ctx context.Context, key string, r secret.Reference, what string) (secret.Secret, error) {
	switch r.Source {
	case secret.Env:
		v, ok := a.env(r.Name)
		if !ok {
			return secret.Secret{}, notSet(r, what)
		}
		return secret.New(v), nil
	case secret.File:
		return secretFile(r.Name, what)
	case secret.Keyring:
		v, err := keyring.Get(keyringService, r.Name)
		if err != nil {
			return secret.Secret{}, problem.New("the "+what+" is not in the keyring").Because(problem.Plain(err.Error())).Try("store it under the service npsetup and the name "+problem.Plain(r.Name), "or use env:NAME or file:PATH").Of(problem.Usage)
		}
		return secret.New(v), nil
	case secret.Prompt:
		return a.askSecret(ctx, key, what)
	}
	return secret.Secret{}, problem.New("the " + what + " has no source").Of(problem.Usage)
}

func notSet(r secret.Reference, what string) *problem.Problem {
	return problem.New("the " + what + " is missing").Because("the environment variable " + problem.Plain(r.Name) + " is not set").
		Try("set " + problem.Plain(r.Name) + " in the environment, or use file:PATH, keyring:NAME or prompt").Of(problem.Usage)
}

func secretFile(path, what string) (secret.Secret, error) {
	bad := func(why, next string) (secret.Secret, error) {
		return secret.Secret{}, problem.New("the " + what + " cannot be read from " + problem.Plain(path)).Because(why).Try(next).Of(problem.Usage)
	}
	f, err := os.Open(path)
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is there and readable")
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return bad("others than its owner can read it", "chmod 600 "+problem.Plain(path))
	}
	raw, err := io.ReadAll(io.LimitReader(f, secretLimit+1))
	if err != nil {
		return bad(problem.Plain(err.Error()), "name a file that is readable")
	}
	line := strings.TrimRight(string(raw), "\r\n")
	if len(raw) > secretLimit || strings.ContainsAny(line, "\r\n") {
		return bad("it has more than one line", "leave only the secret in it, on one line")
	}
	return secret.New(line), nil
}

func (a *app) askSecret(ctx context.Context, key, what string) (secret.Secret, error) {
	ctx = asking(ctx)
	if a.face != nil {
		return a.face.Secret(ctx, key, what)
	}
	if !a.terminal {
		return secret.Secret{}, problem.New("the " + what + " has to be asked for, and there is no terminal").
			Because("its answer is prompt").Try("give it as env:NAME, file:PATH or keyring:NAME").Of(problem.Usage)
	}
	raw, err := a.password(ctx, what+": ")
	if err != nil {
		return secret.Secret{}, problem.New("no " + what + " was given").Of(problem.Cancelled).From(err)
	}
	return secret.New(strings.TrimRight(string(raw), "\r\n")), nil
}

// checkSources finds secrets whose source cannot give one, before anything is sent, as far as they are needed. What has to be asked
// for needs a terminal.
func (a *app) checkSources(answers steps.Answers, g steps.Guide, needed func(key string, r secret.Reference) bool) error {
	var l problem.List
	for _, s := range g.Applying(answers) {
		l.Add(a.checkSource(answers, s, needed))
	}
	l.Add(a.checkCode(answers))
	return l.Err()
}

// checkSource is checkSources for the secrets of one step.
func (a *app) checkSource(answers steps.Answers, s steps.Step, needed func(key string, r secret.Reference) bool) error {
	var l problem.List
	for _, f := range s.Fields {
		if f.Kind != steps.SecretField || !f.Asked(answers) {
			continue
		}
		r, ok := answers.Reference(f.Key)
		if !ok || !needed(f.Key, r) {
			continue
		}
		already := len(l)
		l.Add(a.gives(f.Key, "secret for "+f.Key, r))
		for _, p := range l[already:] {
			p.Try(comesFrom(s, f, answers)...)
		}
	}
	return l.Err()
}

// checkCode is checkSources for the second factor of the sign-in.
func (a *app) checkCode(answers steps.Answers) error {
	const key = "nps.signIn.mfa"
	mfa := answers.Text(key)
	rest, totp := strings.CutPrefix(mfa, "totp:")
	switch {
	case answers.Has("nps.signIn.token"):
	case totp:
		if r, ok := answers.ReferenceIn(rest); ok {
			return a.gives(key, "TOTP secret", r)
		}
	case mfa == "prompt" && !a.terminal && a.face == nil:
		return problem.New("the MFA code has to be asked for, and there is no terminal").At(key).
			Try("set nps.signIn.mfa to totp:env:NAME with the authenticator's base32 secret, to push:WORD, or to none").Of(problem.Usage)
	}
	return nil
}

// gives says whether a source can give a secret.
func (a *app) gives(key, what string, r secret.Reference) error {
	switch r.Source {
	case secret.Env:
		if v, set := a.env(r.Name); !set || v == "" {
			return notSet(r, what).At(key)
		}
	case secret.File:
		if _, err := secretFile(r.Name, what); err != nil {
			return err
		}
	case secret.Prompt:
		if !a.terminal && a.face == nil {
			_, err := a.askSecret(context.Background(), key, what)
			return err
		}
	case secret.Keyring:
	}
	return nil
}

// comesFrom are the clicks by which a person comes to a long secret: those of its step.
func comesFrom(s steps.Step, f steps.Field, a steps.Answers) []string {
	if !f.Long || s.Paragraph == nil {
		return nil
	}
	var clicks []string
	for i, click := range s.Paragraph(a, steps.Facts{}) {
		clicks = append(clicks, fmt.Sprintf("%d. %s", i+1, click))
	}
	return clicks
}

// confirm asks a yes-or-no question. The end of input is a no.
func (a *app) confirm(ctx context.Context, w io.Writer, question string, details ...string) (bool, error) {
	if a.face != nil {
		return a.face.Agree(ctx, question, details)
	}
	for _, d := range details {
		if _, err := io.WriteString(w, d+"\n"); err != nil {
			return false, err
		}
	}
	if _, err := io.WriteString(w, question+" Type yes to go on: "); err != nil {
		return false, err
	}
	line, err := answerTyped(a.in)
	if err != nil && line == "" {
		return false, problem.New("stopped").Because("the input ended before an answer").Of(problem.Cancelled)
	}
	return strings.TrimSpace(line) == "yes", nil
}

// answerTyped reads one line, and nothing behind it: the next question has its own answer. Longer ones are cut off: no answer is.
func answerTyped(r io.Reader) (string, error) {
	const longest = 1 << 10
	var line []byte
	one := make([]byte, 1)
	for {
		n, err := r.Read(one)
		switch {
		case n == 1 && one[0] == '\n':
			return string(line), nil
		case n == 1 && len(line) < longest:
			line = append(line, one[0])
		}
		if err != nil {
			return string(line), err
		}
	}
}
