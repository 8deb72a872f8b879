package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"time"

	"npsetup/client/nps"
	"npsetup/client/pki"
	"npsetup/steps"
	shared "npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

// pause waits, as a value that tests can hand in.
func (a *app) pause(ctx context.Context, d time.Duration) error {
	if a.wait != nil {
		return a.wait(ctx, d)
	}
	return nps.Sleep(ctx, d)
}

// sessions is what the runner needs to open a session as the application user.
func (l *link) sessions() *run.Sessions {
	return &run.Sessions{SignIn: l.signInAs, State: shared.SessionState, Cause: shared.SessionCause}
}

// signInAs signs in as the application user of a session, with its certificate and the private key of it.
func (l *link) signInAs(ctx context.Context, s plan.Session, key secret.Secret) (run.Sender, error) {
	c, err := chainOf(s.PrivateKey, append([]string{s.Certificate}, s.Authorities...))
	if err != nil {
		return nil, err
	}
	k, err := pki.ReadKey(s.PrivateKey)
	if err != nil {
		return nil, err
	}
	shown := tls.Certificate{Certificate: [][]byte{c.Leaf.X509.Raw}, PrivateKey: k, Leaf: c.Leaf.X509}
	for _, by := range between(c) {
		shown.Certificate = append(shown.Certificate, by.X509.Raw)
	}
	return l.client.SignInApplication(ctx, nps.Application{Login: s.Login, Key: key, Serial: c.Leaf.Serial, Certificate: shown})
}

// endOpen ends the sessions that a killed run left open, before anything else is done. Consent to it was given with the plan
// that opened them: they were to be ended in any case.
func (j *job) endOpen(ctx context.Context) error {
	open := j.store.OpenSessions()
	if len(open) == 0 {
		return nil
	}
	scene := steps.NewScene(j.answers, j.store.Memory())
	if err := steps.Survey(ctx, upTo(j.guide, "signin"), scene); err != nil {
		return err
	}
	p := plan.Plan{Guide: j.guide.ID, Title: j.guide.Title, Server: scene.Server, Version: scene.Version, Identity: j.identity()}
	var over []run.OpenSession
	for _, s := range open {
		row, err := j.openSession(ctx, s)
		if err != nil {
			return err
		}
		if row.ID == "" || shared.StateOf(row).Over() {
			over = append(over, s)
			continue
		}
		_, _ = fmt.Fprintf(j.talk(), "ending the session %q, which a stopped run left open\n", problem.Plain(s.Marker))
		p.Actions = append(p.Actions, endAction(s, row.ID))
	}
	if err := j.begin(p); err != nil {
		return err
	}
	for _, s := range over {
		if err := j.store.SessionOver(s); err != nil {
			return err
		}
	}
	result, err := j.carryOut(ctx, p, nil, nil)
	if err != nil {
		return err
	}
	for _, a := range result.Actions {
		if a.Err != nil {
			return a.Err
		}
	}
	return nil
}

// upTo is a guide that ends with the named step.
func upTo(g steps.Guide, step string) steps.Guide {
	for i, s := range g.Steps {
		if s.ID == step {
			g.Steps = g.Steps[:i+1]
			break
		}
	}
	return g
}

func endAction(s run.OpenSession, id string) plan.Action {
	c := npsapi.EndSession(plan.String(id))
	return plan.Action{
		Key: s.Action + "/" + s.Marker, Step: s.Action, Effect: plan.Delete, Object: "session", Name: s.Marker,
		Ops: []plan.Op{{ID: "end", Kind: plan.KindCall, Class: plan.Change, Repeat: plan.ByMarker, Marker: s.Marker, Call: &c}},
	}
}

// openSession finds a session of ours by its id, or by its marker when the answer to its start was never seen. Without an
// id it is not there.
func (j *job) openSession(ctx context.Context, s run.OpenSession) (npsapi.Session, error) {
	r := j.link.client
	if s.ID != "" {
		a, err := r.Read(ctx, npsapi.GetSession(plan.String(s.ID)))
		if problem.Is(err, problem.NotFound) {
			return npsapi.Session{}, nil
		}
		if err != nil {
			return npsapi.Session{}, err
		}
		row, err := npsapi.Decode[npsapi.Session](a.Body)
		row.ID = s.ID
		return row, err
	}
	var found npsapi.Session
	err := r.List(ctx, npsapi.SearchSessions(j.identity()), func(raw json.RawMessage) (bool, error) {
		row, err := npsapi.Decode[npsapi.Session](raw)
		if err == nil && row.Note == s.Marker {
			found = row
		}
		return found.ID == "", err
	})
	return found, err
}

// watchEvery is how often Auditor's own session is looked for.
const watchEvery = 15 * time.Second

// watch looks again until Auditor's own session was seen, or the time is over.
func (j *job) watch(ctx context.Context, within time.Duration) ([]steps.StepProof, error) {
	for waited := time.Duration(0); ; waited += watchEvery {
		proofs, err := j.proofs(ctx)
		if err != nil || waited >= within || !awaited(proofs) {
			return proofs, err
		}
		if waited == 0 {
			_, _ = fmt.Fprintf(j.talk(), "waiting up to %s for Auditor's own session; ctrl+c ends the wait\n", within)
		}
		if err := j.app.pause(ctx, watchEvery); err != nil {
			return proofs, problem.New("stopped while waiting for Auditor's session").Try("npsetup verify looks again").Of(problem.Cancelled).From(err)
		}
	}
}

// awaited says whether nothing but a session of Auditor is missing to the last step.
func awaited(proofs []steps.StepProof) bool {
	return len(proofs) > 0 && proofs[len(proofs)-1].Proof.State == steps.NeedPerson
}
