package auditor

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// rowsRead is how many sessions are looked at: Auditor opens one for each collection, for years.
const rowsRead = 5000

// evidence is what the sessions of the application user tell.
type evidence struct {
	ours    *npsapi.Session // the last one that npsetup opened and that became active
	auditor *npsapi.Session // the last one that Auditor opened itself and that became active
	next    int             // number of the next session of ours
	err     error           // they could not be listed
}

var evidenceKey = steps.Key[evidence]{Name: "auditor.sessions"}

// lookSessions collects the evidence. That it cannot be had stops nothing: it is no part of the set-up.
func lookSessions(ctx context.Context, s *steps.Scene) error {
	ev := evidence{next: 1}
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
	activity := s.Answers.Text(keyActivity)
	ev.err = eachSession(ctx, r, user.Row.Name, func(row npsapi.Session) {
		ev.count(row.Note) // whoever opened it, and for what: a number is given once
		if same(row.ManagedAccountID, user.Row.ID) && row.ActivityName == activity {
			ev.take(row, known, cert.NotBefore)
		}
	})
	return ctx.Err()
}

// eachSession hands over the sessions in which a user is named: rowsRead at the most, and when there are more, also as many
// of the newest. Some may come twice.
func eachSession(ctx context.Context, r nps.Reader, user string, each func(npsapi.Session)) error {
	n := 0
	read := func(call plan.Call) error {
		n = 0
		return r.List(ctx, call, func(raw json.RawMessage) (bool, error) {
			row, err := npsapi.Decode[npsapi.Session](raw)
			if err != nil {
				return false, err
			}
			each(row)
			n++
			return n < rowsRead, nil
		})
	}
	if err := read(npsapi.SearchSessions(user)); err != nil || n < rowsRead {
		return err
	}
	return read(npsapi.NewestSessions(user))
}

// count makes the number of the next session of ours a new one.
func (ev *evidence) count(note string) {
	if number, ours := strings.CutPrefix(note, nps.MarkerPrefix); ours {
		if n, err := strconv.Atoi(strings.TrimSpace(number)); err == nil && n >= ev.next {
			ev.next = n + 1
		}
	}
}

// take sorts one session of the user in. One that is older than the certificate was opened with another one, and before there
// is one, all are; one that never started was given up before it was active, and proves nothing.
func (ev *evidence) take(row npsapi.Session, certified bool, since time.Time) {
	if created, known := moment(row.CreatedDateTimeUTC); !certified || known && created.Before(since) {
		return
	}
	if _, started := moment(row.ActualStartDateTimeUTC); !started {
		return
	}
	state := nps.StateOf(row)
	if strings.HasPrefix(row.Note, nps.MarkerPrefix) {
		if state == steps.SessionEnded {
			ev.ours = later(ev.ours, &row)
		}
		return
	}
	if state == steps.SessionActive || state == steps.SessionEnding || state == steps.SessionEnded {
		ev.auditor = later(ev.auditor, &row)
	}
}

// ranOut says that a session lasted until NPS ended it.
func ranOut(row *npsapi.Session) bool {
	end, ended := moment(row.ActualEndDateTimeUTC)
	limit, limited := moment(row.ExpirationDateTimeUTC)
	return ended && limited && !end.Before(limit)
}

// later is the one that was created later: in which order sessions are listed is not documented.
func later(a, b *npsapi.Session) *npsapi.Session {
	if a == nil {
		return b
	}
	x, _ := moment(a.CreatedDateTimeUTC)
	y, _ := moment(b.CreatedDateTimeUTC)
	if y.Before(x) {
		return a
	}
	return b
}

// moment reads a time of NPS: UTC, with or without a zone.
func moment(text *string) (time.Time, bool) {
	if text == nil {
		return time.Time{}, false
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, *text); err == nil && t.Year() > 1 {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// seenAs says that the application user signed in with this certificate, or nothing. What was changed since proves nothing.
func seenAs(s *steps.Scene) string {
	ev, _ := steps.Get(s, evidenceKey)
	if ev.unproven(s) || ev.ours == nil && ev.auditor == nil {
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

// auditors says that Auditor opened a session itself, and when.
func (ev evidence) auditors() string { return "Auditor opened a session itself" + ev.when(ev.auditor) }

// unproven says that something was changed since the last session of ours, and that no session of Auditor began after it.
// The times of two machines are compared: a clock that is behind asks for one more collection.
func (ev evidence) unproven(s *steps.Scene) bool {
	if !s.Memory.Unproven || ev.auditor == nil || s.Memory.Changed.IsZero() {
		return s.Memory.Unproven
	}
	began, known := moment(ev.auditor.CreatedDateTimeUTC)
	return !known || began.Before(s.Memory.Changed)
}

// after says whether a session became active that was opened after a moment.
func (ev evidence) after(t time.Time) bool {
	for _, row := range []*npsapi.Session{ev.ours, ev.auditor} {
		if row == nil {
			continue
		}
		if began, known := moment(row.CreatedDateTimeUTC); known && began.After(t) {
			return true
		}
	}
	return false
}

func (evidence) when(row *npsapi.Session) string {
	if at, known := moment(row.ActualStartDateTimeUTC); known {
		return " at " + at.Format("2006-01-02 15:04") + " UTC"
	}
	return ""
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

// changing says whether a plan changes anything by itself.
func changing(actions []plan.Action) bool {
	for _, a := range actions {
		if a.Changing() && a.Effect != plan.ByHand {
			return true
		}
	}
	return false
}
