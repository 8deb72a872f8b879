package run

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Create writes a new file whole or not at all, and never over another one nor through a link: then it answers fs.ErrExist.
func Create(path string, content []byte, mode fs.FileMode) error {
	if _, err := os.Lstat(path); err == nil {
		return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".npsetup-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return err
	}
	// Link, unlike Rename, fails when somebody has made the file meanwhile. Some file systems have only Rename.
	if err = os.Link(f.Name(), path); err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	return os.Rename(f.Name(), path)
}
