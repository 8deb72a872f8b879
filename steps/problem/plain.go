package problem

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Plain makes text from outside harmless to print: control characters, escape sequences' introducers, line and paragraph
// separators and bidirectional controls become visible or are dropped. Line breaks become blanks; use PlainLines to keep
// them. Broken UTF-8 becomes the replacement character.
func Plain(text string) string { return plain(text, false) }

// PlainLines is Plain, with line feeds kept.
func PlainLines(text string) string { return plain(text, true) }

// PlainJSON makes valid JSON harmless to print without changing what it says: what Plain drops is escaped.
func PlainJSON(raw []byte) []byte {
	var b []byte
	kept := 0 // up to here, raw is in b
	for i, r := range string(raw) {
		if r < ' ' || !hidden(r) {
			continue // below the blank JSON itself allows only white space between its tokens
		}
		b = append(b, raw[kept:i]...)
		kept = i + utf8.RuneLen(r)
		for _, unit := range utf16.Encode([]rune{r}) {
			b = fmt.Appendf(b, `\u%04x`, unit)
		}
	}
	if kept == 0 {
		return raw
	}
	return append(b, raw[kept:]...)
}

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
