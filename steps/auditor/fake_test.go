package auditor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"npsetup/assets"
	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// tester is what *testing.T and *rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// row is one object as NPS answers it.
type row = map[string]any

// server is an NPS that answers lists from rows, by operation. It filters nothing by text: a step must compare exactly.
type server struct {
	rows    map[string][]row
	missing []string        // operations that it does not offer
	off     map[string]bool // ids of policies that are off without a member that tells it
	asked   []string        // lists
}

func (f *server) List(_ context.Context, c plan.Call, each func(json.RawMessage) (bool, error)) error {
	f.asked = append(f.asked, c.Redacted(nil).Path)
	if slices.Contains(f.missing, c.Operation) {
		return problem.New("not offered").Of(problem.NotOffered)
	}
	for _, r := range f.rows[c.Operation] {
		off := r["isDeleted"] == true || r["isDisabled"] == true || f.off[fmt.Sprint(r["id"])]
		if c.Operation == "listPolicies" && off && strings.Contains(c.Redacted(nil).Path, "ignoreStatus=false") {
			continue
		}
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		if more, err := each(raw); err != nil || !more {
			return err
		}
	}
	return nil
}

// Read answers one object of the list to which it belongs.
func (f *server) Read(_ context.Context, c plan.Call) (plan.Answer, error) {
	lists := map[string]string{"getManagedAccountView": "searchManagedAccounts", "getActionGroup": "listActionGroups", "getPolicy": "listPolicies", "getResourceByHost": "resourcesByHost"}
	if c.Operation == "getSessionProfile" && len(f.rows[c.Operation]) > 0 {
		raw, err := json.Marshal(f.rows[c.Operation][0])
		return plan.Answer{Status: 200, Body: raw}, err
	}
	if c.Operation == "findPolicies" {
		raw, err := json.Marshal(f.rows["findPolicies"])
		if len(f.rows["findPolicies"]) == 0 {
			return plan.Answer{}, problem.New("no policy").Of(problem.NotFound)
		}
		return plan.Answer{Status: 200, Body: raw}, err
	}
	for _, r := range f.rows[lists[c.Operation]] {
		if strings.Contains(c.Redacted(nil).Path, fmt.Sprint(r["id"])) {
			raw, err := json.Marshal(r)
			return plan.Answer{Status: 200, Body: raw}, err
		}
	}
	return plan.Answer{}, problem.New("not found").Of(problem.NotFound)
}

// Greet, SignIn and Reader make it the connection of the shared steps.
func (f *server) Greet(context.Context) (nps.Greeting, error) {
	return nps.Greeting{Health: "Healthy"}, nil
}

func (f *server) SignIn(context.Context, steps.Answers) (nps.Identity, error) {
	return nps.Identity{User: "admin", Roles: []string{"Admin"}, Admin: true, Version: "25.12.1"}, nil
}

func (f *server) Reader() nps.Reader { return f }

// named finds a row by its name.
func (f *server) named(operation, name string) row {
	for _, r := range f.rows[operation] {
		if r["name"] == name || r["dnsHostName"] == name {
			return r
		}
	}
	return nil
}

func (f *server) add(operation string, r row) row {
	f.rows[operation] = append(f.rows[operation], r)
	return r
}

const serial = "00BA12CD34"

// site is everything that a walk through the guide stands on.
type site struct {
	server *server
	drafts map[string]string
	memory steps.Memory
	cert   Certificate
	pdc    string // empty: DNS cannot tell
	disk   disk
}

