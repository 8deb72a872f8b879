package auditor

import (
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// withKey lets the private key of the certificate be at hand.
func (st *site) withKey() *site {
	st.drafts[keyPrivateKey] = "file:auditor.key"
	return st
}

// granted lets NPS find the policy.
func (st *site) granted() *site {
	st.server.rows["findPolicies"] = []row{{"id": "y-own"}}
	return st
}

func verifyActions(t tester, st *site) string {
	t.Helper()
	var keys []string
	for _, a := range st.draft(t).Actions {
		if a.Step == verifyStep {
			keys = append(keys, a.Effect.String()+" "+a.Key)
		}
	}
	return strings.Join(keys, ", ")
}

// TestASessionIsOpenedWhenNothingElseProves tells when npsetup opens a session of its own, and when it waits for Auditor's.
func TestASessionIsOpenedWhenNothingElseProves(t *testing.T) {
	for name, c := range map[string]struct {
		st   *site
		want string
	}{
		"nothing is there, no key":                {newSite(), "manual verify"},
		"nothing is there":                        {newSite().withKey(), "create verify/session, manual verify"},
		"all is there, no key":                    {newSite().complete().made(), "manual verify"},
		"all is there":                            {newSite().complete().made().withKey(), "create verify/session, manual verify"},
		"Auditor's was seen":                      {newSite().complete().made().withKey().collected(), ""},
		"both were seen":                          {ours(newSite().complete().made().withKey().collected(), 3), ""},
		"ours was seen":                           {ours(newSite().complete().made().withKey(), 3), "manual verify"},
		"ours was ended before it was active":     {ours(newSite().complete().made().withKey(), 5), "manual verify"},
		"ours failed":                             {ours(newSite().complete().made().withKey(), 4), "create verify/session, manual verify"},
		"Auditor's was seen, and something lacks": {lacking(newSite().complete().made().withKey().collected()), "create verify/session"},
		"the same without a key":                  {lacking(newSite().complete().made().collected()), "manual verify"},
		"wished for":                              {wished(newSite().complete().made().withKey().collected()), "create verify/session"},
		"changed since, and not proven":           {unproven(newSite().complete().made().withKey().collected()), "create verify/session, manual verify"},
		"changed before Auditor's":                {changed(newSite().complete().made().collected(), 9), ""},
		"changed before Auditor's, a key":         {changed(newSite().complete().made().collected().withKey(), 9), "create verify/session"},
		"changed after Auditor's":                 {changed(newSite().complete().made().collected(), 11), "manual verify"},
		"no sign-in there":                        {newSite().complete().made().withKey().lacks("signInApplication"), "manual verify"},
		"another user's":                          {others(newSite().complete().made()), "manual verify"},
		"from before the certificate":             {renewed(newSite().complete().made().collected()), "manual verify"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verifyActions(t, c.st); got != c.want {
				t.Errorf("planned are %q, want %q", got, c.want)
			}
		})
	}
}

func ours(st *site, status int) *site {
	st.server.add("searchSessions", session("s-ours", "npsetup proof 4", status))
	return st
}

func lacking(st *site) *site {
	delete(st.server.rows, "searchPolicyAccounts")
	return st
}

func wished(st *site) *site   { st.memory.Prove = true; return st }
func unproven(st *site) *site { st.memory.Unproven = true; return st }

// changed says that something was changed at an hour of the day of the sessions, and not proven by one of ours.
func changed(st *site, hour int) *site {
	st.memory.Changed = time.Date(2026, 2, 1, hour, 0, 0, 0, time.UTC)
	old := session("s-old", "", 3)
	old["createdDateTimeUtc"] = "2026-01-01T10:00:00Z"
	st.server.add("searchSessions", old) // listed last, and not the last
	return unproven(st)
}

func others(st *site) *site {
	r := session("s-x", "", 3)
	r["managedAccountId"] = "u-0"
	st.server.add("searchSessions", r)
	return st
}

func renewed(st *site) *site {
	st.cert.NotBefore = time.Date(2026, 2, 10, 0, 0, 0, 0, time.UTC)
	return st
}

