package main

import (
	"io"
	"regexp"

	"npsetup/steps/plan"
	"npsetup/steps/run"
)

// again is a command that goes on with this run, as a person types it: with several open runs only the answers file tells them apart.
func (j *job) again(command string) string {
	if severalOpen(j.link.state) {
		command += " -f " + j.answersFile()
	}
	return "npsetup " + command
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

var (
	goesOn   = regexp.MustCompile(`\bnpsetup (resume|undo|verify|key)\b( -f\b)?`)
	handsKey = regexp.MustCompile(`\bnpsetup key\b`)
)

// guided is advice as this very run needs it: who asked elsewhere cannot know how many runs are open here, nor where they are remembered.
func (j *job) guided(advice string) string {
	several := severalOpen(j.link.state)
	advice = goesOn.ReplaceAllStringFunc(advice, func(command string) string {
		if !several || command[len(command)-1] == 'f' {
			return command
		}
		return command + " -f " + j.answersFile()
	})
	if j.state == "" {
		return advice
	}
	return handsKey.ReplaceAllLiteralString(advice, "npsetup key --state "+plan.ShellWord(j.state))
}

// guidedBy is what advice becomes for whom it is written to.
func guidedBy(w io.Writer, advice string) string {
	if s, is := w.(scrubbing); is && s.app != nil && s.app.guided != nil {
		return s.app.guided(advice)
	}
	return advice
}
