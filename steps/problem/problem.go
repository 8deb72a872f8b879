// Package problem holds errors that a person can act on: what happened, why, and what to do next. It does not print them
// and does not decide how the program ends; the command line maps a Kind to an exit code in one table.
package problem

import (
	"errors"
	"strings"
)

// Kind tells callers what sort of problem it is, so that nobody parses the words.
type Kind int

// The kinds. Failed is the zero value.
const (
	Failed       Kind = iota
	Usage             // answers, flags or consent are missing or wrong
	Refused           // the server refused the person: role, password, code, lockout
	SignInAgain       // the token ran out; a new sign-in continues where the run was
	NotOffered        // the server does not have this call (404 or 405 on a call that is not documented)
	NotFound          // the object is not there
	AnswerLost        // a change was sent and no answer came: it may or may not have happened
	ServerFailed      // the server failed at a change, or something before it did: it may or may not have happened
	Stale             // the server is no longer as the plan saw it
	Unreachable       // no connection
	Cancelled         // the person stopped it
	GateClosed        // a call outside the contract or outside the approved plan
)

// Problem is an error with its cause and its remedies. Text in it must already be harmless to print (see Plain).
type Problem struct {
	What  string   // what happened; lower case, no full stop
	Why   string   // the cause
	Next  []string // what to do next, most likely first
	Where string   // place: file:line:column, answer key or step; may be empty
	Kind  Kind
	Code  Code // what it is about; empty: the general one of its kind, see Named
	cause error
}

// New starts a problem with what happened.
func New(what string) *Problem { return &Problem{What: what} }

// Because adds the reason.
func (p *Problem) Because(why string) *Problem { p.Why = why; return p }

// Try adds a next step; it may be called several times.
func (p *Problem) Try(next ...string) *Problem { p.Next = append(p.Next, next...); return p }

// At adds the place.
func (p *Problem) At(where string) *Problem { p.Where = where; return p }

// Of sets the kind.
func (p *Problem) Of(k Kind) *Problem { p.Kind = k; return p }

// From keeps the error below, for errors.Is and errors.As; it is not printed.
func (p *Problem) From(err error) *Problem { p.cause = err; return p }

// Unwrap gives the error below.
func (p *Problem) Unwrap() error { return p.cause }

// Error is the one-line form: place, what and why.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Where != "" {
		b.WriteString(p.Where + ": ")
	}
	b.WriteString(p.What)
	if p.Why != "" {
		b.WriteString(": " + p.Why)
	}
	return b.String()
}

// List is several problems found in one go.
type List []*Problem

func (l List) Error() string {
	s := make([]string, len(l))
	for i, p := range l {
		s[i] = p.Error()
	}
	return strings.Join(s, "\n")
}

// Add appends err, flattening lists, and makes a Problem of any other error. Nil is ignored.
func (l *List) Add(err error) {
	if err == nil {
		return
	}
	*l = append(*l, All(err)...)
}

// Err is nil when the list is empty.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	return l
}

// Kind is the gravest kind in the list: Refused before Usage before the rest.
func (l List) Kind() Kind {
	if len(l) == 0 {
		return Failed
	}
	for _, k := range []Kind{Refused, SignInAgain, Usage} {
		for _, p := range l {
			if p.Kind == k {
				return k
			}
		}
	}
	return l[0].Kind
}

// All gives every problem in err: of a wrapped error the outermost ones, of joined errors all. An error that holds no
// Problem becomes one with its text as What.
func All(err error) []*Problem {
	if err == nil {
		return nil
	}
	if !holds(err) {
		return []*Problem{New(Plain(err.Error())).From(err)}
	}
	switch e := err.(type) {
	case List:
		return e
	case *Problem:
		return []*Problem{e}
	case interface{ Unwrap() []error }:
		var all []*Problem
		for _, one := range e.Unwrap() {
			all = append(all, All(one)...)
		}
		return all
	}
	return All(errors.Unwrap(err))
}

func holds(err error) bool {
	var l List
	var p *Problem
	return errors.As(err, &l) || errors.As(err, &p)
}

// KindOf is the kind of err; Failed for errors that are no Problem.
func KindOf(err error) Kind { return List(All(err)).Kind() }

// Is says whether err is a problem of kind k.
func Is(err error, k Kind) bool { return err != nil && KindOf(err) == k }

// Unsettled says whether err leaves open that a change has happened.
func Unsettled(err error) bool { return Is(err, AnswerLost) || Is(err, ServerFailed) }
