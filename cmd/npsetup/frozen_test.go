package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"

	"npsetup/client/sandbox"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// TestExitCodesAreFrozen holds the numbers that scripts go by, and what each kind of problem becomes.
func TestExitCodesAreFrozen(t *testing.T) {
	for _, c := range []struct {
		meaning   string
		have, got int
	}{
		{"ok", exitOK, 0},
		{"failed", exitFailed, 1},
		{"changes are pending", exitPending, 2},
		{"a person is needed", exitPerson, 3},
		{"usage, missing answers or consent", exitUsage, 64},
		{"refused by the server", exitRefused, 77},
		{"cancelled", exitCancelled, 130},
	} {
		if c.have != c.got {
			t.Errorf("%s is %d, frozen is %d", c.meaning, c.have, c.got)
		}
	}
	kinds := map[problem.Kind]int{
		problem.Failed: 1, problem.Usage: 64, problem.Refused: 77, problem.SignInAgain: 77, problem.NotOffered: 1, problem.NotFound: 1, problem.AnswerLost: 1, problem.ServerFailed: 1, problem.Stale: 1,
		problem.Unreachable: 1, problem.Cancelled: 130, problem.GateClosed: 1,
	}
	if len(kinds) != int(problem.GateClosed)+1 {
		t.Errorf("%d kinds have a code, there are %d", len(kinds), int(problem.GateClosed)+1)
	}
	for kind, code := range kinds {
		if got := exitCode(problem.New("x").Of(kind)); got != code {
			t.Errorf("kind %d ends with %d, frozen is %d", kind, got, code)
		}
	}
	if exitCode(nil) != 0 || exitCode(errors.New("x")) != 1 || exitCode(problem.List{problem.New("a"), problem.New("b").Of(problem.Refused)}) != 77 {
		t.Error("nil, other errors or lists end otherwise")
	}
	act := func(effects ...plan.Effect) (p plan.Plan) {
		for _, e := range effects {
			p.Actions = append(p.Actions, plan.Action{Effect: e})
		}
		return p
	}
	for want, plans := range map[int][]plan.Plan{
		0: {act(), act(plan.Adopt)},
		2: {act(plan.Create), act(plan.Update, plan.ByHand), act(plan.Restore), act(plan.Delete)},
		3: {act(plan.ByHand), act(plan.ByHand, plan.Adopt)},
	} {
		for _, p := range plans {
			if got := planCode(p); got != want {
				t.Errorf("a plan with %v ends with %d, frozen is %d", p.Pending(), got, want)
			}
		}
	}
}

func commands(t *testing.T) map[string]*cobra.Command {
	t.Helper()
	root := newRoot(&app{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &bytes.Buffer{}})
	root.InitDefaultCompletionCmd()
	all := map[string]*cobra.Command{"": root}
	for _, c := range root.Commands() {
		all[c.Name()] = c
		for _, below := range c.Commands() {
			all[c.Name()+" "+below.Name()] = below
		}
	}
	return all
}

