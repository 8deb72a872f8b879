package tui

import (
	"fmt"
	"strings"
	"unicode"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
	"npsetup/tui/face"
)

func newInput(m *model, value string, masked bool) textinput.Model {
	in := textinput.New()
	in.Prompt = ""
	in.SetVirtualCursor(false)
	in.SetStyles(m.st.input)
	if masked {
		in.EchoMode = textinput.EchoPassword
		in.EchoCharacter = '•'
	}
	in.SetValue(value)
	in.CursorEnd()
	return in
}

// drawInput adds the line of an input, with the terminal's own cursor in it. A text that is too long moves by a third of the
// line at a time: over a slow line, one more character is one character. Where the cursor is, is counted here: the input
// counts runes instead of cells, and forgets that it scrolls.
func drawInput(b *block, in *textinput.Model, width int, focused bool) {
	room := max(width-4, 1)
	sign, at, from := "  ", 0, 0
	if focused {
		sign, at = "> ", in.Position()
		if in.EchoMode == textinput.EchoNormal {
			at = ansi.StringWidth(string([]rune(in.Value())[:at]))
		}
		if third := max(room/3, 1); at >= room {
			from = ((at-room)/third + 1) * third
		}
		b.cursor = tea.NewCursor(at-from+2, len(b.lines))
		b.cursor.Blink = in.Styles().Cursor.Blink
	}
	b.lines = append(b.lines, sign+ansi.Cut(in.View(), from, from+room))
}

// cleaned takes out of a paste what people do not see and did not mean, and says so.
func cleaned(msg tea.Msg, said string) (tea.Msg, string) {
	paste, is := msg.(tea.PasteMsg)
	if !is {
		return msg, said
	}
	text, removed := clean(paste.Content)
	paste.Content = text
	if removed > 0 {
		return paste, fmt.Sprintf("pasted; hidden characters or blanks at its ends were left out: %d", removed)
	}
	return paste, "pasted"
}

func clean(text string) (string, int) {
	before := len([]rune(text))
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' {
			return -1
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	return text, before - len([]rune(text))
}

// widget is one field on a page. Its draft goes into the machine at every key.
type widget struct {
	f     steps.Field
	input textinput.Model
	fault string
	said  string
	typed bool          // a secret was typed, and not a reference
	first secret.Secret // of a new secret that is typed once more now
	same  bool          // it was typed twice alike
}

func newWidget(m *model, f steps.Field) *widget {
	draft := m.m.Drafts()[f.Key]
	w := &widget{f: f}
	if f.Kind == steps.Multi || f.Kind == steps.Consent {
		draft = strings.ReplaceAll(draft, "\n", ", ")
	}
	masked := f.Kind == steps.SecretField || f.Kind == steps.Code
	if masked && draft == "prompt" {
		draft = ""
	}
	w.input = newInput(m, problem.Plain(draft), masked) // an answers file is text from outside too
	return w
}

// choices are the values between which left and right change; nil: the field is typed.
func (w *widget) choices() []string {
	switch w.f.Kind {
	case steps.Switch:
		return []string{"true", "false"}
	case steps.Choice:
		var values []string
		for _, o := range w.f.Choices {
			values = append(values, o.Value)
		}
		return values
	case steps.Text, steps.Number, steps.SecretField, steps.Code, steps.Multi, steps.FileField, steps.Fingerprint, steps.Consent:
	}
	return nil
}

// update takes a key or a paste. It answers whether the draft changed.
func (w *widget) update(m *model, msg tea.Msg) (changed bool, cmd tea.Cmd) {
	if values := w.choices(); values != nil {
		return w.turn(m, msg, values), nil
	}
	before := w.input.Value()
	if paste, is := msg.(tea.PasteMsg); is && w.f.Kind == steps.Multi {
		paste.Content = strings.ReplaceAll(strings.TrimSpace(strings.ReplaceAll(paste.Content, "\r", "")), "\n", ", ")
		msg = paste
	}
	msg, w.said = cleaned(msg, w.said)
	w.input, cmd = w.input.Update(msg)
	if w.input.Value() == before {
		return false, cmd
	}
	w.fault = ""
	w.store(m)
	return true, cmd
}

func (w *widget) turn(m *model, msg tea.Msg, values []string) bool {
	k, is := msg.(tea.KeyPressMsg)
	if !is {
		return false
	}
	step := map[string]int{"left": -1, "right": 1, "space": 1}[k.String()]
	if step == 0 {
		return false
	}
	at := 0
	for i, v := range values {
		if v == m.m.Answers().Text(w.f.Key) {
			at = i
		}
	}
	m.m = m.m.Set(w.f.Key, values[(at+step+len(values))%len(values)])
	return true
}

// store puts the text into the machine. A secret never goes there: what is typed is kept by Work, and the draft says that it
// is asked for.
func (w *widget) store(m *model) {
	keep := m.o.Work.Keep
	if w.f.Twice {
		w.same = false
		keep = func(key string, s secret.Secret) { // one that may be mistyped is not used
			if s.Empty() && w.first.Empty() {
				m.o.Work.Keep(key, s)
			}
		}
	}
	draft, typed := face.Draft(w.f, w.input.Value(), keep)
	if w.typed = !typed.Empty(); !w.first.Empty() {
		draft = "prompt"
	}
	m.m = m.m.Set(w.f.Key, draft)
}

