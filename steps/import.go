package steps

import (
	"context"
	"fmt"

	"npsetup/steps/plan"
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
	Differs []Deviation         // what is otherwise than the guide has it
	Gaps    []Gap               // answers that the server does not tell
	Open    []string            // what could not be read besides, or cannot be described by answers
	Resting map[string]string   // risk → why it is not in force yet, so that the answers do not accept it
}

// Gap is an answer that the server does not tell.
type Gap struct{ Key, Text string }

// Deviation is one setting of an object that is otherwise than the guide has it; without a label, the object as a whole.
type Deviation struct{ Object, Name, Label, From, To string }

// Deviate makes the deviation of a difference.
func Deviate(object, name string, d plan.Difference) Deviation {
	return Deviation{object, name, d.Label, d.From, d.To}
}

// Same says whether both are about one thing.
func (d Deviation) Same(e Deviation) bool {
	return d.Object == e.Object && d.Name == e.Name && d.Label == e.Label
}

func (d Deviation) String() string {
	name := fmt.Sprintf("%s %q", d.Object, d.Name)
	if d.Label == "" {
		return name + " is not there as the guide wants it"
	}
	return fmt.Sprintf("%s: %s is %s, the guide wants %s", name, d.Label, d.From, d.To)
}

// Take notes an answer down, with what is to be known of it.
func (i *Imported) Take(key, draft string, notes ...string) {
	if i.Drafts == nil {
		i.Drafts = map[string]string{}
	}
	i.Drafts[key] = draft
	i.Note(key, notes...)
}

// Note says what is to be known of an answer.
func (i *Imported) Note(key string, notes ...string) {
	if i.Notes == nil {
		i.Notes = map[string][]string{}
	}
	for _, n := range notes {
		i.Notes[key] = append(i.Notes[key], problem.Plain(n))
	}
}

// Lack says that the server does not tell an answer. Nothing is put in its place: what nobody answered is missing.
func (i *Imported) Lack(key, text string) {
	i.Gaps = append(i.Gaps, Gap{key, problem.Plain(text)})
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
