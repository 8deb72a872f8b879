package run

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"npsetup/steps/plan"
	"npsetup/steps/problem"
)

// file writes a file whole or not at all, and never over another one.
func (r *runner) file(a plan.Action, op plan.Op) error {
	content, err := plan.FileContent(op.File.Content)
	if err != nil {
		return err
	}
	entry := Entry{Action: a.Key, Op: op.ID, Request: op.Text(), State: Sending}
	change := op.Class == plan.Change
	if change {
		if err := r.journal(entry); err != nil {
			return err
		}
	}
	e := eventOf(a)
	e.Op = &OpInfo{Kind: op.Kind.String(), Class: op.Class.String(), Path: problem.Plain(op.File.Path)}
	e.Name = OpSent
	r.emit(e)
	err = writeFile(op.File.Path, content, fs.FileMode(op.File.Mode))
	e.Name, e.Error = OpDone, errorInfo(err)
	r.emit(e)
	if change {
		entry.State = state(err, err)
		err = errors.Join(err, r.journal(entry))
	}
	return err
}

func writeFile(path string, content []byte, mode fs.FileMode) error {
	bad := func(err error) error {
		return problem.New("the file " + problem.Plain(path) + " cannot be written").Because(problem.Plain(err.Error())).Try("mend the permissions of its folder, then npsetup resume --yes").From(err)
	}
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, content) {
		return nil
	}
	exists := func() error {
		return problem.New("the file " + problem.Plain(path) + " exists already").Because("it holds something else and is left as it is").Try("move it away, then npsetup resume --yes")
	}
	if _, err := os.Lstat(path); err == nil {
		return exists()
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".npsetup-*")
	if err != nil {
		return bad(err)
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close(), os.Chmod(f.Name(), mode)); err != nil {
		return bad(err)
	}
	// Link, unlike Rename, fails when somebody has made the file meanwhile. Some file systems have only Rename.
	err = os.Link(f.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return exists()
	}
	if err != nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return bad(err)
	}
	return nil
}
