package auditor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
)

// pageOf is the page of clicks of the monitoring plan.
func monitoringPage(t *testing.T, st *site) plan.Manual {
	t.Helper()
	m := st.action(t, monitoringStep).Manual()
	if m == nil {
		t.Fatal("there is no page")
	}
	return *m
}

func clicks(m plan.Manual) string {
	var lines []string
	for _, c := range m.Clicks {
		lines = append(lines, c.Text)
	}
	return strings.Join(lines, "\n")
}

func copied(m plan.Manual, label string) string {
	var values []string
	for _, v := range m.Values {
		if v.Label == label {
			values = append(values, v.Value)
		}
	}
	return strings.Join(values, ",")
}

// TestEachItemIsToldItsOwnStrings in the order of Auditor's screens, with the names of both versions.
func TestEachItemIsToldItsOwnStrings(t *testing.T) {
	st := newCredentialSite()
	m := monitoringPage(t, st)
	want := []string{"“Monitoring Plans”", "item contoso.com", "“Privilege Secure” (10.8: “Netwrix Privilege Secure”)", "“Credential-based”", "Type svc-auditor as the user name", "“Save & Close”"}
	text, at := clicks(m), 0
	for _, w := range want {
		i := strings.Index(text[at:], w)
		if i < 0 {
			t.Fatalf("%q does not come in its place:\n%s", w, text)
		}
		at += i
	}
	if copied(m, "account") != "svc-auditor" || strings.Contains(text, "Resource-based”") {
		t.Errorf("copied is %q in\n%s", copied(m, "account"), text)
	}

	// Both kinds: each item its own, the plan is opened once.
	st = newCredentialSite()
	st.server.add("searchCredentials", row{"id": "w-two", "userName": "svc-files", "domain": "CONTOSO", "credentialType": 1, "managedType": 1})
	st.server.add("searchCandidates", row{"id": "h-2", "dnsHostName": "dc01.fabrikam.com", "isDomainController": true, "domainName": "fabrikam.com", "platformId": "p-ad"})
	st.drafts[keyKind], st.drafts[keyAccounts] = kindBoth, "CONTOSO\\svc-auditor\nCONTOSO\\svc-files"
	st.drafts[keyResources] = "dc01.contoso.com\ndc01.fabrikam.com"
	st.drafts[keyItems], st.drafts[keyCredentialItems] = "contoso.com\nfile01.contoso.com\nfabrikam.com\nfile02.contoso.com", "file01.contoso.com\nfile02.contoso.com"
	m = monitoringPage(t, st)
	text = clicks(m)
	for _, w := range []string{"item contoso.com;", "and dc01.contoso.com as the resource", "item fabrikam.com;", "and dc01.fabrikam.com as the resource", "item file01.contoso.com;", "Type svc-auditor as", "item file02.contoso.com;", "Type svc-files as"} {
		if !strings.Contains(text, w) {
			t.Errorf("it does not say %q:\n%s", w, text)
		}
	}
	if strings.Count(text, "“Monitoring Plans”") != 1 || copied(m, "item") != "contoso.com,fabrikam.com,file01.contoso.com,file02.contoso.com" {
		t.Errorf("copied are %q in\n%s", copied(m, "item"), text)
	}
	// What is typed decides whether the doing has to be repeated.
	s, err := st.survey(t)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := plan.TextOf(typedNames(s), nil)
	st.drafts[keyCredentialItems] = "file01.contoso.com"
	if s, err = st.survey(t); err != nil {
		t.Fatal(err)
	}
	if after, _ := plan.TextOf(typedNames(s), nil); after == before {
		t.Error("another choice of items is told as done")
	}
}

