package steps

import (
	"context"

	"npsetup/steps/problem"
)

// Importer reads an integration that is there, and gives the answers that describe it. Each guide has its own.
type Importer struct {
	Flags []ImportFlag
	Given []string // answer keys that a file may give besides the sign-in: the server does not tell them
	// Read reads through a scene on which somebody is signed in, and changes nothing. named gives what a flag says; empty: nothing.
	// More than one that fits is a problem with the code several-candidates.
	Read func(ctx context.Context, s *Scene, named func(flag string) string) (Imported, error)
}

// ImportFlag names one of several objects that fit.
type ImportFlag struct {
	Name, Value, Help string // the flag without its dashes; what stands for its value; one line
	File              bool   // its value is the path of a file, or store:THUMBPRINT
}

// Imported is what was read.
type Imported struct {
	Drafts  map[string]string   // answer key → draft
	Notes   map[string][]string // answer key → what is to be known of that answer, one line each
	Found   []string            // what was found, for people
	Open    []string            // what could not be read, or cannot be described by answers
	Resting map[string]string   // risk → why it is not in force yet, so that the answers do not accept it
}

// Take notes an answer down, with what is to be known of it.
func (i *Imported) Take(key, draft string, notes ...string) {
	if i.Drafts == nil {
		i.Drafts, i.Notes = map[string]string{}, map[string][]string{}
	}
	i.Drafts[key] = draft
	for _, n := range notes {
		i.Notes[key] = append(i.Notes[key], problem.Plain(n))
	}
}

// Rests says that a risk which the answers take is not in force yet, and why.
func (i *Imported) Rests(risk, why string) {
	if i.Resting == nil {
		i.Resting = map[string]string{}
	}
	i.Resting[risk] = problem.Plain(why)
}

// Tell says what was found.
func (i *Imported) Tell(text string) { i.Found = append(i.Found, problem.Plain(text)) }

// Leave says what could not be read or described.
func (i *Imported) Leave(text string) { i.Open = append(i.Open, problem.Plain(text)) }
