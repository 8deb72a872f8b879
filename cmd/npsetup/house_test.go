package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"npsetup/assets"
)

const root = "../.."

// mayImport is who of ours may import whom of ours, transitively, with the reason. Leaves are open to all.
func mayImport() []rule {
	leaves := []string{"steps/secret", "steps/problem"}
	heart := append([]string{"steps/plan"}, leaves...)
	guide := append([]string{"steps", "steps/npsapi"}, heart...)
	return []rule{
		{"steps/secret", nil, "a leaf: the type that cannot be printed must not depend on anything that prints"},
		{"steps/problem", nil, "a leaf: everything reports problems"},
		{"steps/plan", leaves, "a plan is a value; who makes, draws or sends it is not its concern"},
		{"steps", heart, "the machine is pure: it neither draws nor sends"},
		{"steps/doctor", append([]string{"steps"}, heart...), "it words what was seen; who looks is not its concern"},
		{"steps/catalogue", []string{"steps/problem"}, "texts about codes; who finds problems is not its concern"},
		{"steps/run", append([]string{"steps"}, heart...), "the runner declares what it needs of a transport"},
		{"steps/npsapi", heart, "words of the API, no transport"},
		{"steps/nps", guide, "a step declares what it needs of the network as an interface"},
		{"steps/auditor", append([]string{"steps/nps"}, guide...), "a guide declares what it needs of certificates and the network as functions"},
		{"steps/passwordsecure", append([]string{"steps/nps"}, guide...), "a guide declares what it needs of certificates and the network as functions"},
		{"tui/face", append([]string{"steps", "steps/run"}, heart...), "what both faces need done, as an interface"},
		{"tui/line", append([]string{"tui/face", "steps", "steps/run"}, heart...), "a face draws; it decides nothing"},
		{"tui", append([]string{"tui/face", "steps", "steps/run"}, heart...), "a face draws; it decides nothing"},
		{"client/nps", append([]string{"steps/npsapi"}, heart...), "a transport knows calls, not steps"},
		{"client/passwordsecure", append([]string{"steps/npsapi"}, heart...), "a transport knows calls, not steps"},
		{"client/pki", leaves, "certificates know no guide"},
		{"client/trust", leaves, "trust knows no guide"},
		{"client/auditorlog", leaves, "it reads a log, and knows no guide"},
		{"client/machine", leaves, "it shows what is there; what it means is not its concern"},
		{"client/remote", leaves, "it does what was planned, and knows no guide"},
		{"client/sandbox", []string{"assets"}, "a stand-in that shares code with the client proves nothing"},
		{"client/sandbox/openssh", []string{}, "a stand-in that shares code with the client proves nothing"},
		{"client/sandbox/contract", []string{"assets", "client/sandbox"}, "the contract judges both sides and takes neither's word"},
		{"assets", nil, "embedded files, no code"},
	}
}

type rule struct {
	folder string
	may    []string
	reason string
}

// mayNotReach is what the packages below a folder must not link, with the reason.
func mayNotReach() []struct{ below, imports, reason string } {
	return []struct{ below, imports, reason string }{
		{"steps/", "net/http", "nothing under steps/ opens a connection: client/ does"},
		{"steps/", "os/exec", "nothing under steps/ starts a program"},
		{"steps/", "charm.land/", "nothing under steps/ draws: tui/ does"},
		{"steps/", "npsetup/client/", "cmd/ wires steps and clients, by interfaces"},
		{"steps/", "npsetup/tui", "cmd/ wires steps and faces"},
		{"client/", "npsetup/tui", "a client draws nothing"},
		{"client/", "charm.land/", "a client draws nothing"},
		{"cmd/npsetup", "github.com/getkin/kin-openapi", "validation against the contract is for tests and the checking mode: it costs start-up time"},
		{"cmd/npsetup", "npsetup/client/sandbox/openssh", "a stand-in of tests does not ship"},
		{"cmd/npsetup", "testing", "test code does not ship (go.mozilla.org/pkcs7 brings the package along by a file of its tests that is named as if it were none)"},
	}
}

func goList(t *testing.T, args ...string) []string {
	t.Helper()
	c := exec.CommandContext(t.Context(), "go", append([]string{"list"}, args...)...)
	c.Dir = root
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(string(out))
}

