package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"text/template"

	"pgregory.net/rapid"

	"npsetup/steps/secret"
)

// marker is a secret that no ordinary text holds. Its bytes in hexadecimal digits are looked for as well.
const marker = "S3CR3T~marker"

type outside struct {
	Name   string
	Secret secret.Secret
}

type inside struct {
	name   string
	hidden secret.Secret
	far    *secret.Secret
	list   []secret.Secret
	named  map[string]secret.Secret
	any    any
}

// shapes are the ways in which a secret gets into a printing.
func shapes(s secret.Secret) map[string]any {
	return map[string]any{
		"bare":           s,
		"pointer":        &s,
		"slice":          []secret.Secret{s},
		"array":          [1]secret.Secret{s},
		"map":            map[string]secret.Secret{"a": s},
		"key of a map":   map[secret.Secret]int{s: 1},
		"struct":         outside{"a", s},
		"struct pointer": &outside{"a", s},
		"any":            []any{s, &s},
		"hidden member":  inside{"a", s, &s, []secret.Secret{s}, map[string]secret.Secret{"a": s}, s},
		"hidden pointer": &inside{name: "a", hidden: s, any: &s},
		"nested":         map[string]any{"a": []any{inside{hidden: s}, outside{Secret: s}}},
	}
}

// shows says whether text holds value, plainly or in hexadecimal digits.
func shows(text, value string) bool {
	low := strings.ToLower(text)
	return strings.Contains(text, value) || strings.Contains(low, fmt.Sprintf("%x", value)) ||
		strings.Contains(strings.ReplaceAll(low, " ", ""), strings.ReplaceAll(fmt.Sprintf("% x", value), " ", "")) ||
		strings.Contains(text, strings.Trim(fmt.Sprint([]byte(value)), "[]"))
}

func TestNoVerbShowsASecret(t *testing.T) {
	verbs := []string{"%v", "%+v", "%#v", "%s", "%+s", "%#s", "%q", "%#q", "%+q", "%x", "% x", "%#x", "%X", "%d", "%c", "%U", "%b", "%o", "%O", "%e", "%g", "%t", "%p", "%w", "%30v", "%-30s", "%.2s", "%!", "no verb"}
	for name, v := range shapes(secret.New(marker)) {
		for _, verb := range verbs {
			if out := fmt.Sprintf(verb, v); shows(out, marker) {
				t.Errorf("%s of %s: %s", verb, name, out)
			}
			if err := fmt.Errorf("it failed: "+verb, v); shows(err.Error(), marker) {
				t.Errorf("error, %s of %s: %s", verb, name, err)
			}
		}
		for how, out := range map[string]string{"Sprint": fmt.Sprint(v), "Sprintln": fmt.Sprintln(v)} {
			if shows(out, marker) {
				t.Errorf("%s of %s: %s", how, name, out)
			}
		}
	}
}

func TestASecretPrintsAsItsMask(t *testing.T) {
	s := secret.New(marker)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		if out := fmt.Sprintf(verb, s); out != secret.Mask {
			t.Errorf("%s: %q", verb, out)
		}
		if out := fmt.Sprintf(verb, secret.Secret{}); out != "" {
			t.Errorf("%s of an empty secret: %q", verb, out)
		}
	}
	if out := fmt.Sprintf("%T", s); out != "secret.Secret" {
		t.Error(out)
	}
	if out := fmt.Sprintf("%v", outside{"a", s}); out != "{a "+secret.Mask+"}" {
		t.Error(out)
	}
}

func TestNoEncoderShowsASecret(t *testing.T) {
	for name, v := range shapes(secret.New(marker)) {
		raw, err := json.Marshal(v)
		if err != nil || shows(string(raw), marker) {
			t.Errorf("json of %s: %s %v", name, raw, err)
		}
		var b bytes.Buffer
		if err := template.Must(template.New("t").Parse("{{.}} {{printf \"%x\" .}}")).Execute(&b, v); err != nil || shows(b.String(), marker) {
			t.Errorf("template of %s: %s %v", name, b.String(), err)
		}
		b.Reset()
		for _, h := range []slog.Handler{slog.NewTextHandler(&b, nil), slog.NewJSONHandler(&b, nil)} {
			slog.New(h).With("kept", v).Info("said", "value", v, slog.Group("g", "value", v))
		}
		if shows(b.String(), marker) {
			t.Errorf("slog of %s: %s", name, b.String())
		}
	}
	raw, err := json.Marshal(outside{"a", secret.New(marker)})
	if want := `{"Name":"a","Secret":"` + secret.Mask + `"}`; err != nil || string(raw) != want {
		t.Errorf("got %s, want %s, %v", raw, want, err)
	}
	raw, err = xml.Marshal(outside{"a", secret.New(marker)})
	if err != nil || shows(string(raw), marker) || !strings.Contains(string(raw), secret.Mask) {
		t.Errorf("xml: %s %v", raw, err)
	}
	text, err := secret.New(marker).MarshalText()
	if err != nil || string(text) != secret.Mask {
		t.Errorf("text: %s %v", text, err)
	}
	if v := secret.New(marker).LogValue().String(); v != secret.Mask {
		t.Errorf("log value: %s", v)
	}
}

