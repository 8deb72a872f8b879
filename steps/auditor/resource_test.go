package auditor

import (
	"fmt"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
)

const resourceKey = "resource/dc01.contoso.com"

func TestANewResource(t *testing.T) {
	a := newSite().action(t, resourceKey)
	if got := fmt.Sprint(body(t, a, "import")); got != "map[hostIds:[h-1] serviceAccountId:k-nps]" || len(a.Ops) != 1 {
		t.Errorf("sent is %s", got)
	}
	if l := a.Ops[0].Lookup; l == nil || l.Call.Redacted(nil).Path != "/api/v1/ManagedResource/ByHostId/h-1" {
		t.Errorf("its id comes from %+v", l)
	}
	st := newSite()
	candidate := st.server.named("searchCandidates", "dc01.contoso.com")
	candidate["platformId"], candidate["platformName"] = "p-win", "Windows"
	a = st.action(t, resourceKey)
	if got := fmt.Sprint(body(t, a, "platform")); got != "map[property:p-ad resourceIds:[(id of resource dc01.contoso.com, known after apply)]]" || !strings.Contains(labels(a), "Platform: Windows → Active Directory") {
		t.Errorf("sent is %s, shown is %s", got, labels(a))
	}
}

// TestAKnownResource sets what differs, for the resource alone.
func TestAKnownResource(t *testing.T) {
	for name, c := range map[string]struct {
		set           row
		sends, labels string
		undo          int
	}{
		"as wanted":       {row{"serviceAccountId": "K-NPS"}, "", "", 0},
		"service account": {row{"serviceAccountId": "k-bak", "saName": "Contoso backup"}, "PUT /api/v1/ManagedResource/ServiceAccount/Bulk", "Service Account: Contoso backup → svc-nps", 1},
		"none yet":        {row{"serviceAccountId": nil, "saName": nil}, "PUT /api/v1/ManagedResource/ServiceAccount/Bulk", "Service Account: (nothing) → svc-nps", 0},
		"platform":        {row{"platformId": "p-win", "platformName": "Windows"}, "PUT /api/v1/ManagedResource/Platform/Bulk", "Platform: Windows → Active Directory", 1},
		"both": {
			row{"platformId": "p-win", "platformName": "Windows", "serviceAccountId": "k-bak", "saName": "x"},
			"PUT /api/v1/ManagedResource/ServiceAccount/Bulk\nPUT /api/v1/ManagedResource/Platform/Bulk", "Service Account: x → svc-nps; Platform: Windows → Active Directory", 2,
		},
	} {
		st := newSite().complete().made()
		have := st.server.named("searchResources", "dc01.contoso.com")
		for k, v := range c.set {
			have[k] = v
		}
		p := st.draft(t)
		if c.sends == "" {
			wantEffects(t, p)
			continue
		}
		wantEffects(t, p, "update "+resourceKey)
		a := p.Actions[0]
		if sends(a) != c.sends || labels(a) != c.labels || len(a.Undo) != c.undo {
			t.Errorf("%s: %s; %s; %d to undo", name, sends(a), labels(a), len(a.Undo))
		}
		for _, op := range a.Ops {
			want := map[string]string{"service-account": `{"resourceIds":["r-own"],"property":"k-nps"}`, "platform": `{"resourceIds":["r-own"],"property":"p-ad"}`}[op.ID]
			if got := string(op.Call.Redacted(nil).Body); got != want {
				t.Errorf("%s: sent is %s", name, got)
			}
		}
	}
}

// TestServiceAccounts looks accounts up by name, by user name and with their domain.
func TestServiceAccounts(t *testing.T) {
	for wanted, c := range map[string]struct{ id, says string }{
		"svc-nps": {"k-nps", ""}, "SVC-NPS": {"k-nps", ""}, `contoso\svc-backup`: {"k-bak", ""}, `FABRIKAM\svc-backup`: {"k-fab", ""}, "Fabrikam backup": {"k-fab", ""},
		"svc-backup":             {"", `2 service accounts of NPS fit "svc-backup"`},
		"svc":                    {"", `no service account "svc"`},
		"nobody":                 {"", `no service account "nobody"`},
		`OTHER\svc-nps`:          {"", "no service account"},
		`CONTOSO\Contoso backup`: {"", "no service account"},
	} {
		st := newSite()
		st.drafts[keyServiceAccount] = wanted
		if c.id == "" {
			if text := st.trouble(t); !strings.Contains(text, c.says) || !strings.Contains(text, keyServiceAccount) {
				t.Errorf("%s: %s", wanted, text)
			}
			continue
		}
		if got := body(t, st.action(t, resourceKey), "import")["serviceAccountId"]; got != c.id {
			t.Errorf("%s is %v, want %s", wanted, got, c.id)
		}
	}
	// A name of its own goes over the same text as user name elsewhere.
	st := newSite()
	st.server.add("searchCredentials", row{"credentialId": "k-4", "displayName": "Else", "userName": "svc-nps", "domain": "FABRIKAM"})
	if got := body(t, st.action(t, resourceKey), "import")["serviceAccountId"]; got != "k-nps" {
		t.Errorf("it is %v", got)
	}
}

