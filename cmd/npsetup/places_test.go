//go:build unix

package main

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"npsetup/client/sandbox"
	"npsetup/steps"
)

// put writes something into a folder, which is there, and tells how that ended: with nothing said, it is written.
type put func(t *testing.T, dir string) (said string)

// putters are all that write files into a folder that a person names: commands, the wizard, and the sandbox.
func putters(st *site) map[string]put {
	m := steps.NewMachine((&link{app: &app{}}).guides()[0], nil, "")
	told := func(err error) string {
		if err == nil {
			return ""
		}
		var b strings.Builder
		printProblems(&b, err)
		return b.String()
	}
	all := map[string]put{
		"answers": func(_ *testing.T, dir string) string {
			o := &options{app: &app{home: func() (string, error) { return dir, nil }}}
			return told((&desk{state: dir, o: o}).WriteAnswers(m, filepath.Join(dir, "answers.yaml")))
		},
		"draft": func(_ *testing.T, dir string) string { return told((&desk{state: dir}).Save(m)) },
		"sandbox": func(t *testing.T, dir string) string {
			s, err := sandbox.Start(t.Context(), sandbox.Options{Dir: dir})
			if err == nil {
				return told(s.Close())
			}
			return told(notStarted(err))
		},
	}
	for name, command := range writers(st, "env:NPS_PFX_PASSPHRASE") {
		all[name] = func(_ *testing.T, dir string) string {
			_, args := command(dir)
			if r := st.do(args...); r.code != exitOK && r.code != exitPending {
				return r.err
			}
			return ""
		}
	}
	return all
}

// replaces tells who puts a new file in the place of one that is there.
func replaces(name string) bool { return slices.Contains([]string{"draft", "plan", "sandbox"}, name) }

// written are the files below a folder, by their names in it.
func written(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for path := range contents(t, dir) {
		name, err := filepath.Rel(dir, path)
		raw, failed := os.ReadFile(path)
		if err = errors.Join(err, failed); err != nil {
			t.Fatal(err)
		}
		files[name] = raw
	}
	return files
}

// refused holds what is said against a refusal with place and next step.
func refused(t *testing.T, said, place string) {
	t.Helper()
	says(t, said, "npsetup: ", place, "\n  next: ")
}

// owned holds a file, and the folders up to dir, against what is promised of them.
func owned(t *testing.T, dir, name string) {
	t.Helper()
	if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || info.Mode() != 0o600 {
		t.Errorf("%s: %v, %v", name, info, err)
	}
	for up := filepath.Dir(name); up != "."; up = filepath.Dir(up) {
		if info, err := os.Lstat(filepath.Join(dir, up)); err != nil || info.Mode() != 0o700|fs.ModeDir {
			t.Errorf("%s: %v, %v", up, info, err)
		}
	}
}

// untouched holds what is another's against what it was, and the folder against what was left half-done.
func untouched(t *testing.T, dir, other string) {
	t.Helper()
	raw, err := os.ReadFile(other)
	info, failed := os.Stat(other)
	if err = errors.Join(err, failed); err != nil || string(raw) != "mine" || info.Mode().Perm() != 0o640 {
		t.Errorf("another's file: %q, %v, %v", raw, info, err)
	}
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("it leaves %s", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// ownFolder is a folder in which others may do nothing, whatever the mask.
func ownFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// spot is a place for a file in a folder of its own, and another's file.
func spot(t *testing.T, name string) (dir, path, other string) {
	t.Helper()
	dir, other = filepath.Join(ownFolder(t), "folder"), filepath.Join(ownFolder(t), "other")
	path = filepath.Join(dir, name)
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(other, []byte("mine"), 0o600), os.Chmod(other, 0o640))
	if err != nil {
		t.Fatal(err)
	}
	return dir, path, other
}

// TestEveryWriterMeetsLinksAndRights lets all that write files meet links, folders and rights that they must not follow, fall over or keep.
func TestEveryWriterMeetsLinksAndRights(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0)) // no test runs beside this one; what is promised of rights is not left to the mask
	var c tally
	st := setUp(t)
	all := putters(st)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		write, fresh := all[name], ownFolder(t)
		c.in(t, "nothing is there, and no mask takes rights away", func(t *testing.T) {
			if said := write(t, fresh); said != "" {
				t.Errorf("%s: %s", name, said)
			}
			for file := range written(t, fresh) {
				owned(t, fresh, file)
			}
		})
		files := written(t, fresh)
		if len(files) == 0 {
			t.Fatalf("%s has written nothing", name)
		}
		for _, file := range slices.Sorted(maps.Keys(files)) {
			for _, dangling := range []bool{false, true} {
				c.in(t, "a link to another's file in its place, or to none", func(t *testing.T) { meetLink(t, name, file, dangling, write) })
			}
			c.in(t, "a folder in its place", func(t *testing.T) { meetFolder(t, file, write) })
			c.in(t, "an older one in its place that others may read", func(t *testing.T) { meetOlder(t, name, file, files[file], write) })
		}
		if name == "draft" || name == "sandbox" {
			continue // the one lies in the state folder, the other is for tries
		}
		for _, linked := range []bool{false, true} {
			c.in(t, "a folder in which everybody may write, or a link to one", func(t *testing.T) { meetEverybody(t, name, linked, write) })
		}
	}
	meetInState(t, st, &c)
	meetInStore(t, st, &c)
	asTold(t, "places", c.table())
}

