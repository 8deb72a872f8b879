// Package npsapi holds the words of the NPS API as values: calls, enums, rows. It sends nothing and decides nothing about
// the set-up; what an operation may do stands in the call table, which is generated from the contract.
package npsapi

import (
	"strings"

	"npsetup/steps/plan"
)

//go:generate go run ./gen ../../assets/api/nps.openapi.yaml table_gen.go

// Source says how a call is known.
type Source int

// The sources of a call.
const (
	Documented Source = iota // in the vendor's API description
	Live                     // seen on a server, or in a vendor sample or article
	Assumed                  // believed, for a reason
)

func (s Source) String() string {
	switch s {
	case Documented:
		return "documented"
	case Live:
		return "live"
	case Assumed:
		return "assumed"
	}
	return "unknown"
}

// Operation is one row of the call table.
type Operation struct {
	ID, Method, Path string // Path is a template: /api/v1/Activity/{id}
	Class            plan.Class
	Source           Source
	Reason           string // where it was seen, or why it is assumed; empty for documented ones
}

// Lookup finds an operation by its id.
func Lookup(id string) (Operation, bool) {
	for _, op := range Operations() {
		if op.ID == id {
			return op, true
		}
	}
	return Operation{}, false
}

// Match finds the operation of a request. path may carry a query. A template with more literal segments wins.
func Match(method, path string) (Operation, bool) {
	path, _, _ = strings.Cut(path, "?")
	segments := strings.Split(path, "/")
	best, literal := Operation{}, -1
	for _, op := range Operations() {
		if op.Method != method {
			continue
		}
		if n, ok := fits(strings.Split(op.Path, "/"), segments); ok && n > literal {
			best, literal = op, n
		}
	}
	return best, literal >= 0
}

// fits counts the literal segments of a template that a path fits.
func fits(template, path []string) (int, bool) {
	if len(template) != len(path) {
		return 0, false
	}
	n := 0
	for i, t := range template {
		switch {
		case strings.HasPrefix(t, "{"):
			if path[i] == "" {
				return 0, false
			}
		case t != path[i]:
			return 0, false
		default:
			n++
		}
	}
	return n, true
}

// Assumption is one thing that the vendor does not document and that the program relies on.
type Assumption struct{ Topic, Text string }

// Assumptions lists what the calls and enums of this package take for granted.
func Assumptions() []Assumption {
	var list []Assumption
	for _, op := range Operations() {
		if op.Source == Assumed {
			list = append(list, Assumption{op.Method + " " + op.Path, op.Reason})
		}
	}
	for _, e := range inferred() {
		list = append(list, Assumption{"numbers of " + e, "the vendor lists the names without numbers; they are taken to count from 0 in that order, as they do wherever a number is known"})
	}
	return append(append(list, vaultAssumptions()...), credentialAssumptions()...)
}

// AssumedReason is the reason of an operation that is assumed, or empty.
func AssumedReason(id string) string {
	if op, ok := Lookup(id); ok && op.Source == Assumed {
		return op.Reason
	}
	return ""
}
