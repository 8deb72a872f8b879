package main

import (
	"fmt"
	"io"
	"strconv"

	"npsetup/steps/problem"
)

// The exit codes. A test freezes them.
const (
	exitOK        = 0
	exitFailed    = 1   // however far it got; the report tells
	exitPending   = 2   // plan, verify: changes are pending
	exitPerson    = 3   // all that can be done is done, a person is needed
	exitUsage     = 64  // usage, missing answers or consent
	exitRefused   = 77  // the server refused the person
	exitCancelled = 130 // stopped by the person
)

// exitError ends a command with a code after it has said everything itself.
type exitError int

func (e exitError) Error() string { return "exit " + strconv.Itoa(int(e)) }

// ending is nil for success and an exitError otherwise.
func ending(code int) error {
	if code == exitOK {
		return nil
	}
	return exitError(code)
}

// exitCode is the one place where kinds of problems become exit codes.
func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	switch problem.KindOf(err) {
	case problem.Usage:
		return exitUsage
	case problem.Refused, problem.SignInAgain:
		return exitRefused
	case problem.Cancelled:
		return exitCancelled
	case problem.Failed, problem.NotOffered, problem.NotFound, problem.AnswerLost, problem.ServerFailed, problem.Stale, problem.Unreachable, problem.GateClosed:
	}
	return exitFailed
}

// printProblems says what happened, why, and what to do next, for every problem in err.
func printProblems(w io.Writer, err error) {
	all := problem.List(problem.All(err))
	for i, p := range all {
		where := ""
		if p.Where != "" {
			where = problem.Plain(p.Where) + ": "
		}
		_, _ = fmt.Fprintf(w, "npsetup: %s%s\n", where, problem.Plain(p.What))
		if p.Why != "" {
			_, _ = fmt.Fprintf(w, "  because %s\n", problem.Plain(p.Why))
		}
		for _, next := range p.Next {
			_, _ = fmt.Fprintf(w, "  next: %s\n", guidedBy(w, problem.Plain(next)))
		}
		if code := all.CodeLine(i); code != "" {
			_, _ = fmt.Fprintf(w, "  %s\n", code)
		}
	}
}
