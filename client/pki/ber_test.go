package pki

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ber writes DER again with indefinite lengths for all containers outside of certificates, and octet strings of the outermost
// part in pieces, as streaming writers do.
func ber(der []byte) []byte { return indefinite(der, 4) }

func indefinite(der []byte, levels int) []byte {
	w := berWalk{raw: der}
	content, length, err := w.header(0, len(der))
	if err != nil {
		panic(err)
	}
	if der[0]&0x20 == 0 || levels == 0 {
		return der[:content+length]
	}
	out := []byte{der[0], 0x80}
	for inside := der[content : content+length]; len(inside) > 0; {
		w := berWalk{raw: inside}
		content, length, err := w.header(0, len(inside))
		if err != nil {
			panic(err)
		}
		out = append(out, indefinite(inside[:content+length], levels-1)...)
		inside = inside[content+length:]
	}
	return append(out, 0, 0)
}

func TestDefinite(t *testing.T) {
	long := bytes.Repeat([]byte{1}, 200)
	for name, c := range map[string]struct{ raw, want []byte }{
		"DER stays":              {[]byte{0x30, 3, 2, 1, 5}, []byte{0x30, 3, 2, 1, 5}},
		"indefinite":             {[]byte{0x30, 0x80, 2, 1, 5, 0, 0}, []byte{0x30, 3, 2, 1, 5}},
		"empty indefinite":       {[]byte{0x30, 0x80, 0x31, 0x80, 0, 0, 0, 0}, []byte{0x30, 2, 0x31, 0}},
		"in a definite one":      {[]byte{0x30, 9, 0x31, 0x80, 0, 0, 2, 3, 1, 1, 1}, []byte{0x30, 7, 0x31, 0, 2, 3, 1, 1, 1}},
		"needless long length":   {[]byte{0x30, 0x82, 0, 3, 2, 1, 5}, []byte{0x30, 3, 2, 1, 5}},
		"octets in parts":        {[]byte{0x24, 0x80, 4, 1, 7, 4, 2, 8, 9, 0, 0}, []byte{4, 3, 7, 8, 9}},
		"octets in parts, twice": {[]byte{0x30, 0x80, 0x24, 0x80, 0x24, 3, 4, 1, 7, 4, 1, 8, 0, 0, 5, 0, 0, 0}, []byte{0x30, 6, 4, 2, 7, 8, 5, 0}},
		"octets of no parts":     {[]byte{0x24, 0x80, 0, 0}, []byte{4, 0}},
		"becomes a long length":  {append(append([]byte{0x30, 0x80, 4, 0x81, 200}, long...), 0, 0), append([]byte{0x30, 0x81, 203, 4, 0x81, 200}, long...)},
		"line end behind":        {[]byte{0x30, 0x80, 0, 0, '\r', '\n'}, []byte{0x30, 0}},
		"last byte a line feed":  {[]byte{0x30, 3, 2, 1, '\n'}, []byte{0x30, 3, 2, 1, '\n'}},
	} {
		got, err := definite(c.raw)
		if err != nil || !bytes.Equal(got, c.want) {
			t.Errorf("%s: % x, %v", name, got, err)
		}
		if again, err := definite(got); err != nil || !bytes.Equal(again, got) {
			t.Errorf("%s, again: % x, %v", name, again, err)
		}
	}
}

func TestDefiniteRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		raw  []byte
		says string
	}{
		"nothing":                   {nil, "cut off"},
		"half a header":             {[]byte{0x30}, "cut off"},
		"half a length":             {[]byte{0x30, 0x82, 1}, "cut off"},
		"length of five bytes":      {[]byte{0x30, 0x85, 0, 0, 0, 0, 1, 5}, "cut off"},
		"child leaves its parent":   {[]byte{0x30, 4, 0x30, 3, 5, 0, 0x05, 0}, "longer than the whole"},
		"value leaves its parent":   {[]byte{0x30, 2, 4, 1, 7}, "longer than the whole"},
		"end is missing":            {[]byte{0x30, 0x80, 5, 0}, "cut off"},
		"end of the parent is":      {[]byte{0x30, 6, 0x30, 0x80, 5, 0, 5, 0}, "cut off"},
		"value without length":      {[]byte{0x04, 0x80, 0, 0}, "length of a value"},
		"high tag":                  {[]byte{0x3f, 0x81, 1, 0}, "a tag that"},
		"high tag inside":           {[]byte{0x30, 3, 0x1f, 1, 0}, "a tag that"},
		"octets of another kind":    {[]byte{0x24, 3, 2, 1, 5}, "another kind"},
		"something behind":          {[]byte{0x30, 0, 0x30, 0}, "behind its end"},
		"33 deep":                   {deep(33), "too deeply"},
		"two million deep":          {bytes.Repeat([]byte{0x30, 0x80}, 2_000_000), "too deeply"},
		"too many parts":            {flat(berElements), "too many parts"},
		"too much to copy":          {heavy(), "too deeply"},
		"end in the midst of a tag": {[]byte{0x30, 0x80, 0}, "cut off"},
	} {
		if got, err := definite(c.raw); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: % x, %v", name, got, err)
		}
	}
	for name, raw := range map[string][]byte{"32 deep": deep(32), "as many parts as may be": flat(berElements - 1)} {
		if _, err := definite(raw); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// deep is n sequences of indefinite length, one in the other.
func deep(n int) []byte {
	return append(bytes.Repeat([]byte{0x30, 0x80}, n), make([]byte, 2*n)...)
}

// flat is a sequence with n empty parts.
func flat(n int) []byte {
	return append(append([]byte{0x30, 0x80}, bytes.Repeat([]byte{5, 0}, n)...), 0, 0)
}

// heavy is a value of a megabyte twenty containers deep.
func heavy() []byte {
	b := append([]byte{4, 0x83, 0x0f, 0x00, 0x00}, make([]byte, 0x0f0000)...)
	return append(append(bytes.Repeat([]byte{0x30, 0x80}, 20), b...), make([]byte, 40)...)
}

// payload makes n bytes that cost a parser without a guard the square of it: every container of a few bytes claims all that
// follows, far beyond its parent.
func payload(n int) []byte {
	b := []byte{0x30, 0x80, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0x80}
	for len(b) < n-8 {
		rest := n - len(b) - 4
		b = append(b, 0x30, 0x82, byte(rest>>8), byte(rest))
	}
	return append(b, make([]byte, n-len(b))...)
}

// Whatever hurts a parser without a guard costs a tenth of a second and some megabytes here.
func TestInputsThatHurt(t *testing.T) {
	key := ecKey(t)
	der := selfMade(t, template("auditor"), key)
	p7, err := P7B([]Certificate{parsedOf(t, der)})
	must(t, err)
	inputs := map[string][]byte{
		"nested": bytes.Repeat([]byte{0x30, 0x80}, 500_000), "nested with ends": deep(250_000), "square 8000": payload(8000), "square 32000": payload(32000), "square 60000": payload(60000),
		"flat": flat(berElements - 1), "heavy": heavy(), "BER": ber(p7), "megabyte of zeros": make([]byte, sizeLimit), "certificates of nothing": bytes.Repeat([]byte{0x30, 0x81, 0}, sizeLimit/3),
	}
	files, _ := filepath.Glob("../../../shared/data/pkcs7/*")
	for _, f := range files {
		raw, err := os.ReadFile(f)
		must(t, err)
		inputs[filepath.Base(f)] = raw
	}
	for name, raw := range inputs {
		for what, read := range map[string]func(){
			"bundle": func() { _, _ = ParseBundle("f", raw) }, "pkcs7": func() { _, _ = inPKCS7(raw[:min(len(raw), sizeLimit)]) }, "certificate": func() { _, _ = ParseCertificate("f", raw) },
		} {
			took, allocated := spend(read)
			if took > 100*time.Millisecond*slowness {
				t.Errorf("%s as %s took %v", name, what, took)
			}
			if allocated > 64<<20 {
				t.Errorf("%s as %s allocated %d MiB", name, what, allocated>>20)
			}
		}
	}
}

// The published inputs hold certificates that can be read, or nothing.
func TestPublishedBundles(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/data/pkcs7/certs*.p7b")
	if len(files) == 0 {
		t.Skip("SKIPPED: the outer folder with PKCS #7 files of other programs is not there; those that the tests make were read")
	}
	for _, f := range files {
		found, err := ReadBundle(f)
		if err != nil || len(found) == 0 {
			t.Errorf("%s: %d, %v", filepath.Base(f), len(found), err)
		}
	}
}
