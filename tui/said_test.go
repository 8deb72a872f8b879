package tui

import (
	"strings"
	"testing"
)

// TestWhereSecretsGoIsNotCut: the line that tells it is wrapped, also over the question for the code.
func TestWhereSecretsGoIsNotCut(t *testing.T) {
	const told = `signing in to https://nps.contoso.com:6500/: the password and the MFA code of CONTOSO\npsadmin go there (certificate sha256:3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c3f1c)`
	for _, size := range [][2]int{{80, 24}, {40, 10}} {
		for _, asked := range []bool{false, true} {
			s := newScreen(t, &fakeWork{guide: realGuide()}, size[0], size[1]).press("enter")
			if asked {
				s.m.push(newAsk(s.m, &question{what: "MFA code", secret: true, answer: make(chan answer, 1)}))
			}
			s.m.Update(saidMsg(told))
			shown := strings.Join(strings.Fields(strings.ReplaceAll(s.text(), "\n", " ")), " ")
			if !strings.Contains(shown, `signing in to https://nps.contoso.com:6500/: the password and the MFA code of CONTOSO\npsadmin go there`) {
				t.Errorf("%v:\n%s", size, s.text())
			}
			if why := s.broken(); why != "" {
				t.Errorf("%v: %s\n%s", size, why, s.text())
			}
		}
	}
}
