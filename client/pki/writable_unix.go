//go:build !windows

package pki

import "golang.org/x/sys/unix"

// writable says what keeps this process from making files in a folder: rights, or a file system that is read only.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }
