package run

import (
	"slices"
	"strings"
	"time"

	"npsetup/steps"
)

// OpenSession is a session of ours that was begun and of which nothing says that it ended.
type OpenSession struct {
	Action string // key of the action that began it
	Marker string // stands in its note
	ID     string // empty when the answer to its start was never seen
	Since  time.Time
}

// trail is what the journal tells of the sessions that were opened to prove the set-up.
type trail struct {
	open    []OpenSession
	shown   map[string]steps.Shown // by session id
	markers []string               // of all that were begun
	changed bool                   // a change was carried out since the last session that proved something
	last    time.Time              // when
	back    time.Time              // when an undo took something back last
	failed  *steps.FailedProof     // the last one that failed, unless one has proven something since
}

// The outputs of a session: what was seen of its password, empty when it was readable, and how long it took to be active.
const (
	ShownOutput = "shown"
	TookOutput  = "took"
)

// The operations of a session that the trail follows, as plan.Op.Parts names them.
const (
	startOp = "start"
	endOp   = "end"
	proofOp = "proof" // the whole of it, noted down when it failed
)

// follow takes one entry into account, in the order of the journal.
func (t *trail) follow(e Entry) {
	if strings.HasPrefix(e.Action, undoPrefix) && (e.State == Carried || e.State == Told) {
		t.back = e.Time
	}
	if e.Marker == "" {
		if e.State == Carried {
			t.changed, t.last = true, e.Time
		}
		return
	}
	switch {
	case e.Op == proofOp && e.Failure != nil && t.isOpen(e.Marker):
		// What failed is its end, which is told as long as it is open.
	case e.Op == proofOp && e.Failure != nil:
		t.failed = &steps.FailedProof{At: e.Time, What: e.Failure.What, Why: e.Failure.Why, Next: e.Failure.Next, Code: e.Failure.Code, Untrusted: e.Failure.Untrusted}
	case e.Op == startOp && e.State == Sending:
		t.open = append(t.open, OpenSession{Action: e.Action, Marker: e.Marker, Since: e.Time})
		t.markers = append(t.markers, e.Marker)
	case e.Op == startOp && e.State == Carried:
		for i := range t.open {
			if t.open[i].Marker == e.Marker {
				t.open[i].ID = e.Outputs["session"]
			}
		}
	case e.Op == startOp && e.State == Failed, e.Op == endOp && (e.State == Carried || e.State == Looked):
		t.close(e)
	}
}

func (t *trail) isOpen(marker string) bool {
	return slices.ContainsFunc(t.open, func(s OpenSession) bool { return s.Marker == marker })
}

func (t *trail) close(e Entry) {
	kept := t.open[:0:0]
	for _, s := range t.open {
		if s.Marker != e.Marker {
			kept = append(kept, s)
		}
	}
	t.open = kept
	if shown, proven := e.Outputs[ShownOutput]; proven {
		if t.shown == nil {
			t.shown = map[string]steps.Shown{}
		}
		took, _ := time.ParseDuration(e.Outputs[TookOutput])
		t.shown[e.Outputs["session"]] = steps.Shown{Password: shown, Took: took}
		t.changed, t.failed = false, nil
	}
}

// OpenSessions lists the sessions of ours that a kill left open, oldest first.
func (d *Dir) OpenSessions() []OpenSession {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]OpenSession{}, d.trail.open...)
}

// SessionOver notes down that a session was found to be over, or not to be there at all.
func (d *Dir) SessionOver(s OpenSession) error {
	e := Entry{Time: d.now(), Action: s.Action, Op: startOp, Marker: s.Marker, State: Looked, Request: "looked at the session"}
	if err := d.Journal(e); err != nil {
		return err
	}
	e.Op = endOp
	return d.Journal(e)
}
