package tui

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"npsetup/steps"
)

// hands is a clock that a test turns: what is to come after a while comes when the test says so.
type hands struct {
	after []time.Duration
	due   []tea.Msg
}

func (h *hands) later(d time.Duration, msg tea.Msg) tea.Cmd {
	if _, is := msg.(draftMsg); is {
		h.after, h.due = append(h.after, d), append(h.due, msg)
	}
	return nil
}

// drafting is a screen with such a clock, and what it saves.
func drafting(t *testing.T) (s *screen, h *hands, saved *[]string) {
	t.Helper()
	h, saved = &hands{}, &[]string{}
	w := &fakeWork{guide: realGuide(), save: func(m steps.Machine) error {
		raw, err := m.Save()
		*saved = append(*saved, string(raw))
		return err
	}}
	s = newScreen(t, w, 80, 24)
	s.m.o.After = h.later
	return s.press("enter"), h, saved
}

// pass lets the time pass.
func (h *hands) pass(s *screen) {
	due := h.due
	h.due = nil
	for _, msg := range due {
		s.send(msg)
	}
}

// TestWhatIsTypedIsSavedSoon: no later than half a second behind the first key, once, and a half-typed answer too.
func TestWhatIsTypedIsSavedSoon(t *testing.T) {
	s, h, saved := drafting(t)
	s.press("x", "backspace") // the first page is a choice: nothing was answered
	if len(h.due) != 0 || len(*saved) != 0 {
		t.Errorf("%d savings are due and %d were made before anything was typed", len(h.due), len(*saved))
	}
	s.press("enter", "enter")
	h.pass(s)
	*saved, h.after = nil, nil
	s.press("https:/") // no valid answer yet
	if len(h.after) != 1 || h.after[0] > 500*time.Millisecond || len(*saved) != 0 {
		t.Fatalf("due after %v, %d savings at the keys", h.after, len(*saved))
	}
	h.pass(s)
	if len(*saved) != 1 || !strings.Contains((*saved)[0], `"nps.url":"https:/"`) || !strings.Contains((*saved)[0], `"current":"server"`) {
		t.Fatalf("saved is %q", *saved)
	}
	s.press("left", "right")
	h.pass(s)
	if len(*saved) != 1 {
		t.Error("what did not change was saved again")
	}
	s.press("/n", "ctrl+c", "y") // left before it was due
	if n := len(*saved); n != 2 || !strings.Contains((*saved)[1], `"https://n"`) {
		t.Errorf("saved is %q", *saved)
	}
}

// TestAFailedSavingIsToldAndTriedAgain with the next key, and when it is left.
func TestAFailedSavingIsToldAndTriedAgain(t *testing.T) {
	s, h, saved := drafting(t)
	good := s.w.save
	s.w.save = func(steps.Machine) error { return errors.New("the disk is full") }
	s.press("enter", "enter", "half")
	h.pass(s)
	s.sees("the answers could not be kept: the disk is full")
	s.w.save = good
	s.press("ctrl+c", "y")
	if len(*saved) != 1 || !strings.Contains((*saved)[0], `"nps.url":"half"`) {
		t.Errorf("saved is %q", *saved)
	}
}

// TestNoSecretIsInADraft: not a typed password, not half of it, not a code or a seed where a reference belongs.
func TestNoSecretIsInADraft(t *testing.T) {
	s, h, saved := drafting(t)
	for s.m.m.Current().ID != "signin" {
		s.m.m = s.m.m.Set("nps.url", "https://nps.contoso.com:6500/").Set("nps.signIn.user", "CONTOSO\\npsadmin")
		s.press("ctrl+n")
	}
	for _, text := range []string{"S3CR3T-1", "S3CR3T-password", "totp:S3CR3T"} {
		field := map[string]string{"S3CR3T-1": "nps.signIn.token", "S3CR3T-password": "nps.signIn.password", "totp:S3CR3T": "nps.signIn.mfa"}[text]
		at := s.m.top().(*stepPage)
		for i, w := range at.widgets {
			if w.f.Key == field {
				at.focus(i)
			}
		}
		for _, r := range text {
			s.press(string(r))
			h.pass(s) // at the slowest that anybody types
		}
		if field == "nps.signIn.token" {
			s.press("ctrl+x")
		}
	}
	all := strings.Join(*saved, "\n")
	if !strings.Contains(all, `"nps.signIn.password":"prompt"`) {
		t.Errorf("it was not typed where it should be: %s", all)
	}
	for n := 2; n <= len("S3CR3T"); n++ {
		if part := "S3CR3T"[:n]; strings.Contains(all, part) {
			t.Fatalf("%q is saved: %s", part, all)
		}
	}
}

// gate is a terminal that takes nothing more once it is shut.
type gate struct {
	mu    sync.Mutex
	text  strings.Builder
	wrote chan struct{}
	shut  chan struct{} // nil: open
}

func (g *gate) Write(p []byte) (int, error) {
	g.mu.Lock()
	g.text.Write(p)
	shut := g.shut
	g.mu.Unlock()
	select {
	case g.wrote <- struct{}{}:
	default:
	}
	if shut != nil {
		<-shut
	}
	return len(p), nil
}

func (g *gate) holds(text string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return strings.Contains(g.text.String(), text)
}

// TestASignalSavesAtOnce, also while the terminal takes nothing more, as a lost link may.
func TestASignalSavesAtOnce(t *testing.T) {
	saved := make(chan steps.Machine, 9)
	g := &gate{wrote: make(chan struct{}, 1)}
	in, keys := io.Pipe()
	t.Cleanup(func() { _ = keys.Close() }) // a pipe in memory is read until it ends: nothing else ends that read
	work := &fakeWork{guide: realGuide(), save: func(m steps.Machine) error { saved <- m; return nil }}
	w := New(Options{Work: work, In: in, Out: g, Env: []string{"TERM=xterm-256color"}, After: func(time.Duration, tea.Msg) tea.Cmd { return nil }})
	ctx, signal := context.WithCancel(t.Context())
	w.send(tea.WindowSizeMsg{Width: 80, Height: 24})
	over := make(chan error, 1)
	go func() {
		_, err := w.Run(ctx)
		over <- err
	}()
	see := func(text string) {
		t.Helper()
		for late := time.After(20 * time.Second); !g.holds(text); {
			select {
			case <-g.wrote:
			case <-late:
				t.Fatalf("%q was not shown", text)
			}
		}
	}
	typed := func(text string) { _, _ = io.WriteString(keys, text) }
	see("Set up: ")
	typed("\r")
	see("Origin of the certificate")
	typed("\r")
	see("Start in Auditor")
	typed("\r")
	see("Address of the NPS server")
	typed("\x1b[200~half\x1b[201~") // pasted: drawn at once
	see("half")
	for len(saved) > 0 {
		<-saved
	}
	shut := make(chan struct{})
	g.mu.Lock()
	g.shut = shut
	g.mu.Unlock()
	signal()
	select {
	case m := <-saved:
		if m.Drafts()["nps.url"] != "half" {
			t.Errorf("saved is %q", m.Drafts())
		}
	case <-time.After(20 * time.Second):
		t.Error("nothing was saved")
	}
	close(shut)
	if err := <-over; err != nil {
		t.Error(err)
	}
}