// repeat lets a new secret be typed twice. It answers whether the field is still to be stayed at.
func (w *widget) repeat(m *model) bool {
	text := w.input.Value()
	switch {
	case !w.first.Empty() && w.first.Equal(secret.New(text)):
		m.o.Work.Keep(w.f.Key, w.first)
		w.first, w.same, w.typed, w.said = secret.Secret{}, true, true, "typed twice alike"
		return false
	case !w.first.Empty():
		w.fault = "the two are not the same: type it anew, and once more"
		w.restart(m)
		return true
	case !w.f.Twice || w.same || !face.Typed(w.f, text):
		return false
	}
	w.first, w.typed = secret.New(text), false
	w.input.SetValue("")
	w.fault, w.said = "", "type it once more: nobody can look it up"
	return true
}

// restart forgets what was typed of a new secret.
func (w *widget) restart(m *model) {
	w.first, w.said = secret.Secret{}, ""
	w.input.SetValue("")
	w.store(m)
}

// judge says whether what was typed cannot be an answer, and shows why.
func (w *widget) judge(m *model) bool {
	fault, bad := m.m.Answers().CheckField(w.f)
	if bad = bad && !fault.Missing; bad {
		w.fault = fault.Why
	}
	return bad
}

// holds says whether the field's secret was typed before: it is never shown again, and it counts.
func (w *widget) holds(m *model) bool {
	return w.f.Kind == steps.SecretField && m.m.Drafts()[w.f.Key] == "prompt" && m.o.Work.Holds(w.f.Key)
}

// set replaces the text by a chosen value; a field for several values gets it added.
func (w *widget) set(m *model, value string) {
	if w.f.Kind == steps.Multi {
		if have := strings.TrimSpace(w.input.Value()); have != "" {
			for _, one := range strings.Split(have, ",") {
				if strings.EqualFold(strings.TrimSpace(one), value) {
					return
				}
			}
			value = have + ", " + value
		}
	}
	// What is shown is made harmless; the answer is the value itself, or the server would not know it.
	w.input.SetValue(problem.Plain(value))
	w.input.CursorEnd()
	w.fault = ""
	draft, _ := face.Draft(w.f, value, m.o.Work.Keep)
	m.m = m.m.Set(w.f.Key, draft)
	m.unseen()
}

// draw adds the field: prompt, text, and for the one in focus its help.
func (w *widget) draw(m *model, b *block, width int, focused bool) {
	from := len(b.lines)
	prompt := w.f.Prompt
	if w.f.Optional {
		prompt += " (optional)"
	}
	if values := w.choices(); values != nil {
		w.drawChoice(m, b, width, prompt, focused)
	} else {
		style := m.st.strong
		if focused {
			style = m.st.focus
		}
		b.styled(width, style, prompt)
		drawInput(b, &w.input, width, focused)
		if !focused && w.input.Value() == "" && w.f.Default != "" {
			b.lines[len(b.lines)-1] = m.st.faint.Render("  " + w.f.Default + " (preset)")
		}
		if w.input.Value() == "" && w.holds(m) {
			b.styled(width, m.st.good, "  received before; it is used unless another one is typed")
		}
	}
	if w.fault != "" {
		b.styled(width, m.st.bad, "! "+w.fault)
	}
	if focused {
		b.focus(from)
		w.drawHelp(m, b, width)
	}
}

func (w *widget) drawChoice(m *model, b *block, width int, prompt string, focused bool) {
	sign, style := "  ", m.st.strong
	if focused {
		sign, style = "> ", m.st.focus
	}
	value := m.m.Answers().Text(w.f.Key)
	for _, o := range w.f.Choices {
		if o.Value == value && o.Title != "" {
			value = o.Title
		}
	}
	b.styled(width, style, sign+prompt+": ‹ "+value+" ›")
}

func (w *widget) drawHelp(m *model, b *block, width int) {
	if w.said != "" {
		b.styled(width, m.st.doubt, "  "+w.said)
	}
	if w.typed && w.first.Empty() {
		b.styled(width, m.st.good, "  "+face.Arrived(w.f, secret.New(w.input.Value())))
		if short := face.Short(w.f, secret.New(w.input.Value())); short != "" {
			b.styled(width, m.st.doubt, "  "+short)
		}
	}
	if w.f.Default != "" && w.choices() == nil {
		b.styled(width, m.st.faint, "  empty: "+w.f.Default)
	}
	switch {
	case w.f.Kind != steps.SecretField || w.typed:
	case w.holds(m):
		b.styled(width, m.st.faint, "  type another one, or ctrl+x to forget it")
	default:
		b.styled(width, m.st.faint, "  type it: it is not shown, and kept in memory only")
	}
	if w.f.Help != "" {
		b.styled(width, m.st.faint, "  "+w.f.Help)
	}
	if w.f.Example != "" && w.choices() == nil {
		b.styled(width, m.st.faint, "  for example "+w.f.Example)
	}
}
