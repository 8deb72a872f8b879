package auditor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	verifyStep = "verify"
	// ProofStep is the id of the step that opens sessions.
	ProofStep  = verifyStep
	sessionKey = "verify/session"
)

// verify is A17: the whole chain as NPS judges it, a session as the application user, and Auditor's own first one.
func (w World) verify() steps.Step {
	return steps.Step{
		ID: verifyStep, Title: "Proof", Article: "not in the article",
		Why:  "a set-up that went through and does not work is the worst outcome",
		Look: lookSessions, Plan: w.planProof, Verify: verifyChain,
	}
}

// planProof plans a session of our own when there is a key to sign in with and nothing proves the set-up as it is, and
// waits for Auditor's own first session.
func (w World) planProof(s *steps.Scene) ([]plan.Action, error) {
	ev, _ := steps.Get(s, evidenceKey)
	var actions []plan.Action
	before := waitsFor(s, true)
	m, err := w.page(s, verifyStep)
	if err != nil {
		return nil, err
	}
	if _, lacks := notOffered(s, "signInApplication", "signInApplicationShort"); !lacks && sessionNeeded(s, ev) {
		actions = append(actions, sessionAction(s, ev, m))
		before = append(before, sessionKey)
	}
	if seenAuditor(s) == "" || len(actions) == 0 && changing(s.Planned()) { // what is changed now, a session of before does not prove
		actions = append(actions, manualAction(verifyStep, "first collection", s.Answers.Text(keyPlan), m, before...))
	}
	return actions, nil
}

func sessionNeeded(s *steps.Scene, ev evidence) bool {
	if _, key := signsWith(s); key == "" {
		return false
	}
	return s.Memory.Prove || s.Memory.Unproven || changing(s.Planned()) || ev.ours == nil
}

// signsWith are the files with which a session of our own signs in: the certificate and its private key. The key is empty when
// only Auditor has it.
func signsWith(s *steps.Scene) (certificate, key string) {
	switch roadOf(s.Answers) {
	case roadNew, roadRequest:
		f := filesOf(s.Answers)
		return f.cer, f.key
	}
	if inStore(s.Answers) {
		return "", "" // its key stays in the store
	}
	return s.Answers.File(keyCertificate), s.Answers.File(keyPrivateKey)
}

// authoritiesOf are the files with the certificates that vouch for it.
func authoritiesOf(s *steps.Scene) []string {
	switch roadOf(s.Answers) {
	case roadRequest:
		k, _ := steps.Get(s, kitKey)
		return sources(s, k.files)
	case roadAuditor:
		if authorities := s.Answers.File(keyAuthorities); authorities != "" {
			return []string{authorities}
		}
	}
	return nil
}

// waitsFor are the actions that must be done before a session can become active; Auditor's own needs all of them.
func waitsFor(s *steps.Scene, auditors bool) []string {
	var keys []string
	for _, a := range s.Planned() {
		if !a.Changing() {
			continue
		}
		switch a.Step {
		case startStep, importStep, "auditor-key", "monitoring-plan":
			if !auditors {
				continue
			}
		}
		keys = append(keys, a.Key)
	}
	return keys
}

// sessionAction opens one session as Auditor will: by the names of activity and resource, with the client certificate.
func sessionAction(s *steps.Scene, ev evidence, otherwise *plan.Manual) plan.Action {
	a := s.Answers
	login, activity, host := a.Text(keyApplication), a.Text(keyActivity), a.List(keyResources)[0]
	marker := fmt.Sprintf("%s%d", nps.MarkerPrefix, ev.next)
	user, known := s.ID(kindUser, login)
	if !known {
		user = plan.Ref{Action: userStep, Output: "id", What: kindUser + ` "` + login + `"`}
	}
	certificate, key := signsWith(s)
	id := plan.Ref{Action: sessionKey, Output: plan.SessionOutput, What: `session "` + marker + `"`}
	signIn := func(short bool) plan.Call {
		return npsapi.SignInApplication(plan.String(login), plan.SecretLeaf{Name: "API key of " + login}, ofCertificate(s, plan.SerialOutput), short)
	}
	session := plan.Session{
		Login: login, Activity: activity, Resource: host, Marker: marker, Certificate: certificate, PrivateKey: key, Authorities: authoritiesOf(s),
		Key:    npsapi.RevealAPIKey(user),
		SignIn: signIn(false), Otherwise: signIn(true),
		Start:   npsapi.StartSession(npsapi.SessionRequest{Account: user, Activity: activity, Resource: host, Note: marker}),
		Look:    npsapi.GetSession(id),
		CanView: npsapi.CanViewPassword(id), Password: npsapi.GetSessionPassword(id), Log: npsapi.GetSessionLog(id, 100), End: npsapi.EndSession(id),
		Found: plan.Lookup{Call: npsapi.SearchSessions(login), Member: "note", Value: marker, Patient: true},
	}
	return plan.Action{
		Key: sessionKey, Effect: plan.Create, Object: "session", Name: marker, After: waitsFor(s, false), Twin: otherwise,
		Why: "it proves that Auditor will get what it asks for: the account is made, its password can be read, and the session ends",
		Ops: []plan.Op{{ID: "session", Kind: plan.KindSession, Class: plan.Change, Repeat: plan.ByMarker, Marker: marker, Session: &session}},
		Notes: []string{
			"while it runs, its account is a member of " + a.Text(keyGroup) + " on " + host + "; it is ended at once, by the next npsetup resume or verify also after a kill",
			"its password is looked at and not kept; the API key goes to " + a.Text("nps.url") + " only",
		},
		UndoNote: "nothing is left to undo but the record of the session in NPS",
	}
}

