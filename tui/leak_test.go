package tui

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails when a goroutine of the tests is left behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