func newSite() *site {
	return &site{
		server: &server{rows: map[string][]row{
			"listPlatforms":       {{"id": "p-win", "name": "Windows"}, {"id": "p-ad", "name": "Active Directory"}},
			"listActionTemplates": templates(),
			"listActivities":      {{"id": "a-0", "name": "Credential Release", "activityType": 3}, {"id": "a-1", "name": "Netwrix Auditor Domain Admin 2", "startActionGroupId": "g-x"}},
			"listActionGroups":    {{"id": "g-x", "name": "Something"}},
			"listConnectionProfiles": {
				{"id": "c-0", "name": "Default", "type": 7, "isDefault": true, "isDeleted": false, "maxSessionLength": 480, "approvalTypeRequired": 1, "sessionRetryInterval": 5, "activityConfigurationSettings": []any{row{"id": "s-0", "key": "LsaLookupCache", "value": "0"}}},
				{"id": "c-1", "name": "Netwrix Auditor old"},
			},
			"listPolicies":          {{"id": "y-0", "name": "Netwrix Auditor (resource) 2", "policyType": 0}},
			"searchManagedAccounts": {{"id": "u-0", "entityType": 2, "name": "NetwrixAuditor2"}},
			"searchCredentials": {
				{"id": "1", "credentialId": "k-nps", "displayName": "svc-nps", "userName": "svc-nps", "domain": "CONTOSO"},
				{"id": "2", "credentialId": "k-bak", "displayName": "Contoso backup", "userName": "svc-backup", "domain": "CONTOSO"},
				{"id": "3", "credentialId": "k-fab", "displayName": "Fabrikam backup", "userName": "svc-backup", "domain": "FABRIKAM"},
			},
			"searchResources":  {{"id": "r-0", "dnsHostName": "dc01.contoso.com.old"}},
			"searchCandidates": {{"id": "h-1", "dnsHostName": "dc01.contoso.com", "isDomainController": true, "domainName": "contoso.com", "platformId": "p-ad", "platformName": "Active Directory"}},
		}},
		drafts: map[string]string{
			"nps.url": "nps.contoso.com", "nps.trust": "system", "nps.signIn.user": "admin", "nps.signIn.password": "env:P", "nps.signIn.mfa": "none",
			keyCertificate: "file:auditor.cer", keyResources: "dc01.contoso.com", keyServiceAccount: "svc-nps", keyPlan: "AD Monitoring", keyItems: "contoso.com",
			steps.RiskKey: RiskDomainAdmins,
		},
		cert: Certificate{Subject: "CN=Auditor", Issuer: "CN=Auditor", Serial: serial, Thumbprint: "ab12", SHA256: "cd34", SelfSigned: true},
	}
}

func templates() []row {
	params := func(prefix string) []any {
		return []any{
			row{"id": prefix + "-domain", "name": "DomainConfigId", "displayName": "Domain", "required": true},
			row{"id": prefix + "-group", "name": "Group", "displayName": "Group", "required": true},
			row{"id": prefix + "-retry", "name": "RetryCount", "displayName": "RetryCount", "defaultValue": "3"},
			row{"id": prefix + "-host", "name": "HostId", "displayName": "HostId", "defaultValue": nil},
		}
	}
	return []row{
		{"id": "t-0", "displayName": "Add User to Local Group", "classification": 0, "pairedActionTemplateId": "t-9"},
		{"id": "t-add", "displayName": addToGroup, "classification": "PreSession", "pairedActionTemplateId": "t-rem", "actionTemplateParameter": params("add")},
		{"id": "t-rem", "displayName": "Remove User from Domain Group", "classification": 2, "pairedActionTemplateId": "t-add", "actionTemplateParameter": params("rem")},
	}
}

// complete makes everything be there as wanted.
func (st *site) complete() *site {
	f := st.server
	profile := f.add("listConnectionProfiles", row{"id": "c-own", "name": "Netwrix Auditor", "isDefault": false, "isDeleted": false, "tenantMark": "kept", "modifiedDateTimeUtc": "2026-01-01"})
	for _, s := range profileSettings(st.answers()) {
		var v any
		raw, _ := plan.Encode(s.Want)
		_ = json.Unmarshal(raw, &v)
		profile[s.Field] = v
	}
	f.add("searchManagedAccounts", row{"id": "u-own", "entityType": 2, "name": "NetwrixAuditor", "displayName": "NetwrixAuditor", "samAccountName": "NetwrixAuditor", "certificateSerialNumber": serial, "tenantMark": "kept", "accessPolicyCount": 1})
	st.groups("g-pre", "g-post", "Domain Admins")
	f.add("listActivities", row{
		"id": "a-own", "name": "Netwrix Auditor Domain Admin", "platformId": "p-ad", "loginAccount": 2, "activityType": 0, "loginAccountNameFormat": `%targetDomain%\%samAccountName%`,
		"createAccount": true, "deleteAccount": true, "startActionGroupId": "g-pre", "endActionGroupId": "g-post", "isDeleted": false, "platform": row{"id": "p-ad"}, "tenantMark": "kept",
	})
	f.add("searchResources", row{"id": "r-own", "dnsHostName": "dc01.contoso.com", "platformId": "p-ad", "platformName": "Active Directory", "serviceAccountId": "k-nps", "saName": "svc-nps"})
	f.add("listPolicies", row{"id": "y-own", "name": "Netwrix Auditor (resource)", "policyType": 0, "activityConfigurationId": "c-own", "isDeleted": false, "isDisabled": false, "tenantMark": "kept", "activityConfiguration": row{"id": "c-own"}})
	f.rows["searchPolicyAccounts"] = []row{{"id": "U-OWN", "name": "NetwrixAuditor"}}
	f.rows["searchPolicyActivities"] = []row{{"id": "a-own", "name": "Netwrix Auditor Domain Admin"}}
	f.rows["searchPolicyResources"] = []row{{"id": "r-own", "name": nil}}
	return st
}