// TestHouseImports holds the arrows between the folders.
func TestHouseImports(t *testing.T) {
	t.Parallel()
	rules := map[string]rule{}
	for _, r := range mayImport() {
		rules[r.folder] = r
	}
	for _, pkg := range goList(t, "./...") {
		folder := strings.TrimPrefix(pkg, "npsetup/")
		deps := goList(t, "-deps", pkg)
		r, ruled := rules[folder]
		free := strings.HasPrefix(folder, "cmd/") || strings.HasSuffix(folder, "/gen")
		if !ruled && !free {
			t.Errorf("%s has no place in the house: add it to this table and to docs/architecture.md", folder)
		}
		for _, d := range deps {
			ours, is := strings.CutPrefix(d, "npsetup/")
			switch {
			case is && ours != folder && ruled && !slices.Contains(r.may, ours):
				t.Errorf("%s must not reach %s: %s", folder, ours, r.reason)
			case !is && ruled && r.may == nil && strings.Contains(strings.Split(d, "/")[0], "."):
				t.Errorf("%s must not reach %s: only the standard library", folder, d)
			}
			for _, n := range mayNotReach() {
				if n.imports == "testing" && d == n.imports && strings.HasPrefix(folder+"/", n.below+"/") && onlyBy(t, pkg, d, "go.mozilla.org/pkcs7") {
					continue
				}
				if strings.HasPrefix(folder+"/", n.below) && (d == n.imports || strings.HasSuffix(n.imports, "/") && strings.HasPrefix(d, n.imports) || strings.HasPrefix(d, n.imports+"/")) && !strings.HasSuffix(folder, "/contract") {
					t.Errorf("%s must not reach %s: %s", folder, d, n.reason)
				}
			}
		}
	}
}

// onlyBy says whether no package that pkg links imports what, save one.
func onlyBy(t *testing.T, pkg, what, by string) bool {
	t.Helper()
	for _, imports := range goList(t, "-deps", "-f", "{{.ImportPath}},{{join .Imports \",\"}}", pkg) {
		names := strings.Split(imports, ",")
		if slices.Contains(names[1:], what) && names[0] != by {
			return false
		}
	}
	return true
}

// source is one Go file that ships.
type source struct {
	path string // from the root, with slashes
	file *ast.File
	text string
}

func shipped(t *testing.T) []source {
	t.Helper()
	var list []source
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case e.IsDir() && (strings.HasPrefix(e.Name(), ".") && e.Name() != ".." || rel == "bin" || rel == "dist"):
			return filepath.SkipDir
		case e.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, raw, parser.SkipObjectResolution|parser.ParseComments)
		list = append(list, source{filepath.ToSlash(rel), f, string(raw)})
		return err
	})
	if err != nil || len(list) < 50 {
		t.Fatalf("%d files, %v", len(list), err)
	}
	return list
}

// TestHouseNamesOnlyCommandsThatExist reads every text of the program for commands that the design knows and this version does
// not have.
func TestHouseNamesOnlyCommandsThatExist(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, c := range newRoot(&app{}).Commands() {
		known[c.Name()] = true
	}
	named := regexp.MustCompile(`\bnpsetup (plan|apply|resume|verify|undo|validate|key|assumptions|cert|trust|sandbox|demo|schema|doctor|explain|import|renew|man)\b`)
	look := func(path, text string) {
		for _, m := range named.FindAllStringSubmatch(text, -1) {
			if !known[m[1]] {
				t.Errorf("%s says %q: that is no command", path, m[0])
			}
		}
	}
	for _, f := range shipped(t) {
		ast.Inspect(f.file, func(n ast.Node) bool {
			if l, is := n.(*ast.BasicLit); is && l.Kind == token.STRING {
				look(f.path, l.Value)
			}
			return true
		})
	}
	pages, err := fs.Glob(assets.Texts(), "*.txt")
	meanings, err2 := fs.Glob(assets.Texts(), "codes/*.txt")
	if err != nil || err2 != nil || len(pages) == 0 || len(meanings) == 0 {
		t.Fatal(pages, meanings, err, err2)
	}
	pages = append(pages, meanings...)
	for _, page := range pages {
		raw, _ := fs.ReadFile(assets.Texts(), page)
		look(page, string(raw))
	}
}

