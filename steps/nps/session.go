package nps

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"npsetup/steps"
	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
)

// MarkerPrefix begins the note of every session that npsetup opens, so that it is told from all others.
const MarkerPrefix = "npsetup proof "

// SessionState reads a session summary: its state, and NPS's own words about it.
func SessionState(look json.RawMessage) (steps.SessionState, string, error) {
	row, err := npsapi.Decode[npsapi.Session](look)
	if err != nil {
		return steps.SessionUnknown, "", err
	}
	return StateOf(row), problem.Plain(row.Words()), nil
}

// SignedOut is the proof of what only a signed-in administrator can read.
func SignedOut() steps.Proof {
	p := problem.New("nobody is signed in to NPS").Try("npsetup verify -f FILE signs in and looks again")
	return steps.Proof{State: steps.NotProven, Text: p.What, Err: p}
}

// StateOf is the state of a row of sessions.
func StateOf(row npsapi.Session) steps.SessionState {
	for _, known := range []struct {
		number int
		name   string
		state  steps.SessionState
	}{
		{npsapi.SessionApprovalRequired, "ApprovalRequired", steps.SessionApproval},
		{npsapi.SessionPending, "Pending", steps.SessionPending},
		{npsapi.SessionActive, "Active", steps.SessionActive},
		{npsapi.SessionCancelling, "Cancelling", steps.SessionEnding},
		{npsapi.SessionComplete, "Complete", steps.SessionEnded},
		{npsapi.SessionFailed, "Failed", steps.SessionFailed},
		{npsapi.SessionCancelled, "Cancelled", steps.SessionEnded},
		{npsapi.SessionApprovalDenied, "ApprovalDenied", steps.SessionFailed},
		{npsapi.SessionApprovalFailed, "ApprovalFailed", steps.SessionFailed},
	} {
		if row.SessionStatus.Is(known.number, known.name) {
			return known.state
		}
	}
	return steps.SessionUnknown
}

// known is a cause that log lines of a session give away.
type known struct {
	signs []string // any of them in a line, letters' case aside
	cause func(took time.Duration) *problem.Problem
}

// causes are the published failures of sessions, the most telling first.
func causes() []known {
	return []known{
		{
			[]string{"the user name or password is incorrect", "failed to get any valid dc", "failed ldap validation of dc", "failed to obtain dc by locator"},
			func(time.Duration) *problem.Problem {
				return problem.New("the session's account is refused by a domain controller").Coded(problem.DirectoryReplication).
					Because("with several domain controllers the account of an Activity Token has not reached the one that is asked; Netwrix knows this for resource-based policies (KB 000009283)").
					Try("take the PDC emulator as the resource", "add an Active Directory replication action before the use to the activity",
						"or take a credential-based policy: its account is there already; Netwrix itself advises to switch the integration off for now")
			},
		},
		{
			[]string{"falling back to http", "fell back to http"},
			func(took time.Duration) *problem.Problem {
				return problem.New("the session is prepared slowly: not active after " + seconds(took)).Coded(problem.WinRMFallback).
					Because("the WinRM HTTP setting of NPS asks for HTTPS, the resource has no certificate for it, and it falls back late").
					Try("set Global Settings > WinRM HTTP setting to \"Use HTTP\", or give the resource a WinRM certificate")
			},
		},
		{
			[]string{"configured to not accept any remote shell", "not configured to accept any remote shell", "the ws-management service cannot process", "winrm cannot complete", "winrm client cannot process", "2150858770"},
			func(time.Duration) *problem.Problem {
				return problem.New("NPS cannot work on the resource").Coded(problem.WinRMRefused).Because("remote PowerShell (WinRM) is refused there").
					Try("switch WinRM on on the resource (Enable-PSRemoting), open port 5985, and allow remote shell access by Group Policy")
			},
		},
		{
			[]string{"access is denied", "access denied"},
			func(time.Duration) *problem.Problem {
				return problem.New("NPS may not do on the resource what the activity asks for").Coded(problem.RemoteAccessDenied).Because("access is denied to the service account of the resource").
					Try("give the service account the right to make accounts and to change the group", "look where NPS makes its accounts (ManagedOUs.Users, usually SbPAM Users), and delegate that")
			},
		},
	}
}