// TestAServiceAccountWithoutACredential is not sent as an empty id.
func TestAServiceAccountWithoutACredential(t *testing.T) {
	st := newSite()
	st.server.rows["searchCredentials"][0]["credentialId"] = nil
	if text := st.trouble(t); !strings.Contains(text, "has no stored credential") || !strings.Contains(text, keyServiceAccount) {
		t.Error(text)
	}
}

// TestAnEnrolledHostIsNotImportedAgain finds a resource that only the list of candidates knows as one.
func TestAnEnrolledHostIsNotImportedAgain(t *testing.T) {
	st := newSite()
	st.server.rows["searchCandidates"][0]["managedResourceId"] = "r-9"
	if a := st.action(t, resourceKey); a.Effect != plan.Create {
		t.Errorf("a resource that cannot be read is %s", a.Effect)
	}
	st.server.add("resourcesByHost", row{"id": "h-1", "platformId": "p-ad", "serviceAccountId": "k-nps"})
	if a := st.action(t, resourceKey); a.Effect != plan.Adopt {
		t.Errorf("it is %s: %s", a.Effect, sends(a))
	}
}

// TestEverythingThatIsMissingIsTold names unknown hosts and the unknown service account together.
func TestEverythingThatIsMissingIsTold(t *testing.T) {
	st := newSite()
	st.drafts[keyResources], st.drafts[keyServiceAccount] = "dc77.contoso.com\ndc01.contoso.com\ndc88.contoso.com", "nobody"
	text := st.trouble(t)
	for _, says := range []string{"does not know the host dc77.contoso.com", "does not know the host dc88.contoso.com", `no service account "nobody"`, "Synchronize Now"} {
		if !strings.Contains(text, says) {
			t.Errorf("it does not say %q:\n%s", says, text)
		}
	}
	if strings.Contains(text, "dc01") {
		t.Errorf("it complains of a host that is there:\n%s", text)
	}
}

func TestSeveralDomainControllersWarn(t *testing.T) {
	for name, c := range map[string]struct {
		second row
		warns  bool
	}{
		"one":           {nil, false},
		"two":           {row{"id": "h-2", "dnsHostName": "dc02.contoso.com", "isDomainController": true, "domainName": "CONTOSO.com"}, true},
		"a member":      {row{"id": "h-2", "dnsHostName": "file.contoso.com", "isDomainController": false, "domainName": "contoso.com"}, false},
		"another one's": {row{"id": "h-2", "dnsHostName": "dc02.fabrikam.com", "isDomainController": true, "domainName": "fabrikam.com"}, false},
		"the same":      {row{"id": "h-3", "dnsHostName": "DC01.contoso.com", "isDomainController": true, "domainName": "contoso.com"}, false},
	} {
		st := newSite()
		if c.second != nil {
			st.server.add("searchCandidates", c.second)
		}
		text := strings.Join(st.draft(t).Warnings, "\n")
		if strings.Contains(text, "contoso.com has several domain controllers") != c.warns {
			t.Errorf("%s: %q", name, text)
		}
	}
	st := newSite()
	st.server.named("searchCandidates", "dc01.contoso.com")["isDomainController"] = false
	if text := strings.Join(st.draft(t).Warnings, "\n"); !strings.Contains(text, "is no domain controller") {
		t.Errorf("warned: %s", text)
	}
	st = newSite().complete()
	st.server.named("searchResources", "dc01.contoso.com")["disableWinRm"] = true
	if text := strings.Join(st.draft(t).Warnings, "\n"); !strings.Contains(text, "WinRM") {
		t.Errorf("warned: %s", text)
	}
}

// TestThePDCEmulatorIsAFinding tells whether the resource is the domain controller that DNS names, outside the plan.
func TestThePDCEmulatorIsAFinding(t *testing.T) {
	digests := map[string]bool{}
	for pdc, c := range map[string]struct {
		state steps.State
		says  string
	}{
		"DC01.contoso.com": {steps.Fits, "DC01.contoso.com"}, "dc02.contoso.com\x1b[2J": {steps.Doubtful, "dc02.contoso.com[2J"}, "": {steps.Info, "netdom query fsmo"},
	} {
		st := newSite()
		st.pdc = pdc
		s, err := st.survey(t)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, f := range s.Findings(resourceStep) {
			if f.Title == "PDC emulator of contoso.com" {
				found = f.State == c.state && strings.Contains(f.Text, c.says) && !strings.Contains(f.Text, "\x1b")
			}
		}
		if !found {
			t.Errorf("%q: %+v", pdc, s.Findings(resourceStep))
		}
		d, _ := st.draft(t).Digest()
		digests[d] = true
	}
	if len(digests) != 1 {
		t.Error("what DNS answers is part of the plan's digest")
	}
}

func TestHostNames(t *testing.T) {
	for name, good := range map[string]bool{"dc01.contoso.com": true, "dc01.contoso.com.": true, "dc01": false, ".": false, `CONTOSO\dc01.x`: false, "https://dc01.x": false, "dc01.x:6500": false, "dc 01.x": false, "a@b.c": false} {
		if err := checkHost(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}
