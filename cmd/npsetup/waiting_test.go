package main

import (
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// nothingSaid takes connections and says nothing.
func nothingSaid(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer func() { _ = c.Close() }()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-over
	})
	return "https://" + l.Addr().String() + "/"
}

// waits runs a command that gets no answer, with somebody there and with nobody.
func (st *site) waits(args []string, what string) {
	st.t.Helper()
	for _, person := range []string{"yes\nyes\n", ""} {
		st.answer = person
		r := st.do(args...)
		if all := r.out + r.err; r.code != exitFailed || !strings.Contains(all, "next: ") || !strings.Contains(all, "code: ") {
			st.t.Errorf("%v: exit %d\n%s", args, r.code, all)
		}
		if told := strings.Contains(r.err, what); told != (person != "") {
			st.t.Errorf("%v, somebody there %t: it says\n%s", args, person != "", r.err)
		}
	}
}

// TestNoCommandWaitsForEver for a server that takes the connection and says nothing, or nothing behind the handshake: each ends with cause and
// next step, and a person at a terminal is told what is waited for. A script is told nothing of it.
func TestNoCommandWaitsForEver(t *testing.T) {
	t.Parallel()
	dead := nothingSaid(t)
	st := newSite(t, sandbox.Options{})
	raw, err := os.ReadFile(st.answers())
	if err != nil {
		t.Fatal(err)
	}
	file := st.edited(st.s.URL(), dead)
	if now, err := os.ReadFile(file); err != nil || string(now) == string(raw) {
		t.Fatal("the address is not in the answers")
	}
	st.patience, st.noticed = 100*time.Millisecond, time.Millisecond
	for _, args := range [][]string{{"plan"}, {"doctor"}, {"verify"}, {"apply", "--yes"}, {"key", "--print"}, {"import", "--out", file + ".new"}} {
		st.waits(append(args, "-f", file), "waiting for the certificate of "+dead+", at most a minute …")
	}
	silent := newSite(t, sandbox.Options{Faults: []string{"silent"}})
	silent.patience, silent.noticed = time.Second, time.Millisecond // enough for a handshake
	silent.waits([]string{"plan", "-f", silent.answers()}, "waiting for the answer of NPS to GET /api/v1/Health, at most a minute …")
	st.answer = "no\n"
	says(t, st.do("trust", "show", dead).want(t, exitFailed).err, "waiting for the certificate of "+dead, "next: ")
	vault := st.do("doctor", "--password-secure", dead)
	says(t, vault.want(t, exitFailed).out+vault.err, "waiting for Password Secure at "+dead, "vault-not-reachable", "next: ")
}
