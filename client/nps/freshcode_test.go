package nps

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"npsetup/steps/secret"
)

// TestNoCodeIsSentTwice signs in twice within one code's life: the second waits for the next code.
func TestNoCodeIsSentTwice(t *testing.T) {
	s := newServer(t)
	var codes []string
	s.on("POST /signin2fa", func(w http.ResponseWriter, _ *http.Request) {
		codes = append(codes, s.bodies[len(s.bodies)-1])
		s.token(w)
	})
	c := s.client(func(*Options) {})
	cr := Credentials{User: "u", Password: secret.New(marker), MFA: TOTP(secret.New("JBSWY3DPEHPK3PXP"), s.clock.Now)}
	for range 2 {
		if _, err := c.SignIn(context.Background(), cr); err != nil {
			t.Fatal(err)
		}
	}
	if len(codes) != 2 || codes[0] == codes[1] || !slices.Contains([]string{"[31s]"}, s.clock.Waits()) {
		t.Errorf("%d codes after %s, the same: %v", len(codes), s.clock.Waits(), len(codes) == 2 && codes[0] == codes[1])
	}
}
