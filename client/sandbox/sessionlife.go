package sandbox

import (
	"fmt"
	"strings"
	"time"
)

// sessionStatus by the product's ordinals.
type sessionStatus int

const (
	sessionPending sessionStatus = iota
	sessionActive
	sessionCancelling
	sessionComplete
	sessionFailed
	sessionCancelled
)

// same is the status of a beat that only logs.
const same sessionStatus = -99

// session is a privileged session, with what will become of it.
type session struct {
	row              row // what was asked for and what it was found to mean, by the members of a summary
	who              *person
	activity, target row
	user             row // whose password is released, under a credential-based policy
	profile          row
	status           sessionStatus
	auditor          bool // it is Auditor's
	password         string
	checkedOut       string // by a vault
	lines            []row
	beats            []beat // what comes, in order of time
}

// beat is something that the Action Service will do.
type beat struct {
	at    time.Time
	level int
	text  string
	to    sessionStatus
}

// Levels of a log line.
const (
	levelDebug = iota
	levelInfo
	levelWarn
	levelError
)

func info(at time.Time, text string) beat { return beat{at, levelInfo, text, same} }

// slowFor is how long a session is pending where WinRM tries HTTPS first and gets no answer.
const slowFor = 45 * time.Second

// beginning is what the Action Service will do to make a session active, or not. Each fault counts sessions as its chances.
func (s *Server) beginning(x *session, now time.Time) []beat {
	host, due := x.row.text("managedResourceName"), now.Add(s.o.SessionDelay)
	beats := []beat{info(now, "Session queued for the Action Service"), info(now, "Connecting to "+host)}
	if x.user != nil {
		beats[1] = info(now, "Releasing the credential of "+x.login())
	}
	fail := func(texts ...string) []beat {
		for _, t := range texts {
			beats = append(beats, beat{due, levelError, t, same})
		}
		return append(beats, beat{due, levelError, "Session failed", sessionFailed})
	}
	switch {
	case s.faults.hit("session-timeout"):
		return beats[:1]
	case s.faults.hit("session-fails"):
		return fail("Unable to create New-PSSSession for " + host + ". Access is denied.")
	case s.faults.hit("winrm-shell"):
		return fail("The WS-Management service cannot process the request. The service is configured to not accept any remote shell requests.")
	case s.faults.hit("winrm-off"):
		return fail("Connecting to remote server " + host + " failed. The client cannot connect to the destination specified in the request. Error code 2150858770")
	case s.faults.hit("dc-replication"):
		return fail(
			"Failed LDAP validation of DC dc02."+domainName+" with error: The user name or password is incorrect.",
			"Failed to obtain DC by locator (Netlogon service) for domain "+domainName,
			"Failed to get any valid DC.",
			"The user name or password is incorrect",
		)
	case s.faults.hit("session-slow"):
		due = now.Add(slowFor)
		beats = append(
			beats, info(now, "WinRM: connecting to https://"+host+":5986/wsman (Use HTTPS if available)"),
			beat{due.Add(-5 * time.Second), levelWarn, "WinRM: no answer over HTTPS from " + host + ", falling back to HTTP (port 5985)", same},
		)
	}
	if x.user != nil {
		if s.world.passwords[x.user.text("id")] == "" {
			return fail("No password is stored for " + x.login())
		}
		return append(beats, beat{due, levelInfo, "Session active", sessionActive})
	}
	fromVault, given := s.checkout(x, due)
	if beats = append(beats, fromVault...); !given {
		return append(beats, beat{due, levelError, "Session failed", sessionFailed})
	}
	if x.activity.truth("createAccount") {
		beats = append(beats, info(due, "Creating account "+x.login()), info(due, "Account "+x.login()+" created"))
	}
	for _, t := range s.actionTexts(x, "startActionGroupId", "Adding %s to group %s in domain %s") {
		beats = append(beats, info(due, t))
	}
	return append(beats, beat{due, levelInfo, "Session active", sessionActive})
}

// ending is what happens once a session was told to end at a time, and why.
func (s *Server) ending(x *session, at time.Time, why string) []beat {
	done := at.Add(s.o.SessionDelay)
	beats := []beat{{at, levelInfo, why, sessionCancelling}}
	if x.status == sessionPending {
		return append(beats, beat{done, levelInfo, "Session cancelled", sessionCancelled})
	}
	for _, t := range s.actionTexts(x, "endActionGroupId", "Removing %s from group %s in domain %s") {
		beats = append(beats, info(done, t))
	}
	if x.activity.truth("deleteAccount") {
		beats = append(beats, info(done, "Account "+x.login()+" removed"))
	}
	return append(beats, beat{done, levelInfo, "Session complete", sessionComplete})
}

// actionTexts says what the actions of a group do to the session's account. form names account, group and domain.
func (s *Server) actionTexts(x *session, group, form string) []string {
	var texts []string
	for _, a := range s.world.actionsOf(x.activity.text(group)) {
		params, _ := a["parameters"].(row)
		texts = append(texts, "Running action '"+a.text("displayName")+"' ("+a.text("template")+")")
		if g := params.text("Group"); g != "" {
			texts = append(texts, fmt.Sprintf(form, x.login(), g, x.target.text("domainName")))
		}
	}
	return texts
}

// login is the account that the session signs in as, by the activity's template.
func (x *session) login() string {
	if x.user != nil {
		return x.user.text("domain") + `\` + x.user.text("userName")
	}
	format := x.activity.text("loginAccountNameFormat")
	if format == "" {
		format = `%targetDomain%\%samAccountName%`
	}
	name := x.row.text("samAccountName")
	return strings.NewReplacer("%targetDomain%", domainNetBIOS, "%samAccountName%", name).Replace(format)
}

// play lets a beat happen.
func (s *Server) play(x *session, b beat) {
	x.lines = append(x.lines, row{
		"statusString": []string{"Debug", "Info", "Warn", "Error"}[b.level], "status": b.level, "logMessage": b.text,
		"lineNumber": len(x.lines) + 1, "timestamp": stamp(b.at),
	})
	if b.to == same {
		return
	}
	x.status = b.to
	switch b.to {
	case sessionActive:
		s.activate(x, b.at)
	case sessionComplete, sessionFailed, sessionCancelled:
		x.row["actualEndDateTimeUtc"], x.password = stamp(b.at), ""
	case sessionPending, sessionCancelling, same:
	}
}

// activate gives a session its password and its end: when the maximum duration is over, unless it is ended before.
func (s *Server) activate(x *session, at time.Time) {
	x.password = s.passwordOf(x)
	minutes := x.profile.number("maxSessionLength")
	if minutes == 0 {
		minutes = 60
	}
	x.row["actualStartDateTimeUtc"] = stamp(at)
	x.row["loginAccountName"], x.row["loginDisplayName"] = x.login(), x.login()
	s.expire(x, at.Add(time.Duration(minutes)*time.Minute))
}

func (s *Server) expire(x *session, at time.Time) {
	x.row["expirationDateTimeUtc"] = stamp(at)
	x.beats = s.ending(x, at, "Session expired: the maximum duration is reached")
}

// cutInUse ends Auditor's session while Auditor works with it, where that is asked for: from the moment it has the password.
func (s *Server) cutInUse(x *session) {
	if !x.auditor {
		return
	}
	at := s.o.Now().Add(s.o.SessionDelay)
	switch {
	case s.faults.has("session-terminated"):
		x.beats = s.ending(x, at, "Session ended by "+adminName)
	case s.collectionLasts():
		s.expire(x, at)
	}
	s.advance()
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