// TestNoPrintingShowsASecret draws values and verbs. Digits are left out of the values: an address may hold any of them.
func TestNoPrintingShowsASecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.StringMatching(`[g-zG-Z~äß€😀"\\% ]{4,40}`).Draw(t, "value")
		verb := "%" + rapid.StringMatching(`[-+# 0]{0,3}`).Draw(t, "flags") + rapid.StringMatching(`(|[1-9]|[1-5][0-9])(|\.|\.[0-9])`).Draw(t, "width") +
			string(rapid.RuneFrom([]rune("vsqxXdcUboOeEfFgGtpwz!")).Draw(t, "verb"))
		all := shapes(secret.New(value))
		for name, v := range all {
			out := fmt.Sprintf(verb, v)
			frame := fmt.Sprintf(verb, shapes(secret.New("*"))[name]) // what stands around it in any case
			if strings.Contains(out, value) && !strings.Contains(frame, value) {
				t.Fatalf("%s of %s: %q shows %q", verb, name, out, value)
			}
		}
		raw, err := json.Marshal(all["any"])
		if err != nil || string(raw) != `["`+secret.Mask+`","`+secret.Mask+`"]` {
			t.Fatalf("%s %v", raw, err)
		}
	})
}

func TestSecretKeepsItsValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.String().Draw(t, "a"), rapid.String().Draw(t, "b")
		s, o := secret.New(a), secret.New(b)
		if s.Wire() != a || s.Empty() != (a == "") || s.Equal(o) != (a == b) || !s.Equal(secret.New(a)) {
			t.Fatalf("%q and %q", a, b)
		}
	})
	var zero secret.Secret
	if !zero.Empty() || zero.Wire() != "" || !zero.Equal(secret.New("")) || zero.Equal(secret.New("x")) {
		t.Error("the zero value is not the empty secret")
	}
}

func TestArrivedTellsOfLongSecretsOnly(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		{"", "empty"},
		{"x", "received"},
		{"fifteen-letters", "received"},
		{"sixteen-letters!", "16 characters, ends in s!"},
		{strings.Repeat("ä", 15), "received"},
		{strings.Repeat("ä", 14) + "öü", "16 characters, ends in öü"},
		{strings.Repeat("x", 40) + "\x1b\u202e", "42 characters, ends in \uFFFD\uFFFD"},
	} {
		if got := secret.New(c.value).Arrived(); got != c.want {
			t.Errorf("%q: got %q, want %q", c.value, got, c.want)
		}
	}
}

func TestScrubberTakesTheLongestFirst(t *testing.T) {
	for _, order := range [][]string{{"pass", "password", "password-2"}, {"password-2", "password", "pass"}, {"password", "password-2", "pass", "pass"}} {
		c := &secret.Scrubber{}
		for _, s := range order {
			c.Add(secret.New(s))
		}
		got := c.Scrub("a password-2 b password c pass d password-2")
		want := fmt.Sprintf("a %[1]s b %[1]s c %[1]s d %[1]s", secret.Mask)
		if got != want {
			t.Errorf("%v: got %q", order, got)
		}
	}
}

func TestScrubberLeavesShortValuesOut(t *testing.T) {
	c := &secret.Scrubber{}
	for _, s := range []string{"", "a", "is", "the"} {
		c.Add(secret.New(s))
	}
	if got := c.Scrub("this is the text"); got != "this is the text" {
		t.Error(got)
	}
	c.Add(secret.New("text"))
	if got := c.Scrub("this is the text"); got != "this is the "+secret.Mask {
		t.Error(got)
	}
	if got := (*secret.Scrubber)(nil).Scrub("x"); got != "x" {
		t.Error(got)
	}
}

func TestScrubberIsForSeveralGoroutines(t *testing.T) {
	c := &secret.Scrubber{}
	var wg sync.WaitGroup
	fail := make(chan string, 200)
	for g := range 8 {
		wg.Go(func() {
			for i := range 25 {
				s := fmt.Sprintf("secret-%d-%02d-end", g, i)
				c.Add(secret.New(s))
				if got := c.Scrub("it is " + s); got != "it is "+secret.Mask {
					fail <- got
				}
			}
		})
	}
	wg.Wait()
	close(fail)
	for got := range fail {
		t.Error(got)
	}
}

func TestScrubbedTextHoldsNoSecret(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.StringMatching(`[ab]{4,8}`), 1, 5).Draw(t, "values")
		c := &secret.Scrubber{}
		for _, v := range values {
			c.Add(secret.New(v))
		}
		got := c.Scrub(strings.Join(rapid.SliceOf(rapid.SampledFrom(append(values, " ", "a", "b"))).Draw(t, "text"), ""))
		for _, v := range values {
			if strings.Contains(got, v) {
				t.Fatalf("%q holds %q", got, v)
			}
		}
	})
}

func TestErrorsThatCarryASecret(t *testing.T) {
	type refusal struct {
		error
		sent secret.Secret
	}
	err := error(refusal{errors.New("refused"), secret.New(marker)})
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if out := fmt.Sprintf(verb, fmt.Errorf("signing in: %w", err)); shows(out, marker) {
			t.Errorf("%s: %s", verb, out)
		}
		if out := fmt.Sprintf(verb, errors.Join(err, errors.New("more"))); shows(out, marker) {
			t.Errorf("%s joined: %s", verb, out)
		}
	}
}

// TestSizeShowsNoCharacter of the secret.
func TestSizeShowsNoCharacter(t *testing.T) {
	if got := secret.New("sixteen-lettersä").Size(); got != "16 characters" {
		t.Errorf("it says %q", got)
	}
}