// TestThePageOfAStepTellsEachItemItsKind: the page of the wizard is like that of the plan.
func TestThePageOfAStepTellsEachItemItsKind(t *testing.T) {
	st := newSite()
	st.drafts[keyKind], st.drafts[keyItems], st.drafts[keyCredentialItems], st.drafts[keyAccounts] = kindBoth, "contoso.com\nfile01", "file01", "CONTOSO\\svc-files"
	page := func() []string {
		step, _ := st.guide().Step(monitoringStep)
		return step.Paragraph(st.answers(), steps.Facts{})
	}
	lines := page()
	item, kind := "", map[string]string{}
	for _, line := range lines {
		if _, of, is := strings.Cut(line, "Double-click the item "); is {
			item, _, _ = strings.Cut(of, ";")
		}
		if _, of, is := strings.Cut(line, "choose “"); is && strings.HasPrefix(line, "As ") {
			kind[item], _, _ = strings.Cut(of, "”")
		}
	}
	if len(kind) != 2 || kind["contoso.com"] != "Resource-based" || kind["file01"] != "Credential-based" {
		t.Errorf("told is %v:\n%s", kind, strings.Join(lines, "\n"))
	}
	delete(st.drafts, keyCredentialItems)
	delete(st.drafts, keyItems)
	if text := strings.Join(page(), "\n"); strings.Count(text, "(item)") != 2 || strings.Count(text, "Open “Monitoring Plans”") != 1 {
		t.Errorf("without items it says\n%s", text)
	}
}

func TestWarningsOfAPlan(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		says string
	}{
		"one account for several items": {map[string]string{keyItems: "contoso.com\nfabrikam.com"}, "several items share an account"},
		"a long collection":             {map[string]string{keyLongest: "75"}, "the longest collection takes 75 minutes, and Max Duration is 60"},
		"a domain that ends with .ad":   {map[string]string{keyItems: "corp.ad"}, "corp.ad ends with .ad: IIS on the NPS server blocks"},
	} {
		st := newCredentialSite()
		for k, v := range c.set {
			st.drafts[k] = v
		}
		if p := st.draft(t); !strings.Contains(strings.Join(p.Warnings, "\n"), c.says) {
			t.Errorf("%s: warned is\n%s", name, strings.Join(p.Warnings, "\n"))
		}
		st = newCredentialSite()
		st.drafts[keyLongest] = "59"
		if p := st.draft(t); strings.Contains(strings.Join(p.Warnings, "\n"), c.says) {
			t.Errorf("%s: warned without reason", name)
		}
	}
	st := newSite()
	st.drafts[keySource] = sourceEntraModern
	if text := st.trouble(t); !strings.Contains(text, "modern authentication") || !strings.Contains(text, "accessPolicy.kind: credential") || !strings.Contains(text, "Application ID") {
		t.Error(text)
	}
	st = newCredentialSite()
	st.drafts[keySource] = sourceEntraModern
	st.draft(t)
	st = newCredentialSite()
	st.drafts[keyKind], st.drafts[keyCredentialItems] = kindBoth, "elsewhere.com"
	if text := st.trouble(t); !strings.Contains(text, "the plan has no item elsewhere.com") {
		t.Error(text)
	}
}

