package auditor

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
	kindUser = "application user"
	userStep = "application-user"
)

var userKey = steps.Key[*object[npsapi.Account]]{Name: "auditor.user"}

// applicationUser is A7.
func (w World) applicationUser() steps.Step {
	return steps.Step{
		ID: userStep, Title: "Application user", Article: "Initial Setup, 7-10",
		Why:  "Auditor signs in to NPS as this user, with its certificate and its API key",
		Look: lookUser, Plan: w.planUser,
		Verify: nps.ProvenBy(w.planUser, func(s *steps.Scene) string {
			u, _ := steps.Get(s, userKey)
			return "read back: serial " + problem.Plain(u.Row.CertificateSerialNumber) + ", SamAccountName " + problem.Plain(u.Row.SamAccountName)
		}),
	}
}

func lookUser(ctx context.Context, s *steps.Scene) error {
	name := s.Answers.Text(keyApplication)
	found, err := findUser(ctx, s)
	if err != nil {
		return err
	}
	steps.Put(s, userKey, nil)
	if len(found) == 0 {
		nps.Observe(s, "user", nil)
		s.See(steps.Finding{Kind: steps.ObjectFinding, Title: kindUser + " " + name, State: steps.Missing, Wanted: true})
		return nil
	}
	if len(found) > 1 {
		s.Problem(nps.Several(kindUser, name, nps.IDs(found, func(a npsapi.Account) string { return a.ID })))
		return nil
	}
	u, err := readUser(ctx, s, found[0].Row.ID)
	if err != nil {
		return err
	}
	nps.Observe(s, "user", u.Raw)
	steps.Put(s, userKey, &u)
	s.Know(kindUser, name, u.Row.ID)
	s.See(steps.Finding{Kind: steps.ObjectFinding, Title: kindUser + " " + name, State: steps.Info, Wanted: true, Rows: []steps.Row{
		{Label: "certificate serial number", Value: problem.Plain(u.Row.CertificateSerialNumber), Wanted: wantedSerial(s)},
		{Label: "SamAccountName", Value: problem.Plain(u.Row.SamAccountName), Wanted: name},
	}})
	if u.Row.Locked {
		s.Warn("the application user is locked in NPS: unlock it there, or Auditor cannot sign in", problem.ApplicationUserLocked)
	}
	return nil
}

// findUser finds the application users of the answered name.
func findUser(ctx context.Context, s *steps.Scene) ([]object[npsapi.Account], error) {
	name := s.Answers.Text(keyApplication)
	return nps.Find(ctx, s, npsapi.SearchApplicationUsers(name), func(a npsapi.Account) bool {
		return nps.Same(a.Name, name) || a.Name == "" && nps.Same(a.DisplayName, name)
	})
}

func readUser(ctx context.Context, s *steps.Scene, id string) (object[npsapi.Account], error) {
	return nps.Read[npsapi.Account](ctx, s, npsapi.GetAccount(plan.String(id)))
}

func wantedSerial(s *steps.Scene) string { return shownOf(ofCertificate(s, plan.SerialOutput)) }

func (w World) planUser(s *steps.Scene) ([]plan.Action, error) {
	name := s.Answers.Text(keyApplication)
	cert, known := steps.Get(s, certificateKey)
	if !known && roadOf(s.Answers) == roadAuditor {
		return nil, fmt.Errorf("the certificate was not read")
	}
	u, _ := steps.Get(s, userKey)
	if u == nil {
		s.Promise(kindUser, name, userStep, "id")
		return []plan.Action{createUser(name, serialSetting(s))}, nil
	}
	var wanted []setting
	if !known || !w.SameSerial(u.Row.CertificateSerialNumber, cert.Serial) {
		wanted = append(wanted, serialSetting(s))
	}
	if u.Row.SamAccountName == "" {
		// The login account template of the activity is filled from it.
		wanted = append(wanted, nps.TextSetting("SamAccountName", "samAccountName", name))
	}
	if len(wanted) == 0 {
		return nps.Adopted(s, userStep, kindUser, name), nil
	}
	return []plan.Action{updateUser(name, *u, wanted)}, nil
}

