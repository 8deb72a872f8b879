package doctor

import (
	"fmt"
	"strings"
	"time"

	"npsetup/steps/problem"
)

// OfEvent is an event of Auditor's health log as a check. What the events and the reasons of 5804 mean is in the vendor's KB 000009212
// and 000009214 to 000009216.
func OfEvent(id int, at time.Time, text string) Check {
	code := eventCode(id, text)
	when := ""
	if !at.IsZero() {
		when = " of " + at.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	return Check{Name: "health log", Outcome: Fault, Code: code, Text: fmt.Sprintf("event %d%s: %s", id, when, problem.Plain(text))}
}

func eventCode(id int, text string) problem.Code {
	switch id {
	case 5801, 5802:
		return problem.CollectionTooLong
	case 5803:
		return problem.SessionEndedInUse
	}
	said := strings.ToLower(text)
	for _, sign := range []struct {
		words string
		code  problem.Code
	}{
		{"unable to find requested credential", problem.CredentialUnknown},
		{"unable to find requested resource", problem.ResourceUnknown},
		{"unable to find requested activity", problem.ActivityUnknown},
		{"the user name or password is incorrect", problem.DirectoryReplication},
		{"failed to get any valid dc", problem.DirectoryReplication},
		{"serial number", problem.SerialDiffers},
		{"0x80190193", problem.ClientCertificateNotTrusted},
		{"forbidden (403)", problem.ClientCertificateNotTrusted},
		{"certificate", problem.ClientCertificateNotTrusted},
		{"0x80072ee2", problem.SessionTimeout},
		{"timed out", problem.SessionTimeout},
		{"access is denied", problem.RemoteAccessDenied},
	} {
		if strings.Contains(said, sign.words) {
			return sign.code
		}
	}
	return problem.SessionFailed
}