// TestEachKindOfPolicyIsProven opens a session for each, and waits for Auditor's under each that an item takes.
func TestEachKindOfPolicyIsProven(t *testing.T) {
	release := func(id, note, policy string) row {
		r := session(id, note, 3)
		r["activityName"], r["accessPolicyId"] = "Credential Release", policy
		return r
	}
	verifies := func(st *site) string {
		var list []string
		for _, a := range st.draft(t).Actions {
			if a.Step == verifyStep {
				list = append(list, a.Effect.String()+" "+a.Key)
			}
		}
		return strings.Join(list, ", ")
	}
	both := func() *site {
		st := newCredentialSite().lent().withKey()
		st.drafts[keyKind], st.drafts[keyItems], st.drafts[keyCredentialItems] = kindBoth, "contoso.com\nfile01", "file01"
		return st
	}
	st := newCredentialSite().lent().withKey()
	if got := verifies(st); got != "create verify/session-credential, manual verify" {
		t.Errorf("planned is %s", got)
	}
	a := st.action(t, "verify/session-credential")
	if got := string(a.Ops[0].Session.Start.Redacted(nil).Body); got != `{"managedAccountId":"u-own","activityName":"Credential Release","credentialUsername":"svc-auditor","credentialDomain":"CONTOSO","note":"npsetup proof 1"}` {
		t.Errorf("asked is %s", got)
	}
	st.server.add("searchSessions", release("s-1", "", "y-lend"))
	st.server.add("searchSessions", release("s-2", "npsetup proof 1", "y-lend"))
	if got := verifies(st); got != "" {
		t.Errorf("with all evidence, planned is %s", got)
	}
	st = newCredentialSite().lent().withKey()
	st.server.add("searchSessions", release("s-1", "", "y-elsewhere"))
	if got := verifies(st); got != "create verify/session-credential, manual verify" {
		t.Errorf("a session of another policy proves: %s", got)
	}

	st = both()
	if got := verifies(st); got != "create verify/session, create verify/session-credential, manual verify" {
		t.Errorf("both: %s", got)
	}
	p := st.draft(t)
	first, _ := p.Action("verify/session")
	second, _ := p.Action("verify/session-credential")
	if first.Name == second.Name {
		t.Errorf("both are marked %s", first.Name)
	}
	st.collected().server.add("searchSessions", session("s-3", "npsetup proof 1", 3))
	if got := verifies(st); got != "create verify/session-credential, manual verify" {
		t.Errorf("resource-based proven: %s", got)
	}
	st.server.add("searchSessions", release("s-1", "", "y-lend"))
	st.server.add("searchSessions", release("s-2", "npsetup proof 2", "y-lend"))
	if got := verifies(st); got != "" {
		t.Errorf("both proven: %s", got)
	}
}

// TestCausesOfEvents maps what Auditor writes to what it means.
func TestCausesOfEvents(t *testing.T) {
	for text, c := range map[string]struct {
		id   int
		says []string
	}{
		"expired while the corresponding credentials were in use": {5801, []string{"several collections share one account", "maxDuration"}},
		"expired": {5802, []string{"longer than Max Duration"}},
		"ended":   {5803, []string{"NwCfgServerSvc"}},
		"Reason: 0x80190190 Bad request (400), Unable to find requested credential by username":    {5804, []string{"no credential by the user name", "without its domain"}},
		"Reason: 0x80190190 Bad request (400), Unable to find requested resource by DnsHostName":   {5804, []string{"DNS host name"}},
		"Reason: 0x80190190 Bad request (400), Unable to find requested activity: netwrix auditor": {5804, []string{"no activity by the name"}},
		"Reason: 0x80190190 Bad request (400)":                                                     {5804, []string{"what the item asks for"}},
		"Reason: 0x80190193 Forbidden (403)":                                                       {5804, []string{"certificate", "serial number"}},
		"Reason: 0x80072EE2":                                                                       {5804, []string{"MaxWaitForActiveStatusS (300 s)", "after each update or repair"}},
		"Reason: something new":                                                                    {5804, []string{"not known here"}},
	} {
		p := Cause(Event{ID: c.id, Text: text})
		said := p.What + p.Why + strings.Join(p.Next, " ")
		for _, w := range c.says {
			if !strings.Contains(said, w) {
				t.Errorf("%s: it does not say %q: %s", text, w, said)
			}
		}
		if p.Why == "" || len(p.Next) == 0 {
			t.Errorf("%s: no reason or no way out", text)
		}
	}
}

// began is a session of Auditor that began at an hour of the day.
func began(hour int) *npsapi.Session {
	at := fmt.Sprintf("2026-02-01T%02d:00:00Z", hour)
	return &npsapi.Session{CreatedDateTimeUTC: &at}
}