// groups adds the pair of action groups, by the names that a run gives them.
func (st *site) groups(pre, post, group string) {
	action := func(id, template, prefix string) []any {
		return []any{row{"id": id, "actionTemplateId": template, "continueOnFail": false, "actionParameter": []any{
			row{"actionTemplateParameterId": prefix + "-domain", "value": "%target_domain%"}, row{"actionTemplateParameterId": prefix + "-group", "value": group},
		}}}
	}
	st.server.add("listActionGroups", row{"id": post, "name": "Netwrix Auditor Domain Admin (post-session)", "action": action(post+"-action", "t-rem", "rem")})
	st.server.add("listActionGroups", row{"id": pre, "name": "Netwrix Auditor Domain Admin (pre-session)", "action": action(pre+"-action", "t-add", "add")})
}

// made says that an earlier run made or took over everything, and that a person did their part.
func (st *site) made() *site {
	st.memory.Made = map[string]bool{
		steps.MadeKey(kindUser, "NetwrixAuditor"): true, steps.MadeKey(kindProfile, "Netwrix Auditor"): true, steps.MadeKey(kindActivity, "Netwrix Auditor Domain Admin"): true,
		steps.MadeKey(kindResource, "dc01.contoso.com"): true, steps.MadeKey(kindPolicy, "Netwrix Auditor (resource)"): true,
	}
	return st.manualDone()
}

// collected says that Auditor has opened a session itself.
func (st *site) collected() *site {
	st.server.add("searchSessions", session("s-1", "", 3))
	return st
}

// session is a row of a session of the application user.
func session(id, note string, status int) row {
	return row{
		"id": id, "managedAccountId": "u-own", "activityName": "Netwrix Auditor Domain Admin", "note": note, "sessionStatus": status, "status": 4,
		"createdDateTimeUtc": "2026-02-01T10:00:00Z", "actualStartDateTimeUtc": "2026-02-01T10:00:05Z", "actualEndDateTimeUtc": "2026-02-01T10:20:00Z", "expirationDateTimeUtc": "2026-02-01T11:00:05Z",
	}
}

func (st *site) manualDone() *site {
	st.memory.ManualDone = map[string]bool{"auditor-start": true, "certificate-trust": true, "auditor-key": true, "monitoring-plan": true}
	return st
}

func (st *site) lacks(operations ...string) *site {
	st.memory.NotOffered = map[string]string{}
	for _, op := range operations {
		st.memory.NotOffered[op] = "25.12.1"
	}
	return st
}

func (st *site) guide() steps.Guide { return Guide(st.world()) }

