package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

// TestWhatAStoppedRunLeftOnAnotherMachine is told by the journal, whatever a certificate is called.
func TestWhatAStoppedRunLeftOnAnotherMachine(t *testing.T) {
	a, b := strings.Repeat("a1", 20), strings.Repeat("b2", 20)
	op := func(host, subject, thumbprint string, remove bool) run.Entry {
		return run.Entry{Request: plan.Op{Kind: plan.KindRemote, Remote: &plan.Remote{
			Host: host, User: `contoso\svradmin`, HostKey: "SHA256:x", SignIn: "a password", Store: plan.Store{Store: `LocalMachine\Root`, Subject: subject, Thumbprint: thumbprint, Remove: remove},
		}}.Text()}
	}
	lost := []run.Entry{
		{Request: "POST /api/v1/Activity"},
		op("nps:22", "CN=Netwrix Auditor", a, false), op("nps:22", "CN=Netwrix Auditor", a, false),
		op("nps:22", "CN=x (thumbprint "+b+") into the store y", a, false), op("nps:22", "CN=taken out", b, true), op("other:22", "CN=elsewhere", b, false),
	}
	if got := leftOn("nps:22", lost); !slices.Equal(got, []string{a}) {
		t.Errorf("%q", got)
	}
	if got := leftOn("", lost); len(got) != 0 {
		t.Errorf("%q", got)
	}
}

// TestAMissingHostKeySaysWhereItIsSeen: nobody is spoken to before it is agreed.
func TestAMissingHostKeySaysWhereItIsSeen(t *testing.T) {
	st := newSite(t, sandbox.Options{})
	ssh := "  ssh: {address: '127.0.0.1:1', user: svradmin, key: 'file:none'}\napplication:\n"
	r := st.do("validate", "-f", st.edited("application:\n", ssh)).want(t, exitUsage)
	says(t, r.err, "nps.ssh.hostKey", "missing", `on the NPS server: ssh-keygen -lf C:\ProgramData\ssh\ssh_host_ed25519_key.pub prints it`, "ssh-keyscan HOST | ssh-keygen -lf -")
}

// TestAnSSHServerNotUsedBeforeIsAskedAbout, once, also when the answers name its host key; another key of it is shown beside the former.
func TestAnSSHServerNotUsedBeforeIsAskedAbout(t *testing.T) {
	state, key, other := t.TempDir(), "SHA256:"+strings.Repeat("A", 43), "SHA256:"+strings.Repeat("B", 42)+"A"
	ask := func(typed, hostKey string, yes bool) (string, error) {
		var said bytes.Buffer
		l := &link{app: &app{terminal: true, in: strings.NewReader(typed), now: timeNow}, talk: &said, state: state, yes: yes}
		remember, err := l.knownMachine(t.Context(), plan.Remote{Host: "nps.contoso.com:22", User: "svradmin", HostKey: hostKey})
		if err == nil {
			err = remember()
		}
		return said.String(), err
	}
	said, err := ask("no\n", key, false)
	if !problem.Is(err, problem.Cancelled) || !strings.Contains(said, "nps.contoso.com:22 was not used over SSH before from here, as svradmin.") || !strings.Contains(said, key) {
		t.Fatalf("%v\n%s", err, said)
	}
	if said, err = ask("yes\n", key, false); err != nil || !strings.Contains(said, "Sign in there?") {
		t.Fatalf("%v\n%s", err, said)
	}
	if said, err = ask("", key, false); err != nil || said != "" {
		t.Errorf("asked again: %v\n%s", err, said)
	}
	if said, err = ask("no\n", other, false); !problem.Is(err, problem.Cancelled) || !strings.Contains(said, "is another one than before\n  then  "+key+", seen since") || !strings.Contains(said, "  now   "+other) {
		t.Errorf("%v\n%s", err, said)
	}
	if said, err = ask("", other, true); err != nil || strings.Contains(said, "Sign in there?") {
		t.Errorf("--yes is asked: %v\n%s", err, said)
	}
}

// TestEachQuestionHasItsOwnAnswer: what is typed ahead is not lost, and what never ends is not kept.
func TestEachQuestionHasItsOwnAnswer(t *testing.T) {
	a := &app{terminal: true, in: strings.NewReader("yes\nno\n" + strings.Repeat("y", 1<<20) + "\nyes")}
	var got []bool
	for range 4 {
		ok, err := a.confirm(t.Context(), io.Discard, "?")
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ok)
	}
	if !slices.Equal(got, []bool{true, false, false, true}) {
		t.Errorf("%v", got)
	}
	if _, err := a.confirm(t.Context(), io.Discard, "?"); !problem.Is(err, problem.Cancelled) {
		t.Errorf("the end is %v", err)
	}
}
