package passwordsecure

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

const bom = "\xef\xbb\xbf"

func TestSignIn(t *testing.T) {
	now := time.Unix(1800000000, 0)
	for name, c := range map[string]struct {
		status int
		kind   string
		body   string
		now    time.Time
		want   Proof
		says   string
	}{
		"challenge":         {200, "application/json", bom + `{"Challenge":"QQ==","ChallengeSignature":"Qg==","UserKey":"Qw==","SessionId":"x","EncryptionVersion":2}`, now, Accepted, "signature"},
		"completed by type": {200, "application/json", `{"$type":"AuthenticationCompletedResult"}`, now, Accepted, "completed"},
		"completed":         {200, "text/plain", `{"IsCompleted":true,"SessionKey":"S3CR3T"}`, now, Accepted, "completed"},
		"half a challenge":  {200, "application/json", `{"Challenge":"QQ=="}`, now, NotProven, "neither"},
		"nothing":           {200, "", "", now, NotProven, "not understood"},
		"null":              {200, "application/json", "null", now, NotProven, "neither"},
		"list":              {200, "application/json", "[]", now, NotProven, "not understood"},
		"page":              {200, "text/html", "<html>", now, NotProven, "not understood"},
		"refused":           {401, "text/plain", bom + "Unknown key", now, KeyRefused, "Unknown key"},
		"forbidden":         {403, "text/plain", "", now, KeyRefused, "deleted"},
		"expired, it says":  {401, "text/plain", "The token is EXPIRED", now, KeyExpired, "over"},
		"expired, by date":  {403, "text/plain", "no", time.Unix(1830000001, 0), KeyExpired, "over"},
		"web server":        {401, "text/html", "<html>401.1", now, NotProven, "web server"},
		"wrong place":       {404, "text/html", "<html>", now, NotProven, "Not Found"},
		"broken":            {500, "application/json", `{"a":1}`, now, NotProven, "Internal Server Error"},
		"too long":          {200, "application/json", strings.Repeat(" ", bodyLimit+1), now, NotProven, "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, psr8(), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.kind)
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			})
			k := must(t)
			got := s.trusting(Options{Now: func() time.Time { return c.now }}).SignIn(t.Context(), at(s), k)
			if got.Proof != c.want || got.Status != c.status || !strings.Contains(got.Why, c.says) {
				t.Errorf("%+v", got)
			}
			if err := got.Problem(k); (err != nil) != (c.want >= KeyExpired) || err != nil && !problem.Is(err, problem.Refused) {
				t.Errorf("%v", err)
			}
			if len(s.seen) != 1 || s.seen[0].URL.Path != "/vault/api/"+SignInPath || s.seen[0].Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%d requests, the first %v", len(s.seen), s.seen[0].URL)
			}
			if sent := string(s.sent[0]); strings.Contains(sent, privateHalf[:24]) || !strings.Contains(sent, tokenHalf) {
				t.Error("the body has the private half, or not the token")
			}
			silent(t, wholeKey, fmt.Sprintf("%+v %v", got, got.Problem(k)))
		})
	}
}

func must(t *testing.T) Key {
	t.Helper()
	k, err := parse64(wholeKey)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func at(s *server) Form {
	return Form{Kind: WebApp, URL: "https://ps.contoso.com:" + s.port() + "/vault/api/"}
}

func TestTheServersWordsAreHarmless(t *testing.T) {
	s := serve(t, psr8(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, "\x1b[2J no: "+tokenHalf[:20]+"\u200b"+tokenHalf[20:]+" "+tokenHalf[30:70]+"... "+strings.Repeat("x ", 5000))
	})
	got := s.trusting(Options{}).SignIn(t.Context(), at(s), must(t))
	if problem.Plain(got.Said) != got.Said || len(got.Said) > 450 || got.Said == "" {
		t.Errorf("%q", got.Said)
	}
	silent(t, wholeKey, got.Said)
	if !strings.HasPrefix(got.Said, "[2J no: ") || !strings.Contains(got.Said, "x x x") {
		t.Errorf("its other words are gone: %q", got.Said)
	}
}

