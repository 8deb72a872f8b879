package tui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/huh/v2"
	"github.com/charmbracelet/x/ansi"
)

// menu is a short list of ways to go on, drawn by huh. Long lists are the matter of picker.
type menu struct {
	field  *huh.Select[int]
	value  int
	titles []string
	width  int
}

func newMenu(theme huh.Theme, titles []string) *menu {
	w := &menu{titles: titles}
	w.field = huh.NewSelect[int]().Options(w.options(0)...).Value(&w.value)
	keys := huh.NewDefaultKeyMap()
	keys.Select.Filter.SetEnabled(false)
	w.field.WithTheme(theme)
	w.field.WithKeyMap(keys)
	w.field.Focus()
	return w
}

// mark moves the mark to an entry.
func (w *menu) mark(at int) {
	for range at {
		w.update(tea.KeyPressMsg{Code: tea.KeyDown})
	}
}

// options cuts the titles to the width: huh would break long ones over several lines and count them as one.
func (w *menu) options(width int) []huh.Option[int] {
	options := make([]huh.Option[int], len(w.titles))
	for i, t := range w.titles {
		if width > 0 {
			t = ansi.Truncate(t, width, "…")
		}
		options[i] = huh.NewOption(t, i)
	}
	return options
}

// update takes a key and says whether an entry was chosen.
func (w *menu) update(msg tea.Msg) (chosen bool, cmd tea.Cmd) {
	if k, is := msg.(tea.KeyPressMsg); is && k.String() == "enter" {
		if v, ok := w.field.Hovered(); ok {
			w.value = v
		}
		return len(w.titles) > 0, nil
	}
	_, cmd = w.field.Update(msg)
	if v, ok := w.field.Hovered(); ok {
		w.value = v
	}
	return false, cmd
}

// draw adds the entries; the marked one stays in view.
func (w *menu) draw(b *block, width int) {
	if len(w.titles) == 0 {
		return
	}
	if w.width != width {
		w.width = width
		w.field.Options(w.options(max(width-3, 1))...)
	}
	w.field.WithWidth(max(width, 8))
	w.field.WithHeight(len(w.titles) + 1) // one line is its title, which is empty
	from := len(b.lines)
	b.lines = append(b.lines, strings.Split(strings.TrimRight(w.field.View(), "\n"), "\n")...)
	b.top, b.bottom = from+w.value, from+w.value
	if t := w.titles[w.value]; ansi.StringWidth(t) > max(width-3, 1) {
		b.add(width, "")
		b.add(width, t) // the marked entry was cut
	}
}
