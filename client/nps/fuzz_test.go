package nps

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"npsetup/steps/problem"
)

func FuzzToken(f *testing.F) {
	good := jwt(map[string]any{claimRole: []string{"Admin"}, "exp": 1772366400, "iat": "1"})
	for _, seed := range []string{good, `"` + good + `"`, "'" + good + "'", "", `"`, "a.b.c", `{"a":"b"}`, "..", "eyJ.eyJhIjpudWxsfQ.x", "\x00.\x00.\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		token, err := parseToken(text)
		if err != nil {
			if err.Error() != errNoToken.Error() {
				t.Errorf("the error repeats its text: %v", err)
			}
			return
		}
		if strings.ContainsAny(token, " \r\n\t\"") || strings.Count(token, ".") != 2 {
			t.Errorf("%q would break a header", token)
		}
		again, err := parseToken(quoted(token))
		if err != nil || again != token {
			t.Errorf("%q in quotes is %q (%v)", token, again, err)
		}
		cl, err := readClaims(token)
		if err != nil {
			return
		}
		cl.identity()
		if life, ok := cl.life(time.Time{}, time.Unix(0, 0)); ok && life < 0 {
			t.Errorf("it lives %s", life)
		}
	})
}

func FuzzErrorBody(f *testing.F) {
	for _, seed := range []string{`{"errors":{"a":["b"]},"traceId":"t"}`, `{"errors":[[[["x"]]]]}`, "<html><title>x", "\xff\xfe", `"s"`, "null", `{"title":7}`, "<!DOCTYPE html><script>", "\x1b]52;"} {
		f.Add("application/json", []byte(seed))
		f.Add("text/html", []byte(seed))
		f.Add("", []byte(seed))
	}
	c, err := New(Options{BaseURL: "https://nps:6500/"})
	if err != nil {
		f.Fatal(err)
	}
	r, err := c.authRequest("userToken", nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		for _, status := range []int{400, 403, 404, 405, 500} {
			err := c.refusal(r, status, contentType, body)
			p := problem.All(err)[0]
			if p.What == "" || p.Why == "" || len(p.Next) == 0 {
				t.Errorf("%d: %+v", status, p)
			}
			if text := err.Error(); !utf8.ValidString(text) || problem.Plain(text) != text || len(text) > 8*longest {
				t.Errorf("%d: %q", status, text)
			}
		}
	})
}
