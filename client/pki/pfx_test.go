package pki

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

func TestPFXComesBack(t *testing.T) {
	for kind, key := range map[KeyKind]crypto.Signer{RSA2048: rsaKey(t, 2048), ECDSAP256: ecKey(t)} {
		c := newChain(t, key)
		chain, err := Chain(key, c.all())
		must(t, err)
		for _, e := range []Encryption{Modern, Legacy} {
			for _, words := range []string{"a passphrase", "Grüße, \"und\" 100 €", ""} {
				raw, err := PFXWith(key, chain, secret.New(words), e, 1000)
				if err != nil {
					t.Fatalf("%s %s: %v", kind, e, err)
				}
				got, err := ParsePFX("a.pfx", raw, secret.New(words))
				if err != nil {
					t.Fatalf("%s %s: %v", kind, e, err)
				}
				if !sameKey(got.Key.Public(), key.Public()) || subjectsOf(got.Certificates) != "auditor, Contoso Issuing, Contoso Root" {
					t.Errorf("%s %s: %s", kind, e, subjectsOf(got.Certificates))
				}
				_, err = ParsePFX("a.pfx", raw, secret.New("wrong"))
				if !errors.Is(err, ErrPassphrase) || !problem.Is(err, problem.Usage) {
					t.Errorf("%s %s, wrong passphrase: %v", kind, e, err)
				}
			}
		}
	}
}

func TestPFXInOtherForms(t *testing.T) {
	key := ecKey(t)
	raw, err := PFXWith(key, Chained{Leaf: parsedOf(t, selfMade(t, template("auditor"), key))}, secret.New("x"), Modern, 1000)
	must(t, err)
	for name, form := range map[string][]byte{"Base64": []byte(base64.StdEncoding.EncodeToString(raw)), "BER": ber(raw), "line end": append(bytes.Clone(raw), "\r\n"...)} {
		if got, err := ParsePFX("a.pfx", form, secret.New("x")); err != nil || len(got.Certificates) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPFXRefusals(t *testing.T) {
	key := ecKey(t)
	leaf := parsedOf(t, selfMade(t, template("auditor"), key))
	chain := Chained{Leaf: leaf}
	if _, err := PFX(ecKey(t), chain, secret.New("x"), Modern); !errors.Is(err, errMismatch) {
		t.Errorf("another key: %v", err)
	}
	if _, err := PFX(key, chain, secret.New("x"), "rc2"); !problem.Is(err, problem.Usage) {
		t.Errorf("another encryption: %v", err)
	}
	if _, err := PFX(key, chain, secret.New("secret 😀"), Modern); err == nil || strings.Contains(err.Error(), "😀") {
		t.Errorf("a passphrase that does not fit: %v", err)
	}
	raw, err := PFX(key, chain, secret.New("x"), Modern)
	must(t, err)
	if _, err := ParsePFX("a.pfx", raw, secret.Secret{}); !errors.Is(err, ErrPassphrase) || !strings.Contains(err.Error(), "encrypted with a passphrase") {
		t.Errorf("no passphrase: %v", err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		says string
	}{
		"certificate": {leaf.X509.Raw, "no PKCS #12"}, "nothing": {nil, "cut off"}, "text": {[]byte("hello, you"), "cut off"}, "too large": {make([]byte, sizeLimit+1), "1 MiB"},
		"cut off": {raw[:len(raw)-3], "cut off"}, "more behind": {append(bytes.Clone(raw), 1), "behind"},
		"a billion": {iterated(t, raw, 1<<30), "iterations"}, "a million": {iterated(t, raw, 1_000_000), "iterations"}, "too long": {iterated(t, raw, 1<<62), "iterations"},
		"hollow": {[]byte{0x30, 5, 2, 1, 3, 0x30, 0}, "damaged"},
	} {
		_, err := ParsePFX("a\x1b.pfx", c.raw, secret.New("x"))
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\x1b") || len(problem.All(err)[0].Next) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// iterated changes the count of iterations of the MAC, the last integer of the file.
func iterated(t testing.TB, raw []byte, n int64) []byte {
	t.Helper()
	i := bytes.LastIndex(raw, []byte{2, 3, 1, 0x86, 0xa0})
	if i < 0 || i+5 != len(raw) {
		t.Fatal("the count of iterations is not at the end")
	}
	der := []byte{2, 8, byte(n >> 56), byte(n >> 48), byte(n >> 40), byte(n >> 32), byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	mac := bytes.LastIndex(raw[:i], []byte{0x30, 0x48}) // MacData
	if mac < 0 || mac+2+0x48 != len(raw) {
		t.Fatal("MacData is not where it was")
	}
	out := append(bytes.Clone(raw[:i]), der...)
	out[mac+1] += 5
	size := (int(out[2])<<8 | int(out[3])) + 5
	out[2], out[3] = byte(size>>8), byte(size)
	return out
}

func TestP7B(t *testing.T) {
	c := newChain(t, rsaKey(t, 2048))
	raw, err := P7B(c.all())
	must(t, err)
	found, err := ParseBundle("a.p7b", raw)
	if err != nil || subjectsOf(found) != "auditor, Contoso Issuing, Contoso Root" {
		t.Errorf("%s %v", subjectsOf(found), err)
	}
}
