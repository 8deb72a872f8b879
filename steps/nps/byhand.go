package nps

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// ManualAction is an action that a person does, by the clicks of m.
func ManualAction(key, object, name string, m *plan.Manual, after ...string) plan.Action {
	undo := m.Undo
	if undo == plan.NothingBehind {
		undo = ""
	}
	return plan.Action{
		Key: key, Effect: plan.ByHand, Object: object, Name: name, After: after, UndoNote: undo,
		Ops: []plan.Op{{ID: "manual", Kind: plan.KindManual, Class: plan.Change, Repeat: plan.Never, Manual: m}},
	}
}

// InsteadByHand is the manual twin of an action whose call the server is known not to have.
func InsteadByHand(a plan.Action, operation string) plan.Action {
	m := ManualAction(a.Key, a.Object, a.Name, a.Twin)
	m.Difference = a.Difference
	m.Notes = []string{"this server was found not to offer " + operation + ", so it is done by hand and read back"}
	return m
}

// NotOffered says whether the server was found not to have one of the operations, on this very version.
func NotOffered(s *steps.Scene, operations ...string) (string, bool) {
	for _, op := range operations {
		if v, ok := s.Memory.NotOffered[op]; ok && v == s.Version {
			return op, true
		}
	}
	return "", false
}

// Operations lists the contract's names of the calls of an action.
func Operations(a plan.Action) []string {
	var list []string
	for _, op := range a.Ops {
		if op.Call != nil {
			list = append(list, op.Call.Operation)
		}
	}
	return list
}

// NotListed makes a fact of a look that ended since the server does not list what it looked for. It is the one place that decides
// so: the step then goes by what policies show. Any other error stays one.
func NotListed(s *steps.Scene, kind string, err error) bool {
	if !problem.Is(err, problem.NotOffered) {
		return false
	}
	s.Observe("not listed", kind)
	s.See(steps.Finding{
		Kind: steps.TextFinding, Title: kind, State: steps.Info,
		Text: "this server lists none (" + problem.Plain(problem.All(err)[0].What) + "): a person makes it, and what access policies show of it is read back",
	})
	return true
}

// Unreadable is what is said of all that a person made and no call shows.
const Unreadable = "said by a person; this server does not let it be read"

// HandMade is the action for what a person makes because the server does not list it: it is done when what is shown of it does not
// differ and a person said so for what is wanted now.
func HandMade(s *steps.Scene, step, kind, name string, twin *plan.Manual, about plan.Value, shown, all []plan.Difference, back string) []plan.Action {
	if len(shown) == 0 && s.Memory.IsDone(step, about) {
		return nil
	}
	twin.About, twin.Proof = about, plan.WordProof(step)+"; "+back
	a := ManualAction(step, kind, name, twin)
	a.Difference = shown
	if len(shown) == 0 {
		a.Difference = all
	}
	a.Notes = []string{"this server offers no call that makes or lists it, so it is done by hand"}
	return []plan.Action{a}
}

// ProvenBy makes a Verify of a Plan: what is still planned is what is missing.
func ProvenBy(planned func(*steps.Scene) ([]plan.Action, error), proven func(*steps.Scene) string) func(context.Context, *steps.Scene) steps.Proof {
	return func(_ context.Context, s *steps.Scene) steps.Proof {
		actions, err := planned(s)
		if err != nil {
			return steps.Proof{State: steps.NotProven, Text: problem.Plain(err.Error()), Err: err}
		}
		var missing []string
		var ds []plan.Difference
		state, fresh := steps.Proven, true
		for _, a := range actions {
			switch {
			case !a.Changing():
				continue
			case a.Effect == plan.ByHand:
				if state == steps.Proven {
					state = steps.NeedPerson
				}
			default:
				state = steps.Differs
			}
			fresh = fresh && (a.Effect == plan.Create || a.Effect == plan.ByHand) && !s.Memory.Made[steps.MadeKey(a.Object, a.Name)]
			missing = append(missing, missingText(a))
			ds = append(ds, a.Difference...)
		}
		if state == steps.Proven {
			return steps.Proof{State: steps.Proven, Text: proven(s)}
		}
		return steps.Proof{State: state, Text: strings.Join(missing, "; "), Difference: ds, New: fresh && state == steps.Differs}
	}
}

