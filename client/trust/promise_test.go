package trust

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const skip = "InsecureSkipVerify"

// TestVerificationIsNeverSwitchedOff names the one file that replaces Go's check of the chain, and holds that it puts
// another check in its place.
func TestVerificationIsNeverSwitchedOff(t *testing.T) {
	root, err := filepath.Abs("../..")
	must(t, err)
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		t.Fatal("the repository's root is not where this test looks for it")
	}
	found := holders(t, root)
	if want := []string{"client/trust/pin.go"}; !slices.Equal(found, want) {
		t.Errorf("%s is in %v, and may be in %v only: everything else verifies", skip, found, want)
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), "pin.go", nil, 0)
	must(t, err)
	literals := 0
	ast.Inspect(parsed, func(n ast.Node) bool {
		if l, ok := n.(*ast.CompositeLit); ok && slices.Contains(members(l), skip) {
			literals++
			if !slices.Contains(members(l), "VerifyConnection") {
				t.Error("the chain is not checked and nothing is put in its place")
			}
		}
		if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == skip {
			t.Error(skip + " is set outside a literal")
		}
		return true
	})
	if literals != 1 {
		t.Errorf("%d literals, not 1", literals)
	}
}

// TestHoldersFindsAPlantedOne shows that the test above can fail.
func TestHoldersFindsAPlantedOne(t *testing.T) {
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "client", "x"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "client", "x", "x.go"), []byte("package x\nvar c = tls.Config{"+skip+": true}\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "client", "x", "x_test.go"), []byte(skip), 0o600))
	if found := holders(t, dir); !slices.Equal(found, []string{"client/x/x.go"}) {
		t.Errorf("found %v", found)
	}
}

func members(l *ast.CompositeLit) []string {
	var out []string
	for _, e := range l.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			if name, ok := kv.Key.(*ast.Ident); ok {
				out = append(out, name.Name)
			}
		}
	}
	return out
}

// holders lists the files under root, tests apart, that name the switch.
func holders(t *testing.T, root string) []string {
	t.Helper()
	var found []string
	must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && os.IsNotExist(err):
			return nil // a file that came and went
		case err != nil:
			return err
		case d.IsDir() && path != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), skip) {
			short, _ := filepath.Rel(root, path)
			found = append(found, filepath.ToSlash(short))
		}
		return nil
	}))
	return found
}
