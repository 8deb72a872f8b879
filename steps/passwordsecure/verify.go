package passwordsecure

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const (
	verifyStep = "vault-verify"
	sessionKey = "vault-verify/session"
)

// evidence is what the sessions of the activity tell.
type evidence struct {
	last   *npsapi.Session // the newest
	log    json.RawMessage // of the newest; may be empty
	course course          // what the log tells
	next   int             // number of the next session of ours
	err    error           // they could not be listed
}

var evidenceKey = steps.Key[evidence]{Name: "passwordsecure.sessions"}

// verify is B9: the whole chain as NPS goes it, by a session.
func (w World) verify() steps.Step {
	return steps.Step{
		ID: verifyStep, Title: "Proof", Article: "System Diagram, 1-7",
		Why:  "only a session shows that NPS gets the credential: its network, its store of roots and its software kit are not this machine's",
		Look: lookSessions, Plan: w.planProof, Verify: verifyChain,
	}
}

// lookSessions collects the evidence. That it cannot be had stops nothing: it is no part of the set-up.
func lookSessions(ctx context.Context, s *steps.Scene) error {
	ev := evidence{next: 1}
	defer func() { steps.Put(s, evidenceKey, ev) }()
	count := func(note string) {
		if n, ours := nps.Numbered(note); ours && n >= ev.next {
			ev.next = n + 1
		}
	}
	for _, marker := range s.Memory.Markers { // also of those that NPS does not list yet
		count(marker)
	}
	r, signedIn := steps.Get(s, nps.ReaderKey)
	if !signedIn {
		return nil
	}
	activity := s.Answers.Text(keyActivity)
	ev.err = nps.EachSession(ctx, r, activity, func(row npsapi.Session) {
		count(row.Note) // whoever opened it, and for what: a number is given once
		if row.ActivityName == activity && nps.StateOf(row) != steps.SessionPending && !s.Memory.Over(nps.Moment(row.CreatedDateTimeUTC)) {
			ev.last = nps.Later(ev.last, &row)
		}
	})
	if ev.last == nil || ev.last.ID == "" || ev.err != nil {
		return ctx.Err()
	}
	a, err := r.Read(ctx, npsapi.GetSessionLog(plan.String(ev.last.ID), 100))
	if err == nil { // without it less is known
		ev.log, ev.course = a.Body, readCourse(nps.LogLines(a.Body))
		s.See(ev.course.finding())
	}
	return ctx.Err()
}

// fresh says whether the last session came after the last change of ours. The times of two machines are compared: a clock that is
// behind asks for one more session.
func (ev evidence) fresh(s *steps.Scene) bool {
	if ev.last == nil {
		return false
	}
	if !s.Memory.Unproven {
		return true
	}
	began, known := nps.Moment(ev.last.CreatedDateTimeUTC)
	return known && !s.Memory.Changed.IsZero() && began.After(s.Memory.Changed)
}

// active says whether the last session became active.
func (ev evidence) active() bool {
	if ev.last == nil {
		return false
	}
	_, started := nps.Moment(ev.last.ActualStartDateTimeUTC)
	return started
}

// readable says whether the password of the last session was readable, where it was one of ours.
func (ev evidence) readable(s *steps.Scene) bool {
	shown, looked := s.Memory.Shown[ev.last.ID]
	return looked && shown.Password == ""
}

// proves says whether the last session got its credential.
func (ev evidence) proves(s *steps.Scene) bool {
	if !ev.fresh(s) || !ev.active() {
		return false
	}
	return ev.course.verdict == found || ev.course.verdict == untold && ev.readable(s)
}

// reached says whether NPS reached Password Secure in a session, signedIn whether the key was taken there.
func reached(s *steps.Scene) bool {
	ev, _ := steps.Get(s, evidenceKey)
	return ev.fresh(s) && (ev.course.lines[4] != "" || ev.course.past() > 4 || ev.course.verdict == keyRefused)
}

