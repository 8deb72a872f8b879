package auditor

import (
	"fmt"
	"strings"
	"testing"

	"npsetup/steps/nps"
	"npsetup/steps/problem"
)

func TestANewUserHasAllThreeNames(t *testing.T) {
	a := newSite().action(t, userStep)
	want := "map[certificateSerialNumber:00BA12CD34 displayName:NetwrixAuditor entityType:2 name:NetwrixAuditor samAccountName:NetwrixAuditor]"
	if got := fmt.Sprint(body(t, a, "create")); got != want {
		t.Errorf("sent is %s", got)
	}
	if l := a.Ops[0].Lookup; l == nil || l.Member != "name" || l.Value != "NetwrixAuditor" {
		t.Errorf("a lost answer is looked up by %+v", l)
	}
}

// TestSerialNumbersInAnySpelling keeps a user whose serial number is the same in another spelling.
func TestSerialNumbersInAnySpelling(t *testing.T) {
	for spelled, same := range map[string]bool{
		serial: true, "BA12CD34": true, "00ba12cd34": true, "00 ba 12 cd 34": true, "ba12 cd34": true, "0BA12CD34": true,
		"00BA12CD35": false, "BA12CD3400": false, "": false,
	} {
		st := newSite().complete().made()
		st.server.named("searchManagedAccounts", "NetwrixAuditor")["certificateSerialNumber"] = spelled
		p := st.draft(t)
		if same {
			wantEffects(t, p)
			continue
		}
		wantEffects(t, p, "update application-user")
		if sent := body(t, p.Actions[0], "update"); sent["certificateSerialNumber"] != serial {
			t.Errorf("%q is updated to %v", spelled, sent["certificateSerialNumber"])
		}
	}
}

// TestAUserIsUpdatedWhole writes back everything that was read, with one member changed.
func TestAUserIsUpdatedWhole(t *testing.T) {
	st := newSite().complete().made()
	have := st.server.named("searchManagedAccounts", "NetwrixAuditor")
	have["samAccountName"] = ""
	a := st.action(t, userStep)
	if labels(a) != "SamAccountName: (nothing) → NetwrixAuditor" || sends(a) != "PUT /api/v1/ManagedAccount/UpdateApplicationUser" {
		t.Errorf("%q, %s", labels(a), sends(a))
	}
	sent := body(t, a, "update")
	if len(sent) != len(have) || sent["tenantMark"] != "kept" || sent["id"] != "u-own" || sent["samAccountName"] != "NetwrixAuditor" || sent["certificateSerialNumber"] != serial {
		t.Errorf("sent is %v", sent)
	}
	if g := a.Ops[0].Guard; g == nil || g.Lookup.Call.Redacted(nil).Path != "/api/v1/ManagedAccount/ManagedAccountView/u-own" || nps.Member(g.Want, "tenantMark") != "kept" {
		t.Errorf("the guard is %+v", g)
	}
	have["samAccountName"] = "another" // it is somebody's choice
	wantEffects(t, st.draft(t))
}

// TestAUserWithoutName is found by the display name, when that is all there is.
func TestAUserWithoutName(t *testing.T) {
	st := newSite().complete().made()
	have := st.server.named("searchManagedAccounts", "NetwrixAuditor")
	have["name"] = nil
	wantEffects(t, st.draft(t))
	have["name"] = "Something else" // a display name alone is no identity
	wantEffects(t, st.draft(t), "create application-user", "create policy-resource/user")
}

func TestALockedUserIsTold(t *testing.T) {
	st := newSite().complete().made()
	st.server.named("searchManagedAccounts", "NetwrixAuditor")["locked"] = true
	if text := strings.Join(st.draft(t).Warnings, "\n"); !strings.Contains(text, "locked") {
		t.Errorf("warned: %s", text)
	}
}

// TestCertificatesThatMustNotBeUsed names every reason at once, with what to do.
func TestCertificatesThatMustNotBeUsed(t *testing.T) {
	st := newSite()
	st.cert.SelfSigned, st.cert.Issuer = false, "CN=Contoso CA\x1b[2J"
	st.cert.Refused = problem.New("it has expired").Try("make another one")
	text := st.trouble(t)
	for _, says := range []string{"not self-signed", "403.16", "CN=Contoso CA", "do not import this file", "it has expired", "make another one"} {
		if !strings.Contains(text, says) {
			t.Errorf("it does not say %q:\n%s", says, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Error("an escape sequence of the certificate is left")
	}
}

func TestApplicationNamesHaveNoBlanks(t *testing.T) {
	for name, good := range map[string]bool{"NetwrixAuditor": true, "netwrix-auditor_2": true, "Netwrix Auditor": false, "a\tb": false, "a\u00a0b": false, "a\u2003b": false} {
		if err := checkApplication(name); (err == nil) != good {
			t.Errorf("%q: %v", name, err)
		}
	}
}
