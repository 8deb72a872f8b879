package passwordsecure

import (
	"context"
	"fmt"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	connectorStep = "connector"
	kindConnector = "integration connector"
)

// seenConnector is what Look found of the connector and of its template.
type seenConnector struct {
	Template *npsapi.ConnectorTemplate            // nil: the server lists none
	Named    *nps.Object[npsapi.Connector]        // by its name, where connectors are listed
	ID       string                               // of Named, or of the one that is found by its settings
	Settings npsapi.VaultSettings                 // of that one
	Account  string                               // the name of the service account that it has, where it is another one than wanted
	Rows     map[string][]npsapi.ConnectorSetting // of all connectors by id, where only settings are listed
	Listed   bool                                 // connectors are listed
	Told     bool                                 // their settings are, at least
	Foreign  bool                                 // the one of that name is of another template
	Unclear  bool                                 // or its settings are not understood
}

var connectorKey = steps.Key[seenConnector]{Name: "passwordsecure.connector"}

// connector is B6.
func (w World) connector() steps.Step {
	return steps.Step{
		ID: connectorStep, Title: "Integration connector", Article: "Configure the Password Secure Vault Connector, 1-4",
		Why: "it is the vault from which activities take their credentials",
		Fields: []steps.Field{
			{Key: keyConnector, Kind: steps.Text, Prompt: "Name of the connector", Default: "NPS Password", Example: "NPS Password", Help: "It also names this run: another connector is another run."},
			{Key: keyDescription, Kind: steps.Text, Prompt: "Its description", Optional: true},
			{
				Key: keySkip, Kind: steps.Switch, Prompt: "Skip Certificate Check", Default: "false", Example: "false",
				Help: "The article ticks it. Without the check anyone in between can read the API key; a certificate that the NPS server trusts makes the tick needless.",
			},
		},
		Look: lookConnector, Plan: w.planConnector, Verify: w.verifyConnector,
	}
}

func lookConnector(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyConnector)
	seen := seenConnector{}
	f := steps.Finding{Kind: steps.ObjectFinding, Title: kindConnector + " " + name, State: steps.Missing, Wanted: true}
	defer func() { steps.Put(s, connectorKey, seen); s.See(f) }()
	if err := seen.lookTemplate(ctx, s); err != nil {
		return err
	}
	found, err := nps.Find(ctx, s, npsapi.ListConnectors(), func(c npsapi.Connector) bool { return nps.Same(c.Name, name) })
	switch {
	case problem.Is(err, problem.NotOffered):
		err = seen.lookSettings(ctx, s)
		f.State, f.Text = steps.Doubtful, "this server does not list connectors by name"
	case err != nil:
		return err
	default:
		seen.Listed, seen.Told = true, true
		err = seen.take(s, name, found)
		seen.lookFormer(ctx, s)
	}
	if seen.ID != "" {
		s.Know(kindConnector, name, seen.ID)
		f.State, f.Rows = steps.Info, seen.rows(s)
	}
	return err
}

// lookTemplate makes sure that the template is there before anything is promised, where templates are listed.
func (seen *seenConnector) lookTemplate(ctx context.Context, s *steps.Scene) error {
	found, err := nps.Find(ctx, s, npsapi.ListConnectorTemplates(), func(t npsapi.ConnectorTemplate) bool { return nps.Same(t.Name, npsapi.TemplatePasswordSecure) })
	switch {
	case problem.Is(err, problem.NotOffered):
		s.Observe("templates", "not listed")
		return nil
	case err != nil:
		return err
	case len(found) == 0:
		s.Problem(problem.New("NPS has no connector template "+npsapi.TemplatePasswordSecure).Coded(problem.VaultTemplateMissing).
			Because("it is there from NPS "+MinVersion+" on").
			Try("look under Configuration > Integration Connectors whether Connector Template offers it", "if it does not, update NPS first; nothing was changed"))
		return nil
	}
	seen.Template = &found[0].Row
	s.Observe("template", seen.Template)
	return nil
}

