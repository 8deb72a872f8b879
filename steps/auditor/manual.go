package auditor

import (
	"context"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// pageOf is the manual page of a step for where the certificate comes from, as far as it has one of its own: STEP.ROAD. issued:
// the certificate is known not to be self-signed. What is known besides comes first, in variants.
func (w World) pageOf(step string, a steps.Answers, issued bool, variants ...string) string {
	road := roadOf(a)
	for _, variant := range append(variants, road, map[bool]string{true: "issued"}[issued || road == roadRequest]) {
		if variant != "" && w.Texts.Has(step+"."+variant) {
			return step + "." + variant
		}
	}
	return step
}

// values are the values that manual pages carry over, by placeholder.
func (w World) values(s *steps.Scene) map[string]string {
	a := s.Answers
	presented, _ := steps.Get(s, nps.PresentedKey)
	v := map[string]string{
		"url": a.Text("nps.url"), "application": a.Text(keyApplication),
		"profile": a.Text(keyProfile), "settings": settingLines(profileSettings(a)), "platform": platformName, "activity": a.Text(keyActivity),
		"template": loginTemplate, "domain": domainVariable, "group": a.Text(keyGroup), "action": actionName(a), "pair": pairName(a),
		"policy": a.Text(keyPolicy), "resource": strings.Join(a.List(keyResources), "\n"), "serviceAccount": a.Text(keyServiceAccount),
		"plan": a.Text(keyPlan), "item": strings.Join(a.List(keyItems), "\n"),
	}
	certificateValues(s, v)
	if len(presented.Chain) > 0 {
		v["fingerprint"] = presented.Chain[0].SHA256
	}
	return v
}

func settingLines(wanted []setting) string {
	lines := make([]string, len(wanted))
	for i, st := range wanted {
		lines[i] = st.Label + " = " + st.Shown
	}
	return strings.Join(lines, "\n")
}

// page is the manual page of a step, filled in.
func (w World) page(s *steps.Scene, step string) (*plan.Manual, error) {
	chain, _ := steps.Get(s, chainKey)
	var variants []string
	if _, is := steps.Get(s, loneKey); is {
		variants = []string{"lone"}
	}
	m, err := w.Texts.Manual(w.pageOf(step, s.Answers, chain.Root.SHA256 != "" && chain.Root.SHA256 != chain.Leaf.SHA256, variants...), s.Version, w.values(s))
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// byHand is the action of a step that a person does; none when its evidence is seen, or the run record says that it was done
// for what it is about.
func (w World) byHand(s *steps.Scene, step, object, name string, about plan.Value, seen func(*steps.Scene) string, after ...string) ([]plan.Action, error) {
	if evident(s, step, about, seen) != "" && !changing(s.Planned()) || done(s, step, about) {
		return nil, nil
	}
	m, err := w.page(s, step)
	if err != nil {
		return nil, err
	}
	m.About = about
	a := manualAction(step, object, name, m, after...)
	switch {
	case refuted(s, step):
		a.Notes = append(a.Notes, "it was said to be done, and after that NPS refused the certificate as one that it does not trust: "+s.Memory.Failed.What)
	case s.Memory.ManualDone[step]:
		a.Notes = append(a.Notes, "it was done before, for something that is not there any longer: it has to be done again")
	}
	return []plan.Action{a}, nil
}

func manualAction(key, object, name string, m *plan.Manual, after ...string) plan.Action {
	return plan.Action{
		Key: key, Effect: plan.ByHand, Object: object, Name: name, After: after,
		Ops: []plan.Op{{ID: "manual", Kind: plan.KindManual, Class: plan.Change, Repeat: plan.Never, Manual: m}},
	}
}

// notOffered says whether the server was found not to have one of the operations, on this very version.
func notOffered(s *steps.Scene, operations ...string) (string, bool) {
	for _, op := range operations {
		if v, ok := s.Memory.NotOffered[op]; ok && v == s.Version {
			return op, true
		}
	}
	return "", false
}

// provenBy makes a Verify of a Plan: what is still planned is what is missing.
func provenBy(planned func(*steps.Scene) ([]plan.Action, error), proven func(*steps.Scene) string) func(context.Context, *steps.Scene) steps.Proof {
	return func(_ context.Context, s *steps.Scene) steps.Proof {
		actions, err := planned(s)
		if err != nil {
			return steps.Proof{State: steps.NotProven, Text: problem.Plain(err.Error())}
		}
		var missing []string
		var ds []plan.Difference
		state := steps.Proven
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
			missing = append(missing, missingText(a))
			ds = append(ds, a.Difference...)
		}
		if state == steps.Proven {
			return steps.Proof{State: steps.Proven, Text: proven(s)}
		}
		return steps.Proof{State: state, Text: strings.Join(missing, "; "), Difference: ds}
	}
}

func missingText(a plan.Action) string {
	what := fmt.Sprintf("%s %q", a.Object, problem.Plain(a.Name))
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

// done says whether a person said to have done a step for what it is about, and nothing has refuted that since.
func done(s *steps.Scene, step string, about plan.Value) bool {
	return s.Memory.IsDone(step, about) && !refuted(s, step)
}

// refuted says whether a proof of ours has shown, after it was said to be done, that it was not: NPS does not trust the certificate. A
// person who wants a session now has looked.
func refuted(s *steps.Scene, step string) bool {
	f := s.Memory.Failed
	return step == trustStep && !s.Memory.Prove && s.Memory.ManualDone[step] && f != nil && f.Untrusted && !s.Memory.ManualAt[step].After(f.At)
}

// evident is what was seen of a doing, or nothing. What a person said to have done for something else shows only that.
func evident(s *steps.Scene, step string, about plan.Value, seen func(*steps.Scene) string) string {
	if refuted(s, step) {
		if ev, _ := steps.Get(s, evidenceKey); !ev.after(s.Memory.Failed.At) {
			return ""
		}
		return seen(s)
	}
	if s.Memory.ManualDone[step] && !s.Memory.IsDone(step, about) {
		return ""
	}
	return seen(s)
}

// byWord is the Verify of a manual step whose doing shows itself by a session, if at all.
func byWord(step string, about func(*steps.Scene) plan.Value, seen func(*steps.Scene) string) func(context.Context, *steps.Scene) steps.Proof {
	return func(_ context.Context, s *steps.Scene) steps.Proof {
		if text := evident(s, step, about(s), seen); text != "" {
			return steps.Proof{State: steps.Proven, Text: text, Seen: true, About: about(s)}
		}
		if done(s, step, about(s)) {
			return steps.Proof{State: steps.ByWord, Text: "said to be done; nothing can be read back"}
		}
		if refuted(s, step) {
			return steps.Proof{State: steps.NeedPerson, Text: "it was said to be done, and after that NPS refused the certificate as one that it does not trust; look again, and say so with --done " + step}
		}
		return steps.Proof{State: steps.NeedPerson, Text: "by hand; say so with --done " + step}
	}
}
