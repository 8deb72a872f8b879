package auditor

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

// evidence is what the sessions of the application user tell.
type evidence struct {
	ours    *npsapi.Session // the last one that npsetup opened and that became active
	auditor *npsapi.Session // the last one that Auditor opened itself and that became active
	next    int             // number of the next session of ours
	err     error           // they could not be listed
	of      map[string]seenSessions
}

// seenSessions are the last ones under one kind of policy.
type seenSessions struct{ ours, auditor *npsapi.Session }

var evidenceKey = steps.Key[evidence]{Name: "auditor.sessions"}

// lookSessions collects the evidence. That it cannot be had stops nothing: it is no part of the set-up.
func lookSessions(ctx context.Context, s *steps.Scene) error {
	ev := evidence{next: 1, of: map[string]seenSessions{}}
	defer func() {
		steps.Put(s, evidenceKey, ev)
		if gone := withoutKey(s); gone != "" && ev.ours == nil && ev.auditor == nil {
			s.Warn(gone)
		}
	}()
	for _, marker := range s.Memory.Markers { // also of those that NPS does not list yet
		ev.count(marker)
	}
	user, _ := steps.Get(s, userKey)
	r, signedIn := steps.Get(s, nps.ReaderKey)
	if user == nil || !signedIn {
		return nil
	}
	cert, known := steps.Get(s, certificateKey)
	kindOf := sessionKinds(s)
	ev.err = nps.EachSession(ctx, r, user.Row.Name, func(row npsapi.Session) {
		ev.count(row.Note) // whoever opened it, and for what: a number is given once
		if kind := kindOf(row); kind != "" && nps.Same(row.ManagedAccountID, user.Row.ID) && !s.Memory.Over(nps.Moment(row.CreatedDateTimeUTC)) {
			ev.take(row, kind, known, cert.NotBefore)
		}
	})
	return ctx.Err()
}

// sessionKinds tells for which kind of policy a session counts, or for none. The activity of a credential-based policy is everybody's: its
// policy tells.
func sessionKinds(s *steps.Scene) func(npsapi.Session) string {
	activity := s.Answers.Text(keyActivity)
	lends, _ := steps.Get(s, credentialPolicyKey)
	return func(row npsapi.Session) string {
		switch {
		case byResource(s.Answers) && row.ActivityName == activity:
			return kindResourceBased
		case byCredential(s.Answers) && row.ActivityName == npsapi.ActivityRelease && lends.Policy != nil && nps.Same(row.AccessPolicyID, lends.Policy.Row.ID):
			return kindCredential
		}
		return ""
	}
}

// count makes the number of the next session of ours a new one.
func (ev *evidence) count(note string) {
	if n, ours := nps.Numbered(note); ours && n >= ev.next {
		ev.next = n + 1
	}
}

// take sorts one session of the user in. One that is older than the certificate was opened with another one, and before there
// is one, all are; one that never started was given up before it was active, and proves nothing.
func (ev *evidence) take(row npsapi.Session, kind string, certified bool, since time.Time) {
	if created, known := nps.Moment(row.CreatedDateTimeUTC); !certified || known && created.Before(since) {
		return
	}
	if _, started := nps.Moment(row.ActualStartDateTimeUTC); !started {
		return
	}
	state, of := nps.StateOf(row), ev.of[kind]
	defer func() { ev.of[kind] = of }()
	if strings.HasPrefix(row.Note, nps.MarkerPrefix) {
		if state == steps.SessionEnded {
			ev.ours, of.ours = nps.Later(ev.ours, &row), nps.Later(of.ours, &row)
		}
		return
	}
	if state == steps.SessionActive || state == steps.SessionEnding || state == steps.SessionEnded {
		ev.auditor, of.auditor = nps.Later(ev.auditor, &row), nps.Later(of.auditor, &row)
	}
}

// ranOut says that a session lasted until NPS ended it.
func ranOut(row *npsapi.Session) bool {
	end, ended := nps.Moment(row.ActualEndDateTimeUTC)
	limit, limited := nps.Moment(row.ExpirationDateTimeUTC)
	return ended && limited && !end.Before(limit)
}

// seenAs says that the application user signed in with this certificate, or nothing. What was changed since proves nothing.
func seenAs(s *steps.Scene) string {
	ev, _ := steps.Get(s, evidenceKey)
	if ev.unproven(s) || ev.ours == nil && ev.auditor == nil || ev.failed(s) && s.Memory.Failed.Untrusted {
		return ""
	}
	return "seen: a session of " + problem.Plain(s.Answers.Text(keyApplication)) + " became active, and only this certificate opens one"
}

// seenAuditor says that Auditor opened a session itself, or nothing.
func seenAuditor(s *steps.Scene) string {
	ev, _ := steps.Get(s, evidenceKey)
	if ev.unproven(s) || ev.auditor == nil {
		return ""
	}
	return "seen: " + ev.auditors()
}

