package tui

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"npsetup/assets"
	"npsetup/steps"
	"npsetup/steps/auditor"
	"npsetup/steps/nps"
	"npsetup/steps/passwordsecure"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

// realGuide is the guide for Auditor that ships, without a world behind it; vaultGuide that for Password Secure.
func realGuide() steps.Guide { return auditor.Guide(auditor.World{World: emptyWorld()}) }

func vaultGuide() steps.Guide {
	return passwordsecure.Guide(passwordsecure.World{World: emptyWorld()})
}

func emptyWorld() nps.World {
	return nps.World{
		Texts: nps.Texts{FS: assets.Texts()},
		CheckTrust: func(v string) error {
			if v != "system" && !strings.HasPrefix(v, "pin:sha256:") {
				return errors.New("it is none of system, ca:FILE, pin:sha256:HEX")
			}
			return nil
		},
	}
}

// fakeWork answers at once, with what it was given.
type fakeWork struct {
	guide    steps.Guide
	drafts   map[string]string
	seen     map[string]steps.Seen
	options  []steps.Option
	plan     plan.Plan
	report   run.Report
	err      error
	kept     map[string]secret.Secret
	others   []string       // what somebody else has changed since
	changed  []face.Changed // what was to become of it
	said     []string       // steps that were noted down as done, or as not
	sayErr   error
	seenOnly []string // steps for which nobody's word stands
	saved    int
	save     func(steps.Machine) error
	applied  int
	looked   func(step string)
	look     func(m steps.Machine, step string) steps.Seen // nil: seen tells
	begun    func(face.Offer)
}

var _ face.Work = (*fakeWork)(nil)

func (w *fakeWork) Offers() ([]face.Offer, error) {
	return []face.Offer{{Guide: w.guide.ID, Title: "Set up: " + w.guide.Title}, {Guide: w.guide.ID, Title: "Verify a set-up", Continue: "x", Verify: true}, {Guide: w.guide.ID, Title: "Take back what was set up", Detail: "NetwrixAuditor on https://nps.contoso.com:6500/, since 2026-01-02 03:04", Continue: "x", Undo: true}}, nil
}

func (w *fakeWork) Begin(o face.Offer) (steps.Machine, error) {
	if w.begun != nil {
		w.begun(o)
	}
	return steps.NewMachine(w.guide, w.drafts, ""), nil
}

func (w *fakeWork) Look(_ context.Context, m steps.Machine, step string) steps.Seen {
	if w.looked != nil {
		w.looked(step)
	}
	if w.look != nil {
		return w.look(m, step)
	}
	s := w.seen[step]
	s.Step = step
	return s
}

func (w *fakeWork) Choices(context.Context, steps.Machine, steps.Field) ([]steps.Option, error) {
	return w.options, w.err
}

func (w *fakeWork) Holds(key string) bool {
	s := w.kept[key]
	return !s.Empty()
}

func (w *fakeWork) Keep(key string, s secret.Secret) {
	if w.kept == nil {
		w.kept = map[string]secret.Secret{}
	}
	w.kept[key] = s
}

func (w *fakeWork) Fetch(context.Context, steps.Machine, plan.Labeled) (secret.Secret, error) {
	return secret.New("S3CR3T-apikey-0123456789"), w.err
}

func (w *fakeWork) Plan(_ context.Context, m steps.Machine, _ []string) (plan.Plan, error) {
	if err := face.NewUnaccepted(m.Answers(), m.Risks(steps.Memory{})); err != nil && w.err == nil {
		return plan.Plan{}, err
	}
	return w.plan, w.err
}

func (w *fakeWork) Apply(_ context.Context, _ steps.Machine, p plan.Plan, done []string, sink run.Sink) (run.Report, run.Result, error) {
	w.applied++
	w.plan.Actions = nil
	for _, a := range p.Actions {
		outcome := "done"
		if a.Effect == plan.ByHand && !slices.Contains(done, a.Step) {
			outcome = "waiting"
			w.plan.Actions = append(w.plan.Actions, a) // what is left
		}
		sink.Emit(run.Event{Name: run.ActionDone, Action: a.Key, Outcome: outcome})
	}
	return w.report, run.Result{}, w.err
}

func (w *fakeWork) Unmake(_ context.Context, _ steps.Machine, c face.Changed) (plan.Plan, []string, error) {
	if w.changed = append(w.changed, c); len(w.others) > 0 && c == face.AskFirst && w.err == nil {
		return plan.Plan{}, w.others, nil
	}
	return w.plan, nil, w.err
}

func (w *fakeWork) TakeBack(ctx context.Context, m steps.Machine, p plan.Plan, c face.Changed, done []string, sink run.Sink) (run.Report, run.Result, error) {
	w.changed = append(w.changed, c)
	_, result, err := w.Apply(ctx, m, p, done, sink)
	for _, a := range p.Actions {
		o := steps.Done
		if a.Effect == plan.ByHand && (!slices.Contains(done, a.Step) || slices.Contains(w.seenOnly, a.Step)) {
			o = steps.Waiting
			if slices.Contains(w.seenOnly, a.Step) && slices.Contains(done, a.Step) {
				w.plan.Actions = append(w.plan.Actions, a)
			}
		}
		result.Actions = append(result.Actions, run.ActionResult{Key: a.Key, Step: a.Step, Outcome: o})
	}
	return run.ReportOfUndo(p, result), result, err
}

