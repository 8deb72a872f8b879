package tui

import (
	"charm.land/bubbles/v2/textinput"
	"charm.land/huh/v2"
	"charm.land/lipgloss/v2"
)

// styles are the looks for one background. Colour only underlines what words and signs say.
type styles struct {
	title, faint, strong, good, bad, doubt, focus, none lipgloss.Style

	input textinput.Styles
}

func newStyles(dark bool) *styles {
	pick := lipgloss.LightDark(dark)
	colour := func(light, dark string) lipgloss.Style {
		return lipgloss.NewStyle().Foreground(pick(lipgloss.Color(light), lipgloss.Color(dark)))
	}
	s := &styles{
		title: colour("#1f4e8c", "#8ab4f8").Bold(true), faint: colour("#666666", "#9a9a9a"), strong: lipgloss.NewStyle().Bold(true),
		good: colour("#1b6e2d", "#81c995"), bad: colour("#b3261e", "#f28b82"), doubt: colour("#8a5a00", "#fdd663"), focus: colour("#1f4e8c", "#8ab4f8").Bold(true),
	}
	plain := textinput.StyleState{Text: lipgloss.NewStyle(), Placeholder: s.faint, Suggestion: s.faint, Prompt: lipgloss.NewStyle()}
	s.input = textinput.Styles{Focused: plain, Blurred: plain}
	return s
}

// themes holds both looks of the huh widgets prebuilt: huh asks for its theme at every option that it draws. It does not
// learn of the background by itself, so the model says which one it is.
type themes struct {
	light, dark *huh.Styles
	onDark      bool
}

func newThemes() *themes {
	return &themes{light: theme(false), dark: theme(true), onDark: true}
}

// Theme implements huh.Theme.
func (t *themes) Theme(bool) *huh.Styles {
	if t.onDark {
		return t.dark
	}
	return t.light
}

func theme(dark bool) *huh.Styles {
	t := huh.ThemeBase(dark)
	s := newStyles(dark)
	none := lipgloss.NewStyle()
	t.Focused.Base, t.Blurred.Base = none, none
	t.Focused.Title, t.Focused.Description = s.strong, s.faint
	t.Focused.SelectSelector = s.focus.SetString("> ")
	// A sign, not only a colour, says which button is marked.
	t.Focused.FocusedButton = s.strong.Transform(func(text string) string { return "[" + text + "]" })
	t.Focused.BlurredButton = none.Transform(func(text string) string { return " " + text + " " })
	return t
}

var _ huh.Theme = (*themes)(nil)
