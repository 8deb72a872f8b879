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
	for name, c := range map[string]struct {
		proof steps.Proof
		want  doctor.Outcome
		code  problem.Code
	}{
		"proven":           {steps.Proof{State: steps.Proven}, doctor.OK, ""},
		"proven, and slow": {steps.Proof{State: steps.Proven, Code: problem.WinRMFallback}, doctor.Warning, problem.WinRMFallback},
		"by word":          {steps.Proof{State: steps.ByWord}, doctor.OK, ""},
		"not there":        {steps.Proof{State: steps.Differs, Difference: []plan.Difference{{Label: "Name", To: "x"}}}, doctor.Warning, problem.DiffersFromGuide},
		"another value":    {steps.Proof{State: steps.Differs, Difference: differs}, doctor.Fault, problem.DiffersFromGuide},
		"person":           {steps.Proof{State: steps.NeedPerson}, doctor.Warning, problem.PersonNeeded},
		"open":             {steps.Proof{State: steps.NotProven}, doctor.NotChecked, problem.NotProven},
		"failed":           {steps.Proof{State: steps.NotProven, Err: problem.New("x").Coded(problem.WebDAV)}, doctor.Fault, problem.WebDAV},
	} {
		if got := doctor.OfProof(steps.StepProof{Step: steps.Step{ID: "x"}, Proof: c.proof}); got.Outcome != c.want || got.Code != c.code {
			t.Errorf("%s: got %s %s, want %s %s", name, got.Outcome, got.Code, c.want, c.code)
		}
	}
}

func TestSheet(t *testing.T) {
	var s doctor.Sheet
	s.Add("here", doctor.Good("a", "well\x1b[2J"), doctor.Doubt("b", problem.WebDAV, "odd"), doctor.Doubt("c", problem.PersonNeeded, "wait"))
	s.Add("there", doctor.Failures("d", errors.New("bad"))...)
	s.Add("there", doctor.Skipped("e", "no reason"))
	s.Ports = doctor.Ports("", true)
	s.Complete(func(c problem.Code) []string { return []string{"mend " + string(c)} })
	var out strings.Builder
	if err := s.Text(&out); err != nil {
		t.Fatal(err)
	}
	for _, must := range []string{"here\n  ok          a: well[2J\n", "  warning     b: odd (code: webdav)\n", "next: mend webdav\n", "  warning     c: wait (code: person-needed)\n\nthere", "  fault       d: bad (code: failed)\n  not checked e: no reason\n", "TCP 6500", "Password Secure", "1 ok, 2 warnings, 1 faults, 1 not checked"} {
		if !strings.Contains(out.String(), must) {
			t.Errorf("the text lacks %q:\n%s", must, out.String())
		}
	}
	raw, err := json.Marshal(&s)
	if err != nil || !strings.Contains(string(raw), `{"group":"here","name":"b","outcome":"warning","code":"webdav","text":"odd","remedy":["mend webdav"]}`) {
		t.Errorf("%s, %v", raw, err)
	}
}