// TestTheSessionIsAuditors looks at what the planned session asks for: what Auditor would, and a note to find it again.
func TestTheSessionIsAuditors(t *testing.T) {
	st := ours(newSite().complete().made().withKey(), 4)
	a := st.action(t, sessionKey)
	s := a.Ops[0].Session
	if s.Marker != "npsetup proof 5" || s.Found.Value != s.Marker || s.Found.Member != "note" {
		t.Errorf("the marker is %q, found again by %+v", s.Marker, s.Found)
	}
	start := string(s.Start.Redacted(nil).Body)
	for _, want := range []string{`"managedAccountId":"u-own"`, `"activityName":"Netwrix Auditor Domain Admin"`, `"managedResourceName":"dc01.contoso.com"`, `"note":"npsetup proof 5"`} {
		if !strings.Contains(start, want) {
			t.Errorf("it asks for %s, without %s", start, want)
		}
	}
	signIn := string(s.SignIn.Redacted(nil).Body)
	if signIn != `{"login":"NetwrixAuditor","password":"(secret: API key of NetwrixAuditor)","certificateSerialNumber":"00BA12CD34"}` {
		t.Errorf("it signs in with %s", signIn)
	}
	// It waits for what it needs, and not for what only Auditor needs.
	fresh := newSite().withKey().draft(t)
	session, _ := fresh.Action(sessionKey)
	after := strings.Join(session.After, " ")
	for _, key := range []string{"certificate-trust", userStep, policyStep, "resource/dc01.contoso.com"} {
		if !strings.Contains(after, key) {
			t.Errorf("it does not wait for %s: %s", key, after)
		}
	}
	if strings.Contains(after, "auditor-") || strings.Contains(after, "monitoring-plan") {
		t.Errorf("it waits for %s", after)
	}
	collection, _ := fresh.Action(verifyStep)
	if got := strings.Join(collection.After, " "); !strings.Contains(got, "monitoring-plan") || !strings.Contains(got, "auditor-key") || !strings.Contains(got, sessionKey) {
		t.Errorf("the collection waits for %s", got)
	}
	if collection.Effect != plan.ByHand || collection.Manual() == nil {
		t.Errorf("it is %+v", collection)
	}
}

// TestWhatTheSessionsProve reads the sentence of the last step.
func TestWhatTheSessionsProve(t *testing.T) {
	shown := func(st *site, s steps.Shown) *site {
		st.memory.Shown = map[string]steps.Shown{"s-ours": s}
		return st
	}
	ran := func(st *site) *site {
		r := session("s-old", "", 3)
		r["actualEndDateTimeUtc"] = r["expirationDateTimeUtc"]
		st.server.add("searchSessions", r)
		return st
	}
	all := func() *site { return newSite().complete().made().withKey().granted() }
	for name, c := range map[string]struct {
		st    *site
		state steps.ProofState
		says  string
	}{
		"both":            {shown(ours(all(), 3).collected(), steps.Shown{}), steps.Proven, "a session as NetwrixAuditor became active and ended; Auditor opened a session itself at 2026-02-01 10:00 UTC"},
		"elsewhere":       {ours(all(), 3).collected(), steps.Proven, "became active and ended (whether its password can be read was not looked at from here: npsetup verify --session looks); Auditor opened a session itself"},
		"given up":        {givenUp(shown(ours(all(), 3), steps.Shown{})), steps.NeedPerson, "no session of Auditor was seen yet"},
		"hidden, alone":   {shown(ours(all(), 3), steps.Shown{Password: "NPS does not let it be read"}), steps.NeedPerson, "but its password is not proven: NPS does not let it be read; no session of Auditor was seen yet"},
		"ours":            {shown(ours(all(), 3), steps.Shown{}), steps.NeedPerson, "became active and ended; no session of Auditor was seen yet: let it collect once"},
		"no key":          {newSite().complete().made().granted(), steps.NeedPerson, "since the private key of the certificate is not at hand; no session of Auditor was seen yet"},
		"hidden password": {shown(ours(all(), 3).collected(), steps.Shown{Password: "NPS does not let it be read"}), steps.NotProven, "but its password is not proven: NPS does not let it be read"},
		"slow":            {shown(ours(all(), 3).collected(), steps.Shown{Took: 47 * time.Second}), steps.Proven, `it took 47 s, which is slow: NPS asks WinRM for HTTPS first (Global Settings > WinRM HTTP setting: set "Use HTTP"`},
		"ran out":         {ran(ours(all(), 3)), steps.Proven, "Auditor tells that as event 5801 or 5802; the collection takes longer than Max Duration (60 minutes)"},
		"changed since":   {unproven(ours(all(), 3).collected()), steps.NeedPerson, "something was changed since the last session that became active"},
		"unreadable":      {unlisted(all()), steps.NotProven, "its sessions cannot be listed"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := c.st.survey(t)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range steps.Prove(t.Context(), c.st.guide(), s) {
				if p.Step.ID == verifyStep && (p.Proof.State != c.state || !strings.Contains(p.Proof.Text, c.says)) {
					t.Errorf("%s, %q; want %s, %q", p.Proof.State, p.Proof.Text, c.state, c.says)
				}
			}
		})
	}
}

