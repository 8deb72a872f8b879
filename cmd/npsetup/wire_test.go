package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"npsetup/client/sandbox"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// reference is how an id that is not known yet stands in a preview.
var reference = regexp.MustCompile(`\([^()]*(?:\([^()]*\)[^()]*)*, known after apply\)`)

// pattern matches exactly a previewed text, any id in place of a reference.
func pattern(t *testing.T, shown string) *regexp.Regexp {
	t.Helper()
	var b strings.Builder
	b.WriteString("^")
	for at := 0; ; {
		m := reference.FindStringIndex(shown[at:])
		if m == nil {
			b.WriteString(regexp.QuoteMeta(shown[at:]) + "$")
			break
		}
		b.WriteString(regexp.QuoteMeta(shown[at:at+m[0]]) + `[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
		at += m[1]
	}
	return regexp.MustCompile(b.String())
}

// previewed reads the changing calls of a plan document.
func previewed(t *testing.T, raw []byte) []plan.Request {
	t.Helper()
	var doc struct {
		Actions []struct {
			Ops []struct {
				Class, Method, Path string
				Body                json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var calls []plan.Request
	for _, a := range doc.Actions {
		for _, op := range a.Ops {
			if op.Class == "change" && op.Method != "" {
				calls = append(calls, plan.Request{Method: op.Method, Path: op.Path, Body: compact(t, op.Body)})
			}
		}
	}
	return calls
}

func compact(t *testing.T, raw json.RawMessage) []byte {
	t.Helper()
	if len(raw) == 0 {
		return nil
	}
	v, err := plan.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	out, err := plan.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestWhatArrivesIsWhatWasShown compares the changing requests that arrived with the plan, byte for byte.
func TestWhatArrivesIsWhatWasShown(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	file := st.edited("resources: [dc01.contoso.com]", "resources: [dc01.contoso.com, dc02.contoso.com, app01.contoso.com]")
	planned := filepath.Join(t.TempDir(), "plan.json")
	st.do("plan", "-f", file, "--out", planned).want(t, exitPending)
	raw, err := os.ReadFile(planned)
	if err != nil {
		t.Fatal(err)
	}
	shown := previewed(t, raw)
	st.do("apply", "-f", file, "--yes").want(t, exitPerson)
	matchRequests(t, shown, st.s.Requests())
}

// matchRequests compares the changing ones of the requests that arrived with those that were shown, one for one.
func matchRequests(t *testing.T, shown []plan.Request, all []sandbox.Request) {
	t.Helper()
	var arrived []sandbox.Request
	for _, r := range all {
		if r.Class == "change" {
			arrived = append(arrived, r)
		}
	}
	if len(shown) != len(arrived) || len(shown) < 7 {
		t.Fatalf("%d calls were shown, %d arrived", len(shown), len(arrived))
	}
	// What names its ids outright is matched first: a reference would match it too.
	slices.SortStableFunc(shown, func(a, b plan.Request) int {
		return len(reference.FindAllString(a.Path+string(a.Body), -1)) - len(reference.FindAllString(b.Path+string(b.Body), -1))
	})
	for _, call := range shown {
		path, body := pattern(t, call.Path), pattern(t, string(call.Body))
		found := -1
		for i, r := range arrived {
			if r.Method == call.Method && path.MatchString(r.Path) && body.MatchString(string(r.Body)) {
				found = i
				break
			}
		}
		if found < 0 {
			t.Errorf("shown and never sent: %s %s\n%s", call.Method, call.Path, call.Body)
			continue
		}
		arrived = append(arrived[:found], arrived[found+1:]...)
	}
	for _, r := range arrived {
		t.Errorf("sent and never shown: %s %s\n%s", r.Method, r.Path, r.Body)
	}
}

// TestAPlantedCallIsRefused sends a call that is in the contract and not in the plan.
func TestAPlantedCallIsRefused(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	a := &app{out: &st.printed, err: &st.printed, now: timeNow, env: func(n string) (string, bool) { v, ok := st.env[n]; return v, ok }, scrub: newScrubber()}
	c := &cobra.Command{}
	c.SetOut(&st.printed)
	c.SetErr(&st.printed)
	j, err := newJob(c, &options{app: a, state: st.state, file: st.answers(), yes: true, format: "text"})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	p, err := j.draft(ctx)
	if err != nil {
		t.Fatal(err)
	}
	j.link.client.Approve(p)
	body := plan.Object{{Name: "name", Value: plan.String("planted")}, {Name: "policyType", Value: plan.Int(0)}}
	call := npsapi.CreatePolicy(body)
	_, err = j.link.client.Send(ctx, plan.Op{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &call}, nil)
	if !problem.Is(err, problem.GateClosed) {
		t.Errorf("the gate said %v", err)
	}
	if st.changes() != 0 {
		t.Error("the planted call arrived")
	}
}

// TestAPlantedSecretIsFound proves that the search for secrets can fail.
func TestAPlantedSecretIsFound(t *testing.T) {
	for _, where := range []string{"output", "file"} {
		st := newSite(t, sandbox.Options{})
		if leak := st.findSecret(); leak != "" {
			t.Fatalf("before it was planted: %s", leak)
		}
		file := filepath.Join(st.state, "planted")
		if where == "output" {
			st.printed.WriteString("x" + st.env["NPS_PASSWORD"] + "y")
		} else if err := os.WriteFile(file, []byte(st.env["NPS_TOTP_SECRET"]), 0o600); err != nil {
			t.Fatal(err)
		}
		if st.findSecret() == "" {
			t.Errorf("a secret planted in the %s was not found", where)
		}
		st.printed.Reset()
		_ = os.Remove(file)
	}
}
