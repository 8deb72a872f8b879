//go:build full && linux

package main

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"npsetup/client/sandbox"
)

// aView gives a process its own view of the machine's folders, in which it is root. In CI there must be such views; elsewhere the test is
// skipped, and says so.
func aView(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	view := func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{
			Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}, GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
		}
	}
	c := exec.CommandContext(t.Context(), needed(t, "/bin/sh"), "-c", "mount -t tmpfs none /mnt")
	c.SysProcAttr = view()
	if err := c.Run(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no view of the machine's folders of its own: %v", err)
		}
		t.Skipf("SKIPPED: no view of the machine's folders of its own (%v), so what the tools of the machine see was not tested", err)
	}
	return view()
}

// TestNoSecretReachesTheToolsOfTheMachine: what update-ca-certificates and all that it starts see of npsetup's process, in a view of the machine
// of their own, whose trust is empty and gone afterwards.
func TestNoSecretReachesTheToolsOfTheMachine(t *testing.T) {
	tool := needed(t, "/usr/sbin/update-ca-certificates")
	st := newSite(t, sandbox.Options{})
	ca, root := rootOf(t, st)
	const script = `mount -t tmpfs none /usr/local/share/ca-certificates && mount -t tmpfs none /etc/ssl/certs &&
		"$1" --state "$2" trust install "$3" --sha256 "$4" --yes && "$1" --state "$2" trust remove "$4" --yes`
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, needed(t, "/bin/sh"), "-c", script, "sh", program(t, "npsetup"), st.state, ca, root.SHA256)
	c.Env = []string{"HOME=" + st.dir, "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	own := slices.Collect(maps.Keys(st.env))
	for _, name := range own {
		c.Env = append(c.Env, name+"="+st.env[name])
	}
	c.SysProcAttr = aView(t)
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = said, said
	images, code := imagesOf(t, c)
	_ = said.Close()
	text := st.read(said.Name())
	st.printed.WriteString(text)
	if code != exitOK {
		t.Fatalf("exit %d\n%s", code, text)
	}
	ours := func(i image) bool { return filepath.Base(string(i.words[0])) == "npsetup" }
	runs, tools := 0, 0
	for _, i := range images[slices.IndexFunc(images, ours):] {
		mine := own
		if ours(i) {
			runs++
		} else {
			mine = nil
		}
		if strings.Contains(i.String(), tool) {
			tools++
		}
		if leak := i.gives(st.s.Secrets(), mine...); leak != "" {
			t.Errorf("a secret stands in %s", leak)
		}
	}
	if runs != 2 || tools < 2 {
		t.Errorf("npsetup was seen %d times, %s %d times", runs, tool, tools)
	}
}
