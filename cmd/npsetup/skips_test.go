package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// skipping is what the tests of one package skip: the functions with a skip in them, and who calls whom.
type skipping struct {
	skips map[string]bool
	calls map[string][]string
	file  map[string]string
}

// testsOf reads the test files of every package, whatever their build tags are.
func testsOf(t *testing.T) map[string]*skipping {
	t.Helper()
	found := map[string]*skipping{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "bin" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != root) {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		dir = filepath.ToSlash(dir)
		if found[dir] == nil {
			found[dir] = &skipping{skips: map[string]bool{}, calls: map[string][]string{}, file: map[string]string{}}
		}
		for _, decl := range file.Decls {
			if f, is := decl.(*ast.FuncDecl); is && f.Body != nil {
				found[dir].read(t, path, f)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// read notes down the calls of a function. A skip has to say in words what was not tested.
func (s *skipping) read(t *testing.T, path string, f *ast.FuncDecl) {
	s.file[f.Name.Name] = filepath.Base(path)
	ast.Inspect(f.Body, func(n ast.Node) bool {
		call, is := n.(*ast.CallExpr)
		if !is {
			return true
		}
		switch fun := call.Fun.(type) {
		case *ast.Ident:
			s.calls[f.Name.Name] = append(s.calls[f.Name.Name], fun.Name)
		case *ast.SelectorExpr:
			s.calls[f.Name.Name] = append(s.calls[f.Name.Name], fun.Sel.Name)
			on, _ := fun.X.(*ast.Ident)
			name := fun.Sel.Name
			if on != nil && slices.Contains([]string{"t", "tb", "b", "f"}, on.Name) && (name == "Skip" || name == "Skipf" || name == "SkipNow") {
				s.skips[f.Name.Name] = true
				if !saysWhat(call) {
					t.Errorf("%s: %s skips without a text that begins with SKIPPED: and says what was not tested", path, f.Name.Name)
				}
			}
		}
		return true
	})
}

// saysWhat looks for the first text of a skip, also where one is put together.
func saysWhat(call *ast.CallExpr) bool {
	says := false
	ast.Inspect(call, func(n ast.Node) bool {
		if lit, is := n.(*ast.BasicLit); is && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			says = says || err == nil && strings.HasPrefix(text, "SKIPPED: ")
		}
		return true
	})
	return says
}

// tests are those that skip themselves, or by what they call.
func (s *skipping) tests() []string {
	reaches := maps.Clone(s.skips)
	for grown := true; grown; {
		grown = false
		for name, calls := range s.calls {
			if !reaches[name] && slices.ContainsFunc(calls, func(c string) bool { return reaches[c] }) {
				reaches[name], grown = true, true
			}
		}
	}
	var list []string
	for name := range reaches {
		if strings.HasPrefix(name, "Test") && name != "TestMain" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// toldSkips is what docs/limits.md says that may be skipped of one package: names of tests, parts of names, files; and of which only a part.
type toldSkips struct {
	words []string
	parts []string
}

func (w toldSkips) covers(name, file string) bool {
	return slices.ContainsFunc(w.words, func(word string) bool { return namedBy(word, name, file) })
}

func namedBy(word, name, file string) bool {
	return word == name || word == file || !strings.HasPrefix(word, "Test") && strings.Contains(name, word)
}

func listed(t *testing.T) map[string]toldSkips {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", "limits.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(raw), "\n## Tests that may be skipped\n")
	table, _, _ = strings.Cut(table, "\n## ")
	quoted := regexp.MustCompile("(part of )?`([^`]+)`")
	out := map[string]toldSkips{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			continue
		}
		var row toldSkips
		for _, m := range quoted.FindAllStringSubmatch(cells[1], -1) {
			switch word := m[2]; {
			case word == "full": // the build tag
			case strings.Contains(word, "/"):
				w := out[word]
				out[word], row = toldSkips{append(w.words, row.words...), append(w.parts, row.parts...)}, toldSkips{}
			case m[1] != "":
				row.parts = append(row.parts, word)
				row.words = append(row.words, word)
			default:
				row.words = append(row.words, word)
			}
		}
		if len(row.words) > 0 {
			t.Errorf("docs/limits.md names %q without its package", row.words)
		}
		if strings.TrimSpace(cells[3]) == "" {
			t.Errorf("docs/limits.md does not say what stays unchecked: %s", line)
		}
	}
	return out
}

// TestHouseSkipsAreTold holds docs/limits.md to the tests: what may be skipped stands there, with what stays unchecked, and what stands
// there may be skipped. A part of a test may be left out without a skip of the whole.
func TestHouseSkipsAreTold(t *testing.T) {
	list, all := listed(t), testsOf(t)
	for _, dir := range slices.Sorted(maps.Keys(all)) {
		s := all[dir]
		tests := s.tests()
		for _, name := range tests {
			if !list[dir].covers(name, s.file[name]) {
				t.Errorf("%s (%s) may be skipped, and docs/limits.md does not say so", name, dir)
			}
		}
		for _, word := range list[dir].words {
			skipped := func(name string) bool { return namedBy(word, name, s.file[name]) }
			if !slices.ContainsFunc(tests, skipped) && (!slices.Contains(list[dir].parts, word) || s.file[word] == "") {
				t.Errorf("docs/limits.md says that %s (%s) may be skipped, and it cannot", word, dir)
			}
		}
	}
	for dir := range list {
		if all[dir] == nil {
			t.Errorf("docs/limits.md names tests of %s, which has none", dir)
		}
	}
}
