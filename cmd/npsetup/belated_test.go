package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// overtaker lets the server carry out what it has put off when the same request is about to leave once more.
type overtaker struct {
	st   *site
	path string
	late *lateness
	hit  bool
}

// Write implements io.Writer: see killer.
func (o *overtaker) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(`"op.sent"`)) && bytes.Contains(p, []byte(`"POST","path":"`+o.path+`"`)) {
		o.hit = true
		o.late.Lock()
		o.late.by += 3 * time.Second
		o.late.Unlock()
		o.st.s.Tick()
	}
	return len(p), nil
}

// TestAChangeThatIsCarriedOutBehindTheNextLook: the connection is cut, the run is killed and resumed at once, and only then does the server
// make the object. It refuses the second request; what is there is the run's own, is not made twice, and is taken back with the rest.
func TestAChangeThatIsCarriedOutBehindTheNextLook(t *testing.T) {
	all := killables()
	want := map[string]string{}
	for _, g := range []killable{all[0], all[3]} {
		want[g.name], _, _ = g.count(t)
	}
	for _, c := range []struct {
		of              killable
		operation, path string
		strange         bool // its row does not show what was sent: it is taken over by the look of the run after
	}{
		{all[0], "createApplicationUser", "/api/v1/ManagedAccount/CreateApplicationUser", false},
		{all[0], "createConnectionProfile", "/api/v1/ConnectionProfile", false},
		{all[0], "createActivity", "/api/v1/Activity", false},
		{all[0], "createPolicy", "/api/v1/AccessControlPolicy", false},
		{all[3], "createConnector", "/api/v1/IntegrationConnector", true},
		{all[3], "createCredential", "/api/v1/Credential", false},
	} {
		t.Run(c.operation, func(t *testing.T) {
			t.Parallel()
			late := &lateness{}
			st := c.of.site(t, sandbox.Options{Now: late.now, Faults: []string{"late@" + c.operation + ":1"}})
			st.now = late.now
			before := c.of.end(t, st)
			if _, dead := (&killer{st: st, kind: afterSend, k: 1, at: c.path}).run(t, c.of.apply(st)...); !dead {
				t.Fatal("it was not killed")
			}
			o := &overtaker{st: st, path: c.path, late: late}
			st.watch = o
			r := st.do("resume", "--yes", "--output", "json")
			st.watch = nil
			if c.strange {
				says(t, r.want(t, exitFailed).err, "NPS refused POST "+c.path+" (400)")
				c.of.resumed(t, st, want[c.of.name])
			} else {
				r.want(t, exitPerson)
			}
			if !o.hit || !strings.Contains(r.out, `"status":40`) { // 400, or 409
				t.Errorf("nothing was refused:\n%s", r.out)
			}
			c.of.endsWell(t, st, before, want[c.of.name])
		})
	}
}
