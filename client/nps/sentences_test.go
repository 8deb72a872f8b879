package nps

import (
	"context"
	"errors"
	"flag"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// sentence is a problem as people read it.
func sentence(err error) string {
	var b strings.Builder
	for _, p := range problem.All(err) {
		b.WriteString(p.What + "\n  because " + p.Why + "\n")
		for _, next := range p.Next {
			b.WriteString("  next: " + next + "\n")
		}
	}
	return b.String()
}

// golden compares what is told in each case with testdata/signin-NAME.golden, and sees that no two cases tell the same.
func golden(t *testing.T, name string, told map[string]string) {
	t.Helper()
	var b strings.Builder
	by := map[string]string{}
	for _, c := range slices.Sorted(maps.Keys(told)) {
		b.WriteString("== " + c + "\n" + told[c])
		if other := by[told[c]]; other != "" {
			t.Errorf("%q and %q tell the same", c, other)
		}
		by[told[c]] = c
	}
	path := filepath.Join("testdata", "signin-"+name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != b.String() {
		t.Errorf("%v; the sentences are (-update writes %s anew)\n%s", err, path, b.String())
	}
}

var update = flag.Bool("update", false, "write the golden files anew")

// TestAlertsAboutTheCertificate tells apart by their alerts what servers judge in the handshake. Go's server cannot send all of them.
func TestAlertsAboutTheCertificate(t *testing.T) {
	s := newServer(t)
	c, err := s.client(nil).applicationClient(auditor(t), false)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := c.gate.admit(npsapi.SignInApplication(plan.String("NetwrixAuditor"), plan.SecretLeaf{Name: "API key"}, plan.String("00BA12"), false), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.app.asked.Store(true)
	told := map[string]string{}
	for _, text := range []string{
		"tls: certificate required", "tls: bad certificate", "tls: unknown certificate", "tls: unknown certificate authority", "tls: unsupported certificate",
		"tls: access denied", "tls: revoked certificate", "tls: expired certificate", "tls: handshake failure", "tls: no renegotiation",
	} {
		broken := problem.New("no answer").From(&net.OpError{Op: "remote error", Err: errors.New(text)})
		how, err := c.applicationCut(context.Background(), r, broken)
		if judged := alerts[text] != ""; judged != (how == final) {
			t.Errorf("%s: %v", text, how)
		}
		told[text] = sentence(err)
	}
	golden(t, "alerts", told)
}
