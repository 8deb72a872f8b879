package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// asKept holds a text against a golden file of testdata, or writes it with -update.
func asKept(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateGolden {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(path); err != nil || string(want) != got {
		t.Errorf("%s does not hold this, %v:\n%s", path, err, got)
	}
}

// asTold holds a table against its section of docs/reliability.md, which stands between <!-- NAME --> and <!-- /NAME -->, or writes it with
// -update.
func asTold(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", "reliability.md")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, begins := strings.Cut(string(raw), begin)
	was, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no section of %s", path, name)
	}
	if *updateGolden {
		if err := os.WriteFile(path, []byte(before+begin+got+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if was != got {
		t.Errorf("%s tells\n%s\nit should be, and -update writes it\n%s", path, was, got)
	}
}
