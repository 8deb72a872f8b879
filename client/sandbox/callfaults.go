package sandbox

import (
	"net/http"
	"strings"
	"time"
)

// callFaults are those that may strike any call, or the calls of one operation. What a network, a web server or another administrator
// may do to a call is here, and nothing that only NPS itself decides.
func callFaults() []FaultKind {
	return []FaultKind{
		{"reset-before", "the connection is reset: the request was not carried out"},
		{"reset-after", "the connection is reset: the request was carried out"},
		{"silent", "no answer comes at all; the request was not carried out"},
		{"slow", "the answer comes a byte at a time"},
		{"half-body", "the connection breaks in the middle of the answer; the request was carried out"},
		{"wrong-type", "the answer calls itself a picture"},
		{"iis-page", "a web page comes with 200 in place of an answer; the request was not carried out"},
		{"truncated", "the answer's JSON ends too early"},
		{"malformed", "the answer is no JSON, although it says so"},
		{"unknown-enum", "kinds and states in the answer are numbers that nobody knows"},
		{"flood", "the answer has 100 MB; the request was carried out"},
		{"busy", "429; the request was not carried out"},
		{"busy-after", "429 with Retry-After: 5; the request was not carried out"},
		{"server-500", "500; the request was not carried out"},
		{"server-500-done", "500; the request was carried out"},
		{"token-ended", "401: all tokens so far have expired"},
		{"role-lost", "403: the administrator has no Admin role any more"},
		{"deleted", "another administrator has just deleted the most dependent object of those that were made"},
		{"renamed", "another administrator has just renamed the most dependent object of those that were made"},
		{"name-taken", "409: an object of this name has just been made; the request was not carried out"},
		{"duplicate", "a list shows each object twice, with another id"},
		{"deleted-namesake", "a list shows each object a second time, as a deleted one"},
		{"totals-change", "a page counts one row more than there is"},
		{"late", "202 without content: a change is carried out three seconds later"},
		{"clock-skew", "from this call on the server's clock is ten minutes ahead"},
		{"refused", "once this call is answered, the port is closed"},
		{"restart", "once this call is answered, the server is restarted and away for two seconds"},
		{"certificate-changed", "once this call is answered, the server shows another certificate"},
	}
}

const (
	lateBy    = 3 * time.Second
	awayFor   = 2 * time.Second
	aheadBy   = 10 * time.Minute
	floodSize = 100 << 20
)

// struck are the call faults that happen at one call.
type struck map[string]bool

// strike counts a call as a chance of every call fault that is on.
func (s *Server) strike(q *ask, op operation) struck {
	var hit struck
	for _, k := range callFaults() {
		f := s.faults[k.Name]
		if f == nil || q.auditor || f.op != "" && f.op != op.ID {
			continue
		}
		if f.seen++; f.at == 0 || f.at == f.seen {
			if hit == nil {
				hit = struck{}
			}
			hit[k.Name] = true
		}
	}
	return hit
}

// struckBy notes that a fault did something.
func (s *Server) struckBy(name string) {
	if s.strokes == nil {
		s.strokes = map[string]int{}
	}
	s.strokes[name]++
}

// Struck says how often a call fault changed anything.
func (s *Server) Struck(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.strokes[name]
}

// instead answers in place of the handler where a fault does.
func (s *Server) instead(hit struck, q *ask, op operation, h handler) (answer, bool) {
	for _, name := range []string{"reset-before", "silent", "iis-page", "busy", "busy-after", "server-500", "token-ended", "role-lost", "name-taken", "late"} {
		if !hit[name] {
			continue
		}
		if a, does := s.replaced(name, q, op, h); does {
			s.struckBy(name)
			a.spoiled = true
			return a, true
		}
	}
	return answer{}, false
}

