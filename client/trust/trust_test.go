package trust

import (
	"strings"
	"testing"

	"npsetup/steps/problem"
)

const hex64 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

func TestParseTrust(t *testing.T) {
	pin := Choice{Kind: Pin, SHA256: hex64}
	colons := strings.TrimSuffix(strings.ToUpper(strings.Join(strings.SplitAfterN(hex64, "", 64), "")), "")
	var spaced strings.Builder
	for i := 0; i < 64; i += 2 {
		spaced.WriteString(colons[i:i+2] + ":")
	}
	for text, want := range map[string]Choice{
		"system": {}, " System ": {}, "ca:corp.pem": {Kind: CAFile, File: "corp.pem"}, `CA:C:\pki\corp ca.cer`: {Kind: CAFile, File: `C:\pki\corp ca.cer`},
		"pin:sha256:" + hex64: pin, "PIN:SHA256:" + strings.ToUpper(hex64): pin, "pin:sha256:" + strings.TrimSuffix(spaced.String(), ":"): pin,
		"pin:sha256: " + strings.ReplaceAll(spaced.String(), ":", " "): pin, "pin:sha256:\u200e" + hex64: pin, "\u200epin:sha256:" + hex64 + "\u200e": pin,
	} {
		got, err := ParseTrust(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
		if again, err := ParseTrust(got.String()); err != nil || again != got {
			t.Errorf("%q does not read back: %+v %v", got, again, err)
		}
	}
}

func TestParseTrustRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"": "none of system", "yes": "none of system", "hunter2": "none of system", "ca:": "names no file", "ca: ": "names no file", "pin:": "pin:sha256:",
		"pin:" + hex64: "pin:sha256:", "pin:sha1:" + hex64[:40]: "only SHA-256", "pin:sha256:" + hex64[:40]: "SHA-1 thumbprint",
		"pin:sha256:" + hex64[:63]: "64 hex digits", "pin:sha256:" + hex64 + "00": "64 hex digits", "pin:sha256:3f1c…": "no hex digit", "insecure": "none of system",
	} {
		_, err := ParseTrust(text)
		wantProblem(t, err, problem.Usage, says)
		if len(text) > 6 && err != nil && strings.Contains(err.Error(), text) {
			t.Errorf("the text is repeated: %v", err)
		}
	}
}

func FuzzParseTrust(f *testing.F) {
	for _, s := range []string{"system", "ca:x", "pin:sha256:" + hex64, "pin:sha256:00:11", "\u200epin", "ca:\x1b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseTrust(text)
		if err != nil {
			return
		}
		if c.Kind == Pin && len(c.SHA256) != 64 || c.Kind == CAFile && c.File == "" {
			t.Fatalf("%q became %+v", text, c)
		}
	})
}
