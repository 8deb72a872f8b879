//go:build full

package main

import (
	"regexp"
	"strings"
	"sync"
	"testing"

	"npsetup/client/sandbox"
)

// atTheAddress starts the wizard and types half an address.
func (w *window) atTheAddress(st *site, before string) string {
	w.t.Helper()
	file := w.npsetup(st, before)
	w.see("Sets up Privilege Secure step by step")
	w.key("Enter")
	w.see("Start in Auditor")
	w.key("Enter")
	w.see("Address of the NPS server")
	w.typed("https://half")
	w.see("> https://half")
	return file
}

// small demands what must be seen in a small window: the field in focus and the keys.
func (w *window) small() {
	w.t.Helper()
	w.size(40, 10)
	w.until("field and keys in the small window", func(shown string) bool {
		lines := strings.Split(strings.TrimRight(shown, "\n"), "\n")
		return len(lines) == 10 && strings.Contains(shown, "> https://half") && strings.HasPrefix(lines[9], "enter next")
	})
	w.size(80, 24)
	w.until("field and keys in the large window", func(shown string) bool {
		lines := strings.Split(strings.TrimRight(shown, "\n"), "\n")
		return len(lines) == 24 && strings.Contains(shown, "> https://half") && strings.HasPrefix(lines[23], "enter next")
	})
}

func TestTerminalResizeSuspendAndLeave(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	w := newWindow(t)
	before := w.stty()
	w.atTheAddress(st, "")
	w.small()

	w.key("C-z")
	w.prompt()
	if got := w.stty(); got != before {
		t.Errorf("suspended, stty is %s, was %s", got, before)
	}
	w.typed("fg")
	w.key("Enter")
	w.see("> https://half")
	w.typed("way")
	w.see("> https://halfway")

	w.key("C-c")
	w.see("Leave npsetup?")
	w.key("y")
	w.code(exitCancelled)
	if got := w.stty(); got != before {
		t.Errorf("left, stty is %s, was %s", got, before)
	}
	w.atTheKeptAddress(st)
}

// atTheKeptAddress finds what was typed before.
func (w *window) atTheKeptAddress(st *site) {
	w.t.Helper()
	w.npsetup(st, "")
	w.see("Continue where you were")
	w.key("Enter")
	w.see("> https://half")
	w.key("C-c")
	w.see("Leave npsetup?")
	w.key("C-c")
	w.code(exitCancelled)
}

func TestTerminalTerminated(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	w := newWindow(t)
	before := w.stty()
	w.kill("TERM", w.atTheAddress(st, ""))
	w.code(exitCancelled)
	if got := w.stty(); got != before {
		t.Errorf("stty is %s, was %s", got, before)
	}
	w.atTheKeptAddress(st)
}

// TestTerminalKilled kills the wizard in the middle of the changes. What a person does then is what they always do: they
// reset the terminal, and go on.
func TestTerminalKilled(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	want := undisturbedState(t)
	w := newWindow(t, "NPS_PASSWORD="+st.env["NPS_PASSWORD"], "NPS_TOTP_SECRET="+st.env["NPS_TOTP_SECRET"])
	file := w.npsetup(st, "", "-f", st.answers())
	w.see("Go through the answers")
	w.key("Enter")
	for _, page := range []string{"Start in Auditor", "NPS server", "Trust"} {
		w.see("· " + page)
		w.key("C-n")
	}
	w.see("Sign in there?")
	w.key("y")
	w.key("Enter")
	for _, page := range []string{
		"Sign-in", "Application name", "Client certificate", "Trust on the NPS server", "Application user", "API key", "Connection profile", "Kind of policy", "Activity",
		"Resource", "Resource-based access policy", "Monitoring plan", "Proof",
	} {
		w.until(page, func(shown string) bool {
			return regexp.MustCompile(`(?m)^step \d+ of \d+ · ` + page + `$`).MatchString(shown)
		})
		w.key("C-n")
	}
	w.see("enter carry it out")
	w.key("Enter")
	w.see("Carry this out?")
	var once sync.Once
	st.s.OnRequest(func(r sandbox.Request) {
		if r.Class == "change" {
			once.Do(func() { w.kill("KILL", file) })
		}
	})
	w.key("y")
	w.until("the shell", func(shown string) bool { return strings.Contains(shown, "Killed") })
	w.typed("stty sane; tput rmcup; tput cnorm")
	w.key("C-j")
	w.prompt()
	w.npsetup(st, "", "resume", "--yes")
	w.code(exitPerson)
	st.person()
	if got := st.canonical(); got != want {
		t.Errorf("another end state:\n%s\nwant\n%s", got, want)
	}
}

func TestTerminalColours(t *testing.T) {
	colour := regexp.MustCompile(`\x1b\[[0-9;]*(3[0-8]|9[0-7])[;m]`)
	for _, c := range []struct {
		name, before string
		coloured     bool
	}{{"with colours", "", true}, {"NO_COLOR", "export NO_COLOR=1\n", false}} {
		t.Run(c.name, func(t *testing.T) {
			st := newSite(t, sandbox.Options{})
			w := newWindow(t)
			printed := w.pipe()
			w.atTheAddress(st, c.before)
			w.key("C-c")
			w.see("Leave npsetup?")
			w.key("y")
			w.code(exitCancelled)
			if got := colour.FindString(printed()); (got != "") != c.coloured {
				t.Errorf("the colour %q", got)
			}
		})
	}
}

// TestTerminalDumb is the line mode on a terminal that can do nothing; what is typed as a password is not shown.
func TestTerminalDumb(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	st.env["TYPED"] = "S3CR3T-wrong-password"
	w := newWindow(t)
	before := w.stty()
	printed := w.pipe()
	w.npsetup(st, "export TERM=dumb\n")
	for _, a := range [][2]string{
		{"What is to be done, 1 to 1 [1]:", "1"},
		{"Address of the NPS server:", st.s.URL()},
		{"Trust the server's certificate by [system]:", "pin:" + st.s.Pin()},
		{"Sign in there? Type yes to go on:", "yes"},
		{"(optional):", ""},
		{"NPS administrator:", `CONTOSO\npsadmin`},
		{"Password of that user:", st.env["TYPED"]},
		{"MFA [prompt]:", ""},
		{"or back (<) [a]:", "q"},
	} {
		w.see(a[0])
		w.typed(a[1])
		w.key("Enter")
	}
	w.code(exitCancelled)
	if got := w.stty(); got != before {
		t.Errorf("stty is %s, was %s", got, before)
	}
	text := printed()
	start := strings.Index(text, "npsetup dev, line by line")
	if start < 0 {
		t.Fatal("the line mode did not begin")
	}
	if body := text[start:]; strings.Contains(body, "\x1b") {
		t.Errorf("escape sequences on a dumb terminal: %q", body)
	}
	if strings.Contains(text, st.env["TYPED"]) {
		t.Error("the password was shown")
	}
}
