package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"npsetup/steps/problem"
)

// safeState is the state folder, refused where others could change what is remembered there. One that is not there yet is safe.
func (o *options) safeState() (string, error) {
	dir, err := o.stateDir()
	if err != nil {
		return "", err
	}
	for _, path := range []string{dir, filepath.Join(dir, "runs")} {
		if err := safeFolder(path); err != nil {
			return "", err
		}
	}
	return dir, nil
}

func safeFolder(path string) error {
	info, err := os.Lstat(path)
	shown := problem.Plain(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return problem.New("the state folder " + shown + " cannot be used").Coded(problem.StateFolderUnusable).Because(problem.Plain(err.Error())).
			Try("mend its permissions, or name another with --state DIR").From(err)
	case info.Mode()&fs.ModeSymlink != 0:
		return problem.New("the state folder " + shown + " is a symbolic link").Coded(problem.StateFolderUnsafe).Because("whoever made the link decides what is written where").
			Try("name the folder that is meant with --state DIR")
	case !info.IsDir():
		return problem.New("the state folder " + shown + " cannot be used").Coded(problem.StateFolderUnusable).Because("it is no folder").Try("name another with --state DIR")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0: // what modes say of Windows' rights means nothing
		return problem.New("others may write in the state folder "+shown).Coded(problem.StateFolderUnsafe).Because(fmt.Sprintf("its mode is %04o: they could change what is remembered of a run", info.Mode().Perm())).
			Try("look at what is in it, then chmod 700 "+shown, "or name another with --state DIR")
	}
	return nil
}
