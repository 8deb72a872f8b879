package remote

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine of the tests is left behind. A channel that is asked for while its connection ends is never answered
// in x/crypto/ssh: who asked has gone on by then, and its goroutine stays for as long as the program runs.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("golang.org/x/crypto/ssh.(*mux).openChannel"))
}
