package auditor

import (
	"maps"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// onRoad is a site whose certificate does not come from Auditor, with what lies on the disk.
func onRoad(road string, d disk) *site {
	st := newSite()
	st.drafts[keyCertificate], st.drafts[keyPassphrase] = road, "env:PASS"
	if st.disk = maps.Clone(d); st.disk == nil {
		st.disk = disk{}
	}
	return st
}

// certificateActions are the actions of the certificate, in order.
func certificateActions(p plan.Plan) string {
	var list []string
	for _, a := range p.Actions {
		if a.Step == certificateStep {
			list = append(list, a.Effect.String()+" "+a.Key)
		}
	}
	return strings.Join(list, ", ")
}

// TestOnlyWhatIsMissingIsMade plans from every state in which a run can have been stopped.
func TestOnlyWhatIsMissingIsMade(t *testing.T) {
	answered := disk{keyAt: "K", reqAt: "K", p7bAt: "K Mid Root!"}
	with := func(d disk, more ...string) disk {
		d = maps.Clone(d)
		for i := 0; i < len(more); i += 2 {
			d[more[i]] = more[i+1]
		}
		return d
	}
	const made = "create certificate, create certificate/authorities, create certificate/pfx"
	for name, c := range map[string]struct {
		road string
		disk disk
		want string
	}{
		"new, nothing":              {roadNew, nil, "create certificate/key, create certificate, create certificate/pfx"},
		"new, a key":                {roadNew, disk{keyAt: "K"}, "create certificate, create certificate/pfx"},
		"new, no PFX":               {roadNew, disk{keyAt: "K", cerAt: "K!"}, "create certificate/pfx"},
		"new, all":                  {roadNew, disk{keyAt: "K", cerAt: "K!", pfxAt: "sum-K"}, ""},
		"request, nothing":          {roadRequest, nil, "create certificate/key, create certificate/request, manual certificate/submit"},
		"request, a key":            {roadRequest, disk{keyAt: "K"}, "create certificate/request, manual certificate/submit"},
		"request, no answer":        {roadRequest, disk{keyAt: "K", reqAt: "K"}, "manual certificate/submit"},
		"request, answered":         {roadRequest, answered, made},
		"request, and no request":   {roadRequest, disk{keyAt: "K", p7bAt: "K Mid Root!"}, made},
		"request, some files":       {roadRequest, with(answered, rootAt, "Root!", cerAt, "K Mid"), "create certificate/authorities, create certificate/pfx"},
		"request, no PFX":           {roadRequest, with(answered, rootAt, "Root!", midAt, "Mid Root", cerAt, "K Mid"), "create certificate/pfx"},
		"request, all":              {roadRequest, with(answered, rootAt, "Root!", midAt, "Mid Root", cerAt, "K Mid", pfxAt, "sum-K"), ""},
		"request, a leaf as answer": {roadRequest, disk{keyAt: "K", reqAt: "K", cerAt: "K Root!"}, "create certificate/authorities, create certificate/pfx"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := certificateActions(onRoad(c.road, c.disk).draft(t)); got != c.want {
				t.Errorf("planned are %q, want %q", got, c.want)
			}
		})
	}
}