func (st *site) world() World {
	w := World{
		World: nps.World{
			Probe: func(context.Context, string) (nps.Presented, error) {
				return nps.Presented{Host: "nps.contoso.com", Verified: true, Chain: []nps.Certificate{{SHA1: strings.Repeat("5a", 20), SHA256: "fe" + strings.Repeat("01", 31)}}}, nil
			},
			Connect: func(context.Context, steps.Answers) (nps.Connection, error) { return st.server, nil },
			Texts:   nps.Texts{FS: assets.Texts()},
			Now:     func() time.Time { return time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC) },
		},
		ReadCertificate: func(path string, _ time.Time) (Certificate, error) {
			if st.disk == nil {
				return st.cert, nil
			}
			return st.disk.certificate(path)
		},
		CheckKey:   st.disk.checkKey,
		SameSerial: sameSerial,
		Files:      st.disk.files(),
	}
	w.PDC = func(context.Context, string) (string, error) {
		if st.pdc == "" {
			return "", errors.New("no answer")
		}
		return st.pdc, nil
	}
	return w
}

// sameSerial stands in for the comparison that the command line hands in.
func sameSerial(a, b string) bool {
	bare := func(s string) string { return strings.TrimLeft(strings.ToUpper(strings.ReplaceAll(s, " ", "")), "0") }
	return bare(a) != "" && bare(a) == bare(b)
}

func (st *site) answers() steps.Answers { return steps.NewAnswers(st.guide(), st.drafts, "/answers") }

func (st *site) survey(t tester) (*steps.Scene, error) {
	t.Helper()
	s := steps.NewScene(st.answers(), st.memory)
	return s, steps.Survey(context.Background(), st.guide(), s)
}

// draft is the plan of the site; it must be one that can be made.
func (st *site) draft(t tester) plan.Plan {
	t.Helper()
	s, err := st.survey(t)
	if err != nil {
		t.Fatalf("the survey found %s", tell(err))
	}
	p, err := steps.Draft(st.guide(), s, "NetwrixAuditor")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// action is one action of the site's plan.
func (st *site) action(t tester, key string) plan.Action {
	t.Helper()
	p := st.draft(t)
	a, ok := p.Action(key)
	if !ok {
		t.Fatalf("there is no action %s in\n%s", key, effects(p))
	}
	return a
}

// trouble is what the survey says is wrong; it must be something.
func (st *site) trouble(t tester) string {
	t.Helper()
	_, err := st.survey(t)
	if err == nil {
		t.Fatal("nothing was found to be wrong")
	}
	return tell(err)
}

func tell(err error) string {
	var b strings.Builder
	for _, p := range problem.All(err) {
		fmt.Fprintf(&b, "%s\n%s\n%s\n", p.Error(), p.Why, strings.Join(p.Next, "\n"))
	}
	return b.String()
}

// effects is a plan in one line per action: effect and key.
func effects(p plan.Plan) string {
	lines := make([]string, len(p.Actions))
	for i, a := range p.Actions {
		lines[i] = a.Effect.String() + " " + a.Key
	}
	return strings.Join(lines, "\n")
}

// wantEffects compares a plan's actions. What waits for a session is the matter of verify_test.go.
func wantEffects(t tester, p plan.Plan, want ...string) {
	t.Helper()
	p.Actions = slices.DeleteFunc(slices.Clone(p.Actions), func(a plan.Action) bool { return a.Step == verifyStep })
	if got := effects(p); got != strings.Join(want, "\n") {
		t.Errorf("the plan is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// labels are the settings that an action changes.
func labels(a plan.Action) string {
	list := make([]string, len(a.Difference))
	for i, d := range a.Difference {
		list[i] = fmt.Sprintf("%s: %s → %s", d.Label, d.From, d.To)
	}
	return strings.Join(list, "; ")
}

// body is what an operation sends, decoded.
func body(t tester, a plan.Action, op string) row {
	t.Helper()
	for _, o := range a.Ops {
		if o.ID != op {
			continue
		}
		var v row
		if err := json.Unmarshal(o.Call.Redacted(nil).Body, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	t.Fatalf("%s has no operation %s", a.Key, op)
	return nil
}

// sends are the requests of an action, in order.
func sends(a plan.Action) string {
	var list []string
	for _, o := range a.Ops {
		if o.Call != nil {
			r := o.Call.Redacted(nil)
			list = append(list, r.Method+" "+r.Path)
		}
	}
	return strings.Join(list, "\n")
}

// assumed says whether an operation of the plan rests on something that the vendor does not document.
func assumed(operation string) bool {
	op, _ := npsapi.Lookup(operation)
	return op.Source == npsapi.Assumed
}
