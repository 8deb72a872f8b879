package steps

import (
	"strings"

	"npsetup/steps/problem"
)

// FindingKind is the kind of what Look saw.
type FindingKind int

// The kinds of findings.
const (
	ObjectFinding FindingKind = iota // an object on the server, with its members
	CertificateFinding
	ListFinding
	TextFinding
)

func (k FindingKind) String() string {
	switch k {
	case ObjectFinding:
		return "object"
	case CertificateFinding:
		return "certificate"
	case ListFinding:
		return "list"
	case TextFinding:
		return "text"
	}
	return "unknown"
}

// Finding is one thing that Look saw, in typed rows that every face can draw. Texts from servers must have gone through
// problem.Plain.
type Finding struct {
	Kind   FindingKind
	Title  string // e.g. `connection profile "Netwrix Auditor"`
	State  State
	Rows   []Row        // object, certificate
	Items  []string     // list
	Text   string       // text, or a remark
	Wanted bool         // the guide asks for it
	Code   problem.Code // of one that is doubtful: what it is about; may be empty
	Next   []string     // of one that is doubtful: what to do
	Warned bool         // it stands above the plan too: see Scene.Doubt
}

// Words are the text and what to do, in one line.
func (f Finding) Words() string {
	return strings.Join(append([]string{f.Text}, f.Next...), "; ")
}

// Row is one line of a finding.
type Row struct{ Label, Value, Wanted string }

// State is how what was found compares with what is wanted.
type State int

// The states of a finding.
const (
	Info State = iota
	Fits
	Differing
	Missing
	Doubtful
)

func (s State) String() string {
	switch s {
	case Info:
		return "seen"
	case Fits:
		return "as wanted"
	case Differing:
		return "differs"
	case Missing:
		return "not there"
	case Doubtful:
		return "doubtful"
	}
	return "unknown"
}
