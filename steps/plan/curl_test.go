package plan_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"npsetup/steps/plan"
	"npsetup/steps/secret"
)

// tool finds a program. In CI it must be there; elsewhere the test is skipped, and says so.
func tool(t *testing.T, names ...string) string {
	t.Helper()
	path := ""
	for _, name := range names {
		var err error
		if path, err = exec.LookPath(name); err != nil {
			if os.Getenv("CI") == "true" && name != "shellcheck" {
				t.Fatalf("%s is not installed: .ci/run installs it", name)
			}
			t.Skipf("SKIPPED: %s is not installed, so this was not tested", name)
		}
	}
	return path
}

func curl(t *testing.T, p plan.Plan, o plan.CurlOptions) string {
	t.Helper()
	script, err := p.Curl(o)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

func TestCurlIsGolden(t *testing.T) {
	golden(t, "everything.sh.golden", curl(t, everything(), plan.CurlOptions{PublicKey: "AAAA"}))
	needs := everything().CurlNeeds()
	if len(needs) != 3 || needs[0].Name != plan.TokenVariable || needs[1].Name != "NPS_SECRET_PASSWORD_OF_SVC_NPS" || needs[2].What != "API key of NetwrixAuditor" {
		t.Errorf("%+v", needs)
	}
}

// TestCurlIsAScript has every kind of plan read by bash, and by shellcheck where it is installed.
func TestCurlIsAScript(t *testing.T) {
	hostilePlan := hostilePlan()
	for i := range hostilePlan.Actions {
		known(hostilePlan, i)
	}
	scripts := map[string]string{
		"everything":  curl(t, everything(), plan.CurlOptions{PublicKey: "AAAA"}),
		"authorities": curl(t, everything(), plan.CurlOptions{CAFile: "/it's/ca.pem"}),
		"system":      curl(t, everything(), plan.CurlOptions{}),
		"nothing":     curl(t, plan.Plan{}, plan.CurlOptions{}),
		"hostile":     curl(t, hostilePlan, plan.CurlOptions{}),
	}
	for name, script := range scripts {
		harmless(t, name, strings.ReplaceAll(script, "\t", ""))
		if strings.Contains(script, marker) {
			t.Errorf("%s holds a secret", name)
		}
		if k := strings.Count(script, " -k "); k != strings.Count(script, "-k --pinnedpubkey 'sha256//") || strings.Contains(script, "--insecure") {
			t.Errorf("%s switches verification off", name)
		}
	}
	shell := tool(t, "bash")
	for name, script := range scripts {
		c := exec.Command(shell, "-n")
		c.Stdin = strings.NewReader(script)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
	}
	check := tool(t, "shellcheck")
	for name, script := range scripts {
		c := exec.Command(check, "--shell=bash", "--severity=warning", "-")
		c.Stdin = strings.NewReader(script)
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("%s: %s", name, out)
		}
	}
}

// known makes the references of an action ones that a script may have: to what an earlier action gives.
func known(p plan.Plan, i int) {
	for j := range p.Actions[i].Ops {
		if c := p.Actions[i].Ops[j].Call; c != nil {
			c.Path, c.Params, c.Body = "/x", nil, plan.Object{{Name: hostile, Value: plan.String(hostile)}}
			p.Actions[i].Ops[j].Lookup.Call = plan.Call{Method: "GET", Path: "/x", Params: []plan.Param{{Name: "q", Value: plan.String(hostile)}}}
			p.Actions[i].Ops[j].Guard = nil
		}
	}
	for _, op := range p.Actions[i].Ops {
		if op.File != nil { // neither a path nor a shell's text can hold a zero byte
			op.File.Path, op.File.Content = strings.ReplaceAll(hostile, "\x00", ""), plan.String(strings.ReplaceAll(hostile, "\x00", ""))
		}
	}
	p.Actions[i].Effect = plan.Create
}

