package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// The committed table is what the contract says today.
func TestTableIsUpToDate(t *testing.T) {
	contract, err := os.ReadFile("../../../assets/api/nps.openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want, err := table(contract)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../table_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("steps/npsapi/table_gen.go differs from the contract: run go generate ./steps/npsapi")
	}
}

// A change of the contract changes the table.
func TestTableFollowsTheContract(t *testing.T) {
	raw, err := table([]byte("paths:\n  /a/{id}:\n    put: {operationId: b, x-source: assumed, x-class: change, x-reason: \"said \\\"so\\\"\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"b", "PUT", "/a/{id}", plan.Change, Assumed, "said \"so\""},`; !strings.Contains(string(raw), want) {
		t.Errorf("no row %s in\n%s", want, raw)
	}
}
