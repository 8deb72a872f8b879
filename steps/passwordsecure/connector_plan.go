package passwordsecure

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// sameURL compares addresses as a browser would: the slash at the end and letters' case of the host aside.
func sameURL(a, b string) bool {
	return strings.EqualFold(strings.TrimSuffix(a, "/"), strings.TrimSuffix(b, "/"))
}

// wantedConnector is the connector by the answers; its service account is known, or what an action will give.
func wantedConnector(s *steps.Scene) npsapi.VaultConnector {
	a := s.Answers
	sight, _ := steps.Get(s, sightingKey)
	account, known := s.ID(kindAccount, a.Text(keyAccount))
	if !known {
		account = plan.Ref{Action: accountStep, Output: "id", What: kindAccount + ` "` + a.Text(keyAccount) + `"`}
	}
	description := a.Text(keyDescription)
	if seen, _ := steps.Get(s, connectorKey); !a.Has(keyDescription) { // without an answer, one that somebody gave stays
		description = seen.description()
	}
	return npsapi.VaultConnector{Name: a.Text(keyConnector), Description: description, APIURL: sight.URL, ServiceAccount: account, SkipCertificateCheck: a.Switch(keySkip)}
}

// differences are the settings that a connector does not have as wanted; those of a new one when named is nil.
func (seen seenConnector) differences(s *steps.Scene) []plan.Difference {
	want := wantedConnector(s)
	const inferred = "setting found by its type"
	account, _ := steps.Get(s, accountKey)
	list := []struct {
		d    plan.Difference
		same bool
	}{
		{plan.Difference{Label: "Connector Name", Field: "name", From: seen.name(), To: want.Name}, !seen.Listed || seen.name() == want.Name},
		{plan.Difference{Label: "Connector Description", Field: "description", From: seen.description(), To: want.Description}, !seen.Listed || seen.description() == want.Description},
		{plan.Difference{Label: "Connector Template", Field: "connectorTemplateId", To: npsapi.TemplatePasswordSecure}, true},
		{plan.Difference{Label: "API URL", From: seen.Settings.APIURL, To: want.APIURL, Mark: inferred}, sameURL(seen.Settings.APIURL, want.APIURL)},
		{
			plan.Difference{Label: "Service Account", From: "another one", To: s.Answers.Text(keyAccount), Mark: inferred},
			account.Named != nil && nps.Same(account.Named.Row.ID, seen.Settings.ServiceAccount),
		},
		{plan.Difference{Label: "Skip Certificate Check", From: spoken(seen.Settings.SkipCertificateCheck), To: spoken(want.SkipCertificateCheck), Mark: inferred + " and its name"}, seen.Settings.SkipCertificateCheck == want.SkipCertificateCheck},
	}
	var ds []plan.Difference
	for _, x := range list {
		switch {
		case seen.ID == "" && x.d.To != "":
			x.d.From = ""
			ds = append(ds, x.d)
		case seen.ID != "" && !x.same:
			x.d.From = nps.OrNothing(x.d.From)
			ds = append(ds, x.d)
		}
	}
	return ds
}

func (seen seenConnector) name() string {
	if seen.Named == nil {
		return ""
	}
	return seen.Named.Row.Name
}

func (seen seenConnector) description() string {
	if seen.Named == nil {
		return ""
	}
	return seen.Named.Row.Description
}

