package problem_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"npsetup/steps/problem"
)

func TestPlain(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "",
		"Grüße, 世界 <&> \"x\" 👍":            "Grüße, 世界 <&> \"x\" 👍",
		"a\nb\r\nc\td":                     "a b  c d",
		"\x1b[2J\x1b]52;c;cGF5bG9hZA==\a":  "[2J]52;c;cGF5bG9hZA==",
		"\u009b2J\u009d52;x\u009c":         "2J52;x",
		"\x00\x7f\b":                       "",
		"evil\u202egpj.exe\u202c":          "evilgpj.exe",
		"\u2066a\u2069\u200e\u200f\u061cb": "ab",
		"a\u2028b\u2029c":                  "abc",
		"a\u200bb\u200dc\ufeffd\u00ade":    "abcde",
		"\U000e0041\U000e0001tag":          "tag",
		"broken \xff\xc3\x28 \xed\xa0\x80": "broken \uFFFD\uFFFD( \uFFFD\uFFFD\uFFFD",
		"\x9b2J":                           "\uFFFD2J",
		"a\uFFFDb":                         "a\uFFFDb",
	} {
		if got := problem.Plain(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	if got := problem.PlainLines("a\n\x1b[2Jb\r\nc\u2028"); got != "a\n[2Jb \nc" {
		t.Errorf("got %q", got)
	}
}

// harmful finds the first character that a terminal, a script or a reader could take for more than text.
func harmful(text string, lines bool) (rune, bool) {
	for _, r := range text {
		switch {
		case r == '\n' && lines:
		case r < ' ', r == 0x7f, r >= 0x80 && r <= 0x9f, r == 0x2028, r == 0x2029, r == 0x061c, r == 0x200e, r == 0x200f,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, unicode.Is(unicode.Bidi_Control, r):
			return r, true
		}
	}
	return 0, false
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[2J", "\u009b\u202e\u2028", "\xff\xfe", "a\r\nb", "\U000e0041", "\xed\xa0\x80", "e\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for lines, plain := range map[bool]func(string) string{false: problem.Plain, true: problem.PlainLines} {
			got := plain(text)
			if r, found := harmful(got, lines); found {
				t.Fatalf("%q keeps %U", text, r)
			}
			if !utf8.ValidString(got) {
				t.Fatalf("%q becomes %q, which is not UTF-8", text, got)
			}
			if again := plain(got); again != got {
				t.Fatalf("%q becomes %q, then %q", text, got, again)
			}
		}
		if got := strings.ReplaceAll(problem.PlainLines(text), "\n", " "); got != problem.Plain(text) {
			t.Fatalf("%q: the two disagree: %q", text, got)
		}
	})
}

func TestPlainLeavesOrdinaryTextAlone(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		if got := problem.Plain(string(r)); unicode.IsGraphic(r) && r != '\u2028' && r != '\u2029' && got != string(r) {
			t.Fatalf("%U becomes %q", r, got)
		}
	}
}

func TestPlainJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": "b"}` + "\n":          `{"a": "b"}` + "\n",
		"\"\u202e\u009b\x7f\u2028\"": `"\u202e\u009b\u007f\u2028"`,
		"\"x\U000e0041y\"":           `"x\udb40\udc41y"`,
		"[\t\"ä\",\r\n \"世\"]":       "[\t\"ä\",\r\n \"世\"]",
	} {
		if got := string(problem.PlainJSON([]byte(text))); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func FuzzPlainJSON(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[2J", "\u009b\u202e\u2028x", "\xff", "\U000e0041"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		raw, err := json.Marshal(map[string]string{text: text})
		if err != nil {
			t.Fatal(err)
		}
		got := problem.PlainJSON(raw)
		if r, found := harmful(string(got), true); found {
			t.Fatalf("%q keeps %U", got, r)
		}
		var before, after any
		if err := json.Unmarshal(raw, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(got, &after); err != nil {
			t.Fatalf("%q: %v", got, err)
		}
		for k, v := range before.(map[string]any) {
			if after.(map[string]any)[k] != v {
				t.Fatalf("%q says otherwise than %q", got, raw)
			}
		}
		if again := problem.PlainJSON(got); string(again) != string(got) {
			t.Fatalf("%q becomes %q", got, again)
		}
	})
}
