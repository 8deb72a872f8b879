package run

import (
	"context"
	"encoding/pem"
	"errors"
	"maps"
	"slices"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// Anchors is what machines trust: their stores of root certificates, by the name in plan.Store.Store.
type Anchors interface {
	// AsWanted says whether nothing is left to do: what is to be put in is trusted, or what is to be taken out is not there.
	// Certificates are the same when their SHA-256 is.
	AsWanted(ctx context.Context, s plan.Store) (bool, error)
	// Carry puts the certificate in, or takes it out.
	Carry(ctx context.Context, s plan.Store) error
}

// Machines is what other machines trust, over SSH. The methods mean the same as those of Anchors.
type Machines interface {
	AsWanted(ctx context.Context, r plan.Remote) (bool, error)
	Carry(ctx context.Context, r plan.Remote) error
}

// foundOutput is the output of an operation that found everything as wanted, and did nothing.
const foundOutput = "found as wanted: "

// genuine refuses an operation whose certificate is not the one that was shown.
func genuine(op plan.Op) error {
	if op.Kind == plan.KindRemote && op.Remote.Store.Genuine() || op.Kind == plan.KindStore && op.Store.Genuine() {
		return nil
	}
	return problem.New("the certificate of an operation is not the one that it names").Because(op.Text()).Try("make the plan anew").Of(problem.Stale)
}

// trusting is how an operation changes what a machine trusts.
type trusting struct {
	store    plan.Store
	where    string
	asWanted func(context.Context) (bool, error)
	carry    func(context.Context) error
}

func (r *runner) trusting(op plan.Op) trusting {
	if op.Kind == plan.KindRemote {
		m := *op.Remote
		return trusting{
			m.Store, m.Host + " " + m.Store.Store, func(ctx context.Context) (bool, error) { return r.Machines.AsWanted(ctx, m) },
			func(ctx context.Context) error { return r.Machines.Carry(ctx, m) },
		}
	}
	s := *op.Store
	return trusting{
		s, s.Store, func(ctx context.Context) (bool, error) { return r.Anchors.AsWanted(ctx, s) },
		func(ctx context.Context) error { return r.Anchors.Carry(ctx, s) },
	}
}

// store puts a certificate into a store or takes it out, after a look, and reads back.
func (r *runner) store(ctx context.Context, a plan.Action, op plan.Op) (map[string]string, error) {
	t := r.trusting(op)
	as, err := t.asWanted(ctx)
	if err != nil {
		return nil, err
	}
	if as {
		return map[string]string{foundOutput + op.ID: t.store.SHA256}, nil
	}
	entry := Entry{
		Action: a.Key, Op: op.ID, Effect: a.Effect.String(), Request: op.Text(), State: Sending,
		// Once it is out, nobody else may have it any more: an undo takes it from here.
		Body: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: t.store.Certificate})),
	}
	if err := r.journal(entry); err != nil {
		return nil, err
	}
	e := eventOf(a)
	e.Op = &OpInfo{Kind: op.Kind.String(), Class: op.Class.String(), Path: problem.Plain(t.where)}
	e.Name = OpSent
	r.emit(e)
	began := r.Clock.Now()
	err = t.carry(ctx)
	as, lookErr := t.asWanted(context.WithoutCancel(ctx)) // also when it was given up: what became of it is noted down
	if err == nil {
		err = lookErr
	}
	if err == nil && !as {
		err = problem.New("it was done, and is not to be seen").Because("afterwards, the store "+problem.Plain(t.where)+" is as before: "+op.Text()).
			Try("look at the store by the system's own means", "run the same command again: it looks what is there")
	}
	done := *e.Op
	done.MS = r.Clock.Now().Sub(began).Milliseconds()
	e.Name, e.Op, e.Error = OpDone, &done, errorInfo(err)
	r.emit(e)
	entry.Body, entry.State = "", storeState(err, as, lookErr)
	if err := errors.Join(err, r.journal(entry)); err != nil {
		return nil, err
	}
	return map[string]string{}, nil
}

// storeState goes by what was seen afterwards. A change that failed and is half done is lost: the next run looks.
func storeState(err error, as bool, lookErr error) string {
	switch {
	case err == nil:
		return Carried
	case lookErr != nil || as:
		return Lost
	}
	return Failed
}

// asWanted says whether an action changed nothing, because each of its operations found everything as wanted.
func asWanted(a plan.Action, outputs map[string]string) bool {
	found := 0
	for _, op := range a.Ops {
		if _, is := outputs[foundOutput+op.ID]; is {
			found++
		}
	}
	return found > 0 && found == len(a.Ops)
}

// keepFound is for an action whose work somebody else did after the plan was made: what is there is not of this run's making.
func (r *runner) keepFound(a plan.Action, result ActionResult) ActionResult {
	result.Outputs = maps.Clone(result.Outputs)
	maps.DeleteFunc(result.Outputs, func(name, _ string) bool {
		return slices.ContainsFunc(a.Ops, func(op plan.Op) bool { return name == foundOutput+op.ID })
	})
	if a.Effect == plan.Delete {
		result.Outcome = steps.Unchanged
		return result
	}
	a.Effect, result.Outcome = plan.Adopt, steps.Adopted
	return r.keep(a, result)
}