func (w World) planConnector(s *steps.Scene) ([]plan.Action, error) {
	seen, _ := steps.Get(s, connectorKey)
	name := s.Answers.Text(keyConnector)
	twin, err := w.page(s, connectorStep)
	if err != nil {
		return nil, err
	}
	if seen.ID == "" {
		s.Promise(kindConnector, name, connectorStep, "id")
	}
	ds := seen.differences(s)
	switch {
	case seen.ID != "" && len(ds) == 0 && !seen.Unclear:
		return nps.Adopted(s, connectorStep, kindConnector, name), nil
	case !seen.Told:
		return after(nps.HandMade(s, connectorStep, kindConnector, name, twin, aboutConnector(s), nil, ds, "a session of the activity shows it"), accountFirst(s)), nil
	case seen.Template == nil || seen.Unclear:
		return []plan.Action{seen.byHand(s, ds, twin, "this server does not offer its templates")}, nil
	}
	a, err := seen.action(s, ds)
	if problem.Is(err, problem.NotOffered) {
		return []plan.Action{seen.byHand(s, ds, twin, problem.Plain(problem.All(err)[0].What))}, nil
	}
	if err != nil {
		return nil, err
	}
	a.Object, a.Name, a.Twin, a.Difference, a.Assumption = kindConnector, name, twin, ds, a.Ops[0].Assumed
	if s.Answers.Switch(keySkip) {
		a.Consents = []string{RiskTLS}
		a.Notes = append(a.Notes, "accepted as "+RiskTLS+": "+risks()[0].Text)
	}
	if op, missing := nps.NotOffered(s, nps.Operations(a)...); missing {
		m := nps.InsteadByHand(a, op)
		m.After = accountFirst(s)
		return []plan.Action{m}, nil
	}
	return []plan.Action{a}, nil
}

// byHand is the connector that a person makes or corrects: it is read back.
func (seen seenConnector) byHand(s *steps.Scene, ds []plan.Difference, twin *plan.Manual, why string) plan.Action {
	a := nps.ManualAction(connectorStep, kindConnector, s.Answers.Text(keyConnector), twin, accountFirst(s)...)
	a.Difference = ds
	a.Notes = []string{why + ", so it is done by hand and read back"}
	if s.Answers.Switch(keySkip) {
		a.Consents = []string{RiskTLS}
	}
	return a
}

// accountFirst is the service account's action, as long as there is one: a person chooses it from a list.
func accountFirst(s *steps.Scene) []string {
	for _, a := range s.Planned() {
		if a.Key == accountStep && a.Changing() {
			return []string{accountStep}
		}
	}
	return nil
}

func after(actions []plan.Action, keys []string) []plan.Action {
	for i := range actions {
		actions[i].After = append(actions[i].After, keys...)
	}
	return actions
}

// aboutConnector is what the making of a connector is good for, where nothing of it can be read back.
func aboutConnector(s *steps.Scene) plan.Value {
	want := wantedConnector(s)
	return plan.String(strings.Join([]string{want.Name, want.APIURL, s.Answers.Text(keyAccount), spoken(want.SkipCertificateCheck)}, "\n"))
}

// action makes the connector, or writes over the one that is there. Settings that the article does not name keep their value.
func (seen seenConnector) action(s *steps.Scene, ds []plan.Difference) (plan.Action, error) {
	want := wantedConnector(s)
	if seen.Named == nil {
		body, err := want.Body(*seen.Template)
		if err != nil {
			return plan.Action{}, err
		}
		op := nps.CallOp("create", npsapi.CreateConnector(body))
		op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
		op.Lookup = &plan.Lookup{Call: npsapi.ListConnectors(), Member: "name", Value: want.Name}
		return plan.Action{
			Key: connectorStep, Effect: plan.Create, Ops: []plan.Op{op},
			Undo: nps.UndoOp(npsapi.DeleteConnector(plan.Ref{Action: connectorStep, Output: "id", What: kindConnector + ` "` + want.Name + `"`})),
		}, nil
	}
	id := plan.String(seen.ID)
	t := kept(*seen.Template, seen.Named.Row)
	body, err := want.Body(t)
	if err != nil {
		return plan.Action{}, err
	}
	whole, _ := plan.Veiled(body.With("id", id)).(plan.Object) // settings that the article does not name may be secrets
	back, err := seen.backByHand(want)
	if err != nil {
		return plan.Action{}, err
	}
	op := nps.CallOp("update", npsapi.UpdateConnector(id, whole))
	op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.ListConnectors(), Member: "id", Value: seen.ID}, Want: guarded(seen.Named.Raw), Volatile: nps.Volatile()}
	return plan.Action{
		Key: connectorStep, Effect: plan.Update, Difference: ds, Ops: []plan.Op{op}, Undo: []plan.Op{back},
		Notes: []string{"whatever other activities use this connector goes the new way too"},
	}, nil
}