func (s *Server) replaced(name string, q *ask, op operation, h handler) (answer, bool) {
	changes := op.Class == "change"
	switch name {
	case "reset-before":
		return answer{fate: fateReset}, true
	case "silent":
		return answer{fate: fateSilent}, true
	case "iis-page":
		return answer{status: http.StatusOK, html: "<!DOCTYPE html><html><head><title>IIS Windows Server</title></head><body><h1>Internet Information Services</h1></body></html>"}, true
	case "busy":
		return answer{status: http.StatusTooManyRequests}, true
	case "busy-after":
		return answer{status: http.StatusTooManyRequests, after: "5"}, true
	case "server-500":
		return refuse(http.StatusInternalServerError, "An error occurred while processing your request.", ""), true
	case "token-ended":
		if op.ID == "health" || op.ID == "signIn" {
			return answer{}, false // they take none
		}
		for _, n := range s.nonces {
			s.revoked[n] = true
		}
		return answer{status: http.StatusUnauthorized}, true
	case "role-lost":
		return refuse(http.StatusForbidden, "Forbidden", "User is not an Administrator"), op.Class != "auth" && op.ID != "health"
	case "name-taken":
		return refuse(http.StatusConflict, "Conflict", "An object with this name exists already"), changes && q.Method == http.MethodPost
	case "late":
		if !changes {
			return answer{}, false
		}
		s.late = append(s.late, deed{s.o.Now().Add(lateBy), func() { s.judge(q, op, h) }})
		s.advance()
		return answer{status: http.StatusAccepted}, true
	}
	return answer{}, false
}

// deed is something that the server does by and by.
type deed struct {
	at time.Time
	do func()
}

// catchUp does the deeds that are due, or all of them.
func (s *Server) catchUp(now time.Time, all bool) {
	var due, left []deed
	for _, d := range s.late {
		if all || !d.at.After(now) {
			due = append(due, d)
		} else {
			left = append(left, d)
		}
	}
	s.late = left // first: a deed may look at the clock itself
	for _, d := range due {
		d.do()
	}
}

// newest is what the run made last. Things that are made side by side come in any order: the kind of the higher rank counts.
type newest struct {
	t      *table
	row    row
	member string // that names it
	rank   int
}

// ownKinds are the kinds of objects that a run makes, what needs others last.
func ownKinds() []string {
	return []string{"resources", "serviceAccounts", "connectors", "applicationUsers", "connectionProfiles", "activities", "policies"}
}

// other is an object that renamed renamed.
type other struct {
	row         row
	member, was string
}

func (s *Server) counts() map[string]int {
	n := map[string]int{}
	for _, kind := range ownKinds() {
		t, _ := s.world.kind(kind)
		n[kind] = len(t.rows)
	}
	return n
}

// notice keeps what a call made.
func (s *Server) notice(before map[string]int) {
	for rank, kind := range ownKinds() {
		if t, member := s.world.kind(kind); len(t.rows) > before[kind] && rank >= s.lastMade.rank {
			s.lastMade = newest{t: t, row: t.rows[len(t.rows)-1], member: member, rank: rank}
		}
	}
}

// meddle is another administrator, just before a call.
func (s *Server) meddle(hit struck) {
	m := &s.lastMade
	if m.row == nil || m.t.get(m.row.text("id")) == nil {
		return
	}
	if hit["deleted"] && !m.row.truth("isDeleted") {
		s.struckBy("deleted")
		if _, soft := m.row["isDeleted"]; soft {
			m.row["isDeleted"] = true
		} else {
			m.t.remove(m.row.text("id"))
			s.world.forget(m.row.text("id"))
			if h := s.world.hosts.get(m.row.text("hostId")); h != nil {
				delete(h, "managedResourceId")
			}
		}
	}
	if hit["renamed"] && !strings.HasSuffix(m.row.text(m.member), " (renamed)") {
		s.struckBy("renamed")
		was := m.row.text(m.member)
		s.renamed = append(s.renamed, other{m.row, m.member, was})
		m.row[m.member] = was + " (renamed)"
	}
}

// mend takes back what faults did that are switched off.
func (s *Server) mend(off faults) error {
	if off.has("clock-skew") {
		s.ahead.Store(0)
	}
	if off.has("certificate-changed") {
		s.shown.Store(&s.tls.leaf)
	}
	if off.has("renamed") {
		for _, o := range s.renamed {
			o.row[o.member] = o.was
		}
		s.renamed = nil
	}
	if off.has("late") {
		s.catchUp(time.Time{}, true)
	}
	if off.has("refused") || off.has("restart") {
		return s.door.open()
	}
	return nil
}

// CallFaults lists those that may strike one call: NAME@OPERATION, or NAME@OPERATION:n.
func CallFaults() []FaultKind { return callFaults() }
