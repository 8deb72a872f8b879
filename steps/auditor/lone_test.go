package auditor

import (
	"strings"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
)

// TestAnAnswerWithoutItsChainGoesOn as far as it can, and says what is not checked.
func TestAnAnswerWithoutItsChainGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		at, named string
		made      string
	}{
		"in the folder": {p7bAt, "", "create certificate, create certificate/pfx"},
		"named":         {"/a/x.cer", "file:/a/x.cer", "create certificate, create certificate/pfx"},
	} {
		st := onRoad(roadRequest, disk{keyAt: "K", reqAt: "K", c.at: "K Mid"})
		st.drafts[keyCAAnswer] = c.named
		p := st.draft(t)
		if got := certificateActions(p); got != c.made {
			t.Errorf("%s: planned are %q", name, got)
		}
		if text := strings.Join(p.Warnings, " "); !strings.Contains(text, "CN=Mid is in no file: it is not checked") || !strings.Contains(text, folder+`NetwrixAuditor.p7b (certreq -retrieve -config "SERVER\AUTHORITY" NUMBER`) {
			t.Errorf("%s: it warns %s", name, text)
		}
		user, _ := p.Action(userStep)
		if !strings.Contains(labels(user), serial) {
			t.Errorf("%s: the user gets %s", name, labels(user))
		}
		trust, _ := p.Action(trustStep)
		text := plan.ManualText(trust, 4000)
		if !strings.Contains(text, "root above CN=Mid") || !strings.Contains(text, "Never import Auditor's own certificate") || strings.Contains(text, "thumb") ||
			strings.Contains(text, "root certificate: CN=Mid") || !strings.Contains(text, "issuer of Auditor's certificate: CN=Mid") {
			t.Errorf("%s: the clicks are\n%s", name, text)
		}
	}
}

// TestAWordAboutALoneAnswerCounts when its chain comes, and a word about a root when its files go; a word about another root does not.
func TestAWordAboutALoneAnswerCounts(t *testing.T) {
	for name, c := range map[string]struct {
		chain, about string
		done         bool
	}{
		"lone, then whole":   {"K Mid Root!", "issuer CN=Mid", true},
		"whole, then lone":   {"K Mid", "thumb-Root", true},
		"another issuer's":   {"K Mid Root!", "issuer CN=Else", false},
		"of another root":    {"K Mid Root!", "thumb-Else", false},
		"of the same root":   {"K Mid Root!", "thumb-Root", true},
		"lone, and the same": {"K Mid", "issuer CN=Mid", true},
	} {
		st := onRoad(roadRequest, disk{keyAt: "K", reqAt: "K", p7bAt: c.chain})
		st.memory.ManualDone, st.memory.ManualAbout = map[string]bool{trustStep: true}, map[string]string{trustStep: c.about}
		p := st.draft(t)
		if _, planned := p.Action(trustStep); planned == c.done {
			t.Errorf("%s: planned %v", name, planned)
		}
		s, err := st.survey(t)
		if err != nil {
			t.Fatal(err)
		}
		for _, proof := range steps.Prove(t.Context(), st.guide(), s) {
			if proof.Step.ID == trustStep && (proof.Proof.State == steps.ByWord) != c.done {
				t.Errorf("%s: %s", name, proof.Proof.State)
			}
		}
	}
}
