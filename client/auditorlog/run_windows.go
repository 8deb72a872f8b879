package auditorlog

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// runsWithin is how long wevtutil may take.
const runsWithin = 20 * time.Second

// Program starts a program of Windows itself, found in its own folder and with a minimal environment.
func Program() func(ctx context.Context, name string, args ...string) ([]byte, error) {
	return func(ctx context.Context, name string, args ...string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(ctx, runsWithin)
		defer cancel()
		root := os.Getenv("SystemRoot")
		c := exec.CommandContext(ctx, filepath.Join(root, "System32", name+".exe"), args...)
		c.Env = []string{"SystemRoot=" + root}
		return c.Output()
	}
}
