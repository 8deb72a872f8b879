//go:build full

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// killed is the shell behind a SIGKILL, on a terminal that a person has put right.
func (w *window) killed() {
	w.t.Helper()
	w.see("Killed")
	w.typed("stty sane; tput rmcup; tput cnorm; clear")
	w.key("C-j")
	w.prompt()
}

// TestTerminalKilledWhileTyping kills the wizard a second after something was typed: it is there at the next start, a secret is not.
func TestTerminalKilledWhileTyping(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	st.env["TYPED"] = "S3CR3T-wrong-password"
	w := newWindow(t)
	file := w.atTheAddress(st, "")
	w.typed("way/x") // no valid address
	typed := time.Now()
	w.see("> https://halfway/x")
	<-time.After(time.Until(typed.Add(time.Second)))
	w.kill("KILL", file)
	w.killed()
	w.draft(st, "https://halfway/x")

	file = w.npsetup(st, "")
	w.see("Continue where you were")
	w.key("Enter")
	w.see("> https://halfway/x")
	w.key("C-u")
	w.typed(st.s.URL())
	w.see("> " + st.s.URL())
	w.key("C-n")
	w.see("Trust the server's certificate by")
	w.typed("pin:" + st.s.Pin())
	w.key("Enter")
	w.see("Sign in there?")
	w.key("y")
	w.key("Enter")
	w.see("Password of that user")
	for _, key := range []string{"Tab", "Tab"} {
		w.key(key)
	}
	w.see("type it: it is not shown")
	w.typed(st.env["TYPED"])
	typed = time.Now()
	w.see("•••••••••••••••••••••")
	<-time.After(time.Until(typed.Add(time.Second)))
	w.kill("KILL", file)
	w.killed()
	w.draft(st, `"nps.signIn.password":"prompt"`) // and the site finds no secret in any file
}

// TestTerminalKilledLineByLine loses the line that is being typed, and nothing before it.
func TestTerminalKilledLineByLine(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	w := newWindow(t)
	file := w.npsetup(st, "", "--plain")
	for _, q := range []struct{ question, answer string }{{"What is to be done", "1"}, {"Origin of the certificate", ""}, {"Address of the NPS server", st.s.URL()}} {
		w.see(q.question)
		w.typed(q.answer)
		w.key("Enter")
	}
	w.see("Trust the server's certificate by")
	w.kill("KILL", file)
	w.killed()
	w.draft(st, st.s.URL())
	w.npsetup(st, "", "--plain")
	w.see("Continue where you were")
	w.key("Enter")
	w.see("Trust the server's certificate by")
	w.typed("<")
	w.key("Enter")
	w.see("Address of the NPS server [" + st.s.URL() + "]")
}

// draft demands a text in the draft on the disk, which only its owner may read.
func (w *window) draft(st *site, text string) {
	w.t.Helper()
	path := filepath.Join(st.state, "wizard-auditor.json")
	raw, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(raw, []byte(text)) {
		w.t.Errorf("%q is not in %s (%v)", text, raw, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		w.t.Errorf("the draft is not for its owner alone: %v, %v", info, err)
	}
}