// TestCommandsAndFlagsAreFrozen holds what scripts type. More flags may come; none of these may go or change its kind.
func TestCommandsAndFlagsAreFrozen(t *testing.T) {
	have := commands(t)
	for _, name := range strings.Fields("plan apply resume verify validate key schema assumptions sandbox demo completion cert trust explain doctor import") {
		if have[name] == nil || !have[name].Runnable() && !have[name].HasSubCommands() || have[name].Hidden {
			t.Errorf("the command %s is gone", name)
		}
	}
	for name, flags := range map[string]string{
		"":              "state:string",
		"plan":          "out:string calls:bool output:string file:string set:stringArray accept-risk:stringSlice",
		"apply":         "plan:string approve:string yes:bool done:stringSlice accept-risk:stringSlice output:string dry-run:bool file:string set:stringArray",
		"resume":        "yes:bool done:stringSlice accept-risk:stringSlice output:string dry-run:bool file:string set:stringArray",
		"verify":        "output:string file:string set:stringArray accept-risk:stringSlice",
		"validate":      "file:string set:stringArray accept-risk:stringSlice",
		"key":           "to:string file:string yes:bool",
		"cert new":      "name:string dir:string days:int key-type:string passphrase:string no-passphrase:bool encrypt-key:bool pfx-encryption:string output:string",
		"cert request":  "name:string dir:string key-type:string passphrase:string output:string",
		"cert bundle":   "key:string key-passphrase:string answer:stringArray dir:string passphrase:string no-passphrase:bool pfx-encryption:string output:string",
		"cert inspect":  "passphrase:string at:string output:string",
		"explain":       "output:string",
		"doctor":        "file:string set:stringArray accept-risk:stringSlice output:string url:string password-secure:string password-secure-trust:string api-key:string",
		"import":        "file:string set:stringArray accept-risk:stringSlice output:string guide:string out:string url:string trust:string user:string password:string mfa:string application:string policy:string activity:string certificate:string",
		"sandbox":       "listen:string dir:string resources:int api:string latency:duration token-life:duration fault:stringArray accept-risk:stringSlice",
		"trust show":    "output:string",
		"trust pin":     "output:string sha256:string yes:bool",
		"trust install": "output:string sha256:string yes:bool dry-run:bool",
		"trust remove":  "output:string sha256:string yes:bool dry-run:bool not-ours:bool",
	} {
		c := have[name]
		if c == nil {
			t.Errorf("the command %s is gone", name)
			continue
		}
		for _, f := range strings.Fields(flags) {
			flag, kind, _ := strings.Cut(f, ":")
			set := c.Flags()
			if name == "" {
				set = c.PersistentFlags()
			}
			got := set.Lookup(flag)
			switch {
			case got == nil:
				t.Errorf("%s --%s is gone", name, flag)
			case got.Value.Type() != kind || got.Hidden || got.Deprecated != "":
				t.Errorf("%s --%s is a %s, frozen is %s", name, flag, got.Value.Type(), kind)
			case flag == "file" && got.Shorthand != "f":
				t.Errorf("%s -f is gone", name)
			}
		}
	}
	for _, flag := range []string{"plan", "approve"} {
		if have["resume"].Flags().Lookup(flag) != nil {
			t.Errorf("resume takes --%s: it goes on with what was begun", flag)
		}
	}
}

// TestScriptsCanGoByTheOutput runs what needs no server as a script does.
func TestScriptsCanGoByTheOutput(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	if r := st.do("--version").want(t, exitOK); !regexp.MustCompile(`^npsetup version \S+\n$`).MatchString(r.out) {
		t.Errorf("--version prints %q", r.out)
	}
	for _, args := range [][]string{{"nothing"}, {"plan", "--nothing"}, {"plan"}, {"apply"}, {"resume", "--yes"}, {"verify"}, {"validate"}, {"plan", "-f", st.answers(), "--output", "xml"}, {"apply", "-f", st.answers(), "--yes", "--done", "nothing"}, {"schema", "nothing"}, {"plan", "-f", "/nowhere"}, {"plan", "-f", st.answers(), "--set", "nothing"}, {"sandbox", "--api", "none"}, {"sandbox", "--accept-risk", "none"}} {
		r := st.do(args...).want(t, exitUsage)
		if r.out != "" || !strings.Contains(r.err, "next: ") {
			t.Errorf("%v prints %q and %q", args, r.out, r.err)
		}
	}
	all := newRoot(&app{})
	all.InitDefaultCompletionCmd()
	st.refusesMore(t, all)
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
	var list []struct{ Topic, Text string }
	if err := json.Unmarshal([]byte(st.do("assumptions", "--output", "json").want(t, exitOK).out), &list); err != nil || len(list) < 10 {
		t.Errorf("%d assumptions, %v", len(list), err)
	}
	if text := st.do("assumptions").want(t, exitOK).out; strings.Count(text, "\n") != 2*len(list) {
		t.Errorf("the text lists %d lines for %d assumptions", strings.Count(text, "\n"), len(list))
	}
	if r := st.do("completion", "bash").want(t, exitOK); !strings.Contains(r.out, "npsetup") {
		t.Error("there is no completion")
	}
}

// refusesMore gives every command more arguments than any takes.
func (st *site) refusesMore(t *testing.T, c *cobra.Command) {
	t.Helper()
	for _, sub := range c.Commands() {
		st.refusesMore(t, sub)
		path := strings.TrimPrefix(sub.CommandPath(), "npsetup ")
		if path == "help" || path == "completion" || path == "cert inspect" {
			continue // they print what there is, or take as many files as are named
		}
		r := st.do(append(strings.Fields(path), "one", "two")...).want(t, exitUsage)
		if r.out != "" || !strings.Contains(r.err, "next: ") || !strings.Contains(r.err, path) || !strings.Contains(r.err, "code: usage") {
			t.Errorf("%s with two arguments prints %q and %q", path, r.out, r.err)
		}
	}
}

