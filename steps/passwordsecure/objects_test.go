package passwordsecure

import (
	"fmt"
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/nps"
	"npsetup/steps/plan"
)

// said are the problems of a scene as one text.
func said(s *steps.Scene) string {
	if err := s.Problems(); err != nil {
		return fmt.Sprint(err)
	}
	return ""
}

func account(more row) row {
	r := row{"id": "a1", "name": "NPS Password", "username": "NPS", "domain": nil, "description": Key{Database: "Contoso", User: "svc", Fingerprint: "0123456789abcdef"}.words(), "type": 0, "password": "S3CR3T-x", "isDeleted": false}
	for k, v := range more {
		r[k] = v
	}
	return r
}

func TestServiceAccounts(t *testing.T) {
	for name, c := range map[string]struct {
		rows    []row
		problem string
		effect  string
	}{
		"none":            {nil, "", "create"},
		"as wanted":       {[]row{account(nil)}, "", "adopt"},
		"another key":     {[]row{account(row{"description": "API key of Password Secure: another"})}, "", "update"},
		"made by hand":    {[]row{account(row{"description": nil})}, "", "update"},
		"deleted":         {[]row{account(row{"isDeleted": true})}, "", "create"},
		"taken user name": {[]row{account(row{"id": "a2", "name": "Other"})}, `the user name "NPS" is that of the service account "Other"`, ""},
		"of a domain":     {[]row{account(row{"id": "a2", "name": "Other", "domain": "CONTOSO"})}, "", "create"},
		"two":             {[]row{account(nil), account(row{"id": "a2"})}, "2 objects of the kind service account", ""},
		"a loop":          {[]row{account(row{"passwordVaultConnectorId": "v"})}, "takes its own password from a vault connector", ""},
	} {
		f := &server{map[string][]row{"listCredentials": c.rows}}
		s := f.at(nil)
		if err := lookAccount(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := said(s); !strings.Contains(got, c.problem) || c.problem == "" && got != "" {
			t.Errorf("%s: %s", name, got)
		}
		if c.effect == "" {
			continue
		}
		actions, err := world().planAccount(s)
		if err != nil || len(actions) != 1 || actions[0].Effect.String() != c.effect {
			t.Errorf("%s: %+v, %v", name, actions, err)
			continue
		}
		for _, op := range actions[0].Ops {
			if shown := string(op.Call.Redacted(nil).Body); strings.Contains(shown, "S3CR3T") || !strings.Contains(shown, "(secret: API key of Password Secure)") {
				t.Errorf("%s: the body is %s", name, shown)
			}
		}
	}
}

// settings are the rows of a template or a connector.
func settings(connector string, url, account, skip any) []any {
	rows := []any{
		row{"id": "s1", "name": "ApiUrl", "type": 0, "value": url, "connectorId": connector},
		row{"id": "s2", "name": "ServiceAccount", "type": 3, "value": account, "connectorId": connector},
		row{"id": "s3", "name": "SkipCertificateCheck", "type": 9, "value": skip, "connectorId": connector},
		row{"id": "s4", "name": "Timeout", "type": 7, "value": "60", "defaultValue": "30", "connectorId": connector},
	}
	if connector == "" {
		for _, r := range rows {
			r.(row)["connectorId"], r.(row)["value"] = nil, nil
		}
	}
	return rows
}

func TestConnectors(t *testing.T) {
	template := row{"id": "t1", "name": "Password Secure", "configurationId": "c1", "type": 2, "configurationValues": settings("", nil, nil, nil)}
	connector := func(name, of string, url, account, skip any) row {
		return row{"id": "v1", "name": name, "description": "mine", "connectorTemplateId": of, "connectorConfigurationId": "c2", "configurationValues": settings("v1", url, account, skip)}
	}
	const url = "https://ps.contoso.com/api/"
	for name, c := range map[string]struct {
		rows    []row
		drafts  map[string]string
		problem string
		effect  string
		differs string
	}{
		"none":            {nil, nil, "", "create", "Skip Certificate Check"},
		"as wanted":       {[]row{connector("NPS Password", "t1", url, "a1", "false")}, nil, "", "adopt", ""},
		"without a slash": {[]row{connector("NPS Password", "t1", strings.TrimSuffix(url, "/"), "a1", "false")}, nil, "", "adopt", ""},
		"another address": {[]row{connector("NPS Password", "t1", "https://old/api/", "a1", "false")}, nil, "", "update", "API URL"},
		"another account": {[]row{connector("NPS Password", "t1", url, "a9", "false")}, nil, "", "update", "Service Account"},
		"unchecked":       {[]row{connector("NPS Password", "t1", url, "a1", "true")}, nil, "", "update", "Skip Certificate Check"},
		"risk accepted":   {[]row{connector("NPS Password", "t1", url, "a1", "true")}, map[string]string{keySkip: "true"}, "", "adopt", ""},
		"another vault":   {[]row{connector("NPS Password", "t9", url, "a1", "false")}, nil, "is not one to Password Secure", "", ""},
		"of another name": {[]row{connector("Other", "t1", url, "a1", "false")}, nil, "", "create", "Connector Name"},
	} {
		f := &server{map[string][]row{"listCredentials": {account(nil)}, "listConnectorTemplates": {template}, "listConnectors": c.rows}}
		s := f.at(c.drafts)
		if err := lookAccount(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := lookConnector(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := said(s); !strings.Contains(got, c.problem) || c.problem == "" && got != "" {
			t.Errorf("%s: %s", name, got)
		}
		if c.effect == "" {
			continue
		}
		actions, err := world().planConnector(s)
		if err != nil || len(actions) != 1 || actions[0].Effect.String() != c.effect {
			t.Errorf("%s: %+v, %v", name, actions, err)
			continue
		}
		if a := actions[0]; a.Effect == plan.Update {
			body := string(a.Ops[0].Call.Redacted(nil).Body)
			if len(a.Difference) != 1 || a.Difference[0].Label != c.differs || !strings.Contains(body, `"value":"60"`) || !strings.Contains(body, `"description":"mine"`) {
				t.Errorf("%s: differs in %+v, sends %s", name, a.Difference, body)
			}
		}
	}
}

// TestConnectorsByTheirSettings finds the connector where only settings are listed, and never one of another key.
func TestConnectorsByTheirSettings(t *testing.T) {
	rows := func(id, account string) []row {
		var list []row
		for _, r := range settings(id, "https://PS.contoso.com/api", account, "false") {
			list = append(list, r.(row))
		}
		return list
	}
	for account1, want := range map[string]string{"a1": "v1", "a7": ""} {
		f := &server{map[string][]row{"listCredentials": {account(nil)}, "listConnectorSettings": append(rows("v1", account1), rows("", "")...)}}
		s := f.at(nil)
		if err := lookAccount(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		if err := lookConnector(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		seen, _ := steps.Get(s, connectorKey)
		actions, err := world().planConnector(s)
		if seen.ID != want || err != nil || (want == "") != (actions[0].Effect == plan.ByHand) {
			t.Errorf("%s: %q, %+v, %v", account1, seen.ID, actions, err)
		}
	}
	f := &server{map[string][]row{"listConnectorTemplates": {}, "listConnectors": {}}}
	s := f.at(nil)
	if err := lookConnector(t.Context(), s); err != nil || !strings.Contains(said(s), "NPS has no connector template Password Secure") {
		t.Errorf("%v, %s", err, said(s))
	}
}

func TestUsers(t *testing.T) {
	accounts := []row{
		{"id": "u1", "name": `CONTOSO\anna`, "samAccountName": "anna", "entityType": 0},
		{"id": "u2", "name": `FABRIKAM\anna`, "samAccountName": "anna", "entityType": 0},
		{"id": "g1", "name": "Operators", "entityType": 1},
		{"id": "u3", "name": "Ben Best", "samAccountName": "ben", "entityType": 0},
	}
	for name, want := range map[string]string{`CONTOSO\anna`: "u1", "operators": "g1", `CONTOSO\ben`: "u3", "anna": "", "nobody": ""} {
		f := &server{map[string][]row{"searchManagedAccounts": accounts}}
		s := f.at(nil)
		u, err := lookUser(t.Context(), s, name)
		if err != nil || (u == nil) != (want == "") || u != nil && u.ID != want || (want == "") != (said(s) != "") {
			t.Errorf("%s: %+v, %v, %s", name, u, err, said(s))
		}
	}
}

// TestProfilesAreJudged: what keeps sessions from their password stops; what asks users for more is told, and no session is planned then.
func TestProfilesAreJudged(t *testing.T) {
	for name, c := range map[string]struct {
		more           row
		problem, warns string
		alone          bool
	}{
		"as wanted":   {nil, "", "", true},
		"no password": {row{"allowPasswordAccess": false}, "gives users no password", "", true},
		"approval":    {row{"approvalTypeRequired": 2}, "", "asks for an approval", false},
		"workflow":    {row{"approvalWorkflowId": "w"}, "", "asks for an approval", false},
		"notes":       {row{"notesRequired": true}, "", "asks for notes", true},
		"ticket":      {row{"ticketRequired": true}, "", "asks for a ticket", false},
	} {
		p := row{"id": "p1", "name": "Default", "isDefault": true, "allowPasswordAccess": true, "approvalTypeRequired": 1}
		for k, v := range c.more {
			p[k] = v
		}
		f := &server{map[string][]row{"listConnectionProfiles": {p}}}
		s := f.at(nil)
		if err := lookProfile(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		seen, _ := steps.Get(s, profileKey)
		if got := said(s); !strings.Contains(got, c.problem) || c.problem == "" && got != "" || seen.ID != "p1" || seen.alone() != c.alone {
			t.Errorf("%s: %s, %+v", name, got, seen)
		}
		if got := warnings(t, s); !strings.Contains(got, c.warns) || c.warns == "" && got != "" {
			t.Errorf("%s: warns %s", name, got)
		}
	}
}

// TestWhoMayOpenTheProof: only for oneself a session can be started, and only as a user of the policy.
func TestWhoMayOpenTheProof(t *testing.T) {
	f := &server{map[string][]row{"searchManagedAccounts": {{"id": "u1", "name": `CONTOSO\anna`, "entityType": 0}}, "searchResources": {{"id": "r1", "dnsHostName": "app01.contoso.com"}}}}
	for user, want := range map[string]plan.Effect{`CONTOSO\anna`: plan.Create, `CONTOSO\npsadmin`: plan.ByHand} {
		s := f.at(nil)
		steps.Put(s, nps.IdentityKey, nps.Identity{User: user})
		if err := lookMembers(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		actions, err := world().planProof(s)
		if err != nil || len(actions) != 1 || actions[0].Effect != want {
			t.Errorf("%s: %+v, %v", user, actions, err)
		}
	}
}
