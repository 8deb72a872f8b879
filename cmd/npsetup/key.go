package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func newKey(shared *options) *cobra.Command {
	o := *shared
	var to string
	var show bool
	c := &cobra.Command{
		Use: "key --to FILE", Short: "Hand over the API key of the application user, or of Password Secure", Args: cobra.NoArgs,
		Long: "key asks NPS for the application user's API key and writes it to a new file that only its owner can read, or prints it. npsetup keeps no copy. NPS may record the request. With the answers of the guide for Password Secure it hands over the key to which they refer, and asks nobody for it.",
		RunE: func(c *cobra.Command, _ []string) error {
			o.app, o.state = shared.app, shared.state
			if (to == "") != show {
				return problem.New("it is not said where the key goes").Try("--to FILE writes it to a new file, --print prints it").Of(problem.Usage)
			}
			recipient := secret.ToWriter(o.app.out)
			if to != "" {
				if _, err := os.Lstat(to); err == nil {
					return problem.New(problem.Plain(to) + " exists already and is left as it is").Because("a key is written to a new file only").Try("name a file that does not exist yet: --to FILE")
				}
				if err := ownPlace(to, problem.New("the key is not handed over to "+problem.Plain(to)), "name another place with --to FILE"); err != nil {
					return err
				}
				recipient = secret.ToFile(to)
			}
			return runKey(c.Context(), c, &o, recipient, to)
		},
	}
	o.answerFlags(c)
	c.Flags().StringVar(&to, "to", "", "write the key to a new `FILE` with mode 0600")
	c.Flags().BoolVar(&show, "print", false, "print the key on one line")
	c.Flags().BoolVar(&o.yes, "yes", false, "make a key without asking, when the user has none")
	return c
}

func runKey(ctx context.Context, c *cobra.Command, o *options, to secret.Recipient, path string) error {
	j, err := newJob(c, o)
	if err != nil {
		return err
	}
	defer j.close()
	if _, asks := j.guide.Asking(vaultAPIKey); asks {
		return j.handOverVaultKey(ctx, to, path)
	}
	if err := j.survey(ctx); err != nil {
		return err
	}
	name := j.identity()
	id, known := j.scene.ID("application user", name)
	if !known {
		return problem.New(fmt.Sprintf("NPS has no application user %q", problem.Plain(name))).Because("it has not been made yet").Try("npsetup apply -f FILE --yes makes it")
	}
	key, err := j.reveal(ctx, id)
	if err != nil {
		return err
	}
	if key.Empty() {
		if err := j.generate(ctx, id, name); err != nil {
			return err
		}
		if key, err = j.reveal(ctx, id); err != nil {
			return err
		}
	}
	if err := secret.HandOver(key, to); err != nil {
		return notHandedOver(err, path)
	}
	if path != "" {
		_, err = fmt.Fprintf(j.talk(), "the API key of %s is in %s (%s, mode 0600); paste it in Auditor, then delete the file\n", problem.Plain(name), problem.Plain(path), key.Size())
	}
	return err
}

func notHandedOver(err error, path string) error {
	what := "the key was not handed over"
	if path != "" {
		what += " to " + problem.Plain(path)
	}
	return problem.New(what).Unwritten(err, elsewhere+": --to FILE")
}

// handOverVaultKey hands over the API key of Password Secure to which the answers refer, for whoever makes the service account by hand.
// It is read offline first: a cut one is told.
func (j *job) handOverVaultKey(ctx context.Context, to secret.Recipient, path string) error {
	k, err := j.link.readVaultKey(ctx, j.answers)
	if err != nil {
		return err
	}
	if err := secret.HandOver(k.Secret, to); err != nil {
		return notHandedOver(err, path)
	}
	if path != "" {
		_, err = fmt.Fprintf(j.talk(), "the API key of Password Secure is in %s (%s, mode 0600); paste it as the password of the service account, then delete the file\n", problem.Plain(path), k.Secret.Size())
	}
	return err
}

// one carries out a single call that was shown.
func (j *job) one(ctx context.Context, key string, c plan.Call) (plan.Answer, error) {
	op, _ := npsapi.Lookup(c.Operation)
	o := plan.Op{ID: "call", Kind: plan.KindCall, Class: op.Class, Repeat: plan.Never, Call: &c}
	r := c.Redacted(nil)
	_, _ = fmt.Fprintf(j.talk(), "%s %s %s\n", key, r.Method, problem.Plain(r.Path))
	j.link.client.Approve(plan.Plan{Actions: []plan.Action{{Key: key, Ops: []plan.Op{o}}}})
	return j.link.client.Send(ctx, o, nil)
}

// reveal answers an empty secret when the user has no key yet.
func (j *job) reveal(ctx context.Context, id plan.Value) (secret.Secret, error) {
	return j.revealed(ctx, npsapi.RevealAPIKey(id))
}

// revealed carries out a call that brings a secret.
func (j *job) revealed(ctx context.Context, call plan.Call) (secret.Secret, error) {
	a, err := j.one(ctx, "reveal", call)
	if problem.Is(err, problem.NotFound) {
		return secret.Secret{}, nil
	}
	if err != nil {
		return secret.Secret{}, err
	}
	var text string
	if len(a.Body) > 0 {
		if err := json.Unmarshal(a.Body, &text); err != nil {
			return secret.Secret{}, problem.New("the answer with the API key cannot be read").Try("reveal the key in NPS, on the application user's Authentication tab")
		}
	}
	key := secret.New(text)
	j.app.scrub.Add(key)
	return key, nil
}

// generate makes a key for a user who has none: no former key dies by it.
func (j *job) generate(ctx context.Context, id plan.Value, name string) error {
	call := npsapi.GenerateAPIKey(id)
	r := call.Redacted(nil)
	_, _ = fmt.Fprintf(j.talk(), "%s has no API key yet; making one would send\n  %s %s\n", problem.Plain(name), r.Method, r.Path)
	if !j.yes {
		if !j.app.terminal {
			return problem.New("nobody agreed to making an API key").Because("the application user has none yet").Try("add --yes to make one").Of(problem.Usage)
		}
		ok, err := j.app.confirm(ctx, j.talk(), "Make a key?")
		if err != nil {
			return err
		}
		if !ok {
			return problem.New("stopped before any change").Of(problem.Cancelled)
		}
	}
	_, err := j.one(ctx, "generate", call)
	return err
}
