package steps

import (
	"context"
	"strings"
)

// Kind is the kind of a question.
type Kind int

// The kinds of fields.
const (
	Text Kind = iota
	Number
	Switch
	SecretField // the answer is a reference (secret.ParseReference); the value itself is never a draft
	Code        // a code that is used once, such as an MFA code; never stored
	Choice
	Multi // several values; the draft holds one per line
	FileField
	Fingerprint
	Consent // names of accepted risks; the draft holds one per line
)

// Kinds lists every kind of field.
func Kinds() []Kind {
	return []Kind{Text, Number, Switch, SecretField, Code, Choice, Multi, FileField, Fingerprint, Consent}
}

func (k Kind) String() string {
	switch k {
	case Text:
		return "text"
	case Number:
		return "number"
	case Switch:
		return "switch"
	case SecretField:
		return "secret"
	case Code:
		return "code"
	case Choice:
		return "choice"
	case Multi:
		return "multi"
	case FileField:
		return "file"
	case Fingerprint:
		return "fingerprint"
	case Consent:
		return "consent"
	}
	return "unknown"
}

// Field is one question. Key is its place in the answers file, dots between levels: nps.signIn.user.
type Field struct {
	Key     string
	Kind    Kind
	Prompt  string
	Help    string
	Example string
	Source  string // where the answer is found, told when it is missing or not valid; empty: nowhere in particular
	Default string // draft used when nothing was typed; empty: none
	// Stands is the draft used when nothing was typed and other answers tell it; nil or empty: Default.
	Stands func(Answers) string
	// Becomes makes it a question of the faces only, which asks in a person's words for what another answer holds: what was
	// chosen is written down as that answer's draft. An empty key: as that answer stands already. Nil: an answer of its own.
	Becomes  func(Answers) (key, draft string)
	Optional bool // may stay empty
	Typed    bool // only a page by hand shows it: who merely looks can do without (Overrides.Looks)
	Choices  []Option
	Min, Max int                                         // for Number; both zero: any positive int32
	When     func(Answers) bool                          // nil: whenever its step applies
	Check    func(value string) error                    // syntax, beyond the kind's own; gets one value at a time for Multi
	Beside   func(Answers) string                        // why it contradicts other answers, as a file gives them; empty: it does not. Nil: never
	Complete func(value string) (completed, said string) // completes a value and says so; nil: as typed
	Refers   bool                                        // the answer may say where a secret is found: what is not spelled so may be the secret, and is not saved
	Long     bool                                        // a long key or token: its length and last two characters tell that it arrived whole
	Twice    bool                                        // a new secret, which nobody can look up elsewhere: what is typed is typed twice
	// Repeats finds two values of a Multi that name the same thing, by their places in the list. Nil: those of equal text, letters' case aside.
	Repeats     func(values []string) (first, second int, found bool)
	LiveChoices func(context.Context, *Scene, string) ([]Option, error) // optional, by filter text
}

// Repeated finds the first text that stands twice in a list, letters' case aside.
func Repeated(values []string) (first, second int, found bool) {
	have := map[string]int{}
	for i, v := range values {
		if before, is := have[strings.ToLower(v)]; is {
			return before, i, true
		}
		have[strings.ToLower(v)] = i
	}
	return 0, 0, false
}

// Option is one choice.
type Option struct {
	Value string
	Title string
	Help  string
}

// Asked says whether the field is asked for these answers.
func (f Field) Asked(a Answers) bool { return f.When == nil || f.When(a) }

// Risk is a consequence that a person has to accept by name before anything is planned.
type Risk struct {
	Name string
	Text string
	When func(Answers) bool // whether these answers take it
	Key  string             // the answer that takes it: another one avoids it
	// Tell says it for these answers; nil: Text does for all.
	Tell func(Answers) string
	// Had says whether what is accepted was done before by what is remembered: then the plan that would do it again asks for it
	// (Unaccepted), and the answers alone need it no longer. Nil: it never is.
	Had func(Answers, Memory) bool
}

// Told is what is said of the risk for these answers.
func (r Risk) Told(a Answers) string {
	if r.Tell == nil {
		return r.Text
	}
	return r.Tell(a)
}
