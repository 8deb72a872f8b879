package contract_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"npsetup/assets"
	"npsetup/client/sandbox/contract"
)

func load(t *testing.T, raw []byte) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// TestEveryOperationSaysWhatItIs holds the extensions of the contract.
func TestEveryOperationSaysWhatItIs(t *testing.T) {
	seen := map[string]bool{}
	for _, raw := range [][]byte{assets.NPSContract, assets.PasswordSecureContract} {
		everyOperation(t, load(t, raw), seen)
	}
}

func everyOperation(t *testing.T, doc *openapi3.T, seen map[string]bool) {
	t.Helper()
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			where := method + " " + path
			source, _ := op.Extensions["x-source"].(string)
			class, _ := op.Extensions["x-class"].(string)
			reason, _ := op.Extensions["x-reason"].(string)
			if op.OperationID == "" || seen[op.OperationID] {
				t.Errorf("%s: operationId %q is empty or used twice", where, op.OperationID)
			}
			seen[op.OperationID] = true
			if source != "documented" && source != "live" && source != "assumed" {
				t.Errorf("%s: x-source %q", where, source)
			}
			if (source == "documented") != (reason == "") {
				t.Errorf("%s: x-reason %q for a call that is %s", where, reason, source)
			}
			if class != "read" && class != "auth" && class != "probe" && class != "change" {
				t.Errorf("%s: x-class %q", where, class)
			}
			if method == http.MethodGet && class == "change" {
				t.Errorf("%s: a GET that changes", where)
			}
		}
	}
}

// TestDocumentedCallsAreTheVendors compares with the vendor's own description, where it is at hand: a call is documented if
// and only if it stands there, and names and types agree.
func TestDocumentedCallsAreTheVendors(t *testing.T) {
	raw, err := os.ReadFile("../../../../shared/facts/nps-openapi-4.2.json")
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("SKIPPED: the vendor's description is not at hand; docs/limits.md says what that leaves unchecked")
	}
	if err != nil {
		t.Fatal(err)
	}
	ours, vendor := load(t, assets.NPSContract), load(t, raw)
	compared := 0
	for path, item := range ours.Paths.Map() {
		for method, op := range item.Operations() {
			where := method + " " + path
			theirs := vendor.Paths.Value(path)
			var their *openapi3.Operation
			if theirs != nil {
				their = theirs.GetOperation(method)
			}
			if documented := op.Extensions["x-source"] == "documented"; documented != (their != nil) {
				t.Errorf("%s: x-source %v, in the vendor's description: %v", where, op.Extensions["x-source"], their != nil)
				continue
			}
			if their != nil {
				compared++
				compareParameters(t, where, op, their)
				compareBodies(t, where, op, their)
			}
		}
	}
	if compared < 20 {
		t.Errorf("only %d calls were compared", compared)
	}
}

func compareParameters(t *testing.T, where string, ours, vendor *openapi3.Operation) {
	for _, p := range ours.Parameters {
		v := vendor.Parameters.GetByInAndName(p.Value.In, p.Value.Name)
		if v == nil {
			t.Errorf("%s: the vendor knows no %s parameter %s", where, p.Value.In, p.Value.Name)
			continue
		}
		compare(t, where+" parameter "+p.Value.Name, p.Value.Schema, v.Schema, 0)
	}
}

func compareBodies(t *testing.T, where string, ours, vendor *openapi3.Operation) {
	if (ours.RequestBody == nil) != (vendor.RequestBody == nil) {
		t.Errorf("%s: body here %v, body there %v", where, ours.RequestBody != nil, vendor.RequestBody != nil)
	} else if ours.RequestBody != nil {
		compare(t, where+" body", jsonOf(ours.RequestBody.Value.Content), jsonOf(vendor.RequestBody.Value.Content), 0)
	}
	for status, r := range ours.Responses.Map() {
		v := vendor.Responses.Value(status)
		if v == nil || status == "default" {
			continue
		}
		a, b := jsonOf(r.Value.Content), jsonOf(v.Value.Content)
		if (a == nil) != (b == nil) {
			t.Errorf("%s answer %s: content here %v, there %v", where, status, a != nil, b != nil)
		} else if a != nil {
			compare(t, where+" answer "+status, a, b, 0)
		}
	}
}

func jsonOf(c openapi3.Content) *openapi3.SchemaRef {
	if m := c.Get("application/json"); m != nil {
		return m.Schema
	}
	return nil
}

// compare demands that every member of ours exists there with the same type and format.
func compare(t *testing.T, where string, ours, vendor *openapi3.SchemaRef, depth int) {
	if depth > 6 || ours == nil || vendor == nil {
		return
	}
	a, b := ours.Value, vendor.Value
	if _, differs := a.Extensions["x-differs"]; differs {
		return
	}
	if !a.Type.Is(typeOf(b)) || a.Format != b.Format {
		t.Errorf("%s: %v/%s here, %v/%s there", where, a.Type, a.Format, b.Type, b.Format)
		return
	}
	if a.Items != nil {
		compare(t, where+"[]", a.Items, b.Items, depth+1)
	}
	for name, p := range a.Properties {
		v := b.Properties[name]
		if v == nil {
			if strings.HasSuffix(where, "ProblemDetails") || name == "traceId" || name == "errors" {
				continue
			}
			t.Errorf("%s: the vendor knows no member %s", where, name)
			continue
		}
		compare(t, where+"."+name, p, v, depth+1)
	}
}

