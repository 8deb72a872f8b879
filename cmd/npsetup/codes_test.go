package main

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/catalogue"
	"npsetup/steps/problem"
)

// declared lists the codes that steps/problem declares, by the names of their constants.
func declared(t *testing.T, files []source) map[string]problem.Code {
	t.Helper()
	all := map[string]problem.Code{}
	for _, f := range files {
		if f.path != "steps/problem/code.go" {
			continue
		}
		ast.Inspect(f.file, func(n ast.Node) bool {
			v, is := n.(*ast.ValueSpec)
			if !is {
				return true
			}
			l, is := v.Values[0].(*ast.BasicLit)
			if !is || l.Kind != token.STRING {
				return true
			}
			text, err := strconv.Unquote(l.Value)
			if err != nil {
				t.Fatal(err)
			}
			all[v.Names[0].Name] = problem.Code(text)
			return true
		})
	}
	if len(all) < 90 {
		t.Fatalf("only %d codes are declared", len(all))
	}
	return all
}

// sayings are the files in which problem.NAME stands (in its own package NAME alone), by NAME, in one pass over all of them.
func sayings(files []source) map[string][]string {
	in := map[string][]string{}
	for _, f := range files {
		ast.Inspect(f.file, func(n ast.Node) bool {
			if id, is := n.(*ast.Ident); is && strings.HasPrefix(f.path, "steps/problem/") && f.path != "steps/problem/code.go" {
				in[id.Name] = append(in[id.Name], f.path)
			}
			if s, is := n.(*ast.SelectorExpr); is {
				if x, plain := s.X.(*ast.Ident); plain && x.Name == "problem" {
					in[s.Sel.Name] = append(in[s.Sel.Name], f.path)
				}
			}
			return true
		})
	}
	return in
}

// TestEveryCodeIsExplained holds the codes of the program and the catalogue together, in both directions.
func TestEveryCodeIsExplained(t *testing.T) {
	t.Parallel()
	files := shipped(t)
	known, err := codes()
	if err != nil {
		t.Fatal(err)
	}
	seen, said := map[problem.Code]bool{}, sayings(files)
	for name, code := range declared(t, files) {
		if seen[code] {
			t.Errorf("%s is declared twice", code)
		}
		seen[code] = true
		if !regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`).MatchString(string(code)) {
			t.Errorf("%s is not in kebab-case", code)
		}
		if _, ok := known[code]; !ok {
			t.Errorf("%s has no text: assets/text/en/codes/%s.txt", code, code)
		}
		used, general := said[name], strings.HasSuffix(name, "Code")
		if len(used) == 0 && !general {
			t.Errorf("nothing says %s", code)
		}
	}
	for code := range known {
		if !seen[code] {
			t.Errorf("the text of %s explains a code that is not there", code)
		}
	}
	for _, f := range files {
		ast.Inspect(f.file, func(n ast.Node) bool {
			c, is := n.(*ast.CallExpr)
			if !is {
				return true
			}
			if s, is := c.Fun.(*ast.SelectorExpr); is && s.Sel.Name == "Coded" && len(c.Args) == 1 {
				if _, literal := c.Args[0].(*ast.BasicLit); literal {
					t.Errorf("%s codes a problem by a literal: declare it in steps/problem/code.go", f.path)
				}
			}
			return true
		})
	}
}

func TestEveryKindHasACode(t *testing.T) {
	seen := map[problem.Code]bool{}
	for k := problem.Failed; k <= problem.GateClosed; k++ {
		c := k.Code()
		if seen[c] || problem.New("x").Of(k).Named() != c {
			t.Errorf("the kind %d has the code %s", k, c)
		}
		seen[c] = true
	}
	if got := problem.New("x").Of(problem.Usage).Coded(problem.WebDAV).Named(); got != problem.WebDAV {
		t.Errorf("its own code is %s", got)
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	list := st.do("explain").want(t, exitOK).out
	var all []catalogue.Entry
	if err := json.Unmarshal([]byte(st.do("explain", "--output", "json").want(t, exitOK).out), &all); err != nil || len(all) < 90 {
		t.Fatalf("%d codes, %v", len(all), err)
	}
	for _, e := range all {
		if strings.Count(list, "  "+string(e.Code)+" ") != 1 || !strings.Contains(list, e.Title) {
			t.Errorf("the list does not name %s once", e.Code)
		}
		text := st.do("explain", string(e.Code)).want(t, exitOK).out
		for _, must := range append([]string{e.Title, e.Who}, e.Remedy...) {
			if !strings.Contains(strings.Join(strings.Fields(text), " "), strings.Join(strings.Fields(must), " ")) {
				t.Errorf("%s does not say %q", e.Code, must)
			}
		}
	}
	var one catalogue.Entry
	if err := json.Unmarshal([]byte(st.do("explain", "webdav", "--output", "json").want(t, exitOK).out), &one); err != nil || one.Code != problem.WebDAV || len(one.Remedy) == 0 {
		t.Errorf("%+v, %v", one, err)
	}
	says(t, st.do("explain", "certificate-trusted").want(t, exitUsage).err, "there is no code certificate-trusted", "the nearest is certificate-not-trusted")
	if len(st.s.Requests()) != 0 {
		t.Error("something was sent")
	}
}

// TestErrorsTellTheirCode does so once for several of one kind, and for a script as a member of the event.
func TestErrorsTellTheirCode(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{Faults: []string{"webdav"}})
	r := st.do("apply", "-f", st.edited("kind: resource", "kind: other", "maxDuration: 60", "maxDuration: soon"), "--yes").want(t, exitUsage)
	if strings.Count(r.err, "code: usage   (npsetup explain usage)") != 1 || !strings.HasSuffix(r.err, "(npsetup explain usage)\n") {
		t.Errorf("two mistakes of one kind end with\n%s", r.err)
	}
	says(t, st.do("validate", "-f", st.edited("name: NetwrixAuditor", "name: Netwrix Auditor")).want(t, exitUsage).err, "code: application-name-blank   (npsetup explain application-name-blank)")
	r = st.do("apply", "-f", st.answers(), "--yes", "--output", "json").want(t, exitFailed)
	says(t, r.out, `"error":{"code":"webdav","what":`)
	says(t, r.err, "code: webdav   (npsetup explain webdav)")
}
