//go:build full

package main

import (
	"fmt"
	"testing"

	"npsetup/client/sandbox"
)

// TestEveryGuideKilledForReal kills the real binary with SIGKILL at every request of every guide that changes something, resumes with the
// real binary, takes it back, and sets up once more.
func TestEveryGuideKilledForReal(t *testing.T) {
	for _, g := range killables() {
		want, first, _ := g.count(t)
		for k := 1; k <= first.calls; k++ {
			t.Run(fmt.Sprintf("%s at change %d", g.name, k), func(t *testing.T) {
				st := g.site(t, sandbox.Options{})
				before := g.end(t, st)
				st.killedAt(t, k, g.apply(st)...)
				again := st.process(t, "resume", "--yes")
				again.Env = append(again.Env, "NPS_PFX_PASSPHRASE="+st.env["NPS_PFX_PASSPHRASE"])
				out, err := again.CombinedOutput()
				st.printed.Write(out)
				if code(err) != exitPerson {
					t.Fatalf("resume ended with %d\n%s", code(err), out)
				}
				if g.then {
					st.person()
					st.do("resume", "--yes").want(t, exitPerson)
				}
				g.endsWell(t, st, before, want)
			})
		}
	}
}
