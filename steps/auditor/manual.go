package auditor

import (
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
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

// pageFor is pageOf for what is known of the certificate.
func (w World) pageFor(step string, s *steps.Scene) string {
	chain, _ := steps.Get(s, chainKey)
	var variants []string
	if _, is := steps.Get(s, loneKey); is {
		variants = []string{"lone"}
	}
	return w.pageOf(step, s.Answers, chain.Root.SHA256 != "" && chain.Root.SHA256 != chain.Leaf.SHA256, variants...)
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
		"account": strings.Join(a.List(keyAccounts), "\n"), "credentialPolicy": a.Text(keyCredentialPolicy),
		"plan": a.Text(keyPlan), "item": strings.Join(a.List(keyItems), "\n"),
	}
	for value, key := range map[string]string{"plan": keyPlan, "item": keyItems} {
		if s.Memory.Reads && !a.Has(key) {
			v[value] = "(not answered)" // nobody is shown the page of one who only looks
		}
	}
	certificateValues(s, v)
	if len(presented.Chain) > 0 {
		v["fingerprint"], v["serverThumbprint"] = presented.Chain[0].SHA256, presented.Chain[0].SHA1
	}
	return v
}

// collecting are the activities with which Auditor's sessions appear: each kind of policy has its own.
func collecting(a steps.Answers) string {
	switch {
	case byResource(a) && byCredential(a):
		return a.Text(keyActivity) + " or " + npsapi.ActivityRelease
	case byCredential(a):
		return npsapi.ActivityRelease
	}
	return a.Text(keyActivity)
}

func settingLines(wanted []setting) string {
	lines := make([]string, len(wanted))
	for i, st := range wanted {
		lines[i] = st.Label + " = " + st.Shown
	}
	return strings.Join(lines, "\n")
}

// paragraph are the clicks of a step, in words, with what is answered and was seen so far.
func (w World) paragraph(step string, s *steps.Scene) []string {
	a, values := s.Answers, w.values(s)
	switch step {
	case startStep:
		if _, known := steps.Get(s, certificateKey); !known {
			values["serial"] = unknownSerial
		}
	case verifyStep:
		values["activity"] = collecting(a)
	}
	if step != monitoringStep {
		return w.Texts.Paragraph(w.pageFor(step, s), "", values)
	}
	groups := typedItems(a)
	if byResource(a) && len(itemsOf(a, false)) == 0 { // not answered yet
		groups = append([]typed{{resources: a.List(keyResources)}}, groups...)
	}
	if byCredential(a) && len(itemsOf(a, true)) == 0 {
		groups = append(groups, typed{users: userNames(a), credential: true})
	}
	var lines []string
	for i, g := range groups {
		page := g.fill(values)
		part := w.Texts.Paragraph(page, "", values)
		if i > 0 && len(part) > 0 {
			part = part[1:] // the plan is open
		}
		lines = append(lines, part...)
	}
	return lines
}

// page is the manual page of a step, filled in.
func (w World) page(s *steps.Scene, step string) (*plan.Manual, error) {
	if step == monitoringStep {
		m, err := w.itemPages(s)
		return &m, err
	}
	values := w.values(s)
	if step == verifyStep {
		values["activity"] = collecting(s.Answers)
	}
	m, err := w.Texts.Manual(w.pageFor(step, s), s.Version, values)
	if err != nil {
		return nil, err
	}
	return &m, nil
}

// byHand is the action of a step that a person does, by its page.
func (w World) byHand(s *steps.Scene, step, object, name string, about plan.Value, seen func(*steps.Scene) string, after ...string) ([]plan.Action, error) {
	return nps.ByHand(s, step, object, name, func() (*plan.Manual, error) { return w.page(s, step) }, about, seen, after...)
}