// serialSetting is the serial number that the user gets: known, or from what makes the certificate.
func serialSetting(s *steps.Scene) setting {
	v := ofCertificate(s, plan.SerialOutput)
	return setting{Label: "Certificate Serial Number", Field: "certificateSerialNumber", Want: v, Shown: shownOf(v)}
}

func createUser(name string, serial setting) plan.Action {
	wanted := []setting{
		nps.TextSetting("Application Name", "name", name), nps.TextSetting("Display Name", "displayName", name), nps.TextSetting("SamAccountName", "samAccountName", name),
		serial,
	}
	body := nps.Apply(plan.Object{{Name: "entityType", Value: plan.Int(npsapi.EntityApplication)}}, wanted)
	op := nps.CallOp("create", npsapi.CreateApplicationUser(body))
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: npsapi.SearchApplicationUsers(name), Member: "name", Value: name}
	return plan.Action{
		Key: userStep, Effect: plan.Create, Object: kindUser, Name: name, Difference: nps.Fresh(wanted), Ops: []plan.Op{op},
		Undo:  nps.UndoOp(npsapi.DeleteApplicationUsers(plan.Ref{Action: userStep, Output: "id", What: kindUser + ` "` + name + `"`})),
		Notes: []string{"NPS makes its API key with it; the key is handed to you by `npsetup key --to FILE`, or on the wizard's page when you ask for it there; nothing shows it unasked"},
	}
}

func updateUser(name string, u object[npsapi.Account], wanted []setting) plan.Action {
	op := nps.CallOp("update", npsapi.UpdateApplicationUser(nps.Apply(u.Raw, wanted)))
	op.Guard = &plan.Guard{Lookup: plan.Lookup{Call: npsapi.GetAccount(plan.String(u.Row.ID))}, Want: u.Raw, Volatile: nps.Volatile()}
	return plan.Action{
		Key: userStep, Effect: plan.Update, Object: kindUser, Name: name, Difference: nps.Differing(u.Raw, wanted), Ops: []plan.Op{op},
		Undo:  nps.UndoOp(npsapi.UpdateApplicationUser(u.Raw)),
		Notes: []string{"whoever signs in as this application with the former certificate cannot do so any longer"},
	}
}

// auditorKey is A8: the key goes to Auditor through a person's hands.
func (w World) auditorKey() steps.Step {
	const id = "auditor-key"
	return steps.Step{
		ID: id, Title: "API key", Article: "Initial Setup, 10-11",
		Why: "with the certificate, the API key is what Auditor signs in with; NPS can show it again, so it is stored nowhere",
		Plan: func(s *steps.Scene) ([]plan.Action, error) {
			var after []string
			if u, _ := steps.Get(s, userKey); u == nil {
				after = []string{userStep}
			}
			name := s.Answers.Text(keyApplication)
			actions, err := w.byHand(s, id, "API key in Auditor", name, keyOwner(s), seenAuditor, after...)
			if user, known := s.ID(kindUser, name); known && len(actions) == 1 {
				call := npsapi.RevealAPIKey(user)
				m := actions[0].Manual()
				m.Values = append(m.Values, plan.Labeled{Label: "API key", Fetch: &call})
			}
			return actions, err
		},
		Verify: nps.ByWord(id, keyOwner, seenAuditor),
	}
}

// keyOwner is the user whose key was pasted: another user has another key.
func keyOwner(s *steps.Scene) plan.Value {
	name := s.Answers.Text(keyApplication)
	if id, known := s.ID(kindUser, name); known {
		return id
	}
	return plan.Ref{Action: userStep, Output: "id", What: kindUser + ` "` + name + `"`}
}
