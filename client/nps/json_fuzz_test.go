package nps

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"npsetup/steps/npsapi"
	"npsetup/steps/problem"
	"npsetup/steps/secret"
)

// canned answers every request with one body.
type canned struct {
	contentType string
	body        []byte
}

// RoundTrip implements http.RoundTripper.
func (c canned) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {c.contentType}}, Body: io.NopCloser(bytes.NewReader(c.body)), Request: req, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// FuzzServerJSON gives answers of any kind to what reads them: a list, an object, version, licence, health, rows with a status.
func FuzzServerJSON(f *testing.F) {
	for _, seed := range []string{
		`{"data":[{"id":"a","name":"b"}],"recordsTotal":1}`, `[{"id":"a"}]`, `{"recordsTotal":1e99,"data":[]}`, `{"recordsTotal":-1,"data":[{}]}`, `{"data":null}`, `{"data":{}}`, `null`, `[`, `{"data":[1,"a",null,[[]]]`,
		`{"isExpired":"maybe","expirationDateTimeUtc":"0000-00-00T00:00:00Z"}`, `"25.12.00002"`, `{"isExpired":true}`, `[{"id":"x","status":500,"message":"\u001b[2J\u202e"}]`, `[{"status":"Created"},{"status":{}}]`,
		`{"data":[{"id":"a"}],"data":[{"id":"b"}],"recordsTotal":2}`, "\xef\xbb\xbf[]", "\xff\xfe", "<html>", `{"recordsTotal":9223372036854775807,"data":[{"id":"a"}]}`,
	} {
		f.Add("application/json", []byte(seed))
		f.Add("text/plain", []byte(seed))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		c, err := New(Options{BaseURL: "https://nps:6500/", Wait: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }})
		if err != nil {
			t.Fatal(err)
		}
		c.reads = c.httpClient(canned{contentType, body}, sameHost)
		c.session.set(func(s *state) { s.token = secret.New("a.b.c") })
		ctx, rows := context.Background(), 0
		plainly(t, c.List(ctx, npsapi.ListDomains(), func(row json.RawMessage) (bool, error) {
			if rows++; !json.Valid(row) {
				t.Errorf("a row is %q", row)
			}
			return rows < 1000, nil
		}))
		plainly(t, c.List(ctx, npsapi.ListConnectionProfiles(), func(json.RawMessage) (bool, error) { rows++; return rows < 2000, nil }))
		if rows > 2000 {
			t.Errorf("%d rows", rows)
		}
		version, err := c.Version(ctx)
		plainly(t, err)
		_ = version
		licence, err := c.License(ctx)
		plainly(t, err)
		if !utf8.ValidString(licence.String()) {
			t.Errorf("%q", licence)
		}
		_, err = c.Greet(ctx)
		plainly(t, err)
		r, _, err := c.gate.admit(npsapi.Version(), nil)
		if err != nil {
			t.Fatal(err)
		}
		plainly(t, c.rowFaults(r, body))
	})
}

// plainly demands that an error can be shown, and says what to do.
func plainly(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		return
	}
	if text := err.Error(); !utf8.ValidString(text) || problem.Plain(text) != text || len(text) > 8*longest {
		t.Errorf("%q", text)
	}
	for _, p := range problem.All(err) {
		if p.What == "" || len(p.Next) == 0 {
			t.Errorf("%+v", p)
		}
	}
}

// FuzzTOTPSecret reads whatever is pasted as an authenticator's secret: what is refused is not repeated.
func FuzzTOTPSecret(f *testing.F) {
	for _, seed := range []string{"JBSWY3DPEHPK3PXP", "jbsw y3dp-ehpk 3pxp", "", "=", "123456", "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP", "JBSWY3DPEHPK3PX\x00", "\u202eJBSW", "A"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		code, err := TOTP(secret.New(text), time.Now).Code(context.Background())
		if err != nil {
			plainly(t, err)
			if len(text) > 40 && strings.Contains(err.Error(), text) {
				t.Errorf("the fault repeats the secret: %v", err)
			}
			return
		}
		if digits := code.Wire(); len(digits) != 6 || strings.Trim(digits, "0123456789") != "" {
			t.Errorf("the code is %q", digits)
		}
	})
}
