package sandbox_test

import (
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestOnlyWhatIsDocumented: policies tell their profile by name and no status, activities are found as candidates, and the person
// makes what no call makes, the policy too.
func TestOnlyWhatIsDocumented(t *testing.T) {
	b := start(t, sandbox.Options{API: "documented"}).signIn()
	var policy map[string]any
	b.must("POST", "/api/v1/AccessControlPolicy", map[string]any{"name": "Other", "policyType": 0}, &policy)
	if _, told := policy["isDeleted"]; told || policy["activityConfiguration"] != nil {
		t.Errorf("the policy tells %v", policy)
	}
	candidates := "/api/v1/AccessControlPolicy/SearchActivityCandidates/" + policy["id"].(string) + "?skip=0&take=10&filterText="
	listed := func(text string) int {
		var found struct{ RecordsTotal int }
		b.must("GET", candidates+text, nil, &found)
		return found.RecordsTotal
	}
	if n := listed("Log"); n != 1 {
		t.Errorf("%d candidates", n)
	}
	if status, _, _ := b.do("GET", "/api/v1/AccessControlPolicy/SearchActivityCandidates/"+strings.Repeat("0", 8)+"-0000-0000-0000-000000000000", nil); status != 400 {
		t.Errorf("of no policy: %d", status)
	}
	var did []string
	for _, d := range b.s.Person() {
		did = append(did, d.Step)
	}
	if got := strings.Join(did, " "); got != "auditor-start certificate-trust connection-profile activity" {
		t.Errorf("without user and resource, the person did %s", got)
	}
	if n := listed("Netwrix"); n != 1 {
		t.Errorf("the new activity is a candidate %d times", n)
	}
}
