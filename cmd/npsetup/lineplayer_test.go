package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// linePlayer plays on the line mode, through pipes.
type linePlayer struct {
	*played
	in      *io.PipeWriter
	from    int      // what stands before it was answered
	prompts []string // all questions that were asked, in order
	breath  int      // so many questions are answered, then the input ends; 0: all are
}

// silence is what a player throws when it ends the input.
type silence struct{ question string }

func (l *linePlayer) run(args []string, st *site) {
	l.t.Cleanup(func() { st.printed.WriteString(l.text()) })
	l.start(func(ctx context.Context, pipes *app) int {
		a := st.typist()
		a.in, a.out, a.err = pipes.in, pipes.out, pipes.err
		return startContext(ctx, args, a)
	})
}

// start lets a program work on pipes.
func (l *linePlayer) start(program func(context.Context, *app) int) {
	in, w := io.Pipe()
	l.in = w
	ctx, stop := context.WithCancel(l.t.Context())
	l.stop = stop
	go func() {
		l.code = program(ctx, &app{in: in, out: l, err: l})
		_ = in.CloseWithError(io.ErrClosedPipe)
		close(l.over)
	}()
	l.t.Cleanup(func() {
		stop()
		_ = w.Close()
		<-l.over
	})
}

// now is what was printed since the last answer.
func (l *linePlayer) now() string { return l.text()[l.from:] }

// asked is the question that waits for its answer; empty: none.
func (l *linePlayer) asked() string {
	text := l.now()
	return text[strings.LastIndex(text, "\n")+1:]
}

func (l *linePlayer) wait(what string, ready func() bool) {
	l.t.Helper()
	l.until(what, l.text, ready)
}

// next waits for the next question and gives it.
func (l *linePlayer) next() string {
	l.t.Helper()
	l.wait("a question", func() bool { return l.asked() != "" })
	return l.asked()
}

func (l *linePlayer) send(text string) {
	l.t.Helper()
	l.prompts = append(l.prompts, l.next())
	if len(l.prompts) == l.breath {
		last := silence{l.next()}
		_ = l.in.Close()
		panic(last)
	}
	l.from = len(l.text())
	if _, err := io.WriteString(l.in, text+"\n"); err != nil {
		l.t.Fatalf("%q was not taken: %v\n%s", text, err, l.text())
	}
}

// asks waits for a question that begins so.
func (l *linePlayer) asks(begin string) {
	l.t.Helper()
	if q := l.next(); !strings.HasPrefix(q, begin) {
		l.t.Fatalf("the question is %q, not %q\n%s", q, begin, l.text())
	}
}

// pick answers a list of numbered entries.
func (l *linePlayer) pick(entry string) {
	l.t.Helper()
	l.next()
	for _, line := range strings.Split(l.now(), "\n") {
		if m := regexp.MustCompile(`^  (\d+)\) (.*)$`).FindStringSubmatch(line); m != nil && strings.Contains(strings.ToLower(m[2]), strings.ToLower(entry)) {
			l.send(m[1])
			return
		}
	}
	l.t.Fatalf("there is no entry %q\n%s", entry, l.text())
}

func (l *linePlayer) choose(entry string) { l.t.Helper(); l.pick(entry) }

// at says whether the step was entered since the last answer.
func (l *linePlayer) at(step string) bool {
	return regexp.MustCompile(`(?m)^Step \d+ of \d+: ` + regexp.QuoteMeta(step) + `$`).MatchString(l.now())
}

func (l *linePlayer) pass(step string) {
	l.t.Helper()
	l.wait("the step "+step, func() bool { return l.at(step) })
}

// question keeps what stands in the questions before the one that is meant.
func (l *linePlayer) question(prompt string) {
	l.t.Helper()
	for !strings.HasPrefix(l.next(), prompt) {
		if q := l.asked(); !strings.Contains(q, "[") && !strings.Contains(q, "(optional)") {
			l.t.Fatalf("the question is %q, not %q\n%s", q, prompt, l.text())
		}
		l.send("")
	}
}

func (l *linePlayer) answer(prompt, text string) {
	l.t.Helper()
	l.question(prompt)
	if strings.Contains(l.asked(), ", 1 to ") {
		l.pick(text)
		return
	}
	l.send(text)
}

// take types what the list shows: there is nothing to point at.
func (l *linePlayer) take(prompt, entry string) {
	l.t.Helper()
	l.question(prompt)
	l.send("?")
	l.next()
	for _, line := range strings.Split(l.now(), "\n") {
		if rest, is := strings.CutPrefix(line, "  - "); is && strings.Contains(rest, entry) {
			l.send(strings.Fields(rest)[0])
			return
		}
	}
	l.t.Fatalf("the list has no entry %q\n%s", entry, l.text())
}

