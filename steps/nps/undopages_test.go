package nps

import (
	"strings"
	"testing"
	"testing/fstest"

	"npsetup/assets"
	"npsetup/steps/plan"
)

// TestEveryPageSaysHowItIsTakenBack, or that nothing is left behind; a page that does not cannot be used.
func TestEveryPageSaysHowItIsTakenBack(t *testing.T) {
	texts := Texts{assets.Texts()}
	behind := 0
	for _, step := range pages(t) {
		m, err := texts.Manual(step, "26.03", everyValue())
		if err != nil || m.Undo == "" {
			t.Errorf("%s: %q, %v", step, m.Undo, err)
		}
		if m.Undo != plan.NothingBehind {
			behind++
		}
	}
	if behind < 15 {
		t.Errorf("only %d pages leave something behind", behind)
	}
	silent := Texts{fstest.MapFS{"x.txt": {Data: []byte("where: NPS\nproof: word\n\n[any]\n- Click\n")}}}
	if _, err := silent.Manual("x", "26.03", nil); err == nil || !strings.Contains(err.Error(), "undo:") {
		t.Errorf("a page without an undo: line is taken: %v", err)
	}
}
