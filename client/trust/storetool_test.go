//go:build unix

package trust

import (
	"slices"
	"strings"
	"testing"
)

// TestToolsSeeNothingOfUs: a variable of the person who ran sudo must not steer a tool.
func TestToolsSeeNothingOfUs(t *testing.T) {
	t.Setenv("OPENSSL_CONF", "/tmp/evil")
	t.Setenv("NPS_PASSWORD", "secret")
	out, err := runTool(t.Context(), "/usr/bin/env")
	must(t, err)
	got := strings.Fields(string(out))
	slices.Sort(got)
	if !slices.Equal(got, []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}) {
		t.Errorf("a tool sees %q", got)
	}
}

func TestToolsThatFailSayWhy(t *testing.T) {
	for script, want := range map[string]string{
		"echo first >&2; echo 'no \x1b[2Jroom' >&2; exit 3": "/bin/sh: exit status 3: no [2Jroom",
		"exit 4": "/bin/sh: exit status 4",
		"head -c 100000 /dev/zero | tr '\\0' x >&2; exit 5": "/bin/sh: exit status 5: " + strings.Repeat("x", 300) + "…",
	} {
		if _, err := runTool(t.Context(), "/bin/sh", "-c", script); err == nil || err.Error() != want {
			t.Errorf("%q: %v", script, err)
		}
	}
	if _, err := runTool(t.Context(), "/no/such/tool"); err == nil || !strings.Contains(err.Error(), "/no/such/tool") {
		t.Errorf("%v", err)
	}
	if out, err := runTool(t.Context(), "/bin/sh", "-c", "head -c 17000000 /dev/zero"); err == nil || len(out) > 0 {
		t.Errorf("%d bytes, %v", len(out), err)
	}
}