func (l *linePlayer) list(prompt string) {
	l.t.Helper()
	l.question(prompt)
	l.send("?")
	l.see("On the server there are:")
}

func (l *linePlayer) clear(prompt string) { l.t.Helper(); l.question(prompt); l.send("-") }

// step is the one that was begun last.
func (l *linePlayer) step() string {
	all := regexp.MustCompile(`(?m)^Step \d+ of \d+: (.*)$`).FindAllStringSubmatch(l.text(), -1)
	if len(all) == 0 {
		return ""
	}
	return all[len(all)-1][1]
}

func (l *linePlayer) keep(step string) {
	l.t.Helper()
	l.next()
	began := len(l.text())
	if l.step() != step {
		l.t.Fatalf("%s is not what is asked for\n%s", step, l.text())
	}
	for over := regexp.MustCompile(`(?m)^Step \d|Looking `); !over.MatchString(l.text()[began:]); l.next() {
		l.send("")
	}
}

func (l *linePlayer) back(step string) {
	l.t.Helper()
	for range 40 {
		if l.next(); l.step() == step {
			return
		}
		l.send("<")
	}
	l.t.Fatalf("no way back to %s\n%s", step, l.text())
}

func (l *linePlayer) first() {
	l.t.Helper()
	for range 40 {
		if strings.HasPrefix(l.next(), "What is to be done") {
			return
		}
		l.send("<")
	}
	l.t.Fatalf("no way back to the first question\n%s", l.text())
}

func (l *linePlayer) again() { l.t.Helper(); l.asks("Answer again"); l.send("a") }

func (l *linePlayer) accept(risk string) { l.t.Helper(); l.consent(risk, "yes") }
func (l *linePlayer) refuse(risk string) { l.t.Helper(); l.consent(risk, "no") }

func (l *linePlayer) consent(risk, answer string) {
	l.t.Helper()
	l.asks("Accept this?")
	l.see("Consent " + risk + ":")
	l.send(answer)
}

func (l *linePlayer) agree(question string)  { l.t.Helper(); l.asks(question); l.send("yes") }
func (l *linePlayer) await(what string)      { l.t.Helper(); l.asks(what) }
func (l *linePlayer) give(what, text string) { l.t.Helper(); l.asks(what); l.send(text) }

func (l *linePlayer) plan() {
	l.t.Helper()
	if q := l.next(); !strings.HasPrefix(q, "Carry this out?") && !strings.HasPrefix(q, "Write the answers file") {
		l.t.Fatalf("the question is %q\n%s", q, l.text())
	}
	l.see("signs + create")
}

func (l *linePlayer) endDry() { l.t.Helper(); l.see("End of the dry run") }

func (l *linePlayer) carryOut() { l.t.Helper(); l.asks("Carry this out?"); l.send("yes") }

func (l *linePlayer) carryRest() {} // nobody is asked about what only a person does

func (l *linePlayer) byHand(what string) {
	l.t.Helper()
	if q := l.next(); !strings.HasPrefix(q, "Done? yes, later") && !strings.HasPrefix(q, "Is the file there? yes looks for it, later") {
		l.t.Fatalf("the question is %q\n%s", q, l.text())
	}
	l.see(": " + what)
}

func (l *linePlayer) done(what string)  { l.t.Helper(); l.byHand(what); l.send("yes") }
func (l *linePlayer) later(what string) { l.t.Helper(); l.byHand(what); l.send("later") }
func (l *linePlayer) demo()             { l.t.Helper(); l.byHand(""); l.send("demo") }

// report waits until nothing but the answers file is asked for any more.
func (l *linePlayer) report() {
	l.t.Helper()
	l.wait("the report", func() bool {
		select {
		case <-l.over:
			return true
		default:
		}
		return strings.HasPrefix(l.asked(), "Write the answers file")
	})
}

func (l *linePlayer) write(path string) {
	l.t.Helper()
	l.asks("Write the answers file")
	l.send(path)
	l.see(fmt.Sprintf("npsetup plan -f %s reads it", path))
}

func (l *linePlayer) leave() { l.t.Helper(); l.next(); l.send("q") }

// finish says no to the answers file, where it is asked for.
func (l *linePlayer) finish() {
	l.t.Helper()
	if l.report(); l.asked() != "" && !l.ended() {
		l.send("")
	}
}

func (l *linePlayer) ended() bool {
	select {
	case <-l.over:
		return true
	default:
		return false
	}
}

func (l *linePlayer) shows(text string) bool {
	return strings.Contains(squeezed(l.now()), squeezed(text))
}

func (l *linePlayer) see(text string) {
	l.t.Helper()
	l.wait(strconv.Quote(text), func() bool { return l.shows(text) })
}

func (l *linePlayer) find(text string) { l.t.Helper(); l.see(text) }

var _ player = (*linePlayer)(nil)
