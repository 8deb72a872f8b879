package trust

import (
	"crypto/sha1" //nolint:gosec // as Windows does
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"

	"npsetup/steps/problem"
)

func TestByThumbprint(t *testing.T) {
	der, other := issue(t, caTemplate("a"), nil).cert.Raw, issue(t, caTemplate("b"), nil).cert.Raw
	s := sha1.Sum(der) //nolint:gosec // as Windows does
	s256 := sha256.Sum256(der)
	digits := hex.EncodeToString(s[:])
	var spaced []string
	for i := 0; i < len(digits); i += 2 {
		spaced = append(spaced, strings.ToUpper(digits[i:i+2]))
	}
	for _, spelled := range []string{digits, strings.ToUpper(digits), "\u200e" + strings.Join(spaced, " "), strings.Join(spaced, ":"), hex.EncodeToString(s256[:])} {
		if got, err := byThumbprint([][]byte{other, der}, spelled); err != nil || string(got) != string(der) {
			t.Errorf("%q: %v", spelled, err)
		}
	}
	for _, wrong := range []string{"", digits[:38], "00" + digits} {
		if _, err := byThumbprint([][]byte{other, der}, wrong); !problem.Is(err, problem.NotFound) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestPersonalElsewhere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED: this machine has a store LocalMachine\\My, so that its absence is told was not tested")
	}
	_, err := PersonalByThumbprint("00")
	if !errors.Is(err, errNotWindows) || len(problem.All(err)[0].Next) == 0 {
		t.Error(err)
	}
}
