package plan

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
)

// library are the functions that every script is written with. It is a file of its own so that shell tools can read it.
//
//go:embed curl.sh
var library string

// CurlOptions is what a script needs to know besides its plan. PublicKey and CAFile say what the server is trusted by; with
// neither, it is the operating system's authorities.
type CurlOptions struct {
	PublicKey   string                      // base64 of the SHA-256 of the server's public key (SubjectPublicKeyInfo)
	CAFile      string                      // authorities in PEM, and only those
	Paged       func(operation string) bool // whether a list takes skip and take; nil: none does
	RowStatuses func(operation string) bool // whether an answer has a status in each row; nil: none has
}

// TokenVariable is the environment variable from which a script takes the token of the sign-in.
const TokenVariable = "NPS_TOKEN"

// Need is an environment variable that a script wants, and what it holds.
type Need struct{ Name, What string }

// CurlNeeds lists what the script of Curl takes from the environment, in the order in which it asks.
func (p Plan) CurlNeeds() []Need {
	needs, _ := p.curlNeeds()
	return needs
}

// curlNeeds names a variable for each secret, the same for leaves of the same name.
func (p Plan) curlNeeds() ([]Need, *names) {
	needs := []Need{{TokenVariable, "the token of a signed-in administrator of NPS"}}
	vars := &names{}
	for _, a := range p.Actions {
		if a.Makes() {
			continue // the script leaves it out
		}
		for _, op := range a.Ops {
			for _, s := range op.secretLeaves() {
				known := len(vars.by)
				if name := vars.of(s.Name, "secret_", s.Name); len(vars.by) > known {
					needs = append(needs, Need{"NPS_" + strings.ToUpper(name), s.Name})
				}
			}
		}
	}
	return needs, vars
}

// secretLeaves lists the secrets that an operation sends or writes by itself. Those of a session come from the server.
func (op Op) secretLeaves() []SecretLeaf {
	var found []SecretLeaf
	note := leaves{
		secret: func(s SecretLeaf) (string, error) { found = append(found, s); return "", nil },
		ref:    func(Ref) (string, error) { return "", nil },
	}
	switch {
	case op.Kind == KindCall && op.Call != nil:
		_, _ = op.Call.render(note, true)
	case op.Kind == KindFile && op.File != nil && op.File.Make != nil && op.File.Make.Passphrase != nil:
		found = append(found, *op.File.Make.Passphrase)
	case op.Kind == KindFile && op.File != nil:
		_ = writeNowhere(op.File.Content, note)
	}
	return found
}

// sessionSecrets lists the secrets that a session sends: they come from the server, and go back to it.
func (op Op) sessionSecrets() []SecretLeaf {
	if op.Kind != KindSession {
		return nil
	}
	var found []SecretLeaf
	for _, part := range op.Parts() {
		found = append(found, part.secretLeaves()...)
	}
	return found
}

// script is a script while it is written.
type script struct {
	strings.Builder
	o       CurlOptions
	outputs names  // of references
	secrets *names // of secret leaves
	byHand  int
}

// Curl renders a plan as a bash script that makes the same changes with curl and jq, for those who want to read or run them
// by themselves. It looks before it makes anything, checks what a change rests on, sends each change once, and takes the token
// and secrets from the environment. Text of servers is quoted, and what would be hidden in it is escaped. The error tells what
// no script can do.
func (p Plan) Curl(o CurlOptions) (string, error) {
	digest, err := p.Digest()
	if err != nil {
		return "", err
	}
	needs, vars := p.curlNeeds()
	s := &script{o: o, secrets: vars}
	s.begin(p, digest, needs)
	s.WriteString("\n" + library + "\nmain() {\n")
	s.environment(needs)
	left, err := s.actions(p)
	if err != nil {
		return "", err
	}
	s.ending(left, slices.ContainsFunc(p.Actions, func(a Action) bool { return a.Effect == ByHand }))
	s.WriteString("}\n\n# Everything above is only read until here: half a script does nothing.\nmain </dev/null\n")
	return s.String(), nil
}

func (s *script) line(format string, args ...any) { _, _ = fmt.Fprintf(s, format+"\n", args...) }

// comment is a line for the reader.
func (s *script) comment(indent, format string, args ...any) {
	_, _ = fmt.Fprintf(s, "%s# %s\n", indent, strings.Join(strings.Fields(plainf(format, args...)), " "))
}