// backByHand is how a connector that was changed gets its former values: by a person, since a write takes all settings, and no read gives
// those that hold secrets. The row shows whether it still is as the run left it.
func (seen seenConnector) backByHand(want npsapi.VaultConnector) (plan.Op, error) {
	trace := &plan.Trace{Lookup: plan.Lookup{Call: npsapi.ListConnectors(), Member: "id", Value: seen.ID}}
	var clicks []plan.Click
	var failed error
	set := func(label, member, was string, became plan.Value, shown string) {
		before, err := plan.Encode(plan.String(was))
		after, err2 := plan.KeepValue(became)
		failed = errors.Join(failed, err, err2)
		if bytes.Equal(before, after) {
			return
		}
		trace.Changed = append(trace.Changed, plan.Changed{Member: member, Was: before, Became: after})
		clicks = append(clicks, plan.Click{Text: "set “" + label + "” back to " + nps.OrNothing(problem.Plain(shown))})
	}
	set("Connector Name", "name", seen.name(), plan.String(want.Name), seen.name())
	set("Connector Description", "description", seen.description(), plan.String(want.Description), seen.description())
	was := seen.Settings
	for _, r := range seen.Named.Row.ConfigurationValues {
		member := "configurationValues/" + r.Name
		switch r.Role() {
		case npsapi.RoleURL:
			set("API URL", member, string(r.Value), plan.String(want.APIURL), was.APIURL)
		case npsapi.RoleAccount:
			set("Service Account", member, string(r.Value), want.ServiceAccount, cmp.Or(seen.Account, was.ServiceAccount))
		case npsapi.RoleSkip:
			set("Skip Certificate Check", member, string(r.Value), plan.String(strconv.FormatBool(want.SkipCertificateCheck)), spoken(was.SkipCertificateCheck))
		case npsapi.RoleOther:
		}
	}
	open := plan.Click{Text: "open “Configuration” > “Integration Connectors” and choose " + problem.Plain(want.Name)}
	clicks = append(append([]plan.Click{open}, clicks...), plan.Click{Text: "choose “Save”"})
	return plan.Op{ID: "back", Kind: plan.KindManual, Class: plan.Change, Repeat: plan.Never, Trace: trace, Manual: &plan.Manual{
		Where: "NPS, in a browser, as an administrator", Clicks: clicks,
	}}, failed
}

// guarded are the members of a connector that must not have changed. Its settings may hold secrets, which are not kept.
func guarded(o plan.Object) plan.Object {
	return o.Without("configurationValues", "settings")
}

// kept is a template whose defaults are the values that a connector has.
func kept(t npsapi.ConnectorTemplate, c npsapi.Connector) npsapi.ConnectorTemplate {
	rows := make([]npsapi.ConnectorSetting, len(t.ConfigurationValues))
	for i, r := range t.ConfigurationValues {
		for _, have := range c.ConfigurationValues {
			if nps.Same(have.Name, r.Name) && have.Value != "" {
				v := string(have.Value)
				r.DefaultValue = &v
			}
		}
		rows[i] = r
	}
	t.ConfigurationValues = rows
	return t
}

func (w World) verifyConnector(ctx context.Context, s *steps.Scene) steps.Proof {
	seen, _ := steps.Get(s, connectorKey)
	p := nps.ProvenBy(w.planConnector, func(*steps.Scene) string {
		skip := "Skip Certificate Check off"
		if s.Answers.Switch(keySkip) {
			skip = "Skip Certificate Check on: an open risk (" + RiskTLS + ")"
		}
		return "read back: API URL, service account, " + skip
	})(ctx, s)
	switch {
	case p.State != steps.Proven:
	case !seen.Told && reached(s):
		p.Text = "seen: a session went through it; its settings: " + nps.Unreadable
	case !seen.Told:
		p.State, p.Text = steps.ByWord, nps.Unreadable
	case !seen.Listed:
		p.Text += "; its name is not told by this server"
	}
	return p
}