func signedIn(s *steps.Scene) bool {
	ev, _ := steps.Get(s, evidenceKey)
	return ev.fresh(s) && (ev.course.lines[4] != "" || ev.course.past() > 4)
}

// opener is the signed-in administrator as a user of the policy: only for oneself a session can be started.
func opener(s *steps.Scene) (npsapi.Account, bool) {
	id, _ := steps.Get(s, nps.IdentityKey)
	members, _ := steps.Get(s, membersKey)
	for _, u := range members.Users {
		if u.EntityType.Is(npsapi.EntityAccount, "ManagedAccount") && (nps.Same(u.Name, id.User) || nps.Same(u.DisplayName, id.User)) {
			return u, true
		}
	}
	return npsapi.Account{}, false
}

// planProof plans a session when nothing proves the set-up as it is, and somebody may open one.
func (w World) planProof(s *steps.Scene) ([]plan.Action, error) {
	ev, _ := steps.Get(s, evidenceKey)
	if ev.proves(s) && !s.Memory.Prove && !nps.Changing(s.Planned()) {
		return nil, nil
	}
	m, err := w.page(s, verifyStep)
	if err != nil {
		return nil, err
	}
	var before []string
	for _, a := range s.Planned() {
		if a.Changing() {
			before = append(before, a.Key)
		}
	}
	profile, _ := steps.Get(s, profileKey)
	if u, can := opener(s); can && profile.alone() {
		return []plan.Action{sessionAction(s, ev, u, before)}, nil
	}
	return []plan.Action{nps.ManualAction(verifyStep, "first session", s.Answers.Text(keyActivity), m, before...)}, nil
}

// unopened says why who is signed in cannot open a session.
func unopened() error {
	return problem.New("no session can be opened from here").Because("who is signed in is no user of the access policy himself, or the connection profile asks for an approval or a ticket").
		Try("add that user under accessPolicy.users", "or let a user of the policy start the activity once: npsetup verify --watch 10m waits for it").Of(problem.Usage)
}

// sessionAction opens one session as a user would: by the names of activity and resource.
func sessionAction(s *steps.Scene, ev evidence, u npsapi.Account, before []string) plan.Action {
	a := s.Answers
	activity, host := a.Text(keyActivity), a.List(keyResources)[0]
	marker := fmt.Sprintf("%s%d", nps.MarkerPrefix, ev.next)
	id := plan.Ref{Action: sessionKey, Output: plan.SessionOutput, What: `session "` + marker + `"`}
	session := plan.Session{
		Login: u.Name, Activity: activity, Resource: host, Marker: marker,
		Start:   npsapi.StartSession(npsapi.SessionRequest{Account: plan.String(u.ID), Activity: activity, Resource: host, Note: marker}),
		Look:    npsapi.GetSession(id),
		CanView: npsapi.CanViewPassword(id), Password: npsapi.GetSessionPassword(id), Log: npsapi.GetSessionLog(id, 100), End: npsapi.EndSession(id),
		Found: plan.Lookup{Call: npsapi.SearchSessions(activity), Member: "note", Value: marker, Patient: true},
	}
	return plan.Action{
		Key: sessionKey, Effect: plan.Create, Object: "session", Name: marker, After: before,
		Why: "it goes the whole way: NPS asks Password Secure for the credential, and its log tells how far it came",
		Ops: []plan.Op{{ID: "session", Kind: plan.KindSession, Class: plan.Change, Repeat: plan.ByMarker, Marker: marker, Session: &session}},
		Notes: []string{
			"the credential is checked out for " + host + " while it runs; it is ended at once, by the next npsetup resume or verify also after a kill",
			"its password is looked at and not kept; nobody signs in with it",
		},
		UndoNote: "nothing is left to undo but the records of the session in NPS and in Password Secure",
	}
}

