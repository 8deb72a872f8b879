package secret_test

import (
	"strings"
	"testing"

	"npsetup/steps/secret"
)

func TestParseReference(t *testing.T) {
	for text, want := range map[string]secret.Reference{
		"prompt":              {Source: secret.Prompt},
		"env:NPS_PASSWORD":    {Source: secret.Env, Name: "NPS_PASSWORD"},
		"env:_x9":             {Source: secret.Env, Name: "_x9"},
		"file:/etc/nps":       {Source: secret.File, Name: "/etc/nps"},
		`file:C:\keys\nps`:    {Source: secret.File, Name: `C:\keys\nps`},
		"file: with blanks ":  {Source: secret.File, Name: " with blanks "},
		"keyring:nps":         {Source: secret.Keyring, Name: "nps"},
		"keyring:nps:admin@x": {Source: secret.Keyring, Name: "nps:admin@x"},
	} {
		got, err := secret.ParseReference(text)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("%q is spelled %q", text, got)
		}
	}
	for _, text := range []string{
		"", "hunter22", "env", "env:", "env:9X", "env:A B", "env:A-B", "env:Ä", "file", "file:", "keyring:", "prompt:", "prompt:x", "Prompt", " prompt",
		"ENV:X", "vault:x", ":x", "env :X",
	} {
		got, err := secret.ParseReference(text)
		if err == nil {
			t.Errorf("%q is taken as %+v", text, got)
			continue
		}
		for _, must := range []string{"env:NAME", "file:PATH", "keyring:NAME", "prompt"} {
			if !strings.Contains(err.Error(), must) {
				t.Errorf("%q: the error does not name %s: %v", text, must, err)
			}
		}
	}
	if got := (secret.Reference{Source: secret.Source(99), Name: marker}).String(); got != "unknown" {
		t.Error(got)
	}
}

// FuzzParseReference holds that a secret which somebody typed in place of a reference is not repeated.
func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"", "prompt", "env:X", "file:/x", "keyring:a", "hunter22", "env:9", "a secret is given as", "env:\x00", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := secret.ParseReference(text)
		if err == nil {
			if r.String() != text {
				t.Fatalf("%q is spelled %q", text, r)
			}
			return
		}
		_, fixed := secret.ParseReference("")
		if err.Error() != fixed.Error() {
			t.Fatalf("the error depends on the text %q: %v", text, err)
		}
		if r != (secret.Reference{}) {
			t.Fatalf("%q: refused, and given as %+v", text, r)
		}
	})
}
