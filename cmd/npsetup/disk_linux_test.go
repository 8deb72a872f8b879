package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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

// smallDisk is a disk of its own of so many bytes and files, where one may be mounted. In CI one must.
func smallDisk(t *testing.T, size, files int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,nr_inodes=%d,mode=0700", size, files))
	}
	if err != nil && os.Getenv("CI") == "true" {
		t.Fatalf("no small disk can be mounted: %v; the tests in CI run as root", err)
	}
	if err != nil {
		t.Skipf("SKIPPED: no small disk can be mounted (%v), so full and read-only disks were not tested", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill leaves no room for a byte more, or for a file more, until free is called.
func fill(t *testing.T, dir string, withFiles bool) (free func()) {
	t.Helper()
	filler := filepath.Join(dir, ".filler")
	err := os.Mkdir(filler, 0o700)
	for n := 0; err == nil; n++ {
		var f *os.File
		if f, err = os.Create(filepath.Join(filler, fmt.Sprint(n))); err != nil {
			break
		}
		for err == nil && !withFiles {
			_, err = f.Write(make([]byte, 4096))
		}
		_ = f.Close()
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	return func() {
		if err := os.RemoveAll(filler); err != nil {
			t.Error(err)
		}
	}
}

// contents are the files below a folder, with sums of what they hold.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.Name() == ".filler":
			return filepath.SkipDir
		case e.IsDir():
			return nil
		}
		raw, err := os.ReadFile(path)
		sum := sha256.Sum256(raw)
		all[path] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// halfWritten lists what only a file that was not finished is called.
func halfWritten(files map[string]string) (list []string) {
	for path := range files {
		if name := filepath.Base(path); strings.HasPrefix(name, ".") {
			list = append(list, path)
		}
	}
	return list
}

// writers are the commands that write a file or a folder that a person names, and that path.
func writers(st *site, passphrase string) map[string]func(dir string) (path string, args []string) {
	cer := filepath.Join(st.dir, "auditor-client.cer")
	to := func(name string, args ...string) func(string) (string, []string) {
		return func(dir string) (string, []string) {
			path := filepath.Join(dir, name)
			return path, append(slices.Clone(args), path)
		}
	}
	return map[string]func(string) (string, []string){
		"plan":    to("plan.json", "plan", "-f", st.answers(), "--out"),
		"import":  to("imported.yaml", "import", "-f", st.answers(), "--out"),
		"key":     to("key.txt", "key", "-f", st.answers(), "--to"),
		"script":  to("trust.ps1", "trust", "script", cer, "--out"),
		"new":     to("new", "cert", "new", "--name", "Fresh", "--key-type", "ecdsa-p256", "--passphrase", passphrase, "--dir"),
		"request": to("request", "cert", "request", "--name", "Fresh", "--key-type", "ecdsa-p256", "--dir"),
		"bundle":  to("bundle", "cert", "bundle", "--key", filepath.Join(st.dir, "auditor-client.key"), "--answer", cer, "--passphrase", passphrase, "--dir"),
	}
}

// TestAFullDisk lets every command that writes a file, and a run at every change, meet a disk without room for a byte or for a file. What was
// there stays, nothing half-written is left, and with room again the same command, or resume, ends as if nothing had been.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	smallDisk(t, 1<<16, 16) // or the test is skipped here
	var c tally
	st := setUp(t)
	all := writers(st, "env:NPS_PFX_PASSPHRASE")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		for _, files := range []bool{false, true} {
			c.in(t, "a file or folder that a command writes", func(t *testing.T) {
				disk := smallDisk(t, 1<<18, 64)
				path, args := all[name](disk)
				st.withoutRoom(t, disk, files, path, args)
			})
		}
	}
	c.in(t, "a file that is replaced", func(t *testing.T) {
		disk := smallDisk(t, 1<<18, 64)
		path, args := all["plan"](disk)
		st.do(args...).want(t, exitOK)
		st.withoutRoom(t, disk, true, path, args)
	})
	c.in(t, "the wizard's draft and answers file", func(t *testing.T) { draftWithoutRoom(t, false) })
	c.in(t, "the wizard's draft and answers file", func(t *testing.T) { draftWithoutRoom(t, true) })
	for _, args := range [][]string{{"apply", "--yes"}, {"resume", "--yes"}} {
		c.in(t, "the state folder, before anything is sent", func(t *testing.T) { nothingSentWithoutRoom(t, args) })
	}
	want, n := undisturbed(t, sandbox.Options{})
	applies, undoes := 0, 0
	for k := 1; k <= n; k++ {
		c.in(t, "the state folder, at each change of apply", func(t *testing.T) {
			if applyWithoutRoom(t, k, k%2 == 0, want) {
				applies++
			}
		})
		c.in(t, "the state folder, at each change of undo", func(t *testing.T) {
			if undoWithoutRoom(t, k, k%2 == 0) {
				undoes++
			}
		})
	}
	if applies < n/2 || undoes == 0 {
		t.Errorf("of %d each, %d runs and %d undos had to stop: the disk was hardly full", n, applies, undoes)
	}
	asTold(t, "disk", c.table())
}