// TestEventsAreJudgedByTheirKindOfPolicy: where items take both, a session of one kind says nothing of a complaint about the other, and each kind's is told.
func TestEventsAreJudgedByTheirKindOfPolicy(t *testing.T) {
	st := newCredentialSite()
	st.drafts[keyKind], st.drafts[keyItems], st.drafts[keyCredentialItems] = kindBoth, "contoso.com\nfile01", "file01"
	event := func(hour, id int, text string) Event {
		return Event{ID: id, At: time.Date(2026, 2, 1, hour, 30, 0, 0, time.UTC), Text: text}
	}
	credential, resource := event(8, 5804, "Unable to find requested credential by username"), event(9, 5804, "Unable to find requested resource by DnsHostName")
	refused, slow := event(9, 5804, "0x80190193 Forbidden (403)"), event(9, 5804, "0x80072EE2")
	for name, c := range map[string]struct {
		events               []Event
		resource, credential int // when the last session of the kind began; 0: never
		want                 string
	}{
		"of the other kind later":  {[]Event{credential}, 10, 0, "credential-unknown"},
		"of its kind before":       {[]Event{credential}, 10, 8, "credential-unknown"},
		"of its kind later":        {[]Event{credential}, 0, 10, ""},
		"both complain":            {[]Event{credential, resource}, 0, 0, "resource-unknown credential-unknown"},
		"one of both is over":      {[]Event{credential, resource}, 10, 0, "credential-unknown"},
		"the other is over":        {[]Event{credential, resource}, 8, 10, "resource-unknown"},
		"the newest of one kind":   {[]Event{event(7, 5801, "expired"), credential}, 0, 0, "credential-unknown"},
		"the sign-in is of both":   {[]Event{refused}, 10, 0, ""},
		"the sign-in fails still":  {[]Event{refused}, 9, 9, "client-certificate-not-trusted"},
		"it tells no kind":         {[]Event{slow}, 10, 0, "session-timeout"},
		"it tells no kind, over":   {[]Event{slow}, 10, 11, ""},
		"resource-based, expired":  {[]Event{event(9, 5802, "expired")}, 0, 10, "collection-too-long"},
		"credential-based, over":   {[]Event{event(9, 5801, "expired")}, 0, 10, ""},
		"a resource-based refusal": {[]Event{event(9, 5804, "Access is denied.")}, 0, 10, "remote-access-denied"},
	} {
		s := steps.NewScene(st.answers(), steps.Memory{})
		steps.Put(s, eventsKey, &EventLog{Events: c.events})
		ev := evidence{of: map[string]seenSessions{}}
		for kind, hour := range map[string]int{kindResourceBased: c.resource, kindCredential: c.credential} {
			if hour > 0 {
				ev.of[kind] = seenSessions{auditor: began(hour)}
				ev.auditor = nps.Later(ev.auditor, began(hour))
			}
		}
		var got []string
		for _, p := range complaints(s, ev) {
			got = append(got, string(p.Named()))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: told is %q, want %q", name, got, c.want)
		}
	}
}

// TestAnOldEventSpeaksAgainstNothing: only what came after the last change and the last session does.
func TestAnOldEventSpeaksAgainstNothing(t *testing.T) {
	at := func(hour int) Event {
		return Event{ID: 5804, At: time.Date(2026, 2, 1, hour, 0, 0, 0, time.UTC), Text: fmt.Sprintf("0x80190193 at %d", hour)}
	}
	s := steps.NewScene(newSite().answers(), steps.Memory{})
	if got := complaints(s, evidence{}); got != nil {
		t.Errorf("no log complains of %v", got)
	}
	steps.Put(s, eventsKey, &EventLog{Events: []Event{at(8), at(10)}})
	for hour, told := range map[int]bool{9: true, 10: false, 11: false} {
		s.Memory.Changed = at(hour).At
		if got := complaints(s, evidence{}); (len(got) == 1 && strings.Contains(got[0].What, "10:00")) != told || len(got) > 1 {
			t.Errorf("changed at %d: told is %v", hour, got)
		}
		s.Memory.Changed = time.Time{}
		if got := complaints(s, evidence{auditor: began(hour)}); (len(got) == 1) != told {
			t.Errorf("a session at %d: told is %v", hour, got)
		}
	}
	if got := newest([]Event{at(1), at(2), at(3)}, 2); !slices.Equal(got, []Event{at(3), at(2)}) {
		t.Errorf("the newest are %v", got)
	}
}
