//go:build full

package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// atTheAddress starts the wizard and types half an address.
func (w *window) atTheAddress(st *site, before string) string {
	w.t.Helper()
	file := w.npsetup(st, before)
	w.see("Sets up Privilege Secure step by step")
	w.key("Enter")
	w.see("Origin of the certificate")
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
	for _, page := range []string{"Origin of the certificate", "Start in Auditor", "NPS server", "Trust"} {
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

// TestTerminalDumb is the whole first set-up, line by line, on a terminal that can do nothing; what is typed as a password is
// not shown.
func TestTerminalDumb(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	want := undisturbedState(t)
	st.env["TYPED"] = "S3CR3T-wrong-password"
	w := newWindow(t)
	w.size(200, 50) // no question is broken
	before := w.stty()
	printed := w.pipe()
	w.npsetup(st, "export TERM=dumb\n")
	w.dumb(st)
	w.code(exitOK)
	if got := w.stty(); got != before {
		t.Errorf("stty is %s, was %s", got, before)
	}
	if got := st.canonical(); got != want {
		t.Errorf("another end state:\n%s\nwant\n%s", got, want)
	}
	text := printed()
	st.printed.WriteString(text) // it holds no secret
	start := strings.Index(text, "npsetup dev, line by line")
	if start < 0 {
		t.Fatal("the line mode did not begin")
	}
	body := text[start:]
	if strings.Contains(body, "\x1b") {
		t.Errorf("escape sequences on a dumb terminal: %q", body)
	}
	for _, said := range []string{"refused the user name or the password", "changes: 8 to create, 5 to do by hand", "The set-up is complete."} {
		if !strings.Contains(body, said) {
			t.Errorf("%q is not said", said)
		}
	}
}

// dumb answers all questions of the first set-up up to the one behind the report. What has a preset is kept.
func (w *window) dumb(st *site) {
	w.t.Helper()
	passwords := []string{st.env["TYPED"], st.s.Credentials().Password} // wrong first
	answers := []struct {
		begin string
		say   func() string
	}{
		{"Address of the NPS server: ", st.s.URL},
		{"Trust the server's certificate by", func() string { return "pin:" + st.s.Pin() }},
		{"Sign in there? Type yes to go on, or no: ", func() string { return "yes" }},
		{"NPS administrator: ", func() string { return st.s.Credentials().User }},
		{"Password of that user", func() string {
			next := passwords[0]
			passwords = passwords[1:]
			return next
		}},
		{"MFA code", func() string { return st.authenticator(time.Now()) }},
		{"Origin of the certificate", func() string { return "1" }},
		{"Auditor's client certificate: ", func() string { return filepath.Join(st.dir, "auditor-client.cer") }},
		{"Its private key: ", func() string { return filepath.Join(st.dir, "auditor-client.key") }},
		{"Domain controllers, by DNS host name: ", func() string { return "dc01.contoso.com" }},
		{"Service account that NPS manages them with: ", func() string { return "svc-nps" }},
		{"Monitoring plan in Auditor: ", func() string { return "AD Monitoring" }},
		{"Items of that plan: ", func() string { return "contoso.com" }},
		{"Accept this? Type yes to go on, or no: ", func() string { return "yes" }},
		{"Carry this out? yes, calls", func() string { return "yes" }},
		{"Done? yes, later", func() string { st.s.Person(); return "yes" }},
	}
	line := -1
	for n := 0; n < 100; n++ {
		var question string
		question, line = w.question(line)
		answer, known := "", strings.Contains(question, "[") || strings.Contains(question, "(optional)")
		for _, a := range answers {
			if strings.HasPrefix(question, a.begin) {
				answer, known = a.say(), true
				break
			}
		}
		over := strings.HasPrefix(question, "Write the answers file")
		if !known && !over {
			w.t.Fatalf("nothing is known to answer to %q\n%s", question, w.shown())
		}
		w.typed(answer)
		w.key("Enter")
		if over {
			return
		}
	}
	w.t.Fatalf("there is no end of questions\n%s", w.shown())
}

// question waits for one below the line on which the last one stood: the cursor stands behind it. It gives its text and line,
// counted from the first that was ever shown.
func (w *window) question(last int) (text string, line int) {
	w.t.Helper()
	w.until("a question", func(string) bool {
		state, shown, _ := strings.Cut(w.do("display-message", "-p", "-t", "w", "#{history_size} #{cursor_y} #{cursor_x}", ";", "capture-pane", "-p", "-t", "w"), "\n")
		var gone, row, column int
		if _, err := fmt.Sscan(state, &gone, &row, &column); err != nil {
			w.t.Fatal(err)
		}
		text, line = strings.TrimSpace(strings.Split(shown, "\n")[row])+" ", gone+row
		return line > last && column > 0 && strings.HasSuffix(text, ": ")
	})
	return text, line
}
