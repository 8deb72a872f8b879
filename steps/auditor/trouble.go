package auditor

import (
	"context"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// trouble names why the last session of the application user did not become active, whoever opened it. Nil when it did, or when
// there was none. Its log is read, which changes nothing.
func trouble(ctx context.Context, s *steps.Scene) error {
	user, _ := steps.Get(s, userKey)
	r, signedIn := steps.Get(s, nps.ReaderKey)
	if user == nil || !signedIn {
		return nil
	}
	var newest *npsapi.Session
	err := nps.EachSession(ctx, r, user.Row.Name, func(row npsapi.Session) {
		if nps.Same(row.ManagedAccountID, user.Row.ID) {
			newest = nps.Later(newest, &row)
		}
	})
	if err != nil || newest == nil || newest.ID == "" {
		return err
	}
	state, took, over := nps.Unstarted(*newest)
	if !over {
		return nil
	}
	log, err := r.Read(ctx, npsapi.GetSessionLog(plan.String(newest.ID), 100))
	if err != nil {
		return err
	}
	var l problem.List
	l.Add(nps.SessionCause(state, problem.Plain(newest.Words()), took, log.Body))
	when := ""
	if at, known := nps.Moment(newest.CreatedDateTimeUTC); known {
		when = " of " + at.Format("2006-01-02 15:04") + " UTC"
	}
	for i, p := range l {
		told := *p
		told.What = "the last session of " + problem.Plain(user.Row.Name) + when + ": " + told.What
		l[i] = &told
	}
	return l.Err()
}
