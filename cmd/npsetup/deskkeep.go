package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"npsetup/steps"
	"npsetup/steps/problem"
	"npsetup/steps/run"
)

func (d *desk) savedPath(guide string) string {
	return filepath.Join(d.state, "wizard-"+guide+".json")
}

// Save implements face.Work.
func (d *desk) Save(m steps.Machine) error {
	raw, err := m.Save()
	if err != nil {
		return err
	}
	d.mu.Lock()
	d.typedFor = receivers(m)
	d.mu.Unlock()
	path := d.savedPath(m.Guide().ID)
	if err = os.MkdirAll(d.state, 0o700); err == nil {
		err = run.Replace(path, raw)
	}
	if err != nil {
		return problem.New("nothing can be written to "+problem.Plain(path)).Coded(problem.StateFolderUnusable).Unwritten(err, "mend the permissions of the state folder, or name another with --state DIR")
	}
	return nil
}

// elsewhere helps where a file cannot be made.
const elsewhere = "name a file that does not exist yet, in a folder that does"

// elsewhere is that, with a place where one can be made now.
func (d *desk) elsewhere() string {
	if place := d.Place(); place != "" {
		return elsewhere + ", for example " + problem.Plain(place)
	}
	return elsewhere
}

// Place implements face.Work: in the folder where npsetup was started, else in that of its user, else in its own.
func (d *desk) Place() string {
	folders := []string{""}
	if home, err := d.o.app.home(); err == nil {
		folders = append(folders, home)
	}
	for _, folder := range append(folders, d.state) {
		if tryWriting(cmp.Or(folder, ".")) != nil || openToAll(cmp.Or(folder, ".")) {
			continue
		}
		for n := 1; n < 100; n++ {
			path := filepath.Join(folder, "answers.yaml")
			if n > 1 {
				path = filepath.Join(folder, fmt.Sprintf("answers-%d.yaml", n))
			}
			if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
				return path
			}
		}
	}
	return ""
}

// WriteAnswers implements face.Work.
func (d *desk) WriteAnswers(m steps.Machine, path string) error {
	bad := func(why string) error {
		return problem.New("the answers were not written to " + problem.Plain(path)).Because(why).Try(d.elsewhere())
	}
	if strings.TrimSpace(path) == "" {
		return bad("no file was named")
	}
	if openToAll(filepath.Dir(path)) {
		return ownPlace(path, problem.New("the answers were not written to "+problem.Plain(path)), d.elsewhere())
	}
	err := run.Create(path, steps.WriteAnswers(m.Guide(), m.Answers().Anchored(filepath.Dir(absolute(path)))), 0o600)
	if errors.Is(err, fs.ErrExist) {
		return bad("it exists already and is left as it is")
	}
	if err != nil {
		return problem.New("the answers were not written to "+problem.Plain(path)).Unwritten(err, d.elsewhere())
	}
	return nil
}
