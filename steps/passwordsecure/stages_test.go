package passwordsecure

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// log is a session's log as NPS gives it, the last line first.
func log(t *testing.T, lines ...string) json.RawMessage {
	t.Helper()
	type one struct{ LogMessage string }
	var out struct{ Lines []one }
	slices.Reverse(lines)
	for _, l := range lines {
		out.Lines = append(out.Lines, one{l})
	}
	raw, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func begun(lines ...string) []string {
	return append([]string{
		"Session queued for the Action Service", "Action Service: starting activity Password Secure Logon", "Action Service Worker: requesting credential checkout from vault NPS Password",
		"VaultConnector PasswordSecure: calling Get-VaultCredential",
	}, lines...)
}

func TestVerdictsAreToldApart(t *testing.T) {
	in := "Get-VaultCredential: logged in to Password Secure, database Contoso"
	search := `Get-VaultCredential: searching for CONTOSO\app-admin`
	for name, c := range map[string]struct {
		lines []string
		want  verdict
		past  int
	}{
		"found":      {[]string{in, search, `Get-VaultCredential: credential found for CONTOSO\app-admin and returned`}, found, 6},
		"null":       {[]string{in, search, `Get-VaultCredential: no entry found for CONTOSO\app-admin`, "Get-VaultCredential: null returned"}, notFound, 7},
		"only null":  {[]string{in, search, "Get-VaultCredential: null returned"}, null, 7},
		"several":    {[]string{in, search, `Get-VaultCredential: several entries found for CONTOSO\app-admin`, "Get-VaultCredential: null returned"}, ambiguous, 7},
		"sealed":     {[]string{in, search, "Get-VaultCredential: a reason is required to read the entry", "Get-VaultCredential: null returned"}, sealed, 7},
		"refused":    {[]string{"Get-VaultCredential: login to Password Secure failed (401): the API key has expired"}, keyRefused, 3},
		"unreached":  {[]string{"Get-VaultCredential: Password Secure is not reachable at https://ps.contoso.com/api/"}, unreached, 3},
		"no trust":   {[]string{"Get-VaultCredential: the certificate of Password Secure is not trusted (RemoteCertificateChainErrors)"}, untrusted, 3},
		"404":        {[]string{"Get-VaultCredential: Password Secure answers 404 at https://ps.contoso.com/"}, elsewhere, 3},
		"kit":        {[]string{"Get-VaultCredential: could not load PsrApi: the version of the server is not supported"}, oldKit, 3},
		"in between": {nil, untold, 3},
	} {
		c0 := readCourse(reversed(begun(c.lines...)))
		if c0.verdict != c.want || c0.past() != c.past {
			t.Errorf("%s: verdict %d, past %d, want %d, %d", name, c0.verdict, c0.past(), c.want, c.past)
		}
		if p := c0.cause("x"); (p == nil) != (c.want == found || c.want == untold) {
			t.Errorf("%s: the cause is %v", name, p)
		} else if p != nil && (p.What == "" || p.Why == "" || len(p.Next) == 0) {
			t.Errorf("%s: a part is missing in %+v", name, p)
		}
		if f := c0.finding(); len(f.Items) != 7 {
			t.Errorf("%s: %d stages", name, len(f.Items))
		}
	}
}

func reversed(lines []string) []string {
	slices.Reverse(lines)
	return lines
}

// TestEveryVerdictHasACauseOfItsOwn: none is said in the words of another.
func TestEveryVerdictHasACauseOfItsOwn(t *testing.T) {
	said := map[string]verdict{}
	for v := null; v <= noVault; v++ {
		p := course{verdict: v}.cause("CONTOSO\\x")
		if p == nil {
			t.Fatalf("verdict %d has no cause", v)
		}
		if other, twice := said[p.What]; twice {
			t.Errorf("verdicts %d and %d have the same words", other, v)
		}
		said[p.What] = v
	}
}

// TestNullHasTheReasonOfItsLog: the last stage says not found only where the log does.
func TestNullHasTheReasonOfItsLog(t *testing.T) {
	for line, want := range map[string]string{
		"Get-VaultCredential: no entry found for C\\x":            "7 it is not found: null is returned",
		"Get-VaultCredential: several entries found for C\\x":     "7 null is returned: several entries fit",
		"Get-VaultCredential: a reason is required for C\\x":      "7 null is returned: the entry asks for more than NPS gives",
		"Get-VaultCredential: searching for C\\x in the database": "7 null is returned; the log does not say why",
	} {
		c := readCourse(reversed(begun(line, "Get-VaultCredential: null returned")))
		if !strings.HasSuffix(c.text(), want) || !strings.HasPrefix(c.finding().Items[6], want+": ") {
			t.Errorf("%s: it says %s, and shows %s", line, c.text(), c.finding().Items[6])
		}
		if p := c.cause("x"); !strings.Contains(p.Why, "is not published") {
			t.Errorf("%s: the cause does not say that the words are not known: %s", line, p.Why)
		}
	}
}

// TestOtherLogsAreNotTheVaults: lines of WinRM and of domain controllers keep their own causes, and hostile ones are harmless.
func TestOtherLogsAreNotTheVaults(t *testing.T) {
	err := SessionCause(steps.SessionFailed, "", time.Second, log(t, begun("Unable to create New-PSSSession for app01. Access is denied.")...))
	if p := problem.All(err)[0]; !strings.Contains(p.What, "may not do on the resource") {
		t.Errorf("it says %v", p)
	}
	err = SessionCause(steps.SessionFailed, "", time.Second, log(t, "nothing known"))
	if p := problem.All(err)[0]; !strings.Contains(p.Why, "nothing known") {
		t.Errorf("it says %v", p)
	}
	err = SessionCause(steps.SessionPending, "", 301*time.Second, nil)
	if p := problem.All(err)[0]; !strings.Contains(p.What, "not active after 301 s") {
		t.Errorf("it says %v", p)
	}
	if p := problem.All(SessionCause(steps.SessionApproval, "", 0, nil))[0]; !strings.Contains(p.What, "waits for an approval") {
		t.Errorf("it says %v", p)
	}
	evil := SessionCause(steps.SessionFailed, "", 0, log(t, begun("Get-VaultCredential: Password Secure is not reachable \x1b[2J")...))
	if strings.Contains(problem.All(evil)[0].Why, "\x1b") {
		t.Error("an escape sequence gets through")
	}
	if SessionDoubt(log(t, "nothing known")) != nil || SessionDoubt(nil) != nil || SessionDoubt(json.RawMessage(`[`)) != nil {
		t.Error("a log that tells nothing is taken for a failure")
	}
}

// FuzzCourse reads any log without a panic, and tells nothing that no line says.
func FuzzCourse(f *testing.F) {
	f.Add("Get-VaultCredential: null returned\nAction Service: starting activity x")
	f.Fuzz(func(t *testing.T, text string) {
		c := readCourse(strings.Split(text, "\n"))
		if c.verdict != untold && c.said == "" || c.past() > 7 {
			t.Errorf("%+v", c)
		}
		_, _, _ = c.text(), c.finding(), c.cause(searched(c))
	})
}