// TestNothingIsTakenForAnother names each mixture that would lead astray, and what to do.
func TestNothingIsTakenForAnother(t *testing.T) {
	for name, c := range map[string]struct {
		road string
		disk disk
		keys []string
		says []string
	}{
		"a certificate without key":    {road: roadNew, disk: disk{cerAt: "K!"}, says: []string{"the private key of " + cerAt + " is missing", "put the key back"}},
		"an answer without key":        {road: roadRequest, disk: disk{p7bAt: "K Root!"}, says: []string{"the private key of " + p7bAt + " is missing"}},
		"another key":                  {road: roadNew, disk: disk{keyAt: "L", cerAt: "K!"}, says: []string{"do not belong together", "application.folder", "move " + cerAt}},
		"an issued one":                {road: roadNew, disk: disk{keyAt: "K", cerAt: "K Root"}, says: []string{"is not self-signed", "application.certificate: request"}},
		"an expired one":               {road: roadNew, disk: disk{keyAt: "K", cerAt: "K!", "expired": cerAt}, says: []string{"it has expired", "makes a new certificate of the same key"}},
		"a PFX without certificate":    {road: roadNew, disk: disk{keyAt: "K", pfxAt: "x"}, says: []string{"the certificate of " + pfxAt + " is missing"}},
		"a PFX of another":             {road: roadNew, disk: disk{keyAt: "K", cerAt: "K!", pfxAt: "x"}, says: []string{"holds another certificate"}},
		"a request of another key":     {road: roadRequest, disk: disk{keyAt: "K", reqAt: "L"}, says: []string{"another key"}},
		"an answer of another key":     {road: roadRequest, disk: disk{keyAt: "K", reqAt: "K", p7bAt: "L Root!"}, says: []string{"the answer belongs to another key"}},
		"a self-signed answer":         {road: roadRequest, disk: disk{keyAt: "K", reqAt: "K", cerAt: "K!"}, says: []string{"is self-signed", "application.certificate: new"}},
		"another root in its file":     {road: roadRequest, disk: disk{keyAt: "K", p7bAt: "K Root!", rootAt: "Else!"}, says: []string{rootAt + " holds another certificate", "move it away"}},
		"another certificate in .cer":  {road: roadRequest, disk: disk{keyAt: "K", p7bAt: "K Root!", cerAt: "L Root"}, says: []string{cerAt + " holds another certificate"}},
		"a key in another folder":      {road: roadNew, disk: disk{"/old/a.key": "K"}, keys: []string{"/old/a.key"}, says: []string{"an earlier run made it at /old/a.key", "application.folder"}},
		"the same, with a request":     {road: roadRequest, disk: disk{"/old/a.key": "K"}, keys: []string{"/old/a.key"}, says: []string{"an earlier run made it at /old/a.key"}},
		"authorities that are missing": {road: roadRequest, disk: disk{keyAt: "K", p7bAt: "K Mid", "authorities": ""}, says: []string{"/answers/ca.pem is not there"}},
	} {
		t.Run(name, func(t *testing.T) {
			st := onRoad(c.road, c.disk)
			st.memory.Keys = c.keys
			if _, named := c.disk["authorities"]; named {
				st.drafts[keyAuthorities] = "file:ca.pem"
			}
			text := st.trouble(t)
			for _, says := range c.says {
				if !strings.Contains(text, says) {
					t.Errorf("it does not say %q:\n%s", says, text)
				}
			}
		})
	}
}

// TestNamesThatFitNowhere: too long for a certificate, and names that lead out of the folder.
func TestNamesThatFitNowhere(t *testing.T) {
	st := onRoad(roadNew, nil)
	st.drafts[keyApplication] = strings.Repeat("ä", 65)
	if text := st.trouble(t); !strings.Contains(text, "application.name: the name cannot stand in a certificate") {
		t.Error(text)
	}
	for name, want := range map[string]string{"NetwrixAuditor": "NetwrixAuditor", "../../etc/x": "etc_x", "..": "auditor", `a\b:c`: "a_b_c", "Prüfung": "Prüfung", strings.Repeat("x", 99): strings.Repeat("x", 60), "a\x1b[2J": "a__2J"} {
		if got := FileName(name); got != want {
			t.Errorf("%q becomes %q, want %q", name, got, want)
		}
	}
}

// TestAKeyThatIsGoneIsTold: what an earlier run made was deleted; a new one is made, and not in silence.
func TestAKeyThatIsGoneIsTold(t *testing.T) {
	st := onRoad(roadNew, nil)
	st.memory.Keys = []string{keyAt}
	if text := strings.Join(st.draft(t).Warnings, "\n"); !strings.Contains(text, "is no longer in") {
		t.Errorf("warned: %s", text)
	}
}

