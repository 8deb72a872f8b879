//go:build race

package pki

// slowness is by how much the race detector stretches times.
const slowness = 10