// withoutRoom runs a command on a full disk, and again when there is room.
func (st *site) withoutRoom(t *testing.T, disk string, files bool, path string, args []string) {
	before := contents(t, disk)
	free := fill(t, disk, files)
	r := st.do(args...).want(t, exitFailed)
	says(t, r.err, filepath.Base(path), "no space left on device", "\n  next: make room on the disk", "disk-full")
	if now := contents(t, disk); !maps.Equal(before, now) {
		t.Errorf("%v: before %v, now %v", args, before, now)
	}
	free()
	if r := st.do(args...); r.code != exitOK && r.code != exitPending {
		t.Errorf("%v with room again: exit %d, %s", args, r.code, r.err)
	}
	if now := contents(t, disk); len(now) == 0 || len(halfWritten(now)) > 0 {
		t.Errorf("%v with room again: %v", args, now)
	}
}

func draftWithoutRoom(t *testing.T, files bool) {
	disk := smallDisk(t, 1<<18, 64)
	home := t.TempDir()
	d := &desk{state: disk, o: &options{app: &app{home: func() (string, error) { return home, nil }}}}
	m := steps.NewMachine((&link{app: &app{}}).guides()[0], nil, "")
	if err := d.Save(m); err != nil {
		t.Fatal(err)
	}
	before := contents(t, disk)
	free := fill(t, disk, files)
	for what, err := range map[string]error{"nothing can be written to": d.Save(m), "the answers were not written": d.WriteAnswers(m, filepath.Join(disk, "answers.yaml"))} {
		if err == nil {
			t.Fatalf("%s: it is not said", what)
		}
		says(t, err.Error(), what, "no space left on device", disk)
	}
	if now := contents(t, disk); !maps.Equal(before, now) {
		t.Errorf("before %v, now %v", before, now)
	}
	free()
	if err := errors.Join(d.Save(m), d.WriteAnswers(m, filepath.Join(disk, "answers.yaml"))); err != nil {
		t.Error(err)
	}
}

