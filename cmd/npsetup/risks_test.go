package main

import (
	"strings"
	"testing"

	"npsetup/client/sandbox"
)

// TestEveryRiskIsExplained by its name, and a name that is nearly one leads to it.
func TestEveryRiskIsExplained(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	names := []string{changedSince, riskExposed}
	for _, g := range (&link{app: &app{}}).guides() {
		for _, r := range g.Risks {
			names = append(names, r.Name)
		}
	}
	list := st.do("explain").want(t, exitOK).out
	for _, name := range names {
		says(t, strings.Join(strings.Fields(st.do("explain", name).want(t, exitOK).out), " "), name+": ", "What to do", "--accept-risk "+name)
		says(t, st.do("explain", name[:len(name)-1]).want(t, exitUsage).err, "next: the nearest is "+name)
		says(t, list, "  "+name+" ")
	}
	if known, err := texts("risks"); err != nil || len(known) != len(names) {
		t.Errorf("%d texts for %d risks, %v", len(known), len(names), err)
	}
}

// TestARiskThatIsNone is refused where it was named, with the names that are there.
func TestARiskThatIsNone(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	r := st.do("plan", "-f", st.answers(), "--accept-risk", "domain-admin").want(t, exitUsage)
	says(t, r.err, "npsetup: --accept-risk: there is no risk domain-admin\n", "domain-admins, rotate-password", "next: the nearest is domain-admins")
	r = st.do("validate", "-f", st.edited("acceptRisks: [domain-admins]", "acceptRisks: [domain-admins, nonsense]")).want(t, exitUsage)
	says(t, r.err, ".yaml:28:30 (acceptRisks): ", "domain-admins, rotate-password", "next: take it out, or write the nearest: ")
	if strings.Contains(r.err, "next: \n") {
		t.Errorf("a next step is empty:\n%s", r.err)
	}
}

// TestAParentIsNoAnswer names what stands below it, and not itself.
func TestAParentIsNoAnswer(t *testing.T) {
	t.Parallel()
	st := newSite(t, sandbox.Options{})
	r := st.do("validate", "-f", st.answers(), "--set", "connectionProfile.settings=1").want(t, exitUsage)
	says(t, r.err, "because answers stand below it: ", "maxDuration", "next: name one of them: --set connectionProfile.settings.")
}
