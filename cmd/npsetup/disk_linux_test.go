package main

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"npsetup/client/sandbox"
)

func smallDisk(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "disk")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m,mode=0700"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "filler")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	_ = f.Close()
	return func() { _ = os.Remove(path) }
}

func TestExplore(t *testing.T) {
	for k := 0; k <= 12; k++ {
		st := newSite(t, sandbox.Options{})
		st.state = smallDisk(t)
		free := func() {}
		n := 0
		if k == 0 {
			free = fill(t, st.state)
		} else {
			st.s.OnRequest(func(r sandbox.Request) {
				if r.Class == "change" {
					if n++; n == k {
						free = fill(t, st.state)
					}
				}
			})
		}
		r := st.do("apply", "-f", st.answers(), "--yes")
		t.Logf("%d: %d after %d changes, %s\n%s", k, r.code, st.changes(), r.out, r.err)
		ls, _ := filepath.Glob(filepath.Join(st.state, "runs", "*", "*"))
		dots, _ := filepath.Glob(filepath.Join(st.state, "runs", "*", ".*"))
		t.Log(ls, dots)
		free()
		r = st.do("resume", "-f", st.answers(), "--yes")
		t.Logf("resumed: %d\n%s\n%s", r.code, r.out, r.err)
	}
}
