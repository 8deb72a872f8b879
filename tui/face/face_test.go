package face

import (
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/run"
	"npsetup/steps/secret"
)

func TestFingerprintsArePartedIntoFours(t *testing.T) {
	sha1, sha256 := strings.Repeat("0a1B", 10), strings.Repeat("0a1b", 16)
	for value, want := range map[string]string{
		sha1:                           strings.TrimSpace(strings.Repeat("0a1B ", 10)),
		sha256:                         strings.TrimSpace(strings.Repeat("0a1b ", 16)),
		"CN=deadbeef":                  "CN=deadbeef",
		"00A103EE":                     "00A103EE",
		sha256[1:] + "x":               sha256[1:] + "x",
		"":                             "",
		strings.Repeat("é", 40) + sha1: strings.Repeat("é", 40) + sha1,
	} {
		if got := Grouped(value); got != want {
			t.Errorf("%q became %q, want %q", value, got, want)
		}
	}
}

func TestASecretNeverBecomesADraft(t *testing.T) {
	kept := map[string]secret.Secret{}
	keep := func(key string, s secret.Secret) { kept[key] = s }
	f := steps.Field{Key: "password", Kind: steps.SecretField}
	if draft, typed := Draft(f, "S3CR3T", keep); draft != "prompt" || typed.Wire() != "S3CR3T" || kept["password"].Wire() != "S3CR3T" {
		t.Errorf("%q, %v", draft, typed)
	}
	for _, reference := range []string{"env:NPS_PASSWORD", "prompt", ""} {
		if draft, typed := Draft(f, reference, keep); draft != reference || !typed.Empty() {
			t.Errorf("%q became %q", reference, draft)
		}
	}
	if draft, _ := Draft(steps.Field{Kind: steps.Multi}, " a, b,, c ", keep); draft != "a\nb\nc" {
		t.Errorf("%q", draft)
	}
}

func TestTheNextThingByHandIsTheFirstThatWaitsForNothing(t *testing.T) {
	hand := func(key string, after ...string) plan.Action {
		return plan.Action{Key: key, Step: key, Effect: plan.ByHand, After: after}
	}
	p := plan.Plan{Actions: []plan.Action{{Key: "user", Step: "user", Effect: plan.Create}, hand("key", "user"), hand("dialog"), hand("plan", "dialog")}}
	h := &Hand{}
	next := func() string { a, _ := h.Next(p); return a.Key }
	if next() != "dialog" {
		t.Errorf("first %q", next())
	}
	h.Done = append(h.Done, "dialog")
	if next() != "plan" || !h.Unnoted() {
		t.Errorf("then %q", next())
	}
	h.PutOff("plan")
	if next() != "" {
		t.Errorf("put off just now, and %q comes", next())
	}
	h.Do("other")
	if a, _ := h.Next(p); a.Key != "plan" || h.Again(p, a) != "You put this off. It comes once more before the end: nothing is complete without it. Later leaves it for another day." {
		t.Errorf("put off, and %q comes: %q", next(), h.Again(p, a))
	}
	h.PutOff("plan")
	if next() != "" {
		t.Errorf("put off twice, and %q comes", next())
	}
	if _, back := h.Back(); !back || next() != "plan" {
		t.Errorf("gone back, and %q comes", next())
	}
	h.Note()
	if h.Unnoted() {
		t.Error("what was noted down is not")
	}
	h.LeaveOut(run.Result{Actions: []run.ActionResult{{Step: "user", Outcome: steps.Failed}, {Step: "other", Outcome: steps.NotRun}}})
	if len(h.Out) != 1 || h.Out[0] != "user" {
		t.Errorf("left out: %q", h.Out)
	}
}

// TestWhatWasPutOffComesBehindAllElse, and says what waits for it.
func TestWhatWasPutOffComesBehindAllElse(t *testing.T) {
	act := func(key string, e plan.Effect, after ...string) plan.Action {
		return plan.Action{Key: key, Step: key, Effect: e, Object: "object", Name: key, After: after}
	}
	p := plan.Plan{Actions: []plan.Action{act("a", plan.ByHand), act("b", plan.ByHand), act("c", plan.Create, "a"), act("d", plan.Create, "c"), act("e", plan.Create, "a"), act("f", plan.Create, "a"), act("g", plan.Adopt, "a")}}
	var h Hand
	h.PutOff("a")
	if a, _ := h.Next(p); a.Key != "b" || h.Again(p, a) != "" {
		t.Errorf("%q comes: %q", a.Key, h.Again(p, a))
	}
	h.Do("b")
	a, _ := h.Next(p)
	if want := `You put this off. It comes once more before the end: this waits for it: object "c", object "d", object "e", 1 more. Later leaves it for another day.`; a.Key != "a" || h.Again(p, a) != want {
		t.Errorf("%q comes: %q", a.Key, h.Again(p, a))
	}
	h.PutOff("a")
	h.Recall()
	if a, _ = h.Next(p); a.Key != "a" || h.Again(p, a) != "" {
		t.Errorf("recalled, and %q comes: %q", a.Key, h.Again(p, a))
	}
}

// TestNobodysWordStandsForAFile: what awaits a file is asked for again as long as a plan has it, and what came of it is shown
// before anything else is done by hand.
func TestNobodysWordStandsForAFile(t *testing.T) {
	submit := plan.Action{Key: "submit", Step: "certificate", Effect: plan.ByHand, Ops: []plan.Op{{Kind: plan.KindManual, Manual: &plan.Manual{Awaits: "/x.p7b"}}}}
	user := plan.Action{Key: "user", Step: "user", Effect: plan.Create, After: []string{"submit"}}
	other := plan.Action{Key: "other", Step: "other", Effect: plan.ByHand}
	waiting := plan.Plan{Actions: []plan.Action{submit, user, other}}
	var h Hand
	if h.Missing(submit) != "" {
		t.Error("it is missing before anybody said that it is there")
	}
	h.Look(submit)
	if a, is := h.Next(waiting); !is || a.Key != "submit" || h.Missing(a) != "/x.p7b" || h.Came(waiting) {
		t.Errorf("next is %s, %v", a.Key, is)
	}
	if n, of := h.Position(waiting); n != 1 || of != 2 {
		t.Errorf("%d of %d", n, of)
	}
	h.Look(submit)
	user.After = nil
	found := plan.Plan{Actions: []plan.Action{user, other}}
	if !h.Came(found) {
		t.Error("what came of the file is not shown")
	}
	if h.Came(found) {
		t.Error("it is shown twice")
	}
	h.Do("other")
	if h.Came(plan.Plan{Actions: []plan.Action{user}}) {
		t.Error("a word about something else counts as a file")
	}
}
