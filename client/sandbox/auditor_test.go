package sandbox_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// events waits for n events of Auditor.
func (b *bench) events(n int) []sandbox.Event {
	b.t.Helper()
	list, err := b.s.AwaitEvents(b.t.Context(), n)
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

// person does the person's part and names it.
func (b *bench) person() string {
	var did []string
	for _, d := range b.s.Person() {
		did = append(did, d.Step)
	}
	return strings.Join(did, " ")
}

func TestAuditorOpensASessionOnceItIsConnected(t *testing.T) {
	b := start(t, sandbox.Options{SessionDelay: 1})
	if did := b.person(); did != "auditor-start certificate-trust" {
		t.Errorf("at first the person did %s", did)
	}
	if b.s.Collect() {
		t.Error("Auditor collects without a plan")
	}
	s := b.integrated()
	asked := len(b.s.Requests())
	if did := b.person(); did != "auditor-key monitoring-plan" {
		t.Errorf("then the person did %s", did)
	}
	if e := b.events(1)[0]; e.ID != 0 || e.Reason != "" || e.Source == "" || !strings.Contains(e.Text, "established") {
		t.Errorf("%+v", e)
	}
	if len(b.s.Requests()) != asked {
		t.Error("Auditor's requests are among those of others")
	}
	var calls []string
	for _, r := range b.s.AuditorRequests() {
		if r.Method != http.MethodGet {
			calls = append(calls, r.Method+" "+r.Path)
		}
	}
	if len(calls) != 3 || calls[0] != "POST "+tokenPath || calls[1] != "POST /api/v1/ActivitySession" || !strings.HasPrefix(calls[2], "DELETE /api/v1/ActivitySession/") {
		t.Errorf("Auditor's calls: %v", calls)
	}
	var found struct{ Data []session }
	b.must("GET", "/api/v1/ActivitySession/Search?filterText=NetwrixAuditor&skip=0&take=10", nil, &found)
	if len(found.Data) != 1 || found.Data[0].ManagedAccountID != s.user || found.Data[0].Note == "" || strings.Contains(strings.ToLower(found.Data[0].Note), "npsetup") {
		t.Errorf("Auditor's session: %+v", found.Data)
	}
	// A new key kills the old one; the person pastes it, and Auditor asks again.
	b.must("PUT", "/api/v1/ManagedAccount/GenerateApiKey/"+s.user, nil, nil)
	b.s.Collect()
	if e := b.events(2)[1]; e.ID != 5804 || e.Reason != "0x80190191" {
		t.Errorf("with a dead key: %+v", e)
	}
	if did := b.person(); did != "auditor-key" {
		t.Errorf("at last the person did %s", did)
	}
	if e := b.events(3)[2]; e.ID != 0 {
		t.Errorf("with the new key: %+v", e)
	}
}

func TestAuditorsEvents(t *testing.T) {
	for fault, want := range map[string]sandbox.Event{
		"plan-activity":      {ID: 5804, Reason: "0x80190190", Text: "Bad request (400), Unable to find requested activity: netwrix auditor domain admin"},
		"plan-resource":      {ID: 5804, Reason: "0x80190190", Text: "Bad request (400), Unable to find requested resource by DnsHostName"},
		"plan-credential":    {ID: 5804, Reason: "0x80190190", Text: "Bad request (400), Unable to find requested credential by username"},
		"activity-unknown":   {ID: 5804, Reason: "0x80190190", Text: "Unable to find requested activity: " + ourActivity},
		"client-untrusted":   {ID: 5804, Reason: "0x80190193", Text: "Forbidden (403)"},
		"client-not-asked":   {ID: 5804, Reason: "0x80190193", Text: "Forbidden (403)"},
		"client-serial":      {ID: 5804, Reason: "0x80190193", Text: "Forbidden (403)"},
		"password-hidden":    {ID: 5804, Reason: "0x80190194", Text: "Not Found (404)"},
		"password-empty":     {ID: 5804, Text: "password of the session is empty"},
		"session-fails":      {ID: 5804, Text: "Access is denied."},
		"dc-replication":     {ID: 5804, Text: "The user name or password is incorrect"},
		"session-expires":    {ID: 5802, Text: "The activity session expired while it was in use."},
		"credential-expires": {ID: 5801, Text: "expired while the corresponding credentials were in use"},
		"session-terminated": {ID: 5803, Text: "terminated while it was in use"},
	} {
		t.Run(fault, func(t *testing.T) {
			b := start(t, sandbox.Options{SessionDelay: time.Millisecond, Faults: []string{fault}})
			b.integrated()
			b.person()
			e := b.events(1)[0]
			if e.ID != want.ID || e.Reason != want.Reason || !strings.Contains(e.Text, want.Text) {
				t.Errorf("%+v, want %+v", e, want)
			}
			b.clear(fault)
			b.s.Collect()
			if e := b.events(2)[1]; e.ID != 0 {
				t.Errorf("without the fault: %+v", e)
			}
		})
	}
}

func TestAuditorGivesUpAfterFiveMinutes(t *testing.T) {
	b := start(t, sandbox.Options{SessionDelay: time.Second, Faults: []string{"session-timeout"}})
	b.integrated()
	started := make(chan struct{}, 1)
	b.s.OnAuditorRequest(func(r sandbox.Request) {
		if strings.Contains(r.Path, "SummaryById") {
			select {
			case started <- struct{}{}:
			default:
			}
		}
	})
	b.person()
	<-started
	b.later(299 * time.Second)
	b.s.Tick()
	if n := len(b.s.Events()); n != 0 {
		t.Errorf("%d events too early", n)
	}
	b.later(time.Second)
	b.s.Tick()
	if e := b.events(1)[0]; e.ID != 5804 || e.Reason != "0x80072EE2" || !strings.Contains(e.Text, "timed out") {
		t.Errorf("%+v", e)
	}
	b.later(time.Second)
	var found struct{ Data []session }
	b.must("GET", "/api/v1/ActivitySession/Search?filterText=NetwrixAuditor&skip=0&take=10", nil, &found)
	if len(found.Data) != 1 || found.Data[0].SessionStatus != 5 {
		t.Errorf("Auditor left its session: %+v", found.Data)
	}
}

func TestASlowSessionIsWorthWaitingFor(t *testing.T) {
	b := start(t, sandbox.Options{SessionDelay: time.Second, Faults: []string{"session-slow"}})
	b.integrated()
	started := make(chan struct{}, 1)
	b.s.OnAuditorRequest(func(r sandbox.Request) {
		if r.Method == http.MethodPost && r.Status == http.StatusCreated {
			started <- struct{}{}
		}
	})
	b.person()
	<-started
	b.later(46 * time.Second)
	b.s.Tick()
	if e := b.events(1)[0]; e.ID != 0 {
		t.Errorf("%+v", e)
	}
}

func TestClosingDoesNotWaitForAuditor(t *testing.T) {
	b := start(t, sandbox.Options{Faults: []string{"session-timeout"}})
	b.integrated()
	started := make(chan struct{}, 8)
	b.s.OnAuditorRequest(func(r sandbox.Request) { started <- struct{}{} })
	b.person()
	<-started
	if err := b.s.Close(); err != nil {
		t.Error(err)
	}
	if n := len(b.s.Events()); n != 0 {
		t.Errorf("%d events of a collection that the end broke off", n)
	}
	if b.s.Collect() {
		t.Error("Auditor collects after the end")
	}
}

func TestAuditorsRequestsAreNoChances(t *testing.T) {
	b := start(t, sandbox.Options{SessionDelay: 1})
	b.integrated()
	b.faults("answer-lost@2", "auth-500@2")
	b.s.OnRequest(func(r sandbox.Request) { t.Errorf("a hook saw Auditor's %s %s", r.Method, r.Path) })
	b.person()
	for n := 1; n < 4; n++ {
		if e := b.events(n)[n-1]; e.ID != 0 {
			t.Fatalf("collection %d: %+v", n, e)
		}
		b.s.Collect()
	}
}

// admin asks the administrative port.
func (b *bench) admin(method, path, body string, out any) int {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.s.AdminURL()+"/sandbox/"+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(a.Body); err != nil {
		b.t.Fatal(err)
	}
	if out != nil && json.Unmarshal(raw.Bytes(), out) != nil {
		b.t.Fatalf("%s %s: %s", method, path, raw.Bytes())
	}
	return a.StatusCode
}

func TestDoorsForFaultsAndEvents(t *testing.T) {
	b := start(t, sandbox.Options{SessionDelay: 1, Faults: []string{"webdav@9"}})
	var on struct{ Faults []string }
	b.admin("POST", "fault", `{"set":["session-fails","answer-lost"]}`, &on)
	if !slices.Equal(on.Faults, []string{"answer-lost@1", "session-fails", "webdav@9"}) {
		t.Errorf("on: %v", on.Faults)
	}
	b.admin("POST", "fault", `{"clear":["webdav","answer-lost"]}`, &on)
	for _, bad := range []string{`{"set":["typo"]}`, `{"set":["expired-cert"]}`, `{`} {
		if status := b.admin("POST", "fault", bad, nil); status != 400 {
			t.Errorf("%s: %d", bad, status)
		}
	}
	b.integrated()
	var collecting struct{ Collecting bool }
	if b.admin("POST", "collect", "", &collecting); collecting.Collecting {
		t.Error("Auditor collects without a plan")
	}
	b.admin("POST", "person", "", nil)
	var events []map[string]any
	b.admin("GET", "events?wait=1", "", &events)
	for _, member := range []string{"id", "reason", "text", "source"} {
		if len(events) != 1 || events[0][member] == nil {
			t.Fatalf("events: %v", events)
		}
	}
	b.admin("POST", "fault", `{"clear":["session-fails"]}`, &on)
	if len(on.Faults) != 0 {
		t.Errorf("still on: %v", on.Faults)
	}
	b.admin("POST", "collect", "", &collecting)
	b.admin("GET", "events?wait=2", "", &events)
	if events[1]["id"] != float64(0) {
		t.Errorf("events: %v", events)
	}
	var asked []map[string]any
	if b.admin("GET", "requests?of=auditor", "", &asked); len(asked) < 4 {
		t.Errorf("Auditor's requests: %v", asked)
	}
	if status := b.admin("GET", "events?wait=x", "", nil); status != 400 {
		t.Errorf("wait=x: %d", status)
	}
}

func TestFaultsSayWhatTheyDo(t *testing.T) {
	for _, f := range sandbox.Faults() {
		if f.Name == "" || f.What == "" || !slices.Contains(sandbox.FaultNames(), f.Name) {
			t.Errorf("%+v", f)
		}
	}
}
