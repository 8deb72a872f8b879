package auditor

import (
	"fmt"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

// proof is a session that is opened as Auditor will open it: by the names of activity and resource, or by the credential of an account.
type proof struct {
	key, kind        string
	activity, target string // for people: a host, or an account
	request          npsapi.SessionRequest
	note             string // what happens while it runs
}

// proofs are the sessions that prove the set-up: one for each kind of policy, on the first resource and with the first account.
func proofs(s *steps.Scene) []proof {
	a := s.Answers
	var list []proof
	if hosts := a.List(keyResources); byResource(a) && len(hosts) > 0 {
		list = append(list, proof{
			key: sessionKey, kind: kindResourceBased, activity: a.Text(keyActivity), target: hosts[0], request: npsapi.SessionRequest{Activity: a.Text(keyActivity), Resource: hosts[0]},
			note: "while it runs, its account is a member of " + a.Text(keyGroup) + " on " + hosts[0],
		})
	}
	if accounts, _ := steps.Get(s, accountsKey); byCredential(a) && len(accounts) > 0 && accounts[0].Row != nil {
		r := accounts[0].Row
		list = append(list, proof{
			key: sessionKey + "-credential", kind: kindCredential, activity: npsapi.ActivityRelease, target: accounts[0].Given,
			request: npsapi.SessionRequest{Activity: npsapi.ActivityRelease, User: r.UserName, Domain: r.Domain},
			note:    "while it runs, the password of " + accountName(r) + " is lent to it",
		})
	}
	return list
}

// action opens the session with the client certificate, looks at it, and ends it.
func (p proof) action(s *steps.Scene, number int, otherwise *plan.Manual) plan.Action {
	a := s.Answers
	login, marker := a.Text(keyApplication), fmt.Sprintf("%s%d", nps.MarkerPrefix, number)
	user, known := s.ID(kindUser, login)
	if !known {
		user = plan.Ref{Action: userStep, Output: "id", What: kindUser + ` "` + login + `"`}
	}
	certificate, key := signsWith(s)
	id := plan.Ref{Action: p.key, Output: plan.SessionOutput, What: `session "` + marker + `"`}
	signIn := func(short bool) plan.Call {
		return npsapi.SignInApplication(plan.String(login), plan.SecretLeaf{Name: "API key of " + login}, ofCertificate(s, plan.SerialOutput), short)
	}
	request := p.request
	request.Account, request.Note = user, marker
	session := plan.Session{
		Login: login, Activity: p.activity, Resource: p.target, Marker: marker, Certificate: certificate, PrivateKey: key, Authorities: authoritiesOf(s),
		Key:    npsapi.RevealAPIKey(user),
		SignIn: signIn(false), Otherwise: signIn(true),
		Start:   npsapi.StartSession(request),
		Look:    npsapi.GetSession(id),
		CanView: npsapi.CanViewPassword(id), Password: npsapi.GetSessionPassword(id), Log: npsapi.GetSessionLog(id, 100), End: npsapi.EndSession(id),
		Found: plan.Lookup{Call: npsapi.SearchSessions(login), Member: "note", Value: marker, Patient: true},
	}
	return plan.Action{
		Key: p.key, Effect: plan.Create, Object: "session", Name: marker, After: waitsFor(s, false), Twin: otherwise,
		Why: p.why(),
		Ops: []plan.Op{{ID: "session", Kind: plan.KindSession, Class: plan.Change, Repeat: plan.ByMarker, Marker: marker, Session: &session}},
		Notes: []string{
			p.note + "; it is ended at once, by the next npsetup resume or verify also after a kill",
			"its password is looked at and not kept; the API key goes to " + a.Text("nps.url") + " only",
		},
		UndoNote: "nothing is left to undo but the record of the session in NPS",
	}
}

func (p proof) why() string {
	if p.kind == kindCredential {
		return "it proves that Auditor will get what it asks for: the account is lent, its password can be read, and the session ends"
	}
	return "it proves that Auditor will get what it asks for: the account is made, its password can be read, and the session ends"
}
