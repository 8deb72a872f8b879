package steps

import "time"

// SessionState is what NPS says of a privileged session, as far as it matters to a proof.
type SessionState int

// The states of a session.
const (
	SessionPending  SessionState = iota // it is being prepared
	SessionActive                       // its account is ready
	SessionEnding                       // it is being taken down
	SessionEnded                        // it was active and is over
	SessionFailed                       // it could not be prepared, or was refused
	SessionApproval                     // it waits for somebody to approve it
	SessionUnknown                      // a state that this program does not know
)

func (s SessionState) String() string {
	switch s {
	case SessionPending:
		return "pending"
	case SessionActive:
		return "active"
	case SessionEnding:
		return "ending"
	case SessionEnded:
		return "ended"
	case SessionFailed:
		return "failed"
	case SessionApproval:
		return "waiting for approval"
	case SessionUnknown:
		return "unknown"
	}
	return "unknown"
}

// Shown is what a session that we opened showed.
type Shown struct {
	Password string        // what is wrong with its password; empty: it was readable
	Took     time.Duration // until it was active
}

// Over says whether nothing is left to end.
func (s SessionState) Over() bool { return s == SessionEnded || s == SessionFailed }