// seenCollections says that Auditor opened sessions under each kind of policy that an item takes, or nothing.
func seenCollections(s *steps.Scene) string {
	ev, _ := steps.Get(s, evidenceKey)
	if len(missingCollections(s, ev)) > 0 {
		return ""
	}
	return seenAuditor(s)
}

// missingCollections are the kinds of policy that items take and under which no session of Auditor was seen since the last change.
func missingCollections(s *steps.Scene, ev evidence) []string {
	var missing []string
	for _, kind := range kindsOf(s.Answers) {
		if ev.of[kind].auditor == nil || since(s, ev.of[kind].auditor) {
			missing = append(missing, kind)
		}
	}
	sort.Strings(missing)
	return missing
}

// auditors says that Auditor opened a session itself, and when.
func (ev evidence) auditors() string { return "Auditor opened a session itself" + ev.when(ev.auditor) }

// unproven says that something was changed since the last session of ours, and that no session of Auditor began after it.
// The times of two machines are compared: a clock that is behind asks for one more collection.
func (ev evidence) unproven(s *steps.Scene) bool {
	return since(s, ev.auditor)
}

func since(s *steps.Scene, auditors *npsapi.Session) bool {
	if !s.Memory.Unproven || auditors == nil || s.Memory.Changed.IsZero() {
		return s.Memory.Unproven
	}
	began, known := nps.Moment(auditors.CreatedDateTimeUTC)
	return !known || began.Before(s.Memory.Changed)
}

// after says whether a session became active that was opened after a moment.
func (ev evidence) after(t time.Time) bool {
	for _, row := range []*npsapi.Session{ev.ours, ev.auditor} {
		if row == nil {
			continue
		}
		if began, known := nps.Moment(row.CreatedDateTimeUTC); known && began.After(t) {
			return true
		}
	}
	return false
}

func (evidence) when(row *npsapi.Session) string {
	if at, known := nps.Moment(row.ActualStartDateTimeUTC); known {
		return " at " + at.Format("2006-01-02 15:04") + " UTC"
	}
	return ""
}

// overtook says whether an event of Auditor speaks no longer against the set-up: something was changed since, or a session of Auditor of its
// kind began. One that tells no kind is overtaken by both of them; one about the sign-in, which both share, by either.
func (ev evidence) overtook(s *steps.Scene, e Event, about problem.Code, kind string, kinds []string) bool {
	by := func(row *npsapi.Session) bool {
		if row == nil {
			return false
		}
		began, known := nps.Moment(row.CreatedDateTimeUTC)
		return known && !e.At.After(began)
	}
	switch {
	case !e.At.After(s.Memory.Changed), s.Memory.Over(e.At, true):
		return true
	case kind != "":
		return by(ev.of[kind].auditor)
	case len(kinds) < 2, about == problem.ClientCertificateNotTrusted, about == problem.SerialDiffers:
		return by(ev.auditor)
	}
	return !slices.ContainsFunc(kinds, func(k string) bool { return !by(ev.of[k].auditor) })
}

// lacking says under which kind of policy no session of Auditor was seen, where both are wanted.
func (ev evidence) lacking(s *steps.Scene) string {
	if missing := missingCollections(s, ev); s.Answers.Text(keyKind) == kindBoth && len(missing) == 1 {
		return " under the " + missing[0] + "-based policy"
	}
	return ""
}

// shown is what our last sessions showed of their passwords: what is wrong with any of them.
func (ev evidence) shown(s *steps.Scene) (shown steps.Shown, looked bool) {
	looked = true
	for _, of := range ev.of {
		if of.ours == nil {
			continue
		}
		one, seen := s.Memory.Shown[of.ours.ID]
		looked, shown.Took = looked && seen, max(shown.Took, one.Took)
		if one.Password != "" {
			shown.Password = one.Password
		}
	}
	return shown, looked
}

// expiry is the cause of health events 5801 and 5802, when a session of Auditor shows it.
func (ev evidence) expiry(s *steps.Scene) string {
	if ev.auditor == nil || !ranOut(ev.auditor) {
		return ""
	}
	return fmt.Sprintf("a session of Auditor lasted until it ran out%s: Auditor tells that as event 5801 or 5802; the collection takes longer than Max Duration (%s minutes), or several items share the account: "+
		"set a longer Max Duration (connectionProfile.settings.maxDuration), and one account for each plan and source", ev.when(ev.auditor), maxDuration(s.Answers))
}

func maxDuration(a steps.Answers) string {
	for _, st := range profileSettings(a) {
		if st.Field == "maxSessionLength" {
			return st.Shown
		}
	}
	return "60"
}