func TestCurlRefusesWhatNoScriptCanDo(t *testing.T) {
	unknown := plan.Ref{Action: "user", Output: "id", What: "user"}
	call := func(c plan.Call) plan.Plan {
		return plan.Plan{Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &c}}}}}
	}
	for name, p := range map[string]plan.Plan{
		"a reference that nobody gives":   call(plan.Call{Method: "PUT", Path: "/x", Body: plan.Array{unknown}}),
		"the same in an address":          call(plan.Call{Method: "PUT", Path: "/x/{id}", Params: []plan.Param{{Name: "id", Path: true, Value: unknown}}}),
		"a secret in an address":          call(plan.Call{Method: "PUT", Path: "/x", Params: []plan.Param{{Name: "s", Value: plan.SecretLeaf{Name: "s"}}}}),
		"a template that is not filled":   call(plan.Call{Method: "PUT", Path: "/x/{id}"}),
		"a file that holds a zero byte":   {Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "x", Kind: plan.KindFile, File: &plan.File{Path: "x", Content: plan.String("\x00")}}}}}},
		"a file of something else":        {Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "x", Kind: plan.KindFile, File: &plan.File{Path: "x", Content: plan.Int(1)}}}}}},
		"a making call without a body":    {Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Method: "POST", Path: "/x"}, Lookup: &plan.Lookup{Call: plan.Call{Method: "GET", Path: "/x"}}}}}}},
		"a guard that wants what is open": {Actions: []plan.Action{{Key: "a", Ops: []plan.Op{{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Method: "PUT", Path: "/x"}, Guard: &plan.Guard{Lookup: plan.Lookup{Call: plan.Call{Method: "GET", Path: "/x"}}, Want: plan.Object{{Name: "a", Value: unknown}}}}}}}},
	} {
		if script, err := p.Curl(plan.CurlOptions{}); err == nil {
			t.Errorf("%s: %s", name, script[len(script)-400:])
		}
	}
}

// TestCurlLeavesOutWhatRestsOnAPerson does not guess the id of what is made by hand.
func TestCurlLeavesOutWhatRestsOnAPerson(t *testing.T) {
	ref := plan.Ref{Action: "activity", Output: "id", What: "activity"}
	p := plan.Plan{Actions: []plan.Action{
		{Key: "activity", Effect: plan.ByHand, Object: "activity", Name: "it's", Ops: []plan.Op{{ID: "manual", Kind: plan.KindManual, Manual: &plan.Manual{Where: "NPS"}}}},
		{Key: "policy", Object: "policy", Name: "$(p)", Ops: []plan.Op{{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Method: "PUT", Path: "/policy", Body: plan.Array{ref}}}}},
		{Key: "after", Object: "thing", Name: "t", After: []string{"policy"}, Ops: []plan.Op{{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Method: "PUT", Path: "/after"}}}},
	}}
	script := curl(t, p, plan.CurlOptions{})
	if strings.Contains(script, "'/policy'") || strings.Contains(script, "'/after'") || !strings.Contains(script, "exit 3") {
		t.Errorf("%s", script[strings.Index(script, "main()"):])
	}
}

// nps is a stand-in that answers one request after the other by a function.
type nps struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // method, path and body
}

