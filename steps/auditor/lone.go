package auditor

import (
	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// loneKey is the issuer that an authority's answer names and does not hold.
var loneKey = steps.Key[string]{Name: "auditor.lone"}

// lone makes known that the answer came without its chain. The serial number is in it all the same, and NPS takes it; what it leads
// to is not known here.
func lone(s *steps.Scene, f files, chain Chain) {
	steps.Put(s, loneKey, chain.Missing)
	s.Observe("root", "missing: "+chain.Missing)
	if s.Memory.ManualDone[trustStep] {
		return // the root is where it belongs; that files of the way are gone is as it should be
	}
	s.Warn("the certificate of " + problem.Plain(chain.Missing) + " is in no file: it is not checked here whether Auditor's certificate leads to a root and whether those that vouch for it are valid, the PFX carries none of them, " +
		"and the clicks cannot name the root that NPS has to trust; save the authority's answer with its chain as " + problem.Plain(f.base()) + ".p7b (certreq -retrieve -config \"SERVER\\AUTHORITY\" NUMBER ANSWER.cer ANSWER.p7b; on its web page Download certificate chain), or name its certificates under application.authorities")
}

// loneAbout is what an import rests on of which only the issuer's name was known.
func loneAbout(issuer string) plan.Value { return plan.String("issuer " + issuer) }

// trustCheck is what a word about the root must have been about: the root, or as far as it was not known then, its issuer's name. Nil:
// the root is not known now, and whatever was said counts.
func trustCheck(s *steps.Scene) plan.Value {
	if _, is := steps.Get(s, loneKey); is {
		return nil
	}
	if c, known := steps.Get(s, certificateKey); known {
		if v := loneAbout(c.Issuer); s.Memory.ManualAbout[trustStep] != "" && s.Memory.IsDone(trustStep, v) {
			return v
		}
	}
	return trustedAbout(s)
}
