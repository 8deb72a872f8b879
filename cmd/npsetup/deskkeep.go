package main

import (
	"errors"
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
	if err := os.MkdirAll(d.state, 0o700); err != nil {
		return err
	}
	return run.Replace(d.savedPath(m.Guide().ID), raw)
}

// WriteAnswers implements face.Work.
func (d *desk) WriteAnswers(m steps.Machine, path string) error {
	bad := func(why string) error {
		return problem.New("the answers were not written to " + problem.Plain(path)).Because(why).Try("name a file that does not exist yet, in a folder that does")
	}
	if strings.TrimSpace(path) == "" {
		return bad("no file was named")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return bad("it exists already and is left as it is")
	}
	if err != nil {
		return bad(problem.Plain(err.Error()))
	}
	_, err = f.Write(steps.WriteAnswers(m.Guide(), m.Answers().Anchored(filepath.Dir(absolute(path)))))
	return errors.Join(err, f.Close())
}