func compiled(t *testing.T, printed string) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(printed))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("answers.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("answers.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestSchemaFitsTheAnswers holds the printed schema against every answers file that the sandbox writes, and against mistakes.
func TestSchemaFitsTheAnswers(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	printed := st.do("schema").want(t, exitOK).out
	if again := st.do("schema", "auditor").want(t, exitOK).out; again != printed {
		t.Error("the guide's own schema is another one")
	}
	schema := compiled(t, printed)
	files, err := filepath.Glob(filepath.Join(st.dir, "answers-*.yaml"))
	if err != nil || len(files) < 2 {
		t.Fatalf("the sandbox wrote %v", files)
	}
	for _, file := range files {
		raw, err := readLimited(file)
		if err != nil {
			t.Fatal(err)
		}
		// The sandbox writes answers for guides that this version need not have: the schema of another guide refuses those.
		guide := regexp.MustCompile(`(?m)^guide: (\S+)$`).FindStringSubmatch(string(raw))[1]
		own := schema
		if _, has := (&link{app: &app{}}).guide(guide); has && guide != "auditor" {
			own = compiled(t, st.do("schema", guide).want(t, exitOK).out)
		} else if !has {
			if schema.Validate(instance(t, string(raw))) == nil {
				t.Errorf("%s fits the schema of another guide", filepath.Base(file))
			}
			continue
		}
		if err := own.Validate(instance(t, string(raw))); err != nil {
			t.Errorf("%s: %v", filepath.Base(file), err)
		}
	}
	raw, _ := readLimited(st.answers())
	for _, edit := range [][2]string{
		{"version: 1", "version: 2"},
		{"version: 1\n", ""},
		{"guide: auditor", "guide: other"},
		{"guide: auditor\n", ""},
		{"monitoringPlan:", "monitorPlan:"},
		{"maxDuration: 60", "maxDuration: soon"},
		{"maxDuration: 60", "maxDuration: 0"},
		{"maxDuration: 60", "maximumDuration: 60"},
		{"maxDuration: 60", "recordProxySession: 1"},
		{"maxDuration: 60", "approvalWorkflow: manual"},
		{"password: env:NPS_PASSWORD", "password: S3CR3T"},
		{"kind: resource", "kind: other"},
		{"resources: [dc01.contoso.com]", "resources: dc01.contoso.com"},
		{"acceptRisks: [domain-admins]", "acceptRisks: [everything]"},
	} {
		wrong := strings.Replace(string(raw), edit[0], edit[1], 1)
		if wrong == string(raw) {
			t.Fatalf("the answers do not hold %q", edit[0])
		}
		if schema.Validate(instance(t, wrong)) == nil {
			t.Errorf("%q in place of %q fits the schema", edit[1], edit[0])
		}
	}
	right := strings.Replace(string(raw), "maxDuration: 60", "maxDuration: 240, recordProxySession: false, approvalWorkflow: automatic", 1)
	if err := schema.Validate(instance(t, right)); err != nil {
		t.Error(err)
	}
}

// instance decodes YAML as JSON: one spelling of numbers.
func instance(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	i, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// TestSchemaNamesEveryAnswer holds the schema's keys to the questions of the guide.
func TestSchemaNamesEveryAnswer(t *testing.T) {
	l := &link{app: &app{}}
	g, _ := l.guide("auditor")
	var printed bytes.Buffer
	if code := startContext(t.Context(), []string{"schema"}, &app{in: strings.NewReader(""), out: &printed, err: &printed, env: func(string) (string, bool) { return "", false }, now: timeNow}); code != exitOK {
		t.Fatal(code)
	}
	var doc any
	if err := json.Unmarshal(printed.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	var keys []string
	collect(doc, "", &keys)
	for _, s := range g.Steps {
		for _, f := range s.Fields {
			if f.Becomes == nil && !slices.Contains(keys, f.Key) {
				t.Errorf("the schema lacks %s", f.Key)
			}
		}
	}
	if len(keys) < 30 {
		t.Errorf("only %v", keys)
	}
}

func collect(node any, at string, keys *[]string) {
	m, _ := node.(map[string]any)
	properties, is := m["properties"].(map[string]any)
	if !is {
		*keys = append(*keys, strings.TrimPrefix(at, "."))
		return
	}
	for name, below := range properties {
		collect(below, at+"."+name, keys)
	}
}