// nothingSentWithoutRoom needs no room to find out that there is none: before the first secret leaves.
func nothingSentWithoutRoom(t *testing.T, args []string) {
	st := newSite(t, sandbox.Options{})
	st.state = smallDisk(t, 1<<20, 256)
	free := fill(t, st.state, false)
	r := st.do(append(args, "-f", st.answers())...).want(t, exitFailed)
	says(t, r.err, st.state, "no space left on device", "\n  next: make room on the disk", "state-folder-unusable")
	if n := len(st.s.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if now := contents(t, st.state); len(now) != 0 {
		t.Errorf("it leaves %v", now)
	}
	free()
	st.do(append(args, "-f", st.answers())...).want(t, exitPerson)
}

// noted holds what was sent against the journal: whatever changed something stands there, also when the disk was full.
func (st *site) noted(t *testing.T) {
	t.Helper()
	journals, err := filepath.Glob(filepath.Join(st.state, "runs", "*", "journal.jsonl"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("%v, %v", journals, err)
	}
	raw, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	if sent, noted := st.changes(), strings.Count(string(raw), `"state":"sending"`); sent > noted {
		t.Errorf("%d changes were sent, and %d stand in the journal", sent, noted)
	}
	if half := halfWritten(contents(t, st.state)); len(half) > 0 {
		t.Errorf("it leaves %v", half)
	}
}

// applyWithoutRoom fills the disk at a change, and goes on when there is room. It says whether the run had to stop: what replaces a file that
// is there may find the room of the one before.
func applyWithoutRoom(t *testing.T, k int, files bool, want string) (stopped bool) {
	st := newSite(t, sandbox.Options{})
	st.state = smallDisk(t, 1<<20, 256)
	free := func() {}
	st.atChange(k, func() { free = fill(t, st.state, files) })
	r := st.do("apply", "-f", st.answers(), "--yes")
	if stopped = r.code != exitPerson; stopped {
		says(t, r.want(t, exitFailed).err, "no space left on device", "npsetup resume --yes", "state-folder-unusable")
	}
	st.noted(t)
	free()
	st.do("resume", "--yes").want(t, exitPerson)
	if got := st.canonical(); got != want {
		t.Errorf("another end state:\n%s\nwant\n%s", got, want)
	}
	return stopped
}

// undoWithoutRoom does the same with an undo.
func undoWithoutRoom(t *testing.T, k int, files bool) (stopped bool) {
	st := newSite(t, sandbox.Options{})
	st.state = smallDisk(t, 1<<20, 256)
	before := st.canonical()
	st.do("apply", "-f", st.answers(), "--yes").want(t, exitPerson)
	free := func() {}
	st.atChange(k, func() { free = fill(t, st.state, files) })
	r := st.do("undo", "--yes", "--done", allManual)
	if stopped = r.code == exitFailed; stopped {
		says(t, r.err, "no space left on device", "state-folder-unusable")
	}
	st.noted(t)
	free()
	if stopped {
		st.do("undo", "--yes", "--done", allManual).want(t, exitOK)
	}
	if got := st.canonical(); got != before {
		t.Errorf("another end state:\n%s\nwant\n%s", got, before)
	}
	return stopped
}

// TestAReadOnlyDisk lets commands meet a state folder, or a folder for files, in which nothing can be written: a sentence with a way out comes
// before anything is sent.
func TestAReadOnlyDisk(t *testing.T) {
	disk := smallDisk(t, 1<<18, 64)
	st := setUp(t)
	own := filepath.Join(disk, "state")
	if err := os.CopyFS(own, os.DirFS(st.state)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(filepath.WalkDir(own, func(path string, e fs.DirEntry, err error) error {
		if e.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return err
	}), syscall.Mount("", disk, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, "")); err != nil {
		t.Fatal(err)
	}
	before, sent := contents(t, disk), len(st.s.Requests())
	var c tally
	for _, state := range []string{own, filepath.Join(disk, "none")} {
		for _, args := range [][]string{{"apply", "-f", st.answers(), "--yes"}, {"resume", "-f", st.answers(), "--yes"}, {"undo", "-f", st.answers(), "--yes"}, {"--plain"}} {
			if args[0] == "undo" && state != own {
				continue // there is nothing to take back, and nothing to write
			}
			c.in(t, "the state folder, before anything is sent", func(t *testing.T) {
				r := st.do(append(args, "--state", state)...).want(t, exitFailed)
				says(t, r.err, "nothing can be written in the state folder "+state, "read-only file system", "\n  next: ", "--state DIR", "state-folder-unusable")
			})
		}
	}
	if n := len(st.s.Requests()) - sent; n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	c.in(t, "the state folder of a command that only reads", func(t *testing.T) { st.do("plan", "-f", st.answers(), "--state", own).want(t, exitOK) })
	all := writers(st, "env:NPS_PFX_PASSPHRASE")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c.in(t, "a file or folder that a command writes", func(t *testing.T) {
			path, args := all[name](disk)
			says(t, st.do(args...).want(t, exitFailed).err, path, "read-only file system", "\n  next: ", "name ")
		})
	}
	if now := contents(t, disk); !maps.Equal(before, now) {
		t.Errorf("before %v, now %v", before, now)
	}
	asTold(t, "read-only", c.table())
}