func meetLink(t *testing.T, name, file string, dangling bool, write put) {
	dir, path, other := spot(t, file)
	to, nowhere := other, filepath.Join(filepath.Dir(other), "nowhere")
	if dangling {
		to = nowhere
	}
	if err := os.Symlink(to, path); err != nil {
		t.Fatal(err)
	}
	said := write(t, dir)
	untouched(t, dir, other)
	if _, err := os.Lstat(nowhere); err == nil {
		t.Errorf("%s is made behind a link", name)
	}
	if said == "" && replaces(name) {
		owned(t, dir, file)
		return
	}
	refused(t, said, filepath.Base(file))
	if now, err := os.Readlink(path); err != nil || now != to {
		t.Errorf("the link: %q, %v", now, err)
	}
}

func meetFolder(t *testing.T, file string, write put) {
	dir, path, other := spot(t, file)
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	refused(t, write(t, dir), filepath.Base(file))
	untouched(t, dir, other)
	if left, err := os.ReadDir(path); err != nil || len(left) != 0 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
}

func meetOlder(t *testing.T, name, file string, content []byte, write put) {
	dir, path, other := spot(t, file)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	said := write(t, dir)
	untouched(t, dir, other)
	if replaces(name) {
		if said != "" {
			t.Error(said)
		}
		owned(t, dir, file)
		return
	}
	if ending := filepath.Ext(file); said != "" || ending != ".cer" && ending != ".p7b" { // what everybody may read stays, when it holds what it should
		refused(t, said, filepath.Base(file))
	}
	if raw, err := os.ReadFile(path); err != nil || !bytes.Equal(raw, content) {
		t.Errorf("%s is changed: %v", file, err)
	}
}

func meetEverybody(t *testing.T, name string, linked bool, write put) {
	dir, _, other := spot(t, "file")
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	to := dir
	if linked {
		to = filepath.Join(filepath.Dir(other), "link")
		if err := os.Symlink(dir, to); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, write(t, to), filepath.Base(to))
	if files := written(t, dir); len(files) != 0 {
		t.Errorf("%s has written %v", name, slices.Collect(maps.Keys(files)))
	}
}

// meetInState spoils what a run keeps in the state folder.
func meetInState(t *testing.T, st *site, c *tally) {
	var journal string
	for path := range contents(t, st.state) {
		file, err := filepath.Rel(st.state, path)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) == "journal.jsonl" {
			journal = file
		}
	}
	for _, file := range []string{"hosts.json", "hosts.json.lock", "wizard-auditor.json", journal, filepath.Join(filepath.Dir(journal), "record.json"), filepath.Join(filepath.Dir(journal), "lock"), filepath.Dir(journal)} {
		c.in(t, "a link to another's in the state folder", func(t *testing.T) {
			state, other := stateBeside(t, st)
			path := filepath.Join(state, file)
			if err := errors.Join(os.RemoveAll(path), os.Symlink(other, path)); err != nil {
				t.Fatal(err)
			}
			said := st.do("resume", "--yes", "--state", state).want(t, exitFailed).err
			refused(t, said, path)
			says(t, said, "state-folder-unsafe")
			untouched(t, state, other)
		})
	}
	c.in(t, "files in the state folder that others may read", func(t *testing.T) {
		state, _ := stateBeside(t, st)
		for _, file := range []string{"hosts.json", journal, filepath.Join(filepath.Dir(journal), "record.json")} {
			if err := os.Chmod(filepath.Join(state, file), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		st.do("apply", "-f", st.answers(), "--yes", "--state", state).want(t, exitOK)
		for _, file := range []string{journal, filepath.Join(filepath.Dir(journal), "record.json")} {
			owned(t, state, file)
		}
	})
	for _, linked := range []bool{false, true} {
		c.in(t, "a state folder below a folder in which everybody may write, or below a link to one", func(t *testing.T) {
			meetEverybody(t, "the state folder", linked, func(_ *testing.T, dir string) string {
				return st.do("plan", "-f", st.answers(), "--state", filepath.Join(dir, "state")).want(t, exitFailed).err
			})
		})
	}
}

// stateBeside is a copy of a site's state folder, and another's file beside it.
func stateBeside(t *testing.T, st *site) (state, other string) {
	t.Helper()
	dir, _, other := spot(t, "file")
	state = filepath.Join(dir, "state")
	err := os.CopyFS(state, os.DirFS(st.state))
	if err != nil {
		t.Fatal(err)
	}
	if err := filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return state, other
}

// meetInStore spoils the place of a certificate in the store of this machine.
func meetInStore(t *testing.T, st *site, c *tally) {
	ca, root := rootOf(t, st)
	name := filepath.Join("usr/local/share/ca-certificates", "npsetup-"+root.SHA1+".crt")
	install := func(t *testing.T, spoil func(path string, other string) error) (path, other, said string) {
		d := newDebian(t)
		_, _, other = spot(t, "file")
		path = filepath.Join(d.root, name)
		if err := spoil(path, other); err != nil {
			t.Fatal(err)
		}
		st.machine = d.machine()
		r := st.do("trust", "install", ca, "--sha256", root.SHA256, "--yes", "--state", ownFolder(t))
		if r.code == exitOK {
			return path, other, ""
		}
		return path, other, r.err
	}
	c.in(t, "the machine's store: nothing is there, and no mask takes rights away", func(t *testing.T) {
		path, _, said := install(t, func(string, string) error { return nil })
		if info, err := os.Lstat(path); err != nil || said != "" || info.Mode() != 0o644 {
			t.Errorf("%v, %v, %s", info, err, said)
		}
	})
	for _, folder := range []bool{false, true} {
		c.in(t, "the machine's store: a link to another's file, or a folder, in its place", func(t *testing.T) {
			path, other, said := install(t, func(path, other string) error {
				if folder {
					return os.Mkdir(path, 0o700)
				}
				return os.Symlink(other, path)
			})
			refused(t, said, filepath.Base(path))
			untouched(t, filepath.Dir(path), other)
		})
	}
}
