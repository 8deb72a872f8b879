package auditor

import (
	"strings"
	"testing"
	"time"

	"npsetup/steps"
	"npsetup/steps/problem"
)

// TestRemediesFitTheRoad: what has to be asked of an authority stays, what only Auditor's road has goes, and a certificate that is
// not valid yet is not made anew: it would begin as late.
func TestRemediesFitTheRoad(t *testing.T) {
	late := problem.New("it is not valid yet").Try("compare the clocks")
	for name, c := range map[string]struct {
		road      string
		disk      disk
		refused   error
		notBefore time.Time
		has, not  string
	}{
		"an answer":    {roadRequest, disk{keyAt: "K", reqAt: "K", p7bAt: "K Mid Root!"}, problem.New("no client").Try("ask for a template"), time.Time{}, "ask for a template|hand " + reqAt + " in again", ""},
		"made here":    {roadNew, disk{keyAt: "K", cerAt: "K!"}, problem.New("it has expired").Try("generate a new one in Auditor"), time.Time{}, "move " + cerAt, "in Auditor"},
		"not yet":      {roadNew, disk{keyAt: "K", cerAt: "K!"}, late, time.Date(2126, 1, 1, 0, 0, 0, 0, time.UTC), "compare the clocks", "move "},
		"not exported": {roadAuditor, disk{}, nil, time.Time{}, "its serial number is not known before the export", "(certificate serial number)"},
	} {
		st := onRoad(c.road, c.disk)
		if c.road == roadAuditor {
			st.drafts[keyCertificate] = "file:gone.cer"
			delete(st.drafts, keyPassphrase)
		}
		spoilt := func(found Certificate) Certificate {
			if found.Refused = c.refused; !c.notBefore.IsZero() {
				found.NotBefore = c.notBefore
			}
			return found
		}
		w := st.world()
		read, chain := w.ReadCertificate, w.Files.Chain
		w.ReadCertificate = func(path string, now time.Time) (Certificate, error) {
			found, err := read(path, now)
			return spoilt(found), err
		}
		w.Files.Chain = func(key string, files []string, now time.Time) (Chain, error) {
			found, err := chain(key, files, now)
			found.Leaf = spoilt(found.Leaf)
			return found, err
		}
		err := steps.Survey(t.Context(), Guide(w), steps.NewScene(st.answers(), st.memory))
		var next []string
		for _, p := range problem.All(err) {
			next = append(next, p.Next...)
		}
		text := strings.Join(next, "\n")
		for _, has := range strings.Split(c.has, "|") {
			if !strings.Contains(text, has) {
				t.Errorf("%s: %q is missing in\n%s", name, has, text)
			}
		}
		if c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%s: %q stands in\n%s", name, c.not, text)
		}
	}
}
