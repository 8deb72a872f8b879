package secret

import (
	"fmt"
	"strings"
)

// Source is where a Reference points.
type Source int

// The sources of a secret. A literal is none of them: answers never hold a secret itself.
const (
	Prompt  Source = iota // ask the person at the terminal
	Env                   // an environment variable
	File                  // one line of a file that only its owner can read
	Keyring               // the operating system's keyring, service npsetup
)

// Reference says where a secret is to be fetched from. It is safe to print.
type Reference struct {
	Source Source
	Name   string // variable, path or keyring entry; empty for Prompt
}

// ParseReference reads `prompt`, `env:NAME`, `file:PATH` or `keyring:NAME`. The error never repeats the text, which may be
// a secret that somebody typed by mistake.
func ParseReference(text string) (Reference, error) {
	kind, name, named := strings.Cut(text, ":")
	switch {
	case text == "prompt":
		return Reference{Source: Prompt}, nil
	case named && name != "" && kind == "env" && envName(name):
		return Reference{Source: Env, Name: name}, nil
	case named && name != "" && kind == "file":
		return Reference{Source: File, Name: name}, nil
	case named && name != "" && kind == "keyring":
		return Reference{Source: Keyring, Name: name}, nil
	}
	return Reference{}, fmt.Errorf("a secret is given as env:NAME, file:PATH, keyring:NAME or prompt, never as itself")
}

func envName(s string) bool {
	for i, r := range s {
		if r != '_' && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return true
}

func (r Reference) String() string {
	switch r.Source {
	case Prompt:
		return "prompt"
	case Env:
		return "env:" + r.Name
	case File:
		return "file:" + r.Name
	case Keyring:
		return "keyring:" + r.Name
	}
	return "unknown"
}