func (w *fakeWork) Say(_ steps.Machine, _ plan.Plan, done []string) error {
	if w.sayErr == nil {
		w.said = append(w.said, done...)
	}
	return w.sayErr
}

func (w *fakeWork) Unsay(_ steps.Machine, step string) error {
	if w.sayErr == nil {
		w.said = append(w.said, "not "+step)
	}
	return w.sayErr
}

func (w *fakeWork) Verify(context.Context, steps.Machine) (run.Report, error) {
	return w.report, w.err
}

func (w *fakeWork) Save(m steps.Machine) error {
	w.saved++
	if w.save != nil {
		return w.save(m)
	}
	return nil
}

func (w *fakeWork) Place() string { return "answers-2.yaml" }

func (w *fakeWork) WriteAnswers(steps.Machine, string) error { return w.err }

// screen is a model that is driven without a terminal: commands run at once, one after the other.
type screen struct {
	t *testing.T
	m *model
	w *fakeWork
}

func newScreen(t *testing.T, w *fakeWork, width, height int) *screen {
	t.Helper()
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	wizard := New(Options{Work: w, Now: func() time.Time { return clock }, After: func(time.Duration, tea.Msg) tea.Cmd { return nil }, Version: "test"})
	m := newModel(context.Background(), wizard.o)
	s := &screen{t, m, w}
	s.run(m.Init())
	s.send(tea.WindowSizeMsg{Width: width, Height: height})
	return s
}

// run carries a command out, and all that comes of it.
func (s *screen) run(cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	switch msg := cmd().(type) {
	case nil:
	case tea.BatchMsg:
		s.batch(msg)
	case tea.QuitMsg:
		s.m.left = true
	default:
		s.send(msg)
	}
}

// batch runs commands side by side: one may wait for what another brings.
func (s *screen) batch(cmds tea.BatchMsg) {
	results := make(chan tea.Msg)
	n := 0
	for _, c := range cmds {
		if c != nil {
			n++
			go func() { results <- c() }()
		}
	}
	for ; n > 0; n-- {
		switch msg := (<-results).(type) {
		case nil:
		case tea.BatchMsg:
			s.batch(msg)
		default:
			_, cmd := s.m.Update(msg)
			if cmd != nil {
				n++
				go func() { results <- cmd() }()
			}
		}
	}
}

func (s *screen) send(msg tea.Msg) {
	_, cmd := s.m.Update(msg)
	s.run(cmd)
}

// press sends keys by name; a text of several letters that is no key's name is typed.
func (s *screen) press(keys ...string) *screen {
	for _, k := range keys {
		if msg, named := named(k); named {
			s.send(msg)
			continue
		}
		for _, r := range k {
			s.send(tea.KeyPressMsg{Code: r, Text: string(r)})
		}
	}
	return s
}

func named(k string) (tea.KeyPressMsg, bool) {
	codes := map[string]rune{
		"enter": tea.KeyEnter, "esc": tea.KeyEscape, "tab": tea.KeyTab, "up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight,
		"space": tea.KeySpace, "backspace": tea.KeyBackspace, "home": tea.KeyHome, "end": tea.KeyEnd, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown, "f1": tea.KeyF1,
	}
	if rest, ctrl := strings.CutPrefix(k, "ctrl+"); ctrl {
		return tea.KeyPressMsg{Code: rune(rest[0]), Mod: tea.ModCtrl}, true
	}
	if k == "shift+tab" {
		return tea.KeyPressMsg{Code: tea.KeyTab, Mod: tea.ModShift}, true
	}
	c, ok := codes[k]
	return tea.KeyPressMsg{Code: c}, ok
}

// text is what the window shows, without colours.
func (s *screen) text() string {
	content, _ := s.m.draw()
	lines := strings.Split(ansi.Strip(content), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

func (s *screen) sees(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if !strings.Contains(s.text(), text) {
			s.t.Fatalf("%q is not shown:\n%s", text, s.text())
		}
	}
}

// broken says which rule of the screens is broken; empty: none.
func (s *screen) broken() string {
	content, cursor := s.m.draw()
	lines := strings.Split(content, "\n")
	if len(lines) > s.m.height {
		return fmt.Sprintf("%d lines in a window of %d", len(lines), s.m.height)
	}
	for i, l := range lines {
		if w := ansi.StringWidth(l); w > s.m.width {
			return fmt.Sprintf("line %d is %d wide in a window of %d", i, w, s.m.width)
		}
	}
	if cursor != nil && (cursor.X < 0 || cursor.X >= s.m.width || cursor.Y < 0 || cursor.Y >= s.m.height) {
		return fmt.Sprintf("the cursor is at %d,%d", cursor.X, cursor.Y)
	}
	if s.m.height >= 3 && s.m.width >= 20 {
		hints := s.m.top().hints(s.m)
		last := ansi.Strip(lines[len(lines)-1])
		if len(hints) > 0 && !strings.Contains(last, hints[0].key) {
			return "the footer is not visible: " + last
		}
	}
	p, is := s.m.top().(*stepPage)
	if is && p.at < len(p.widgets) && p.widgets[p.at].choices() == nil && cursor == nil && !s.m.free && s.m.height >= 4 && s.m.width >= 6 {
		return "the field in focus is not visible"
	}
	return ""
}

func wrongAnswer() error {
	return problem.New("NPS has no such thing").Because("nothing on the server is called so").Try("look under Configuration in NPS", "or add it there first")
}