func TestSignInIsSentOnlyWhenItMay(t *testing.T) {
	asked := 0
	s := serve(t, psr8(), func(w http.ResponseWriter, r *http.Request) {
		asked++
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	})
	var told []Exchange
	for name, o := range map[string]Options{"off": {NoSignIn: true}, "dry run": {DryRun: true}} {
		if got := s.trusting(o).SignIn(t.Context(), at(s), must(t)); got.Proof != NotProven || got.Status != 0 || got.Why == "" || asked != 0 {
			t.Errorf("%s: %+v, %d requests", name, got, asked)
		}
	}
	if got := s.trusting(Options{}).SignIn(t.Context(), at(s), Key{}); got.Proof != NotProven || asked != 0 {
		t.Errorf("without a key: %+v", got)
	}
	got := s.trusting(Options{Observe: func(e Exchange) { told = append(told, e) }}).SignIn(t.Context(), at(s), must(t))
	if got.Proof != NotProven || asked != 1 {
		t.Errorf("a redirect: %+v, %d requests", got, asked)
	}
	if len(told) != 1 || told[0].Class != plan.Probe || told[0].Status != 307 {
		t.Errorf("%+v", told)
	}
	// A server that is not trusted gets no key, and that proves nothing against it.
	other := serve(t, psr8(), webApp)
	if got := other.trusting(Options{TLS: s.trusting(Options{}).o.TLS}).SignIn(t.Context(), at(other), must(t)); got.Proof != NotProven || len(other.seen) != 0 || got.Why == "" {
		t.Errorf("untrusted: %+v", got)
	}
}

func TestSignInEndsInTime(t *testing.T) {
	ended := make(chan struct{})
	s := serve(t, psr8(), func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); close(ended) })
	got := s.trusting(Options{Timeout: 50 * time.Millisecond}).SignIn(t.Context(), at(s), must(t))
	if got.Proof != NotProven || got.Why == "" {
		t.Errorf("%+v", got)
	}
	<-ended
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := s.trusting(Options{}).SignIn(ctx, at(s), must(t)); got.Proof != NotProven {
		t.Errorf("%+v", got)
	}
}

func TestAssumptionsSayWhy(t *testing.T) {
	for _, a := range Assumptions() {
		if a.Topic == "" || a.Text == "" {
			t.Errorf("%+v", a)
		}
	}
}

// FuzzAnswer: whatever a server answers, its words are harmless, short and without the key, and only a challenge or an end of the
// sign-in counts for the key.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{"", "{}", bom + `{"Challenge":"QQ==","ChallengeSignature":"QQ=="}`, `{"IsCompleted":true}`, "null", "<html>", "\x1b[2J expired", tokenHalf, "\xff\xfe" + privateHalf} {
		for _, status := range []int{200, 401, 500} {
			f.Add(status, "text/plain", "", []byte(body))
		}
	}
	k, err := parse64(wholeKey)
	if err != nil {
		f.Fatal(err)
	}
	c := New(Options{})
	c.o.Scrub.Add(k.token)
	c.o.Scrub.Add(k.whole)
	f.Fuzz(func(t *testing.T, status int, kind, challenge string, body []byte) {
		a := &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {kind}}}
		if challenge != "" {
			a.Header.Set("WWW-Authenticate", challenge)
		}
		got := c.read(a, body, k)
		if got.Why == "" || problem.Plain(got.Said) != got.Said || len([]rune(got.Said)) > 401 || strings.Contains(got.Said+got.Why, tokenHalf) {
			t.Fatalf("%+v", got)
		}
		if (got.Proof == Accepted) && status != 200 || got.Proof >= KeyExpired && status != 401 && status != 403 {
			t.Fatalf("%d proves %d", status, got.Proof)
		}
		if err := got.Problem(k); err != nil && problem.Plain(err.Error()) != err.Error() {
			t.Fatalf("%q", err)
		}
	})
}