func verifyChain(ctx context.Context, s *steps.Scene) steps.Proof {
	seen, _ := steps.Get(s, policyKey)
	if seen.Policy == nil {
		return steps.Proof{State: steps.Differs, Text: "the access policy is not there yet", New: true}
	}
	r, ok := steps.Get(s, nps.ReaderKey)
	if !ok {
		return nps.SignedOut()
	}
	members, _ := steps.Get(s, membersKey)
	activity := s.Answers.Text(keyActivity)
	var granted []string
	for _, u := range members.Users {
		if !u.EntityType.Is(npsapi.EntityAccount, "ManagedAccount") {
			continue // NPS answers for accounts; what a group's members get, a session shows
		}
		for _, host := range s.Answers.List(keyResources) {
			is, err := nps.Grants(ctx, r, u.ID, activity, host, seen.Policy.Row.ID)
			if err != nil {
				return steps.Proof{State: steps.NotProven, Text: problem.Plain(err.Error()), Err: err}
			}
			if !is {
				return steps.Proof{State: steps.Differs, Text: fmt.Sprintf("NPS finds no policy that lets %s run %q on %s", problem.Plain(u.Name), problem.Plain(activity), problem.Plain(host))}
			}
		}
		granted = append(granted, problem.Plain(u.Name))
	}
	text := "the policy is there"
	if len(granted) > 0 {
		text = fmt.Sprintf("NPS grants %s on %s to %s", problem.Plain(activity), problem.Plain(strings.Join(s.Answers.List(keyResources), ", ")), strings.Join(granted, ", "))
	}
	return proofBySession(s, text)
}

// proofBySession adds what the last session proves, and what it does not.
func proofBySession(s *steps.Scene, text string) steps.Proof {
	ev, _ := steps.Get(s, evidenceKey)
	switch {
	case ev.err != nil:
		return steps.Proof{State: steps.NotProven, Text: text + "; its sessions cannot be listed: " + problem.Plain(ev.err.Error()), Err: ev.err}
	case ev.last == nil:
		return steps.Proof{State: steps.NeedPerson, Text: text + "; no session of the activity was seen yet: " + howToSee(s)}
	case !ev.fresh(s):
		return steps.Proof{State: steps.NeedPerson, Text: text + "; something was changed since the last session of the activity: " + howToSee(s)}
	}
	told := ev.course.text()
	if told != "" {
		text += "; the last session: " + told
	}
	if p := ev.course.cause(login(s.Answers)); p != nil {
		return refuted(text, p)
	}
	switch {
	case ev.proves(s) && ev.course.verdict == untold:
		return steps.Proof{State: steps.Proven, Text: text + "; it became active and its password was readable; its log does not tell the stages in words that are known"}
	case ev.proves(s):
		return steps.Proof{State: steps.Proven, Text: text}
	case !ev.active():
		return refuted(text, ev.failure())
	}
	proof := steps.Proof{State: steps.NotProven, Text: text + "; it became active; whether it got its credential neither its log nor its password tells"}
	if s.Memory.Shown[ev.last.ID].Password != "" {
		proof.Code = problem.PasswordNotReadable
	}
	return proof
}

// refuted is a proof that failed, with its cause.
func refuted(text string, p *problem.Problem) steps.Proof {
	return steps.Proof{State: steps.Differs, Text: text + "; " + p.Error(), Err: p}
}

// failure is why the last session did not become active.
func (ev evidence) failure() *problem.Problem {
	state, took, over := nps.Unstarted(*ev.last)
	if !over {
		return problem.New("it did not become active").Coded(problem.SessionFailed).Because("NPS says nothing more of it").Try("look at its log in NPS under Active Sessions > Historical")
	}
	return problem.All(SessionCause(state, problem.Plain(ev.last.Words()), took, ev.log))[0]
}

func howToSee(s *steps.Scene) string {
	if _, can := opener(s); can {
		return "npsetup verify --session opens one"
	}
	return "let a user of the policy start it once, then npsetup verify"
}
