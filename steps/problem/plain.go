package problem

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Plain makes text from outside harmless to print: control characters, escape sequences' introducers, line and paragraph
// separators and bidirectional controls become visible or are dropped. Line breaks become blanks; use PlainLines to keep
// them. Broken UTF-8 becomes the replacement character.
func Plain(text string) string { return plain(text, false) }

// PlainLines is Plain, with line feeds kept.
func PlainLines(text string) string { return plain(text, true) }

func plain(text string, lines bool) string {
	clean := true
	for _, r := range text {
		if r < ' ' || r == utf8.RuneError || hidden(r) {
			clean = false
			break
		}
	}
	if clean {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' && lines:
			b.WriteRune(r)
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteRune(' ')
		case r == utf8.RuneError:
			b.WriteRune('\uFFFD')
		case hidden(r):
			// dropped
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden covers C0, C1, DEL, line and paragraph separators and all format characters, which include the bidirectional
// overrides, the zero-width ones and the tag block; a soft hyphen goes with them.
func hidden(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
}
