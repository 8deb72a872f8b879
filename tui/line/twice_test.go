package line

import (
	"context"
	"testing"

	"npsetup/steps"
	"npsetup/steps/plan"
	"npsetup/steps/run"
)

// TestANewSecretIsTypedTwice: another text the second time is not taken; a reference is typed once.
func TestANewSecretIsTypedTwice(t *testing.T) {
	secret := []steps.Field{{Key: "words", Kind: steps.SecretField, Prompt: "Passphrase", Twice: true}}
	w := &work{fields: secret, plans: []func(context.Context) (plan.Plan, error){makes("a")}, runs: []func(context.Context) (run.Report, run.Result, error){complete}}
	r := w.play(t, "\nS3CR3T-1\nS3CR3T-2\nS3CR3T-1\n<\nS3CR3T-1\nS3CR3T-1\nyes\n\n")
	r.says(1, "Not valid: the two are not the same.")
	r.says(3, "Passphrase, once more: ")
	r.says(1, "it has under 16 characters")
	if w.kept != "S3CR3T-1" || w.ran != 1 {
		t.Errorf("kept is %q after %d runs:\n%s", w.kept, w.ran, r.out)
	}
	w = &work{fields: secret, plans: []func(context.Context) (plan.Plan, error){makes("a")}, runs: []func(context.Context) (run.Report, run.Result, error){complete}}
	w.play(t, "\nenv:WORDS\nyes\n\n").says(0, "once more")
}
