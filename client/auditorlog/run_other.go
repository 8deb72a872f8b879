//go:build !windows

package auditorlog

import "context"

// Program is nil: only Windows has event logs.
func Program() func(ctx context.Context, name string, args ...string) ([]byte, error) { return nil }