func newNPS(t *testing.T, answer func(method, path string, body []byte, seen int) (int, string)) *nps {
	t.Helper()
	s := &nps{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer t0ken.x" || (len(body) > 0) != (r.Header.Get("Content-Type") == "application/json") || r.ContentLength < 0 {
			t.Errorf("%s %s: %v", r.Method, r.URL, r.Header)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		status, text := answer(r.Method, r.URL.RequestURI(), body, len(s.seen))
		s.seen = append(s.seen, r.Method+" "+r.URL.RequestURI()+" "+string(compact(body)))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s
}

func compact(raw []byte) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

// run runs the script of a plan against the stand-in.
func (s *nps) run(t *testing.T, p plan.Plan, env ...string) (int, string) {
	t.Helper()
	shell := tool(t, "curl", "jq", "bash")
	key := sha256.Sum256(s.Certificate().RawSubjectPublicKeyInfo)
	p.Server = s.URL + "/"
	script := curl(t, p, plan.CurlOptions{
		PublicKey:   base64.StdEncoding.EncodeToString(key[:]),
		Paged:       func(id string) bool { return id == "paged" },
		RowStatuses: func(id string) bool { return id == "rows" },
	})
	c := exec.CommandContext(t.Context(), shell)
	c.Stdin = strings.NewReader(script) // as in: npsetup plan -f FILE --output curl | bash
	c.Dir = t.TempDir()
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "NPS_TOKEN=\"t0ken.x\"", "TMPDIR=" + c.Dir}, env...)
	out, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	if left, err := filepath.Glob(filepath.Join(c.Dir, "tmp.*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

func action(key string, ops ...plan.Op) plan.Action {
	return plan.Action{Key: key, Step: key, Object: "thing", Name: key, Ops: ops}
}

func changing(operation, method, path string, body plan.Value) plan.Op {
	return plan.Op{ID: "x", Kind: plan.KindCall, Class: plan.Change, Call: &plan.Call{Operation: operation, Method: method, Path: path, Body: body}}
}

// making is a call that makes a thing of a name and gives its id.
func making(list, name string, patient bool) plan.Op {
	op := changing("make", "POST", "/make", plan.Object{{Name: "name", Value: plan.String(name)}})
	op.Outputs = []plan.Output{{Name: "id", Pointer: "/id"}}
	op.Lookup = &plan.Lookup{Call: plan.Call{Operation: list, Method: "GET", Path: "/things"}, Member: "name", Value: name, Patient: patient}
	return op
}

// TestCurlCarriesNamesUnharmed makes things of nasty names, one of them by its reference, and reads what arrives.
func TestCurlCarriesNamesUnharmed(t *testing.T) {
	for _, name := range []string{
		"it's $(touch pwned) `touch pwned` ${HOME} !! \\n %s %d", "PLACE0Z", "PLACEX1Z\" \\", "'\\''", "Ünï straße İıſK", "-n", "a\nb\t\r", "# <b>|*", strings.ReplaceAll(hostile, "\x00", ""),
	} {
		t.Run(fmt.Sprintf("%.20q", name), func(t *testing.T) {
			t.Parallel()
			id := "id of " + name + "/%2F?&"
			s := newNPS(t, func(method, path string, _ []byte, _ int) (int, string) {
				if method == "GET" {
					raw, _ := json.Marshal([]map[string]any{{"name": name + "x"}, {"name": strings.ToUpper(name) + "y"}, {"name": nil}})
					return 200, string(raw)
				}
				raw, _ := json.Marshal(map[string]string{"id": id})
				return 201, string(raw)
			})
			ref := plan.Ref{Action: "made", Output: "id", What: name}
			use := changing("use", "PUT", "/use/{id}", plan.Object{{Name: name, Value: ref}, {Name: "n", Value: plan.String(name)}})
			use.Call.Params = []plan.Param{{Name: "id", Path: true, Value: ref}, {Name: "q", Value: plan.String(name)}}
			p := plan.Plan{Title: name, Identity: name, Actions: []plan.Action{action("made", making("things", name, false)), action("used", use)}}
			p.Actions[0].Name, p.Actions[0].Why = name, name
			code, said := s.run(t, p)
			resolve := func(plan.Ref) (string, bool) { return id, true }
			want := []string{"GET /things "}
			for _, op := range []plan.Op{p.Actions[0].Ops[0], use} {
				r, err := op.Call.Wire(resolve)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, op.Call.Method+" "+r.Path+" "+string(compact(r.Body)))
			}
			if code != 0 || !same(s.seen, want) {
				t.Errorf("exit %d, arrived\n%q\nwant\n%q\n%s", code, s.seen, want, said)
			}
		})
	}
}

// same compares requests, bodies and addresses by what they say.
func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := strings.SplitN(a[i], " ", 3), strings.SplitN(b[i], " ", 3)
		if x[0] != y[0] || unescaped(x[1]) != unescaped(y[1]) {
			return false
		}
		var p, q any
		_ = json.Unmarshal([]byte(x[2]), &p)
		_ = json.Unmarshal([]byte(y[2]), &q)
		if fmt.Sprint(p) != fmt.Sprint(q) {
			return false
		}
	}
	return true
}

func unescaped(path string) string {
	r, err := http.NewRequest(http.MethodGet, "https://x"+path, nil)
	if err != nil {
		return path
	}
	return r.URL.Path + "?" + r.URL.Query().Encode()
}

