package pki

import (
	"math/big"
	"strings"
	"testing"
)

func TestSerialIsTheBytesOfTheDER(t *testing.T) {
	key := ecKey(t)
	for want, n := range map[string]int64{"1234": 0x1234, "0A1B": 0xa1b, "00F1B2": 0xf1b2, "01": 1, "0100": 0x100} {
		c := template("x")
		c.SerialNumber = big.NewInt(n)
		if got := parsedOf(t, selfMade(t, c, key)); got.Serial != want {
			t.Errorf("%x: %s, not %s", n, got.Serial, want)
		}
	}
}

func TestNegativeSerial(t *testing.T) {
	c := parsedOf(t, negative(t))
	if c.Serial != "8501" || !c.SelfSigned || c.Subject != "CN=negative" {
		t.Errorf("%+v", c)
	}
	if !SameSerial(c.Serial, "85 01") || SameSerial(c.Serial, "05 01") {
		t.Error("compared wrongly")
	}
}

func TestNormaliseSerial(t *testing.T) {
	for text, want := range map[string]string{
		"0A1B": "0A1B", "a1b": "0A1B", "0a:1b": "0A1B", " 0a 1b\t\r\n": "0A1B", "\u200e0a1b": "0A1B", "0a\u200b1b\ufeff": "0A1B",
		"12 34 56 78 9a bc de f0": "123456789ABCDEF0", "\u200e 00 f1 b2": "00F1B2", "f1:b2:0c": "F1B20C", "1b2": "01B2", "\u202d0a1b\u202c": "0A1B", "\u00ad0a1b": "0A1B", "0a\u20071b": "0A1B", "\u2060a1b": "0A1B",
		"0x0a1b": "0A1B", "0XA1B": "0A1B", "\u200e0x0a1b": "0A1B", "0a\u00a01b": "0A1B", "00f1": "00F1", "0": "00", "0a-1b": "0A1B",
	} {
		if got, err := NormaliseSerial(text); err != nil || got != want {
			t.Errorf("%q: %q %v, not %q", text, got, err, want)
		}
	}
	for _, text := range []string{"", "  ", "0x", "\u200e", "xyz", "12 34 g", "-1A", "\u200e-0x1A", "1.5", "0x0x12", strings.Repeat("A", 300)} {
		if got, err := NormaliseSerial(text); err == nil {
			t.Errorf("%q was taken, as %q", text, got)
		}
	}
}

func TestSerialSpellings(t *testing.T) {
	for text, want := range map[string]string{
		"00F1B2": "00F1B2 F1B2", "\u200ef1 b2": "00F1B2 F1B2", "0A1B": "0A1B", "a1b": "0A1B", "000A1B": "000A1B 0A1B", "0": "00", "0000": "0000 00", "7f": "7F", "80": "0080 80",
	} {
		got, err := SerialSpellings(text)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: %v %v, not %s", text, got, err, want)
		}
		for _, s := range got {
			if !SameSerial(s, text) {
				t.Errorf("%q is another number than %q", s, text)
			}
		}
	}
	if got, err := SerialSpellings("xyz"); err == nil {
		t.Errorf("%v", got)
	}
}

func TestSameSerial(t *testing.T) {
	for _, same := range [][2]string{{"00F1B2", "f1b2"}, {"0A1B", "a1b"}, {"0A1B", "\u200e0a 1b"}, {"00", "0"}, {"F1:B2", "00f1b2"}} {
		if !SameSerial(same[0], same[1]) || !SameSerial(same[1], same[0]) {
			t.Errorf("%q and %q are the same", same[0], same[1])
		}
	}
	for _, other := range [][2]string{{"", ""}, {"zz", "zz"}, {"0A1B", "0A1C"}, {"F1B200", "F1B2"}, {"A0", "0A"}, {"-1A", "1A"}, {"00", ""}} {
		if SameSerial(other[0], other[1]) {
			t.Errorf("%q and %q are not the same", other[0], other[1])
		}
	}
}

func FuzzNormaliseSerial(f *testing.F) {
	for _, s := range []string{"0a1b", "\u200e0x 1", "-1", "0x0x", "\xff", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := NormaliseSerial(text)
		if err != nil {
			return
		}
		if again, err := NormaliseSerial(s); err != nil || again != s || len(s)%2 != 0 || strings.Trim(s, "0123456789ABCDEF") != "" || s == "" {
			t.Fatalf("%q became %q, and that %q (%v)", text, s, again, err)
		}
		if !SameSerial(text, s) || !SameSerial("00"+s, s) {
			t.Fatalf("%q is not the same as %q", text, s)
		}
	})
}
