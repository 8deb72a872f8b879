package auditor

import (
	"strings"
	"testing"

	"npsetup/steps/plan"
)

// TestAnAuthorityThatCannotVouchIsRefused: one between Auditor's certificate and the root whose signature or key Windows does not take.
func TestAnAuthorityThatCannotVouchIsRefused(t *testing.T) {
	st := onRoad(roadRequest, disk{keyAt: "K", reqAt: "K", p7bAt: "K Mid Root!", "weak": "it is signed with SHA1-RSA"})
	if text := st.trouble(t); !strings.Contains(text, "the authority CN=Mid cannot vouch for Auditor's certificate: it is signed with SHA1-RSA") || !strings.Contains(text, "ask the authority for its present certificates") {
		t.Errorf("%s", text)
	}
}

// TestTheIssuerOfALoneAnswerIsNotCalledItsRoot among the values of the page.
func TestTheIssuerOfALoneAnswerIsNotCalledItsRoot(t *testing.T) {
	p := onRoad(roadRequest, disk{keyAt: "K", reqAt: "K", p7bAt: "K Mid"}).draft(t)
	trust, _ := p.Action(trustStep)
	labels := map[string]string{}
	for _, v := range trust.Manual().Values {
		labels[v.Label] = v.Value
	}
	if labels["issuer of Auditor's certificate"] != "CN=Mid" || labels["root certificate"] != "" {
		t.Errorf("%v\n%s", labels, plan.ManualText(trust, 4000))
	}
}

// TestTheRoadKeepsWhatToAskFor beside where the new answer goes.
func TestTheRoadKeepsWhatToAskFor(t *testing.T) {
	st := onRoad(roadRequest, disk{keyAt: "K", reqAt: "K", p7bAt: "K Root!", "unfit": "ask for one of a template"})
	if text := st.trouble(t); !strings.Contains(text, "ask for one of a template\nhand "+reqAt+" in again, and save the new answer as "+p7bAt) {
		t.Errorf("%s", text)
	}
}
