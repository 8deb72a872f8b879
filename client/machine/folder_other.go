//go:build !unix

package machine

import "io/fs"

// Folder says whether a folder is open to others than its owner, and whether it can be written in. What cannot be told is no.
func Folder(string, fs.FileInfo) (open, readOnly bool) { return false, false }
