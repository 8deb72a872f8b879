package passwordsecure

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

var (
	privateHalf = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("private-", 40)))
	tokenHalf   = token(map[string]any{"dbn": "NPSVault", "usrn": "svc-nps", "exp": 1830000000})
	wholeKey    = tokenHalf + ":" + privateHalf
)

func token(claims map[string]any) string {
	raw, _ := json.Marshal(claims)
	b := base64.RawURLEncoding
	return b.EncodeToString([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + b.EncodeToString(raw) + "." + b.EncodeToString([]byte("signature of the server"))
}

func parse64(text string) (Key, error) { return ParseKey(secret.New(text)) }

func TestParseKey(t *testing.T) {
	for name, paste := range map[string]string{
		"bare": wholeKey, "ends": "\r\n  " + wholeKey + "\n\n", "quotes": `"` + wholeKey + `"`, "mark": "\ufeff" + wholeKey,
		"wrapped": wholeKey[:70] + "\r\n" + wholeKey[70:150] + "\r\n" + wholeKey[150:], "blank": wholeKey[:40] + " " + wholeKey[40:], "around": tokenHalf + " :\u00a0" + privateHalf,
		"zero width": wholeKey[:33] + "\u200b" + wholeKey[33:],
	} {
		k, err := parse64(paste)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !k.Secret().Equal(secret.New(wholeKey)) || k.Database != "NPSVault" || k.User != "svc-nps" || !k.Expires.Equal(time.Unix(1830000000, 0)) {
			t.Errorf("%s: %+v", name, k)
		}
		if mended := name != "bare" && name != "ends"; (len(k.Notes) > 0) != mended {
			t.Errorf("%s: notes %q", name, k.Notes)
		}
	}
}

func TestEveryFaultOfAPasteHasItsSentence(t *testing.T) {
	pastes := map[KeyFault][]string{
		KeyEmpty: {"", " \r\n", `""`}, KeyTooLong: {strings.Repeat("a", maxKey+1)}, KeyForeign: {"hello", "https//x/y", "a.b.c.d.e:" + privateHalf},
		KeyNoToken: {privateHalf}, KeyNoPrivate: {tokenHalf, tokenHalf + ":", tokenHalf + ":\n"}, KeyNoColon: {tokenHalf + "=" + privateHalf, tokenHalf + "/" + privateHalf},
		KeyWrongSeparator: {tokenHalf + ";" + privateHalf, tokenHalf + "." + privateHalf, tokenHalf + "|" + privateHalf, tokenHalf + "\uff1a" + privateHalf},
		KeyBlankForColon:  {tokenHalf + " " + privateHalf, tokenHalf + "\t" + privateHalf}, KeyLineForColon: {tokenHalf + "\r\n" + privateHalf},
		KeyEncoded: {tokenHalf + "%3A" + privateHalf}, KeyColons: {wholeKey + ":x", "https://" + wholeKey, tokenHalf + "::" + privateHalf}, KeyTwice: {wholeKey + wholeKey, wholeKey + "\n" + wholeKey},
		KeySwapped: {privateHalf + ":" + tokenHalf}, KeyLabelled: {"API key: " + wholeKey, "Token: " + tokenHalf},
		KeyTokenCut:     {tokenHalf[strings.Index(tokenHalf, ".")+1:] + ":" + privateHalf, tokenHalf[:strings.LastIndex(tokenHalf, ".")+1] + ":" + privateHalf},
		KeyTokenDamaged: {wholeKey[5:], "x" + wholeKey, "..:" + privateHalf, "bnVsbA.bnVsbA.eA:" + privateHalf},
		KeyNotBase64:    {tokenHalf + ":" + privateHalf + "ä", tokenHalf + ":" + privateHalf[:20] + "-" + privateHalf[20:], tokenHalf + ":a===", tokenHalf + ":=aaa"},
		KeyCut:          {wholeKey[:len(wholeKey)-1], wholeKey[:len(wholeKey)-6]},
	}
	sentences := map[string]KeyFault{}
	for f := KeyEmpty; f <= KeyCut; f++ {
		if len(pastes[f]) == 0 {
			t.Errorf("fault %d has no paste", f)
		}
		for _, paste := range pastes[f] {
			k, err := parse64(paste)
			var p *problem.Problem
			if KeyFaultOf(err) != f || !errors.As(err, &p) || p.Kind != problem.Usage || p.Why == "" || len(p.Next) == 0 {
				t.Errorf("fault %d of %.30q…: fault %d, %v", f, paste, KeyFaultOf(err), err)
				continue
			}
			if other, taken := sentences[p.Why]; taken && other != f {
				t.Errorf("faults %d and %d say the same: %s", f, other, p.Why)
			}
			sentences[p.Why] = f
			silent(t, paste, fmt.Sprintf("%v %+v %+v", err, p, k))
		}
	}
	if KeyFaultOf(errors.New("x")) != 0 {
		t.Error("any error is a fault of a key")
	}
}

// silent demands that said holds nothing of a paste that tells.
func silent(t interface {
	Errorf(string, ...any)
	Helper()
}, paste, said string,
) {
	t.Helper()
	for _, part := range []string{tokenHalf, privateHalf} {
		for at := 0; at+12 <= len(part); at += 7 {
			if piece := part[at : at+12]; strings.Contains(paste, piece) && strings.Contains(said, piece) {
				t.Errorf("a part of the key is told: %s", said)
				return
			}
		}
	}
}

func TestKeyPrintsNothingOfItself(t *testing.T) {
	k, err := parse64(wholeKey)
	if err != nil {
		t.Fatal(err)
	}
	raw, _ := json.Marshal(k)
	silent(t, wholeKey, fmt.Sprintf("%v %+v %#v %s", k, k, k, raw))
	// The check itself must be able to fail.
	caught := &recorder{}
	silent(caught, wholeKey, "it is "+wholeKey[:60])
	if !caught.failed {
		t.Error("a planted part was not found")
	}
}

type recorder struct{ failed bool }

func (r *recorder) Errorf(string, ...any) { r.failed = true }
func (r *recorder) Helper()               {}

func TestClaims(t *testing.T) {
	for name, c := range map[string]struct {
		claims map[string]any
		want   Key
		notes  int
	}{
		"none":      {map[string]any{}, Key{}, 1},
		"types":     {map[string]any{"dbn": 5, "usrn": []string{"x"}, "exp": "soon"}, Key{}, 1},
		"text date": {map[string]any{"dbn": "d", "usrn": "u", "exp": "1830000000"}, Key{Database: "d", User: "u", Expires: time.Unix(1830000000, 0).UTC()}, 0},
		"fraction":  {map[string]any{"dbn": "d", "usrn": "u", "exp": 1830000000.75}, Key{Database: "d", User: "u", Expires: time.Unix(1830000000, 0).UTC()}, 0},
		"far":       {map[string]any{"dbn": "d", "usrn": "u", "exp": 1e300}, Key{Database: "d", User: "u"}, 0},
		"negative":  {map[string]any{"dbn": "d", "usrn": "u", "exp": -5}, Key{Database: "d", User: "u"}, 0},
		"hostile":   {map[string]any{"dbn": "\x1b[2Jd\u202e", "usrn": strings.Repeat("u", 5000)}, Key{Database: "[2Jd", User: strings.Repeat("u", 200) + "…"}, 0},
	} {
		k, err := parse64(token(c.claims) + ":" + privateHalf)
		if err != nil || k.Database != c.want.Database || k.User != c.want.User || !k.Expires.Equal(c.want.Expires) || len(k.Notes) != c.notes {
			t.Errorf("%s: %+v %v", name, k, err)
		}
	}
}

func TestExpiry(t *testing.T) {
	end := time.Unix(1830000000, 0)
	k := Key{Expires: end}
	for now, want := range map[time.Time]Expiry{end.AddDate(0, -6, 0): ExpiryFar, end.AddDate(0, 0, -29): ExpiryNear, end: ExpiryPast, end.AddDate(1, 0, 0): ExpiryPast} {
		if got := k.Expiry(now); got != want {
			t.Errorf("at %s: %d, want %d", now, got, want)
		}
		if err := k.Check(now); (err != nil) != (want == ExpiryPast) {
			t.Errorf("at %s: %v", now, err)
		}
	}
	if (Key{}).Expiry(end) != ExpiryUnknown || (Key{}).Check(end) != nil {
		t.Error("a key without an end ended")
	}
}

func TestACutStructureIsDoubted(t *testing.T) {
	der := append([]byte{0x30, 0x82, 0x04, 0xa0}, make([]byte, 500)...)
	k, err := parse64(tokenHalf + ":" + base64.StdEncoding.EncodeToString(der))
	if err != nil || len(k.Notes) != 1 || !strings.Contains(k.Notes[0], "cut") {
		t.Errorf("%+v %v", k, err)
	}
	der[2], der[3] = 0x01, 0xf4
	if k, err := parse64(tokenHalf + ":" + base64.StdEncoding.EncodeToString(der)); err != nil || len(k.Notes) != 0 {
		t.Errorf("%+v %v", k, err)
	}
}

// TestMendedPastesAreTheKey holds that white space anywhere inside the halves does not change what comes out, and that any cut at
// the end is either noticed or gives another key.
func TestMendedPastesAreTheKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		paste := wholeKey
		for range rapid.IntRange(0, 6).Draw(t, "breaks") {
			at := rapid.IntRange(0, len(paste)).Draw(t, "at")
			paste = paste[:at] + rapid.SampledFrom([]string{"\n", "\r\n", " ", "\t"}).Draw(t, "with") + paste[at:]
		}
		k, err := parse64(paste)
		if err != nil || !k.Secret().Equal(secret.New(wholeKey)) {
			t.Fatalf("%q: %v", paste, err)
		}
		short := wholeKey[:rapid.IntRange(0, len(wholeKey)-1).Draw(t, "length")]
		if k, err := parse64(short); err == nil && k.Secret().Equal(secret.New(wholeKey)) {
			t.Fatal("a cut key is whole")
		}
	})
}

func FuzzParseKey(f *testing.F) {
	for _, s := range []string{wholeKey, tokenHalf, privateHalf, "", ":", "a.b.c:", "e30.e30.eA:QQ==", "e30.e30.eA:MIIC", wholeKey + wholeKey, "\xff:\xfe", "e30.eyJleHAiOjFlNDAwfQ.eA:QQ=="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, paste string) {
		k, err := parse64(paste)
		if err != nil {
			if KeyFaultOf(err) == 0 || !k.Secret().Empty() {
				t.Fatalf("%v %+v", err, k)
			}
			return
		}
		again, err := ParseKey(k.Secret())
		if err != nil || !again.Secret().Equal(k.Secret()) || again.Database != k.Database || again.User != k.User || !again.Expires.Equal(k.Expires) {
			t.Fatalf("%+v became %+v (%v)", k, again, err)
		}
		if problem.Plain(k.Database+k.User) != k.Database+k.User {
			t.Fatalf("%q %q", k.Database, k.User)
		}
		_ = k.Check(time.Unix(0, 0))
	})
}