func verifyChain(ctx context.Context, s *steps.Scene) steps.Proof {
	user, _ := steps.Get(s, userKey)
	seen, _ := steps.Get(s, policyKey)
	if user == nil || seen.Policy == nil {
		return steps.Proof{State: steps.Differs, Text: "the application user or its policy is not there yet"}
	}
	r, ok := steps.Get(s, nps.ReaderKey)
	if !ok {
		return steps.Proof{State: steps.NotProven, Text: "nobody is signed in to NPS"}
	}
	activity, hosts := s.Answers.Text(keyActivity), s.Answers.List(keyResources)
	for _, host := range hosts {
		granted, err := grants(ctx, r, user.Row.ID, activity, host, seen.Policy.Row.ID)
		if err != nil {
			return steps.Proof{State: steps.NotProven, Text: problem.Plain(err.Error()), Err: err}
		}
		if !granted {
			return steps.Proof{State: steps.Differs, Text: fmt.Sprintf("NPS finds no policy that lets %s run %q on %s", problem.Plain(user.Row.Name), problem.Plain(activity), problem.Plain(host))}
		}
	}
	text := "NPS grants " + problem.Plain(activity) + " on " + problem.Plain(strings.Join(hosts, ", ")) + " to " + problem.Plain(user.Row.Name)
	return proofBySessions(s, text)
}

// proofBySessions adds what the sessions prove, and what they do not.
func proofBySessions(s *steps.Scene, text string) steps.Proof {
	ev, _ := steps.Get(s, evidenceKey)
	if ev.err != nil {
		return steps.Proof{State: steps.NotProven, Text: text + "; its sessions cannot be listed: " + problem.Plain(ev.err.Error()), Err: ev.err}
	}
	state, about := steps.Proven, problem.Code("")
	switch {
	case ev.unproven(s):
		text += "; something was changed since the last session that became active"
	case ev.ours != nil:
		shown, looked := s.Memory.Shown[ev.ours.ID]
		text += fmt.Sprintf("; a session as %s became active and ended", problem.Plain(s.Answers.Text(keyApplication)))
		if !looked {
			text += " (whether its password can be read was not looked at from here: npsetup verify --session looks)"
		}
		if shown.Password != "" {
			text, state = text+", but its password is not proven: "+problem.Plain(shown.Password), steps.NotProven
			about = problem.PasswordNotReadable
		}
		if shown.Took >= slowFrom {
			text += fmt.Sprintf("; it took %d s, which is slow: NPS asks WinRM for HTTPS first (Global Settings > WinRM HTTP setting: set \"Use HTTP\", or give the resource a WinRM certificate)", int(shown.Took.Seconds()))
			about = cmp.Or(about, problem.WinRMFallback)
		}
	case keyElsewhere(s):
		text += "; no session of its own was opened, since the private key of the certificate is not at hand"
	}
	if seenAuditor(s) != "" {
		text += "; " + ev.auditors()
		if expiry := ev.expiry(s); expiry != "" {
			text, about = text+"; "+expiry, problem.CollectionTooLong
		}
		return steps.Proof{State: state, Text: text, Code: about}
	}
	return steps.Proof{State: steps.NeedPerson, Text: text + "; no session of Auditor was seen yet: let it collect once, then npsetup verify, or npsetup verify --watch 10m"}
}

func keyElsewhere(s *steps.Scene) bool {
	_, key := signsWith(s)
	return key == ""
}

// slowFrom is from when on the preparation of a session counts as slow (vendor KB "long provisioning times").
const slowFrom = 30 * time.Second

// grants asks PolicySearch. The answer 404 means that no policy grants it.
func grants(ctx context.Context, r nps.Reader, user, activity, host, policy string) (bool, error) {
	a, err := r.Read(ctx, npsapi.FindPolicies(plan.String(user), activity, host))
	if problem.Is(err, problem.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var found []npsapi.Policy
	if err := json.Unmarshal(a.Body, &found); err != nil {
		return false, fmt.Errorf("the answer of PolicySearch cannot be read: %w", err)
	}
	for _, p := range found {
		if same(p.ID, policy) {
			return true, nil
		}
	}
	return false, nil
}