func missingText(a plan.Action) string {
	what := a.Object + " " + plan.Quoted(a.Name)
	switch a.Effect {
	case plan.Create:
		return what + " is not there"
	case plan.Update:
		parts := make([]string, 0, len(a.Difference))
		for _, d := range a.Difference {
			parts = append(parts, fmt.Sprintf("%s is %s, should be %s", d.Label, d.From, d.To))
		}
		return what + ": " + strings.Join(parts, "; ")
	case plan.Restore:
		return what + " was deleted"
	case plan.ByHand:
		if file := a.Awaits(); file != "" {
			return what + " is awaited in " + problem.Plain(file)
		}
		what += " is to be done by hand"
		for _, d := range a.Difference {
			if d.From != "" {
				what += fmt.Sprintf("; %s is %s, should be %s", d.Label, d.From, d.To)
			}
		}
		return what
	case plan.Delete, plan.Adopt:
	}
	return what
}

// Evident is what was seen of a doing, or nothing. What a person said to have done for something else shows only that.
func Evident(s *steps.Scene, step string, about plan.Value, seen func(*steps.Scene) string) string {
	if s.Memory.ManualDone[step] && !s.Memory.IsDone(step, about) {
		return ""
	}
	return seen(s)
}

// ClientTrustStep is the step that makes NPS trust the client certificate: IIS shows at the next sign-in whether it does (403.16).
const ClientTrustStep = "certificate-trust"

// Done says whether a person said to have done a step for what it is about, and nothing has refuted that since.
func Done(s *steps.Scene, step string, about plan.Value) bool {
	return s.Memory.IsDone(step, about) && !refuted(s, step)
}

// refuted says whether a session of ours has shown, after a step was said to be done, that it was not: NPS does not trust the
// certificate. A person who wants a session now has looked.
func refuted(s *steps.Scene, step string) bool {
	f := s.Memory.Failed
	return step == ClientTrustStep && !s.Memory.Prove && s.Memory.ManualDone[step] && f != nil && f.Untrusted && !s.Memory.ManualAt[step].After(f.At)
}

// ByWord is the Verify of a manual step whose doing shows itself by a session, if at all.
func ByWord(step string, about func(*steps.Scene) plan.Value, seen func(*steps.Scene) string) func(context.Context, *steps.Scene) steps.Proof {
	return func(_ context.Context, s *steps.Scene) steps.Proof {
		if text := Evident(s, step, about(s), seen); text != "" {
			return steps.Proof{State: steps.Proven, Text: text, Seen: true, About: about(s)}
		}
		if Done(s, step, about(s)) {
			return steps.Proof{State: steps.ByWord, Text: "said to be done; nothing can be read back"}
		}
		if refuted(s, step) {
			return steps.Proof{State: steps.NeedPerson, Text: "it was said to be done, and after that NPS refused the certificate as one that it does not trust; look again, and say so with --done " + step}
		}
		return steps.Proof{State: steps.NeedPerson, Text: "by hand; say so with --done " + step}
	}
}

// ByHand is the action of a step that a person does, by its page; none when its evidence is seen and nothing is changed that it rests on, or the
// run record says that it was done for what it is about.
func ByHand(s *steps.Scene, step, object, name string, page func() (*plan.Manual, error), about plan.Value, seen func(*steps.Scene) string, after ...string) ([]plan.Action, error) {
	if Evident(s, step, about, seen) != "" && !Changing(s.Planned()) || Done(s, step, about) {
		return nil, nil
	}
	m, err := page()
	if err != nil {
		return nil, err
	}
	m.About = about
	a := ManualAction(step, object, name, m, after...)
	switch {
	case refuted(s, step):
		a.Notes = append(a.Notes, "it was said to be done, and after that NPS refused the certificate as one that it does not trust: "+s.Memory.Failed.What)
	case s.Memory.ManualDone[step]:
		a.Notes = append(a.Notes, "it was done before, for something that is not there any longer: it has to be done again")
	}
	return []plan.Action{a}, nil
}

// Changing says whether a plan changes anything by itself.
func Changing(actions []plan.Action) bool {
	for _, a := range actions {
		if a.Changing() && a.Effect != plan.ByHand {
			return true
		}
	}
	return false
}