// TestCurlFindsWhatIsThere compares exactly, letters' case aside, over pages of both shapes.
func TestCurlFindsWhatIsThere(t *testing.T) {
	page := func(total string, rows ...string) string {
		return fmt.Sprintf(`{"Data":[%s],"RecordsTotal":%s}`, strings.Join(rows, ","), total)
	}
	many := make([]string, 500)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id":"n%d","name":"n%d"}`, i, i)
	}
	found := `{"id":"found","name":"Prüfung KELVIN"}`
	for name, c := range map[string]struct {
		list   string
		pages  []string
		status int
		code   int
		says   string
		gets   int
	}{
		"array":                 {"whole", []string{"[" + found + "]"}, 200, 0, "is there already", 1},
		"deleted":               {"whole", []string{`[{"id":"d","name":"prüfung kelvin","isDeleted":true}]`}, 200, 0, "POST /make: 201", 1},
		"part of a name":        {"whole", []string{`[{"id":"d","name":"prüfung kelvin 2"}]`}, 200, 0, "POST /make: 201", 1},
		"table":                 {"paged", []string{page("1", found)}, 200, 0, "is there already", 1},
		"second page":           {"paged", []string{page("501", many...), page("501", found)}, 200, 0, "is there already", 2},
		"second page, array":    {"paged", []string{"[" + strings.Join(many, ",") + "]", "[" + found + "]"}, 200, 0, "is there already", 2},
		"knows no paging":       {"paged", []string{"[" + strings.Join(many, ",") + "]", "[" + strings.Join(many, ",") + "]"}, 200, 0, "POST /make: 201", 2},
		"short pages":           {"paged", []string{page("2", many[0]), page("2", found)}, 200, 0, "is there already", 2},
		"same page for ever":    {"paged", []string{page("9", many[0]), page("9", many[0])}, 200, 1, "again and again", 2},
		"two of a name":         {"whole", []string{"[" + found + "," + strings.ToUpper(found[:14]) + `"x","name":"PRÜFUNG kelvin"}]`}, 200, 1, "no list", 1},
		"two of one name":       {"whole", []string{"[" + found + `,{"id":"x","name":"PRÜFUNG kelvin"}]`}, 200, 1, "more than one of that name", 1},
		"null":                  {"whole", []string{"null"}, 200, 0, "POST /make: 201", 1},
		"no content":            {"whole", []string{""}, 204, 0, "POST /make: 201", 1},
		"a page instead":        {"whole", []string{"<html>"}, 200, 1, "is no list", 1},
		"nothing":               {"whole", []string{""}, 200, 1, "is empty", 1},
		"an object without one": {"whole", []string{`{"items":[]}`}, 200, 1, "is no list", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newNPS(t, func(method, path string, _ []byte, seen int) (int, string) {
				if method == "POST" {
					return 201, `{"id":"new"}`
				}
				return c.status, c.pages[min(seen, len(c.pages)-1)]
			})
			code, said := s.run(t, plan.Plan{Actions: []plan.Action{action("a", making(c.list, "prÜfung \u212aelvin", false))}})
			gets := strings.Count(strings.Join(s.seen, "\n"), "GET ")
			if code != c.code || !strings.Contains(said, c.says) || gets != c.gets {
				t.Errorf("exit %d, %d reads, %s", code, gets, said)
			}
		})
	}
}

