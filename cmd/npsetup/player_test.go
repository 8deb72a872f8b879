package main

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"time"
)

// player plays the sentences of a story on one face. Every method waits until the face is where the sentence supposes it,
// and fails the test when it does not come there.
type player interface {
	choose(entry string)         // an entry of a list of ways to go on
	pass(step string)            // a step that asks nothing
	question(prompt string)      // goes to a question of the step that is shown
	answer(prompt, text string)  // answers a question and goes on
	take(prompt, entry string)   // answers a question with an entry of the server's list
	list(prompt string)          // looks at the server's list for a question
	clear(prompt string)         // takes an answer back
	keep(step string)            // leaves a step with all its answers as they are
	back(step string)            // goes back until the step is shown
	first()                      // goes back to what can be chosen
	again()                      // answers again what a look refused
	accept(risk string)          // a risk, by its name
	refuse(risk string)          // a risk, by its name
	agree(question string)       // a question in between
	await(what string)           // waits until a secret is asked for in between
	give(what, text string)      // a secret that is asked for in between
	plan()                       // waits for the plan
	endDry()                     // takes note of the plan of a dry run
	carryOut()                   // agrees to the plan that is shown
	carryRest()                  // goes on to what is left to do by hand
	byHand(what string)          // waits for a manual step
	done(what string)            // says that the manual step that is shown is done
	later(what string)           // puts it off
	demo()                       // lets the demonstration do it
	report()                     // waits for the report
	write(path string)           // writes the answers file
	leave()                      // leaves in the middle
	finish()                     // leaves at the end
	see(text string)             // waits until it is shown
	find(text string)            // waits until it is shown, scrolling
	shows(text string) bool      // whether it is shown now
	printed(text string) bool    // whether it was printed at any time
	end() int                    // waits for the exit code
	run(args []string, st *site) // starts npsetup
}

// judge is a test, or one try of a property.
type judge interface {
	Helper()
	Error(args ...any)
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Cleanup(func())
	Context() context.Context
}

// played is a program at work on a face, and all that it has printed.
type played struct {
	t     judge
	stop  context.CancelFunc
	moved chan struct{} // something was printed
	over  chan struct{} // closed behind the last byte
	code  int           // valid behind over

	mu  sync.Mutex
	out bytes.Buffer
}

func newPlayed(t judge) *played {
	return &played{t: t, moved: make(chan struct{}, 1), over: make(chan struct{})}
}

// Write takes what the program prints.
func (p *played) Write(b []byte) (int, error) {
	p.mu.Lock()
	p.out.Write(b)
	p.mu.Unlock()
	p.tell()
	return len(b), nil
}

func (p *played) tell() {
	select {
	case p.moved <- struct{}{}:
	default:
	}
}

func (p *played) text() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// patience is how long a face may take for what a sentence waits for.
const patience = 30 * time.Second

// until looks after everything that is printed whether what is waited for has come. shown tells what is there instead.
func (p *played) until(what string, shown func() string, ready func() bool) {
	p.t.Helper()
	late := time.NewTimer(patience)
	defer late.Stop()
	for !ready() {
		select {
		case <-p.moved:
		case <-p.over:
			if !ready() {
				p.t.Fatalf("npsetup ended with %d before %s\n%s", p.code, what, shown())
			}
			return
		case <-late.C:
			p.t.Fatalf("this did not come: %s\n%s", what, shown())
		}
	}
}

func (p *played) printed(text string) bool { return strings.Contains(p.text(), text) }

// end waits for the end of the program.
func (p *played) end() int {
	p.t.Helper()
	p.until("its end", p.text, func() bool {
		select {
		case <-p.over:
			return true
		default:
			return false
		}
	})
	return p.code
}

// squeezed makes texts comparable that are wrapped at different widths.
func squeezed(s string) string { return strings.Join(strings.Fields(s), " ") }

// typist is the world of a person at a face.
func (st *site) typist() *app {
	return &app{
		now: time.Now, home: func() (string, error) { return st.state, nil }, records: st.state,
		env: func(name string) (string, bool) { v, ok := st.env[name]; return v, ok },
	}
}