func typeOf(s *openapi3.Schema) string {
	if s.Type == nil || len(*s.Type) == 0 {
		return ""
	}
	return (*s.Type)[0]
}

// TestCheckerFindsWhatDoesNotFit proves that the checking mode can fail, in both directions.
func TestCheckerFindsWhatDoesNotFit(t *testing.T) {
	c, err := contract.New(assets.NPSContract)
	if err != nil {
		t.Fatal(err)
	}
	request := func(method, path, body string) error {
		r := httptest.NewRequest(method, "https://nps.example:6500"+path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer x")
		r.Header.Set("Content-Type", "application/json")
		return c.Request(r, []byte(body))
	}
	for name, bad := range map[string]error{
		"unknown path":      request("GET", "/api/v1/HostScanJob/TruncateAllTables", ""),
		"unknown query":     request("GET", "/api/v1/Platform?drop=1", ""),
		"wrong type":        request("POST", "/api/v1/AccessControlPolicy", `{"name":5}`),
		"name for a number": request("POST", "/api/v1/AccessControlPolicy", `{"name":"x","policyType":"Resource"}`),
		"no body":           request("POST", "/api/v1/AccessControlPolicy", ""),
		"unknown member":    request("POST", "/api/v1/AccessControlPolicy", `{"name":"x","policyType":0,"newMember":true}`),
		"misspelt in a row": request("PUT", "/api/v1/AccessControlPolicy/00000007-0000-4000-8000-000000000000/Activity", `[{"id":"00000007-0000-4000-8000-000000000000","entityKind":7}]`),
		"bad id":            request("PUT", "/api/v1/AccessControlPolicy/7/Activity", `[{"id":7}]`),
	} {
		if bad == nil {
			t.Errorf("%s: nothing found", name)
		}
	}
	if err := request("POST", "/api/v1/AccessControlPolicy", `{"name":"x","policyType":0}`); err != nil {
		t.Errorf("a good request: %v", err)
	}
	r := httptest.NewRequest("GET", "https://nps.example:6500/api/v1/Platform", nil)
	h := http.Header{"Content-Type": {"application/json"}}
	if err := c.Response(r, 200, h, []byte(`[{"name":7}]`)); err == nil {
		t.Error("a wrong answer: nothing found")
	}
	const path, body = "/api/v1/AccessControlPolicy/00000007-0000-4000-8000-000000000000", `{"name":"x","policyType":0,"newMember":true}`
	if err := request("PUT", path, body); err == nil {
		t.Error("a member that no row has shown is written back: nothing found")
	}
	if err := c.Response(r, 200, h, []byte(`[{"name":"x","newMember":true}]`)); err != nil {
		t.Errorf("a row of a newer server: %v", err)
	}
	if err := request("PUT", path, body); err != nil {
		t.Errorf("a row that is written back whole: %v", err)
	}
	if err := request("POST", "/api/v1/AccessControlPolicy", body); err == nil {
		t.Error("a member that is made up: nothing found")
	}
	rows, _ := json.Marshal([]map[string]any{{"name": "x", "id": fmt.Sprintf("%08d-0000-4000-8000-000000000000", 7)}})
	if err := c.Response(r, 200, h, rows); err != nil {
		t.Errorf("a good answer: %v", err)
	}
}

// TestCheckerReadsJSONThatTravelsAsText holds the checking mode for Password Secure, in both directions.
func TestCheckerReadsJSONThatTravelsAsText(t *testing.T) {
	c, err := contract.New(assets.PasswordSecureContract)
	if err != nil {
		t.Fatal(err)
	}
	const good = `{"credential":{"AuthType":14,"$type":"AuthenticationApiKeyCredential","JsonWebToken":"a.b.c","RequiredFieldsFromUser":{"AuthenticationFields":{}},"Database":null,"Username":null,"SessionId":null,` +
		`"OperationMode":0,"ClientInformation":{"ClientType":"x","ClientVersion":"1","ClientInstanceId":"0b5f3c1e-8f3a-4c27-9a44-1f0a5c6d7e8f"}}}`
	request := func(kind, body string) error {
		r := httptest.NewRequest("POST", "https://ps.example/auth/AuthenticateApiKey", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		return c.Request(r, []byte(body))
	}
	if err := request("text/plain; charset=utf-8", good); err != nil {
		t.Errorf("a good request: %v", err)
	}
	for name, bad := range map[string]error{
		"as JSON": request("application/json", good), "no JSON": request("text/plain", "x"), "another number": request("text/plain", strings.Replace(good, "14", "13", 1)),
		"the private half": request("text/plain", strings.Replace(good, "a.b.c", "a.b.c:QQ==", 1)), "more": request("text/plain", strings.Replace(good, `"AuthType"`, `"PrivateKey":"x","AuthType"`, 1)),
	} {
		if bad == nil {
			t.Errorf("%s: nothing found", name)
		}
	}
	r := httptest.NewRequest("POST", "https://ps.example/auth/AuthenticateApiKey", nil)
	h := http.Header{"Content-Type": {"application/json"}}
	if err := c.Response(r, 200, h, []byte("\xef\xbb\xbf{\"Challenge\":\"QQ==\",\"EncryptionVersion\":2}")); err != nil {
		t.Errorf("a good answer: %v", err)
	}
	if err := c.Response(r, 200, h, []byte(`{"EncryptionVersion":3}`)); err == nil {
		t.Error("a wrong answer: nothing found")
	}
}
