package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"golang.org/x/term"
)

// Keys as a terminal sends them.
const (
	keyEnter    = "\r"
	keyEsc      = "\x1b"
	keyTab      = "\t"
	keyBackTab  = "\x1b[Z"
	keyDown     = "\x1b[B"
	keyRight    = "\x1b[C"
	keyPageUp   = "\x1b[5~"
	keyPageDown = "\x1b[6~"
	keyCtrlC    = "\x03"
	keyCtrlL    = "\x0c"
	keyCtrlN    = "\x0e"
	keyCtrlU    = "\x15"
	keyCtrlX    = "\x18"
)

// screenPlayer plays on the full screen, on a pseudo-terminal of 80x24.
type screenPlayer struct {
	*played
	keys     *os.File // the terminal's own end
	tty      *os.File // npsetup's end
	screen   vt10x.Terminal
	states   bytes.Buffer // all that it has shown
	now      string       // what the screen shows
	scrolled int          // pages down
}

func (s *screenPlayer) run(args []string, st *site) {
	s.open()
	a := st.typist()
	a.in, a.out, a.err, a.terminal, a.screen = ttyEnd{s.tty}, ttyEnd{s.tty}, ttyEnd{s.tty}, true, true
	a.environ = []string{"TERM=xterm-256color"}
	st.env["TERM"] = "xterm-256color"
	s.t.Cleanup(func() { st.printed.WriteString(s.text() + s.states.String()) })
	s.start(func(ctx context.Context) int {
		return startContext(ctx, args, a)
	})
}

func (s *screenPlayer) open() {
	s.t.Helper()
	var err error
	if s.keys, s.tty, err = pty.Open(); err != nil {
		s.t.Fatal(err)
	}
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: 24, Cols: 80}); err != nil {
		s.t.Fatal(err)
	}
	s.screen = vt10x.New(vt10x.WithSize(80, 24))
	s.now = s.screen.String()
}

