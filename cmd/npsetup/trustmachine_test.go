package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"npsetup/client/trust"
)

// debian is a machine in a folder, with a tool that collects certificates as update-ca-certificates does.
type debian struct {
	t     *testing.T
	root  string
	rises bool // this process has the rights
	tool  func() error
	calls []string
}

func newDebian(t *testing.T) *debian {
	d := &debian{t: t, root: t.TempDir(), rises: true}
	d.write("etc/os-release", "ID=debian\n")
	d.write("usr/sbin/update-ca-certificates", "")
	d.write("usr/local/share/ca-certificates/somebody.crt", "")
	return d
}

func (d *debian) write(path, text string) {
	d.t.Helper()
	path = filepath.Join(d.root, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		d.t.Fatal(err)
	}
}

func (d *debian) machine() trust.Machine {
	return trust.Machine{GOOS: "linux", Root: d.root, Elevated: func() bool { return d.rises }, Run: d.run}
}

func (d *debian) run(_ context.Context, program string, args ...string) ([]byte, error) {
	d.calls = append(d.calls, strings.Join(append([]string{program}, args...), " "))
	if d.tool != nil {
		if err := d.tool(); err != nil {
			return nil, err
		}
	}
	var all strings.Builder
	files, err := filepath.Glob(filepath.Join(d.root, "usr/local/share/ca-certificates/*.crt"))
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		all.Write(raw)
	}
	d.write("etc/ssl/certs/ca-certificates.crt", all.String())
	return nil, err
}

// anchors lists the files that npsetup put there.
func (d *debian) anchors() []string {
	d.t.Helper()
	files, err := filepath.Glob(filepath.Join(d.root, "usr/local/share/ca-certificates/npsetup-*"))
	if err != nil {
		d.t.Fatal(err)
	}
	return files
}

// trusting is the machine of a site. Without one of its own, a site has none: no test may change the one that it runs on.
func (st *site) trusting() trust.Machine {
	if st.machine.Root != "" {
		return st.machine
	}
	return trust.Machine{GOOS: "none"}
}