// TestNumbersThatAreNotKnownAreReferences: the user's serial number, the session's, and what the pages say.
func TestNumbersThatAreNotKnownAreReferences(t *testing.T) {
	for road, c := range map[string]struct{ shown, needs string }{
		roadNew:     {"(serial number of the new client certificate, known after apply)", certificateAction},
		roadRequest: {"(serial number of the certificate that the authority issues, known after apply)", submitAction},
	} {
		st := onRoad(road, nil)
		p := st.draft(t)
		for _, key := range []string{userStep, sessionKey, importStep} {
			a, _ := p.Action(key)
			if !strings.Contains((plan.Plan{Actions: []plan.Action{a}}).Text(plan.TextOptions{Calls: true, Width: 4000}), c.shown) {
				t.Errorf("%s: %s does not show %s", road, key, c.shown)
			}
		}
		user, _ := p.Action(userStep)
		if needs := strings.Join(user.Needs(), " "); !strings.Contains(" "+needs+" ", " "+c.needs+" ") {
			t.Errorf("%s: the user needs %s", road, needs)
		}
	}
}

// TestAUserOfBeforeGetsTheNewNumber: another certificate was used until now.
func TestAUserOfBeforeGetsTheNewNumber(t *testing.T) {
	a := onRoad(roadNew, nil).complete().made().action(t, userStep)
	if got := labels(a); a.Effect != plan.Update || !strings.Contains(got, serial+" → (serial number of the new client certificate, known after apply)") {
		t.Errorf("%s: %s", a.Effect, got)
	}
}

// TestTheRootIsWhatGoesIntoTrustedRoot: the leaf only when it is its own root.
func TestTheRootIsWhatGoesIntoTrustedRoot(t *testing.T) {
	exported := func(d disk) *site {
		st := onRoad("file:own.cer", d)
		st.drafts[keyAuthorities] = "file:ca.pem"
		return st
	}
	for name, c := range map[string]struct {
		st                *site
		thumbprint, where string
	}{
		"Auditor's own":    {newSite(), "ab12", "exported certificate (CN=Auditor)"},
		"made here":        {onRoad(roadNew, disk{keyAt: "K", cerAt: "K!", pfxAt: "sum-K"}), "thumb-K", "Copy " + cerAt},
		"issued":           {onRoad(roadRequest, disk{keyAt: "K", p7bAt: "K Mid Root!"}), "thumb-Root", "CN=Root out of " + rootAt},
		"issued, exported": {exported(disk{"/answers/own.cer": "K Root", "/answers/ca.pem": "Root!"}), "thumb-Root", "CN=Root out of /answers/ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			a := c.st.action(t, trustStep)
			about, _ := plan.TextOf(a.Manual().About, nil)
			text := plan.ManualText(a, 4000)
			if about != c.thumbprint || !strings.Contains(text, c.where) || !strings.Contains(text, c.thumbprint) {
				t.Errorf("it is about %s:\n%s", about, text)
			}
			issued := strings.HasPrefix(name, "issued")
			if strings.Contains(text, "Never import Auditor's own certificate") != issued || strings.Contains(a.UndoNote, "root of an authority") != issued {
				t.Errorf("the leaf:\n%s\n%s", text, a.UndoNote)
			}
			if between := strings.Contains(text, "Intermediate Certification Authorities"); between != (name == "issued") {
				t.Errorf("those between are told of: %v\n%s", between, text)
			}
		})
	}
}

// TestSessionsOfBeforeTheCertificateProveNothing: there is a session of Auditor, and the certificate is yet to be made.
func TestSessionsOfBeforeTheCertificateProveNothing(t *testing.T) {
	st := onRoad(roadRequest, disk{keyAt: "K", reqAt: "K"}).complete().made().collected()
	s, err := st.survey(t)
	if err != nil {
		t.Fatal(tell(err))
	}
	for _, p := range steps.Prove(t.Context(), st.guide(), s) {
		if p.Step.ID == importStep && p.Proof.State != steps.NeedPerson || p.Step.ID == certificateStep && p.Proof.State != steps.NeedPerson {
			t.Errorf("%s is %s: %s", p.Step.ID, p.Proof.State, p.Proof.Text)
		}
	}
}
