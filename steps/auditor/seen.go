package auditor

import (
	"context"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

// Short names for what the guides share: package nps says what each does.
type (
	object[T any] = nps.Object[T]
	setting       = nps.Setting
)

func find[T any](ctx context.Context, s *steps.Scene, c plan.Call, match func(T) bool) ([]object[T], error) {
	return nps.Find(ctx, s, c, match)
}

func read[T any](ctx context.Context, s *steps.Scene, c plan.Call) (object[T], error) {
	return nps.Read[T](ctx, s, c)
}

func namesakes[T any](found []object[T], name string, of func(T) (string, bool)) ([]object[T], *object[T]) {
	return nps.Namesakes(found, name, of)
}

func last[T any](rows []object[T]) *object[T]                  { return nps.Last(rows) }
func ids[T any](found []object[T], id func(T) string) []string { return nps.IDs(found, id) }
func observe(s *steps.Scene, key string, o plan.Object)        { nps.Observe(s, key, o) }
func volatile() []string                                       { return nps.Volatile() }
func member(o plan.Object, name string) string                 { return nps.Member(o, name) }
func text(label, field, want string) setting                   { return nps.TextSetting(label, field, want) }

func truth(label, field string, want bool) setting { return nps.TruthSetting(label, field, want) }

func differing(o plan.Object, wanted []setting) []plan.Difference { return nps.Differing(o, wanted) }
func orNothing(s string) string                                   { return nps.OrNothing(s) }
func fresh(wanted []setting) []plan.Difference                    { return nps.Fresh(wanted) }
func apply(o plan.Object, wanted []setting) plan.Object           { return nps.Apply(o, wanted) }
func rows(o plan.Object, wanted []setting) []steps.Row            { return nps.Rows(o, wanted) }
func known(o plan.Object, wanted []setting) []setting             { return nps.Known(o, wanted) }
func same(a, b string) bool                                       { return nps.Same(a, b) }
func several(kind, name string, ids []string) error               { return nps.Several(kind, name, ids) }
func callOp(id string, c plan.Call) plan.Op                       { return nps.CallOp(id, c) }
func undoOp(c plan.Call) []plan.Op                                { return nps.UndoOp(c) }
func withoutRowIDs(o plan.Object) plan.Object                     { return nps.WithoutRowIDs(o) }
func operations(a plan.Action) []string                           { return nps.Operations(a) }
func changing(actions []plan.Action) bool                         { return nps.Changing(actions) }
func later(a, b *npsapi.Session) *npsapi.Session                  { return nps.Later(a, b) }
func moment(text *string) (time.Time, bool)                       { return nps.Moment(text) }

func numeral(label, field string, want int, shown string) setting {
	return nps.NumberSetting(label, field, want, shown)
}

func returned(body plan.Object, ds []plan.Difference) (plan.Object, []plan.Difference) {
	return nps.Returned(body, ds)
}

func adopted(s *steps.Scene, key, kind, name string) []plan.Action {
	return nps.Adopted(s, key, kind, name)
}

func manualAction(key, object, name string, m *plan.Manual, after ...string) plan.Action {
	return nps.ManualAction(key, object, name, m, after...)
}

func insteadByHand(a plan.Action, operation string) plan.Action {
	return nps.InsteadByHand(a, operation)
}

func notOffered(s *steps.Scene, operations ...string) (string, bool) {
	return nps.NotOffered(s, operations...)
}

func notListed(s *steps.Scene, kind string, err error) bool { return nps.NotListed(s, kind, err) }

func handMade(s *steps.Scene, step, kind, name string, twin *plan.Manual, about plan.Value, shown, all []plan.Difference, back string) []plan.Action {
	return nps.HandMade(s, step, kind, name, twin, about, shown, all, back)
}

func provenBy(planned func(*steps.Scene) ([]plan.Action, error), proven func(*steps.Scene) string) func(context.Context, *steps.Scene) steps.Proof {
	return nps.ProvenBy(planned, proven)
}

func byWord(step string, about func(*steps.Scene) plan.Value, seen func(*steps.Scene) string) func(context.Context, *steps.Scene) steps.Proof {
	return nps.ByWord(step, about, seen)
}

func eachSession(ctx context.Context, r nps.Reader, user string, each func(npsapi.Session)) error {
	return nps.EachSession(ctx, r, user, each)
}
