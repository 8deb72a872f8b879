package auditor

import (
	"context"
	"testing"

	"npsetup/steps"
)

// TestACertificateThatWasTakenOutIsAFault: what was never brought there is not set up yet; what was, and is gone, is a fault.
func TestACertificateThatWasTakenOutIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		memory steps.Memory
		fresh  bool
	}{
		"never there":        {steps.Memory{}, true},
		"brought over SSH":   {steps.Memory{Made: map[string]bool{steps.MadeKey(kindTrusted, "CN=Auditor"): true}}, false},
		"brought by hand":    {steps.Memory{ManualDone: map[string]bool{trustStep: true}}, false},
		"something was made": {steps.Memory{Made: map[string]bool{steps.MadeKey(kindProfile, "Netwrix Auditor"): true}}, true},
	} {
		st := newSite()
		s := steps.NewScene(st.answers(), c.memory)
		steps.Put(s, chainKey, Chain{Root: st.cert})
		steps.Put(s, trustedKey, false)
		step, _ := st.guide().Step(trustStep)
		if p := step.Verify(context.Background(), s); p.State != steps.Differs || p.New != c.fresh {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
