package nps

import (
	"context"
	"net/http"
	"testing"

	"npsetup/steps/npsapi"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// TestABusyServerIsAskedAgainWhenItSays reads from a server that is busy at first, and sends a change to it.
func TestABusyServerIsAskedAgainWhenItSays(t *testing.T) {
	for after, waits := range map[string]string{"": "[1s 2s]", "7": "[7s 7s]", "30": "[30s 30s]", "31": "[]", "99999999999999999999": "[1s 2s]", "-1": "[1s 2s]", "Wed, 21 Oct 2026 07:28:00 GMT": "[1s 2s]"} {
		s := newServer(t)
		c := s.signedIn(func(*Options) {})
		asked := 0
		busy := func(w http.ResponseWriter, _ *http.Request) {
			if asked++; asked < 3 {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			reply(w, 200, `"25.12"`)
		}
		s.on("GET /api/v1/Version", busy)
		s.clock.waits = nil
		version, err := c.Version(context.Background())
		if refused := after == "31"; refused != busyTold(err) || !refused && version != "25.12" || s.clock.Waits() != waits {
			t.Errorf("Retry-After %q: %q after %s, %v", after, version, s.clock.Waits(), err)
		}
		asked = 0
		s.on(policyRoute, busy)
		op := change(npsapi.CreatePolicy(plan.Object{{Name: "name", Value: plan.String("x")}}))
		c.Approve(approved(op))
		if _, err := c.Send(context.Background(), op, nil); !busyTold(err) || asked != 1 {
			t.Errorf("a change was asked for %d times: %v", asked, err)
		}
	}
}

func busyTold(err error) bool {
	all := problem.All(err)
	return len(all) == 1 && all[0].Named() == problem.ServerBusy
}
