//go:build !race

package pki

const slowness = 1
