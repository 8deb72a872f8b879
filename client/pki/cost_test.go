package pki

import (
	"runtime/metrics"
	"time"
)

// spend runs f and gives the processor's time, for other work on the machine must not count, and the bytes it allocated.
func spend(f func()) (time.Duration, uint64) {
	allocated := func() uint64 {
		s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	began, before := processorTime(), allocated()
	f()
	return processorTime() - began, allocated() - before
}