// TestCurlSendsOnce holds what follows each answer: a change is never repeated, a read is, and rows are looked into.
func TestCurlSendsOnce(t *testing.T) {
	put := func(operation string) []plan.Op {
		return []plan.Op{changing(operation, "PUT", "/put", plan.Object{{Name: "a", Value: plan.Int(1)}})}
	}
	for name, c := range map[string]struct {
		ops   []plan.Op
		given []string // status and answer, the last one again and again
		code  int
		says  string
		seen  int
	}{
		"no content":           {put("x"), []string{"204 "}, 0, "PUT /put: 204", 1},
		"a bodiless change":    {[]plan.Op{changing("x", "PUT", "/put", nil)}, []string{"200 {}"}, 0, "200", 1},
		"refused":              {put("x"), []string{"400 {\"title\":\"no \\u001b[2J\x1b]52;t0ken.x\u202e\"}"}, 1, `400: {"title":"no \u001b[2J ]52;(secret)`, 1},
		"passing":              {put("x"), []string{"503 busy", "200 {}"}, 1, "503: busy", 1},
		"not offered":          {put("x"), []string{"404 "}, 1, "404", 1},
		"rows done":            {put("rows"), []string{`200 [{"Id":"a","Status":200},{"id":"b","status":"OK"},{"id":"c","status":"204"},{"id":"d"}]`}, 0, "200", 1},
		"no rows":              {put("rows"), []string{"200 "}, 0, "200", 1},
		"a row that is not":    {put("rows"), []string{`200 [{"id":"a","status":200},{"id":"b","status":409,"message":"it is\nlocked"}]`}, 1, `was refused for b (409): it is locked`, 1},
		"a row by name":        {put("rows"), []string{`200 [{"id":"b","status":"Conflict"}]`}, 1, `b (Conflict)`, 1},
		"rows of another form": {put("rows"), []string{`200 "ok"`}, 1, "cannot be read", 1},
		"a read that passes":   {[]plan.Op{making("things", "n", false)}, []string{"500 x", "502 x", "200 []", `201 {"id":"x"}`}, 0, "POST /make: 201", 4},
		"a read that does not": {[]plan.Op{making("things", "n", false)}, []string{"503 x"}, 1, "503: x", 3},
		"found behind it":      {[]plan.Op{making("things", "n", true)}, []string{"200 []", "200 7", "200 []", `200 [{"id":"x","name":"N"}]`}, 0, "POST /make: 200", 4},
		"not found behind it":  {[]plan.Op{making("things", "n", false)}, []string{"200 []", "200 7", "200 []"}, 1, "cannot be found", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newNPS(t, func(_, _ string, _ []byte, seen int) (int, string) {
				status, text, _ := strings.Cut(c.given[min(seen, len(c.given)-1)], " ")
				var n int
				_, _ = fmt.Sscan(status, &n)
				return n, text
			})
			code, said := s.run(t, plan.Plan{Actions: []plan.Action{action("a", c.ops...)}})
			if code != c.code || !strings.Contains(said, c.says) || len(s.seen) != c.seen || strings.ContainsAny(said, "\x1b\u202e") {
				t.Errorf("exit %d, %d requests, %q", code, len(s.seen), said)
			}
		})
	}
}

// TestCurlTakesSecretsFromTheEnvironment sends one, and writes one into a file.
func TestCurlTakesSecretsFromTheEnvironment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "it's\x1b.key")
	p := plan.Plan{Actions: []plan.Action{
		action("a", changing("x", "PUT", "/put", plan.Object{{Name: "password", Value: plan.SecretLeaf{Name: "password of svc-nps", Secret: secret.New(marker)}}})),
		action("b", plan.Op{ID: "file", Kind: plan.KindFile, Class: plan.Change, File: &plan.File{Path: path, Mode: 0o640, Content: plan.SecretLeaf{Name: "password of svc-nps"}}}),
	}}
	const value = "o'\"\\\n$(x)`ü"
	s := newNPS(t, func(string, string, []byte, int) (int, string) {
		escaped, _ := json.Marshal("you sent it: " + value)
		return 403, string(escaped)
	})
	code, said := s.run(t, p)
	if code != 64 || len(s.seen) != 0 || !strings.Contains(said, "NPS_SECRET_PASSWORD_OF_SVC_NPS is not set: password of svc-nps") {
		t.Errorf("exit %d, %q, %s", code, s.seen, said)
	}
	if code, said = s.run(t, p, "NPS_SECRET_PASSWORD_OF_SVC_NPS="+value); code != 1 || len(s.seen) != 1 || !strings.Contains(said, "you sent it: (secret)") {
		t.Errorf("exit %d, %q\n%s", code, s.seen, said)
	}
	var body struct{ Password string }
	if _, raw, _ := strings.Cut(s.seen[0], "/put "); json.Unmarshal([]byte(raw), &body) != nil || body.Password != value {
		t.Errorf("%q arrived", body.Password)
	}
	s = newNPS(t, func(string, string, []byte, int) (int, string) { return 204, "" })
	if code, said = s.run(t, p, "NPS_SECRET_PASSWORD_OF_SVC_NPS="+value); code != 0 {
		t.Errorf("exit %d, %s", code, said)
	}
	raw, err := os.ReadFile(path)
	info, statErr := os.Stat(path)
	if err != nil || statErr != nil || string(raw) != value || info.Mode().Perm() != 0o640 {
		t.Errorf("%q %v %v", raw, err, info)
	}
	if code, _ = s.run(t, p, "NPS_SECRET_PASSWORD_OF_SVC_NPS=another"); code != 1 {
		t.Errorf("exit %d over a file that holds something else", code)
	}
}
