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

// sessions is what the runner needs to open a session.
func (j *job) sessions() *run.Sessions {
	return &run.Sessions{SignIn: j.link.signInAs, State: shared.SessionState, Cause: j.guide.Cause, Doubt: j.guide.Doubt}
}

// signInAs signs in as the application user of a session, with its certificate and the private key of it.
func (l *link) signInAs(ctx context.Context, s plan.Session, key secret.Secret) (run.Sender, int, error) {
	c, err := chainOf(s.PrivateKey, append([]string{s.Certificate}, s.Authorities...))
	if err != nil {
		return nil, 0, err
	}
	k, err := pki.ReadKey(s.PrivateKey)
	if err != nil {
		return nil, 0, err
	}
	shown := tls.Certificate{Certificate: [][]byte{c.Leaf.X509.Raw}, PrivateKey: k, Leaf: c.Leaf.X509}
	for _, by := range c.Between() {
		shown.Certificate = append(shown.Certificate, by.X509.Raw)
	}
	return l.client.SignInApplication(ctx, nps.Application{Login: s.Login, Key: key, Serial: c.Leaf.Serial, Certificate: shown})
}

// endOpen ends the sessions that a killed run left open, before anything else is done. Consent to it was given with the plan
// that opened them: they were to be ended in any case.
func (j *job) endOpen(ctx context.Context, sink run.Sink) error {
	open := j.store.OpenSessions()
	if len(open) == 0 || j.link.dry {
		return nil
	}
	scene := steps.NewScene(j.answers, j.store.Memory())
	if err := steps.Survey(ctx, signInOf(j.guide), scene); err != nil {
		return err
	}
	p := plan.Plan{Guide: j.guide.ID, Title: j.guide.Title, Server: scene.Server, Version: scene.Version, Identity: j.identity()}
	var over []run.OpenSession
	for _, s := range open {
		ids, told, err := j.stillOpen(ctx, s)
		if err != nil {
			return err
		}
		for _, id := range ids {
			p.Actions = append(p.Actions, j.endAction(s, id))
		}
		switch {
		case len(ids) > 0:
			_, _ = fmt.Fprintf(j.talk(), "ending the session %q, which a stopped run left open\n", problem.Plain(s.Marker))
		case told || j.app.now().Sub(s.Since) > listedWithin:
			over = append(over, s)
		default:
			_, _ = fmt.Fprintf(j.talk(), "the session %q, whose start was not answered, is not listed; the next command looks again\n", problem.Plain(s.Marker))
		}
	}
	if err := j.begin(p, run.Prove); err != nil {
		return err
	}
	for _, s := range over {
		if err := j.store.SessionOver(s); err != nil {
			return err
		}
	}
	result, err := j.carryOut(ctx, p, nil, sink)
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

// tellOpen warns of the sessions that a stopped run left open, where nothing is changed. It is no part of the plan: the run that
// carries a plan out ends them first.
func (j *job) tellOpen() {
	for _, s := range j.store.OpenSessions() {
		_, _ = fmt.Fprintln(j.talk(), "warning: "+j.guided(mayBeOpen(s)))
	}
}

func mayBeOpen(s run.OpenSession) string {
	return fmt.Sprintf("the session %q, which a run began at %s UTC, may still be open, and its account with its rights in place: npsetup resume --yes ends it, and npsetup verify does too",
		problem.Plain(s.Marker), s.Since.UTC().Format("2006-01-02 15:04"))
}

// signInOf is a guide with the steps alone that lead to the sign-in.
func signInOf(g steps.Guide) steps.Guide {
	var kept []steps.Step
	for _, s := range g.Steps {
		if s.ID == "server" || s.ID == "trust" || s.ID == "signin" {
			kept = append(kept, s)
		}
	}
	g.Steps = kept
	return g
}

func (j *job) endAction(s run.OpenSession, id string) plan.Action {
	c := npsapi.EndSession(plan.String(id))
	return plan.Action{
		Key: s.Action + "/" + s.Marker + "/" + id, Step: j.guide.Proof, Effect: plan.Delete, Object: "session", Name: s.Marker,
		Ops: []plan.Op{{ID: "end", Kind: plan.KindCall, Class: plan.Change, Repeat: plan.ByMarker, Marker: s.Marker, Call: &c}},
	}
}

// listedWithin is how long a session whose start was not answered may take to be listed.
const listedWithin = 5 * time.Minute

// stillOpen gives the ids under which a session of ours is still open: by its id, or by its marker when the answer to its
// start was never seen. told says whether NPS knows it at all: one that it does not list may come yet.
func (j *job) stillOpen(ctx context.Context, s run.OpenSession) (ids []string, told bool, err error) {
	rows, told := []npsapi.Session{}, true
	if s.ID != "" {
		a, err := j.link.client.Read(ctx, npsapi.GetSession(plan.String(s.ID)))
		if problem.Is(err, problem.NotFound) {
			return nil, true, nil
		}
		if err != nil {
			return nil, false, err
		}
		row, err := npsapi.Decode[npsapi.Session](a.Body)
		if err != nil {
			return nil, false, err
		}
		row.ID = s.ID
		rows = append(rows, row)
	} else {
		rows, err = j.marked(ctx, s.Marker)
		for pause := time.Second; err == nil && len(rows) == 0 && pause <= 4*time.Second; pause *= 2 {
			if err = j.app.pause(ctx, pause); err == nil {
				rows, err = j.marked(ctx, s.Marker)
			}
		}
		told = len(rows) > 0
	}
	for _, row := range rows {
		if !shared.StateOf(row).Over() {
			ids = append(ids, row.ID)
		}
	}
	return ids, told, err
}

// marked lists the sessions in whose note a marker stands.
func (j *job) marked(ctx context.Context, marker string) (rows []npsapi.Session, err error) {
	err = j.link.client.List(ctx, npsapi.NewestSessions(j.answers.Text(j.guide.Listed)), func(raw json.RawMessage) (bool, error) {
		row, err := npsapi.Decode[npsapi.Session](raw)
		if err == nil && row.Note == marker {
			rows = append(rows, row)
		}
		return true, err
	})
	return rows, err
}

// watchEvery is how often Auditor's own session is looked for.
const watchEvery = 15 * time.Second

// watch looks again until Auditor's own session was seen, or the time is over.
func (j *job) watch(ctx context.Context, within time.Duration) ([]steps.StepProof, error) {
	for waited := time.Duration(0); ; waited += watchEvery {
		proofs, err := j.proofs(ctx)
		if err != nil {
			return proofs, err
		}
		if waited >= within || !awaited(proofs) {
			if within > 0 {
				_, _ = fmt.Fprintln(j.talk(), watched(proofs, waited, within))
			}
			return proofs, nil
		}
		if waited == 0 {
			_, _ = fmt.Fprintf(j.talk(), "waiting up to %s for %s; ctrl+c ends the wait\n", within, j.guide.Awaited)
		}
		if err := j.app.pause(ctx, watchEvery); err != nil {
			return proofs, problem.New("stopped while waiting for " + j.guide.Awaited).Try("npsetup verify looks again").Of(problem.Cancelled).From(err)
		}
	}
}

// watched says why a wait ended, or did not begin.
func watched(proofs []steps.StepProof, waited, within time.Duration) string {
	last := steps.NotProven
	if n := len(proofs); n > 0 {
		last = proofs[n-1].Proof.State
	}
	how := fmt.Sprintf("stopped waiting after %s: ", waited)
	if waited == 0 {
		how = "nothing was waited for: "
	}
	switch last {
	case steps.Proven, steps.ByWord:
		return how + "a session of Auditor was seen"
	case steps.NeedPerson:
		return fmt.Sprintf("%s are over, and no session of Auditor was seen: start a collection of its monitoring plan, then npsetup verify --watch %s", within, within)
	case steps.Differs, steps.NotProven:
	}
	return how + "something else is missing to the proof, and the report says what"
}

// awaited says whether nothing but a session of Auditor is missing to the last step.
func awaited(proofs []steps.StepProof) bool {
	return len(proofs) > 0 && proofs[len(proofs)-1].Proof.State == steps.NeedPerson
}