// take judges the connector of that name.
func (seen *seenConnector) take(s *steps.Scene, name string, found []nps.Object[npsapi.Connector]) error {
	if len(found) == 0 {
		s.Observe("connector", nil)
		return nil
	}
	if len(found) > 1 {
		s.Problem(nps.Several(kindConnector, name, nps.IDs(found, func(c npsapi.Connector) string { return c.ID })))
		return nil
	}
	seen.Named = &found[0]
	c := found[0].Row
	seen.ID = c.ID
	s.Observe("connector", c) // its secrets are not decoded
	understood := false
	seen.Settings, understood = c.Settings()
	seen.Unclear = !understood
	if seen.Template != nil && c.ConnectorTemplateID != "" && !nps.Same(c.ConnectorTemplateID, seen.Template.ID) {
		seen.Foreign = true
		s.Problem(problem.New(fmt.Sprintf("the connector %q is not one to Password Secure", problem.Plain(name))).At(keyConnector).
			Because("it was made by another template, and a connector keeps its template").
			Try("give connector.name another name"))
	}
	return nil
}

// lookFormer reads the name of another service account than the wanted one, for whoever puts it back. Without it its id has to do.
func (seen *seenConnector) lookFormer(ctx context.Context, s *steps.Scene) {
	account, _ := steps.Get(s, accountKey)
	id := seen.Settings.ServiceAccount
	if id == "" || account.Named != nil && nps.Same(account.Named.Row.ID, id) {
		return
	}
	if former, err := nps.Read[npsapi.StoredCredential](ctx, s, npsapi.GetCredential(plan.String(id))); err == nil {
		seen.Account = former.Row.Name
	}
}

// lookSettings finds the connector by the values of its settings, where only those are listed: the one that goes to this address by
// this service account.
func (seen *seenConnector) lookSettings(ctx context.Context, s *steps.Scene) error {
	all, err := nps.Find(ctx, s, npsapi.ListConnectorSettings(), func(r npsapi.ConnectorSetting) bool { return r.ConnectorID != "" })
	if problem.Is(err, problem.NotOffered) {
		s.Observe("connectors", "not listed")
		return nil
	}
	if err != nil {
		return err
	}
	seen.Told = true
	account, _ := steps.Get(s, accountKey)
	sight, _ := steps.Get(s, sightingKey)
	byID := map[string][]npsapi.ConnectorSetting{}
	for _, r := range all {
		byID[r.Row.ConnectorID] = append(byID[r.Row.ConnectorID], r.Row)
	}
	var ids []string
	for id, rows := range byID {
		settings, understood := npsapi.VaultSettingsOf(rows)
		if understood && account.Named != nil && nps.Same(settings.ServiceAccount, account.Named.Row.ID) && sameURL(settings.APIURL, sight.URL) {
			ids = append(ids, id)
			seen.ID, seen.Settings = id, settings
		}
	}
	if len(ids) > 1 {
		s.Problem(nps.Several(kindConnector, s.Answers.Text(keyConnector), ids))
	}
	s.Observe("connector id", seen.ID)
	s.Observe("settings", seen.Settings)
	return nil
}

func (seen seenConnector) rows(s *steps.Scene) []steps.Row {
	sight, _ := steps.Get(s, sightingKey)
	account := "another one"
	if a, _ := steps.Get(s, accountKey); a.Named != nil && nps.Same(a.Named.Row.ID, seen.Settings.ServiceAccount) {
		account = s.Answers.Text(keyAccount)
	}
	return []steps.Row{
		{Label: "API URL", Value: problem.Plain(seen.Settings.APIURL), Wanted: sight.URL},
		{Label: "Service Account", Value: problem.Plain(account), Wanted: s.Answers.Text(keyAccount)},
		{Label: "Skip Certificate Check", Value: spoken(seen.Settings.SkipCertificateCheck), Wanted: spoken(s.Answers.Switch(keySkip))},
	}
}

func spoken(b bool) string { return nps.Spoken(fmt.Sprint(b)) }