func (s *script) begin(p Plan, digest string, needs []Need) {
	s.line("#!/usr/bin/env bash")
	s.comment("", "%s", p.Title)
	s.comment("", "server %s, application %s", withVersion(p.Server, p.Version), p.Identity)
	s.comment("", "the changes of the plan %s, by curl. npsetup apply -f FILE makes the same ones, with a journal.", digest)
	s.comment("", "%s", p.Summary())
	s.line("#\n# From the environment:")
	for _, n := range needs {
		s.comment("", "  %s: %s", n.Name, n.What)
	}
	s.line("#\n# It looks before it makes anything, so that it may be run again. It ends with 0 when every change was made, 1 when it")
	s.line("# stopped, 3 when changes wait for what a person makes by hand, 64 when something is missing at the start.")
	s.line("# shellcheck disable=SC2034 # not every id that is taken is needed later")
	s.line("if [ -z \"${BASH_VERSION:-}\" ]; then\n\techo 'this script needs bash: run it with bash FILE' >&2\n\texit 64\nfi\nset -euo pipefail\n")
	s.line("server=%s", ShellWord(strings.TrimRight(p.Server, "/")))
	switch {
	case s.o.PublicKey != "":
		s.line("# Only a server with this public key is spoken to. -k leaves out the chain and the name, which the pin stands for.")
		s.line("trust=(-k --pinnedpubkey %s)", ShellWord("sha256//"+s.o.PublicKey))
	case s.o.CAFile != "":
		s.line("# Only the authorities of this file are trusted: the empty folder keeps those of the system out.")
		s.line("trust=(--cacert %s --capath EMPTY)", ShellWord(s.o.CAFile))
	default:
		s.line("# The authorities of the operating system are trusted, by curl itself.")
		s.line("trust=(--tlsv1.2)")
	}
}

// environment takes the token and the secrets out of the environment, so that no program that the script starts inherits them.
func (s *script) environment(needs []Need) {
	if s.o.CAFile != "" && s.o.PublicKey == "" {
		s.line("\ttrust[3]=$work/none")
	}
	s.line("\tlocal missing=no")
	for _, n := range needs {
		s.line("\tneeded %s %s", n.Name, shellText(n.What))
	}
	s.line("\t[ \"$missing\" = no ] || exit 64")
	s.line("\ttoken=${%[1]s#\\\"}\n\ttoken=${token%%\\\"} # some copy it with its quotes\n\tunset %[1]s", TokenVariable)
	s.line("\tcase $token in\n\t'' | *[!A-Za-z0-9._~+/=-]*) stop '%s does not look like a token' ;;\n\tesac", TokenVariable)
	s.line("\thide \"$token\"")
	for _, n := range needs[1:] {
		name := strings.ToLower(strings.TrimPrefix(n.Name, "NPS_"))
		s.line("\t%s=$%s\n\tunset %s\n\thide \"$%s\"", name, n.Name, n.Name, name)
	}
}

// actions writes the actions, and lists those that it left out: what rests on something that a person makes has an id that
// nobody knows before. So has what rests on a certificate that npsetup makes: a script that made private keys would leave them
// to whatever tool and defaults are installed.
func (s *script) actions(p Plan) ([]Action, error) {
	waits := map[string]bool{}
	var left []Action
	for i, a := range p.Actions {
		needsPerson := slices.ContainsFunc(a.Needs(), func(key string) bool { return waits[key] })
		if a.Effect == ByHand || needsPerson || a.Makes() {
			waits[a.Key] = true
		}
		s.line("")
		s.comment("\t", "%d. %s: %s %s [%s]", i+1, effectWord(a.Effect), a.Object, Quoted(a.Name), a.Step)
		if a.Why != "" {
			s.comment("\t", "why: %s", a.Why)
		}
		if a.Article != "" {
			s.comment("\t", "article: %s", a.Article)
		}
		if a.Makes() {
			s.comment("\t", "left out: this script makes no keys and certificates")
			left = append(left, a)
			continue
		}
		if needsPerson && a.Effect != ByHand && !a.OpensSession() {
			s.comment("\t", "left out: it needs what a person makes by hand, whose id is not known before")
			left = append(left, a)
			continue
		}
		s.line("\tsay %s", shellText(fmt.Sprintf("%d. %s %s: %s %s", i+1, a.Effect.Sign(), effectWord(a.Effect), a.Object, Quoted(a.Name))))
		if err := s.action(a); err != nil {
			return nil, fmt.Errorf("action %s cannot be scripted: %w", a.Key, err)
		}
	}
	return left, nil
}

func (s *script) ending(left []Action, manual bool) {
	if len(left) == 0 {
		s.line("\n\tsay 'done: every change of the plan was made; npsetup verify -f FILE reads the result back'")
		if manual {
			s.line("\t[ \"$unconfirmed\" = no ] || say 'what is to be done by hand stands above; nobody was there to confirm it'")
		}
		return
	}
	makes := slices.ContainsFunc(left, Action.Makes)
	if makes {
		s.line("\n\tsay 'left out, since this script makes no keys and certificates, or since they need what is made elsewhere:'")
	} else {
		s.line("\n\tsay 'left out, since they need what a person makes by hand:'")
	}
	for _, a := range left {
		s.line("\tsay %s", shellText(fmt.Sprintf("  %s %s", a.Object, Quoted(a.Name))))
	}
	if makes {
		s.line("\tsay 'npsetup cert new makes them (for an authority: cert request, then cert bundle), in the folder and under the name of the answers'")
	}
	s.line("\tsay 'when it is made, write the script anew with npsetup plan -f FILE --output curl'\n\texit 3")
}