// givenUp adds a session that Auditor ended before it was active.
func givenUp(st *site) *site {
	r := session("s-given-up", "", 5)
	delete(r, "actualStartDateTimeUtc")
	st.server.add("searchSessions", r)
	return st
}

// TestARunOutSessionIsForgottenAfterAGoodOne tells of the last session of Auditor, and not of every one that there was.
func TestARunOutSessionIsForgottenAfterAGoodOne(t *testing.T) {
	ranOut, good := session("s-1", "", 3), session("s-2", "", 3)
	ranOut["actualEndDateTimeUtc"] = ranOut["expirationDateTimeUtc"]
	good["createdDateTimeUtc"] = "2026-02-02T10:00:00Z"
	for name, rows := range map[string][]row{"listed first": {ranOut, good}, "listed last": {good, ranOut}} {
		st := newSite().complete().made().granted()
		st.server.add("searchSessions", rows[0])
		st.server.add("searchSessions", rows[1])
		s, err := st.survey(t)
		if err != nil {
			t.Fatal(err)
		}
		if ev, _ := steps.Get(s, evidenceKey); ev.auditor == nil || ev.expiry(s) != "" {
			t.Errorf("%s: %q", name, ev.expiry(s))
		}
	}
}

// TestAMarkerIsGivenOnce counts markers of other activities, and those that NPS does not list.
func TestAMarkerIsGivenOnce(t *testing.T) {
	st := ours(newSite().complete().made().withKey(), 4)
	other := session("s-other", "npsetup proof 8", 3)
	other["activityName"] = "renamed since"
	st.server.add("searchSessions", other)
	if a := st.action(t, sessionKey); a.Name != "npsetup proof 9" {
		t.Errorf("the next one is %q", a.Name)
	}
	st.memory.Markers = []string{"npsetup proof 11"}
	if a := st.action(t, sessionKey); a.Name != "npsetup proof 12" {
		t.Errorf("the next one is %q", a.Name)
	}
}

func unlisted(st *site) *site {
	st.server.missing = append(st.server.missing, "searchSessions")
	return st
}

// TestEvidenceBeatsAWord: what a session shows needs nobody's word, and is said to be seen.
func TestEvidenceBeatsAWord(t *testing.T) {
	st := newSite().complete().collected().granted()
	for _, a := range st.draft(t).Actions {
		if a.Effect == plan.ByHand {
			t.Errorf("%s is still to be done by hand", a.Key)
		}
	}
	s, err := st.survey(t)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range steps.Prove(t.Context(), st.guide(), s) {
		switch p.Step.ID {
		case "auditor-start", "auditor-key", "monitoring-plan", "certificate-trust":
			if p.Proof.State != steps.Proven || !strings.HasPrefix(p.Proof.Text, "seen: ") {
				t.Errorf("%s: %s, %q", p.Step.ID, p.Proof.State, p.Proof.Text)
			}
		}
	}
}
