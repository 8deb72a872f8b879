package main

import (
	"io"
	"regexp"
	"strings"

	"npsetup/steps/plan"
	"npsetup/steps/run"
)

// again is a command that goes on with this run, as a person types it.
func (j *job) again(command string) string {
	return "npsetup " + command + j.placed() + j.which()
}

// placed is the flag that leads a command to the state folder of this one; nothing where it finds that by itself.
func (o *options) placed() string {
	if o.state == "" {
		return ""
	}
	return " --state " + plan.ShellWord(o.state)
}

// which is the flag that tells this run from other open ones: only the answers file does.
func (j *job) which() string {
	if !severalOpen(j.link.state) {
		return ""
	}
	return " -f " + j.answersFile()
}

// severalOpen says whether a command without an answers file would not know which run is meant.
func severalOpen(state string) bool {
	open := 0
	records, _ := run.List(state) // who cannot read them is told so when the command is typed
	for _, r := range records {
		if r.Open {
			open++
		}
	}
	return open > 1
}

var goesOn = regexp.MustCompile(`\bnpsetup (resume|undo|verify|key)\b( --state\b| -f\b)?`)

// guided is advice as this very run needs it: who asked elsewhere cannot know how many runs are open here, nor where they are remembered.
func (j *job) guided(advice string) string {
	placed, which := j.placed(), j.which()
	return goesOn.ReplaceAllStringFunc(advice, func(command string) string {
		name, rest, _ := strings.Cut(strings.TrimPrefix(command, "npsetup "), " ")
		if name == "resume" && j.c.Name() == "undo" {
			name = "undo" // what stopped a taking back goes on with that: resume would set up again
		}
		switch {
		case rest == "--state":
			return command // again made it
		case rest == "-f":
			return "npsetup " + name + placed + " -f"
		}
		return "npsetup " + name + placed + which
	})
}

// guidedBy is what advice becomes for whom it is written to.
func guidedBy(w io.Writer, advice string) string {
	if s, is := w.(scrubbing); is && s.app != nil && s.app.guided != nil {
		return s.app.guided(advice)
	}
	return advice
}