// selectors lists the files that use x.name for any x, or the package's x.
func selectors(files []source, x, name string) []string {
	var in []string
	for _, f := range files {
		ast.Inspect(f.file, func(n ast.Node) bool {
			s, is := n.(*ast.SelectorExpr)
			if !is || s.Sel.Name != name {
				return true
			}
			if id, plain := s.X.(*ast.Ident); x == "" || plain && id.Name == x {
				if !slices.Contains(in, f.path) {
					in = append(in, f.path)
				}
			}
			return true
		})
	}
	return in
}

// TestHouseDoors lists every place where a secret leaves, and where verification is taken over.
func TestHouseDoors(t *testing.T) {
	t.Parallel()
	files := shipped(t)
	for _, door := range []struct {
		x, name, why string
		in           []string
	}{
		{"", "Wire", "a secret leaves to a transport", []string{
			"client/nps/mfa.go", "client/nps/signin.go", "client/nps/transport.go", "client/nps/gate.go", "steps/plan/call.go", "steps/plan/value.go",
			"steps/plan/veil.go", // into a sum, by which two are compared
			"client/passwordsecure/key.go", "client/passwordsecure/signin.go",
			"client/remote/remote.go",                  // the password of the NPS server's administrator, into SSH
			"client/pki/pbes2.go", "client/pki/pfx.go", // passphrases, into the derivation of a key
		}},
		{"secret", "HandOver", "a secret leaves to a person who asked for it", []string{"cmd/npsetup/key.go", "tui/manual.go", "tui/printing.go", "tui/line/hands.go"}},
	} {
		for _, f := range selectors(files, door.x, door.name) {
			if !slices.Contains(door.in, f) {
				t.Errorf("%s calls %s: %s, and only from %v", f, door.name, door.why, door.in)
			}
		}
	}
	for _, f := range files {
		if strings.Contains(f.text, "InsecureSkipVerify") && f.path != "client/trust/pin.go" {
			t.Errorf("%s takes verification over: only client/trust/pin.go does, beside a VerifyConnection that checks the pin", f.path)
		}
	}
}

// TestHouseConnections finds whoever goes round client/.
func TestHouseConnections(t *testing.T) {
	t.Parallel()
	files := shipped(t)
	for _, what := range [][2]string{{"http", "Client"}, {"http", "Get"}, {"http", "Post"}, {"http", "DefaultClient"}, {"tls", "Dial"}, {"exec", "Command"}, {"exec", "CommandContext"}, {"ssh", "Dial"}} {
		for _, f := range selectors(files, what[0], what[1]) {
			if !strings.HasPrefix(f, "client/") {
				t.Errorf("%s uses %s.%s: only client/ reaches out", f, what[0], what[1])
			}
		}
	}
}

// TestHouseShape holds the sizes and names that keep a file readable in one go.
func TestHouseShape(t *testing.T) {
	t.Parallel()
	for _, f := range shipped(t) {
		if n := strings.Count(f.text, "\n"); n > 400 {
			t.Errorf("%s has %d lines: it asks to be two", f.path, n)
		}
		for _, bad := range []string{"utils", "common", "helpers"} {
			if f.file.Name.Name == bad {
				t.Errorf("%s: a package is named for what it does", f.path)
			}
		}
		for _, d := range f.file.Decls {
			if fn, is := d.(*ast.FuncDecl); is && !ast.IsGenerated(f.file) { // a table has as many lines as rows
				if n := strings.Count(f.text[fn.Pos()-1:min(int(fn.End()), len(f.text))], "\n"); n > 62 {
					t.Errorf("%s: %s has %d lines: it asks to be two", f.path, fn.Name.Name, n)
				}
				if fn.Name.Name == "init" && fn.Recv == nil {
					t.Errorf("%s: no work in init", f.path)
				}
			}
		}
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains([]string{"cmd", "tui", "steps", "client", "assets", "docs", "bin", "dist"}, e.Name()) && !strings.HasPrefix(e.Name(), ".") {
			t.Errorf("the folder %s is not in the design", e.Name())
		}
	}
}
