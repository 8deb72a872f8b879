package nps

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// rowsRead is how many sessions are looked at: a user may open one for each collection, for years.
const rowsRead = 5000

// EachSession hands over the sessions in whose columns a text stands, such as the name of a user or an activity: rowsRead at the
// most, and when there are more, also as many of the newest. Some may come twice.
func EachSession(ctx context.Context, r Reader, text string, each func(npsapi.Session)) error {
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
	if err := read(npsapi.SearchSessions(text)); err != nil || n < rowsRead {
		return err
	}
	return read(npsapi.NewestSessions(text))
}

// Numbered is the number in the note of a session of ours.
func Numbered(note string) (int, bool) {
	number, ours := strings.CutPrefix(note, MarkerPrefix)
	n, err := strconv.Atoi(strings.TrimSpace(number))
	return n, ours && err == nil
}

// Later is the session that was created later: in which order they are listed is not documented.
func Later(a, b *npsapi.Session) *npsapi.Session {
	if a == nil {
		return b
	}
	x, _ := Moment(a.CreatedDateTimeUTC)
	y, _ := Moment(b.CreatedDateTimeUTC)
	if y.Before(x) {
		return a
	}
	return b
}

// Unstarted is how a session ended that never became active: its state, for the cause, and how long it took; zero when NPS does not tell. It
// is false for a session that became active, or still may.
func Unstarted(row npsapi.Session) (steps.SessionState, time.Duration, bool) {
	state := StateOf(row)
	_, started := Moment(row.ActualStartDateTimeUTC)
	switch {
	case started, state == steps.SessionPending, state == steps.SessionActive, state == steps.SessionUnknown:
		return state, 0, false
	case state == steps.SessionEnded, state == steps.SessionEnding:
		state = steps.SessionPending // it was given up before it was active
	}
	from, begun := Moment(row.CreatedDateTimeUTC)
	to, ended := Moment(row.ActualEndDateTimeUTC)
	if !begun || !ended || to.Before(from) {
		return state, 0, true
	}
	return state, to.Sub(from), true
}

// Moment reads a time of NPS: UTC, with or without a zone.
func Moment(text *string) (time.Time, bool) {
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

// Grants asks PolicySearch whether a policy lets an account run an activity on a resource. The answer 404 means that no policy grants it.
func Grants(ctx context.Context, r Reader, user, activity, host, policy string) (bool, error) {
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
		if Same(p.ID, policy) {
			return true, nil
		}
	}
	return false, nil
}
