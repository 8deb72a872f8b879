package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"npsetup/client/pki"
	"npsetup/steps/problem"
)

// safeState is the state folder, refused where others could change what is remembered there. One that is not there yet is safe.
func (o *options) safeState() (string, error) {
	dir, err := o.stateDir()
	if err != nil {
		return "", err
	}
	runs := filepath.Join(dir, "runs")
	for _, path := range []string{dir, runs} {
		if err := safeFolder(path); err != nil {
			return "", err
		}
	}
	if err := ownPlace(dir, problem.New("the state folder "+problem.Plain(dir)+" is not safe").Coded(problem.StateFolderUnsafe), "name another place with --state DIR"); err != nil {
		return "", err
	}
	if err := safeEntries(dir, func(name string) bool {
		return strings.HasPrefix(name, "hosts.json") || strings.HasPrefix(name, "wizard-")
	}); err != nil {
		return "", err
	}
	return dir, safeEntries(runs, func(string) bool { return true })
}

// safeEntries refuses links among what npsetup keeps in a folder, and in its folders: what is added to a file would go elsewhere.
func safeEntries(dir string, ours func(name string) bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // whoever needs what is in it says so
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case !ours(e.Name()):
		case e.IsDir():
			if err := errors.Join(safeFolder(path), safeEntries(path, ours)); err != nil {
				return err
			}
		case !e.Type().IsRegular():
			return problem.New("in the state folder, "+problem.Plain(path)+" is no file of npsetup").Coded(problem.StateFolderUnsafe).Because("it is a symbolic link or the like: what npsetup writes would go elsewhere").
				Try("look where it leads, and take it away", "or name another folder with --state DIR")
		}
	}
	return nil
}

// openToAll says that everybody may exchange what a folder holds; behind a link it is as open as where that leads.
func openToAll(folder string) bool {
	info, err := os.Stat(folder)
	return err == nil && pki.Exposed(info)
}

// ownPlace says what keeps a file or folder from being made: a place in which everybody may put another one where it was. elsewhere is how
// another place is named.
func ownPlace(path string, bad *problem.Problem, elsewhere string) error {
	above := filepath.Dir(path)
	if !openToAll(above) {
		return nil
	}
	return bad.Because("everybody may write in the folder above it, "+problem.Plain(above)+", and could exchange it").
		Try(elsewhere, "or take the right away: chmod o-w "+problem.Plain(above)+"; where that changes nothing, such as on a drive of Windows, write into your home folder and copy it from there")
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

// writableState is the state folder, refused where nothing can be written in it: a run that can note nothing down must not begin, and it is
// better to know that before anything is asked or sent.
func (o *options) writableState() (string, error) {
	dir, err := o.safeState()
	if err != nil {
		return "", err
	}
	if err := tryWriting(dir); err != nil {
		return "", problem.New("nothing can be written in the state folder "+problem.Plain(dir)).Coded(problem.StateFolderUnusable).
			Unwritten(err, "mend its permissions").Try("name another one with --state DIR, or with XDG_STATE_HOME")
	}
	return dir, nil
}

// tryWriting makes a folder if need be, and a file in it that it takes away again.
func tryWriting(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".npsetup-*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096)) // about what the first record takes
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
