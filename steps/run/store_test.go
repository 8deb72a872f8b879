package run_test

import (
	"context"
	"crypto/sha1" //nolint:gosec // a thumbprint
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// anchors is a store of trusted roots that logs into the world.
type anchors struct {
	w     *world
	holds map[string]bool // by SHA-256
	fail  error           // of Carry
	half  bool            // a failing Carry has done its work
	idle  bool            // Carry does nothing and says so to nobody
	blind error           // of AsWanted, after Carry was called
	tried bool
}

func (a *anchors) AsWanted(_ context.Context, s plan.Store) (bool, error) {
	a.w.note("look", s.Subject)
	if a.tried && a.blind != nil {
		return false, a.blind
	}
	return a.holds[s.SHA256] != s.Remove, nil
}

func (a *anchors) Carry(_ context.Context, s plan.Store) error {
	a.w.note("carry", s.Subject)
	a.tried = true
	if (a.fail == nil || a.half) && !a.idle {
		a.holds[s.SHA256] = !s.Remove
	}
	return a.fail
}

func storeOp(subject string, remove bool) plan.Op {
	s1, s256 := sha1.Sum([]byte(subject)), sha256.Sum256([]byte(subject)) //nolint:gosec // a thumbprint
	return plan.Op{ID: "op-" + subject, Kind: plan.KindStore, Class: plan.Change, Repeat: plan.ByName, Store: &plan.Store{
		Store: `LocalMachine\Root`, Thumbprint: hex.EncodeToString(s1[:]), SHA256: hex.EncodeToString(s256[:]), Subject: subject, Certificate: []byte(subject), Remove: remove,
	}}
}

func storeAction(e plan.Effect, ops ...plan.Op) plan.Action {
	return plan.Action{Key: "root", Step: "root", Effect: e, Object: "certificate", Name: "CN=root", Ops: ops}
}

func applyTo(t *testing.T, a *anchors, p ...plan.Action) run.Result {
	t.Helper()
	if a.holds == nil {
		a.holds = map[string]bool{}
	}
	o := a.w.options()
	o.Anchors = a
	r, err := run.Apply(t.Context(), plan.Plan{Actions: p}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStoresAreJournalledAndReadBack(t *testing.T) {
	for _, remove := range []bool{false, true} {
		op, effect := storeOp("CN=root", remove), plan.Create
		if remove {
			effect = plan.Delete
		}
		a := &anchors{w: &world{}, holds: map[string]bool{op.Store.SHA256: remove}}
		wantOutcomes(t, applyTo(t, a, storeAction(effect, op)), steps.Done)
		wantLog(t, a.w, "look CN=root", "journal sending root/op-CN=root", "carry CN=root", "look CN=root", "journal done root/op-CN=root")
		first, last := a.w.entries[0], a.w.entries[1]
		if first.Request != op.Text() || !strings.Contains(first.Body, "BEGIN CERTIFICATE") || first.Effect != effect.String() || last.Body != "" {
			t.Errorf("%+v\n%+v", first, last)
		}
		if len(a.w.made) != 1 || a.w.made[0].Effect != effect.String() {
			t.Errorf("noted as %v", a.w.made)
		}
		var names []string
		for _, e := range a.w.events {
			names = append(names, e.Name)
			if e.Op != nil && (e.Op.Kind != "store" || e.Op.Path != `LocalMachine\Root`) {
				t.Errorf("%+v", e.Op)
			}
		}
		if want := []string{run.StepStarted, run.OpSent, run.OpDone, run.ActionDone, run.StepDone, run.RunDone}; !slices.Equal(names, want) {
			t.Errorf("%v", names)
		}
	}
}

// TestStoresThatAreAsWantedStay: what somebody else did after the plan was made is not counted as this run's work.
func TestStoresThatAreAsWantedStay(t *testing.T) {
	put, take := storeOp("CN=root", false), storeOp("CN=root", true)
	a := &anchors{w: &world{}, holds: map[string]bool{put.Store.SHA256: true}}
	r := applyTo(t, a, storeAction(plan.Create, put))
	wantOutcomes(t, r, steps.Adopted)
	wantLog(t, a.w, "look CN=root")
	if len(a.w.made) != 1 || a.w.made[0].Effect != "adopt" || len(r.Actions[0].Outputs) != 0 {
		t.Errorf("noted as %v, outputs %v", a.w.made, r.Actions[0].Outputs)
	}
	a = &anchors{w: &world{}}
	wantOutcomes(t, applyTo(t, a, storeAction(plan.Delete, take)), steps.Unchanged)
	wantLog(t, a.w, "look CN=root")
	if len(a.w.made) != 0 {
		t.Errorf("noted as %v", a.w.made)
	}
	// One of two was there: the action did something.
	other := storeOp("CN=other", false)
	a = &anchors{w: &world{}, holds: map[string]bool{put.Store.SHA256: true}}
	wantOutcomes(t, applyTo(t, a, storeAction(plan.Create, put, other)), steps.Done)
	if len(a.w.made) != 1 || a.w.made[0].Effect != "create" {
		t.Errorf("noted as %v", a.w.made)
	}
}

// TestStoresThatFail: the journal says what was seen afterwards, and a change that is half done is looked for by the next run.
func TestStoresThatFail(t *testing.T) {
	broken := problem.New("the tool failed").Because("of the test").Try("again")
	for what, c := range map[string]struct {
		a     anchors
		state string
		says  string
	}{
		"nothing done": {anchors{fail: broken}, run.Failed, "the tool failed"},
		"half done":    {anchors{fail: broken, half: true}, run.Lost, "the tool failed"},
		"blind":        {anchors{blind: problem.New("the store cannot be read").Try("mend it")}, run.Lost, "the store cannot be read"},
		"said done":    {anchors{idle: true}, run.Failed, "is not to be seen"},
	} {
		c.a.w = &world{}
		r := applyTo(t, &c.a, storeAction(plan.Create, storeOp("CN=root", false)))
		wantOutcomes(t, r, steps.Failed)
		wantError(t, r.Actions[0].Err, problem.Failed, c.says)
		if n := len(c.a.w.entries); n != 2 || c.a.w.entries[1].State != c.state {
			t.Errorf("%s: %+v", what, c.a.w.entries)
		}
		if len(c.a.w.made) != 0 {
			t.Errorf("%s: noted as %v", what, c.a.w.made)
		}
	}
	w := &world{journal: func(run.Entry) error { return errDisk }}
	a := &anchors{w: w}
	r := applyTo(t, a, storeAction(plan.Create, storeOp("CN=root", false)))
	wantOutcomes(t, r, steps.Failed)
	if !errors.Is(r.Actions[0].Err, errDisk) || a.tried {
		t.Errorf("without a journal: %v, tried %t", r.Actions[0].Err, a.tried)
	}
}

// TestStoresWithoutTheCertificateThatTheyShow are refused before anything is done.
func TestStoresWithoutTheCertificateThatTheyShow(t *testing.T) {
	for what, spoil := range map[string]func(*plan.Store){
		"no certificate":      func(s *plan.Store) { s.Certificate = nil },
		"another certificate": func(s *plan.Store) { s.Certificate = []byte("CN=evil") },
		"another SHA-256":     func(s *plan.Store) { s.SHA256 = strings.Repeat("0", 64) },
		"another thumbprint":  func(s *plan.Store) { s.Thumbprint = strings.Repeat("0", 40) },
	} {
		w := &world{}
		op := storeOp("CN=root", false)
		spoil(op.Store)
		o := w.options()
		o.Anchors = &anchors{w: w}
		_, err := run.Apply(t.Context(), plan.Plan{Actions: []plan.Action{create("before"), storeAction(plan.Create, op)}}, o)
		wantError(t, err, problem.Stale, "not the one that it names")
		if w.logged() != "" {
			t.Errorf("%s: %s", what, w.logged())
		}
	}
}
