//go:build !unix

package pki

import "time"

var start = time.Now()

// processorTime is the clock's: there is no call for the processor's that all systems share.
func processorTime() time.Duration { return time.Since(start) }