// start lets a program work on the terminal. Behind it, the terminal must be as it was before.
func (s *screenPlayer) start(program func(context.Context) int) {
	s.t.Helper()
	before, err := term.GetState(int(s.tty.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(s.t.Context())
	s.stop = stop
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.code = program(ctx)
		if after, err := term.GetState(int(s.tty.Fd())); err != nil || !reflect.DeepEqual(before, after) {
			s.t.Errorf("the terminal was left in another state (%v)", err)
		}
		_, _ = s.tty.Write([]byte{endOfProgram})
	}()
	go func() {
		s.read()
		<-ended
		close(s.over)
	}()
	s.t.Cleanup(func() {
		stop()
		<-s.over
		_ = s.keys.Close() // the other end is left to the collector: a reading of it may still be under way
		if s.screen.Mode()&vt10x.ModeAltScreen != 0 || !s.screen.CursorVisible() {
			s.t.Error("the alternate screen was not left, or the cursor is not visible")
		}
	})
}

// Marks that stand between what is printed: behind everything that was written at once, and behind the last of it.
const (
	endOfWrite   = '\x05'
	endOfProgram = '\x04'
)

// ttyEnd is npsetup's end of the terminal. It marks what is written at once: half a frame is not looked at. It is no *os.File
// for bubbletea, which would still be reading from it when its program has ended.
type ttyEnd struct{ f *os.File }

func (e ttyEnd) Read(p []byte) (int, error) { return e.f.Read(p) }
func (e ttyEnd) Close() error               { return nil }
func (e ttyEnd) Fd() uintptr                { return e.f.Fd() }
func (e ttyEnd) Write(p []byte) (int, error) {
	n, err := e.f.Write(append(slices.Clone(p), endOfWrite))
	return min(n, len(p)), err
}

// read feeds the screen, and keeps each of its states: a secret that is drawn in parts would not be found in the bytes.
func (s *screenPlayer) read() {
	buf := make([]byte, 1<<15)
	var begun []byte
	for {
		n, err := s.keys.Read(buf)
		begun = append(begun, buf[:n]...)
		if i := bytes.LastIndexByte(begun, endOfWrite); i >= 0 {
			s.feed(bytes.ReplaceAll(begun[:i], []byte{endOfWrite}, nil))
			begun = begun[i+1:]
		}
		if err != nil || bytes.IndexByte(begun, endOfProgram) >= 0 {
			return
		}
	}
}

func (s *screenPlayer) feed(p []byte) {
	s.mu.Lock()
	s.out.Write(p)
	_, _ = s.screen.Write(p)
	s.now = s.screen.String()
	s.states.WriteString(strings.ReplaceAll(s.now, "\n", ""))
	s.mu.Unlock()
	s.tell()
}

func (s *screenPlayer) printed(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Contains(s.out.String(), text) || strings.Contains(s.states.String(), text)
}

// lines is what the screen shows.
func (s *screenPlayer) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := strings.Split(s.now, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return lines
}

func (s *screenPlayer) shown() string { return strings.Join(s.lines(), "\n") }

// header is the first line without the number of the step.
func (s *screenPlayer) header() string {
	h := s.lines()[0]
	if _, title, found := strings.Cut(h, " · "); found {
		h = title
	}
	return strings.TrimSuffix(strings.TrimSuffix(h, " (demo)"), " (dry run)")
}

// marked is the line in focus, without its sign; above is the one over it.
func (s *screenPlayer) marked() (line, above string) {
	lines := s.lines()
	for i := len(lines) - 1; i > 0; i-- {
		if rest, is := strings.CutPrefix(lines[i], ">"); is {
			return strings.TrimSpace(rest), lines[i-1]
		}
	}
	return "", ""
}

// focus is the question in focus; empty: none.
func (s *screenPlayer) focus() string {
	line, above := s.marked()
	if prompt, _, found := strings.Cut(line, ": ‹ "); found {
		return prompt
	}
	return above
}

func (s *screenPlayer) wait(what string, ready func() bool) {
	s.t.Helper()
	s.until(what, s.shown, ready)
}

func (s *screenPlayer) busy() bool { return strings.Contains(s.shown(), "(esc stops waiting)") }

// page waits for a page with this title.
func (s *screenPlayer) page(title string) {
	s.t.Helper()
	s.wait("the page "+title, func() bool { return s.header() == title && !s.busy() })
}

func (s *screenPlayer) send(keys string) {
	s.t.Helper()
	if _, err := io.WriteString(s.keys, keys); err != nil && !errors.Is(err, os.ErrClosed) {
		s.t.Fatalf("%q was not taken: %v\n%s", keys, err, s.shown())
	}
}

// press sends a key and waits until it shows an effect. How long something has gone on is none.
func (s *screenPlayer) press(key string) {
	s.t.Helper()
	before := s.still()
	s.send(key)
	s.wait(strconv.Quote(key)+" has an effect", func() bool { return s.still() != before })
}

// still is what is shown, without the line that moves by itself.
func (s *screenPlayer) still() string {
	lines := s.lines()
	return strings.Join(append(lines[:len(lines)-2:len(lines)-2], lines[len(lines)-1]), "\n")
}

// move presses a key that changes what is marked, and waits for the new mark.
func (s *screenPlayer) move(key string) {
	s.t.Helper()
	before, above := s.marked()
	s.send(key)
	s.wait(strconv.Quote(key)+" marks something else", func() bool {
		line, over := s.marked()
		return line+over != "" && (line != before || over != above)
	})
}

// mark moves the mark of a list to an entry.
func (s *screenPlayer) mark(entry string) {
	s.t.Helper()
	s.wait("the entry "+entry, func() bool { return strings.Contains(s.shown(), entry) })
	for range 40 {
		if line, _ := s.marked(); strings.Contains(line, entry) {
			return
		}
		s.move(keyDown)
	}
	s.t.Fatalf("the entry %q cannot be reached\n%s", entry, s.shown())
}

func (s *screenPlayer) choose(entry string) { s.t.Helper(); s.mark(entry); s.press(keyEnter) }

func (s *screenPlayer) pass(step string) {
	s.t.Helper()
	s.page(step)
	s.press(keyEnter)
}

// question moves the focus. What lies out of sight is looked for downwards.
func (s *screenPlayer) question(prompt string) {
	s.t.Helper()
	s.send(strings.Repeat(keyPageUp, s.scrolled))
	s.scrolled = 0
	s.wait("the question "+prompt, func() bool { return !s.busy() && strings.Contains(s.shown(), prompt) && s.focus() != "" })
	for range 40 {
		if strings.HasPrefix(s.focus(), prompt) {
			return
		}
		key := keyTab
		text := s.shown()
		if at := strings.Index(text, prompt); at >= 0 && at < strings.Index(text, "\n>") {
			key = keyBackTab
		}
		s.move(key)
	}
	s.t.Fatalf("the question %q cannot be reached\n%s", prompt, s.shown())
}

func (s *screenPlayer) answer(prompt, text string) {
	s.t.Helper()
	s.question(prompt)
	if line, _ := s.marked(); strings.Contains(line, ": ‹ ") {
		s.turn(text)
	} else {
		s.fill(text)
	}
	s.press(keyEnter)
}

func (s *screenPlayer) take(prompt, entry string) {
	s.t.Helper()
	s.question(prompt)
	s.send(keyCtrlL)
	s.see("filter:")
	s.mark(entry)
	s.send(keyEnter)
	s.question(prompt)
	s.press(keyEnter)
}

func (s *screenPlayer) list(prompt string) {
	s.t.Helper()
	s.question(prompt)
	s.send(keyCtrlL)
	s.see("filter:")
	s.press(keyEsc)
	s.wait("the step again", func() bool { return !s.shows("filter:") })
}

// turn changes the answer of a question with choices.
func (s *screenPlayer) turn(text string) {
	s.t.Helper()
	for range 20 {
		if line, _ := s.marked(); strings.HasSuffix(line, "‹ "+text+" ›") {
			return
		}
		s.move(keyRight)
	}
	s.t.Fatalf("there is no choice %q\n%s", text, s.shown())
}

// fill replaces what stands in the field in focus. Of what is hidden only the length can be awaited.
func (s *screenPlayer) fill(text string) {
	s.t.Helper()
	empty := func() bool { line, _ := s.marked(); return line == "" }
	if !empty() {
		s.send(keyCtrlU)
		s.wait("an empty field", empty)
	}
	s.send(text)
	s.wait("what was typed", func() bool {
		line, _ := s.marked()
		tail := text[max(len(text)-40, 0):]
		return strings.HasSuffix(line, tail) || line == strings.Repeat("•", len(text)) || len(text) > 76 && strings.HasSuffix(line, strings.Repeat("•", 40))
	})
}

func (s *screenPlayer) clear(prompt string) {
	s.t.Helper()
	s.question(prompt)
	s.press(keyCtrlX)
}

func (s *screenPlayer) keep(step string) {
	s.t.Helper()
	s.page(step)
	s.send(keyCtrlN)
	s.wait("what is behind "+step, func() bool { return s.header() != step })
}

func (s *screenPlayer) back(step string) {
	s.t.Helper()
	for range 40 {
		if s.header() == step {
			return
		}
		from := s.header()
		s.wait("an idle screen", func() bool { return !s.busy() })
		s.send(keyEsc)
		s.wait("what is before "+from, func() bool { return s.header() != from })
	}
	s.t.Fatalf("no way back to %s\n%s", step, s.shown())
}

func (s *screenPlayer) first() {
	s.t.Helper()
	for range 40 {
		s.wait("an idle screen", func() bool { return !s.busy() })
		if strings.HasPrefix(s.header(), "npsetup ") {
			s.see("Set up: ")
			return
		}
		s.press(keyEsc)
	}
	s.t.Fatalf("no way back to the first page\n%s", s.shown())
}

func (s *screenPlayer) again() {} // the page is the same

func (s *screenPlayer) accept(risk string) { s.t.Helper(); s.page("Consent: " + risk); s.press("y") }

func (s *screenPlayer) refuse(risk string) { s.t.Helper(); s.page("Consent: " + risk); s.press("n") }

// asks waits for a question that lies over the page while something goes on below it.
func (s *screenPlayer) asks(title, question string) {
	s.t.Helper()
	s.wait(question, func() bool { return s.header() == title && s.shows(question) })
}

func (s *screenPlayer) agree(question string) {
	s.t.Helper()
	s.asks("Your consent is needed", question)
	s.press("y")
	s.press(keyEnter)
}

func (s *screenPlayer) await(what string) { s.t.Helper(); s.asks("Your answer is needed", what) }

func (s *screenPlayer) give(what, text string) {
	s.t.Helper()
	s.await(what)
	s.fill(text)
	s.press(keyEnter)
}

func (s *screenPlayer) plan() {
	s.t.Helper()
	s.wait("the plan", func() bool { // only one that is there can be carried out, however far it is scrolled
		return (s.header() == "Review" || s.header() == "Take back") && (s.shows("enter carry it out") || s.shows("enter end the dry run"))
	})
}

func (s *screenPlayer) endDry() {
	s.t.Helper()
	s.plan()
	s.send(keyEnter)
	s.page("End of the dry run")
}

func (s *screenPlayer) carryOut() {
	s.t.Helper()
	s.plan()
	s.send(keyEnter)
	s.page("Carry this out?")
	s.press("y")
}

func (s *screenPlayer) carryRest() {
	s.t.Helper()
	s.see("enter go on: nothing is sent")
	s.send(keyEnter)
}

func (s *screenPlayer) byHand(what string) {
	s.t.Helper()
	s.wait("what is to be done by hand: "+what, func() bool {
		return strings.HasPrefix(s.header(), "By hand") && strings.Contains(s.header(), ": "+what) && !s.busy()
	})
}

func (s *screenPlayer) done(what string)  { s.t.Helper(); s.byHand(what); s.press(keyEnter) }
func (s *screenPlayer) later(what string) { s.t.Helper(); s.byHand(what); s.press("n") }
func (s *screenPlayer) demo()             { s.t.Helper(); s.byHand(""); s.press("d") }

func (s *screenPlayer) report() {
	s.t.Helper()
	s.wait("the report", func() bool {
		h := s.header()
		return (h == "Report" || h == "End of the dry run") && !s.busy() && !strings.Contains(s.shown(), "reading everything back")
	})
}

func (s *screenPlayer) write(path string) {
	s.t.Helper()
	s.report()
	s.press("s")
	s.fill(path)
	s.press(keyEnter)
	s.see("reads it")
}

func (s *screenPlayer) leave() {
	s.t.Helper()
	s.send(keyCtrlC)
	s.page("Leave npsetup?")
	s.send("y")
}

func (s *screenPlayer) finish() {
	s.t.Helper()
	s.report()
	s.send(keyEnter)
}

func (s *screenPlayer) shows(text string) bool {
	return strings.Contains(squeezed(s.shown()), squeezed(text))
}

func (s *screenPlayer) see(text string) {
	s.t.Helper()
	s.wait(strconv.Quote(text), func() bool { return s.shows(text) })
}

// find scrolls down until the text is shown.
func (s *screenPlayer) find(text string) {
	s.t.Helper()
	for range 60 {
		if s.shows(text) {
			return
		}
		if strings.Contains(s.shown(), "↓ more") {
			s.press(keyPageDown)
			s.scrolled++
			continue
		}
		s.wait(strconv.Quote(text)+", or more to scroll", func() bool { return s.shows(text) || strings.Contains(s.shown(), "↓ more") })
	}
	s.t.Fatalf("%q is not shown\n%s", text, s.shown())
}

var _ player = (*screenPlayer)(nil)
