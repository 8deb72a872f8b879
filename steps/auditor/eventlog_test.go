package auditor

import (
	"testing"

	"npsetup/steps/problem"
)

// TestEventsHaveCodes: the events are those of the vendor's knowledge base.
func TestEventsHaveCodes(t *testing.T) {
	for text, want := range map[string]problem.Code{
		"Reason: 0x80190190 Bad request (400), Unable to find requested credential by username":  problem.CredentialUnknown,
		"Reason: 0x80190190 Bad request (400), Unable to find requested resource by DnsHostName": problem.ResourceUnknown,
		"Reason: 0x80190190 Bad request (400), Unable to find requested activity: x":             problem.ActivityUnknown,
		"Reason: 0x80190193 Forbidden (403)":                                                     problem.ClientCertificateNotTrusted,
		"Reason: 0x80072EE2":                                                                     problem.SessionTimeout,
		"Failed to get any valid DC.":                                                            problem.DirectoryReplication,
		"something else":                                                                         problem.SessionFailed,
	} {
		if c := Cause(Event{ID: 5804, Text: text}); c.Named() != want {
			t.Errorf("%s: %s, want %s", text, c.Named(), want)
		}
	}
	for id, want := range map[int]problem.Code{5801: problem.CollectionTooLong, 5802: problem.CollectionTooLong, 5803: problem.SessionEndedInUse} {
		if c := Cause(Event{ID: id, Text: "Unable to find requested credential"}); c.Named() != want {
			t.Errorf("%d is %s", id, c.Named())
		}
	}
}
