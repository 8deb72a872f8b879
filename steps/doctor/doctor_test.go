package doctor_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/doctor"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

func TestChecksOfALook(t *testing.T) {
	for name, c := range map[string]struct {
		seen steps.Seen
		want []string
	}{
		"nothing": {steps.Seen{Step: "x"}, nil},
		"good":    {steps.Seen{Step: "x", Findings: []steps.Finding{{Title: "user", State: steps.Fits, Rows: []steps.Row{{Label: "name", Value: "a"}}}}}, []string{"ok  user, name a"}},
		"bad": {
			steps.Seen{Step: "x", Err: problem.List{problem.New("a").Because("b").Coded(problem.WebDAV).Try("c"), problem.New("d").Of(problem.Refused)}, Warnings: []steps.Warning{{Text: "w", Code: problem.WinRMDisabled}}},
			[]string{"fault webdav a: b", "fault refused d", "warning winrm-disabled w"},
		},
		"doubtful": {steps.Seen{Step: "x", Findings: []steps.Finding{{Kind: steps.TextFinding, Title: "clocks", Text: "differ", State: steps.Doubtful, Code: problem.ClockSkew}, {Kind: steps.TextFinding, Title: "t", Text: "u", State: steps.Doubtful}}}, []string{"warning clock-skew clocks: differ", "warning worth-knowing t: u"}},
	} {
		var got []string
		for _, k := range doctor.OfLook(c.seen) {
			got = append(got, k.Outcome.String()+" "+string(k.Code)+" "+k.Text)
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestCheckOfAProof(t *testing.T) {
	differs := []plan.Difference{{Label: "Max Duration", From: "15", To: "60"}}
	gone := steps.Proof{State: steps.Differs, Difference: []plan.Difference{{Label: "Name", To: "x"}}}
	fresh := gone
	fresh.New = true
	cause := problem.New("x").Because("y").Coded(problem.VaultEntryNotFound).Try("look")
	for name, c := range map[string]struct {
		proof steps.Proof
		begun bool
		want  doctor.Outcome
		code  problem.Code
		next  string
	}{
		"proven":                    {steps.Proof{State: steps.Proven}, true, doctor.OK, "", ""},
		"proven, and slow":          {steps.Proof{State: steps.Proven, Code: problem.WinRMFallback}, true, doctor.Warning, problem.WinRMFallback, ""},
		"by word":                   {steps.Proof{State: steps.ByWord}, true, doctor.OK, "", ""},
		"not set up yet":            {fresh, false, doctor.NotYet, "", ""},
		"not set up to the end":     {fresh, true, doctor.Warning, problem.DiffersFromGuide, "npsetup plan"},
		"gone":                      {gone, true, doctor.Fault, problem.DiffersFromGuide, "npsetup plan"},
		"another value":             {steps.Proof{State: steps.Differs, Difference: differs}, true, doctor.Fault, problem.DiffersFromGuide, "npsetup plan"},
		"another value, before":     {steps.Proof{State: steps.Differs, Difference: differs}, false, doctor.Fault, problem.DiffersFromGuide, "npsetup plan"},
		"never rotated, before":     {steps.Proof{State: steps.Differs, New: true, Code: problem.CredentialNotRotated}, false, doctor.NotYet, "", ""},
		"never rotated":             {steps.Proof{State: steps.Differs, New: true, Code: problem.CredentialNotRotated}, true, doctor.Fault, problem.CredentialNotRotated, ""},
		"a session that failed":     {steps.Proof{State: steps.Differs, Err: cause}, true, doctor.Fault, problem.VaultEntryNotFound, "look"},
		"person":                    {steps.Proof{State: steps.NeedPerson}, true, doctor.Warning, problem.PersonNeeded, ""},
		"person, before":            {steps.Proof{State: steps.NeedPerson}, false, doctor.NotYet, "", ""},
		"person, and an event":      {steps.Proof{State: steps.NeedPerson, Code: problem.CredentialUnknown}, false, doctor.Warning, problem.CredentialUnknown, ""},
		"open":                      {steps.Proof{State: steps.NotProven}, true, doctor.NotChecked, problem.NotProven, ""},
		"a password that is hidden": {steps.Proof{State: steps.NotProven, Code: problem.PasswordNotReadable}, true, doctor.NotChecked, problem.PasswordNotReadable, ""},
		"failed":                    {steps.Proof{State: steps.NotProven, Err: problem.New("x").Coded(problem.WebDAV).Try("mend")}, true, doctor.Fault, problem.WebDAV, "mend"},
	} {
		got := doctor.OfProof(steps.StepProof{Step: steps.Step{ID: "x"}, Proof: c.proof}, c.begun, false)
		if got.Outcome != c.want || got.Code != c.code || !strings.HasPrefix(strings.Join(got.Remedy, "; "), c.next) || c.next == "" && len(got.Remedy) > 0 {
			t.Errorf("%s: got %s %s %q, want %s %s %q", name, got.Outcome, got.Code, got.Remedy, c.want, c.code, c.next)
		}
	}
}

func TestSheet(t *testing.T) {
	var s doctor.Sheet
	s.Add("here", doctor.Good("a", "well\x1b[2J"), doctor.Doubt("b", problem.WebDAV, "odd"), doctor.Doubt("c", problem.PersonNeeded, "wait"))
	s.Add("there", doctor.Failures("d", errors.New("bad"))...)
	s.Add("there", doctor.Skipped("e", "no reason"))
	s.Add("here", doctor.Check{Name: "f", Outcome: doctor.NotYet, Text: "soon"})
	s.Ports = []steps.Port{{From: "a", To: "b", Port: "TCP 1", For: "x"}, {From: "longer", To: "c", Port: "UDP 137-138", For: "y"}}
	s.Complete(func(c problem.Code) []string { return []string{"mend " + string(c)} })
	var out strings.Builder
	if err := s.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"here\n  ok          a: well[2J\n", "  warning     b: odd (code: webdav)\n", "next: mend webdav\n", "  warning     c: wait (code: person-needed)\n  not yet     f: soon\n\nthere", "  fault       d: bad (code: failed)\n  not checked e: no reason\n", "  a > b      TCP 1       x\n  longer > c UDP 137-138 y\n", "1 ok, 2 warnings, 1 faults, 1 not checked, 1 not set up yet;"} {
		if !strings.Contains(out.String(), must) {
			t.Errorf("the text lacks %q:\n%s", must, out.String())
		}
	}
	raw, err := json.Marshal(&s)
	if err != nil || !strings.Contains(string(raw), `{"group":"here","name":"b","outcome":"warning","code":"webdav","text":"odd","remedy":["mend webdav"]}`) {
		t.Errorf("%s, %v", raw, err)
	}
}