// SessionCause names why a session did not become active.
func SessionCause(state steps.SessionState, words string, took time.Duration, log json.RawMessage) error {
	lines := LogLines(log)
	p := general(state, words, took)
	if state != steps.SessionApproval {
		if found := KnownCause(lines, words, took); found != nil {
			return found
		}
	}
	if len(lines) > 0 {
		p.Why += "; its log says last: " + lines[0]
	}
	return p
}

// KnownCause is the cause that the lines of a log, or what NPS says of the session, give away; nil when they give none.
func KnownCause(lines []string, words string, took time.Duration) *problem.Problem {
	for _, k := range causes() {
		if line, said := saying(lines, words, k.signs); said {
			found := k.cause(took)
			if line != "" {
				found.Why += fmt.Sprintf("; its log says: %s", line)
			}
			return found
		}
	}
	return nil
}

// general is what is said when the log gives no known cause away.
func general(state steps.SessionState, words string, took time.Duration) *problem.Problem {
	if words != "" {
		words = " (" + words + ")"
	}
	switch state {
	case steps.SessionApproval:
		return problem.New("the session waits for an approval").Coded(problem.ApprovalNeeded).Because("the connection profile has an approval workflow; Auditor cannot wait for that").
			Try("set Approval Type of the connection profile to Automatic")
	case steps.SessionPending, steps.SessionUnknown:
		return problem.New("the session is not active after "+seconds(took)).Coded(problem.SessionTimeout).
			Because("Auditor gives up after 300 s (event 5804, reason 0x80072EE2)"+words).
			Try("look in NPS under Active Sessions what it waits for; see whether the services sbpam* run",
				"only when it is merely slow: raise MaxWaitForActiveStatusS in CredentialResolverService.acconf on Auditor's server, restart NwCfgServerSvc, and do so again after each update of Auditor")
	case steps.SessionActive, steps.SessionEnding, steps.SessionEnded, steps.SessionFailed:
	}
	return problem.New("the session failed").Coded(problem.SessionFailed).Because("NPS could not prepare it" + words).Try("look at its log in NPS under Active Sessions > Historical, mend what it names, then npsetup verify --session")
}

// EndedBySomebody gives the line of a session's log that says that somebody else than user ended it; empty when none does. NPS's
// words are not published: what is looked for are those of any product.
func EndedBySomebody(log json.RawMessage, user string) string {
	for _, line := range LogLines(log) {
		low := strings.ToLower(line)
		for _, sign := range []string{"ended by ", "terminated by ", "cancelled by ", "canceled by "} {
			if at := strings.Index(low, sign); at >= 0 {
				who, own := strings.CutPrefix(strings.TrimLeft(low[at+len(sign):], ` '"`), strings.ToLower(problem.Plain(user)))
				if own && (who == "" || strings.ContainsRune(` '".,;:()`, rune(who[0]))) {
					return ""
				}
				return line
			}
		}
	}
	return ""
}

// LogLines are the lines of a log as NPS gives them, the last first, without empty ones.
func LogLines(raw json.RawMessage) []string {
	var log struct {
		Lines []struct{ LogMessage string }
	}
	if json.Unmarshal(raw, &log) != nil {
		return nil
	}
	var lines []string
	for _, l := range log.Lines {
		if text := strings.TrimSpace(problem.Plain(l.LogMessage)); text != "" {
			lines = append(lines, text)
		}
	}
	return lines
}

func saying(lines []string, words string, signs []string) (string, bool) {
	for _, line := range append(append([]string{}, lines...), words) {
		for _, s := range signs {
			if strings.Contains(strings.ToLower(line), s) {
				if line == words {
					return "", true
				}
				return line, true
			}
		}
	}
	return "", false
}

func seconds(d time.Duration) string { return fmt.Sprintf("%d s", int(d.Round(time.Second).Seconds())) }
