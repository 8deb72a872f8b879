//go:build unix

package machine

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// Folder says whether a folder is open to others than its owner, and whether it cannot be written in. Nothing is written to find out.
func Folder(path string, info fs.FileInfo) (open, readOnly bool) {
	return info.Mode().Perm()&0o077 != 0, unix.Access(path, unix.W_OK|unix.X_OK) != nil
}
