package run_test

import (
	"errors"
	"testing"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/run"
)

// TestAWordIsOnDiskAtOnce, of a set-up and of an undo, and so is that it was taken back.
func TestAWordIsOnDiskAtOnce(t *testing.T) {
	state, id := t.TempDir(), run.ID{Server: "https://nps/", Guide: "auditor", Application: "NetwrixAuditor"}
	page := func(key, awaits string) plan.Action {
		return plan.Action{Key: key, Step: key, Effect: plan.ByHand, Object: "page", Name: key, UndoNote: "take it out again", After: []string{"user"}, Ops: []plan.Op{{Kind: plan.KindManual, Class: plan.Change, Manual: &plan.Manual{
			Where: "in Auditor", About: plan.String("thing"), Awaits: awaits, Proof: plan.WordProof(key),
		}}}}
	}
	p := plan.Plan{Actions: []plan.Action{{Key: "user", Step: "user", Effect: plan.Create}, page("dialog", ""), page("submit", "/x.p7b"), page("other", "")}}
	word := func(do func(*run.Dir, run.Options)) (*run.Dir, []run.Deed) {
		t.Helper()
		d, err := run.Open(state, id, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Begin(run.Start{Server: id.Server, Guide: id.Guide, Application: id.Application}); err != nil {
			t.Fatal(err)
		}
		do(d, run.Options{Store: d, Clock: clock{}, Words: map[string][]string{"undo/dialog": {"dialog"}}})
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		if d, err = run.Open(state, id, time.Now); err != nil {
			t.Fatal(err)
		}
		deeds, err := d.Deeds()
		if err != nil {
			t.Fatal(err)
		}
		return d, deeds
	}
	var said []plan.Action
	say := func(p plan.Plan, steps ...string) func(*run.Dir, run.Options) {
		return func(_ *run.Dir, o run.Options) {
			var err error
			if said, err = run.Say(p, steps, o); err != nil {
				t.Fatal(err)
			}
		}
	}
	unsay := func(_ *run.Dir, o run.Options) {
		if err := run.Unsay(said, o); err != nil {
			t.Fatal(err)
		}
	}
	d, deeds := word(say(p, "dialog", "submit"))
	if len(said) != 1 || !d.Memory().IsDone("dialog", plan.String("thing")) || d.Memory().ManualDone["submit"] || d.Memory().ManualDone["other"] || !deeds[0].Told {
		t.Errorf("said %v, remembered %v, deeds %+v", said, d.Memory().ManualDone, deeds)
	}
	if d, deeds = word(unsay); d.Memory().ManualDone["dialog"] || !deeds[0].ByHand || deeds[0].Told {
		t.Errorf("taken back, and remembered %v, deeds %+v", d.Memory().ManualDone, deeds)
	}
	word(say(p, "dialog"))
	d, _ = word(func(d *run.Dir, o run.Options) {
		o.Store = noJournal{d}
		if err := run.Unsay(said, o); err == nil {
			t.Error("nothing went wrong")
		}
	})
	if d.Memory().ManualDone["dialog"] {
		t.Error("killed before its line in the journal, a word that was taken back stands")
	}
	_, deeds = word(say(p, "dialog"))
	u, err := run.Undo(t.Context(), deeds[:1], run.Unmaking{Sender: &shelf{}})
	if err != nil || len(u.Actions) != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
	if d, deeds = word(say(plan.Plan{Actions: u.Actions}, "dialog")); !deeds[0].Over[""] || d.Memory().ManualDone["dialog"] {
		t.Errorf("taken back by hand, and the journal tells %+v", deeds)
	}
	if _, deeds = word(unsay); deeds[0].Over[""] {
		t.Errorf("it was not, and the journal tells %+v", deeds)
	}
}

// noJournal cannot write its journal.
type noJournal struct{ *run.Dir }

func (noJournal) Journal(run.Entry) error { return errors.New("killed") }

// clock is the machine's.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }
