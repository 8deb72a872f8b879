package npsapi

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"npsetup/steps/plan"
)

const id = "0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f"

// built has one call of every builder.
func built() []plan.Call {
	v, o := plan.String(id), plan.Object{{Name: "name", Value: plan.String("n")}}
	calls := []plan.Call{
		Health(), Version(), LicenseInfo(), SearchApplicationUsers("x"), GetAccount(v), CreateApplicationUser(o), UpdateApplicationUser(o),
		GenerateAPIKey(v), RevealAPIKey(v), DeleteApplicationUsers(v), ListConnectionProfiles(), CreateConnectionProfile(o),
		UpdateConnectionProfile(v, o), DeleteConnectionProfile(v), ListPlatforms(), ListActionTemplates(), ListActivities(), CreateActivity(o),
		UpdateActivity(v, o), DeleteActivity(v), ListActionGroups(), GetActionGroup(v), CreateActionGroup(o), DeleteActionGroup(v),
		ListPolicies(true), GetPolicy(v), CreatePolicy(o), UpdatePolicy(v, o), SetPolicyStatus(v, false, true), DeletePolicy(v), FindPolicies(v, "a", "r"),
		SearchResources("x"), SearchCandidates("x"), AddCandidates(v, v), GetResourceByHost(v), SetServiceAccount(v, v), SetPlatform(v, v),
		DeleteResource(v), ListDomains(), SearchDomains(), SearchActivityCandidates(v, "x"), GetSessionProfile(v), SearchServiceAccounts("x"), SearchSessions("x"),
		StartSession(SessionRequest{Account: v, Activity: "a", Resource: "r", Policy: v, Note: "n"}), EndSession(v), GetSession(v), CanViewPassword(v),
		GetSessionPassword(v), GetSessionLog(v, 10), SignInApplication(v, v, v, false), SignInApplication(v, v, v, true),
	}
	calls = append(calls, ListServiceAccounts(true), GetCredential(v), CreateServiceAccount(ServiceAccount{Name: "n"}), UpdateCredential(v, o), DeleteCredential(v),
		ListConnectorSettings(), ListConnectorTemplates(), ListConnectors(), GetConnector(v), CreateConnector(o), UpdateConnector(v, o), DeleteConnector(v), SearchAccounts("x"),
		SearchCredentials("x"), ManageUser(v, ManagedAutomatic), RotateAccounts(v), SearchCredentialCandidates(v, "x"), AddMembers(Credentials, v, Member{ID: v}), RemoveMembers(Credentials, v, Member{ID: v}), SearchMembers(Credentials, v, "x"))
	for _, k := range MemberKinds() {
		calls = append(calls, AddMembers(k, v, Member{ID: v, Kind: 2}), RemoveMembers(k, v, Member{ID: v}), SearchMembers(k, v, "x"))
	}
	return calls
}

type contractOperation struct {
	ID     string `yaml:"operationId"`
	Params []struct {
		Name, In string
		Required bool
	} `yaml:"parameters"`
	Body any `yaml:"requestBody"`
}

func contract(t *testing.T) map[string]contractOperation {
	t.Helper()
	raw, err := os.ReadFile("../../assets/api/nps.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]contractOperation `yaml:"paths"`
	}
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	ops := map[string]contractOperation{}
	for _, methods := range doc.Paths {
		for _, op := range methods {
			ops[op.ID] = op
		}
	}
	return ops
}

func TestEveryBuilderFitsTheContract(t *testing.T) {
	ops := contract(t)
	placeholder := regexp.MustCompile(`\{(\w+)\}`)
	for _, c := range built() {
		op, ok := Lookup(c.Operation)
		if !ok || op.Method != c.Method || op.Path != c.Path {
			t.Errorf("%s %s %s does not stand in the table", c.Operation, c.Method, c.Path)
			continue
		}
		known := map[string]string{}
		for _, p := range ops[c.Operation].Params {
			known[p.Name] = p.In
			if p.In == "query" {
				known[strings.ToLower(p.Name)] = p.In // NPS binds queries whatever their case, and the vendor's scripts use lower case
			}
			if p.Required && p.In == "query" && !sends(c, p.Name) {
				t.Errorf("%s leaves out the query parameter %s", c.Operation, p.Name)
			}
		}
		paths := 0
		for _, p := range c.Params {
			want := "query"
			if p.Path {
				want, paths = "path", paths+1
			}
			name := p.Name
			if !p.Path {
				name = strings.ToLower(name)
			}
			if known[name] != want {
				t.Errorf("%s: parameter %s is %q in the contract, the builder puts it into the %s", c.Operation, p.Name, known[p.Name], want)
			}
		}
		if n := len(placeholder.FindAllString(c.Path, -1)); n != paths {
			t.Errorf("%s fills %d of %d places of its path", c.Operation, paths, n)
		}
		if (ops[c.Operation].Body != nil) != (c.Body != nil) {
			t.Errorf("%s: body in the contract %v, from the builder %v", c.Operation, ops[c.Operation].Body != nil, c.Body != nil)
		}
		r, err := c.Wire(nil)
		if err != nil {
			t.Errorf("%s: %v", c.Operation, err)
		}
		if found, ok := Match(r.Method, r.Path); !ok || found.ID != c.Operation {
			t.Errorf("%s %s is taken for %q", r.Method, r.Path, found.ID)
		}
		if c.Body != nil && (len(r.Body) < 3 || !json.Valid(r.Body)) {
			t.Errorf("%s has the body %s", c.Operation, r.Body)
		}
	}
}

func sends(c plan.Call, name string) bool {
	for _, p := range c.Params {
		if p.Name == name {
			return true
		}
	}
	return false
}

func TestEveryOperationHasABuilder(t *testing.T) {
	have := map[string]bool{"signIn": true, "signIn2FA": true, "userToken": true} // the transport's own
	for _, c := range built() {
		have[c.Operation] = true
	}
	for _, op := range Operations() {
		if !have[op.ID] {
			t.Errorf("%s has no builder", op.ID)
		}
		if op.Method == "GET" && op.Class == plan.Change {
			t.Errorf("%s is a GET and a change", op.ID)
		}
		if op.Method != "GET" && op.Class == plan.Read {
			t.Errorf("%s is a %s and a read", op.ID, op.Method)
		}
		if (op.Source == Documented) != (op.Reason == "") {
			t.Errorf("%s is %s and its reason is %q", op.ID, op.Source, op.Reason)
		}
	}
}

func TestPagedAreTheCallsThatTakeAWindow(t *testing.T) {
	ops := contract(t)
	for _, c := range built() {
		if c.Operation == "getSessionLog" {
			continue // its last lines are all that is read of it
		}
		window := 0
		for _, p := range ops[c.Operation].Params {
			if strings.EqualFold(p.Name, "skip") || strings.EqualFold(p.Name, "take") {
				window++
			}
		}
		if (window == 2) != Paged(c) {
			t.Errorf("%s: skip and take in the contract: %d, paged: %v", c.Operation, window, Paged(c))
		}
	}
}

func TestPage(t *testing.T) {
	c := Page(Page(SearchResources("a b"), 0, 500), 500, 250)
	if got, want := c.Redacted(nil).Path, "/api/v1/ManagedResource/Search?filterText=a%20b&filterType=0&skip=500&take=250"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if again := SearchResources("a b"); len(again.Params) != 2 {
		t.Error("paging changed the call that it was given")
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/api/v1/AccessControlPolicy/PolicySearch?activityName=a", "findPolicies"}, // a literal wins over {id}
		{"GET", "/api/v1/AccessControlPolicy/" + id, "getPolicy"},
		{"PUT", "/api/v1/ManagedResource/Platform/Bulk", "setPlatform"},
		{"PUT", "/api/v1/AccessControlPolicy/" + id + "/Activity/Remove", "removePolicyActivities"},
		{"POST", "/api/v1/AccessControlPolicy/PolicySearch", ""},
		{"GET", "/api/v1/AccessControlPolicy/", ""},
		{"GET", "/api/v1/Activity/" + id + "/More", ""},
		{"GET", "/API/v1/Activity", ""},
		{"DELETE", "/api/v1/HostScanJob/TruncateAllTables", ""},
		{"GET", "", ""},
	} {
		op, ok := Match(c.method, c.path)
		if op.ID != c.want || ok != (c.want != "") {
			t.Errorf("%s %s: %q, want %q", c.method, c.path, op.ID, c.want)
		}
	}
}

func TestBodies(t *testing.T) {
	v := plan.String(id)
	for _, c := range []struct {
		call plan.Call
		want string
	}{
		{AddMembers(Accounts, v, Member{ID: v, Kind: EntityApplication}), `[{"id":"` + id + `","entityType":2}]`},
		{AddCandidates(v, v, v), `{"hostIds":["` + id + `","` + id + `"],"serviceAccountId":"` + id + `"}`},
		{SetPlatform(v, v), `{"resourceIds":["` + id + `"],"property":"` + id + `"}`},
		{DeleteApplicationUsers(v), `["` + id + `"]`},
		{ManageUser(v, ManagedAutomatic), `{"userId":"` + id + `","credentialId":null,"managedType":2}`},
		{RotateAccounts(v, v), `{"ids":["` + id + `","` + id + `"]}`},
		{StartSession(SessionRequest{Account: v, Activity: ActivityRelease, User: "svc", Domain: "CONTOSO", Note: "n"}), `{"managedAccountId":"` + id + `","activityName":"Credential Release","credentialUsername":"svc","credentialDomain":"CONTOSO","note":"n"}`},
	} {
		if r := c.call.Redacted(nil); string(r.Body) != c.want {
			t.Errorf("%s: %s, want %s", c.call.Operation, r.Body, c.want)
		}
	}
}

func TestUnknownKindGivesACallThatNobodySends(t *testing.T) {
	if c := AddMembers(MemberKind(9), plan.String(id)); c.Operation != "" || c.Method != "" {
		t.Errorf("got %v", c)
	}
}

func TestRowStatuses(t *testing.T) {
	if !RowStatuses("setPlatform") || !RowStatuses("setServiceAccount") || RowStatuses("createPolicy") {
		t.Error("the calls with a status per row are setPlatform and setServiceAccount")
	}
}

func TestAssumptions(t *testing.T) {
	topics := map[string]bool{}
	for _, a := range Assumptions() {
		if a.Text == "" || topics[a.Topic] {
			t.Errorf("assumption %q has no text or stands twice", a.Topic)
		}
		topics[a.Topic] = true
	}
	for _, op := range Operations() {
		if listed := topics[op.Method+" "+op.Path]; listed != (op.Source == Assumed) {
			t.Errorf("%s is %s; in the list of assumptions: %v", op.ID, op.Source, listed)
		}
		if (AssumedReason(op.ID) != "") != (op.Source == Assumed) {
			t.Errorf("%s is %s and its reason is %q", op.ID, op.Source, AssumedReason(op.ID))
		}
	}
	for _, name := range inferred() {
		if !strings.Contains(name, "(") || !topics["numbers of "+name] {
			t.Errorf("%s is not in the list, or without its number", name)
		}
	}
	if AssumedReason("nothing") != "" {
		t.Error("an unknown call has no reason")
	}
}

func TestSourceNames(t *testing.T) {
	for s, want := range map[Source]string{Documented: "documented", Live: "live", Assumed: "assumed", Source(7): "unknown"} {
		if s.String() != want {
			t.Errorf("%d: %s, want %s", s, s, want)
		}
	}
}
