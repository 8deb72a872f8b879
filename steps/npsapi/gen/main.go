// Command gen writes the call table of package npsapi from the API contract. It is run by go generate and by the test
// that compares its output with the committed file.
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
)

type operation struct {
	ID     string `yaml:"operationId"`
	Source string `yaml:"x-source"`
	Class  string `yaml:"x-class"`
	Reason string `yaml:"x-reason"`
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: gen CONTRACT OUTPUT")
		os.Exit(64)
	}
	raw, err := os.ReadFile(os.Args[1])
	if err == nil {
		raw, err = table(raw)
	}
	if err == nil {
		err = os.WriteFile(os.Args[2], raw, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func table(contract []byte) ([]byte, error) {
	var doc struct {
		Paths map[string]map[string]operation `yaml:"paths"`
	}
	if err := yaml.Unmarshal(contract, &doc); err != nil {
		return nil, err
	}
	type row struct {
		operation
		method, path string
	}
	var rows []row
	for path, methods := range doc.Paths {
		for method, op := range methods {
			rows = append(rows, row{op, strings.ToUpper(method), path})
		}
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i].ID < rows[j].ID })
	var b bytes.Buffer
	b.WriteString("// Code generated from assets/api/nps.openapi.yaml by steps/npsapi/gen. DO NOT EDIT.\n\npackage npsapi\n\nimport \"npsetup/steps/plan\"\n\n")
	b.WriteString("// Operations is the call table: every call that may be sent to NPS.\nfunc Operations() []Operation {\n\treturn []Operation{\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "\t\t{%q, %q, %q, plan.%s, %s, %q},\n", r.ID, r.method, r.path, title(r.Class), title(r.Source), r.Reason)
	}
	b.WriteString("\t}\n}\n")
	return format.Source(b.Bytes())
}

func title(s string) string {
	if s == "" {
		return "Unset"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
