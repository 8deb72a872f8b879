package main

import (
	"slices"
	"strings"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps/plan"
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
