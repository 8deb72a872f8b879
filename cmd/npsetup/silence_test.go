package main

import (
	"fmt"
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestSilenceAtEveryQuestion ends the input at each question of the first set-up in turn: that is never a yes.
func TestSilenceAtEveryQuestion(t *testing.T) {
	t.Parallel()
	text := storyText(t, "first-set-up")
	text = text[:strings.Index(text, "the server is as after")] // the rest asks nothing
	var a *tale
	agreed := false
	for n := 1; ; n++ {
		if n%4 == 1 || agreed { // wrong passwords must not lock the account; behind the consent a server is changed
			a = newTale(t, sandbox.Options{}, "line")
		}
		a.st.state = t.TempDir()
		question := a.until(text, n)
		if question == "" {
			if n < 40 {
				t.Fatalf("the story has only %d questions", n)
			}
			return
		}
		agreed = agreed || strings.HasPrefix(question, "Done?")
		want := exitCancelled
		if strings.HasPrefix(question, "Write the answers file") {
			want = exitOK // everything is done by then
		}
		if got := a.p.end(); got != want {
			t.Fatalf("the input ended at %q: exit %d, want %d\n%s", question, got, want, a.p.(*linePlayer).text())
		}
		if !agreed {
			a.unchanged()
		}
		a.st.noSecrets()
	}
}

// until tells a story up to its n-th question, and gives that; empty when there are not so many.
func (a *tale) until(text string, n int) (question string) {
	defer func() {
		if r := recover(); r != nil {
			q, is := r.(silence)
			if !is {
				panic(fmt.Sprint(r))
			}
			question = q.question
		}
	}()
	a.breath = n
	a.tell(text)
	return ""
}
