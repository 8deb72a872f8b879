package main

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"

	"npsetup/client/trust"
	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// trustStep is the step id that events and the report carry.
const trustStep = "trust-store"

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// draft looks at the store and makes the plan.
func (j *storeJob) draft(ctx context.Context) (plan.Plan, error) {
	var err error
	if j.is, err = j.store.Find(ctx, j.cert); err != nil {
		return plan.Plan{}, err
	}
	standing, err := json.Marshal(j.is)
	if err != nil {
		return plan.Plan{}, err
	}
	p := plan.Plan{
		Guide: "trust", Title: "Trusted root certificates of this machine", Server: "this machine, " + j.store.Name(),
		Fingerprint: plan.FingerprintOf(map[string][]byte{"certificate": []byte(`"` + j.about.SHA256 + `"`), "standing": standing}),
	}
	if j.remove {
		a, err := j.removal()
		if a != nil {
			p.Actions = append(p.Actions, *a)
		}
		return p, err
	}
	p.Actions = []plan.Action{j.installation()}
	return p, p.Check()
}

func (j *storeJob) action(e plan.Effect) plan.Action {
	return plan.Action{
		Key: trustStep + "/" + j.about.SHA256[:16], Step: trustStep, Effect: e, Object: "trusted root certificate", Name: j.about.Subject,
		Notes: append([]string{
			fmt.Sprintf("valid %s to %s, %s, issuer %s", j.about.NotBefore.UTC().Format("2006-01-02"), j.about.NotAfter.UTC().Format("2006-01-02"), j.about.KeyDescription, j.about.Issuer),
		}, j.notes...),
	}
}

func (j *storeJob) op(remove bool) plan.Op {
	id := "put"
	if remove {
		id = "take"
	}
	return plan.Op{ID: id, Kind: plan.KindStore, Class: plan.Change, Repeat: plan.ByName, Store: &plan.Store{
		Store: j.store.Name(), Thumbprint: j.about.SHA1, SHA256: j.about.SHA256, Subject: j.about.Subject, Certificate: j.cert.Raw,
		Remove: remove, Does: j.store.Does(j.cert, remove), Needs: j.store.Needs(),
	}}
}

func (j *storeJob) installation() plan.Action {
	if j.is.Trusted {
		a := j.action(plan.Adopt)
		a.Notes = append(a.Notes, "it is trusted already: nothing changes")
		if j.is.Holder != "" {
			a.Notes = append(a.Notes, "npsetup did not put it there, and npsetup trust remove will leave it: it is held by "+j.is.Holder)
		}
		return a
	}
	a := j.action(plan.Create)
	a.Why = "every program of this machine that goes by the operating system's roots then trusts what this certificate vouches for"
	a.Ops, a.Undo = []plan.Op{j.op(false)}, []plan.Op{j.op(true)}
	return a
}

// removal is nil when there is nothing to take out.
func (j *storeJob) removal() (*plan.Action, error) {
	switch {
	case j.is.Ours, j.begun && j.is.Trusted:
	case !j.is.Trusted:
		return nil, nil
	case !j.notOurs || !j.store.TakesAny():
		return nil, j.store.NotOurs(j.cert, j.is)
	}
	a := j.action(plan.Delete)
	a.Why = "this machine no longer trusts what it vouches for"
	if !j.is.Ours && !j.begun {
		a.Notes = append(a.Notes, "npsetup did not put it there: "+j.is.Holder)
	}
	a.Ops, a.Undo = []plan.Op{j.op(true)}, []plan.Op{j.op(false)}
	return &a, nil
}

func (j *storeJob) carryOut(ctx context.Context, p plan.Plan) error {
	var sink run.Sink = &progress{w: j.c.ErrOrStderr()}
	if j.format == "json" {
		sink = run.NewJSONSink(j.c.OutOrStdout())
	}
	result, err := run.Apply(ctx, p, run.Options{Clock: clock(j.app.now), Store: j.journal, Sink: sink, Anchors: anchors{j.store, j.notOurs, j.begun}})
	if err != nil {
		return err
	}
	tellFailures(j.c.ErrOrStderr(), result)
	is, err := j.store.Find(context.WithoutCancel(ctx), j.cert)
	if err != nil {
		return err
	}
	outcome := result.Outcome()
	if err := j.report(outcome, is); err != nil {
		return err
	}
	if outcome == steps.Failed || outcome == steps.NotRun {
		return ending(failedCode(result))
	}
	if !j.remove && is.Ours {
		j.talkf("npsetup trust remove %s takes it out again\n", j.about.SHA1)
	}
	return nil
}

// anchors is the machine's own store, as the runner sees it.
type anchors struct {
	store *trust.Store
	any   bool // also what npsetup did not put in
	begun bool
}

var _ run.Anchors = anchors{}

func (a anchors) parse(s plan.Store) (*x509.Certificate, error) {
	if s.Store != a.store.Name() {
		return nil, problem.New("there is no store " + problem.Plain(s.Store) + " on this machine").Because("the plan was made for another one").Try("make the plan on the machine that is to trust the certificate").Of(problem.Stale)
	}
	c, err := x509.ParseCertificate(s.Certificate)
	if err != nil {
		return nil, problem.New("the certificate of the plan cannot be read").Because(problem.Plain(err.Error())).Try("make the plan anew").Of(problem.Stale)
	}
	return c, nil
}

// AsWanted implements run.Anchors.
func (a anchors) AsWanted(ctx context.Context, s plan.Store) (bool, error) {
	c, err := a.parse(s)
	if err != nil {
		return false, err
	}
	is, err := a.store.Find(ctx, c)
	if !s.Remove {
		return is.Trusted, err
	}
	return !is.Ours && (!is.Trusted || !a.any && !a.begun), err
}

// Carry implements run.Anchors.
func (a anchors) Carry(ctx context.Context, s plan.Store) error {
	c, err := a.parse(s)
	if err != nil {
		return err
	}
	if s.Remove {
		return a.store.Remove(ctx, c, a.any, a.begun)
	}
	return a.store.Install(ctx, c)
}
